"""test_sentry_hostile.py -- what would stop the service, lose an event, store a secret, or ring for nothing."""
import concurrent.futures
import gzip
import json
import time
import uuid

import pytest
from conftest import KEY, run_tool, wait
from sentry_wire import (AUTH, CRONTAB, FORM, checkin, envelope, event, form, messages, row, send, shared)

BOT = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"


def packed(s, body):
    return send(s, gzip.compress(body), headers={"Content-Encoding": "gzip"})


# ------------------------------------------------------------------------- heavy for its size, and still kept

def groups(frames):
    """Members that are each other's parents: printed naively, there are 25 to the power of 4 of them."""
    values = [{"type": "ExceptionGroup", "value": "v", "mechanism": {"type": "x", "exception_id": 1 + i % 2,
               "parent_id": 2 - i % 2, "is_exception_group": True},
               "stacktrace": {"frames": [{"function": f"f{j}", "lineno": j} for j in range(frames)]}} for i in range(50)]
    return {"message": "m", "exception": {"values": values}}


HEAVY = {
    "ninety thousand members": {f"a{i}": 1 for i in range(90_000)},
    "as many tags": {"tags": {f"t{i}": "x" for i in range(90_000)}},
    "as many fields of the user": {"user": {"id": "7", **{f"u{i}": "x" for i in range(90_000)}}},
    "groups of groups": groups(20),
    "text that begins a secret everywhere": {"extra": {str(i): "user=" * 20_000 for i in range(40)}},
    "paths without an end": {"message": "/home/" * 100_000},
}


@pytest.mark.parametrize("name", HEAVY)
def test_heavy_events_are_kept(shared, name):
    item = event(**{"message": "heavy", **HEAVY[name]})
    assert packed(shared, envelope(item)).status == 200
    assert row(shared, item[1]["event_id"], "message IS NOT NULL OR stacktrace IS NOT NULL") == (True,)


RU = "П" * 600
CUT = {
    "a path": {"extra": {"x": "/home/a" + RU}},
    "a key": {"message": "-----BEGIN A PRIVATE KEY-----a" + RU * 30},
    "initData": {"message": "user=1&hash=2&auth_date=a" + RU * 5},
    "a directive": {"csp": {"effective-directive": "a" * 59 + "é", "blocked-uri": "https://" + "é" * 200}},
    "a title": {"exception": {"values": [{"type": "a" + RU, "value": "b" + RU}]}},
    "a tag": {"tags": {"a" + RU: "a" + RU}, "release": "a" + RU, "environment": "a" + RU, "server_name": "a" + RU},
}


@pytest.mark.parametrize("name", CUT)
def test_no_text_is_cut_within_a_letter(shared, name):
    item = event(**{"message": "m", **CUT[name]})
    assert packed(shared, envelope(item)).status == 200
    row(shared, item[1]["event_id"], "id")


def test_long_words_of_a_user_about_nothing(shared):
    words = {"event_id": uuid.uuid4().hex, "contexts": {"feedback": {"message": "ы" * 600, "name": "Аня"}}}
    assert send(shared, envelope(({"type": "feedback"}, words))).status == 200
    group, = row(shared, words["event_id"], "group_id")
    title = shared.db.one("SELECT title FROM error_group WHERE id = %s", group)
    assert title.startswith("Аня: ыы") and title.endswith("ы") and len(title.encode()) <= 512


def test_a_query_in_no_encoding(shared):
    path = f"/api/1/cron/enc/{KEY}?status=ok&environment=%ff%fe"
    send(shared, envelope(checkin("enc", "ok", CRONTAB)))
    assert send(shared, None, path, None, method="GET").status == 202


def test_many_items_of_one_kind(shared):
    def session(i):
        return ({"type": "session"}, {"sid": uuid.uuid4().hex, "init": True, "status": "ok",
                                      "attrs": {"release": "many@" + "r" * 400 + str(i)}})
    eid = uuid.uuid4().hex
    reports = [({"type": "user_report"}, {"event_id": eid, "comments": "w" * 8000}) for _ in range(200)]
    item = event(message="kept", event_id=eid)
    assert packed(shared, envelope(item, *(session(i) for i in range(3000)), *reports)).status == 200
    row(shared, eid, "id")
    assert shared.db.one("SELECT count(*) FROM user_feedback WHERE event_id = %s", eid) == 20
    assert shared.db.one("SELECT count(*) FROM session_hour WHERE release LIKE 'many@%%'") == 100


# ------------------------------------------------------------------------------------- secrets in odd places

