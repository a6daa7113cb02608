"""test_transport.py -- how updates come: webhook and polling, switching, conflicts, the database away."""
import json
import time
import urllib.error
import urllib.request

from conftest import CHAT, OWNER, TEAM, buttons, run_tool, wait

HOOK = {"TELEGRAM_WEBHOOK_URL": "http://127.0.0.1:{port}"}


def update(update_id, text, chat=CHAT, user=TEAM):
    return {"update_id": update_id, "message": {
        "message_id": update_id, "date": 1, "chat": {"id": chat, "type": "supergroup"},
        "from": {"id": user, "is_bot": False, "first_name": "Ann", "username": "ann"}, "text": text}}


def post(s, body, secret=None):
    headers = {"Content-Type": "application/json"}
    if secret is not None:
        headers["X-Telegram-Bot-Api-Secret-Token"] = secret
    return s.request("POST", "/telegram/webhook", body if isinstance(body, bytes) else json.dumps(body).encode(),
                     headers)


def test_webhook_is_registered_verified_and_deduplicated(service, tg, db):
    s = service(tg=tg, env={**HOOK, "TELEGRAM_WEBHOOK_SECRET": "s3cret-of-ours"})
    tg.wait(lambda: tg.webhook, 10, "setWebhook")
    assert tg.webhook == f"http://127.0.0.1:{s.port}/telegram/webhook" and tg.webhook_secret == "s3cret-of-ours"
    assert set(tg.allowed) == {"message", "callback_query", "my_chat_member", "message_reaction"}
    assert not tg.of("getUpdates")
    s.post({"message": "Alpha"})
    wait(lambda: db.one("SELECT count(*) FROM error_group") == 1, 5)
    for secret in (None, "", "wrong", "s3cret-of-our", "s3cret-of-ours2", "S3CRET-OF-OURS"):
        answer = post(s, update(1, "/take 1"), secret)
        assert answer.status == 401 and "s3cret" not in answer.body.decode()
    for garbage in (b"", b"{", b"[]", b'{"x":1}', b'{"update_id":"1"}', b"\xff\xfe", b"null",
                    b'{"update_id":5,"message":{"text":' + b"[" * 5000):
        assert post(s, garbage, "s3cret-of-ours").status == 200, garbage
    assert post(s, b"x" * (1 << 20) + b"y", "s3cret-of-ours").status == 413
    assert db.one("SELECT count(*) FROM telegram_update") == 0
    for _ in range(3):
        assert post(s, update(900, "/take 1"), "s3cret-of-ours").status == 200
    wait(lambda: db.one("SELECT status FROM error_group") == "in_progress", 5)
    db.sql("SELECT reopen(1)")
    assert post(s, update(900, "/take 1"), "s3cret-of-ours").status == 200
    time.sleep(1)
    assert db.one("SELECT status FROM error_group") == "new", "a repeat is acknowledged and dropped"
    assert db.one("SELECT count(*) FROM telegram_update") == 1
    # a NUL in a text is no poison
    assert post(s, update(901, "/take 1 \0 x"), "s3cret-of-ours").status == 200
    wait(lambda: db.one("SELECT status FROM error_group") == "in_progress", 5)
    assert "s3cret" not in s.stderr


def test_switching_both_ways_loses_nothing(service, tg, db):
    s = service(tg=tg)
    tg.wait(lambda: tg.of("getUpdates"), 10)
    s.post({"message": "Alpha"})
    wait(lambda: db.one("SELECT count(*) FROM error_group") == 1, 5)
    s.stop()
    tg.push_message(CHAT, TEAM, "/take 1")  # while it is down
    s = service(tg=tg, env=HOOK)
    tg.wait(lambda: tg.webhook, 10, "the webhook")
    wait(lambda: db.one("SELECT status FROM error_group") == "in_progress", 10, "what came between, by webhook")
    assert len(tg.webhook_secret) == 32, "random, and kept"
    secret = tg.webhook_secret
    s.stop()
    tg.push_message(CHAT, TEAM, "/resolve 1")
    time.sleep(0.3)
    s = service(tg=tg)
    wait(lambda: db.one("SELECT status FROM error_group") == "resolved", 10, "what came between, by polling")
    assert not tg.webhook and tg.of("deleteWebhook"), "it was ours, so it was removed"
    s.stop()
    service(tg=tg, env=HOOK)
    tg.wait(lambda: tg.webhook, 10, "the webhook again")
    assert tg.webhook_secret == secret
    assert not any(p.get("drop_pending_updates") for _, p, _ in tg.of("setWebhook") + tg.of("deleteWebhook"))


