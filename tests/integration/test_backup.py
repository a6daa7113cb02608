"""test_backup.py -- docs/backup.md, done: dumps and physical copies, restored under this release, from an older one and
from a newer one."""
import os
import pathlib
import shutil
import subprocess
import tempfile

from conftest import CHAT, ROOT, Cluster, Database, Service
from test_spool import drained, ids, own  # noqa: F401


def command(*args, **kwargs):
    r = subprocess.run([str(a) for a in args], capture_output=True, text=True, check=False, **kwargs)
    assert r.returncode == 0, r.stderr
    return r.stdout


def restored(cluster, dump):
    d = Database(cluster)
    command("pg_restore", "--exit-on-error", "--no-owner", "-h", cluster.folder, "-U", "nabat", "-d", d.name, dump)
    return d


def test_a_dump_of_a_running_service_is_whole(db, service, tg, cluster, tmp_path):
    s = service(tg=tg)
    for n in range(30):
        s.post({"event_id": f"{n + 1:032x}", "message": f"letter {chr(97 + n % 5)}", "severity": "critical"})
    tg.wait(lambda: len(tg.sent(CHAT)) == 5, 20, "the cards")
    db.sql("SELECT resolve(1, 'done')")
    dump = tmp_path / "nabat.dump"
    command("pg_dump", "-Fc", "-h", cluster.folder, "-U", "nabat", "-f", dump, db.name)
    before = db.sql("SELECT id, title, status, occurrences, note FROM error_group ORDER BY id")
    newest = db.one("SELECT max(id) FROM bot_error_event")
    s.stop()
    d = restored(cluster, dump)
    try:
        assert d.sql("SELECT id, title, status, occurrences, note FROM error_group ORDER BY id") == before
        sent = len(tg.of("sendMessage"))
        again = service(database=d, tg=tg)
        again.post({"event_id": f"{3:032x}", "message": "letter c"})
        again.post({"message": "letter b", "severity": "critical"})
        again.post({"message": "after the restore"})
        assert d.one("SELECT count(*) FROM bot_error_event") == 32, "a repeat is still known"
        assert d.one("SELECT max(id) FROM bot_error_event") > newest
        assert d.one("SELECT max(id) FROM error_group") == len(before) + 1
        tg.wait(lambda: any("7 times" in m["text"] for m in tg.sent(CHAT)), 15, "the old card counts on")
        assert len(tg.of("sendMessage")) == sent, "nothing rings again"
        again.stop()
    finally:
        d.drop()


def test_a_dump_of_an_older_release(cluster, service, tmp_path):
    """Made with the first migrations alone; this release brings it up to date, rows and all."""
    old = Database(cluster)
    files = sorted((ROOT / "sql").glob("*.sql"))
    old.sql("CREATE TABLE nabat_migration (version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz "
            "NOT NULL DEFAULT now())")
    for f in files[:3]:
        old.sql(f.read_text())
        old.sql("INSERT INTO nabat_migration (version, name) VALUES (%s, %s)", int(f.name[:3]), f.name)
    old.sql("INSERT INTO project (id, slug, public_key) VALUES (1, 'default', '0123456789abcdef0123456789abcdef')")
    old.sql("SELECT nabat_make_day((now() AT TIME ZONE 'UTC')::date)")
    old.sql("INSERT INTO error_group (project_id, fingerprint, title, origin, severity, occurrences, first_seen, "
            "last_seen) VALUES (1, repeat('a', 32), 'an old one', 'other', 'error', 1, now(), now())")
    old.sql("INSERT INTO event (id, received_at, occurred_at, group_id, project_id, event_id, severity, origin, message) "
            "SELECT 1, now(), now(), id, 1, repeat('b', 32), 'error', 'other', 'an old one' FROM error_group")
    dump = tmp_path / "old.dump"
    command("pg_dump", "-Fc", "-h", cluster.folder, "-U", "nabat", "-f", dump, old.name)
    d = restored(cluster, dump)
    try:
        s = service(database=d)
        assert d.one("SELECT max(version) FROM nabat_migration") == int(files[-1].name[:3])
        assert s.post({"event_id": "b" * 32, "message": "an old one"}).status == 200
        assert s.post({"message": "a new one"}).status == 200
        assert sorted(r[0] for r in d.sql("SELECT message FROM bot_error_event")) == ["a new one", "an old one"]
        s.stop()
    finally:
        d.drop()
        old.drop()


