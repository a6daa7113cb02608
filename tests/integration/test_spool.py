"""test_spool.py -- the database goes away: events wait on disk, critical ones ring all the same, and all of
it is in the database once, when it is back."""
import concurrent.futures
import json
import os
import pathlib
import signal
import subprocess
import threading
import time

import pytest
from conftest import BUILD, CHAT, KEY, TRACEBACK, Cluster, Database, Service, run_tool, shell, wait


@pytest.fixture
def own(tmp_path):
    """A cluster of its own, which a test may stop; (cluster, database)."""
    import shutil
    import tempfile
    folder = pathlib.Path(tempfile.mkdtemp(prefix="nabat-own-", dir="/tmp"))
    os.chmod(folder, 0o755)
    c = Cluster(folder)
    d = Database(c)
    yield c, d
    c.stop("immediate")
    shutil.rmtree(folder, ignore_errors=True)


def spool_dir(s):
    return pathlib.Path(s.env["SPOOL_DIR"])


def files(s, pattern="*.spool"):
    return sorted(spool_dir(s).glob(pattern))


def part(s, name):
    return s.get("/health").json["parts"][name]


def drained(s, seconds=20):
    wait(lambda: not files(s) and part(s, "spool")["status"] == "healthy", seconds, "an empty spool")


def ids(d):
    return sorted(r[0] for r in d.sql("SELECT event_id FROM bot_error_event"))


def event(n, **fields):
    return {"event_id": f"{n:032x}", "message": f"event {n}", **fields}


def test_events_wait_on_disk_and_come_back_once(own, service):
    cluster, d = own
    s = service(database=d)
    assert s.post(event(1)).headers.get("X-Nabat-Spooled") is None
    cluster.stop()
    for n in range(2, 30):
        a = s.post(event(n, stacktrace=TRACEBACK, tags={"n": str(n)}, payload={"deep": [1, {"a": None}]},
                         user_id="u5", chat_id=-5, release="r1"))
        assert a.status == 200 and a.headers["X-Nabat-Spooled"] == "1"
        assert a.json["ids"] == [f"{n:032x}"]
    assert s.get("/health/ready").status == 200
    assert s.get("/health").json["status"] == "degraded"
    assert part(s, "database")["status"] == "unhealthy"
    assert "wait for the database" in part(s, "spool")["detail"]
    cluster.start()
    drained(s)
    assert ids(d) == [f"{n:032x}" for n in range(1, 30)]
    row = d.sql("SELECT message, user_id, chat_id, release, tags->>'n', payload->'deep'->1->>'a' IS NULL "
                "FROM bot_error_event WHERE event_id = %s", f"{7:032x}")[0]
    assert row == ("event 7", "u5", -5, "r1", "7", True)
    a = s.post(event(5))
    assert a.status == 200 and a.headers.get("X-Nabat-Spooled") is None
    time.sleep(0.5)
    assert len(ids(d)) == 29, "a repeat of a spooled event"


def test_the_time_of_receipt_is_kept(own, service):
    cluster, d = own
    s = service(database=d)
    s.post(event(1))
    cluster.stop()
    s.post(event(2))
    spooled = time.time()
    time.sleep(1.5)
    cluster.start()
    drained(s)
    got = d.one("SELECT extract(epoch FROM received_at)::float8 FROM bot_error_event WHERE message = 'event 2'")
    assert abs(got - spooled) < 1