def test_a_webhook_of_others_is_left_alone(service, tg):
    tg.webhook = "https://other.example/hook"
    s = service(tg=tg, env=HOOK)
    wait(lambda: "not Nabat's" in str(s.get("/health").json["parts"]["telegram"]), 10)
    s.post({"message": "rings", "severity": "critical"})
    tg.wait(lambda: tg.sent(CHAT), 5, "send-only still rings")
    assert tg.webhook == "https://other.example/hook" and not tg.of("setWebhook")


def test_health_shows_the_webhooks_troubles(service, tg, db):
    tg.webhook_info = {}
    s = service(tg=tg, env=HOOK)
    tg.wait(lambda: tg.webhook, 10)
    wait(lambda: s.get("/health").json["parts"]["telegram"]["status"] == "healthy", 5)
    # the first look is over; what follows is judged against it (every 30 s)
    tg.wait(lambda: len(tg.of("getWebhookInfo")) >= 2, 10)
    tg.webhook_info = {"last_error_date": int(time.time()), "last_error_message": "Connection timed out"}
    wait(lambda: "Connection timed out" in str(s.get("/health").json["parts"]["telegram"]), 40, "the trouble")
    assert s.get("/health").json["parts"]["telegram"]["status"] == "degraded"
    wait(lambda: s.get("/health").json["parts"]["telegram"]["status"] == "healthy", 40, "its end, though the date stays")


def test_a_second_poller_is_named(service, tg):
    s = service(tg=tg)
    tg.wait(lambda: tg.of("getUpdates"), 10)
    tg.fail_next("getUpdates", code=409, times=3, description="Conflict: terminated by other getUpdates request; "
                 "make sure that only one bot instance is running")
    tg.push_message(CHAT, TEAM, "/id")
    wait(lambda: "a second program asks for this bot's updates" in s.stderr, 10, "the log line")
    part = s.get("/health").json["parts"]["telegram"]
    assert part["status"] == "degraded" and "second program" in part["detail"]
    wait(lambda: s.get("/health").json["parts"]["telegram"]["status"] == "healthy", 20, "over once it is alone")


def test_chats_do_not_wait_for_each_other(service, tg, db):
    """A membership that Telegram takes its time to tell holds up that person's chat only."""
    service(tg=tg)
    tg.wait(lambda: tg.of("getUpdates"), 10)
    tg.fail_next("getChatMember", times=1, hang=4)
    tg.push_message(33, 33, "/errors", "eve")
    time.sleep(0.3)
    begin = time.monotonic()
    tg.push_message(CHAT, TEAM, "/id")
    tg.wait(lambda: tg.sent(CHAT), 3, "the other chat's answer")
    assert time.monotonic() - begin < 3
    tg.wait(lambda: tg.sent(33), 10, "the slow one")


def test_order_within_a_chat(service, tg, db):
    s = service(tg=tg)
    tg.wait(lambda: tg.of("getUpdates"), 10)
    s.post({"message": "Alpha"})
    wait(lambda: db.one("SELECT count(*) FROM error_group") == 1, 5)
    for n in range(30):
        tg.push_message(TEAM, TEAM, f"/note 1 number {n}")
    wait(lambda: db.one("SELECT note FROM error_group") == "number 29", 20)
    assert [r[0] for r in db.sql("SELECT new_value FROM error_group_history ORDER BY id")] == [
        f"number {n}" for n in range(30)]


def press_and_time(tg, card, data, user=TEAM):
    begin = time.monotonic()
    press = tg.press(CHAT, card["message_id"], data, user, "ann")
    tg.wait(lambda: press in tg.answers, 5, "an answer")
    return tg.answers[press], time.monotonic() - begin


def ring(s, tg):
    s.post({"message": "Alpha", "severity": "critical"})
    return tg.wait(lambda: tg.sent(CHAT), 10, "the card")[0]


