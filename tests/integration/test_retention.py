"""test_retention.py -- RETENTION by class, examples of open errors, STORE_MAX_BYTES, ARCHIVE_DIR."""
import datetime
import json
import pathlib

import pytest
from conftest import CHAT, TRACEBACK, wait

UTC = datetime.timezone.utc


def today():
    return datetime.datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)


class Old:
    """Events of days that are past, made of today's by the database."""

    def __init__(self, db, service):
        self.db = db
        self.s = service()
        self.n = 0

    def day(self, ago):
        day = (today() - datetime.timedelta(days=ago)).date()
        self.db.sql("SELECT nabat_make_day(%s)", day)
        return day.strftime("%Y%m%d")

    def event(self, ago, message="boom", status="new", **fields):
        event_id = self.s.post({"message": message, "exception": {"type": "E", "value": message, "stacktrace": TRACEBACK},
                                "fingerprint": [message], **fields}).json["ids"][0]
        self.day(ago)
        at = today() - datetime.timedelta(days=ago)
        self.db.sql("INSERT INTO error_stack SELECT %s::date, hash, body, source FROM error_stack ON CONFLICT DO NOTHING", at.date())
        self.db.sql("UPDATE event SET received_at = %s, occurred_at = %s WHERE event_id = %s", at, at, event_id)
        self.db.sql("UPDATE error_group g SET first_seen = least(first_seen, %s), last_seen = %s, status = %s WHERE id = "
                    "(SELECT group_id FROM event WHERE event_id = %s)", at, at, status, event_id)
        return event_id


@pytest.fixture
def old(db, service):
    return Old(db, service)


def prune(tools, db, *args, **env):
    r = tools(db, *args, program="prune/nabat-prune", env=env)
    assert r.returncode == 0, r.stderr
    return r.stdout


def ids(db):
    return {r[0] for r in db.sql("SELECT event_id FROM bot_error_event")}


def days(db):
    return {r[0] for r in db.sql("SELECT right(inhrelid::regclass::text, 8) FROM pg_inherits WHERE inhparent = 'event'::regclass "
                                 "AND to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD') < (now() AT TIME ZONE 'UTC')::date")}


def test_classes_outlive_their_day_and_go_before_it(old, db, tools):
    critical = old.event(40, "critical one", "resolved", severity="critical")
    security = old.event(40, "of security", "resolved", origin="security", severity="info")
    plain = old.event(40, "plain one", "resolved", severity="error")
    debug_old, debug_new = (old.event(ago, "noise", "resolved", severity="debug") for ago in (5, 2))
    both = old.event(5, "noise of security", "resolved", severity="debug", origin="security")
    kept = old.event(5, "plain of last week", "resolved", severity="error")
    out = prune(tools, db, RETENTION="critical=180, security=365,debug=3")
    assert ids(db) == {critical, security, debug_new, both, kept}, out
    assert "2 of them are kept" in out and "1 events whose class is kept for less" in out
    row = db.sql("SELECT stacktrace, severity, status FROM bot_error_event WHERE event_id = %s", critical)
    assert row[0][0].startswith("Traceback") and row[0][1:] == ("critical", "resolved")
    # again: nothing more goes, and no day is written anew twice
    oid = db.one("SELECT 'event_%s'::regclass::oid" % old.day(5))
    prune(tools, db, RETENTION="critical=180, security=365,debug=3")
    assert ids(db) == {critical, security, debug_new, both, kept}
    assert db.one("SELECT 'event_%s'::regclass::oid" % old.day(5)) == oid
    # when the class is given up, what it kept goes
    prune(tools, db)
    assert ids(db) == {debug_new, both, kept}
    # and a day written anew takes events like before
    assert db.one("SELECT count(*) FROM pg_index WHERE indrelid = 'event_%s'::regclass" % old.day(5)) == db.one(
        "SELECT count(*) FROM pg_index WHERE indrelid = 'event_%s'::regclass" % datetime.datetime.now(UTC).strftime("%Y%m%d"))


