"""test_chat_guard.py -- who gets nothing, and what does nothing: forged, replayed, copied, foreign, strange."""
import time

import pytest
from conftest import CHAT, OWNER, STRANGER, TEAM, buttons, run_tool, wait

FOREIGN = -500
SECRET = "leak-me-not"


@pytest.fixture
def scene(service, tg, db):
    """Two critical errors with cards, a list, settings, events and a note prompt in the team's chat."""
    s = service(tg=tg, env={"ERROR_ADMIN_IDS": str(OWNER)})
    tg.add_chat(FOREIGN, {STRANGER: "creator", TEAM: "member"})
    s.post([{"message": f"{SECRET} one", "severity": "critical", "user_id": 7},
            {"message": f"{SECRET} two", "severity": "critical"}])
    tg.wait(lambda: len(tg.sent(CHAT)) == 2, 10, "both cards")
    cards = sorted(tg.sent(CHAT), key=lambda m: m["text"].split("#")[1])
    for text in ("/errors", "/settings", "/error 1 events"):
        before = len(tg.sent(CHAT))
        tg.push_message(CHAT, OWNER, text, "boss")
        tg.wait(lambda: len(tg.sent(CHAT)) > before, 5, text)
    listing, settings, events = tg.sent(CHAT)[2:5]
    wait(lambda: db.one("SELECT count(*) FROM chat_message") == 3 and
         db.one("SELECT count(*) FROM telegram_update WHERE handled_at IS NULL") == 0, 5, "all is written down")
    return {"service": s, "tg": tg, "db": db, "one": cards[0]["message_id"], "two": cards[1]["message_id"],
            "list": listing["message_id"], "settings": settings["message_id"], "events": events["message_id"],
            "nothing": 99999}


def state(db):
    return (db.sql("SELECT id, status, assigned_to, note, muted_until, muted_until_count, merged_into "
                   "FROM error_group ORDER BY id"),
            db.sql("SELECT * FROM chat_setting"), db.sql("SELECT user_id, role FROM chat_member"),
            db.one("SELECT count(*) FROM error_group_history"), db.one("SELECT count(*) FROM chat_message"),
            db.one("SELECT count(*) FROM service_setting WHERE name = 'alert_chat_id'"))


# what somebody of the team presses with a client of their own making: (message, callback_data)
FORGED = [
    ("one", "resolve:2"), ("two", "take:1"), ("one", "stack:2"), ("one", "mute_1h:2"), ("one", "undo:2"),
    ("one", "to:2:22"), ("one", "resolve:"), ("one", "resolve"), ("one", ""), ("one", ":"), ("one", ":1"),
    ("one", "resolve:1e0"), ("one", "resolve:-1"), ("one", "resolve:0"), ("one", "resolve:99999999999999999999"),
    ("one", "drop:1"), ("one", "RESOLVE:1"), ("one", "resolve :1"), ("one", "page:2"), ("one", "set:ru"),
    ("one", "setup"), ("one", "open:1"), ("one", "to:1:999999"), ("one", "to:1:-5"), ("one", "to:1"),
    ("one", "x" * 64), ("one", "'; DROP TABLE event; --"), ("one", "undo:1"),
    ("list", "resolve:1"), ("list", "page:0"), ("list", "page:-1"), ("list", "page:101"), ("list", "page:1;2"),
    ("list", "open:abc"), ("list", "open:777"), ("list", "set:ru"), ("events", "page:999"), ("events", "open:1"),
    ("settings", "set:fr"), ("settings", "set:"), ("settings", "resolve:1"), ("settings", "setup"),
    ("nothing", "resolve:1"), ("nothing", "take:1"), ("nothing", "setup"),
]
REFUSALS = {"This message is not one of my alerts", "There is no such button here.",
            "There is nothing on that page any more", "Only owners may do this.", "You have no access to this",
            "This button belongs to another error: nothing was changed",
            "There is nothing to undo: only the last change, and for 5 minutes"}


def test_forged_data_does_nothing_and_says_so(scene):
    tg, db = scene["tg"], scene["db"]
    before = state(db)
    texts = {m["message_id"]: m["text"] for m in tg.sent(CHAT)}
    assert len(FORGED) >= 40
    for message, data in FORGED:
        press = tg.press(CHAT, scene[message], data, TEAM, "mallory")
        tg.wait(lambda: press in tg.answers, 3, f"an answer to {data}")
        assert tg.answers[press] in REFUSALS, (message, data, tg.answers[press])
    assert state(db) == before
    assert {m["message_id"]: m["text"] for m in tg.sent(CHAT)} == texts, "no message came or changed"