def test_a_press_is_answered_while_the_database_is_away(service, tg, db, cluster):
    s = service(tg=tg)
    tg.wait(lambda: tg.of("getUpdates"), 10, "it listens")
    card = ring(s, tg)
    wait(lambda: db.one("SELECT count(*) FROM alert_card") == 1, 5)
    cluster.stop("immediate")
    try:
        wait(lambda: s.get("/health").json["parts"]["database"]["status"] != "healthy", 10)
        time.sleep(1)
        for _ in range(3):
            said, seconds = press_and_time(tg, card, buttons(card)["Take"])
            assert "database does not answer" in said and "nothing was changed" in said
            assert seconds < 2.0
    finally:
        cluster.start()
        db.conn = None
    wait(lambda: s.get("/health").json["parts"]["database"]["status"] == "healthy", 30)
    time.sleep(2)
    assert db.one("SELECT status FROM error_group") == "new", "what was told undone stays undone"
    said, _ = press_and_time(tg, card, buttons(card)["Take"])
    assert said == "Taken"


def test_a_press_by_webhook_is_answered_while_the_database_is_away(service, tg, db, cluster):
    s = service(tg=tg, env=HOOK)
    tg.wait(lambda: tg.webhook, 10)
    card = ring(s, tg)
    wait(lambda: db.one("SELECT count(*) FROM alert_card") == 1, 5)
    cluster.stop("immediate")
    try:
        wait(lambda: s.get("/health").json["parts"]["database"]["status"] != "healthy", 10)
        said, seconds = press_and_time(tg, card, buttons(card)["Take"])
        assert "nothing was changed" in said and seconds < 2.0
        tg.push_message(CHAT, TEAM, "/resolve 1")  # not acknowledged: Telegram keeps it
        tg.wait(lambda: "carried out as soon as" in tg.sent(CHAT)[-1]["text"], 3, "a word about it")
    finally:
        cluster.start()
        db.conn = None
    wait(lambda: db.one("SELECT status FROM error_group") == "resolved", 40, "the command, once it can be stored")
    assert db.one("SELECT count(*) FROM error_group_history WHERE new_value = 'in_progress'") == 0


def test_a_press_is_answered_while_the_database_is_slow(service, tg, db):
    s = service(tg=tg)
    card = ring(s, tg)
    wait(lambda: db.one("SELECT count(*) FROM alert_card") == 1, 5)
    locked = db.open()
    locked.autocommit = False
    with locked.cursor() as cur:
        cur.execute("SELECT 1 FROM error_group FOR UPDATE")
        said, seconds = press_and_time(tg, card, buttons(card)["Take"])
        assert "The database is slow" in said and seconds < 1.8
        locked.rollback()
    locked.close()
    wait(lambda: db.one("SELECT status FROM error_group") == "in_progress", 5, "done once it answers")


def test_a_lost_answer_and_a_press_on_the_orphan(service, tg, db):
    """The message arrived, its answer did not: a press on it makes it the card, and nothing goes again."""
    s = service(tg=tg)
    tg.wait(lambda: tg.of("getUpdates"), 10)
    tg.fail_next("sendMessage", after=True, times=1)
    tg.fail_next("sendMessage", code=429, description="Too Many Requests: retry after 600",
                 parameters={"retry_after": 600})  # the repeat has to wait
    s.post({"message": "Alpha", "severity": "critical"})
    orphan = tg.wait(lambda: tg.sent(CHAT), 10, "the orphan")[0]
    wait(lambda: len(tg.of("sendMessage")) == 2, 10, "the repeat was tried")
    wait(lambda: db.one("SELECT state FROM alert_outbox") == "uncertain", 5)
    assert db.one("SELECT lost_answers FROM alert_outbox") == 1, "a refusal is an answer"
    db.sql("INSERT INTO alert_outbox (group_id, chat_id, state, possible_repeat) VALUES (1, %s, 'folded', true)", CHAT)
    said, _ = press_and_time(tg, orphan, "take:1")
    assert said == "Taken"
    assert db.sql("SELECT state, message_id FROM alert_outbox ORDER BY id") == [
        ("sent", orphan["message_id"]), ("folded", None)], "the one that waits is closed by it"
    assert db.sql("SELECT message_id, is_current FROM alert_card") == [(orphan["message_id"], True)]
    assert len(tg.sent(CHAT)) == 1, "nothing goes again"
    # a message that was never uncertain is not adopted, whatever its text says
    fake = tg.push_message(CHAT, TEAM, "🔴 Critical · #1")
    said, _ = press_and_time(tg, {"message_id": fake}, "resolve:1")
    assert said == "This message is not one of my alerts"


