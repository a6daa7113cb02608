"""test_store.py -- what an admin does in plain psql: the owner, and an ordinary role with grants."""
import threading

import psycopg2
import pytest
from conftest import ROOT, wait


@pytest.fixture
def filled(service, db):
    s = service()
    for n in range(3):
        s.post([{"message": f"error {'abc'[n]}", "severity": "error", "user_id": i,
                 "payload": {"n": i}, "exception": {"type": "E", "stacktrace": "x" * 3000}}
                for i in range(4)])
    db.s = s
    return db


@pytest.fixture
def joe(filled):
    name = "joe_" + filled.name
    filled.sql(f"CREATE ROLE {name} LOGIN")
    filled.sql(f"GRANT SELECT, INSERT, UPDATE ON bot_error_event TO {name}")
    filled.sql(f"GRANT SELECT, UPDATE (status, assigned_to, assigned_to_id, note, muted_until, "
               f"muted_until_count) ON error_group TO {name}")
    filled.sql(f"GRANT SELECT ON error_group_history, open_errors, error_stats_24h TO {name}")
    conn = filled.open(name)
    yield conn
    conn.close()
    filled.sql(f"DROP OWNED BY {name}")
    filled.sql(f"DROP ROLE {name}")


def run(conn, sql, *params):
    with conn.cursor() as cur:
        cur.execute(sql, params or None)
        return cur.fetchall() if cur.description else cur.rowcount


def test_ordinary_role_works_the_view(filled, joe):
    event = run(joe, "SELECT id FROM bot_error_event WHERE group_id = 1 ORDER BY id LIMIT 1")[0][0]
    assert run(joe, "UPDATE bot_error_event SET status = 'in_progress' WHERE id = %s", event) == 1
    assert run(joe, "SELECT DISTINCT status FROM bot_error_event WHERE group_id = 1") == [
        ("in_progress",)]
    row = run(joe, "SELECT actor, source FROM error_group_history")[0]
    assert row[0].startswith("joe_") and row[1] == "psql"
    new = run(joe, "INSERT INTO bot_error_event (origin, severity, message) "
                   "VALUES ('x', 'critical', 'by joe') RETURNING id, event_id, status")[0]
    assert new[2] == "new" and len(new[1]) == 32
    wait(lambda: run(joe, "SELECT 1 FROM bot_error_event WHERE id = %s", new[0]), 3, "visible")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        run(joe, "DELETE FROM bot_error_event")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        run(joe, "UPDATE error_group SET occurrences = 0")
    assert run(joe, "SELECT resolve(2, 'done'), take(3, 'joe')")
    assert run(joe, "SELECT status, note, assigned_to FROM error_group WHERE id IN (2, 3) "
                    "ORDER BY id") == [("resolved", "done", None), ("in_progress", None, "joe")]


@pytest.mark.parametrize("change", ["message = 'x'", "severity = 'info'", "payload = '{}'",
                                    "stacktrace = NULL", "status = 'resolved', origin = 'z'"])
def test_other_columns_are_refused(filled, change):
    with pytest.raises(psycopg2.errors.FeatureNotSupported) as e:
        filled.sql(f"UPDATE bot_error_event SET {change} WHERE group_id = 1")
    assert "only status" in str(e.value) and "error_group" in str(e.value)
    assert filled.one("SELECT status FROM error_group WHERE id = 1") == "new"


def test_unchanged_columns_are_tolerated(filled):
    conn = filled.open()
    with conn.cursor() as cur:
        cur.execute("UPDATE bot_error_event SET status = 'resolved', message = message, payload = "
                    "payload, stacktrace = stacktrace, occurred_at = occurred_at WHERE group_id = 1 "
                    "RETURNING id")
        assert cur.rowcount == 1 and cur.fetchone()[0] > 0
    conn.close()
    assert filled.one("SELECT count(*) FROM bot_error_event WHERE status = 'resolved'") == 4


def test_two_claim_one_wins(filled):
    event = filled.one("SELECT min(id) FROM bot_error_event")
    for _ in range(5):
        filled.sql("UPDATE error_group SET status = 'new', note = 'keep me' WHERE id = 1")
        a, b = filled.open(), filled.open()
        a.autocommit = b.autocommit = False
        claim = "UPDATE bot_error_event SET status = 'in_progress' WHERE id = %s AND status = 'new'"
        first = run(a, claim, event)
        second = []
        t = threading.Thread(target=lambda: second.append(run(b, claim, event)))
        t.start()
        t.join(0.2)
        a.commit()
        t.join()
        b.commit()
        a.close(), b.close()
        assert (first, second[0]) == (1, 0)
        assert filled.one("SELECT note FROM error_group WHERE id = 1") == "keep me"


