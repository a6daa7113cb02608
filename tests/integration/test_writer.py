"""test_writer.py -- batches that rely on memory: what changes behind the writer's back is noticed in the batch itself."""
import pathlib
import shutil
import subprocess
import tempfile
import time

import pytest
from conftest import CHAT, TRACEBACK, free_port, shell, wait


def metric(s, name):
    for line in s.get("/metrics").body.decode().splitlines():
        if line.startswith(name + " "):
            return int(line.split()[1])
    raise AssertionError(name)


def post(s, message, **more):
    a = s.post({"message": message, "severity": "error", **more})
    assert a.status == 200 and not a.headers.get("X-Nabat-Spooled"), a.body
    return a.json["ids"][0]


def remembered(s, message="known by now", **more):
    """Its group is made, and the next event of it needed no look-up."""
    post(s, message, **more)
    before = metric(s, "nabat_writer_direct_total")
    post(s, message, **more)
    assert metric(s, "nabat_writer_direct_total") == before + 1


def counted_right(db):
    return db.sql("SELECT g.id FROM error_group g WHERE occurrences + (SELECT coalesce(sum(d.occurrences), 0) FROM "
                  "group_delta d WHERE d.group_id = g.id) <> (SELECT count(*) FROM event e WHERE e.group_id = g.id)") == []


def test_a_group_that_was_removed(service, db):
    s = service()
    remembered(s)
    db.sql("DELETE FROM error_group")
    event_id = post(s, "known by now")
    assert db.sql("SELECT g.occurrences FROM event e JOIN error_group g ON g.id = e.group_id WHERE e.event_id = %s",
                  event_id) == [(1,)]
    remembered(s)


def test_open_removals_stop_nobody(service, db):
    s = service()
    stack = {"exception": {"type": "ValueError", "stacktrace": TRACEBACK}}
    remembered(s, user_id="77001", **stack)
    remembered(s, "free as a bird")
    conn = db.open()
    conn.autocommit = False
    conn.cursor().execute("SELECT forget_user('77001')")
    conn.cursor().execute("UPDATE alert_rule SET enabled = enabled")
    began = time.monotonic()
    for _ in range(5):
        post(s, "free as a bird")
        post(s, "known by now", user_id="77002", **stack)
    assert time.monotonic() - began < 5
    conn.commit()
    conn.close()
    event_id = post(s, "known by now", user_id="77002", **stack)
    assert db.one("SELECT stacktrace FROM bot_error_event WHERE event_id = %s", event_id) == TRACEBACK
    wait(lambda: db.one("SELECT count(*) FROM group_delta") == 0, 10, "what was put aside")
    assert counted_right(db)


def test_every_event_of_a_held_group_is_told(service, db):
    """Whoever holds it may be resolving it: then even an event that rings nobody may reopen it."""
    s = service()
    remembered(s)
    db.sql("CREATE TABLE told (group_id bigint, severity text)")
    db.sql("CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
           "INSERT INTO told VALUES (NEW.group_id, NEW.severity); RETURN NULL; END $$")
    db.sql("CREATE TRIGGER tell AFTER INSERT ON alert_due FOR EACH ROW EXECUTE FUNCTION tell()")
    post(s, "known by now")
    assert db.sql("SELECT * FROM told") == []
    conn = db.open()
    conn.autocommit = False
    conn.cursor().execute("SELECT * FROM error_group FOR UPDATE")
    post(s, "known by now")
    assert db.sql("SELECT * FROM told") == [(1, "error")]
    conn.close()
    wait(lambda: db.one("SELECT count(*) FROM group_delta") == 0, 10, "what was put aside")
    assert counted_right(db)


def test_another_group_under_a_remembered_id(service, db):
    """A dump of before was restored, and the ids were given out again."""
    s = service()
    remembered(s)
    db.sql("UPDATE error_group SET fingerprint = repeat('0', 32), title = 'somebody else'")
    event_id = post(s, "known by now")
    assert db.sql("SELECT g.title, g.occurrences FROM event e JOIN error_group g ON g.id = e.group_id "
                  "WHERE e.event_id = %s", event_id) == [("known by now", 1)]