def test_the_repeat_is_marked_and_the_orphan_still_works(service, tg, db):
    s = service(tg=tg)
    tg.wait(lambda: tg.of("getUpdates"), 10)
    tg.fail_next("sendMessage", after=True, times=1)
    s.post({"message": "Alpha", "severity": "critical"})
    tg.wait(lambda: len(tg.sent(CHAT)) == 2, 15, "the orphan and its repeat")
    orphan, repeat = tg.sent(CHAT)
    assert "Possibly a repeat" in repeat["text"]
    wait(lambda: db.one("SELECT state FROM alert_outbox") == "sent", 5)
    said, _ = press_and_time(tg, orphan, "take:1")
    assert said == "Taken"
    tg.wait(lambda: "Taken by @ann" in repeat["text"], 5)
    tg.wait(lambda: "newer message" in orphan["text"] and not orphan["keyboard"], 5, "it points on")


def test_both_orphans_work_when_a_digest_has_named_their_error(service, tg, db):
    s = service(tg=tg)
    tg.wait(lambda: tg.of("getUpdates"), 10)
    tg.fail_next("sendMessage", after=True, times=2)
    s.post({"message": "Alpha", "severity": "critical"})
    wait(lambda: db.one("SELECT lost_answers FROM alert_outbox") == 2, 15, "both answers are lost")
    db.sql("UPDATE alert_outbox SET next_try_at = now()")
    first, second, digest = tg.wait(lambda: tg.sent(CHAT)[2:] and tg.sent(CHAT), 10, "the digest")
    said, _ = press_and_time(tg, first, "take:1")
    assert said == "Taken"
    tg.wait(lambda: "Taken by @ann" in first["text"], 5, "it is the card")
    said, _ = press_and_time(tg, second, "resolve:1")
    assert said == "Resolved"
    tg.wait(lambda: "newer message" in first["text"] and "Resolved by @ann" in second["text"], 5, "the newer one is")
    tg.wait(lambda: "All of them are resolved" in digest["text"], 15, "the digest follows")
    assert db.one("SELECT state FROM alert_outbox") == "folded" and len(tg.sent(CHAT)) == 3


def test_check_names_a_public_chat_and_the_webhook(service, tg, db):
    tg.add_chat(CHAT, {OWNER: "creator"}, username="our_public_group")
    s = service(tg=tg, env=HOOK)
    tg.wait(lambda: tg.webhook, 10)
    env = {k: v for k, v in s.env.items() if k.startswith(("TELEGRAM", "ERROR", "DATABASE"))}
    out = run_tool(db, "--check", env=env).stdout
    assert "public" in out and "@our_public_group" in out
    assert f"set: http://127.0.0.1:{s.port}/telegram/webhook" in out


def test_undo_goes_away_after_five_minutes(service, tg, db):
    s = service(tg=tg)
    card = ring(s, tg)
    wait(lambda: db.one("SELECT count(*) FROM alert_card") == 1, 5)
    press_and_time(tg, card, "take:1")
    tg.wait(lambda: "Undo" in buttons(card), 5)
    wait(lambda: db.one("SELECT edit FROM alert_card") == "expire", 5)
    db.sql("SET nabat.erase = on; UPDATE error_group_history SET changed_at = now() - interval '6 minutes'; "
           "UPDATE alert_card SET edit_since = now()")
    tg.wait(lambda: "Undo" not in buttons(card), 5, "the button is gone")
    said, _ = press_and_time(tg, card, "undo:1")
    assert said.startswith("There is nothing to undo")
    assert db.one("SELECT status FROM error_group") == "in_progress"


