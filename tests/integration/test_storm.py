"""test_storm.py -- many alerts at once: one message instead of many, nothing left out, no limit broken."""
import re
import threading
import time

from conftest import CHAT, OWNER, TEAM, buttons, wait

WORDS = "alpha bravo charlie delta echo foxtrot golf hotel india juliett".split()


def title(n):
    """Different errors: numbers alone would be one group."""
    return " ".join(WORDS[int(d)] for d in f"{n:03d}")


def listed(tg):
    """Numbers of errors that are in the chat: on cards, in digests, in files."""
    found = set()
    for m in tg.sent(CHAT):
        text = m["text"]
        if "document" in m:
            text = m["document"]["data"].decode()
        found |= {int(n) for n in re.findall(r"#(\d+)\b", text)}
    return found


def digests(tg, chat=CHAT):
    return [m for m in tg.sent(chat) if "🚨" in m["text"]]


def calls(tg):
    """When messages went to the chat, edits and files included."""
    return sorted(c[2] for c in tg.calls if c[0] in ("sendMessage", "editMessageText", "sendDocument")
                  and int(c[1]["chat_id"]) == CHAT)


def storm(s, first, count, threads=4):
    def run(part):
        for n in range(first + part, first + count, threads):
            assert s.post({"message": title(n), "severity": "critical"}).status == 200

    workers = [threading.Thread(target=run, args=(i,)) for i in range(threads)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()


def test_500_errors_in_ten_seconds(service, tg, db):
    tg.limits = True
    s = service(tg=tg)
    wait(lambda: db.one("SELECT holder FROM service_lease") != "", 5)
    began = time.monotonic()
    s.post({"message": title(0), "severity": "critical"})
    tg.wait(lambda: tg.sent(CHAT), 2, "the first")
    assert tg.sent(CHAT)[0]["n"] - began < 1
    for part in range(10):
        storm(s, 1 + part * 50, 50 if part < 9 else 49)
        time.sleep(max(0, began + part + 1 - time.monotonic()))
    assert db.one("SELECT count(*) FROM error_group") == 500
    tg.wait(lambda: len(listed(tg)) == 500, began + 60 - time.monotonic(), "all 500 listed")
    tg.wait(lambda: any("Over; it began" in m["text"] for m in digests(tg)), 90, "the end of the storm")
    quiet = len(calls(tg))
    time.sleep(6)
    assert len(calls(tg)) == quiet, "then it is quiet"
    moments = calls(tg)
    assert all(sum(t <= u < t + 60 for u in moments) <= 20 for t in moments)
    assert tg.earned == []
    assert len(digests(tg)) == 1
    head = digests(tg)[0]["text"]
    assert re.match(r"🚨 Error storm: \d{3} errors", head) and "🔴 #" in head
    assert db.one("SELECT count(*) FROM alert_outbox WHERE state NOT IN ('sent', 'folded')") == 0
    # single cards again
    s.post({"message": "after the storm", "severity": "critical"})
    tg.wait(lambda: "after the storm" in tg.sent(CHAT)[-1]["text"], 5)
    assert "Take" in str(buttons(tg.sent(CHAT)[-1]))


def test_pages_and_buttons_of_a_digest(service, tg, db):
    s = service(tg=tg)
    storm(s, 0, 40)
    # the first one may have come as a card of its own
    tg.wait(lambda: digests(tg) and re.search("(39|40) errors", digests(tg)[0]["text"]), 25)
    message = digests(tg)[0]
    count = int(re.search(r"(\d+) errors", message["text"]).group(1))
    labels = [b["text"] for row in message["keyboard"] for b in row]
    assert sum(label.startswith("#") for label in labels) == 15 and "1 / 3" in labels
    seen = set(re.findall(r"#\d+", message["text"]))
    for page in ("2 / 3", "3 / 3"):
        tg.press(CHAT, message["message_id"], next(
            b["callback_data"] for row in message["keyboard"] for b in row if b["text"] == "▶"), TEAM)
        tg.wait(lambda: page in str(message["keyboard"]), 5, page)
        seen |= set(re.findall(r"#\d+", message["text"]))
    assert len(seen) == count
    number = re.search(r"#(\d+)", message["text"]).group(1)
    tg.press(CHAT, message["message_id"], f"open:{number}", TEAM)
    card = tg.wait(lambda: [m for m in tg.sent(CHAT) if f"· #{number}\n" in m["text"]], 5, "its card")[0]
    tg.press(CHAT, card["message_id"], f"resolve:{number}", TEAM)
    tg.wait(lambda: "resolved" in digests(tg)[0]["text"] and f"yet: {count - 1}" in digests(tg)[0]["text"], 25,
            "the digest shows it, on the page it was turned to")
    assert "3 / 3" in str(digests(tg)[0]["keyboard"])
    # a digest's buttons do nothing elsewhere
    tg.press(CHAT, card["message_id"], "page:2", TEAM)
    tg.press(OWNER, message["message_id"], "page:2", OWNER)
    time.sleep(1)
    assert "3 / 3" in str(digests(tg)[0]["keyboard"])


def test_a_storm_survives_kills(service, tg, db):
    """Killed while alerts are folded and while the digest is sent: listed all the same, at most one
    message more for each kill."""
    s = service(tg=tg)
    tg.fail_next("sendMessage", hang=2)
    for part in range(3):
        storm(s, part * 30, 30)
        s.kill()
        s.err.close(), s.out.close()
        s.start().ready()
    wait(lambda: db.one("SELECT count(*) FROM alert_outbox o JOIN alert_digest d ON d.id = o.digest_id "
                        "WHERE d.message_id IS NOT NULL AND d.shown_rows >= 60") >= 60
         or db.one("SELECT count(*) FROM alert_outbox WHERE state IN ('pending', 'sending')") == 0, 60)
    tg.wait(lambda: len(listed(tg)) == 90, 75, "all 90 listed")
    assert len(digests(tg)) <= 4
    assert db.one("SELECT count(*) FROM alert_outbox WHERE state IN ('pending', 'sending')") == 0


def four_too_late(service, tg, db):
    """Alerts of a service that has ended, for a chat that can be written to again."""
    s = service(tg=tg)
    tg.chats[CHAT]["gone"] = "bot was kicked from the supergroup chat"
    storm(s, 0, 4)
    wait(lambda: db.one("SELECT count(*) FROM alert_outbox") == 4, 5)
    s.stop()
    db.sql("UPDATE alert_outbox SET created_at = now() - interval '20 minutes'")
    tg.chats[CHAT].update(gone=None)


def test_alerts_that_waited_too_long_come_together(service, tg, db):
    four_too_late(service, tg, db)
    service(tg=tg)
    message = tg.wait(lambda: tg.sent(CHAT), 10, "one message")[0]
    assert message["text"].startswith("⏰ While this chat could not be written to: 4 errors")
    time.sleep(3)
    assert len(tg.sent(CHAT)) == 1
    assert db.one("SELECT count(*) FROM alert_outbox WHERE state = 'folded'") == 4
    wait(lambda: db.one("SELECT closed_at IS NOT NULL FROM alert_digest"), 5)


def test_a_refusal_does_not_take_back_that_a_digest_may_be_there(service, tg, db):
    four_too_late(service, tg, db)
    tg.fail_next("sendMessage", after=True)
    tg.fail_next("sendMessage", 429, "Too Many Requests: retry after 1", parameters={"retry_after": 1})
    service(tg=tg)
    first, again = tg.wait(lambda: tg.sent(CHAT)[1:] and tg.sent(CHAT), 20, "once more")
    assert "Possibly" not in first["text"] and "Possibly a repeat" in again["text"] and "4 errors" in again["text"]
    wait(lambda: db.sql("SELECT lost_answers, uncertain, message_id FROM alert_digest") == [(0, False, again["message_id"])], 5)


def test_a_digest_that_was_deleted_or_refused(service, tg, db):
    s = service(tg=tg)
    tg.fail_next("sendMessage", 500, "Internal Server Error", times=2)
    storm(s, 0, 20)
    tg.wait(lambda: digests(tg) and "20 errors" in digests(tg)[0]["text"], 40, "sent in the end")
    with tg.lock:
        tg.messages.pop((CHAT, digests(tg)[0]["message_id"]))
    storm(s, 20, 10)
    tg.wait(lambda: digests(tg) and "30 errors" in digests(tg)[0]["text"], 40, "said anew")


def test_another_chat_does_not_wait_for_a_storm(service, tg, db):
    s = service(tg=tg)
    storm(s, 0, 30)
    began = time.monotonic()
    tg.push_message(OWNER, OWNER, "/errors")
    tg.wait(lambda: tg.sent(OWNER), 3, "an answer")
    assert time.monotonic() - began < 2


def test_files_that_are_forbidden(service, tg, db):
    """A group that takes no files takes text: the storm goes on and ends."""
    s = service(tg=tg)
    tg.fail_next("sendDocument", 400, "Bad Request: not enough rights to send documents to the chat", times=50)
    storm(s, 0, 30)
    tg.wait(lambda: any("Over; it began" in m["text"] for m in digests(tg)), 110, "the end of the storm")
    assert len(tg.of("sendDocument")) <= 2
    assert s.get("/health").json["parts"]["telegram"]["status"] == "healthy"


def test_alerts_of_a_chat_that_is_none_any_more(service, tg, db):
    """Folded for a chat that is gone, then another chat is set: it is told there, and nothing is edited here."""
    tg.add_chat(-1003000, {OWNER: "creator"})
    s = service(tg=tg)
    tg.chats[CHAT]["gone"] = "bot was kicked from the supergroup chat"
    storm(s, 0, 20)
    wait(lambda: db.one("SELECT count(*) FROM alert_outbox WHERE state IN ('folded', 'pending')") >= 19, 10)
    s.stop()
    service(tg=tg, env={"ERROR_ALERT_CHAT_ID": "-1003000"})
    tg.wait(lambda: any("errors" in m["text"] for m in tg.sent(-1003000)), 15, "told in the new chat")
