"""test_chat_states.py -- what Telegram says of chats that are gone, moved, closed (reference: chat-state errors).

Each is provoked; what happens is what the table of the Bot API's errors asks for, and nobody else's chat
waits for it.
"""
import re
import time

import pytest
from conftest import CHAT, OWNER, TEAM, wait

# (code, description): the chat can't be written to. It is asked again at its own pace, alerts wait, owners hear.
GONE = [
    (400, "Bad Request: chat not found"),
    (403, "Forbidden: bot was blocked by the user"),
    (403, "Forbidden: user is deactivated"),
    (403, "Forbidden: bot was kicked from the group chat"),
    (403, "Forbidden: bot was kicked from the supergroup chat"),
    (403, "Forbidden: bot was kicked from the channel chat"),
    (403, "Forbidden: bot is not a member of the group chat"),
    (403, "Forbidden: bot is not a member of the supergroup chat"),
    (403, "Forbidden: bot is not a member of the channel chat"),
    (403, "Forbidden: the group chat was deleted"),
    (403, "Forbidden: bot can't initiate conversation with a user"),
    (403, "Forbidden: the bot can't send messages to the bot"),
    (400, "Bad Request: not enough rights to send text messages to the chat"),
    (400, "Bad Request: need administrator rights in the channel chat"),
    (400, "Bad Request: CHAT_WRITE_FORBIDDEN"),
]


def ask(tg, user, text):
    before = len(tg.sent(user))
    tg.push_message(user, user, text, "boss")
    tg.wait(lambda: len(tg.sent(user)) > before, 4, f"an answer to {text}")
    return tg.sent(user)[-1]["text"]


def refuse(tg, code, description):
    if code == 403:
        tg.chats[CHAT]["gone"] = description.removeprefix("Forbidden: ")
    else:
        tg.chats[CHAT]["refuses"] = description.removeprefix("Bad Request: ")


def sends(tg, chat=CHAT):
    return [c for c in tg.of("sendMessage") if c[1].get("chat_id") == chat]


@pytest.mark.parametrize("code,description", GONE, ids=[d for _, d in GONE])
def test_a_chat_that_refuses(service, tg, db, code, description):
    s = service(tg=tg, env={"ERROR_ADMIN_IDS": str(OWNER)})
    refuse(tg, code, description)
    s.post([{"message": f"alert {n}", "severity": "critical", "fingerprint": [str(n)]} for n in range(3)])
    told = tg.wait(lambda: [m for m in tg.sent(OWNER) if "can't be delivered" in m["text"]], 5, "the owner is told")
    assert description in told[0]["text"] and str(CHAT) in told[0]["text"]
    assert description in s.get("/health").json["parts"]["telegram"]["detail"]
    assert re.search(r"nabat_chat_refusals_total [1-9]", s.get("/metrics").body.decode())
    # a chat that is alive does not wait
    assert "3 errors" in ask(tg, OWNER, "/errors")
    # the dead one is asked by one alert at a time, ever more rarely
    time.sleep(2.5)
    assert 2 <= len(sends(tg)) <= 4
    assert db.one("SELECT count(*) FROM alert_outbox WHERE state = 'pending'") >= 2
    assert len([m for m in tg.sent(OWNER) if "can't be delivered" in m["text"]]) == 1
    # the bot is let in again: nothing was lost
    tg.chats[CHAT].update(gone=None, refuses=None)
    tg.bot_membership(CHAT, "member", OWNER, old="kicked")
    tg.wait(lambda: len(tg.sent(CHAT)) == 3, 10, "all three alerts")
    wait(lambda: db.one("SELECT count(*) FROM alert_outbox WHERE state = 'sent'") == 3, 5)
    assert s.get("/health").json["parts"]["telegram"]["status"] == "healthy"


def test_a_group_that_became_a_supergroup(service, tg, db):
    s = service(tg=tg)
    tg.add_chat(-1009, {OWNER: "creator", TEAM: "member"})
    tg.chats[CHAT]["moved"] = -1009
    s.post({"message": "first", "severity": "critical"})
    tg.wait(lambda: tg.sent(-1009), 5, "sent again at once")
    assert len(sends(tg)) == 1, "the old chat is asked once"
    wait(lambda: db.one("SELECT value FROM service_setting WHERE name = 'chat_moved_from:-1001000'") == "-1009", 5)
    tg.push_message(-1009, TEAM, "/errors")
    tg.wait(lambda: any("1 error" in m["text"] for m in tg.sent(-1009)), 5, "commands work in the new one")
    s.stop()
    s = service(tg=tg)  # the settings still name the old one
    s.post({"message": "second", "severity": "critical"})
    tg.wait(lambda: any("second" in m["text"] for m in tg.sent(-1009)), 10)
    assert len(sends(tg)) == 1