@pytest.mark.parametrize("how", ["psql", "function"])
def test_a_resolved_group_is_reopened_by_its_next_event(service, tg, db, how):
    s = service(tg=tg)
    remembered(s)
    time.sleep(0.01)
    db.sql("UPDATE error_group SET status = 'resolved'" if how == "psql" else "SELECT resolve(1, NULL)")
    post(s, "known by now")
    wait(lambda: db.one("SELECT status FROM error_group") == "new", 5, "it to be open again")
    assert counted_right(db)


def test_a_rule_for_lesser_severities_counts_from_the_next_event_on(service, tg, db):
    s = service(tg=tg)
    remembered(s)
    assert not tg.sent(CHAT)
    db.sql("INSERT INTO alert_rule (severity, chat_id) VALUES ('error', %s)", CHAT)
    time.sleep(1.2)  # the decider reads rules once a second
    post(s, "known by now")
    tg.wait(lambda: tg.sent(CHAT), 5, "the ring")


def test_a_card_hears_of_every_event(service, tg, db):
    s = service(tg=tg, env={"ERROR_ALERT_COOLDOWN": "3600"})
    remembered(s)
    assert s.post({"message": "known by now", "severity": "critical"}).status == 200
    tg.wait(lambda: tg.sent(CHAT), 5, "the card")
    wait(lambda: db.one("SELECT count(*) FROM alert_card WHERE is_current") == 1, 5, "its row")
    for _ in range(3):
        post(s, "known by now")
    tg.wait(lambda: "6 times" in tg.sent(CHAT)[0]["text"], 15, "the count")


def test_a_stack_that_was_forgotten_is_stored_again(service, db):
    s = service()
    stack = {"exception": {"type": "ValueError", "stacktrace": TRACEBACK}}
    remembered(s, user_id="77001", **stack)
    assert db.one("SELECT count(*) FROM error_stack") == 1
    db.sql("SELECT forget_user('77001')")
    assert db.one("SELECT count(*) FROM error_stack") == 0
    event_id = post(s, "known by now", **stack)
    assert db.one("SELECT stacktrace FROM bot_error_event WHERE event_id = %s", event_id) == TRACEBACK


def test_repeats_of_today_and_of_yesterday(service, db):
    s = service()
    remembered(s)
    first = post(s, "known by now")
    old = "0" * 31 + "1"
    db.sql("SELECT nabat_make_day((now() AT TIME ZONE 'UTC')::date - 1)")
    db.sql("INSERT INTO event (id, received_at, occurred_at, group_id, project_id, event_id, severity, origin) "
           "SELECT nextval('event_id_seq'), now() - interval '23 hours', now(), 1, 1, %s, 'error', "
           "'other'", old)
    db.sql("UPDATE error_group SET occurrences = occurrences + 1")
    before = db.one("SELECT count(*) FROM event")
    for event_id in (first, old, first, old):
        time.sleep(1.1)  # one surprise a second leaves the short way open
        a = s.post({"message": "known by now", "severity": "error", "event_id": event_id})
        assert a.status == 200 and a.json["ids"] == [event_id]
    a = s.post([{"message": "known by now", "severity": "error", "event_id": e} for e in ("ab" * 16, first, "ab" * 16)])
    assert a.status == 200
    assert db.one("SELECT count(*) FROM event") == before + 1
    assert counted_right(db)


def test_a_held_row_stops_nobody(service, db):
    s = service()
    remembered(s)
    remembered(s, "free as a bird")
    conn = db.open()
    conn.autocommit = False
    conn.cursor().execute("UPDATE error_group SET note = 'thinking' WHERE title = 'known by now'")
    began = time.monotonic()
    for _ in range(20):
        post(s, "known by now")
        post(s, "free as a bird")
    assert time.monotonic() - began < 5
    conn.commit()
    conn.close()
    wait(lambda: db.one("SELECT count(*) FROM group_delta") == 0, 10, "what was put aside")
    assert counted_right(db)
    assert db.one("SELECT occurrences FROM error_group WHERE title = 'known by now'") == 22


