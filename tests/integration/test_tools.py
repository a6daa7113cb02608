"""test_tools.py -- settings, flags, exit codes, --check, --selftest, --dsn, prune."""
import re
import shutil
import subprocess
import threading
import time

import pytest
from conftest import BUILD, CHAT, KEY, ROOT, wait
import telegram


def tg_env(tg, **more):
    return {"TELEGRAM_BOT_TOKEN": telegram.TOKEN, "TELEGRAM_API_URL": tg.url,
            "ERROR_ALERT_CHAT_ID": str(CHAT), **more}


WRONG = [
    ({"PORT": "99999"}, ["PORT", "99999", "1 to 65535"]),
    ({"ERROR_ALERT_COOLDOWN": "5 apples"}, ["ERROR_ALERT_COOLDOWN", "5 apples", "10m"]),
    ({"ERROR_LOG_RETENTION_DAYS": "0"}, ["ERROR_LOG_RETENTION_DAYS", "1 to 3650"]),
    ({"ERROR_ALERT_MIN_SEVERITY": "loud"}, ["ERROR_ALERT_MIN_SEVERITY", "debug info warning"]),
    ({"INGEST_KEY": "not-hex-at-all"}, ["INGEST_KEY", "32 hexadecimal"]),
    ({"TELEGRAM_API_URL": "ftp://x"}, ["TELEGRAM_API_URL", "ftp://x", "http://"]),
    ({"ERROR_ADMIN_IDS": "1,two"}, ["ERROR_ADMIN_IDS", "1,two"]),
    ({"TIME_ZONE": "Mars/Base"}, ["TIME_ZONE", "Mars/Base", "Europe/Moscow"]),
    ({"BOT_LANGUAGE": "fr"}, ["BOT_LANGUAGE", "ru en"]),
    ({"HTTP_BODY_MEMORY": "1KiB"}, ["HTTP_BODY_MEMORY", "1KiB"]),
    ({"ERROR_ALERT_CHAT_ID": "@name"}, ["ERROR_ALERT_CHAT_ID", "@name"]),
    ({"LAVA_FALLBACK_CHAT_ID": "x"}, ["LAVA_FALLBACK_CHAT_ID", "x"]),
    ({"TELEGRAM_BOT_TOKEN": "secretbad"}, ["TELEGRAM_BOT_TOKEN", "@BotFather"]),
    ({"DATABASE_URL": "host=/x port=zz"}, ["DATABASE_URL", "port"]),
    ({"DATABASE_URL": "postgres://u:secret@[h/x"}, ["DATABASE_URL", "libpq URI"]),
]


@pytest.mark.parametrize("env, said", WRONG)
def test_wrong_settings_are_named(db, tools, env, said):
    r = tools(db, "--dsn", env=env)
    assert r.returncode == 2, r.stderr
    for word in said:
        assert word in r.stderr
    assert "secret@" not in r.stderr and "secretbad" not in r.stderr and "not-hex-at-all" not in r.stderr


@pytest.mark.parametrize("args, said", [
    (["--frob"], "--frob"), (["--owner"], "--owner takes ID"), (["--owner", "abc"], "abc"),
    (["--migrate", "--check"], "--check"), (["--env-file", "/nope"], "/nope")])
def test_wrong_usage(db, tools, args, said):
    r = tools(db, *args)
    assert r.returncode == 2 and said in r.stderr


def test_help_version_example(db, tools, tmp_path):
    out = tools(db, "--help").stdout
    example = tools(db, "--env-example").stdout
    assert example == (ROOT / ".env.example").read_text()
    names = re.findall(r"^#([A-Z_]+)=", example, re.M)
    assert len(names) > 20 and all(n in out for n in names)
    assert tools(db, "--version").stdout.startswith("nabat ")
    shutil.copy(BUILD / "bot/nabat", tmp_path / "nabat")  # away from any private database
    r = subprocess.run([tmp_path / "nabat"], env={}, cwd=tmp_path, capture_output=True, text=True,
                       timeout=20)
    assert r.returncode == 2 and "DATABASE_URL is not set" in r.stderr