def test_a_critical_error_rings_without_the_database_and_its_card_is_adopted(own, service, tg):
    cluster, d = own
    s = service(database=d, tg=tg)
    s.post({"message": "to begin with"})
    cluster.stop()
    began = time.monotonic()
    s.post(event(7, severity="critical", message="payments are down", stacktrace=TRACEBACK))
    tg.wait(lambda: tg.sent(CHAT), 2, "the emergency card")
    assert time.monotonic() - began < 2
    card = tg.sent(CHAT)[0]
    assert "payments are down" in card["text"] and "database is away" in card["text"]
    assert not card["keyboard"], "buttons can't work now"
    for n in range(8, 12):
        s.post(event(n, severity="critical", message="payments are down", stacktrace=TRACEBACK))
    time.sleep(1.2)
    assert len(tg.of("sendMessage")) == 1, "one ring a cooldown"
    cluster.start()
    drained(s)
    tg.wait(lambda: tg.sent(CHAT)[0]["keyboard"], 10, "buttons on the card")
    time.sleep(2)
    assert len(tg.of("sendMessage")) == 1, "adopted, not rung again"
    text = tg.sent(CHAT)[0]["text"]
    assert "database is away" not in text and "5 times" in text and "#" in text
    assert d.sql("SELECT state, message_id FROM alert_outbox WHERE reason = 'emergency'") == [
        ("sent", card["message_id"])]
    assert d.one("SELECT count(*) FROM alert_outbox") == 1
    assert not (spool_dir(s) / "rang").exists()


def test_an_emergency_alert_whose_answers_get_lost_goes_on_until_it_is_there(own, service, tg):
    """Two answers lost are no reason to take it for told: neither of the messages arrived."""
    cluster, d = own
    s = service(database=d, tg=tg)
    s.post({"message": "to begin with"})
    cluster.stop()
    tg.fail_next("sendMessage", times=2, cut=True)
    s.post(event(7, severity="critical", message="payments are down"))
    tg.wait(lambda: len(tg.of("sendMessage")) == 2, 15, "once more")
    s.post(event(8, severity="critical", message="the disk is gone"))
    card = tg.wait(lambda: tg.said(CHAT, "the disk is gone"), 5, "what came later is not held up")[0]
    assert "Possibly" not in card["text"] and not tg.said(CHAT, "payments are down")
    card = tg.wait(lambda: tg.said(CHAT, "payments are down"), 45, "half a minute later")[0]
    assert "Possibly a repeat" in card["text"]
    cluster.start()
    drained(s)
    wait(lambda: d.sql("SELECT state, count(*) FROM alert_outbox GROUP BY state") == [("sent", 2)], 10, "both adopted")
    time.sleep(2)
    assert len(tg.said(CHAT, "payments are down")) == 1 and len(tg.said(CHAT, "the disk is gone")) == 1


@pytest.mark.parametrize("fault, arrived", [("cut", 0), ("after", 2)])
def test_what_may_have_arrived_rings_when_the_database_is_back(own, service, tg, fault, arrived):
    cluster, d = own
    s = service(database=d, tg=tg)
    s.post({"message": "to begin with"})
    cluster.stop()
    tg.fail_next("sendMessage", times=2, **{fault: True})
    s.post(event(7, severity="critical", message="payments are down"))
    tg.wait(lambda: len(tg.of("sendMessage")) == 2, 15, "once more")
    cluster.start()
    card = tg.wait(lambda: tg.said(CHAT, "payments are down")[arrived:], 20, "in the ordinary way")[0]
    assert card["keyboard"] and "Possibly a repeat" in card["text"]
    drained(s)
    wait(lambda: d.sql("SELECT state, reason, lost_answers FROM alert_outbox") == [("sent", "emergency", 1)], 10, "one row")
    time.sleep(2)
    assert len(tg.said(CHAT, "payments are down")) == arrived + 1