def test_presses_from_elsewhere_do_nothing(scene):
    """The same data under a message of another chat: copied to a private chat, to a group of one's own."""
    tg, db = scene["tg"], scene["db"]
    before = state(db)
    for chat, user in ((TEAM, TEAM), (FOREIGN, TEAM), (FOREIGN, STRANGER), (STRANGER, STRANGER)):
        for data in ("resolve:1", "take:1", "stack:1", "page:1", "set:ru", "setup"):
            press = tg.press(chat, scene["one"], data, user, "mallory")
            tg.wait(lambda: press in tg.answers, 3, f"an answer to {data} in {chat}")
            assert tg.answers[press] in REFUSALS, (chat, data)
    assert state(db) == before and not tg.of("sendDocument")


def test_a_replayed_press_counts_once(scene):
    tg, db = scene["tg"], scene["db"]
    again = tg.next_update + 50
    tg.press(CHAT, scene["one"], "take:1", TEAM, "ann", update_id=again)
    wait(lambda: db.one("SELECT status FROM error_group WHERE id = 1") == "in_progress", 5)
    db.sql("SELECT reopen(1)")
    tg.press(CHAT, scene["one"], "take:1", TEAM, "ann", update_id=again)
    time.sleep(1.5)
    assert db.one("SELECT status FROM error_group WHERE id = 1") == "new"


# what a stranger tries: (kind, chat, payload)
STRANGE = [("text", chat, text) for chat in (STRANGER, FOREIGN) for text in (
    "/errors", "/error 1", "/error 1 events", "/take 1", "/resolve 1 mine now", "/reopen 1", "/mute 1 1d", "/unmute 1",
    "/assign 1 me", "/note 1 hello", "/merge 1 2", "/split 1", "/monitors", "/health", "/settings",
    "/settings zone UTC", "/grant @eve owner", "/revoke 11", "/forget 7", "/start", "/help", "/help errors", "/id",
    "/errors@NabatTestBot", "/nonsense", f"what is {SECRET}?", "/start setup", "/error 1\n/error 2")]
STRANGE += [("press", STRANGER, d) for d in ("take:1", "resolve:1", "stack:1", "page:1", "open:1", "set:ru", "setup")]
STRANGE += [("press", FOREIGN, d) for d in ("take:1", "stack:1", "setup", "set:ru")]
STRANGE += [("reply", STRANGER, "a note from nowhere"), ("reply", FOREIGN, "a note from nowhere")]


def test_a_stranger_gets_nothing(scene):
    tg, db = scene["tg"], scene["db"]
    before = state(db)
    seen = len(tg.calls)
    assert len(STRANGE) >= 40
    for kind, chat, payload in STRANGE:
        if kind == "text":
            tg.push_message(chat, STRANGER, payload, "eve")
        elif kind == "reply":
            tg.push_message(chat, STRANGER, payload, "eve", reply_to=scene["one"])
        else:
            tg.press(chat, scene["one"], payload, STRANGER, "eve")
    origin = {"type": "channel", "chat": {"id": CHAT, "type": "supergroup"}, "message_id": scene["one"], "date": 1}
    tg.push_message(STRANGER, STRANGER, "/error 1", "eve", forward_origin=origin)
    tg.react(CHAT, scene["one"], "👀", STRANGER, "eve")
    for update in ({"inline_query": {"id": "1", "from": tg._user(STRANGER, "eve", "en", True), "query": "errors",
                                     "offset": ""}},
                   {"edited_message": {"message_id": 3, "date": 1, "chat": tg._chat(STRANGER), "text": "/error 1",
                                       "from": tg._user(STRANGER, "eve", "en", True)}},
                   {"channel_post": {"message_id": 4, "date": 1, "chat": tg._chat(FOREIGN), "text": "/errors",
                                     "sender_chat": tg._chat(FOREIGN)}},
                   {"guest_message": {"message_id": 5, "chat": tg._chat(STRANGER), "text": "/errors"}}):
        tg.allowed = None  # even if Telegram delivered what was not asked for
        tg.push(update)
    wait(lambda: not tg.updates and db.one("SELECT count(*) FROM telegram_update WHERE handled_at IS NULL") == 0, 20,
         "everything handled")
    said = [c[1] for c in tg.calls[seen:] if c[0] in ("sendMessage", "answerCallbackQuery", "editMessageText",
                                                       "sendDocument", "answerInlineQuery")]
    assert SECRET not in str(said)
    lines = [p for p in said if p.get("chat_id") in (STRANGER, FOREIGN)]
    assert len(lines) <= 2, "one polite line in private, one in the group"
    assert state(db) == before
    assert not [c for c in tg.calls[seen:] if c[0] in ("sendDocument", "editMessageText")]


