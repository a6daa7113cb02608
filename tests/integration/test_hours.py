"""test_hours.py -- the hours' counts are what the events themselves say, at every moment and whatever is killed."""
import datetime
import hashlib
import json
import os
import pathlib
import random
import threading
import time
import urllib.error
import uuid

import pytest
from conftest import ROOT, wait

EVENTS = int(os.environ.get("NABAT_HOURS_EVENTS", "20000"))
BY_KIND = """SELECT date_trunc('hour', e.received_at, 'UTC'), e.project_id::bigint, e.severity, e.origin, e.release, count(*),
    count(*) FILTER (WHERE e.id = (SELECT min(f.id) FROM event f WHERE f.group_id = e.group_id))::bigint
    FROM event e WHERE e.origin <> 'nabat_selftest' GROUP BY 1, 2, 3, 4, 5"""
BY_GROUP = """SELECT coalesce(g.merged_into, g.id), date_trunc('hour', e.received_at, 'UTC'), count(*)
    FROM event e JOIN error_group g ON g.id = e.group_id WHERE g.origin <> 'nabat_selftest' GROUP BY 1, 2"""


def same_as_events(db):
    """Both sides of one snapshot."""
    conn = db.open()
    conn.autocommit = False
    with conn, conn.cursor() as cur:
        cur.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        for view, columns, events in (("error_hours", "hour, project_id, severity, origin, release, events, made", BY_KIND),
                                      ("group_hours", "group_id, hour, events", BY_GROUP)):
            cur.execute(f"SELECT * FROM ((SELECT {columns} FROM {view}) EXCEPT ({events})) a")
            assert cur.fetchall() == []
            cur.execute(f"SELECT * FROM (({events}) EXCEPT (SELECT {columns} FROM {view})) a")
            assert cur.fetchall() == []
        cur.execute("SELECT count(*) FROM event")
        n = cur.fetchone()[0]
    conn.close()
    return n


def added_up(db):
    wait(lambda: db.one("SELECT count(*) FROM event_tally") == 0, 20, "batches that are added up")


def test_hours_count_what_events_say_through_kills(service, db):
    count_through_kills(service, db, EVENTS)


@pytest.mark.long
def test_hours_count_a_million_events_through_kills(service, db):
    """The release build: with sanitizers it takes a quarter of an hour."""
    count_through_kills(service, db, 10 ** 6, program=ROOT / "build/bot/nabat")


def count_through_kills(service, db, events_min, **kwargs):
    s = service(**kwargs)
    dice = random.Random(10)
    stop, sent, lock = threading.Event(), [0], threading.Lock()

    def body(rng):
        return [{"event_id": uuid.uuid4().hex, "message": f"trouble of kind {chr(97 + rng.randrange(26)) * 3}",
                 "severity": rng.choice(["error", "error", "warning", "info"]), "origin": rng.choice(["celery", "miniapp", "cron"]),
                 "release": rng.choice([None, "bot@1.4.2", "bot@1.5.0"]),
                 "user_id": rng.choice([None, rng.randrange(10 ** 9), 7, 8])} for _ in range(rng.randrange(1, 60))]

    def load(seed):
        rng = random.Random(seed)
        while not stop.is_set():
            events = body(rng)
            data = json.dumps(events).encode()
            for _ in range(100):  # until it is answered: repeats are part of the test
                try:
                    if s.post(data, timeout=5).status == 200:
                        with lock:
                            sent[0] += len(events)
                            if sent[0] >= events_min:
                                stop.set()
                        break
                except (OSError, urllib.error.URLError, ValueError):
                    pass
                time.sleep(0.02)

    workers = [threading.Thread(target=load, args=(i,)) for i in range(4)]
    for w in workers:
        w.start()
    for _ in range(6):
        time.sleep(0.2 + dice.random() * 0.6)
        s.kill()
        s.err.close(), s.out.close()
        s.start().ready()
        same_as_events(db)
    for w in workers:
        w.join()
    wait(lambda: s.is_direct() and not list(pathlib.Path(s.env["SPOOL_DIR"]).glob("*.spool")), 30, "an empty spool")
    assert same_as_events(db) >= events_min
    added_up(db)
    assert same_as_events(db) >= events_min
    n = db.one("SELECT sum(events) FROM event_hour")
    for table in ("group_hour", "project_hour"):
        assert db.one(f"SELECT sum(events) FROM {table}") == n, table
    assert db.one("SELECT (SELECT coalesce(sum(events), 0) FROM group_day) + (SELECT coalesce(sum(events), 0) FROM group_hour "
                  "WHERE hour >= value::timestamptz) FROM service_setting WHERE name = 'group_days_until'") == n, "days, and hours behind them"
    assert db.sql("SELECT DISTINCT group_id, release FROM group_release ORDER BY 1, 2") == db.sql(
        "SELECT DISTINCT group_id, release FROM event WHERE release IS NOT NULL ORDER BY 1, 2")
    assert db.one("SELECT sum(made) FROM project_hour") == db.one("SELECT count(*) FROM error_group")
    # who met most is named with what they met; and about how many there are, within four standard errors
    for user in ("7", "8"):
        met = db.one("SELECT count(*) FROM event WHERE user_id = %s", user)
        # of more than 500 events a second one in so many is named: by a die, so it errs as a die does
        for table in ("user_hour", "user_day"):
            assert abs(db.one(f"SELECT sum(events) FROM {table} WHERE user_id = %s", user) - met) <= met * 0.4, table
    users = db.one("SELECT count(DISTINCT user_id) FROM event")
    about = db.one("SELECT nabat_users(array_agg(registers)) FROM user_sketch WHERE NOT is_day")
    assert abs(about - users) <= max(3, 4 * 0.023 * users), (about, users)
    assert db.one("SELECT nabat_users(array_agg(registers)) FROM user_sketch WHERE is_day") == about
    assert db.one("SELECT max(c) FROM (SELECT count(*) AS c FROM user_day GROUP BY day, project_id) n") <= 2000