def test_env_file(db, tools, tmp_path):
    f = tmp_path / "env"
    f.write_text("# comment\nexport PORT=\"0x\"\nLOG_LEVEL='debug' # why\n")
    r = tools(db, "--dsn", "--env-file", str(f))
    assert r.returncode == 2 and 'PORT is "0x"' in r.stderr
    assert tools(db, "--migrate", "--env-file", str(f), env={"PORT": "80"}).returncode == 0
    f.write_text("this is no pair\n")
    assert "line 1" in tools(db, "--dsn", "--env-file", str(f)).stderr
    f.write_text("ERROR_TYPO=1\nNABAT_DSN=x\n")
    err = tools(db, "--migrate", "--env-file", str(f)).stderr
    assert "ERROR_TYPO" in err and "NABAT_DSN" not in err


def test_check(db, tools, tg, service):
    r = tools(db, "--check")
    assert r.returncode == 1 and "FAIL  database" in r.stdout
    service()
    r = tools(db, "--check", env=tg_env(tg))
    assert r.returncode == 0, r.stdout
    assert re.findall(r"^(\w+) +(\w+)", r.stdout, re.M) == [
        ("ok", "settings"), ("ok", "database"), ("ok", "token"), ("ok", "webhook"), ("ok", "chat")]
    tg.webhook = "https://other"
    r = tools(db, "--check", env=tg_env(tg, ERROR_ALERT_CHAT_ID="-42"))
    assert r.returncode == 1 and "FAIL  webhook" in r.stdout and "chat not found" in r.stdout
    r = tools(db, "--check", env=tg_env(tg, TELEGRAM_BOT_TOKEN="1:" + "b" * 35))
    assert "FAIL  token" in r.stdout and "401" in r.stdout and "FAIL  chat" in r.stdout


def test_selftest_alone_and_beside_a_service(db, tools, tg, service):
    for beside in (False, True):
        if beside:
            service(tg=tg)
        r = tools(db, "--selftest", env=tg_env(tg))
        assert r.returncode == 0, r.stderr
        event = re.search(r"event ([0-9a-f]{32})", r.stdout).group(1)
        message = int(re.search(r"message (\d+)", r.stdout).group(1))
        assert db.one("SELECT status FROM bot_error_event WHERE event_id = %s", event) == "resolved"
        assert tg.messages[(CHAT, message)]["text"]
    assert db.sql("SELECT * FROM error_stats_24h") == []
    tg.chats[CHAT]["gone"] = "bot was kicked from the supergroup chat"
    r = tools(db, "--selftest", env=tg_env(tg))
    assert r.returncode == 1 and "kicked" in r.stderr


def test_dsn_and_owner(db, tools, service):
    assert tools(db, "--dsn").returncode == 1
    service()
    r = tools(db, "--dsn", env={"PUBLIC_URL": "https://errors.example.org/n/"})
    assert r.stdout == f"default\thttps://{KEY}@errors.example.org/n/1\n"
    r = tools(db, "--dsn", env={"RAILWAY_PUBLIC_DOMAIN": "n.up.railway.app"})
    assert f"https://{KEY}@n.up.railway.app/1" in r.stdout
    assert tools(db, "--owner", "5").returncode == 0
    assert db.one("SELECT role FROM chat_member WHERE user_id = 5") == "owner"


# ---------------------------------------------------------------------------------------- prune

def fill_days(db, days):
    db.sql("INSERT INTO error_group (project_id, fingerprint, title, origin, severity, last_seen) "
           "SELECT 1, 'f' || n, 'old ' || n, 'x', 'error', now() - n * interval '1 day' "
           "FROM generate_series(0, %s) n", days)
    for n in range(days + 1):
        db.sql("SELECT nabat_make_day((now() AT TIME ZONE 'UTC')::date - %s)", n)
        db.sql("INSERT INTO event (id, received_at, occurred_at, group_id, project_id, event_id, "
               "severity, origin) SELECT nextval('event_id_seq'), now() - %s * interval '1 day', "
               "now(), (SELECT id FROM error_group WHERE fingerprint = 'f' || %s), 1, "
               "md5(%s || '/' || i), 'error', 'x' FROM generate_series(1, 10) i", n, n, n)