def test_many_strangers_do_not_spend_the_alerts_budget(scene):
    tg, s = scene["tg"], scene["service"]
    for n in range(60):
        tg.add_chat(5000 + n, {5000 + n: "member"})
        tg.push_message(5000 + n, 5000 + n, "/errors", f"s{n}")
    s.post({"message": "rings all the same", "severity": "critical"})
    tg.wait(lambda: any("rings all the same" in m["text"] for m in tg.sent(CHAT)), 10, "the alert")
    wait(lambda: not tg.updates, 20)
    assert len([m for m in tg.sent() if m["chat_id"] >= 5000]) <= 10


def test_anonymous_admins(scene):
    tg, db = scene["tg"], scene["db"]
    group = {"id": CHAT, "type": "supergroup", "title": "team"}
    said = {"from": {"id": 1087968824, "is_bot": True, "first_name": "Group"}, "sender_chat": group,
            "author_signature": "Chief"}
    tg.push_message(CHAT, 0, "/take 1", **said)
    wait(lambda: db.one("SELECT status FROM error_group WHERE id = 1") == "in_progress", 5, "a member may")
    assert db.sql("SELECT actor, actor_id FROM error_group_history WHERE what = 'status'") == [("Chief", None)]
    tg.push_message(CHAT, 0, "/forget 7", **said)
    tg.wait(lambda: "can't tell whether you are an owner" in tg.sent(CHAT)[-1]["text"], 5)
    # a linked channel, and a group that pretends: nobody
    tg.push_message(CHAT, 0, "/resolve 1", **{**said, "sender_chat": {"id": -777, "type": "channel"}})
    time.sleep(1)
    assert db.one("SELECT status FROM error_group WHERE id = 1") == "in_progress"


def test_roles_of_the_database_end_when_revoked(scene):
    tg, db = scene["tg"], scene["db"]
    assert run_tool(db, "--owner", str(STRANGER)).returncode == 0
    tg.push_message(STRANGER, STRANGER, "/forget 7", "eve")
    wait(lambda: db.one("SELECT count(*) FROM event WHERE user_id = '7'") == 0, 5, "an owner may")
    tg.push_message(OWNER, OWNER, f"/revoke {STRANGER}", "boss")
    wait(lambda: db.one("SELECT count(*) FROM chat_member") == 0, 5)
    tg.push_message(STRANGER, STRANGER, "/resolve 1", "eve")
    time.sleep(1)
    assert db.one("SELECT status FROM error_group WHERE id = 1") == "new"
    assert db.sql("SELECT old_role, new_role FROM chat_member_history") == [("owner", None)]


def test_cards_work_in_private_too(scene):
    tg, db = scene["tg"], scene["db"]
    tg.push_message(TEAM, TEAM, "/error 1", "ann")
    card = tg.wait(lambda: tg.sent(TEAM), 5, "the card")[0]
    wait(lambda: db.one("SELECT count(*) FROM alert_card WHERE chat_id = %s", TEAM) == 1, 5)
    press = tg.press(TEAM, card["message_id"], buttons(card)["Take"], TEAM, "ann")
    tg.wait(lambda: press in tg.answers, 3)
    assert tg.answers[press] == "Taken"
    team_card = tg.messages[(CHAT, scene["one"])]
    tg.wait(lambda: "Taken by @ann" in card["text"] and "Taken by @ann" in team_card["text"], 5, "both cards")
    # somebody else's private card is not hers
    other = tg.press(OWNER, card["message_id"], "resolve:1", OWNER, "boss")
    tg.wait(lambda: other in tg.answers, 3)
    assert tg.answers[other] in REFUSALS
