"""test_wire.py -- what can go wrong between Nabat and Telegram: each is survived, said, and rings once."""
import re
import threading
import time

import pytest

from conftest import CHAT, OWNER, TEAM, free_port, run_tool, wait


def sends(tg):
    return [c for c in tg.of("sendMessage") if int(c[1]["chat_id"]) == CHAT]


def post(s, message, severity="critical"):
    assert s.post({"message": message, "severity": severity}).status == 200


def test_an_answer_cut_in_the_middle(service, tg, db):
    """It happened, half of the answer came: once more, marked, and never again."""
    s = service(tg=tg)
    tg.fail_next("sendMessage", half=True)
    post(s, "half an answer")
    tg.wait(lambda: len(tg.sent(CHAT)) == 2, 10, "once more")
    assert "Possibly a repeat" in tg.sent(CHAT)[1]["text"] and "Possibly" not in tg.sent(CHAT)[0]["text"]
    wait(lambda: db.one("SELECT state FROM alert_outbox") == "sent", 5)
    time.sleep(2)
    assert len(sends(tg)) == 2


@pytest.mark.long
def test_500_twenty_times(service, tg, db):
    """Every alert arrives once it is over, each once; nobody is hammered."""
    s = service(tg=tg)
    tg.fail_next("sendMessage", 500, "Internal Server Error", times=20)
    for n in ("one", "two", "three", "four", "five"):
        post(s, f"error {n}")
    wait(lambda: len(sends(tg)) >= 8, 30)
    began = sends(tg)[0][2]
    tg.wait(lambda: len(tg.sent(CHAT)) == 5, 120, "all five")
    assert len({m["text"].split("\n")[1] for m in tg.sent(CHAT)}) == 5
    assert sends(tg)[-1][2] - began > 10, "not hammered"
    assert db.one("SELECT count(*) FROM alert_outbox WHERE state = 'sent'") == 5
    assert db.one("SELECT max(attempts) FROM alert_outbox") >= 4


def test_429_is_obeyed_to_the_second_for_its_chat_alone(service, tg, db):
    s = service(tg=tg)
    tg.fail_next("sendMessage", 429, "Too Many Requests: retry after 8", parameters={"retry_after": 8})
    began = time.monotonic()
    post(s, "too fast")
    wait(lambda: len(sends(tg)) == 1, 5)
    tg.push_message(OWNER, OWNER, "/errors", "boss")
    tg.wait(lambda: tg.sent(OWNER), 3, "another chat does not wait")
    tg.wait(lambda: tg.sent(CHAT), 15)
    assert 8 <= tg.sent(CHAT)[0]["n"] - began < 10.5
    assert len(sends(tg)) == 2


@pytest.mark.long
def test_telegram_hangs_for_80_seconds(service, tg, db):
    """The Bot API server absorbs floods: the answer comes late, and is waited for."""
    s = service(tg=tg)
    tg.fail_next("sendMessage", hang=80)
    post(s, "patience")
    wait(lambda: len(sends(tg)) == 1, 5)
    tg.push_message(OWNER, OWNER, "/errors", "boss")
    tg.wait(lambda: tg.sent(OWNER), 3, "another chat does not wait")
    tg.wait(lambda: tg.sent(CHAT), 95)
    wait(lambda: db.one("SELECT state FROM alert_outbox") == "sent", 5)
    assert len(tg.sent(CHAT)) == 1 and "Possibly" not in tg.sent(CHAT)[0]["text"]


@pytest.mark.parametrize("url, why", [("http://no-such-host.invalid", "resolve"), ("https://127.0.0.1:{port}", "SSL|TLS|wrong version"),
                                      ("http://127.0.0.1:{closed}", "connect")])
