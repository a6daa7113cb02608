"""test_chat.py -- commands, roles, languages, polling, the console: what people see."""
import re
import subprocess
import time

import pytest
from conftest import CHAT, OWNER, STRANGER, TEAM, Service, buttons, wait


def ask(tg, chat, user, text, **more):
    before = len(tg.sent(chat))
    tg.push_message(chat, user, text, **more)
    tg.wait(lambda: len(tg.sent(chat)) > before, 5, f"an answer to {text}")
    return tg.sent(chat)[-1]["text"]


@pytest.fixture
def talk(service, tg, db):
    s = service(tg=tg, env={"BOT_LANGUAGE": None})
    s.post([{"message": "Alpha failed", "severity": "error", "origin": "celery"},
            {"message": "Beta <failed> & burnt", "severity": "warning"}])
    wait(lambda: db.one("SELECT count(*) FROM error_group") == 2, 5)
    return s


def test_commands_in_the_group(talk, tg, db):
    assert "2 errors" in ask(tg, CHAT, TEAM, "/errors")
    assert "Beta <failed> & burnt" in ask(tg, CHAT, TEAM, "/errors warning")
    assert "1 error\n" in ask(tg, CHAT, TEAM, "/errors ALPHA")
    assert "Nothing found" in ask(tg, CHAT, TEAM, "/errors resolved")
    assert "Alpha failed" in ask(tg, CHAT, TEAM, "/error 1")
    assert "There is no error #77" in ask(tg, CHAT, TEAM, "/error 77")
    assert ask(tg, CHAT, TEAM, "/take 1", name="bob").startswith("Taken: #1 Alpha failed\n👀 Taken by @bob")
    assert "1 error\n" in ask(tg, CHAT, TEAM, "/errors mine", name="bob")
    assert "📝 Note: it was <DNS> · @ann" in ask(tg, CHAT, TEAM, "/resolve@NabatTestBot #1 it was <DNS>")
    assert ask(tg, CHAT, TEAM, "/reopen 1").startswith("Reopened: #1")
    assert re.search(r"Muted until \d+ \w{3}, \d\d:\d\d · @ann", ask(tg, CHAT, TEAM, "/mute 2 1h"))
    assert "Muted for 100 more times" in ask(tg, CHAT, TEAM, "/mute 2 100x")
    assert ask(tg, CHAT, TEAM, "/unmute 2").startswith("Unmuted: #2")
    assert ask(tg, CHAT, TEAM, "/mute 2 soon") == "Use it like this: /mute N [1h|1d|100x]"
    assert ask(tg, CHAT, TEAM, "/resolve") == "Use it like this: /resolve N [note]"
    assert ask(tg, CHAT, TEAM, "/eror 1") == ("There is no command /eror. Did you mean /error? "
                                              "/help shows all of them.")
    assert "/mute N [1h|1d|100x] — no alerts" in ask(tg, CHAT, TEAM, "/help")
    assert f"You are {TEAM}, this chat is {CHAT}." == ask(tg, CHAT, TEAM, "/id")
    assert {r[0] for r in db.sql("SELECT DISTINCT source FROM error_group_history")} == {"chat"}
    assert [c["command"] for c in tg.commands["ru"]] == [c["command"] for c in tg.commands[""]]


def test_russian_reads_like_russian(talk, tg, db):
    db.sql("UPDATE error_group SET occurrences = 21 WHERE id = 1")
    text = ask(tg, OWNER, OWNER, "/errors", language="ru")
    assert "2 ошибки" in text and "21 раз" in text and "новая" in text
    db.sql("UPDATE error_group SET occurrences = 22 WHERE id = 1")
    assert "22 раза" in ask(tg, OWNER, OWNER, "/errors", language="ru")
    assert "Решено: #1" in ask(tg, OWNER, OWNER, "/resolve 1", language="ru")
    assert "Ошибки #9 нет" in ask(tg, OWNER, OWNER, "/error 9", language="ru")
    assert "Пишите так: /take N" == ask(tg, OWNER, OWNER, "/take", language="ru")