def test_a_sketch_is_what_its_definition_says(service, db):
    """An independent HyperLogLog of the same hash has the same registers."""
    service()
    users = [f"user-{i}" for i in range(3000)]
    registers = bytearray(2048)
    for u in users:
        h = hashlib.md5(u.encode()).hexdigest()
        place, rest = int(h[:4], 16) & 2047, int(h[4:16], 16)
        registers[place] = max(registers[place], 49 - rest.bit_length())
    half = db.one("SELECT nabat_sketch(NULL, %s)", users[:2000])
    whole = db.one("SELECT nabat_sketch(%s, %s)", bytes(half), users[1000:])
    assert bytes(whole) == bytes(registers)
    assert db.one("SELECT nabat_sketch(%s, %s)", bytes(whole), users) is None
    assert abs(db.one("SELECT nabat_users(ARRAY[%s]::bytea[])", bytes(whole)) - 3000) < 4 * 0.023 * 3000
    assert db.one("SELECT nabat_users(ARRAY[%s, %s]::bytea[])", bytes(half), bytes(whole)) == db.one(
        "SELECT nabat_users(ARRAY[%s]::bytea[])", bytes(whole))


def test_what_came_back_is_counted_with_its_release(service, db):
    s = service()
    s.post({"message": "one thing", "severity": "error", "release": "bot@1"})
    group = db.one("SELECT id FROM error_group")
    db.sql("SELECT resolve(%s, 'mended')", group)
    s.post({"message": "one thing", "severity": "error", "release": "bot@2"})
    wait(lambda: db.one("SELECT status FROM error_group") == "new", 10, "that it is open again")
    assert db.sql("SELECT release, events, made, regressed FROM error_hours ORDER BY 1") == [("bot@1", 1, 1, 0), ("bot@2", 1, 0, 1)]
    added_up(db)
    assert db.sql("SELECT release, made, regressed FROM group_release ORDER BY 1") == [("bot@1", 1, 0), ("bot@2", 0, 1)]
    assert db.sql("SELECT sum(made), sum(regressed) FROM project_hour") == [(1, 1)]