def test_muted_stays_muted_and_taken_stays_taken(own, service, tg):
    cluster, d = own
    s = service(database=d, tg=tg)
    for what in ("muted", "taken", "fresh"):
        s.post({"message": f"{what} trouble", "severity": "critical"})
    tg.wait(lambda: len(tg.sent(CHAT)) == 3, 10, "three cards")
    d.sql("SELECT mute(id, '1 hour') FROM error_group WHERE title = 'muted trouble'")
    d.sql("SELECT take(id, 'ann') FROM error_group WHERE title = 'taken trouble'")
    mirror = spool_dir(s) / "mirror.json"
    wait(lambda: mirror.exists() and "in_progress" in mirror.read_text(), 15, "the mirror")
    sent = len(tg.of("sendMessage"))
    cluster.stop()
    for what in ("muted", "taken", "fresh"):  # the last one is in its cooldown
        assert s.post({"message": f"{what} trouble", "severity": "critical"}).status == 200
    s.post({"message": "new trouble", "severity": "critical"})
    tg.wait(lambda: len(tg.of("sendMessage")) == sent + 1, 3, "the one new card")
    time.sleep(1.5)
    assert len(tg.of("sendMessage")) == sent + 1
    assert "new trouble" in tg.sent(CHAT)[-1]["text"]
    cluster.start()
    drained(s)


def test_what_was_merged_is_known_by_its_root_alone(own, service, tg):
    """The root is muted, the leaf was taken by itself: its events are the root's, muted."""
    cluster, d = own
    s = service(database=d, tg=tg)
    for what in ("root", "leaf"):
        s.post({"message": f"{what} trouble", "severity": "critical"})
    tg.wait(lambda: len(tg.sent(CHAT)) == 2, 10, "two cards")
    root, leaf = (d.one("SELECT id FROM error_group WHERE title = %s", f"{what} trouble") for what in ("root", "leaf"))
    d.sql("SELECT take(%s, 'ann')", root)
    d.sql("SELECT merge_groups(%s, %s)", root, leaf)
    d.sql("SELECT mute(%s, '1 hour')", root)
    assert d.sql("SELECT status FROM error_group") == [("in_progress",)] * 2
    key = d.one("SELECT fingerprint FROM error_group WHERE id = %s", leaf)
    mirror = spool_dir(s) / "mirror.json"

    def rows():
        sets = json.loads(mirror.read_text())["known"] if mirror.exists() else []
        return [r for results in sets for r in results if r and r[-1] == key]
    wait(lambda: any(str(root) in r for r in rows()), 15, "the mirror")
    assert len(rows()) == 1, "the leaf is told once"
    assert rows()[0][1] == str(root)


def test_a_start_without_the_database(own, service, tg):
    """Keys, rules and the chat come from the mirror; what rang before the restart does not ring again."""
    cluster, d = own
    s = service(database=d, tg=tg, env={"INGEST_KEY": None})
    key = d.one("SELECT public_key FROM project WHERE id = 1")
    mirror = spool_dir(s) / "mirror.json"
    wait(lambda: mirror.exists() and "known" in mirror.read_text(), 15, "the mirror")
    assert oct(mirror.stat().st_mode & 0o777) == "0o600"
    cluster.stop()
    s.post({"message": "before the restart", "severity": "critical"}, key=key)
    tg.wait(lambda: tg.sent(CHAT), 3, "the first ring")
    note = spool_dir(s) / "rang"
    wait(lambda: note.exists() and note.stat().st_size > 64, 3, "the note of it")  # the file is there before the note
    s.kill()
    s.err.close(), s.out.close()
    s.start().ready(database=False)
    assert s.post({"message": "x"}, key="f" * 32).status == 401
    for text in ("before the restart", "after the restart"):
        a = s.post({"message": text, "severity": "critical"}, key=key)
        assert a.status == 200 and a.headers["X-Nabat-Spooled"] == "1"
    tg.wait(lambda: len(tg.sent(CHAT)) == 2, 3, "the second ring")
    time.sleep(1.2)
    assert [("after the restart" in m["text"]) for m in tg.sent(CHAT)] == [False, True]
    cluster.start()
    drained(s)
    assert d.one("SELECT count(*) FROM bot_error_event") == 3
    time.sleep(2)
    assert len(tg.of("sendMessage")) == 2