BAD_INSERTS = [
    ("(message, id) VALUES ('a', 5)", "id is set by nabat"),
    ("(message, group_id) VALUES ('a', 1)", "group_id is set by nabat"),
    ("(message, received_at) VALUES ('a', now())", "received_at is set by nabat"),
    ("(message, severity) VALUES ('a', 'loud')", "it takes debug, info"),
    ("(message, status) VALUES ('a', 'open')", "it takes new"),
    ("(message, project_id) VALUES ('a', 99)", "there is no such project"),
    ("(origin) VALUES ('a')", "nothing to show"),
    ("(message, event_id) VALUES ('a', 'xyz')", "32 hexadecimal digits"),
    ("(message, payload) VALUES ('a', '[1]')", "take JSON objects"),
    ("(message) VALUES (repeat('a', 1100000))", "over the limit of 1 MiB"),
]


@pytest.mark.parametrize("insert, why", BAD_INSERTS)
def test_bad_inserts_are_refused(filled, insert, why):
    with pytest.raises(psycopg2.Error) as e:
        filled.sql("INSERT INTO bot_error_event " + insert)
    assert why in str(e.value)


def test_imports_never_ring_and_set_only_new_groups(filled, tg):
    filled.sql("INSERT INTO bot_error_event (message, severity, status, exception_type) VALUES "
               "('old one', 'critical', 'resolved', NULL), ('error a', 'critical', 'resolved', 'E')")
    with_import = filled.open()
    run(with_import, "SET nabat.import = on")
    run(with_import, "INSERT INTO bot_error_event (message, severity) VALUES ('third', 'critical')")
    with_import.close()
    wait(lambda: filled.one("SELECT count(*) FROM bot_error_event") == 15, 5, "the rows")
    assert filled.sql("SELECT title, status FROM error_group WHERE title IN ('old one', 'error a', "
                      "'third') ORDER BY 1") == [
        ("error a", "new"), ("old one", "resolved"), ("third", "new")]
    assert filled.one("SELECT count(*) FROM alert_outbox") == 0


def test_delete_history_and_forget(filled):
    with pytest.raises(psycopg2.errors.FeatureNotSupported) as e:
        filled.sql("DELETE FROM bot_error_event")
    assert "nabat-prune" in str(e.value) and "forget_user" in str(e.value)
    filled.sql("SELECT take(1, 'x')")
    for sql in ("DELETE FROM error_group_history", "UPDATE error_group_history SET actor = 'y'"):
        with pytest.raises(psycopg2.errors.RaiseException):
            filled.sql(sql)
    assert filled.one("SELECT forget_user('2')") == 3
    assert filled.one("SELECT count(*) FROM bot_error_event WHERE user_id = '2'") == 0
    assert filled.one("SELECT count(*) FROM group_user WHERE user_id = '2'") == 0


def test_stacks_are_stored_once_and_ids_grow(filled):
    assert filled.one("SELECT count(*) FROM error_stack") == 1
    assert filled.one("SELECT count(*) FROM bot_error_event WHERE length(stacktrace) = 3000") == 12
    ids = [r[0] for r in filled.sql("SELECT id FROM bot_error_event ORDER BY received_at, id")]
    assert ids == sorted(ids) and len(set(ids)) == 12
    assert filled.one("SELECT users_affected FROM error_group WHERE id = 1") == 4


def test_views(filled):
    assert len(filled.sql("SELECT * FROM open_errors")) == 3
    assert filled.sql("SELECT events, groups, users FROM error_stats_24h") == [(12, 3, 4)]


def test_schema_of_its_own_and_foreign_relations(db, tools):
    db.sql("CREATE TABLE project (mine text)")
    r = tools(db, "--migrate")
    assert r.returncode == 1 and "public.project" in r.stderr and "DATABASE_SCHEMA" in r.stderr
    assert db.one("SELECT count(*) FROM pg_class WHERE relname = 'event'") == 0
    env = {"DATABASE_SCHEMA": 'we"ird schema'}
    assert tools(db, "--migrate", env=env).returncode == 0
    assert db.one("SELECT count(*) FROM information_schema.tables WHERE table_schema = "
                  "'we\"ird schema' AND table_name = 'event'") == 1


