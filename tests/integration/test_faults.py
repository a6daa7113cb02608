"""test_faults.py -- kill -9, a database that goes and comes back, two instances, a graceful end."""
import json
import os
import pathlib
import random
import signal
import socket
import threading
import time
import urllib.error

import pytest
from conftest import CHAT, KEY, ROOT, Cluster, Database, Service, wait

KILLS = int(os.environ.get("NABAT_KILLS", "50"))


def test_kill_9_loses_nothing_and_rings_everything(service, tg, db):
    """Load on many groups, KILLS kills at random moments: answered means stored once, every
    critical group rings, and at most one message more than due for each kill."""
    # a private chat: one message a second, without a group's twenty a minute
    s = service(tg=tg, env={"ERROR_ALERT_COOLDOWN": "3600", "ERROR_ALERT_CHAT_ID": "11"})
    answered, stop, serial = [], threading.Event(), iter(range(10**9))
    lock = threading.Lock()

    def load(worker):
        while not stop.is_set():
            with lock:
                n = next(serial)
            event_id = f"{n:032x}"
            body = {"event_id": event_id, "severity": "critical" if n % 97 == 0 else "error",
                    "message": f"group {chr(97 + n % 23)}{chr(97 + n // 97 % 2) if n % 97 == 0 else ''}"}
            for _ in range(200):
                if stop.is_set():
                    return
                try:
                    if s.post(body, timeout=5).status == 200:
                        answered.append(event_id)
                        break
                except (OSError, urllib.error.URLError, ValueError):
                    pass
                time.sleep(0.02)

    workers = [threading.Thread(target=load, args=(i,)) for i in range(4)]
    for w in workers:
        w.start()
    dice = random.Random(7)
    for _ in range(KILLS):
        time.sleep(0.15 + dice.random() * 0.5)
        s.kill()
        s.err.close(), s.out.close()
        s.start().ready()
    stop.set()
    for w in workers:
        w.join()
    # what came in the first moments of a start waits on disk until the database was reached
    wait(lambda: s.is_direct() and not list(pathlib.Path(s.env["SPOOL_DIR"]).glob("*.spool")), 30, "an empty spool")
    stored = {r[0] for r in db.sql("SELECT event_id FROM bot_error_event")}
    assert set(answered) <= stored, f"{len(set(answered) - stored)} acknowledged events are lost"
    assert db.one("SELECT count(*) FROM event") == db.one("SELECT count(DISTINCT event_id) FROM event")
    assert db.one("SELECT sum(occurrences) FROM error_group") == len(stored)
    due = db.one("SELECT count(*) FROM error_group WHERE severity = 'critical'")
    wait(lambda: db.one("SELECT count(*) FROM error_group g WHERE severity = 'critical' AND NOT "
                        "EXISTS (SELECT 1 FROM alert_outbox o LEFT JOIN alert_digest d "
                        "ON d.id = o.digest_id WHERE o.group_id = g.id AND (o.state = 'sent' "
                        "OR d.message_id IS NOT NULL))") == 0, 150, "every critical group rung")
    assert due >= 20
    sent = len(tg.of("sendMessage"))
    assert 1 <= sent <= due + KILLS, f"{sent} messages for {due} groups and {KILLS} kills"
    print(f"{len(answered)} answered, {len(stored)} stored, {due} groups, {sent} messages")


def test_database_restart_under_load(service, tg, db, cluster):
    """Without a spool: what can't be kept is refused, what was answered is there."""
    s = service(tg=tg, env={"SPOOL_MAX_BYTES": "0"})
    answered, stop = [], threading.Event()

    def load():
        n = 0
        while not stop.is_set():
            n += 1
            event_id = f"{n:032x}"
            a = s.post({"event_id": event_id, "message": "restart"}, timeout=20)
            assert a.status in (200, 503), a.body
            if a.status == 503:
                assert a.headers["Retry-After"]
                time.sleep(0.05)
            else:
                answered.append(event_id)

    t = threading.Thread(target=load)
    t.start()
    try:
        for mode in ("fast", "immediate"):
            time.sleep(0.7)
            cluster.stop(mode)
            wait(lambda: s.get("/health/ready").status == 503, 10, "not ready")
            assert s.get("/health/live").status == 200
            cluster.start()
            wait(lambda: s.get("/health/ready").status == 200, 20, "ready again")
        count = len(answered)
        wait(lambda: len(answered) > count + 20, 20, "events again")
    finally:
        stop.set()
        t.join()
    stored = {r[0] for r in db.sql("SELECT event_id FROM bot_error_event")}
    assert set(answered) <= stored
    s.post({"message": "after it all", "severity": "critical"})
    tg.wait(lambda: tg.sent(CHAT), 10, "ringing works again")