def test_merged_groups_ring_as_one(service, tg, db):
    s = service(tg=tg)
    s.post([{"message": "Alpha", "severity": "critical"}, {"message": "Beta", "severity": "critical"}])
    tg.wait(lambda: len(tg.sent(CHAT)) == 2, 10)
    wait(lambda: db.one("SELECT count(*) FROM alert_card") == 2, 5)
    tg.push_message(TEAM, TEAM, "/merge 1 2")
    wait(lambda: db.one("SELECT merged_into FROM error_group WHERE id = 2") == 1, 5)
    newest = max(tg.sent(CHAT), key=lambda m: m["message_id"])
    tg.wait(lambda: "Together with #2" in newest["text"] and "2 times" in newest["text"], 10, "one card for both")
    db.sql("SELECT resolve(2)")
    assert db.sql("SELECT DISTINCT status FROM error_group") == [("resolved",)]
    s.post({"message": "Beta", "severity": "critical"})
    again = tg.wait(lambda: [m for m in tg.sent(CHAT) if "It is back" in m["text"]], 10, "a regression of both")[0]
    assert "#1" in again["text"].splitlines()[0] and "3 times" in again["text"]
    assert db.sql("SELECT DISTINCT status FROM error_group") == [("new",)]
    press = tg.press(CHAT, again["message_id"], "resolve:1", TEAM, "ann")
    tg.wait(lambda: press in tg.answers, 3)
    wait(lambda: db.sql("SELECT DISTINCT status FROM error_group") == [("resolved",)], 5)
    assert db.sql("SELECT id FROM open_errors") == []
    db.sql("UPDATE bot_error_event SET status = 'in_progress' WHERE message = 'Beta'")
    assert db.sql("SELECT DISTINCT status FROM error_group") == [("in_progress",)], "the view moves both"
    tg.push_message(TEAM, TEAM, "/split 1")
    wait(lambda: db.one("SELECT merged_into FROM error_group WHERE id = 2") is None, 5)
    assert db.sql("SELECT id, occurrences FROM error_group ORDER BY id") == [(1, 1), (2, 2)]
    assert [r[0] for r in db.sql("SELECT what FROM error_group_history WHERE what LIKE 'merged%' ORDER BY id")] == [
        "merged_into", "merged", "merged_into", "merged"]


def test_an_open_transaction_on_a_merged_group_stops_nobody(service, tg, db):
    s = service(tg=tg)
    s.post([{"message": "Alpha", "severity": "critical"}, {"message": "Beta", "severity": "critical"}])
    tg.wait(lambda: len(tg.sent(CHAT)) == 2, 10)
    db.sql("SELECT merge_groups(1, 2)")
    db.sql("SELECT resolve(1)")
    locked = db.open()
    locked.autocommit = False
    with locked.cursor() as cur:
        cur.execute("SELECT 1 FROM error_group WHERE id = 2 FOR UPDATE")
        s.post({"message": "Alpha", "severity": "critical"})
        tg.wait(lambda: any("It is back" in m["text"] for m in tg.sent(CHAT)), 5, "the regression, all the same")
        s.post({"message": "Gamma", "severity": "critical"})
        tg.wait(lambda: any("Gamma" in m["text"] for m in tg.sent(CHAT)), 5, "another group's ring")
        locked.rollback()
    locked.close()
    wait(lambda: db.one("SELECT status FROM error_group WHERE id = 2") == "new", 15, "the leaf catches up")


def test_undo_does_not_reach_a_merge(service, tg, db):
    s = service(tg=tg)
    s.post([{"message": "Alpha"}, {"message": "Beta"}])
    wait(lambda: db.one("SELECT count(*) FROM error_group") == 2, 5)
    db.sql("SELECT resolve(1)")
    tg.push_message(TEAM, TEAM, "/merge 1 2")
    wait(lambda: db.one("SELECT merged_into FROM error_group WHERE id = 2") == 1, 5)
    assert db.one("SELECT status FROM error_group WHERE id = 1") == "new", "an open one is never hidden"
    tg.push_message(TEAM, TEAM, "/error 1")
    card = tg.wait(lambda: [m for m in tg.sent(TEAM) if m["keyboard"]], 5)[0]
    assert "Undo" not in buttons(card)
    wait(lambda: db.one("SELECT count(*) FROM alert_card") == 1, 5)
    press = tg.press(TEAM, card["message_id"], "undo:1", TEAM, "ann")
    tg.wait(lambda: press in tg.answers, 3)
    assert tg.answers[press].startswith("There is nothing to undo")
    assert db.sql("SELECT DISTINCT status FROM error_group") == [("new",)]


