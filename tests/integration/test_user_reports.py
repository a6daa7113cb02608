"""test_user_reports.py -- people's own reports: six states beside three, codes that find an error, words to those who wait for them."""
import json
import re

import pytest
from conftest import CHAT, KEY, OWNER, TEAM, buttons, wait

from test_stats import say

SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def code_of(event_id):
    bits = int(event_id[:8], 16) >> 2
    return "".join(SIGNS[bits >> 5 * i & 31] for i in range(5, -1, -1))


def report(s, body, key=KEY, **headers):
    return s.request("POST", "/api/reports" + (f"?key={key}" if key else ""), body if isinstance(body, bytes) else json.dumps(body).encode(),
                     {"Content-Type": "application/json", **headers})


def card_of(tg, title):
    return tg.wait(lambda: next((m for m in tg.messages.values() if title in m["text"] and m["text"].startswith("🔵")), None), 30,
                   f"the card of {title}")


FORM = {"title": "Paid, but no picture came", "description": "I paid 299 and waited for an hour.\n<b>&", "steps": "1. pay\n2. wait",
        "expected": "a picture", "actual": "nothing", "category": "Payment form", "url": "https://bot.example.com/pay?x=1",
        "browser": "Firefox 140", "contact": "ann_77, ann@example.com", "user_id": 77, "release": "bot@1.4.2"}


def test_a_form_becomes_a_report_with_a_card_and_a_code(service, db, tg):
    s = service(tg=tg)
    answer = report(s, FORM, Origin="https://bot.example.com")
    assert answer.status == 200 and answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.json == {"id": answer.json["id"], "code": code_of(answer.json["id"]), "about": None}
    card = card_of(tg, FORM["title"])
    assert "📍 user_report · payment-form" in card["text"] and card["chat_id"] == CHAT and "Take" in buttons(card)
    row = db.sql("SELECT title, description, steps, expected, actual, category, url, browser, contact, state FROM user_report")[0]
    assert row == (FORM["title"], FORM["description"], FORM["steps"], FORM["expected"], FORM["actual"], "payment-form", FORM["url"],
                   FORM["browser"], FORM["contact"], "new")
    event = db.sql("SELECT origin, severity, user_id, release, status, stacktrace FROM bot_error_event WHERE event_id = %s", answer.json["id"])[0]
    assert event[:5] == ("user_report", "info", "77", "bot@1.4.2", "new") and "Expected:\na picture" in event[5]
    assert s.get(f"/api/reports?key={KEY}&code={answer.json['code'].lower()}").json == {"state": "new", "title": FORM["title"]}
    assert s.get(f"/api/reports?key={KEY}&code=ZZZZZZ").status == 404
    assert s.get(f"/api/reports?key={KEY}&code=nonsense").status == 400
    assert s.get("/api/reports?code=ZZZZZZ").status == 401


@pytest.mark.parametrize("body, why", [(b"{", "without an end"), (b"[]", "one JSON object"), (b"{}", "title or a description"), (b'{"title": "  "}', "title or"),
                                       (b'{"title": {"a": 1}}', "title or"), (b'{"title": "x"} {"title": "y"}', "one JSON object")])
def test_what_is_no_report_is_refused(service, db, body, why):
    s = service()
    answer = report(s, body)
    assert answer.status == 400 and why in answer.json["detail"]
    assert report(s, {"title": "x"}, key=None).status == 401
    assert db.one("SELECT count(*) FROM user_report") + db.one("SELECT count(*) FROM event_inbox") == 0


def test_hostile_reports_are_kept_readable_and_scrubbed(service, db, tg):
    s = service(tg=tg)
    token = "123456789:AAE" + "x" * 32
    big = "<b>&\U0001F600‮" + "ы" * 60000
    assert report(s, {"title": big, "description": f"my token is {token}\u0000 and card 4111 1111 1111 1111", "steps": big, "category": "!!!"}).status == 200
    card = card_of(tg, "<b>&")
    assert token not in card["text"]
    text = json.dumps(db.sql("SELECT title, description, category FROM user_report")) + json.dumps(
        db.sql("SELECT message, stacktrace FROM bot_error_event"))
    assert token not in text and "4111 1111" not in text and '"bug"' in text