def test_many_critical_errors_at_once_are_a_list(own, service, tg):
    cluster, d = own
    s = service(database=d, tg=tg)
    s.post({"message": "to begin with"})
    cluster.stop()
    words = ["alpha", "beta", "gamma", "delta", "kappa", "omega", "sigma", "theta", "zeta", "eta", "iota",
             "mu", "nu", "xi", "pi", "rho", "tau", "phi", "chi", "psi", "one", "two", "three", "four", "five"]
    s.post([{"message": f"{w} is broken", "severity": "critical"} for w in words])
    tg.wait(lambda: tg.sent(CHAT), 4, "the list")
    time.sleep(1.5)
    assert len(tg.sent(CHAT)) == 1
    text = tg.sent(CHAT)[0]["text"]
    assert "25 errors" in text and "alpha is broken" in text and "+5 errors" in text
    cluster.start()
    drained(s)
    # what the list did not name rings now, nothing that it named does
    tg.wait(lambda: sum("five is broken" in m["text"] for m in tg.sent(CHAT)), 10, "the rest")
    time.sleep(1.5)
    assert sum("alpha is broken" in m["text"] for m in tg.sent(CHAT)) == 1


def test_a_full_spool_says_so_and_keeps_the_oldest(own, service):
    cluster, d = own
    s = service(database=d, env={"SPOOL_MAX_BYTES": "64KiB"})
    a = s.post(event(0))
    assert a.status == 200, a.body.decode() + s.stderr[-2500:]
    cluster.stop()
    kept = []
    for n in range(1, 40):
        a = s.post(event(n, stacktrace="x" * 4000))
        assert a.status in (200, 503)
        if a.status == 503:
            assert a.headers["Retry-After"] and "SPOOL_MAX_BYTES" in a.json["detail"]
            break
        kept.append(n)
    assert 5 < len(kept) < 20
    assert s.get("/health/ready").status == 503
    cluster.start()
    drained(s)
    assert ids(d) == [f"{n:032x}" for n in [0] + kept]
    assert s.post(event(100)).status == 200


def test_two_processes_on_one_folder(own, service):
    cluster, d = own
    a = service(database=d)
    b = service(database=d, env={"SPOOL_DIR": a.env["SPOOL_DIR"]})
    assert "another process" in part(b, "spool")["detail"]
    assert b.get("/health/ready").status == 200
    a.stop()
    wait(lambda: part(b, "spool")["status"] == "healthy", 10, "the lock")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_can_not_be_written(own, service, tmp_path):
    cluster, d = own
    tmp_path.chmod(0o500)
    s = service(database=d, env={"SPOOL_DIR": str(tmp_path / "spool")})
    assert "Permission denied" in part(s, "spool")["detail"]
    assert s.post(event(1)).status == 200
    cluster.stop()
    wait(lambda: s.post(event(2)).status == 503, 5, "a refusal")


def test_a_folder_that_a_restart_loses(service, tmp_path):
    memory = pathlib.Path("/dev/shm")
    if not memory.is_dir() or not os.access(memory, os.W_OK):
        pytest.skip("no file system in memory here")
    folder = memory / f"nabat-{os.getpid()}"
    s = service(env={"SPOOL_DIR": str(folder)})
    try:
        wait(lambda: "lost at a restart" in part(s, "spool").get("detail", ""), 5, "the warning")
        assert part(s, "spool")["status"] == "degraded"
    finally:
        s.stop()
        subprocess.run(["rm", "-rf", str(folder)], check=True)


def test_damage_is_found_said_and_kept_aside(own, service):
    """One bit turned over in the middle, a torn end: what is whole is replayed."""
    cluster, d = own
    s = service(database=d)
    a = s.post(event(0))
    assert a.status == 200, a.body.decode() + s.stderr[-2500:]
    cluster.stop()
    for n in range(1, 21):
        s.post(event(n, stacktrace="y" * 500))
    s.kill()
    s.err.close(), s.out.close()
    path = files(s)[0]
    data = bytearray(path.read_bytes())
    at = data.index(b"event 10") + 2
    data[at] ^= 0x10
    path.write_bytes(bytes(data) + data[16:90])
    cluster.start()
    s.start().ready()
    wait(lambda: not files(s), 15, "the replay")
    assert ids(d) == [f"{n:032x}" for n in range(21) if n != 10]
    assert files(s, "*.damaged")
    assert "damaged" in part(s, "spool")["detail"]
    assert "is damaged" in s.stderr and "is torn" in s.stderr