def test_works_in_another_schema(service, db):
    s = service(env={"DATABASE_SCHEMA": "errors"})
    assert s.post({"message": "in a schema", "severity": "critical"}).status == 200
    db.sql("INSERT INTO errors.bot_error_event (message) VALUES ('sql too')")
    wait(lambda: db.one("SELECT count(*) FROM errors.bot_error_event") == 2, 5, "both rows")
    db.sql("SELECT errors.resolve(1)")
    assert db.one("SELECT status FROM errors.error_group WHERE id = 1") == "resolved"


def test_service_without_rights_names_migrate(db, cluster):
    from conftest import Service
    db.sql(f"CREATE ROLE weak_{db.name} LOGIN")
    s = Service(db, {"DATABASE_URL": f"host={cluster.folder} user=weak_{db.name} dbname={db.name}"})
    assert s.process.wait(20) == 1
    assert "nabat --migrate" in s.stderr
    s.close()
    db.sql(f"DROP ROLE weak_{db.name}")


def test_one_refused_insert_does_not_take_others_along(service, db):
    service()
    for n, project in ((1, 1), (2, 99), (3, 1)):  # past the trigger: no such project
        db.sql("INSERT INTO event_inbox (id, event_id, project_id, body) VALUES "
               "(nextval('event_id_seq'), %s, %s, %s)", f"{n:032x}", project,
               '{"message":"row %d","event_id":"%032x"}' % (n, n))
    wait(lambda: db.one("SELECT count(*) FROM event_inbox") == 0, 8, "the inbox emptied")
    assert [r[0] for r in db.sql("SELECT message FROM bot_error_event ORDER BY id")] == [
        "row 1", "row 3"]
    assert db.sql("SELECT project_id, error LIKE '%%23503%%' FROM event_inbox_failed") == [(99, True)]


def test_an_upgrade_beside_a_writer(db, tools):
    """A live store of release 010, and somebody who writes: a file at a time, behind the writers, and no deadlock."""
    files = sorted((ROOT / "sql").glob("*.sql"))
    db.sql("CREATE TABLE nabat_migration (version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())")
    for f in files[:10]:
        db.sql("SET search_path = public, pg_temp; " + f.read_text())
        db.sql("INSERT INTO nabat_migration (version, name) VALUES (%s, %s)", int(f.name[:3]), f.name)
    db.sql("INSERT INTO project (id, slug, public_key) VALUES (1, 'default', repeat('0', 32))")
    db.sql("INSERT INTO error_group (fingerprint, title, origin, severity) SELECT md5(n::text), repeat('words of an error ', 20), 'celery', "
           "'error' FROM generate_series(1, 60000) n")
    stop, broken, rounds = threading.Event(), [], [0]

    def write():
        conn = db.open()
        conn.autocommit = False
        cur = conn.cursor()
        while not stop.is_set():
            try:  # as a batch that looks up: the lock, then one table after the other
                cur.execute("SET LOCAL lock_timeout = '5s'")
                cur.execute("SELECT pg_advisory_xact_lock_shared(hashtext('nabat.groups'))")
                cur.execute("SELECT count(*) FROM event WHERE received_at > now() - interval '1 day'")
                cur.execute("UPDATE error_group SET occurrences = occurrences + 1 WHERE id = 1")
                conn.commit()
                rounds[0] += 1
            except psycopg2.Error as e:
                broken.append(e.pgcode)
                conn.rollback()
        conn.close()

    writers = [threading.Thread(target=write) for _ in range(3)]
    for w in writers:
        w.start()
    r = tools(db, "--migrate")
    stop.set()
    for w in writers:
        w.join()
    assert r.returncode == 0 and f"{len(files) - 10} migrations applied" in r.stdout, r.stderr
    assert "40P01" not in broken, broken
    assert db.one("SELECT occurrences FROM error_group WHERE id = 1") == rounds[0] > 0


def test_the_extension_is_not_ours(db, tools):
    """pg_trgm is the database's: a schema of ours can be dropped, and another one's index stays."""
    for schema in ("first", "second"):
        assert tools(db, "--migrate", env={"DATABASE_SCHEMA": schema}).returncode == 0
    assert db.one("SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'pg_trgm'") == "public"
    db.sql("DROP SCHEMA first CASCADE")
    assert db.one("SELECT to_regclass('second.error_group_words') IS NOT NULL")