def test_a_database_of_a_newer_release(db, service):
    """A newer release only adds: the older one works on it, and says what it found."""
    s = service()
    s.stop()
    db.sql("INSERT INTO nabat_migration (version, name) VALUES (999, '999_future.sql')")
    db.sql("ALTER TABLE error_group ADD COLUMN of_the_future int DEFAULT 7")
    db.sql("ALTER TABLE event ADD COLUMN of_the_future text")
    again = service()
    assert again.post({"message": "still taken"}).status == 200
    assert db.one("SELECT count(*) FROM bot_error_event") == 1
    assert "the database is newer than this program" in again.stderr


def test_an_older_backup_under_a_running_service(own, tmp_path):
    """The database is replaced by its backup while Nabat runs: what is newer than the backup is gone, what comes
    meanwhile is not."""
    cluster, d = own
    s = Service(d).ready()
    try:
        s.post({"event_id": "1" * 32, "message": "in the backup"})
        dump = tmp_path / "d.dump"
        command("pg_dump", "-Fc", "-h", cluster.folder, "-U", "nabat", "-f", dump, d.name)
        s.post({"event_id": "2" * 32, "message": "after the backup"})
        admin = cluster.connect()
        with admin.cursor() as cur:
            cur.execute(f"DROP DATABASE {d.name} WITH (FORCE)")
        a = s.post({"event_id": "3" * 32, "message": "while it is gone"}, timeout=20)
        assert a.status == 200 and a.headers["X-Nabat-Spooled"] == "1"
        with admin.cursor() as cur:
            cur.execute(f"CREATE DATABASE {d.name}_new")
        command("pg_restore", "--exit-on-error", "-h", cluster.folder, "-U", "nabat", "-d", f"{d.name}_new", dump)
        with admin.cursor() as cur:
            cur.execute(f"ALTER DATABASE {d.name}_new RENAME TO {d.name}")
        admin.close()
        d.conn = None
        drained(s, 40)
        assert ids(d) == ["1" * 32, "3" * 32]
    finally:
        s.close()


def test_a_physical_copy(own, tmp_path):
    cluster, d = own
    s = Service(d).ready()
    copy = None
    folder = pathlib.Path(tempfile.mkdtemp(prefix="nabat-copy-", dir="/tmp"))
    try:
        for n in range(20):
            s.post({"event_id": f"{n + 1:032x}", "message": "before the copy"})
        os.chmod(folder, 0o777)
        env = {**os.environ, "ROOT": str(ROOT)}
        subprocess.run(["bash", "-c", '. deploy/lib.sh; as_pg "$(pg_bin)/pg_basebackup" -h "$1" -U nabat -D "$2" '
                        '-X stream -c fast', "sh", str(cluster.folder), str(folder / "data")], cwd=ROOT, env=env,
                       check=True, capture_output=True)
        cluster.stop()
        s.post({"event_id": "f" * 32, "message": "while the server is changed"})
        copy = Cluster(folder)
        at = Service(type("Copy", (), {"url": f"host={folder} user=nabat dbname={d.name}"}),
                     env={"SPOOL_DIR": s.env["SPOOL_DIR"] + "2"})
        at.ready()
        conn = copy.connect(d.name)
        with conn.cursor() as cur:
            cur.execute("SELECT count(*) FROM bot_error_event")
            assert cur.fetchone()[0] == 20
        conn.close()
        assert at.post({"event_id": f"{5:032x}", "message": "a repeat"}).status == 200
        at.close()
    finally:
        s.close()
        if copy:
            copy.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)