SECRETS = [
    {"extra": {"hdr": {"key": "auth", "value": 1, "password": "hunter2", "tok": BOT}}},
    {"extra": {"bots": {BOT: "ok"}}},
    {"tags": {BOT: "ok"}},
    {"tags": [["password", "hunter2", "x"], ["a", "b"]]},
    {"sdk": {"name": "x", "settings": {"password": "hunter2"}}},
    {"transaction": "/reset?token=hunter2"}, {"server_name": "password=hunter2"}, {"environment": "password=hunter2"},
    {"exception": {"values": [{"type": "password=hunter2", "value": "v"}]}},
    {"exception": {"values": [{"type": "E", "value": "login(password=b'hunter2')"}]}},
    {"message": "Authorization: Basic hunter2hunter2"}, {"message": "password='correct hunter2'"},
    {"message": "Cookie: sessionid=hunter2; a=b"}, {"modules": {"x": BOT}},
    {"exception": {"values": [{"type": "E", "value": "v", "stacktrace": {"frames": [
        {"function": "f", "context_line": 'os.environ["DB_PASSWORD"] = "hunter2"'}]}}]}},
]


@pytest.mark.parametrize("fields", SECRETS, ids=range(len(SECRETS)))
def test_secrets_in_odd_places(shared, fields):
    item = event(**{"message": "m", **fields})
    send(shared, envelope(item, ({"type": "attachment", "filename": f"{BOT}.log"}, b"x")))
    eid = item[1]["event_id"]
    found = shared.db.one("SELECT to_jsonb(e)::text FROM event e WHERE event_id = %s", eid)
    found += shared.db.one("SELECT name FROM event_attachment WHERE event_id = %s", eid)
    found += "".join(t for t, in shared.db.sql("SELECT title FROM error_group"))
    detail = shared.db.one("SELECT detail FROM event WHERE event_id = %s", eid)
    found += "".join(shared.db.sql("SELECT coalesce(string_agg(body || coalesce(source, ''), ''), '') FROM error_stack")[0])
    if detail:
        import zstandard
        found += zstandard.decompress(bytes(detail)).decode()
    assert "hunter2" not in found and BOT[10:] not in found


def test_secrets_in_uploads_check_ins_and_queries(shared):
    db = shared.db
    send(shared, form(upload_file_minidump=(f"{BOT}.dmp", b"MDMP" + b"\0" * 60)), "/api/1/minidump/", headers=FORM)
    body = json.dumps({"monitor_config": CRONTAB, "release": BOT}).encode()
    path = f"/api/1/cron/leaky/{KEY}?status=ok&environment={BOT}"
    assert send(shared, body, path, None, {"Content-Type": "application/json"}).status == 202
    report = json.dumps({"csp-report": {"effective-directive": "img-src", "blocked-uri": "https://evil/x"}}).encode()
    path = f"/api/1/security/?sentry_key={KEY}&sentry_release=page@2&sentry_environment={BOT}"
    assert send(shared, report, path, None, {"Content-Type": "application/csp-report"}).status == 200
    assert db.sql("SELECT release, environment FROM bot_error_event WHERE release = 'page@2'") == [
        ("page@2", "123456789:[Filtered]")]
    assert db.sql("SELECT m.environment, c.release FROM monitor m JOIN monitor_checkin c ON c.monitor_id = m.id "
                  "WHERE m.slug = 'leaky'") == [("123456789:[Filtered]",) * 2]
    assert db.sql("SELECT title FROM error_group WHERE title LIKE 'Crash in%%'") == [("Crash in 123456789:[Filtered].dmp",)]
    assert db.one("SELECT count(*) FROM event_attachment WHERE position(%s IN name) > 0", BOT) == 0


# ------------------------------------------------------------------------------------------------ keys and rates

def test_a_key_named_by_the_dsn_has_its_rate(service, db):
    s = service(env={"INGEST_KEY": None})
    line = run_tool(db, "--project", "add", "pages", "rate=3", env={"INGEST_KEY": ""}).stdout
    key = line.split("://")[1].split("@")[0]
    body = envelope(event(message="m"), dsn=f"http://{key}@h/2")
    wait(lambda: send(s, body, "/api/2/envelope/", None).status == 200, 15, "the new key")
    assert 429 in [send(s, body, "/api/2/envelope/", None).status for _ in range(6)]


def test_a_wrong_key_costs_no_unpacking(shared):
    item = gzip.compress(envelope(event(message="x" * 1000)))[:40]  # broken off: unpacking it would say so
    a = send(shared, item, auth=AUTH.replace(KEY, "f" * 32), headers={"Content-Encoding": "gzip"})
    assert a.status == 401


