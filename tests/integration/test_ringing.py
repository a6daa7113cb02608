"""test_ringing.py -- facts, engine, outbox, cards: what rings, what is held back, what is edited."""
import threading
import time

import pytest
from conftest import CHAT, TRACEBACK, buttons, number_in, wait


def critical(n=1, **more):
    return {"message": f"Payment provider failed for order {n}", "severity": "critical",
            "origin": "celery", **more}


def test_thousand_identical_make_one_message_and_a_true_count(service, tg, db):
    s = service(tg=tg, env={"ERROR_ALERT_COOLDOWN": "16"})
    started = time.monotonic()

    def burst(offset):
        for n in range(offset, 1000, 4):
            assert s.post(critical(n)).status == 200
            delay = started + n / 100 - time.monotonic()
            if delay > 0:
                time.sleep(delay)

    threads = [threading.Thread(target=burst, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert db.one("SELECT count(*) FROM bot_error_event") == 1000
    assert db.one("SELECT occurrences FROM error_group") == 1000
    tg.wait(lambda: "1,000 times" in tg.sent(CHAT)[0]["text"], 15, "the count on the card")
    assert len(tg.of("sendMessage")) == 1
    rung = time.monotonic()
    time.sleep(max(0, 17 - (rung - started)))
    assert s.post(critical(1)).status == 200
    tg.wait(lambda: len(tg.of("sendMessage")) == 2, 5, "the ring after the cooldown")
    text = tg.sent(CHAT)[1]["text"]
    assert number_in(r"([\d,]+) more were held back", text) == 999
    tg.wait(lambda: not tg.sent(CHAT)[0]["keyboard"], 5, "the old card without buttons")
    assert "newer message" in tg.sent(CHAT)[0]["text"]
    s.post(critical(2))
    card = tg.sent(CHAT)[1]
    tg.wait(lambda: "1,002 times" in card["text"], 15, "the new card counts on")
    assert "999 more were held back" in card["text"], "an edit does not forget what the ring said"
    assert len(tg.of("sendMessage")) == 2


def test_sql_insert_rings_and_sql_update_edits(service, tg, db):
    service(tg=tg)
    started = time.monotonic()
    event = db.sql("INSERT INTO bot_error_event (origin, severity, message) "
                   "VALUES ('django', 'critical', 'from psql') RETURNING id, event_id")[0]
    tg.wait(lambda: tg.sent(CHAT), 2, "the ring")
    assert time.monotonic() - started < 2
    row = db.sql("SELECT id, event_id, origin, status FROM bot_error_event")[0]
    assert row == (event[0], event[1], "django", "new")
    conn = db.open()
    with conn.cursor() as cur:
        cur.execute("UPDATE bot_error_event SET status = 'resolved' WHERE id = %s", (event[0],))
        assert cur.rowcount == 1
    tg.wait(lambda: "Resolved by nabat" in tg.sent(CHAT)[0]["text"], 2, "the card's edit")
    assert db.sql("SELECT what, old_value, new_value, source FROM error_group_history") == [
        ("status", "new", "resolved", "psql")]


def test_regression_rings_inside_the_cooldown_once(service, tg, db):
    s = service(tg=tg)
    s.post(critical())
    tg.wait(lambda: tg.sent(CHAT), 5, "the first ring")
    db.sql("SELECT resolve(1, 'fixed')")
    tg.wait(lambda: "Resolved by" in tg.sent(CHAT)[0]["text"], 3, "the edit")
    old = {"occurred_at": time.time() - 3600}
    s.post(critical(**old))
    time.sleep(1.2)
    assert db.one("SELECT status FROM error_group") == "resolved", "an older event only counts"
    for _ in range(3):
        s.post(critical())
    tg.wait(lambda: len(tg.sent(CHAT)) == 2, 3, "the regression")
    assert "back after it was resolved" in tg.sent(CHAT)[1]["text"]
    wait(lambda: db.one("SELECT status FROM error_group") == "new", 3, "reopened")
    for _ in range(5):
        s.post(critical())
    time.sleep(2)
    assert len(tg.sent(CHAT)) == 2
    assert db.one("SELECT source FROM error_group_history ORDER BY id DESC LIMIT 1") == "service"


def test_mute_take_and_severity(service, tg, db):
    s = service(tg=tg, env={"ERROR_ALERT_COOLDOWN": "0"})
    s.post({"message": "only a warning", "severity": "warning"})
    s.post(critical())
    tg.wait(lambda: len(tg.sent(CHAT)) == 1, 5, "one ring")
    db.sql("SELECT mute(2, '1 hour')")
    s.post(critical())
    time.sleep(1)
    assert len(tg.sent(CHAT)) == 1
    db.sql("SELECT unmute(2)")
    db.sql("SELECT mute_count(2, 2)")
    s.post(critical())
    s.post(critical())
    time.sleep(1)
    assert len(tg.sent(CHAT)) == 1
    s.post(critical())
    tg.wait(lambda: len(tg.sent(CHAT)) == 2, 5, "the first beyond the count")
    db.sql("SELECT take(2, 'ann')")
    s.post(critical())
    time.sleep(1)
    assert len(tg.sent(CHAT)) == 2, "taken: edits only"
    db.sql("SELECT reopen(2)")
    s.post(critical())
    tg.wait(lambda: len(tg.sent(CHAT)) == 3, 5, "reopened: rings again")


@pytest.mark.parametrize("fault, repeats", [
    ({"code": 500, "description": "Internal Server Error", "times": 2}, 0),
    ({"code": 429, "description": "Too Many Requests: retry after 2",
      "parameters": {"retry_after": 2}}, 0),
    ({"after": True}, 1),
    ({"cut": True}, 0),
])
def test_delivery_survives(service, tg, db, fault, repeats):
    s = service(tg=tg)
    tg.fail_next("sendMessage", **fault)
    asked = time.monotonic()
    s.post(critical())
    tg.wait(lambda: len(tg.sent(CHAT)) == 1 + repeats, 15, "delivery")
    wait(lambda: db.one("SELECT state FROM alert_outbox") == "sent", 5, "state sent")
    if fault.get("code") == 429:
        assert time.monotonic() - asked >= 2
    if repeats:
        assert "Possibly a repeat" in tg.sent(CHAT)[1]["text"]
    assert len(tg.sent(CHAT)) == 1 + repeats


@pytest.mark.parametrize("fault, arrived", [("cut", 0), ("after", 2)])
def test_two_lost_answers_in_a_row_are_said_in_a_digest_soon(service, tg, db, fault, arrived):
    """Nobody waits a quarter of an hour for what may not be there; and it is no third card."""
    s = service(tg=tg)
    tg.fail_next("sendMessage", times=2, **{fault: True})
    s.post(critical())
    wait(lambda: db.one("SELECT lost_answers FROM alert_outbox") == 2, 15, "both answers are lost")
    row = db.sql("SELECT state, attempts, extract(epoch FROM next_try_at - now())::float8 FROM alert_outbox")[0]
    assert row[:2] == ("uncertain", 2) and 10 < row[2] <= 30, row
    assert len(tg.sent(CHAT)) == arrived
    db.sql("UPDATE alert_outbox SET next_try_at = now()")  # half a minute later
    digest = tg.wait(lambda: tg.sent(CHAT)[arrived:], 10, "the digest")[0]["text"]
    assert "While this chat could not be written to: 1 error" in digest and "Payment provider failed" in digest
    assert "Possibly a repeat" in digest
    wait(lambda: db.one("SELECT state FROM alert_outbox") == "folded", 5)
    time.sleep(2)
    assert len(tg.sent(CHAT)) == arrived + 1


def test_a_digest_whose_answers_get_lost_comes_within_a_minute(service, tg, db):
    s = service(tg=tg)
    tg.fail_next("sendMessage", times=4, cut=True)  # the card twice, then its digest twice
    s.post(critical())
    wait(lambda: db.one("SELECT lost_answers FROM alert_outbox") == 2, 15, "both answers are lost")
    db.sql("UPDATE alert_outbox SET next_try_at = now()")
    wait(lambda: db.sql("SELECT 1 FROM alert_digest WHERE lost_answers = 2"), 15, "the digest, too")
    left = db.one("SELECT extract(epoch FROM next_try_at - now())::float8 FROM alert_digest")
    assert 10 < left <= 30, left
    s.post({"message": "The disk is gone", "severity": "critical"})
    card = tg.wait(lambda: tg.sent(CHAT), 5, "who is new does not wait for it")[0]
    assert "The disk is gone" in card["text"] and "Possibly" not in card["text"]
    db.sql("UPDATE alert_digest SET next_try_at = now()")
    text = tg.wait(lambda: tg.sent(CHAT)[1:], 10, "the digest at last")[0]["text"]
    assert "Payment provider failed" in text and "Possibly a repeat" in text
    wait(lambda: db.one("SELECT lost_answers FROM alert_digest") == 0, 5, "it is there")


@pytest.mark.parametrize("text, description", [
    ("markup", "Bad Request: can't parse entities: Unexpected end tag at byte offset 3"),
    ("keyboard", "Bad Request: BUTTON_DATA_INVALID"),
    ("long", "Bad Request: message is too long"),
])
def test_what_telegram_refuses_goes_without_it(service, tg, text, description):
    s = service(tg=tg)
    tg.fail_next("sendMessage", code=400, description=description)
    s.post(critical(text))
    message = tg.wait(lambda: tg.sent(CHAT), 5, "the cured message")[0]
    calls = [p for _, p, _ in tg.of("sendMessage")]
    assert len(calls) == 2
    assert "Payment provider failed" in message["text"]
    assert ("parse_mode" in calls[1]) == (text != "markup")
    assert ("reply_markup" in calls[1]) == (text != "keyboard")


def test_closed_topic_and_moved_group(service, tg, db):
    tg.add_chat(CHAT, {11: "creator"}, topics=(7,))
    tg.chats[CHAT]["topics"][7] = "closed"
    s = service(tg=tg, env={"ERROR_ALERT_THREAD_ID": "7"})
    s.post(critical())
    assert tg.wait(lambda: tg.sent(CHAT), 5, "the message without its topic")[0]["thread"] == 0
    tg.add_chat(-1009, {11: "creator"})
    tg.chats[CHAT]["moved"] = -1009
    s.post({"message": "another one", "severity": "critical"})
    tg.wait(lambda: tg.sent(-1009), 10, "the message in the new group")
    wait(lambda: db.one("SELECT chat_id FROM alert_outbox ORDER BY id DESC LIMIT 1") == -1009, 3)


def test_hostile_text_rings_readably(service, tg, db):
    s = service(tg=tg)
    stack = TRACEBACK + "\n" + "  File \"/app/x.py\", line 1, in f\n    <b>&\"'\u202e\U0001f600\n" * 14000
    body = ('{"severity":"critical","message":"<b>&\\"\'\\u0000 \\ud83d\\ude00 \\ud800 \\u202e שלום ",'
            '"exception":{"type":"E","stacktrace":%s}}' % __import__("json").dumps(stack))
    raw = body.encode().replace(b"\\u202e", b"\xff\xfe\xe2\x80\xae")
    assert 900_000 < len(raw) < 1 << 20
    answer = s.post(raw)
    assert answer.status == 200, answer.body[:300]
    message = tg.wait(lambda: tg.sent(CHAT), 5, "the ring")[0]
    assert "<b>&\"'" in message["text"] and "\U0001f600" in message["text"]
    assert "\x00" not in message["text"]
    assert len(message["text"]) <= 4096
    stored = db.sql("SELECT message, length(stacktrace) FROM bot_error_event")[0]
    assert stored[0].startswith("<b>&\"'\ufffd") and stored[1] > 600_000
    assert len(tg.of("sendMessage")) == 1, "accepted at the first try"


def test_person_holding_the_row_stops_nobody(service, tg, db):
    s = service(tg=tg)
    s.post(critical())
    tg.wait(lambda: tg.sent(CHAT), 5, "the ring")
    person = db.open()
    person.autocommit = False
    with person.cursor() as cur:
        cur.execute("UPDATE error_group SET note = 'thinking' WHERE id = 1")
        for n in range(5):
            started = time.monotonic()
            assert s.post([critical(n, user_id=n), {"message": f"other {'abc'[n % 3]}"}]).status == 200
            assert time.monotonic() - started < 2
        assert db.one("SELECT count(*) FROM bot_error_event") == 11
        person.commit()
    person.close()
    wait(lambda: db.sql("SELECT occurrences, users_affected FROM error_group WHERE id = 1") ==
         [(6, 5)], 5, "the counters caught up")
    assert db.one("SELECT count(*) FROM group_delta") == 0


def test_buttons_change_the_group(service, tg, db):
    s = service(tg=tg)
    s.post(critical(exception={"type": "ValueError", "stacktrace": TRACEBACK}))
    card = tg.wait(lambda: tg.sent(CHAT), 5, "the ring")[0]
    assert [[b["text"] for b in row] for row in card["keyboard"]] == [
        ["Take", "Resolve", "Mute"], ["Stack", "Assign", "Note"]]
    press = tg.press(CHAT, card["message_id"], buttons(card)["Take"], 22, "bob")
    tg.wait(lambda: press in tg.answers, 3, "the press answered")
    assert tg.answers[press] == "Taken"
    tg.wait(lambda: "Taken by @bob" in card["text"], 3, "the edit")
    assert list(buttons(card)) == ["Resolve", "Mute", "Undo", "Stack", "Assign", "Note"]
    press = tg.press(CHAT, card["message_id"], "stack:1", 22, "bob")
    document = tg.wait(lambda: [m for m in tg.sent(CHAT) if "document" in m], 5, "the file")[0]
    assert b"render.py" in document["document"]["data"]
    press = tg.press(CHAT, card["message_id"], buttons(card)["Resolve"], 22, "bob")
    tg.wait(lambda: "Resolved by @bob" in card["text"], 3, "the edit")
    assert db.sql("SELECT actor, actor_id, source FROM error_group_history WHERE new_value = "
                  "'resolved'") == [("@bob", 22, "chat")]


def test_taken_before_it_ever_rang_stops_nobody(service, tg, db):
    s = service(tg=tg)
    s.post({"message": "quiet", "severity": "error"})
    wait(lambda: db.one("SELECT count(*) FROM error_group") == 1, 5)
    db.sql("SELECT take(1, 'ann')")
    for _ in range(3):
        s.post({"message": "quiet", "severity": "critical"})
        time.sleep(0.7)
    s.post(critical())
    tg.wait(lambda: tg.sent(CHAT), 5, "another group's ring")
    assert db.one("SELECT count(*) FROM alert_due") == 0


def test_claim_whose_answer_was_lost_is_sent(service, tg, db):
    """The row of our own epoch that never went out, found without a new holder and not as a repeat."""
    s = service(tg=tg)
    s.post({"message": "quiet", "severity": "error"})
    wait(lambda: db.one("SELECT count(*) FROM error_group") == 1, 5)
    epoch = wait(lambda: db.one("SELECT epoch FROM service_lease"), 10, "the lease")
    locked = db.open()
    locked.autocommit = False
    with locked.cursor() as cur:
        cur.execute("LOCK TABLE alert_outbox IN ACCESS EXCLUSIVE MODE")
        time.sleep(1)  # a claim is under way, and waits
        cur.execute("INSERT INTO alert_outbox (group_id, chat_id, state, epoch, attempts) "
                    "VALUES (1, %s, 'sending', %s, 1)", (CHAT, epoch))
        cur.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                    "application_name = 'nabat work' AND datname = current_database()")
        time.sleep(0.3)
        locked.commit()
    locked.close()
    message = tg.wait(lambda: tg.sent(CHAT), 15, "the message")[0]
    assert "Possibly a repeat" not in message["text"]
    assert db.one("SELECT epoch FROM service_lease") == epoch


def test_live_event_beside_an_import_rings(service, tg, db):
    s = service(tg=tg)
    s.post([critical(status="resolved"), critical()])
    tg.wait(lambda: tg.sent(CHAT), 5, "the ring")
    assert db.one("SELECT status FROM error_group") == "new"


def test_answer_to_a_person_survives_429(service, tg, db):
    service(tg=tg)
    tg.fail_next("sendMessage", code=429, description="Too Many Requests: retry after 1",
                 parameters={"retry_after": 1})
    tg.push_message(CHAT, 22, "/id")
    tg.wait(lambda: tg.sent(CHAT), 5, "the answer")


def test_forged_presses_do_nothing(service, tg, db):
    s = service(tg=tg)
    s.post(critical())
    card = tg.wait(lambda: tg.sent(CHAT), 5, "the ring")[0]
    number = card["message_id"]
    for chat, message, data, user in [(CHAT, number + 999, "resolve:1", 22), (22, number, "resolve:1", 22),
                                      (CHAT, number, "delete:1", 22), (CHAT, number, "", 22),
                                      (CHAT, number, "resolve", 22), (33, number, "resolve:1", 33)]:
        press = tg.press(chat, message, data, user, "eve")
        tg.wait(lambda: press in tg.answers, 3, f"an answer to {data}")
        assert tg.answers[press] in ("This message is not one of my alerts", "There is no such button here.",
                                     "You have no access to this",
                                     "This button belongs to another error: nothing was changed")
    assert db.one("SELECT count(*) FROM error_group_history") == 0
    assert db.one("SELECT status FROM error_group") == "new"
    # data of another group's card, on this one: neither of them changes
    s.post(critical(message="another"))
    wait(lambda: db.one("SELECT count(*) FROM error_group") == 2, 5)
    for claimed in (2, 777):
        press = tg.press(CHAT, number, f"resolve:{claimed}", 22, "bob")
        tg.wait(lambda: press in tg.answers, 3, "an answer")
        assert tg.answers[press] == "This button belongs to another error: nothing was changed"
    assert db.sql("SELECT DISTINCT status FROM error_group") == [("new",)]