def test_starts_before_its_database(cluster, tmp_path):
    d = Database(cluster)
    cluster.stop()
    try:
        without = Service(d, env={"SPOOL_MAX_BYTES": "0"})
        wait(lambda: "waiting for the database" in without.stderr, 10, "the log line")
        assert without.get("/health/live").status == 200
        assert without.get("/health/ready").status == 503
        assert without.post({"message": "early"}).status == 503
        s = Service(d)
        s.ready(database=False)
        a = s.post({"message": "early"})
        assert a.status == 200 and a.headers["X-Nabat-Spooled"] == "1"
    finally:
        cluster.start()
    try:
        s.ready()
        without.ready()
        assert s.post({"message": "now"}).status == 200
        assert without.post({"message": "now"}).status == 200
        wait(lambda: d.one("SELECT count(*) FROM bot_error_event") == 3, 10, "the early one")
    finally:
        without.close()
        s.close()
        d.drop()


def test_two_instances_ring_once_and_take_over(service, tg, db):
    a = service(tg=tg)
    b = service(tg=tg)
    for n in range(20):
        for s in (a, b):
            assert s.post({"message": "shared trouble", "severity": "critical"}).status == 200
    tg.wait(lambda: tg.sent(CHAT), 5, "the ring")
    time.sleep(1.5)
    assert len(tg.of("sendMessage")) == 1
    assert db.one("SELECT occurrences + coalesce((SELECT sum(occurrences) FROM group_delta), 0) "
                  "FROM error_group") == 40
    holder, other = (a, b) if "decides and delivers" in a.stderr else (b, a)
    holder.kill()
    other.post({"message": "after the death", "severity": "critical"})
    tg.wait(lambda: len(tg.sent(CHAT)) == 2, 15, "the other one rings")


def test_migrations_by_two_at_once(db):
    from conftest import run_tool
    results = []
    threads = [threading.Thread(target=lambda: results.append(run_tool(db, "--migrate")))
               for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert [r.returncode for r in results] == [0] * 4, results
    files = len(list((ROOT / "sql").glob("*.sql")))
    assert db.one("SELECT count(*) FROM nabat_migration") == files
    assert run_tool(db, "--migrate").stdout.startswith("0 migrations")


def test_graceful_stop_answers_what_was_accepted(service, tg, db):
    s = service(tg=tg)
    tg.fail_next("sendMessage", hang=3)
    s.post({"message": "slow send", "severity": "critical"})
    tg.wait(lambda: tg.of("sendMessage"), 5, "the send under way")
    half = socket.create_connection(("127.0.0.1", s.port))
    body = json.dumps({"message": "half sent"}).encode()
    half.sendall(b"POST /api/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + KEY.encode() +
                 b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:5])
    time.sleep(0.1)
    started = time.monotonic()
    s.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", s.port), 1)
    half.sendall(body[5:])
    assert b"200 OK" in half.recv(4096)
    assert s.stop() == 0
    assert time.monotonic() - started < 10
    assert db.one("SELECT state FROM alert_outbox") == "sent"
    assert db.one("SELECT count(*) FROM bot_error_event WHERE message = 'half sent'") == 1


def test_stop_with_a_hanging_send_leaves_it_uncertain(service, tg, db):
    s = service(tg=tg)
    tg.fail_next("sendMessage", hang=20)
    s.post({"message": "hanging", "severity": "critical"})
    tg.wait(lambda: tg.of("sendMessage"), 5, "the send under way")
    started = time.monotonic()
    assert s.stop() == 0
    assert time.monotonic() - started < 10
    assert db.sql("SELECT state, lost_answers FROM alert_outbox") == [("uncertain", 1)]
    service(tg=tg)
    tg.wait(lambda: any("Possibly a repeat" in m["text"] for m in tg.sent(CHAT)), 10, "the repeat")


def test_tokens_and_keys_stay_out_of_logs(service, tg, db):
    tg.chats[CHAT]["gone"] = "bot was kicked from the supergroup chat"
    s = service(tg=tg, env={"TELEGRAM_API_URL": "http://127.0.0.1:9"})
    s.post({"message": "x", "severity": "critical"})
    wait(lambda: "alert not delivered" in s.stderr, 10, "the failure in the log")
    assert b"AAStandin" not in open(f"/proc/{s.process.pid}/cmdline", "rb").read()
    for path in ("/health", "/metrics"):
        body = s.get(path).body
        assert b"AAStandin" not in body and KEY.encode() not in body
    s.stop()
    assert "AAStandin" not in s.stderr and KEY not in s.stderr


def test_writer_survives_a_missing_day(service, db):
    s = service()
    today = db.one("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')")
    for table in ("event", "error_stack"):
        db.sql(f"ALTER TABLE {table} DETACH PARTITION {table}_{today}")
        db.sql(f"DROP TABLE {table}_{today}")
    assert s.post({"message": "no leaf"}).status == 200
    assert db.one("SELECT count(*) FROM bot_error_event") == 1