def test_who_is_over_his_own_rate_uses_up_nobody_elses(service):
    s = service(env={"TRUSTED_PROXIES": "127.0.0.1", "INGEST_RATE_PER_ADDRESS": "2"})
    s.db.sql("UPDATE project SET rate_per_minute = 6")
    time.sleep(6)  # projects are read again every few seconds
    def from_address(*lines):
        return send(s, envelope(event(message="m")), headers={"X-Forwarded-For": ", ".join(lines)}).status
    assert [from_address("203.0.113.5") for _ in range(20)].count(200) == 2
    assert from_address("203.0.113.6") == 200


# --------------------------------------------------------------------------------------------------- monitors

def test_check_ins_at_once_go_one_after_another(shared):
    send(shared, envelope(checkin("busy", "in_progress", CRONTAB, check_in_id="a" * 32)))
    body = envelope(checkin("busy", "in_progress", check_in_id="a" * 32))
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        assert [a.status for a in pool.map(lambda _: send(shared, body), range(48))] == [200] * 48


def test_items_of_one_envelope_are_taken_in_order(shared):
    send(shared, envelope(checkin("row", "error", CRONTAB), checkin("row", "ok", CRONTAB)))
    assert shared.db.sql("SELECT last_status, incident_since FROM monitor WHERE slug = 'row'") == [("ok", None)]


def test_a_public_key_makes_no_crowd_of_monitors(shared):
    items = [checkin(f"crowd-{i}", "ok", CRONTAB) for i in range(100)]
    assert send(shared, envelope(*items)).status == 200
    assert shared.db.one("SELECT count(*) FROM monitor WHERE slug LIKE 'crowd-%%'") == 10


def test_monitors_of_a_public_key_wake_nobody(service, tg, db):
    s = service(tg=tg)
    send(s, envelope(checkin("shop", "ok", CRONTAB)))
    db.sql("UPDATE project SET max_severity = 'error'")
    db.sql("UPDATE monitor SET next_at = now() - interval '2 minutes'")
    wait(lambda: db.sql("SELECT severity FROM bot_error_event") == [("error",)], 15, "the event")
    time.sleep(2)
    assert not messages(tg)


def test_jobs_of_a_disabled_project_are_not_missed(service, tg, db):
    s = service(tg=tg)
    send(s, envelope(checkin("off", "ok", CRONTAB)))
    db.sql("UPDATE project SET enabled = false")
    db.sql("UPDATE monitor SET next_at = now() - interval '2 minutes'")
    time.sleep(5)
    assert db.one("SELECT count(*) FROM bot_error_event") == 0
    db.sql("UPDATE project SET enabled = true")
    wait(lambda: db.one("SELECT next_at > now() FROM monitor"), 15, "the next time")
    assert db.one("SELECT count(*) FROM bot_error_event") == 0 and not messages(tg)


@pytest.mark.parametrize("value, unit, stored", [(10, "year", 1), (11, "year", 0), (121, "month", 0), (100, "year", 0)])
def test_intervals_end_at_ten_years(shared, value, unit, stored):
    config = {"schedule": {"type": "interval", "value": value, "unit": unit}}
    slug = f"every-{value}-{unit}"
    send(shared, envelope(checkin(slug, "ok", config)))
    assert shared.db.one("SELECT count(*) FROM monitor WHERE slug = %s AND next_at > now() + interval '9 years'", slug) == stored


# ----------------------------------------------------------------------------------------- words and sessions

def test_words_about_no_event_hold_up_nobodys(service, db):
    s = service()
    item = event(message="m")
    eid = item[1]["event_id"]
    send(s, envelope(({"type": "user_report"}, {"event_id": eid, "comments": "mine"})))
    db.sql("INSERT INTO user_feedback (feedback_id, project_id, event_id, message) "
           "SELECT md5(n::text), 1, md5(n::text), 'spam' FROM generate_series(1, 1000) n")
    send(s, envelope(item))
    wait(lambda: db.one("SELECT group_id IS NOT NULL FROM user_feedback WHERE event_id = %s", eid), 30, "joined")


def test_updates_of_one_session_count_once(shared):
    def update(**fields):
        item = ({"type": "session"}, {"sid": "f" * 32, "attrs": {"release": "once@1"}, **fields})
        assert send(shared, envelope(item)).status == 200
    update(init=True, status="ok")
    for _ in range(3):
        update(status="crashed", errors=1)
    assert shared.db.sql("SELECT sessions, crashed, errored FROM release_health WHERE release = 'once@1'") == [(1, 1, 0)]


def test_nobody_makes_leaves_but_the_store(shared):
    db = shared.db
    assert db.one("SELECT has_function_privilege('public', "
                  "'nabat_make_leaf(text, text, date, boolean)', 'execute')") is False