def test_kill_9_while_events_are_spooled(own, service):
    cluster, d = own
    s = service(database=d)
    a = s.post(event(0))
    assert a.status == 200, a.body.decode() + s.stderr[-2500:]
    mirror = spool_dir(s) / "mirror.json"
    wait(mirror.exists, 15, "the mirror")
    cluster.stop()
    answered, stop, serial, lock = [], threading.Event(), iter(range(1, 10**9)), threading.Lock()

    def load():
        while not stop.is_set():
            with lock:
                n = next(serial)
            try:
                if s.post(event(n), timeout=5).status == 200:
                    answered.append(n)
            except (OSError, ValueError):
                time.sleep(0.02)

    workers = [threading.Thread(target=load) for _ in range(4)]
    for w in workers:
        w.start()
    for _ in range(6):
        time.sleep(0.4)
        s.kill()
        s.err.close(), s.out.close()
        s.start().ready(database=False)
    stop.set()
    for w in workers:
        w.join()
    cluster.start()
    drained(s, 30)
    stored = ids(d)
    assert len(stored) == len(set(stored))
    lost = {f"{n:032x}" for n in answered} - set(stored)
    assert not lost, f"{len(lost)} of {len(answered)} lost"
    assert len(answered) > 50


def test_an_event_that_the_database_refuses_is_set_aside(own, service):
    cluster, d = own
    s = service(database=d)
    s.post(event(0))
    d.sql("ALTER TABLE event ADD CONSTRAINT no_bad CHECK (environment <> 'bad') NOT VALID")
    cluster.stop()
    for n in range(1, 6):
        s.post(event(n, environment="bad" if n == 3 else "good"))
    cluster.start()
    try:
        drained(s, 30)
    except AssertionError:
        print(s.get("/health").body, s.stderr[-5000:])
        raise
    assert set(ids(d)) == {f"{n:032x}" for n in (0, 1, 2, 4, 5)}
    assert (spool_dir(s) / "refused").exists() and "refuses a spooled event" in s.stderr
    r = run_tool(d, "--spool", "refused", env={"SPOOL_DIR": s.env["SPOOL_DIR"]})
    assert r.returncode == 0 and [json.loads(line)["event_id"] for line in r.stdout.splitlines()] == [f"{3:032x}"]


def test_a_database_that_refuses_for_a_while_and_then_takes_thousands(own, service):
    """Chunks are halved with each failure, and grow again up to their bound."""
    cluster, d = own
    s = service(database=d)
    s.post(event(0))
    d.sql("CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
          "'no space left on device' USING ERRCODE = '53100'; END $$")
    d.sql("CREATE TRIGGER full_disk BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION full_disk()")
    for n in range(1, 9):
        a = s.post([event(n * 1000 + k) for k in range(500)], timeout=20)
        assert a.status == 200 and a.headers["X-Nabat-Spooled"] == "1"
    wait(lambda: s.stderr.count("replayed later") >= 6, 30, "six failures")
    d.sql("DROP TRIGGER full_disk ON event")
    drained(s, 60)
    assert d.one("SELECT count(DISTINCT event_id) FROM event") == 4001
    assert d.one("SELECT count(*) FROM event") == 4001


