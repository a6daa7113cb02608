"""test_sentry_life.py -- what comes beside events: sessions, words of users, cron jobs; projects, rates, settings."""
import json
import time
import uuid

import pytest
from conftest import CHAT, KEY, TEAM, buttons, run_tool, wait
from sentry_wire import (CRONTAB, FORM, LIMITS, checkin, envelope, event, form, messages, metric, raw, row,
                         send, shared)

# --------------------------------------------------------------------- sessions, reports, what is lost

def test_sessions_are_summed(shared):
    def session(**fields):
        return ({"type": "session"}, {"sid": uuid.uuid4().hex, "started": "2026-11-21T10:00:00Z",
                                      "attrs": {"release": "s@1", "environment": "prod"}, **fields})
    hour = time.strftime("%Y-%m-%dT%H:00:00Z", time.gmtime())
    for fields in ({"init": True, "status": "ok"}, {"init": True, "status": "ok"},
                   {"init": False, "status": "crashed", "errors": 1}, {"init": True, "status": "exited", "errors": 2},
                   {"init": False, "status": "ok"}):
        assert send(shared, envelope(session(**{**fields, "started": hour}))).json == {}
    aggregates = {"aggregates": [{"started": hour, "exited": 6, "crashed": 1}],
                  "attrs": {"release": "s@1", "environment": "prod"}}
    send(shared, envelope(({"type": "sessions"}, aggregates)))
    assert shared.db.sql("SELECT sessions, crashed, errored, crash_free_percent::float FROM release_health "
                         "WHERE release = 's@1'") == [(10, 2, 1, 80.0)]


def test_client_reports_are_a_warning(service, db):
    s = service()
    assert s.get("/health").json["parts"]["sdks"]["status"] == "healthy"
    report = {"timestamp": 1, "discarded_events": [{"reason": "sample_rate", "category": "error", "quantity": 5},
                                                   {"reason": "ratelimit_backoff", "category": "transaction", "quantity": 9}]}
    assert send(s, envelope(({"type": "client_report"}, report))).status == 200
    assert s.get("/health").json["parts"]["sdks"]["status"] == "healthy"
    report["discarded_events"].append({"reason": "queue_overflow", "category": "error", "quantity": 3})
    send(s, envelope(({"type": "client_report"}, report)))
    part = s.get("/health").json["parts"]["sdks"]
    assert part["status"] == "degraded" and "3 errors" in part["detail"]
    assert metric(s, "nabat_sdk_errors_dropped_total") == 3


# ----------------------------------------------------------------------------------- feedback, in the chat

def test_words_of_a_user_stand_under_the_card(service, tg, db):
    s = service(tg=tg)
    item = event(level="fatal", message="checkout is broken")
    eid = item[1]["event_id"]
    # node 11 sends the words before the error
    said = {"event_id": uuid.uuid4().hex, "contexts": {"feedback": {
        "message": "I paid <b>twice</b> & got nothing", "name": "Ann", "contact_email": "ann@example.org",
        "associated_event_id": eid}}}
    assert send(s, envelope(({"type": "feedback"}, said))).status == 200
    assert send(s, envelope(item)).status == 200
    card = tg.wait(lambda: messages(tg), 10, "the card")[0]
    words = tg.wait(lambda: messages(tg)[1:], 10, "the words")[0]
    assert words["text"] == "💬 Ann, ann@example.org about #1:\nI paid <b>twice</b> & got nothing"
    assert words["reply_to"] == card["message_id"] and not words["keyboard"]
    assert send(s, envelope(({"type": "user_report"}, {"event_id": eid, "name": "", "comments": "me too"}))).status == 200
    tg.wait(lambda: len(messages(tg)) == 3, 10, "the second one")
    assert messages(tg)[2]["text"] == "💬 A user about #1:\nme too"
    assert send(s, envelope(({"type": "feedback"}, said))).status == 200  # a repeat says nothing
    time.sleep(2)
    assert len(messages(tg)) == 3
    # the card is still the card, and its file tells everything
    tg.press(CHAT, card["message_id"], buttons(card)["Stack"], TEAM)
    files = tg.wait(lambda: [m for m in tg.sent(CHAT) if "document" in m], 10, "the file")
    text = files[0]["document"]["data"]
    text = text.decode() if isinstance(text, bytes) else text
    assert "WHAT USERS SAID\nAnn, ann@example.org: I paid" in text