def test_examples_of_open_errors(old, db, tools):
    first, *others = [old.event(40, "still open") for _ in range(6)]
    gone = old.event(40, "resolved long ago", "resolved")
    db.sql("UPDATE error_group SET status = 'new' WHERE title LIKE '%%still open%%'")
    prune(tools, db)
    assert ids(db) == {first, *others[-3:]} and gone not in ids(db)
    assert db.one("SELECT count(*) FROM bot_error_event WHERE stacktrace LIKE 'Traceback%%'") == 4
    more = [old.event(35, "still open") for _ in range(2)]
    db.sql("UPDATE error_group SET status = 'new' WHERE title LIKE '%%still open%%'")
    prune(tools, db)
    assert ids(db) == {first, others[-1], *more}, "the first, and the newest three"
    db.sql("UPDATE error_group SET status = 'resolved'")
    prune(tools, db)
    assert ids(db) == set()


def test_settings_that_are_none(tools, db):
    for value in ("critical", "critical=0", "critical=9999", "Critical=3", "a=1,,b=2", "a=1,", "a=1 b=2", "'=3"):
        r = tools(db, program="prune/nabat-prune", env={"RETENTION": value})
        assert r.returncode == 2 and "RETENTION" in r.stderr and "critical=180" in r.stderr, value


def test_names_of_other_tables_are_never_read_as_days(old, db, tools):
    """Whatever the planner looks at first: of pg_class all names, when it may not join row by row."""
    worst = {"PGOPTIONS": "-c enable_nestloop=off -c enable_mergejoin=off -c enable_indexscan=off -c enable_bitmapscan=off"}
    old.event(3, "of three days ago", "resolved", severity="warning")
    old.event(100, "of a hundred days ago", "resolved")
    assert "the oldest day is" in tools(db, "--doctor", env=worst).stdout
    out = prune(tools, db, RETENTION="warning=2", STORE_MAX_BYTES=str(1 << 40), **worst)
    assert days(db) == {old.day(3)} and ids(db) == set(), out
    assert "the oldest day is" not in tools(db, "--doctor", env=worst).stdout
    old.event(2, "of two days ago", "resolved")
    cap = db.one("SELECT nabat_store_bytes() - nabat_store_bytes(true)") + 8192
    prune(tools, db, STORE_MAX_BYTES=str(cap), **worst)
    assert days(db) == set()


def test_a_store_at_its_cap(old, db, tools, service, tg):
    """The oldest days go first; then today is only counted, and the chat hears of it once."""
    for ago in (3, 2, 1):
        for i in range(20):
            old.event(ago, f"of day {ago}", "resolved", payload={"bulk": [f"{i} {ago} {n}" for n in range(300)]})
    db.sql("VACUUM FULL")
    size = db.one("SELECT nabat_store_bytes()")
    assert len(days(db) & {old.day(n) for n in (1, 2, 3)}) == 3
    out = prune(tools, db, STORE_MAX_BYTES=str(size - 1000))
    assert days(db) & {old.day(n) for n in (1, 2, 3)} == {old.day(1), old.day(2)}, out
    assert db.one("SELECT nabat_store_bytes()") <= size - 1000
    assert "only counted" not in out
    cap = str(db.one("SELECT nabat_store_bytes() - nabat_store_bytes(true)") + 8192)
    out = prune(tools, db, STORE_MAX_BYTES=cap)
    assert days(db) == set() and "Events are only counted" in out
    old.s.stop()
    s = service(tg=tg, env={"STORE_MAX_BYTES": cap})
    wait(lambda: "the store is full" in s.stderr, 20, "the service to know")
    a = s.post({"message": "when it is full", "severity": "critical"})
    assert a.status == 200 and a.headers["X-Nabat-Counted"] == "1", a.headers
    assert s.post({"event_id": a.json["ids"][0], "message": "when it is full", "severity": "critical"}).status == 200
    assert db.sql("SELECT occurrences FROM error_group WHERE title LIKE '%%when it is full%%'") == [(1,)]
    tg.wait(lambda: [m for m in tg.sent(CHAT) if "when it is full" in str(m)], 20)
    told = tg.wait(lambda: [m for m in tg.sent(CHAT) if "has reached its limit" in str(m)], 20)
    prune(tools, db, STORE_MAX_BYTES=cap)
    assert len(told) == 1 and len([m for m in tg.sent(CHAT) if "has reached its limit" in str(m)]) == 1
    # a larger one: room again, within a look
    prune(tools, db, STORE_MAX_BYTES="1GiB")
    wait(lambda: "room again" in s.stderr, 40, "the service to know")
    assert "X-Nabat-Counted" not in s.post({"message": "kept again"}).headers