def test_users_without_end_do_not_fill_the_database_and_can_be_forgotten(service, db):
    s = service()
    for n in range(0, 2700, 900):
        s.post(json.dumps([{"message": "x", "severity": "error", "user_id": n + i} for i in range(900)]
                          + [{"message": "x", "severity": "error", "user_id": "often"}] * 3).encode())
        added_up(db)
    assert db.one("SELECT max(c) FROM (SELECT count(*) AS c FROM user_hour GROUP BY hour, project_id) n") <= 2000
    assert db.sql("SELECT user_id, sum(events) FROM user_day GROUP BY 1 ORDER BY 2 DESC LIMIT 1")[0][0] == "often"
    # once they are over fewer are named
    db.sql("UPDATE user_hour SET hour = hour - interval '1 day'; UPDATE user_day SET day = day - interval '1 day'; "
           "UPDATE service_setting SET value = (date_trunc('hour', now(), 'UTC') - interval '1 day')::text WHERE name = 'group_days_until'")
    wait(lambda: db.one("SELECT value::timestamptz = date_trunc('hour', now(), 'UTC') FROM service_setting WHERE name = 'group_days_until'"), 20, "closed")
    assert db.one("SELECT max(c) FROM (SELECT count(*) AS c FROM user_hour GROUP BY hour, project_id) n") == 250
    assert db.one("SELECT max(c) FROM (SELECT count(*) AS c FROM user_day GROUP BY day, project_id) n") == 500
    for table in ("user_hour", "user_day"):
        assert db.one(f"SELECT user_id FROM {table} ORDER BY events DESC LIMIT 1") == "often"
    # and who comes late, when a spool is replayed, makes them no longer
    late = {"user_hours": [db.one("SELECT min(hour) FROM user_hour").isoformat()] * 600, "user_projects": [1] * 600,
            "user_ids": [f"late {n}" for n in range(600)], "user_counts": [50] * 600}
    db.sql("SELECT nabat_fold_users(ARRAY[jsonb_populate_record(NULL::event_tally, %s::jsonb)])", json.dumps(late))
    assert db.one("SELECT max(c) FROM (SELECT count(*) AS c FROM user_hour GROUP BY hour, project_id) n") == 250
    assert db.one("SELECT max(c) FROM (SELECT count(*) AS c FROM user_day GROUP BY day, project_id) n") == 500
    assert db.one("SELECT count(*) FROM user_hour WHERE user_id = 'late 1'") == 1
    s.post({"message": "x", "severity": "error", "user_id": "often"})  # not added up yet, maybe
    db.sql("SELECT forget_user('often')")
    added_up(db)
    assert db.one("SELECT count(*) FROM user_hour WHERE user_id = 'often'") == 0
    assert db.one("SELECT count(*) FROM user_day WHERE user_id = 'often'") == 0


def test_what_is_merged_counts_with_its_root_and_the_self_test_not_at_all(service, db):
    s = service()
    ids = [s.post({"message": m, "severity": "error"}).json["ids"][0] for m in ("one thing", "another thing", "one thing")]
    s.post({"message": "is anybody there", "origin": "nabat_selftest"})
    groups = [db.one("SELECT group_id FROM event WHERE event_id = %s", i) for i in ids]
    db.sql("UPDATE error_group SET merged_into = %s WHERE id = %s", groups[0], groups[1])
    added_up(db)
    assert db.sql("SELECT group_id, events FROM group_hours WHERE group_id = ANY(%s)", groups) == [(groups[0], 3)]
    assert db.one("SELECT sum(events) FROM error_hours") == 3
    assert db.one("SELECT sum(events) FROM group_hours") == 3
    assert same_as_events(db) == 4


def test_releases_without_end_do_not_fill_the_database(service, db):
    s = service()
    for n in range(0, 2400, 800):
        events = [{"message": "the same trouble", "severity": "error", "origin": "celery", "release": f"build-{i}"}
                  for i in range(n, n + 800)]
        assert s.post(json.dumps(events).encode()).status == 200
        added_up(db)
    kinds = db.one("SELECT count(*) FROM event_hour")
    assert kinds <= 2 * 1001  # an hour may have ended meanwhile
    assert db.one("SELECT sum(events) FROM error_hours") == 2400
    assert db.one("SELECT sum(events) FROM error_hours WHERE release = '(other)'") >= 2400 - 2 * 1000
    # a kind that is known goes on being counted as itself
    s.post({"message": "the same trouble", "severity": "error", "origin": "celery", "release": "build-0"})
    added_up(db)
    assert db.one("SELECT sum(events) FROM error_hours WHERE release = 'build-0'") >= 2
    # and an origin that comes late is still its own
    s.post({"message": "another trouble", "severity": "error", "origin": "miniapp", "release": "bot@9"})
    added_up(db)
    assert db.sql("SELECT origin, release, events FROM error_hours WHERE origin = 'miniapp'") in (
        [("miniapp", "(other)", 1)], [("miniapp", "bot@9", 1)])  # an hour may have begun
    # origins without end are bounded, too
    for n in range(0, 600, 300):
        s.post(json.dumps([{"message": "x", "origin": f"made-up-{n + i}"} for i in range(300)]).encode())
        added_up(db)
    assert db.one("SELECT count(DISTINCT origin) FROM event_hour") <= 2 * 201
    assert db.one("SELECT sum(events) FROM error_hours WHERE origin = '(other)'") >= 600 - 2 * 200 or db.one(
        "SELECT count(DISTINCT hour) FROM event_hour") > 1