def test_a_file_that_can_not_be_read_does_not_stop_the_others(own, service):
    cluster, d = own
    s = service(database=d)
    s.post(event(0))
    cluster.stop()
    s.post(event(1))
    s.kill()
    s.err.close(), s.out.close()
    with open(spool_dir(s) / "000000000000.spool", "wb"):
        pass  # no number of ours: left alone
    os.rename(files(s)[-1], spool_dir(s) / "000000000007.spool")
    with open(spool_dir(s) / "000000000003.spool", "wb") as f:
        f.truncate(80 << 20)  # larger than any that is written
    data = bytearray((spool_dir(s) / "000000000007.spool").read_bytes())
    data[3] ^= 1  # the head alone is damaged
    (spool_dir(s) / "000000000007.spool").write_bytes(bytes(data))
    os.unlink(spool_dir(s) / "000000000000.spool")
    cluster.start()
    s.start().ready()
    wait(lambda: not files(s), 30, "the replay")
    assert ids(d) == [f"{n:032x}" for n in range(2)]
    assert len(files(s, "*.damaged")) == 2


def test_what_rides_along_before_the_database_was_ever_reached(own, service):
    """Check-ins, sessions and feedback need it: 503, and nothing breaks; events beside them are kept."""
    cluster, d = own
    cluster.stop()
    s = service(ready=False, database=d)
    s.ready(database=False)
    auth = {"X-Sentry-Auth": f"Sentry sentry_key={KEY}"}

    def envelope(kind, item):
        return (json.dumps({"event_id": "c" * 32}) + "\n" + json.dumps({"type": kind}) + "\n" + json.dumps(item) +
                "\n").encode()
    for kind, item in (("session", {"sid": "b" * 32, "init": True, "started": "2026-11-21T00:00:00Z", "status": "ok",
                                    "attrs": {"release": "1"}}),
                       ("check_in", {"check_in_id": "d" * 32, "monitor_slug": "job", "status": "ok"}),
                       ("feedback", {"contexts": {"feedback": {"message": "it is broken"}}})):
        a = s.request("POST", "/api/1/envelope/", envelope(kind, item), auth)
        assert a.status in (200, 503), (kind, a.body)
        if a.status == 503:
            assert a.headers["Retry-After"]
    assert s.request("POST", f"/api/1/cron/job/{KEY}/?status=ok").status == 503
    assert s.request("POST", "/api/1/envelope/", envelope("event", {"message": "x"}), auth).status == 200
    cluster.start()
    drained(s, 30)
    assert "c" * 32 in ids(d)


def test_a_batch_that_waits_too_long_goes_to_the_spool(own, service):
    cluster, d = own
    s = service(database=d)
    a = s.post(event(0))
    assert a.status == 200, a.body.decode() + s.stderr[-2500:]
    blocker = d.open()
    blocker.autocommit = False
    with blocker.cursor() as cur:
        cur.execute("LOCK TABLE event IN ACCESS EXCLUSIVE MODE")
    began = time.monotonic()
    a = s.post(event(1), timeout=15)
    assert a.status == 200 and a.headers["X-Nabat-Spooled"] == "1"
    assert 4 < time.monotonic() - began < 8
    began = time.monotonic()
    assert s.post(event(2), timeout=15).headers["X-Nabat-Spooled"] == "1"
    assert time.monotonic() - began < 1, "the next ones do not wait"
    blocker.rollback()
    blocker.close()
    drained(s, 30)
    assert ids(d) == [f"{n:032x}" for n in range(3)]


def test_a_database_that_is_frozen(own, service):
    """SIGSTOP: connections stay open and nothing answers."""
    cluster, d = own
    s = service(database=d)
    a = s.post(event(0))
    assert a.status == 200, a.body.decode() + s.stderr[-2500:]
    pid = int((cluster.folder / "data/postmaster.pid").read_text().split()[0]) if (
        cluster.folder / "data/postmaster.pid").exists() else int(
        next(cluster.folder.rglob("postmaster.pid")).read_text().split()[0])
    family = [pid] + [int(p) for p in subprocess.run(["pgrep", "-P", str(pid)], capture_output=True,
                                                     text=True, check=False).stdout.split()]
    for p in family:
        os.kill(p, signal.SIGSTOP)
    try:
        assert s.post(event(1), timeout=15).headers["X-Nabat-Spooled"] == "1"
        began = time.monotonic()
        for n in range(2, 12):
            assert s.post(event(n), timeout=15).status == 200
        assert time.monotonic() - began < 2
    finally:
        for p in reversed(family):
            os.kill(p, signal.SIGCONT)
    drained(s, 40)
    assert ids(d) == [f"{n:032x}" for n in range(12)]