def rows_of(db, day):
    return {t: db.sql(f"SELECT t::text FROM {t}_{day} t ORDER BY 1") for t in ("event", "error_stack", "event_attachment")}


def test_a_day_archived_dropped_and_restored_is_equal(old, db, tools, tmp_path):
    day = old.day(40)
    for i in range(20):
        old.event(40, f"odd {i} \\ \" <&> 😀 \t\n é", "resolved", severity="critical", chat_id=-100123, user_id="7", tags={"a\\b": "c\"d"},
                  payload={"text": "line\nline\ttab \\N \\. \\x01", "n": 1.50, "big": 12345678901234567890, "nested": [None, True]},
                  breadcrumbs=[{"message": "x"}])
    db.sql(f"INSERT INTO event_attachment_{day} SELECT received_at::date, project_id, event_id, 1, 'a.bin', 'x/y', 4, '\\x00ff0a22' "
           f"FROM event_{day} LIMIT 1")
    db.sql(f"UPDATE event_{day} SET detail = '\\x28b52ffd00010a' WHERE id % 2 = 0")
    before = rows_of(db, day)
    assert len(before["event"]) == 20 and before["error_stack"] and before["event_attachment"]
    folder = tmp_path / "archive"
    out = prune(tools, db, ARCHIVE_DIR=folder, RETENTION="critical=60")
    assert f"archived as {folder}/nabat-{day}.ndjson.zst" in out and day not in days(db)
    manifest = json.loads((folder / f"nabat-{day}.json").read_text())
    assert manifest["rows"] == {"event": 20, "error_stack": len(before["error_stack"]), "event_attachment": 1}
    archive = folder / f"nabat-{day}.ndjson.zst"
    assert archive.stat().st_mode & 0o077 == 0
    assert db.one("SELECT count(*) FROM event_kept") == 20
    assert "restored" in prune(tools, db, "--restore", str(archive))
    assert rows_of(db, day) == before
    assert db.one("SELECT count(*) FROM bot_error_event") == 20, "what was kept is not there twice"
    # it stays for a week, and restoring again changes nothing
    prune(tools, db, ARCHIVE_DIR=folder)
    prune(tools, db, "--restore", str(archive))
    assert rows_of(db, day) == before
    # damage is named, and nothing comes of it
    damaged = bytearray(archive.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    archive.write_bytes(damaged)
    r = tools(db, "--restore", str(archive), program="prune/nabat-prune")
    assert r.returncode == 1 and "checksum" in r.stderr
    r = tools(db, "--restore", str(folder / "none.ndjson.zst"), program="prune/nabat-prune")
    assert r.returncode == 1 and "manifest" in r.stderr


def test_a_day_that_can_not_be_archived_stays(old, db, tools):
    old.event(40, "precious", "resolved")
    r = tools(db, program="prune/nabat-prune", env={"ARCHIVE_DIR": "/proc/nothing"})
    assert r.returncode == 1 and "/proc/nothing" in r.stderr and "can't write" in r.stderr
    assert old.day(40) in days(db) and len(ids(db)) == 1
    assert not list(pathlib.Path("/proc").glob("nothing"))


def test_an_archive_is_never_written_over(old, db, tools, tmp_path):
    """A run that ended half way, and events that came late: each part stays, and restoring both brings all of it back."""
    day, folder = old.day(40), tmp_path / "archive"
    for i in range(5):
        old.event(40, f"number {i}", "resolved")
    before = ids(db)
    # archived, its events' table detached and not dropped
    db.sql(f"CREATE TABLE blocker AS SELECT 1; BEGIN; LOCK TABLE error_stack_{day}; COMMIT")
    conn = db.open()
    conn.autocommit = False
    conn.cursor().execute(f"SELECT * FROM error_stack_{day}")
    r = tools(db, program="prune/nabat-prune", env={"ARCHIVE_DIR": folder, "PGOPTIONS": "-c lock_timeout=1000 -c statement_timeout=3000"})
    conn.rollback()
    conn.close()
    assert r.returncode == 1, r.stdout
    prune(tools, db, ARCHIVE_DIR=folder)
    assert json.loads((folder / f"nabat-{day}.json").read_text())["rows"]["event"] == 5
    assert day not in days(db) and not db.one(f"SELECT to_regclass('error_stack_{day}') IS NOT NULL")
    late = old.event(40, "late", "resolved")
    prune(tools, db, ARCHIVE_DIR=folder)
    assert json.loads((folder / f"nabat-{day}.json").read_text())["rows"]["event"] == 5
    assert json.loads((folder / f"nabat-{day}.2.json").read_text())["rows"]["event"] == 1
    # as many again, but others
    later = old.event(40, "late", "resolved")
    prune(tools, db, ARCHIVE_DIR=folder)
    assert json.loads((folder / f"nabat-{day}.3.json").read_text())["rows"]["event"] == 1
    for part in ("", ".2", ".3"):
        prune(tools, db, "--restore", str(folder / f"nabat-{day}{part}.ndjson.zst"))
    assert ids(db) == before | {late, later}


def test_what_is_detached_is_gone_on_with(old, db, tools, tmp_path):
    """Detached by a run that ended before it was kept: nothing of it is lost."""
    day, folder = old.day(40), tmp_path / "archive"
    critical = old.event(40, "critical one", "resolved", severity="critical")
    old.event(40, "plain one", "resolved")
    db.sql(f"ALTER TABLE event DETACH PARTITION event_{day}")
    assert ids(db) == set()
    prune(tools, db, ARCHIVE_DIR=folder, RETENTION="critical=180")
    assert ids(db) == {critical}
    assert json.loads((folder / f"nabat-{day}.json").read_text())["rows"]["event"] == 2
    assert db.one("SELECT stacktrace FROM bot_error_event").startswith("Traceback")


def test_restoring_less_than_was_kept_keeps_it(old, db, tools, tmp_path):
    day, folder = old.day(40), tmp_path / "archive"
    kept = old.event(40, "kept before there was an archive", "resolved", severity="critical")
    prune(tools, db, RETENTION="critical=180")
    late = old.event(40, "late", "resolved")
    prune(tools, db, ARCHIVE_DIR=folder, RETENTION="critical=180")
    prune(tools, db, "--restore", str(folder / f"nabat-{day}.ndjson.zst"))
    assert ids(db) == {kept, late}


def test_days_are_not_dropped_for_what_they_can_not_help(old, db, tools):
    event = old.event(2, "of two days ago")
    db.sql("INSERT INTO forward_queue (event_id, body) SELECT n::text, repeat(md5(n::text), 100) FROM generate_series(1, 20000) n")
    size = db.one("SELECT nabat_store_bytes()")
    assert db.one("SELECT pg_total_relation_size('forward_queue')") > 1000000
    prune(tools, db, STORE_MAX_BYTES=str(size + 100000))
    assert event in ids(db), "a queue is not the store"
    db.sql("INSERT INTO error_group (fingerprint, title, origin, severity, touched) SELECT md5(n::text), repeat('x', 200), 'x', 'error', "
           "true FROM generate_series(1, 5000) n")
    out = prune(tools, db, STORE_MAX_BYTES="500000")
    assert "dropping days does not help" in out and event in ids(db)


def test_errors_that_nobody_touched_go_in_the_end(old, db, tools):
    old.event(100, "once, long ago")
    old.event(40, "a month ago")
    touched = old.event(100, "somebody's")
    db.sql("UPDATE error_group SET status = 'new'")
    db.sql("UPDATE error_group SET touched = title LIKE '%%somebody%%'")
    for _ in range(2):
        prune(tools, db)
    assert [r[0] for r in db.sql("SELECT title FROM error_group ORDER BY title")] == ["a month ago", "somebody's"]
    assert touched in ids(db)


def test_thinning_takes_files_and_stacks_along(old, db, tools):
    gone = old.event(5, "noise", "resolved", severity="debug")
    stays = old.event(5, "plain", "resolved")
    for event_id in (gone, stays):
        db.sql("INSERT INTO event_attachment (received_day, project_id, event_id, n, name, bytes, body) SELECT received_at::date, 1, "
               "event_id, 1, 'a.txt', 1, 'a' FROM event WHERE event_id = %s", event_id)
    prune(tools, db, RETENTION="debug=3")
    assert db.sql("SELECT event_id FROM event_attachment") == [(stays,)]
    assert ids(db) == {stays}
    out = prune(tools, db, "--dry-run", RETENTION="error=2")
    assert "events whose class is kept for less" in out and ids(db) == {stays}