def test_reply_to_a_card_needs_no_number(talk, tg, db):
    talk.post({"message": "Gamma", "severity": "critical"})
    card = tg.wait(lambda: tg.sent(CHAT), 5)[0]
    assert "Muted until" in ask(tg, CHAT, TEAM, "/mute 2h", reply_to=card["message_id"])
    assert "Resolved: #3" in ask(tg, CHAT, TEAM, "/resolve", reply_to=card["message_id"])
    assert "Use it like this" in ask(tg, CHAT, TEAM, "/take", reply_to=99)


def test_strangers_get_one_line_and_nothing_else(talk, tg, db):
    line = ask(tg, STRANGER, STRANGER, "/errors")
    assert str(STRANGER) in line and "Alpha" not in line
    foreign = -500
    tg.add_chat(foreign, {STRANGER: "creator", OWNER: "member"})
    for chat, user, text in [(STRANGER, STRANGER, "/error 1"), (STRANGER, STRANGER, "/resolve 1"),
                             (STRANGER, STRANGER, "/start"), (foreign, STRANGER, "/errors"),
                             (foreign, OWNER, "/errors"), (foreign, STRANGER, "/nonsense")]:
        tg.push_message(chat, user, text)
    time.sleep(1.5)
    assert len(tg.sent(STRANGER)) == 1
    assert len(tg.sent(foreign)) == 1
    assert "Alpha" not in str(tg.sent(foreign)) and db.one("SELECT count(*) FROM error_group_history") == 0


def test_roles(service, tg, db, tools):
    s = service(tg=tg, env={"ERROR_ADMIN_IDS": "777, 778"})
    s.post({"message": "Delta"})
    tg.add_chat(777, {777: "member"})
    tg.add_chat(STRANGER, {STRANGER: "member"})
    assert "Delta" in ask(tg, 777, 777, "/errors")
    assert "Delta" in ask(tg, TEAM, TEAM, "/errors"), "a member of the alert chat, in private"
    assert "Delta" not in ask(tg, STRANGER, STRANGER, "/errors")
    assert tools(db, "--owner", str(STRANGER)).returncode == 0
    assert "Delta" in ask(tg, STRANGER, STRANGER, "/errors")
    members = [c for c in tg.of("getChatMember")]
    ask(tg, TEAM, TEAM, "/errors")
    assert len(tg.of("getChatMember")) == len(members), "membership is remembered"


def test_updates_are_handled_once(service, tg, db):
    s = service(tg=tg)
    s.post({"message": "Epsilon"})
    ask(tg, CHAT, TEAM, "/take 1")
    again = tg.next_update
    ask(tg, CHAT, TEAM, "/resolve 1", update_id=again + 5)
    tg.push_message(CHAT, TEAM, "/reopen 1", update_id=again + 5)
    time.sleep(1)
    assert db.one("SELECT status FROM error_group") == "resolved", "a repeated id is dropped"
    wait(lambda: db.one("SELECT count(*) FROM telegram_update WHERE handled_at IS NULL") == 0, 3)
    assert db.one("SELECT count(*) FROM telegram_update WHERE body IS NOT NULL") == 0
    s.stop()
    tg.push_message(CHAT, TEAM, "/reopen 1")
    service(tg=tg)
    wait(lambda: db.one("SELECT status FROM error_group") == "new", 10, "asked while it was down")


def test_stored_but_unhandled_update_is_handled_after_a_crash(service, tg, db, tools):
    s = service(tg=tg)
    s.post({"message": "Zeta"})
    s.stop()
    db.sql("INSERT INTO telegram_update (bot_id, update_id, body) VALUES (%s, 400, %s)", 123456789,
           '{"update_id":400,"message":{"message_id":1,"date":1,"chat":{"id":%d,"type":"supergroup"},'
           '"from":{"id":%d,"first_name":"Z"},"text":"/resolve 1"}}' % (CHAT, TEAM))
    service(tg=tg)
    wait(lambda: db.one("SELECT status FROM error_group") == "resolved", 10, "the stored update")