def test_prune_drops_whole_days_beside_a_service(db, tools, service):
    s = service()
    fill_days(db, 40)
    db.sql("UPDATE error_group SET note = 'a person was here' WHERE fingerprint = 'f39'")
    db.sql("SELECT mute(id, '1 day') FROM error_group WHERE fingerprint = 'f38'")
    db.sql("CREATE FUNCTION no_delete() RETURNS trigger LANGUAGE plpgsql AS "
           "$$ BEGIN RAISE EXCEPTION 'an event was deleted'; END $$")
    db.sql("CREATE TRIGGER no_delete BEFORE DELETE ON event FOR EACH ROW EXECUTE FUNCTION no_delete()")
    stop, errors = threading.Event(), []

    def load():
        while not stop.is_set():
            a = s.post({"message": "meanwhile"})
            if a.status != 200:
                errors.append(a.body)

    t = threading.Thread(target=load)
    t.start()
    try:
        dry = tools(db, "--dry-run", program="prune/nabat-prune")
        assert dry.returncode == 0 and "would drop 10 days: 100 rows" in dry.stdout, dry.stdout
        assert db.one("SELECT count(*) FROM event WHERE origin = 'x'") == 410
        runs = []
        pruners = [threading.Thread(target=lambda: runs.append(
            tools(db, program="prune/nabat-prune"))) for _ in range(2)]
        for p in pruners:
            p.start()
        for p in pruners:
            p.join()
        assert [r.returncode for r in runs] == [0, 0], runs
        assert any("dropped 10 days: 100 rows" in r.stdout for r in runs), [r.stdout for r in runs]
    finally:
        stop.set()
        t.join()
    assert not errors, errors[:3]
    assert db.one("SELECT count(*) FROM event WHERE origin = 'x'") == 310
    assert db.one("SELECT count(*) FROM pg_class WHERE relname ~ '^(event|error_stack)_[0-9]{8}$'") \
        == 2 * (31 + 3)
    left = {r[0] for r in db.sql("SELECT fingerprint FROM error_group")}
    assert "f39" in left and "f38" in left and "f35" not in left and "f30" in left
    db.sql("CREATE TABLE event_20200101 (mine text)")
    again = tools(db, program="prune/nabat-prune")
    assert db.one("SELECT to_regclass('event_20200101')"), "a table that is not ours stays"
    assert "dropped 0 days: 0 rows" in again.stdout


def test_prune_finishes_an_interrupted_detach(db, tools, service):
    service()
    fill_days(db, 33)
    day = db.one("SELECT to_char((now() AT TIME ZONE 'UTC')::date - 33, 'YYYYMMDD')")
    reader = db.open()
    reader.autocommit = False
    with reader.cursor() as cur:
        cur.execute("SELECT count(*) FROM event")
    p = subprocess.Popen(["psql", "-h", str(db.cluster.folder), "-U", "nabat", db.name, "-c",
                          f"ALTER TABLE event DETACH PARTITION event_{day} CONCURRENTLY"],
                         stderr=subprocess.DEVNULL)
    wait(lambda: db.one("SELECT count(*) FROM pg_inherits WHERE inhdetachpending") == 1, 5)
    db.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'ALTER TABLE "
           "event DETACH%%'")
    p.wait()
    reader.rollback()
    reader.close()
    r = tools(db, program="prune/nabat-prune")
    assert r.returncode == 0 and "dropped 3 days: 30 rows" in r.stdout, r.stdout + r.stderr
    assert db.one("SELECT to_regclass(%s)", f"event_{day}") is None


@pytest.mark.parametrize("days", ["0", "-1", "x", "4000", "1.5"])
def test_prune_refuses_nonsense(db, tools, days):
    r = tools(db, "--days", days, program="prune/nabat-prune")
    assert r.returncode == 2 and days in r.stderr and "1 to 3650" in r.stderr


def test_prune_does_not_wait_long_for_a_writer(db, tools, service):
    """Who waits for the writers' lock holds up all of them: groups without events stay until the next run."""
    service()
    fill_days(db, 33)
    writer = db.open()
    writer.autocommit = False
    with writer.cursor() as cur:
        cur.execute("SELECT pg_advisory_xact_lock_shared(hashtext('nabat.groups'))")
    r = tools(db, program="prune/nabat-prune")
    assert r.returncode == 0 and "dropped 3 days" in r.stdout and "until the next run" in r.stdout, r.stdout + r.stderr
    assert db.one("SELECT count(*) FROM error_group") == 34
    writer.rollback()
    writer.close()
    r = tools(db, program="prune/nabat-prune")
    assert "3 groups" in r.stdout and db.one("SELECT count(*) FROM error_group") == 31, r.stdout + r.stderr