def test_users_are_counted_once(service, db):
    s = service()
    for user in ("1", "2", "1", "2", "3", "1"):
        post(s, "known by now", user_id=user)
    a = s.post([{"message": "known by now", "severity": "error", "user_id": str(n % 4)} for n in range(20)])
    assert a.status == 200
    assert db.sql("SELECT occurrences, users_affected FROM error_group") == [(26, 4)]


# ---------------------------------------------------------------------------------------------- poolers

class Pooler:
    """pgbouncer in transaction mode: each transaction may run on another connection."""

    def __init__(self, db):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nabat-pool-", dir="/tmp"))
        self.folder.chmod(0o777)
        self.port = free_port()
        ini = self.folder / "pgbouncer.ini"
        (self.folder / "users").write_text('"nabat" ""\n')
        ini.write_text(f"[databases]\n{db.name} = host={db.cluster.folder} user=nabat\n[pgbouncer]\n"
                       f"listen_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\nauth_type = any\n"
                       f"auth_file = {self.folder}/users\npool_mode = transaction\ndefault_pool_size = 4\n"
                       f"server_round_robin = 1\nlogfile = {self.folder}/log\npidfile = {self.folder}/pid\n")
        shell("as_pg", "pgbouncer", "-q", "-d", ini)
        self.url = f"host=127.0.0.1 port={self.port} user=nabat dbname={db.name}"

    def close(self):
        subprocess.run(["kill", (self.folder / "pid").read_text().strip()], check=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def test_behind_a_pooler_statements_get_lost_and_events_do_not(service, db):
    service().stop()  # migrations
    pooler = Pooler(db)
    try:
        s = service(env={"DATABASE_URL": pooler.url})
        other = service(env={"DATABASE_URL": pooler.url})
        ids = []
        for n in range(60):
            ids.append(post(s, f"by one {n % 3 * 'x'}"))
            ids.append(post(other, f"by the other {n % 3 * 'x'}"))
        assert "prepared statements are not kept here" in s.stderr + other.stderr
        assert sorted(r[0] for r in db.sql("SELECT event_id FROM event")) == sorted(ids)
        assert counted_right(db)
    finally:
        pooler.close()


def test_stacks_that_differ_in_what_was_said_are_stored_once(service, db):
    s = service()
    frames = '  File "/srv/bot.py", line 7, in pay\n    charge(user)\n'
    texts = [f"Traceback (most recent call last):\n{frames}ValueError: user {n} of {n * 7}" for n in range(20)]
    texts += [f"TypeError: no {n}\n    at f (a.js:1:2)" for n in range(20)] + ["odd \x01 mark: 1\n    at f (a.js:1:2)"] * 2
    texts += ["Traceback (most recent call last):\n" + frames]  # cut: nothing is said
    for part in range(0, len(texts), 7):
        assert s.post([{"message": f"m{n}", "stacktrace": t} for n, t in enumerate(texts[part:part + 7], part)]).status == 200
    assert dict(db.sql("SELECT message, stacktrace FROM bot_error_event")) == {f"m{n}": t for n, t in enumerate(texts)}
    assert db.one("SELECT count(*) FROM error_stack") == 6  # as the first one was, and shared
    assert s.post({"exception": {"type": "ValueError", "value": "in columns", "stacktrace": texts[0].replace("user 0 of 0", "in columns")}}
                  ).status == 200
    assert db.sql("SELECT stack_said, right(stacktrace, 23) FROM bot_error_event JOIN event USING (id) "
                  "WHERE event.message = 'in columns'") == [("", "\nValueError: in columns")]
    assert db.one("SELECT count(*) FROM error_stack") == 6  # as the first one was, and shared
    assert db.sql("SELECT DISTINCT stack_said IS NULL FROM event WHERE message IN ('m0', 'm20', 'm40', 'm41', 'm42')") == [(True,)]
    db.sql("SELECT forget_user('5')")
    s.post({"message": "of a person", "user_id": "5", "stacktrace": texts[0].replace("user 0", "user five")})
    assert db.sql("SELECT forget_user('5')") == [(1,)]
    assert db.one("SELECT count(*) FROM event WHERE stack_said LIKE '%%five%%'") == 0