def test_foreign_webhook_means_send_only(service, tg, db):
    tg.webhook = "http://127.0.0.1:9/other"
    s = service(tg=tg)
    wait(lambda: "send-only" in s.stderr, 10, "the log line")
    part = s.get("/health").json["parts"]["telegram"]
    assert part["status"] == "degraded" and "webhook" in part["detail"]
    s.post({"message": "Eta", "severity": "critical"})
    tg.wait(lambda: tg.sent(CHAT), 5, "it rings all the same")
    assert tg.webhook and not tg.of("deleteWebhook") and not tg.of("setWebhook")


def test_ids_for_setting_up(service, tg):
    s = service(tg=tg, env={"ERROR_ALERT_CHAT_ID": None})
    s.post({"message": "secret things", "severity": "critical"})
    for _ in range(2):
        assert ask(tg, CHAT, STRANGER, "/id") == f"You are {STRANGER}, this chat is {CHAT}."
    assert str(CHAT) in ask(tg, CHAT, STRANGER, "/start")
    assert "secret things" not in ask(tg, CHAT, STRANGER, "/errors")


def test_outbox_shows_in_health(service, tg, db):
    s = service(tg=tg)
    tg.chats[CHAT]["gone"] = "bot was kicked from the supergroup chat"
    s.post({"message": "stuck", "severity": "critical"})
    wait(lambda: "1 alerts wait" in str(s.get("/health").json["parts"]["outbox"]), 5)
    db.sql("UPDATE alert_outbox SET created_at = now() - interval '10 minutes'")
    wait(lambda: s.get("/health").json["parts"]["outbox"]["status"] == "degraded", 5)
    tg.chats[CHAT]["gone"] = None
    db.sql("UPDATE alert_outbox SET next_try_at = now()")
    tg.wait(lambda: tg.sent(CHAT), 5, "delivered once the bot is back")


def test_link_buttons(service, tg):
    s = service(tg=tg, env={"OPEN_URL": "https://x/e/{group}", "USER_URL": "https://x/u/{user_id}",
                            "GEN_REQUEST_URL": "https://x/g/{gen_request_id}?a=1"})
    s.post({"message": "links", "severity": "critical", "user_id": "a b&c", "gen_request_id": "g1"})
    shown = buttons(tg.wait(lambda: tg.sent(CHAT), 5)[0])
    assert shown["Open"] == "https://x/e/1" and shown["User"] == "https://x/u/a%20b%26c"
    assert shown["Generation"] == "https://x/g/g1?a=1"


def test_no_chat_is_said(service, tg, db):
    s = service(tg=tg, env={"ERROR_ALERT_CHAT_ID": None})
    s.post({"message": "nowhere", "severity": "critical"})
    wait(lambda: "nowhere to ring" in s.stderr, 5, "the log line")
    assert s.get("/health").json["parts"]["telegram"]["status"] == "degraded"


def test_console(db):
    s = Service(db, stdin=subprocess.PIPE).ready()
    try:
        s.post({"message": "Boom \x1b[31m", "severity": "critical", "user_id": 5})
        wait(lambda: "[1] Take  [2] Resolve  [3] Mute  [4] Stack" in s.stdout, 5, "the card")
        assert "🔴 Critical · #1" in s.stdout and "\x1b" not in s.stdout

        def typed(line, expect):
            s.process.stdin.write(line.encode() + b"\n")
            s.process.stdin.flush()
            wait(lambda: expect in s.stdout, 5, expect)

        typed("/errors", "1 error")
        typed("1", "🔴 Critical")  # the list's button #1 opens the card
        wait(lambda: s.stdout.count("[1] Take") == 2, 5, "the card again")
        typed("1", "» Taken")
        wait(lambda: db.one("SELECT status FROM error_group") == "in_progress", 3)
        typed("19", "There is no such button")
        typed("/resolve 1", "Resolved: #1")
        assert db.one("SELECT status FROM error_group") == "resolved"
        typed("/help", "What you can ask")
        s.process.stdin.close()
        assert s.post({"message": "still rings", "severity": "critical"}).status == 200
        wait(lambda: "still rings" in s.stdout, 5, "printing goes on with stdin closed")
    finally:
        s.process.stdin = None
        s.close()
