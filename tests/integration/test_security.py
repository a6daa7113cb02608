"""test_security.py -- who may do what over which way in: database roles, what others see of the process, the unit."""
import os
import pathlib
import shutil
import subprocess
import time

import psycopg2
import pytest
from conftest import CHAT, KEY, ROOT, TRACEBACK, run_tool, wait

ROLES = ("nabat_service", "nabat_triage", "nabat_reader")


@pytest.fixture
def roles(db):
    """deploy/roles.sql, run by the owner after --migrate; three roles that may log in."""
    assert run_tool(db, "--migrate").returncode == 0
    for _ in range(10):  # roles are the whole cluster's: another worker may make them in this moment
        r = subprocess.run(["psql", "-qX", "-v", "schema=public", "-f", str(ROOT / "deploy/roles.sql"), db.url],
                           capture_output=True, text=True, check=False)
        if r.returncode == 0:
            break
        time.sleep(0.2)
    assert r.returncode == 0, r.stderr
    names = {}
    for role in ROLES:  # of this test's own, since other tests' databases know the same roles
        name = f"{role}_{db.name}"
        db.sql(f"CREATE ROLE {name} LOGIN IN ROLE {role}")
        names[role] = name
    yield names
    for name in names.values():
        db.sql(f"DROP OWNED BY {name}")
        db.sql(f"DROP ROLE {name}")
    for role in ROLES:
        db.sql(f"DROP OWNED BY {role}")


def test_the_service_runs_with_the_least_that_it_needs(db, roles, service, tg):
    url = f"host={db.cluster.folder} user={roles['nabat_service']} dbname={db.name}"
    s = service(tg=tg, env={"DATABASE_URL": url, "GROUP_ROWS_PER_MINUTE": "3"})
    for _ in range(5):
        assert s.post({"message": "least privilege", "severity": "critical", "user_id": "u"}).status == 200
    tg.wait(lambda: tg.sent(CHAT), 10, "the ring")
    tg.push_message(CHAT, 11, "/errors")
    tg.wait(lambda: len(tg.sent(CHAT)) >= 2, 10, "an answer")
    db.sql("INSERT INTO bot_error_event (message) VALUES ('by SQL')")
    wait(lambda: db.one("SELECT count(*) FROM bot_error_event WHERE message = 'by SQL'") == 1, 5, "the inbox")
    today = db.one("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')")
    for table in ("event", "error_stack"):
        db.sql(f"ALTER TABLE {table} DETACH PARTITION {table}_{today}")
    db.sql(f"DROP TABLE event_{today}, error_stack_{today}")
    assert s.post({"message": "a missing day is made"}).status == 200
    assert "permission denied" not in s.stderr
    conn = db.open(roles["nabat_service"])
    for statement in ("CREATE TABLE x (a int)", "DROP TABLE project", "ALTER TABLE event ADD COLUMN x int",
                      "DELETE FROM nabat_migration"):
        with conn.cursor() as cur, pytest.raises(psycopg2.Error):
            cur.execute(statement)
    conn.close()


@pytest.mark.parametrize("role,may,may_not", [
    ("nabat_reader",
     ["SELECT * FROM bot_error_event", "SELECT * FROM error_group", "SELECT * FROM open_errors"],
     ["SELECT * FROM project", "SELECT * FROM telegram_update", "SELECT * FROM service_setting",
      "SELECT * FROM alert_channel", "SELECT * FROM event", "UPDATE error_group SET note = 'x'",
      "INSERT INTO bot_error_event (message) VALUES ('x')", "SELECT forget_user('u')", "SELECT resolve(1, 'x')"]),
    ("nabat_triage",
     ["SELECT * FROM bot_error_event", "UPDATE error_group SET note = 'x'",
      "UPDATE bot_error_event SET status = 'in_progress'", "INSERT INTO bot_error_event (message) VALUES ('x')"],
     ["SELECT * FROM project", "SELECT * FROM telegram_update", "SELECT * FROM alert_channel",
      "DELETE FROM error_group", "UPDATE error_group SET occurrences = 0", "DELETE FROM error_group_history",
      "UPDATE project SET public_key = repeat('0', 32)", "INSERT INTO chat_member (user_id, role) VALUES (1, 'owner')"]),
])
def test_roles_of_people(db, roles, service, role, may, may_not):
    s = service()
    s.post({"message": "x"})
    conn = db.open(roles[role])
    for statement in may:
        with conn.cursor() as cur:
            cur.execute(statement)
    for statement in may_not:
        with conn.cursor() as cur, pytest.raises(psycopg2.Error):
            cur.execute(statement)
    conn.close()