def test_six_states_are_three_and_none_is_lost(service, db, tg):
    s = service(tg=tg)
    report(s, FORM)
    card_of(tg, FORM["title"])
    group = db.one("SELECT id FROM error_group")

    def states():
        return db.sql("SELECT r.state, g.status FROM user_report r JOIN error_group g ON g.id = r.group_id")[0]

    for state, status in (("investigating", "in_progress"), ("confirmed", "in_progress"), ("in_progress", "in_progress"),
                          ("wont_fix", "resolved"), ("resolved", "resolved"), ("new", "new"), ("confirmed", "in_progress")):
        assert f"#{group} {FORM['title']}: " in say(tg, f"/state {group} {state}")["text"]
        assert states() == (state, status)
    db.sql("UPDATE error_group SET note = 'seen' WHERE id = %s", group)
    assert states() == ("confirmed", "in_progress"), "what is confirmed stays so"
    db.sql("SELECT resolve(%s, 'paid back')", group)
    assert states() == ("resolved", "resolved")
    db.sql("SELECT reopen(%s)", group)
    assert states() == ("new", "new")
    db.sql("SELECT take(%s, 'ann')", group)
    assert states() == ("investigating", "in_progress")
    assert db.one("SELECT report_state(%s, 'wont_fix')", group) == "wont_fix" and states() == ("wont_fix", "resolved")
    assert "/state N new|" in say(tg, f"/state {group} done")["text"]
    s.post({"message": "no report", "severity": "error"})
    other = wait(lambda: db.one("SELECT id FROM error_group WHERE origin <> 'user_report'"), 10, "the other")
    assert "no report of a person" in say(tg, f"/state {other} confirmed")["text"]
    assert "🧭 Report: won't be fixed" in say(tg, f"/error {group}")["text"]


def test_in_the_chat_and_a_word_when_it_is_over(service, db, tg):
    service(tg=tg, env={"BOT_LANGUAGE": None})
    text = say(tg, "/report_bug Paid, but no picture came\nAn hour ago", OWNER)
    code = re.search(r"Its code is ([0-9A-Z]{6})", text["text"]).group(1)
    assert code == code_of(db.one("SELECT event_id FROM user_report"))
    query = tg.press(OWNER, text["message_id"], buttons(text)["Tell me when it is over"], OWNER, "boss", "ru")
    tg.wait(lambda: tg.answers.get(query), 10, "the answer")
    card_of(tg, "Paid, but no picture came")
    group = db.one("SELECT id FROM error_group")
    db.sql("SELECT resolve(%s, 'paid back')", group)
    told = tg.wait(lambda: next((m for m in tg.messages.values() if m["chat_id"] == OWNER and "итог" in m["text"]), None), 30, "the word")
    assert told["text"] == "По вашему сообщению есть итог: Paid, but no picture came — решено\npaid back"
    wait(lambda: db.one("SELECT said_state FROM user_report") == "resolved", 10, "written down")
    assert "/report_bug text" in say(tg, "/report_bug")["text"]


def test_only_who_reported_hears_of_it_and_learns_at_once_when_that_can_not_be(service, db, tg):
    service(tg=tg)
    tg.push_message(CHAT, TEAM, "/report_bug No picture <came>", "ann", "en")
    text = tg.wait(lambda: next((m for m in tg.messages.values() if m["chat_id"] == CHAT and "Its code is" in m["text"]), None), 20, "the code")
    follow = buttons(text)["Tell me when it is over"]
    tg.chats[TEAM]["gone"] = "bot can't initiate conversation with a user"

    def press(user, name):
        query = tg.press(CHAT, text["message_id"], follow, user, name, "en")
        return tg.wait(lambda: tg.answers.get(query), 10, "the answer")

    def there(chat, words):
        return tg.wait(lambda: next((m for m in tg.messages.values() if m["chat_id"] == chat and words in m["text"]), None), 20, words)

    assert press(OWNER, "boss") == "Only the person who reported it can ask for that" and not db.one("SELECT wants_word FROM user_report")
    assert press(TEAM, "ann") == "I will write to you in private when it is over"
    assert re.fullmatch(r"@ann, I may not write to you first\. Open @\w+ and press Start: then I can tell you\.",
                        there(CHAT, "I may not write to you first")["text"])
    tg.chats[TEAM]["gone"] = None
    assert press(TEAM, "ann") == "I will write to you in private when it is over"
    assert there(TEAM, "You will hear here")["text"] == "You will hear here when this is over: No picture <came>"
    assert db.sql("SELECT wants_word, reporter_chat_id FROM user_report") == [(True, TEAM)]


