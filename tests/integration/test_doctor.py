"""test_doctor.py -- nabat --doctor finds what would bite later and names the remedy; --migrate --dry-run changes nothing."""
import datetime
import re
import subprocess
import threading
import time

from conftest import ROOT, wait


def doctor(tools, db, **env):
    r = tools(db, "--doctor", env=env)
    return r.returncode, r.stdout


def finding(out, grade, what):
    """The finding and its remedy."""
    m = re.search(rf"^{grade} +{what} +(.*)\n(?: +-> (.*)\n)?", out, re.M)
    assert m, f"no {grade} {what} in:\n{out}"
    return m.group(1), m.group(2)


def test_all_is_well(service, db, tools):
    service()
    code, out = doctor(tools, db)
    assert code == 0 and "FAIL" not in out and "warn" not in out, out
    for what in ("database", "clock", "durability", "vacuum", "days", "alerts", "growth", "disk", "limits"):
        finding(out, "ok", what)
    assert re.search(r"the store takes .* yesterday brought .*, so 30 days of it are ", out)


def test_each_finding_has_a_remedy(service, db, tools):
    s = service()
    s.post({"message": "boom", "severity": "critical"})
    wait(lambda: db.one("SELECT count(*) FROM alert_outbox WHERE state = 'sent'"), 10, "the ring")
    s.stop()
    name = db.name
    db.sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
    db.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = off")
    tomorrow = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)).strftime("%Y%m%d")
    db.sql(f"DROP TABLE event_{tomorrow}")
    db.sql("SELECT nabat_make_day((now() AT TIME ZONE 'UTC')::date - 60)")
    db.sql("UPDATE alert_outbox SET state = 'pending', created_at = now() - interval '1 hour'")
    db.sql("INSERT INTO event_inbox_failed (id, event_id, project_id, is_import, received_at, body, error) "
           "VALUES (1, 'x', 1, false, now(), '{}', 'no event at all')")
    db.sql("INSERT INTO forward_queue (event_id, body) SELECT n::text, '{}' FROM generate_series(1, 1500) n")
    slow = threading.Thread(target=lambda: db.open().cursor().execute("SELECT pg_sleep(14)"))
    slow.start()
    time.sleep(11)
    code, out = doctor(tools, db, STORE_MAX_BYTES="1")
    slow.join()
    assert code == 1
    text, remedy = finding(out, "warn", "queries")
    assert "has been at one statement for 00:00:1" in text and "pg_cancel_backend" in remedy
    text, remedy = finding(out, "FAIL", "durability")
    assert "synchronous_commit is off" in text and "ALTER SYSTEM" in remedy
    text, remedy = finding(out, "FAIL", "days")
    assert "there is no table for" in text and "nabat-prune" in remedy
    assert "the oldest day is" in out and "a timer, or a cron line" in out
    text, remedy = finding(out, "FAIL", "alerts")
    assert "alerts that wait: 1, since" in text and "/health" in remedy
    text, remedy = finding(out, "warn", "inserts")
    assert "no event at all" in text and "event_inbox_failed" in remedy
    text, remedy = finding(out, "warn", "backlog")
    assert "events that wait for SENTRY_DSN: 1500" in text


def test_warnings_alone_have_a_code_of_their_own(service, db, tools):
    service()
    db.sql("INSERT INTO event_inbox_failed (id, event_id, project_id, is_import, received_at, body, error) "
           "VALUES (1, 'x', 1, false, now(), '{}', 'no event at all')")
    code, out = doctor(tools, db)
    assert code == 3, out


def test_the_sql_of_a_migration_is_printed(db, tools):
    r = tools(db, "--migrate", "--dry-run")
    assert r.returncode == 0 and "CREATE TABLE event" in r.stdout and "---- 001_base.sql" in r.stdout
    count = len(list((ROOT / "sql").glob("*.sql")))
    assert f"{count} migrations would be applied" in r.stderr
    assert db.one("SELECT to_regclass('event')") is None
    # as it is, by psql, it does what the run would
    r = tools(db, "--migrate", "--dry-run", env={"DATABASE_SCHEMA": "by hand"})
    subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", db.url], input=r.stdout, text=True, check=True,
                   stderr=subprocess.DEVNULL)
    assert "0 migrations applied" in tools(db, "--migrate", env={"DATABASE_SCHEMA": "by hand"}).stdout
    assert db.one("SELECT to_regclass('event')") is None
    assert tools(db, "--migrate").returncode == 0
    r = tools(db, "--migrate", "--dry-run")
    assert r.returncode == 0 and r.stdout == "" and "0 migrations would be applied" in r.stderr
    db.sql("DELETE FROM nabat_migration WHERE version = (SELECT max(version) FROM nabat_migration)")
    r = tools(db, "--migrate", "--dry-run")
    assert "1 migration would be applied" in r.stderr and "001_base" not in r.stdout
    assert tools(db, "--dry-run").returncode == 2