def test_what_others_see_of_the_process(service, tg, tmp_path):
    """No secret in the command line, the environment of others, /metrics, /health, or a core file."""
    s = service(tg=tg, env={"METRICS_TOKEN": "metrics-token-that-is-secret"})
    s.post({"message": "x", "severity": "critical"})
    pid = s.process.pid
    secrets = [b"AAStandin", KEY.encode(), b"metrics-token-that-is-secret"]
    seen = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes() + pathlib.Path(f"/proc/{pid}/comm").read_bytes()
    for path in ("/health", "/metrics", "/health/ready", "/health/live", "/nothing"):
        seen += s.get(path).body
    for what in secrets:
        assert what not in seen
    # PR_SET_DUMPABLE 0: what is /proc/PID's belongs to root, and no core file is written
    if os.geteuid() == 0:
        r = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "cat",
                            f"/proc/{pid}/environ"], capture_output=True, check=False)
        assert r.returncode != 0
    assert pathlib.Path(f"/proc/{pid}").stat().st_uid == 0


def test_the_spool_is_for_its_owner_alone(service):
    s = service()
    folder = pathlib.Path(s.env["SPOOL_DIR"])
    wait((folder / "mirror.json").exists, 15, "the mirror")
    assert folder.stat().st_mode & 0o077 == 0
    for f in folder.iterdir():
        assert f.stat().st_mode & 0o077 == 0, f


def test_the_unit_is_hardened():
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not here")
    r = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20",
                        str(ROOT / "deploy/systemd/nabat.service")], capture_output=True, text=True, check=False)
    assert r.returncode == 0, r.stdout[-300:]
    assert "Overall exposure level" in r.stdout


def test_the_list_of_what_it_is_linked_to():
    import json
    from conftest import BUILD
    program = str(BUILD / "bot/nabat")
    r = subprocess.run([str(ROOT / "deploy/sbom.sh"), program, "1.2.3"], capture_output=True, text=True, check=True)
    bom = json.loads(r.stdout)
    assert bom["bomFormat"] == "CycloneDX" and bom["metadata"]["component"]["version"] == "1.2.3"
    names = {c["name"] for c in bom["components"]}
    assert {"libpq5", "libev4", "libjansson4", "libzstd1", "zlib1g", "libc6"} <= names, names
    assert all(c["version"] and c["purl"].startswith("pkg:deb/debian/") for c in bom["components"])


def test_forget_user_leaves_nothing_in_any_table(db, service, tg):
    """Looked for in every column of every table, as text."""
    s = service(tg=tg)
    mark = "77788899901"
    s.post({"message": f"hello {mark}", "severity": "critical", "user_id": mark, "chat_id": int(mark),
            "session_id": mark, "request_id": mark, "trace_id": mark, "gen_request_id": mark,
            "payload": {"a": mark}, "tags": {"b": mark}, "exception": {"type": "E", "stacktrace": TRACEBACK + mark},
            "breadcrumbs": [{"message": mark}]})
    db.sql(f"INSERT INTO bot_error_event (message, user_id) VALUES ('x', '{mark}')")
    tg.wait(lambda: tg.sent(CHAT), 10, "the card")
    wait(lambda: db.one("SELECT count(*) FROM event_inbox") == 0, 5, "the inbox")
    s.post({"message": "another person", "user_id": "other", "exception": {"type": "E", "stacktrace": TRACEBACK}})
    db.sql("SELECT forget_user(%s)", mark)
    assert db.one("SELECT count(*) FROM bot_error_event WHERE stacktrace = %s", TRACEBACK) == 1
    tables = [r[0] for r in db.sql("SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = "
                                   "relnamespace WHERE nspname = 'public' AND relkind = 'r'")]
    left = {t for t in tables if db.one(f"SELECT count(*) FROM {t} x WHERE x::text LIKE %s", f"%{mark}%")}
    assert not left, left