def test_a_word_in_private_that_has_to_wait_holds_up_nobody(service, db, tg):
    """Telegram asks for a pause before it: commands are answered meanwhile, and the service stops in it."""
    s = service(tg=tg)
    tg.push_message(CHAT, TEAM, "/report_bug No picture came", "ann", "en")
    text = tg.wait(lambda: next((m for m in tg.messages.values() if "Its code is" in m["text"]), None), 20, "the code")
    card_of(tg, "No picture came")
    tg.fail_next("sendMessage", code=429, description="Too Many Requests: retry after 20", times=1, parameters={"retry_after": 20})
    query = tg.press(CHAT, text["message_id"], buttons(text)["Tell me when it is over"], TEAM, "ann", "en")
    tg.wait(lambda: tg.answers.get(query), 10, "the answer")
    tg.wait(lambda: any(c[0] == "sendMessage" and c[1]["chat_id"] == TEAM for c in tg.calls), 10, "the first try")
    query = tg.press(CHAT, text["message_id"], buttons(text)["Tell me when it is over"], OWNER, "boss", "en")
    tg.wait(lambda: tg.answers.get(query), 10, "the answer to the next one")
    assert s.stop() == 0


def test_what_looks_like_a_code_stays_in_the_report(service, db, tg, tools):
    s = service(tg=tg)
    text = say(tg, "/report_bug 123456 has not come", OWNER)["text"]
    assert "123456 has not come" in text and "attached" not in text
    key = tools(db, "--project", "add", "shop").stdout.split("://")[1].split("@")[0]
    answer = wait(lambda: (a := s.post({"message": "no such order", "severity": "error"}, key=key)).status == 200 and a, 20, "the key").json
    wait(lambda: db.one("SELECT count(*) FROM event WHERE project_id <> 1") == 1, 20, "the event")
    text = say(tg, f"/report_bug {answer['codes'][0]} it says try later", OWNER)["text"]
    assert "It is attached to the error whose code you gave." in text
    wait(lambda: db.one("SELECT group_id FROM user_feedback"), 20, "what was said, under the error")
    assert db.sql("SELECT g.title, f.message, r.project_id = g.project_id FROM user_feedback f JOIN error_group g ON g.id = f.group_id "
                  "JOIN user_report r ON r.event_id = f.feedback_id") == [("no such order", f"{answer['codes'][0]} it says try later", True)]


def test_a_report_with_a_code_is_attached_to_the_error(service, db, tg):
    s = service(tg=tg)
    answer = s.post({"message": "pool exhausted", "severity": "critical"}).json
    assert answer["codes"] == [code_of(answer["ids"][0])]
    tg.wait(lambda: any(m["text"].startswith("🔴") for m in tg.messages.values()), 20, "the card")
    again = s.post({"event_id": answer["ids"][0][:8] + "f" * 24, "message": "another", "severity": "error"}).json
    assert again["codes"] == answer["codes"]
    about = report(s, {"title": "it says: try later", "code": answer["codes"][0].lower()[:3] + "-" + answer["codes"][0][3:]}).json["about"]
    assert about == again["ids"][0], "the newest of those with the code"
    about = report(s, {"title": "it says: try later", "code": answer["codes"][0], "contact": "eve"}).json["about"]
    assert about == again["ids"][0]
    one = s.post({"message": "pool exhausted", "severity": "critical"}).json
    report(s, {"title": "I saw it, too", "code": one["codes"][0], "contact": "eve"})
    note = tg.wait(lambda: next((m for m in tg.messages.values() if "I saw it, too" in m["text"] and m["text"].startswith("💬")), None), 30,
                   "the words under the error's card")
    assert note["reply_to"] and "eve about #" in note["text"]