def test_words_about_nothing_are_an_event(shared):
    said = {"event_id": uuid.uuid4().hex, "level": "info",
            "contexts": {"feedback": {"message": "please add dark mode", "name": "Bob"}}}
    a = send(shared, envelope(({"type": "feedback"}, said), event_id=said["event_id"]))
    assert a.json == {"id": said["event_id"]}
    assert row(shared, said["event_id"], "severity, message") == ("info", "please add dark mode")
    assert shared.db.one("SELECT title FROM error_group g JOIN bot_error_event e ON g.id = e.group_id "
                         "WHERE e.event_id = %s", said["event_id"]) == "Bob: please add dark mode"


# ------------------------------------------------------------------------------------------ check-ins

def test_a_job_that_fails_rings_and_recovers(service, tg, db):
    s = service(tg=tg, env={"ERROR_ALERT_MIN_SEVERITY": "error"})
    assert send(s, envelope(checkin("nightly", "in_progress", CRONTAB))).json == {}
    assert send(s, envelope(checkin("nightly", "error", duration=12.5, release="r1"))).status == 200
    card = tg.wait(lambda: messages(tg), 10, "the alarm")[0]
    assert "Cron job nightly does not run as planned" in card["text"] and "said error after 12 s" in card["text"]
    assert send(s, envelope(checkin("nightly", "ok"))).status == 200
    note = tg.wait(lambda: messages(tg)[1:], 10, "the recovery")[0]
    assert note["text"] == "✅ nightly (production) runs again: it failed for less than a minute, 1 time"
    assert note["reply_to"] == card["message_id"]
    wait(lambda: db.one("SELECT status FROM error_group") == "resolved", 5, "resolved")
    assert db.sql("SELECT origin, severity, handler, release FROM bot_error_event") == [
        ("monitor", "error", "nightly", "r1")]
    tg.push_message(CHAT, TEAM, "/monitors")
    list_of = tg.wait(lambda: [m for m in messages(tg) if "🟢 nightly (production)" in m["text"]], 10, "the list")
    assert "next" in list_of[0]["text"]


def test_a_job_that_misses_and_one_that_hangs(service, tg, db):
    s = service(tg=tg)
    send(s, envelope(checkin("misses", "ok", CRONTAB)))
    send(s, envelope(checkin("hangs", "in_progress", CRONTAB)))
    # the clock goes on
    before = db.one("SELECT now()")
    db.sql("UPDATE monitor SET next_at = now() - interval '2 minutes' WHERE slug = 'misses'")
    db.sql("UPDATE monitor SET next_at = now() + interval '1 hour' WHERE slug = 'hangs'")
    db.sql("UPDATE monitor_checkin SET timeout_at = now() - interval '1 second' WHERE status = 'in_progress'")
    tg.wait(lambda: len(messages(tg)) >= 2, 15, "two alarms")
    texts = "\n".join(m["text"] for m in messages(tg))
    assert "missed: expected at" in texts and "(Europe/Moscow), margin 1 min" in texts
    assert "not finished: in progress since" in texts and "allowed 1 min" in texts
    assert sorted(db.sql("SELECT handler, severity FROM bot_error_event")) == [("hangs", "critical"), ("misses", "critical")]
    assert sorted(db.sql("SELECT m.slug, c.status FROM monitor_checkin c JOIN monitor m ON m.id = c.monitor_id")) == [
        ("hangs", "timeout"), ("misses", "missed"), ("misses", "ok")]
    # by the minute, so it may have come to pass by now
    assert db.one("SELECT next_at > %s FROM monitor WHERE slug = 'misses'", before)