def test_a_move_that_telegram_announces(service, tg, db):
    s = service(tg=tg)
    tg.add_chat(-1009, {OWNER: "creator"})
    tg.push({"message": {"message_id": 7, "date": 1, "chat": tg._chat(CHAT), "migrate_to_chat_id": -1009,
                         "from": tg._user(OWNER, "boss", "en", True)}})
    wait(lambda: "the alert chat became a supergroup" in s.stderr, 5)
    s.post({"message": "first", "severity": "critical"})
    tg.wait(lambda: tg.sent(-1009), 5)
    assert not sends(tg)


@pytest.mark.parametrize("state", ["closed", "gone"])
def test_a_topic_that_is_closed_or_gone(service, tg, db, state):
    tg.add_chat(CHAT, {OWNER: "creator"}, topics=(7,))
    if state == "closed":
        tg.chats[CHAT]["topics"][7] = "closed"
    else:
        tg.chats[CHAT]["topics"] = {8: "open"}
    s = service(tg=tg, env={"ERROR_ALERT_THREAD_ID": "7"})
    s.post({"message": "first", "severity": "critical"})
    assert tg.wait(lambda: tg.sent(CHAT), 5)[0]["thread"] == 0, "into the chat itself"
    wait(lambda: db.one("SELECT state FROM alert_outbox") == "sent", 3)


def test_the_general_topic_is_never_named(service, tg, db):
    tg.add_chat(CHAT, {OWNER: "creator"}, forum=True)
    s = service(tg=tg, env={"ERROR_ALERT_THREAD_ID": "1"})
    s.post({"message": "first", "severity": "critical"})
    tg.wait(lambda: tg.sent(CHAT), 5)
    assert all("message_thread_id" not in c[1] for c in tg.of("sendMessage"))


def test_topics_without_the_right_or_in_no_forum(service, tg, db):
    for description, chat in (("the chat is not a forum", {}), ("not enough rights to create a topic",
                                                                {"forum": True, "no_topics": True})):
        tg.chats[CHAT].update(chat)
        s = service(tg=tg, env={"TOPICS": "project"})
        s.post({"message": f"rings: {description}", "severity": "critical"})
        tg.wait(lambda: any(description in m["text"] for m in tg.sent(CHAT)), 8, "in the chat itself")
        assert description in s.get("/health").json["parts"]["telegram"]["detail"]
        before = len(tg.of("createForumTopic"))
        s.post({"message": f"again: {description}", "severity": "critical"})
        tg.wait(lambda: any(f"again: {description}" in m["text"] for m in tg.sent(CHAT)), 8)
        assert len(tg.of("createForumTopic")) == before, "not asked again for each alert"
        s.stop()


def test_the_message_replied_to_is_gone(service, tg, db):
    service(tg=tg)
    tg.push_message(CHAT, TEAM, "/id")
    tg.wait(lambda: tg.sent(CHAT), 5)
    assert all(c[1]["reply_parameters"]["allow_sending_without_reply"] for c in tg.of("sendMessage"))


def test_a_card_that_was_deleted(service, tg, db):
    s = service(tg=tg)
    s.post({"message": "first", "severity": "critical"})
    card = tg.wait(lambda: tg.sent(CHAT), 5)[0]
    wait(lambda: db.one("SELECT count(*) FROM alert_card") == 1, 5)
    del tg.messages[(CHAT, card["message_id"])]
    db.sql("SELECT take(1, 'ann')")
    wait(lambda: db.one("SELECT is_current FROM alert_card") is False, 5, "it is given up")
    tg.push_message(TEAM, TEAM, "/error 1")
    tg.wait(lambda: tg.sent(TEAM), 5, "and asked for anew")


def test_a_hanging_edit_elsewhere_delays_no_alert(service, tg, db):
    """A card somebody keeps in private is edited on a lane of its own."""
    s = service(tg=tg)
    s.post({"message": "first"})
    wait(lambda: db.one("SELECT count(*) FROM error_group") == 1, 5)
    tg.push_message(TEAM, TEAM, "/error 1")
    tg.wait(lambda: tg.sent(TEAM), 5)
    wait(lambda: db.one("SELECT count(*) FROM alert_card") == 1, 5)
    tg.fail_next("editMessageText", times=1, hang=6)
    db.sql("SELECT take(1, 'ann')")
    tg.wait(lambda: tg.of("editMessageText"), 5, "the edit hangs")
    begin = time.monotonic()
    s.post({"message": "second", "severity": "critical"})
    tg.wait(lambda: tg.sent(CHAT), 4, "the alert")
    assert time.monotonic() - begin < 4