def test_who_is_asked_hears_of_it_and_comments_add_up(service, db, tg):
    s = service(tg=tg)
    report(s, FORM)
    card_of(tg, FORM["title"])
    group = db.one("SELECT id FROM error_group")
    tg.push_message(TEAM, TEAM, "/id", "ann", "en")  # she has spoken to the bot
    wait(lambda: db.one("SELECT count(*) FROM chat_person WHERE user_id = %s", TEAM), 20, "that she is known")
    say(tg, f"/assign {group} @ann")
    told = tg.wait(lambda: next((m for m in tg.messages.values() if m["chat_id"] == TEAM and "asked to look" in m["text"]), None), 30, "a word to her")
    assert told["text"] == f"You are asked to look at a report: #{group} {FORM['title']}\n/error {group}"
    for i in range(7):
        assert say(tg, f"/comment {group} remark {i} <b>")["text"] == f"💬 Said about #{group}"
    text = say(tg, f"/error {group}")["text"]
    assert "remark 1 " not in text and all(f"remark {i} <b>" in text for i in range(2, 7))
    assert "#999" in say(tg, "/comment 999 x")["text"] and db.one("SELECT count(*) FROM group_comment") == 7
    assert "✉️ ann_77, ann@example.com" in text and "ann_77" not in json.dumps(db.sql("SELECT stacktrace, payload FROM bot_error_event"))


def test_a_flood_of_reports_does_not_flood_the_chat(service, db, tg):
    s = service(tg=tg)
    for i in range(15):
        assert report(s, {"title": f"trouble {i}"}).status == 200
    wait(lambda: db.one("SELECT count(*) FROM user_report WHERE shown_at IS NOT NULL") == 10, 60, "ten of them")
    wait(lambda: db.one("SELECT count(*) FROM user_report WHERE group_id IS NOT NULL") == 15, 20, "all are there")
    assert len([m for m in tg.messages.values() if m["text"].startswith("🔵")]) == 10
    assert "15 errors" in say(tg, "/errors user_report")["text"]


def test_a_person_can_be_forgotten(service, db):
    s = service()
    code = s.post({"message": "pool exhausted", "severity": "error", "user_id": "u-1"}).json["codes"][0]
    assert report(s, {**FORM, "user_id": "u-4711", "code": code}).json["about"]
    wait(lambda: db.one("SELECT count(*) FROM event") == 2, 20, "its event")
    wait(lambda: db.one("SELECT group_id FROM user_report") and db.one("SELECT group_id FROM user_feedback"), 20, "joined with its group")
    group = db.one("SELECT group_id FROM user_feedback")
    db.sql("INSERT INTO alert_note (group_id, kind, body, author) SELECT group_id, 'feedback', message, name FROM user_feedback")
    db.sql("INSERT INTO alert_note (group_id, kind, body) VALUES (%s, 'feedback', 'of another user')", group)
    db.sql("DELETE FROM event WHERE origin = 'user_report'")  # its day has gone
    db.sql("SELECT forget_user('u-4711')")
    assert db.sql("SELECT title, description, contact, url, user_id FROM user_report") == [("[forgotten]", None, None, None, None)]
    assert db.sql("SELECT body FROM alert_note") == [("of another user",)]
    assert db.one("SELECT count(*) FROM user_feedback") == 0, "what was said under the other error's card"
    assert db.sql("SELECT title FROM error_group ORDER BY origin = 'user_report'") == [("pool exhausted",), ("[forgotten]",)]


def test_while_the_database_is_away_it_is_sent_again(service, db):
    s = service()
    db.sql("ALTER TABLE user_report RENAME TO gone")
    assert report(s, FORM).status == 503
    db.sql("ALTER TABLE gone RENAME TO user_report")
    assert db.one("SELECT count(*) FROM event_inbox") + db.one("SELECT count(*) FROM event") == 0, "all or nothing"


def test_a_word_that_waits_while_it_stops_is_said_afterwards(service, db, tg):
    """Telegram asks for a pause, and the service stops in it."""
    s = service(tg=tg)
    tg.fail_next("sendMessage", code=429, description="Too Many Requests: retry after 20", times=9, parameters={"retry_after": 20})
    report(s, FORM)
    tg.wait(lambda: any(c[0] == "sendMessage" for c in tg.calls), 20, "the first try")
    assert s.stop() == 0
    tg.faults.clear()
    s.start().ready()
    card_of(tg, FORM["title"])