def test_muted_until_counts_both_and_splits_again(service, tg, db):
    s = service(tg=tg)
    s.post([{"message": "Alpha"}] * 3 + [{"message": "Beta"}] * 40)
    wait(lambda: db.one("SELECT sum(occurrences) FROM error_group") == 43, 5)
    db.sql("SELECT mute_count(1, 100)")
    db.sql("SELECT merge_groups(1, 2)")
    assert db.one("SELECT muted_until_count FROM error_group WHERE id = 1") == 143
    db.sql("SELECT split_group(2)")
    assert db.one("SELECT muted_until_count FROM error_group WHERE id = 1") == 103


def test_a_command_is_carried_out_once_though_its_mark_was_lost(service, tg, db):
    s = service(tg=tg)
    tg.wait(lambda: tg.of("getUpdates"), 10)
    s.post({"message": "Alpha"})
    wait(lambda: db.one("SELECT count(*) FROM error_group") == 1, 5)
    db.sql("CREATE FUNCTION no_mark() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
           "IF NEW.handled_at IS NOT NULL AND (SELECT count(*) FROM open_errors) < 9 THEN "
           "RAISE EXCEPTION 'not now' USING ERRCODE = '57000'; END IF; RETURN NEW; END $$")
    db.sql("CREATE TRIGGER no_mark BEFORE UPDATE ON telegram_update FOR EACH ROW EXECUTE FUNCTION no_mark()")
    tg.push_message(TEAM, TEAM, "/note 1 once")
    wait(lambda: db.one("SELECT note FROM error_group") == "once", 5)
    time.sleep(1.5)
    assert db.one("SELECT handled_at FROM telegram_update") is None
    db.sql("DROP TRIGGER no_mark ON telegram_update")
    wait(lambda: db.one("SELECT handled_at FROM telegram_update"), 5, "marked once it can be")
    assert db.one("SELECT attempts FROM telegram_update") == 1
    assert db.one("SELECT count(*) FROM error_group_history WHERE what = 'note'") == 1


def test_a_url_that_telegram_refuses_makes_our_webhook_no_strangers(service, tg, db):
    s = service(tg=tg, env=HOOK)
    ours = tg.wait(lambda: tg.webhook, 10)
    s.stop()
    tg.fail_next("setWebhook", code=400, times=50, description="Bad Request: bad webhook: Failed to resolve host")
    s = service(tg=tg, env={"TELEGRAM_WEBHOOK_URL": "http://bad.invalid"})
    wait(lambda: "Failed to resolve host" in str(s.get("/health").json["parts"]["telegram"]), 10)
    s.stop()
    assert tg.webhook == ours
    tg.faults.clear()
    service(tg=tg)
    wait(lambda: not tg.webhook, 10, "it was ours, and is removed")


def test_private_cards_end_with_access(service, tg, db):
    s = service(tg=tg, env={"ERROR_ADMIN_IDS": str(OWNER)})
    s.post({"message": "Alpha"})
    wait(lambda: db.one("SELECT count(*) FROM error_group") == 1, 5)
    db.sql("INSERT INTO chat_member (user_id, role) VALUES (33, 'viewer')")
    tg.push_message(33, 33, "/error 1", "eve")
    card = tg.wait(lambda: tg.sent(33), 5)[0]
    wait(lambda: db.one("SELECT count(*) FROM alert_card") == 1, 5)
    db.sql("DELETE FROM chat_member")
    db.sql("SELECT take(1, 'ann'); UPDATE error_group SET note = 'for the team only'")
    wait(lambda: db.one("SELECT is_current FROM alert_card") is False, 5, "given up")
    assert "ann" not in card["text"] and "for the team only" not in card["text"]


def test_the_chosen_chat_is_known_before_anything_is_decided(service, tg, db):
    env = {"ERROR_ALERT_CHAT_ID": None, "ERROR_ADMIN_IDS": str(OWNER)}
    s = service(tg=tg, env=env)
    wait(lambda: db.one("SELECT epoch FROM service_lease"), 5)
    db.sql("INSERT INTO service_setting VALUES ('alert_chat_id', %s)", str(CHAT))
    s.stop()
    for n in range(3):
        s = service(tg=tg, env=env)
        s.post({"message": f"at the start {n}", "severity": "critical", "fingerprint": [str(n)]})
        tg.wait(lambda: any(f"at the start {n}" in m["text"] for m in tg.sent(CHAT)), 8, "it rang")
        s.kill()