def test_no_way_to_telegram(service, tg, db, url, why):
    """DNS gone, TLS failing, nobody there: the alert waits, /health says why, and it goes out later."""
    url = url.format(port=tg.port, closed=free_port())
    s = service(tg=tg, env={"TELEGRAM_API_URL": url})
    post(s, "no way")
    wait(lambda: db.one("SELECT coalesce(last_error, '') FROM alert_outbox") not in (None, ""), 20, "it was tried")
    assert re.search(why, db.one("SELECT last_error FROM alert_outbox"), re.I), db.one("SELECT last_error FROM alert_outbox")
    assert db.one("SELECT state FROM alert_outbox") in ("pending", "uncertain")
    assert s.get("/health").json["parts"]["telegram"]["status"] == "degraded"
    s.stop()
    service(tg=tg)
    message = tg.wait(lambda: tg.sent(CHAT), 15, "it goes out")[0]
    assert "no way" in message["text"]


def test_a_revoked_token(service, tg, db):
    s = service(tg=tg)
    tg.revoked = True
    post(s, "nobody knows us")
    wait(lambda: "401" in (db.one("SELECT last_error FROM alert_outbox") or ""), 10)
    health = s.get("/health").json["parts"]["telegram"]
    assert health["status"] == "degraded" and "401" in health["detail"]
    time.sleep(3)
    assert len(sends(tg)) <= 4, "not hammered"
    tg.revoked = False
    tg.wait(lambda: tg.sent(CHAT), 40, "mended")
    assert len(tg.sent(CHAT)) == 1


@pytest.mark.long
def test_two_instances_and_one_is_killed_every_five_seconds(service, tg, db):
    """Two minutes under load: every critical rings, at most one message more for each kill; every
    command is carried out once."""
    kills, seconds = 0, 120
    one, two = service(tg=tg), service(tg=tg)
    stop = threading.Event()
    wrote, posted = [], []
    words = "alpha bravo charlie delta echo foxtrot golf hotel india juliett".split()

    def load():
        n = 0
        while not stop.is_set():
            title = " ".join(words[int(d)] for d in f"{n:04d}")
            for s in (one, two):
                try:
                    if s.post({"message": title, "severity": "critical", "event_id": f"{n:032x}"}, timeout=5).status == 200:
                        posted.append(title)
                        break
                except OSError:
                    pass
            n += 1
            stop.wait(1.0)

    def talk():
        n = 0
        while not stop.is_set():
            n += 1
            tg.push_message(CHAT, TEAM, f"/note 1 word{n}", "ann")
            wrote.append(f"word{n}")
            stop.wait(0.7)

    threads = [threading.Thread(target=load), threading.Thread(target=talk)]
    wait(lambda: one.post({"message": "the first", "severity": "critical"}).status == 200, 5)
    for t in threads:
        t.start()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        victim = (one, two)[kills % 2]
        time.sleep(5)
        victim.kill()
        victim.err.close(), victim.out.close()
        victim.start().ready()
        kills += 1
    stop.set()
    for t in threads:
        t.join()
    wait(lambda: db.one("SELECT count(*) FROM error_group g WHERE severity = 'critical' AND NOT EXISTS (SELECT 1 FROM "
                        "alert_outbox o LEFT JOIN alert_digest d ON d.id = o.digest_id WHERE o.group_id = g.id AND "
                        "(o.state = 'sent' OR d.message_id IS NOT NULL))") == 0, 120, "everything rung")
    assert set(posted) <= {r[0] for r in db.sql("SELECT title FROM error_group")}
    rung = db.one("SELECT count(*) FROM alert_outbox WHERE reason <> 'counted'")
    assert rung == db.one("SELECT count(DISTINCT group_id) FROM alert_outbox"), "each is decided once"
    cards = [re.search(r"· #(\d+)\n", m["text"]).group(1) for m in tg.sent(CHAT) if "· #" in m["text"]]
    assert len(cards) - len(set(cards)) <= kills
    wait(lambda: db.one("SELECT count(*) FROM telegram_update WHERE handled_at IS NULL") == 0, 60)
    notes = [r[0] for r in db.sql("SELECT new_value FROM error_group_history WHERE what = 'note' AND group_id = 1 ORDER BY id")]
    assert notes == wrote, "no command twice, none missed, in order"
    print(f"{kills} kills, {len(posted)} errors, {len(cards)} cards, {len(notes)} commands")