def test_nobody_is_blamed_for_what_nobody_watched(service, tg, db):
    s = service(tg=tg)
    send(s, envelope(checkin("quiet", "ok", CRONTAB)))
    wait(lambda: db.one("SELECT count(*) FROM service_setting WHERE name = 'monitors.tick'"), 5, "a look")
    s.stop()
    db.sql("UPDATE monitor SET next_at = now() - interval '1 hour'")
    db.sql("UPDATE service_setting SET value = (value::bigint - 3600000)::text WHERE name = 'monitors.tick'")
    service(tg=tg)
    wait(lambda: db.one("SELECT next_at > now() FROM monitor"), 15, "the next time")
    time.sleep(2)
    assert not messages(tg) and db.one("SELECT count(*) FROM monitor_checkin WHERE status = 'missed'") == 0


def test_order_of_check_ins_does_not_matter(shared):
    done = checkin("order", "ok", CRONTAB)
    begun = checkin("order", "in_progress", CRONTAB)
    begun[1]["check_in_id"] = done[1]["check_in_id"]
    send(shared, envelope(done))
    send(shared, envelope(begun))
    assert shared.db.sql("SELECT c.status, m.last_status FROM monitor m JOIN monitor_checkin c ON c.monitor_id = m.id "
                         "WHERE m.slug = 'order'") == [("ok", "ok")]
    zero = {"check_in_id": "0" * 32}
    send(shared, envelope(checkin("zero", "in_progress", CRONTAB, **zero)))
    send(shared, envelope(checkin("zero", "ok", **zero)))
    assert shared.db.sql("SELECT c.status FROM monitor m JOIN monitor_checkin c ON c.monitor_id = m.id "
                         "WHERE m.slug = 'zero'") == [("ok",)]