def test_take_neither_steals_nor_opens_again(service, tg, db):
    s = service(tg=tg)
    card = ring(s, tg)
    wait(lambda: db.one("SELECT count(*) FROM alert_card") == 1, 5)
    assert press_and_time(tg, card, "take:1")[0] == "Taken"
    press = tg.press(CHAT, card["message_id"], "take:1", OWNER, "boss")
    tg.wait(lambda: press in tg.answers, 3)
    assert tg.answers[press].startswith("Already taken by @ann")
    db.sql("SELECT resolve(1)")
    assert press_and_time(tg, card, "take:1")[0].startswith("Already resolved by")
    assert db.one("SELECT status FROM error_group") == "resolved"


def test_forgetting_reaches_the_cards(service, tg, db):
    s = service(tg=tg, env={"ERROR_ADMIN_IDS": str(OWNER)})
    s.post({"message": "Alpha", "severity": "critical", "user_id": 740215399, "chat_id": 740215399,
            "tags": {"uid": "740215399"}})
    card = tg.wait(lambda: tg.sent(CHAT), 10)[0]
    wait(lambda: db.one("SELECT count(*) FROM alert_card") == 1, 5)
    assert "740215399" in card["text"]
    tg.push_message(OWNER, OWNER, "/forget 740215399", "boss")
    tg.wait(lambda: "740215399" not in card["text"], 5, "the card forgets too")


def test_split_gives_back_status_and_cards(service, tg, db):
    s = service(tg=tg)
    s.post([{"message": "Alpha", "severity": "critical"}, {"message": "Beta", "severity": "critical"}])
    tg.wait(lambda: len(tg.sent(CHAT)) == 2, 10)
    wait(lambda: db.one("SELECT count(*) FROM alert_card") == 2, 5)
    before = db.sql("SELECT id, status FROM error_group ORDER BY id")
    db.sql("SELECT resolve(1)")
    db.sql("SELECT merge_groups(1, 2)")
    assert db.sql("SELECT DISTINCT status FROM error_group") == [("new",)]
    db.sql("SELECT split_group(1)")
    assert db.sql("SELECT id, status FROM error_group ORDER BY id") == [(1, "resolved"), (2, "new")] != before
    assert db.sql("SELECT group_id, is_current FROM alert_card ORDER BY group_id") == [(1, True), (2, True)]
    tg.wait(lambda: all("Stack" in buttons(m) for m in tg.sent(CHAT)), 10, "both have their buttons again")


def test_a_shared_card_keeps_the_chats_language(service, tg, db):
    s = service(tg=tg, env={"BOT_LANGUAGE": None})
    card = ring(s, tg)
    wait(lambda: db.one("SELECT count(*) FROM alert_card") == 1, 5)
    for data in ("mute:1", "back:1"):
        press = tg.press(CHAT, card["message_id"], data, 44, "olga", "ru")
        tg.wait(lambda: press in tg.answers, 3)
        assert not any("Взять" in b or "час" in b for b in buttons(card))
    press = tg.press(CHAT, card["message_id"], "take:1", 44, "olga", "ru")
    tg.wait(lambda: press in tg.answers, 3)
    assert tg.answers[press] == "Взято в работу", "the word is for the one who pressed"
    tg.wait(lambda: "Taken by @olga" in card["text"], 5)


def test_a_producer_can_not_forge_lines_of_a_card(service, tg):
    s = service(tg=tg)
    s.post({"message": "Deploy failed:\nstep 3 exited 1", "severity": "critical",
            "handler": "h\n✅ Resolved by @boss, 21 Nov, 12:00"})
    card = tg.wait(lambda: tg.sent(CHAT), 10)[0]
    assert not any(line.startswith("✅") for line in card["text"].splitlines())
    assert "step 3 exited 1" in card["text"]


def test_a_forwarded_command_is_not_carried_out(service, tg, db):
    s = service(tg=tg)
    tg.wait(lambda: tg.of("getUpdates"), 10)
    s.post({"message": "Alpha"})
    wait(lambda: db.one("SELECT count(*) FROM error_group") == 1, 5)
    tg.push_message(CHAT, TEAM, "/resolve 1", forward_origin={"type": "user", "date": 1, "sender_user": {"id": 5}})
    tg.push_message(CHAT, TEAM, "/note 1 spoken")
    wait(lambda: db.one("SELECT note FROM error_group") == "spoken", 5)
    assert db.one("SELECT status FROM error_group") == "new"