def test_hours_become_days_once(service, db, tools):
    s = service()
    for m in ("one thing", "another thing"):
        s.post({"message": m, "severity": "error", "release": "bot@1.4.2"})
    added_up(db)
    group, gone = (r[0] for r in db.sql("SELECT id FROM error_group ORDER BY id"))
    day = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    old = day - datetime.timedelta(days=100)
    for table, key in (("event_hour", "hour, 1, 'error', 'other', 'bot@1.4.2'"), ("group_hour", f"{group}, hour"),
                       ("group_hour", f"{gone + 1000}, hour"), ("project_hour", "hour, 1, 'error'")):
        columns = {"event_hour": "hour, project_id, severity, origin, release, events",
                   "project_hour": "hour, project_id, severity, events"}.get(table, "group_id, hour, events")
        db.sql(f"INSERT INTO {table} ({columns}) SELECT {key}, 5 FROM generate_series(%s, %s, interval '1 hour') AS hour",
               old, old + datetime.timedelta(hours=47))
    db.sql("INSERT INTO group_day (group_id, day, events) VALUES (%s, %s, 120)", group, old)
    dry = tools(db, "--dry-run", program="prune/nabat-prune")
    assert "144 hours added up to days" in dry.stdout, dry.stdout
    assert db.one("SELECT count(*) FROM event_day") == 0
    for _ in range(2):
        assert tools(db, program="prune/nabat-prune").returncode == 0
        assert db.sql("SELECT day, events FROM event_day ORDER BY 1") == [(old, 120), (old + datetime.timedelta(days=1), 120)]
        assert db.sql("SELECT day, events FROM project_day ORDER BY 1") == [(old, 120), (old + datetime.timedelta(days=1), 120)]
        # a group's days were there from the start, and nothing is added to them
        assert db.sql("SELECT events FROM group_day WHERE group_id = %s AND day = %s", group, old) == [(120,)]
        assert db.one("SELECT count(*) FROM group_hour WHERE hour < %s", day) == 0
    assert db.one("SELECT sum(events) FROM error_hours") == 2


def test_hours_that_are_over_are_in_their_day_and_take_what_comes_late(service, db):
    """As if today had been yesterday: what is counted by then is its day, what is replayed later is added."""
    s = service()
    for _ in range(3):
        s.post({"message": "one thing", "severity": "error"})
    added_up(db)
    assert db.one("SELECT count(*) FROM group_day") == 0
    db.sql("UPDATE group_hour SET hour = hour - interval '1 day'")
    db.sql("UPDATE service_setting SET value = (date_trunc('day', now(), 'UTC') - interval '1 day')::text WHERE name = 'group_days_until'")
    wait(lambda: db.sql("SELECT sum(events) FROM group_day") == [(3,)], 20, "the hours closed")
    assert db.one("SELECT value::timestamptz = date_trunc('hour', now(), 'UTC') FROM service_setting WHERE name = 'group_days_until'")
    db.sql("INSERT INTO event_tally (cells, hours, groups, projects, severities, origins, releases, counts) SELECT 1, ARRAY[max(hour)], "
           "ARRAY[max(group_id)], '{1}', '{error}', '{other}', '{\"\"}', '{2}' FROM group_hour")
    wait(lambda: db.sql("SELECT sum(events) FROM group_day") == [(5,)] == db.sql("SELECT sum(events) FROM group_hour"), 20, "what came late")


def test_events_from_before_are_counted_by_the_migration(service, db):
    """A store of a release that knew no hours."""
    s = service()
    for i in range(5):
        s.post({"message": "one thing", "severity": "error", "release": f"bot@1.4.{i % 2}"})
    s.stop()
    db.sql("DROP VIEW error_hours, group_hours, error_users; DROP TABLE event_tally CASCADE; "
           "DROP TABLE event_hour, event_day, group_hour, group_day, project_hour, project_day, group_release, user_hour, user_day, "
           "user_sketch, loss_hour; ALTER TABLE chat_setting DROP COLUMN dark_charts; DROP INDEX error_group_history_changed, error_group_first_seen, "
           "alert_outbox_sent; DROP FUNCTION nabat_fold(integer), nabat_hours_to_days(timestamptz), "
           "nabat_sketch(bytea, text[]), nabat_sketch_raise(bytea, bigint[], bigint[]), nabat_users(bytea[]), nabat_keep_most(timestamptz[]), nabat_forget_more(text), nabat_close_days(); "
           "DELETE FROM service_setting WHERE name = 'group_days_until'")
    for name in ("013_hours.sql", "017_statistics.sql"):
        db.sql((ROOT / "sql" / name).read_text())
    assert same_as_events(db) == 5
    assert db.one("SELECT count(*) FROM event_hour") == 2
    assert db.sql("SELECT sum(events), sum(made) FROM project_hour") == [(5, 1)]
    assert db.one("SELECT count(*) FROM group_day") == 0, "this hour is not over"