def test_check_in_by_url(shared):
    path = "/api/1/cron/by-url"
    body = json.dumps({"monitor_config": CRONTAB}).encode()
    a = send(shared, body, f"{path}/{KEY}/?status=in_progress", None, {"Content-Type": "application/json"})
    assert (a.status, a.body) == (202, b"")
    assert send(shared, None, f"{path}/{KEY}?status=ok&duration=3.5&environment=dev", None, method="GET").status == 202
    assert send(shared, None, f"{path}/?status=ok&sentry_key={KEY}&check_in_id={'1' * 32}", None, method="GET").status == 202
    out = raw(shared, f"POST {path}/{KEY}/?status=ok HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
    assert b" 202 " in out  # curl -X POST without a body sends no length
    assert send(shared, None, f"{path}/{KEY}/?status=missed", None, method="GET").status == 400
    assert send(shared, b"{", f"{path}/{KEY}/", None, {"Content-Type": "application/json"}).status == 400
    found = shared.db.sql("SELECT environment, last_status FROM monitor WHERE slug = 'by-url' ORDER BY 1")
    assert found == [("production", "ok")]  # "dev" has no schedule: refused, and counted
    assert metric(shared, "nabat_checkins_refused_total") >= 1


def test_a_wrong_schedule_keeps_the_old_one(shared):
    send(shared, envelope(checkin("sched", "ok", CRONTAB)))
    for wrong in ({"schedule": {"type": "crontab", "value": "61 * * * *"}}, {"schedule": {"type": "interval", "value": 0, "unit": "hour"}},
                  {**CRONTAB, "timezone": "Mars/Olympus"}):
        assert send(shared, envelope(checkin("sched", "ok", wrong))).status == 200
    send(shared, envelope(checkin("never-made", "ok", {"schedule": {"type": "crontab", "value": "nonsense"}})))
    assert shared.db.sql("SELECT slug, schedule, timezone FROM monitor WHERE slug IN ('sched', 'never-made')") == [
        ("sched", "* * * * *", "Europe/Moscow")]
    changed = {"schedule": {"type": "interval", "value": 2, "unit": "hour"}}
    send(shared, envelope(checkin("sched", "ok", changed)))
    assert shared.db.sql("SELECT schedule, is_interval, next_at > now() + interval '110 minutes' FROM monitor "
                         "WHERE slug = 'sched'") == [("2 hour", True, True)]


def test_too_many_check_ins_of_one_monitor(shared):
    for _ in range(9):
        assert send(shared, envelope(checkin("flood", "ok", CRONTAB))).status == 200
    assert shared.db.one("SELECT count(*) FROM monitor_checkin c JOIN monitor m ON m.id = c.monitor_id "
                         "WHERE m.slug = 'flood'") == 6


# ------------------------------------------------------------------------------------ projects and rates

def test_projects_and_their_keys(service, db):
    s = service(env={"INGEST_KEY": None})
    def project(*words, code=0):
        r = run_tool(db, "--project", *words, env={"INGEST_KEY": ""})
        assert r.returncode == code, r.stderr
        return r.stdout if code == 0 else r.stderr
    line = project("add", "pages", "max_severity=error", "rate=5")
    assert "enabled, up to error, 5 events a minute" in line
    key = line.split("://")[1].split("@")[0]
    auth = f"Sentry sentry_key={key}"
    first = wait(lambda: (a := send(s, envelope(event(message="page", level="fatal")), "/api/2/envelope/", auth)).status == 200 and a,
                 15, "the new key")
    assert db.sql("SELECT severity, project_id FROM bot_error_event") == [("error", 2)]
    answers = [send(s, envelope(event(message="page")), "/api/2/envelope/", auth) for _ in range(8)]
    limited = [a for a in answers if a.status == 429]
    assert limited and first
    a = limited[0]
    seconds = int(a.headers["Retry-After"])
    assert 1 <= seconds <= 60 and a.headers[LIMITS].startswith(f"{seconds}:default;error;security;")
    assert a.headers["Access-Control-Allow-Origin"] == "*"
    assert send(s, None, f"/api/2/cron/x/{key}/?status=ok", None, method="GET").status == 202  # never limited
    project("set", "pages", "rate=0")
    wait(lambda: send(s, envelope(event(message="page")), "/api/2/envelope/", auth).status == 200, 15, "no limit")
    rotated = project("rotate", "pages", "grace=1h").split("://")[1].split("@")[0]
    assert rotated != key
    wait(lambda: send(s, envelope(event()), "/api/2/envelope/", f"Sentry sentry_key={rotated}").status == 200, 15, "rotated")
    assert send(s, envelope(event()), "/api/2/envelope/", auth).status == 200  # the grace period
    project("rotate", "pages", "grace=0s")
    wait(lambda: send(s, envelope(event()), "/api/2/envelope/", f"Sentry sentry_key={rotated}").status == 401, 15, "over")
    project("disable", "pages")
    now = project("list").split("pages\t")[1].split("://")[1].split("@")[0]
    wait(lambda: send(s, envelope(event()), "/api/2/envelope/", f"Sentry sentry_key={now}").status == 403, 15, "disabled")
    project("enable", "pages")
    for words, named in ((["add", "Big Name"], "takes a name"), (["add", "x", "rate=fast"], "rate is"),
                         (["add", "x", "max_severity=loud"], "max_severity is"), (["rotate", "pages", "grace=1y"], "grace is"),
                         (["explode"], "it takes list"), (["list", "x"], "does not take")):
        assert named in project(*words, code=2)
    assert "none of the name" in project("disable", "nobody", code=1)


def test_rates_by_address_behind_a_proxy(service, db):
    s = service(env={"TRUSTED_PROXIES": "127.0.0.1", "INGEST_RATE_PER_ADDRESS": "3"})
    def from_address(address):
        return send(s, envelope(event(message="m")), headers={"X-Forwarded-For": f"6.6.6.6, {address}"}).status
    assert [from_address("203.0.113.5") for _ in range(5)] == [200, 200, 200, 429, 429]
    assert from_address("203.0.113.6") == 200
    free = service(database=s.db)
    assert [send(free, envelope(event()), headers={"X-Forwarded-For": "1.1.1.1"}).status for _ in range(6)] == [200] * 6


@pytest.mark.parametrize("name, value, said", [("TRUSTED_PROXIES", "proxy.local", "takes up to 32 addresses"),
                                               ("SCRUB_OFF", "nonsense", "it takes password")])
def test_wrong_settings_are_named(service, name, value, said):
    s = service(ready=False, env={name: value})
    assert s.process.wait(20) == 2
    assert name in s.stderr and said in s.stderr


def test_scrubbing_can_be_extended_and_turned_off(service, db):
    s = service(env={"SCRUB_FIELDS": "passport_no", "SCRUB_OFF": "phone"})
    item = event(message="m", extra={"passport_no": "AB123", "phone_number": "+7999", "password": "x"})
    send(s, envelope(item))
    assert row(s, item[1]["event_id"], "payload")[0]["extra"] == {
        "passport_no": "[Filtered]", "phone_number": "+7999", "password": "[Filtered]"}


def test_invented_origins_do_not_become_labels_without_end(service, db):
    s = service()
    for i in range(70):
        assert send(s, envelope(event(message="m", tags={"origin": f"invented-{i}"}))).status == 200
    lines = [l for l in s.get("/metrics").body.decode().splitlines() if l.startswith("nabat_events_total{")]
    assert len(lines) == 51
    assert 'nabat_events_total{origin="invented-0",severity="error"} 1' in lines
    assert 'nabat_events_total{origin="other_origins",severity="error"} 20' in lines


def test_a_person_is_forgotten_everywhere(service, db):
    s = service()
    item = event(message="m", user={"id": "77"}, exception={"values": [{"type": "E", "value": "v", "stacktrace": {
        "frames": [{"function": "f", "vars": {"who": "Ann of flat 5"}}]}}]})
    eid = item[1]["event_id"]
    send(s, envelope(item, ({"type": "attachment", "filename": "a.txt"}, b"Ann")))
    send(s, envelope(({"type": "user_report"}, {"event_id": eid, "name": "Ann", "comments": "it is me, Ann"})))
    wait(lambda: db.one("SELECT count(*) FROM alert_note"), 10, "the note")
    assert db.one("SELECT forget_user('77')") == 1
    assert db.sql("SELECT user_id, payload, detail FROM event") == [(None, None, None)]
    for table in ("event_attachment", "user_feedback", "alert_note"):
        assert db.one(f"SELECT count(*) FROM {table}") == 0, table


def test_the_migration_runs_on_a_store_that_is_in_use(service, cluster):
    """A store of the release before this one, with rows in it: nothing is lost, and old days get what is new."""
    from conftest import ROOT, Database
    d = Database(cluster)
    try:
        first = (ROOT / "sql/001_base.sql").read_text()
        d.sql("CREATE TABLE nabat_migration (version integer PRIMARY KEY, name text NOT NULL, "
              "applied_at timestamptz NOT NULL DEFAULT now())")
        d.sql(first)
        d.sql("INSERT INTO nabat_migration (version, name) VALUES (1, 'base')")
        d.sql("SELECT nabat_make_day((now() AT TIME ZONE 'UTC')::date - 3)")
        d.sql("INSERT INTO project (id, slug, public_key) VALUES (1, 'default', %s)", KEY)
        d.sql("INSERT INTO error_group (fingerprint, title, origin, severity) VALUES ('f', 'old', 'x', 'error')")
        d.sql("INSERT INTO event (id, received_at, occurred_at, group_id, project_id, event_id, severity, origin, message) "
              "SELECT n, now() - interval '3 days', now(), 1, 1, lpad(n::text, 32, '0'), 'error', 'x', 'old' FROM generate_series(1, 500) n")
        s = service(database=d)
        assert d.one("SELECT count(*) FROM bot_error_event") == 500
        leaves = d.sql("SELECT right(c.relname, 8) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
                       "WHERE i.inhparent = 'event_attachment'::regclass ORDER BY 1")
        assert leaves == d.sql("SELECT right(c.relname, 8) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
                               "WHERE i.inhparent = 'event'::regclass ORDER BY 1")
        # a file for an event of three days ago goes with that day
        assert send(s, form(a=("late.txt", b"1")), "/api/1/events/" + "7".rjust(32, "0") + "/attachments/", headers=FORM).status == 201
        assert d.one("SELECT received_day = (now() AT TIME ZONE 'UTC')::date - 3 FROM event_attachment")
        s.stop()
    finally:
        d.drop()