def test_an_older_backup_is_restored_under_the_service(own, service):
    """A relation is gone: events wait, the migrations are run again where they can be, nothing is lost."""
    cluster, d = own
    s = service(database=d)
    a = s.post(event(0))
    assert a.status == 200, a.body.decode() + s.stderr[-2500:]
    d.sql("ALTER TABLE error_group RENAME TO elsewhere")
    a = s.post(event(1), timeout=15)
    assert a.status == 200 and a.headers["X-Nabat-Spooled"] == "1"
    d.sql("ALTER TABLE elsewhere RENAME TO error_group")
    drained(s, 30)
    assert ids(d) == [f"{n:032x}" for n in range(2)]


def test_a_database_that_is_read_only(own, service):
    cluster, d = own
    s = service(database=d)
    a = s.post(event(0))
    assert a.status == 200, a.body.decode() + s.stderr[-2500:]
    d.sql(f"ALTER DATABASE {d.name} SET default_transaction_read_only = on")
    d.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'nabat%%'")
    a = s.post(event(1), timeout=15)
    assert a.status == 200 and a.headers["X-Nabat-Spooled"] == "1"
    admin = cluster.connect()
    with admin.cursor() as cur:
        cur.execute(f"ALTER DATABASE {d.name} RESET default_transaction_read_only")
    admin.close()
    drained(s, 40)
    assert ids(d) == [f"{n:032x}" for n in range(2)]


def test_a_stop_while_the_database_is_away(own, service, tg):
    cluster, d = own
    s = service(database=d, tg=tg)
    s.post(event(0))
    cluster.stop()
    for n in range(1, 20):
        assert s.post(event(n, severity="critical" if n == 5 else "error")).status == 200
    tg.wait(lambda: tg.sent(CHAT), 3, "the ring")
    wait((spool_dir(s) / "rang").exists, 3, "the note of it")
    began = time.monotonic()
    assert s.stop() == 0
    assert time.monotonic() - began < 10
    assert files(s) and (spool_dir(s) / "rang").exists()
    r = run_tool(d, "--spool", "list", env={"SPOOL_DIR": s.env["SPOOL_DIR"]})
    assert r.returncode == 0 and "19 events wait" in r.stdout and "1 alerts rung" in r.stdout
    r = run_tool(d, "--spool", "dump", env={"SPOOL_DIR": s.env["SPOOL_DIR"]})
    assert len(r.stdout.splitlines()) == 19
    assert run_tool(d, "--spool", "nonsense").returncode == 2
    s.err.close(), s.out.close()
    cluster.start()
    s.start().ready()
    drained(s)
    assert len(ids(d)) == 20
    time.sleep(1.5)
    assert len(tg.of("sendMessage")) == 1


def test_envelopes_are_spooled_too(own, service):
    cluster, d = own
    s = service(database=d)
    a = s.post(event(0))
    assert a.status == 200, a.body.decode() + s.stderr[-2500:]
    cluster.stop()
    body = (json.dumps({"event_id": "a" * 32}) + "\n" + json.dumps({"type": "event"}) + "\n" +
            json.dumps({"message": "from an SDK", "platform": "python", "level": "error"}) + "\n").encode()
    a = s.request("POST", "/api/1/envelope/", body, {"X-Sentry-Auth": f"Sentry sentry_key={KEY}"})
    assert a.status == 200 and a.headers["X-Nabat-Spooled"] == "1" and a.json == {"id": "a" * 32}
    cluster.start()
    drained(s)
    assert "a" * 32 in ids(d)
