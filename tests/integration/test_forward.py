"""test_forward.py -- SENTRY_DSN: every event reaches the other side once, whatever that one does, and ingest does not notice."""
import gzip
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from conftest import KEY, TRACEBACK, Database, Service, wait
from sentry_wire import envelope, event

OTHER_KEY = "fedcba9876543210fedcba9876543210"


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        r = self.server.receiver
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with r.lock:
            r.requests.append((time.monotonic(), self.path, dict(self.headers), body))
            status, headers = r.answers.pop(0) if r.answers else (200, {})
        answer = b'{"id":"x"}'
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(answer))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


class Other:
    """Another Sentry, as far as we can see of it."""

    def __init__(self):
        self.lock, self.requests, self.answers = threading.Lock(), [], []
        self.httpd = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        self.httpd.receiver = self
        threading.Thread(target=self.httpd.serve_forever, daemon=True).start()

    @property
    def dsn(self):
        return f"http://{OTHER_KEY}@127.0.0.1:{self.httpd.server_port}/7"

    def events(self):
        with self.lock:
            return [json.loads(body.split(b"\n")[2]) for _, _, _, body in self.requests]

    def close(self):
        self.httpd.shutdown()
        self.httpd.server_close()


@pytest.fixture
def other():
    o = Other()
    yield o
    o.close()


def queued(db):
    return db.one("SELECT count(*) FROM forward_queue")


def test_native_events_become_events_of_the_protocol(service, db, other):
    s = service(env={"SENTRY_DSN": other.dsn})
    a = s.post({"message": "boom <&> 😀", "severity": "critical", "origin": "celery", "handler": "tasks.pay", "chat_id": 5, "user_id": 7,
                "gen_request_id": "gen-1", "environment": "production", "release": "bot@1", "server_name": "bot-1",
                "exception": {"type": "ValueError", "value": "bad text", "stacktrace": TRACEBACK},
                "tags": {"plan": "pro"}, "payload": {"model": "flux"}, "breadcrumbs": [{"message": "clicked"}]})
    wait(lambda: other.events(), 10, "the event")
    _, path, headers, body = other.requests[0]
    assert path == "/api/7/envelope/" and f"sentry_key={OTHER_KEY}" in headers["X-Sentry-Auth"]
    head, item, text = body.split(b"\n")[:3]
    assert json.loads(head)["event_id"] == a.json["ids"][0] and json.loads(item)["length"] == len(text)
    e = json.loads(text)
    assert (e["level"], e["logger"], e["transaction"], e["release"], e["user"]) == ("fatal", "celery", "tasks.pay", "bot@1", {"id": "7"})
    value = e["exception"]["values"][0]
    assert value["type"] == "ValueError" and value["stacktrace"]["frames"][-1]["function"] == "render"
    assert e["tags"] == {"plan": "pro", "nabat.forwarded": "true", "origin": "celery", "gen_request_id": "gen-1", "chat_id": "5"}
    assert e["extra"]["model"] == "flux" and "clicked" in json.dumps(e["breadcrumbs"])
    wait(lambda: queued(db) == 0, 10, "an empty queue")


def test_what_an_sdk_sent_goes_on_scrubbed_and_with_tags(service, other):
    s = service(env={"SENTRY_DSN": other.dsn})
    item = event(level="fatal", tags={"gen_request_id": "gen-9", "password": "hunter2-and-more"}, contexts={"os": {"name": "Linux"}},
                 exception={"values": [{"type": "E", "value": "v", "mechanism": {"type": "x", "handled": False}, "stacktrace": {"frames": [
                     {"function": "f", "filename": "a.py", "lineno": 3, "vars": {"password": "hunter2-and-more", "n": "5"}}]}}]})
    auth = {"X-Sentry-Auth": f"Sentry sentry_key={KEY}, sentry_version=7", "Content-Encoding": "gzip"}
    assert s.request("POST", "/api/1/envelope/", gzip.compress(envelope(item)), auth).status == 200
    wait(lambda: other.events(), 10, "the event")
    e = other.events()[0]
    frame = e["exception"]["values"][0]["stacktrace"]["frames"][0]
    assert frame["lineno"] == 3 and frame["vars"]["n"] == "5" and e["contexts"]["os"] == {"name": "Linux"}
    assert e["exception"]["values"][0]["mechanism"]["handled"] is False
    assert e["tags"]["gen_request_id"] == "gen-9" and e["tags"]["nabat.forwarded"] == "true" and e["tags"]["origin"]
    assert "hunter2" not in json.dumps(e)


def test_a_limit_is_kept_to_the_second(service, db, other):
    s = service(env={"SENTRY_DSN": other.dsn})
    other.answers = [(429, {"Retry-After": "1", "X-Sentry-Rate-Limits": "4:error:organization"})]
    s.post({"message": "one"})
    wait(lambda: other.requests, 10, "the first try")
    wait(lambda: s.get("/health").json["parts"]["forward"]["status"] == "degraded", 5, "/health says so")
    wait(lambda: len(other.requests) == 2, 15, "the second try")
    assert other.requests[1][0] - other.requests[0][0] >= 4
    wait(lambda: queued(db) == 0, 10, "an empty queue")
    # a limit may come with a 200
    other.answers = [(200, {"X-Sentry-Rate-Limits": "3:default;error:key, 60:transaction:key"})]
    s.post({"message": "two"})
    wait(lambda: len(other.requests) == 3, 10, "the event")
    s.post({"message": "three"})
    wait(lambda: len(other.requests) == 4, 15, "the next one")
    assert other.requests[3][0] - other.requests[2][0] >= 3
    # what is refused for itself is not sent again
    wait(lambda: queued(db) == 0, 10, "an empty queue")
    other.answers = [(400, {})]
    s.post({"message": "four"})
    wait(lambda: len(other.requests) == 5 and queued(db) == 0, 10, "an empty queue")


def test_nothing_is_lost_while_the_other_side_is_away(service, db, cluster):
    """Down, then there: another Nabat receives, and knows what came twice. Kills between."""
    theirs = Database(cluster)
    receiver = Service(theirs, env={"INGEST_KEY": OTHER_KEY}).ready()
    dsn = f"http://{OTHER_KEY}@127.0.0.1:{receiver.port}/1"
    s = service(env={"SENTRY_DSN": dsn})
    try:
        receiver.kill()
        for i in range(20):
            assert s.post([{"message": f"boom {i} {j}", "severity": "error", "origin": "celery"} for j in range(5)]).status == 200
        time.sleep(2)
        assert queued(db) == 100
        receiver.err.close(), receiver.out.close()
        receiver.start().ready()
        wait(lambda: theirs.one("SELECT count(*) FROM event") > 20, 30, "some of them")
        s.kill()
        s.err.close(), s.out.close()
        s.start().ready()
        wait(lambda: queued(db) == 0, 60, "an empty queue")
        ours = {r[0] for r in db.sql("SELECT event_id FROM event")}
        assert {r[0] for r in theirs.sql("SELECT event_id FROM event")} == ours and len(ours) == 100
        assert theirs.one("SELECT count(*) FROM event WHERE tags ->> 'nabat.forwarded' = 'true' AND tags ->> 'origin' = 'celery'") == 100
    finally:
        receiver.close()
        theirs.drop()


def test_what_was_forwarded_to_us_is_not_sent_on(service, db, other):
    s = service(env={"SENTRY_DSN": other.dsn})
    auth = {"X-Sentry-Auth": f"Sentry sentry_key={KEY}, sentry_version=7"}
    s.request("POST", "/api/1/envelope/", envelope(event(message="round", tags={"nabat.forwarded": "true"})), auth)
    db.sql("SET nabat.import = on; INSERT INTO bot_error_event (message) VALUES ('history')")
    s.post({"message": "last"})
    wait(lambda: db.one("SELECT count(*) FROM event") == 3 and queued(db) == 0, 20, "all of them")
    assert [e["message"] for e in other.events()] == ["last"]


def test_our_own_key_is_refused_by_name(service, db):
    s = service(env={"SENTRY_DSN": f"http://{KEY}@127.0.0.1:9/1"})
    s.post({"message": "one"})
    wait(lambda: "holds one of our own keys" in s.stderr, 10, "the error")
    part = s.get("/health").json["parts"]["forward"]
    assert part["status"] == "degraded" and "own keys" in part["detail"]
    assert KEY not in s.stderr


def test_spooled_events_are_forwarded_too(service, db, other, cluster):
    s = service(env={"SENTRY_DSN": other.dsn})
    conn = cluster.connect()
    conn.cursor().execute(f"ALTER DATABASE {db.name} ALLOW_CONNECTIONS false")
    conn.cursor().execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (db.name,))
    wait(lambda: not s.is_direct(), 10, "the spool")
    auth = {"X-Sentry-Auth": f"Sentry sentry_key={KEY}, sentry_version=7"}
    assert s.request("POST", "/api/1/envelope/", envelope(event(message="spooled", contexts={"os": {"name": "Linux"}})), auth).status == 200
    assert other.events() == []
    conn.cursor().execute(f"ALTER DATABASE {db.name} ALLOW_CONNECTIONS true")
    conn.close()
    wait(lambda: other.events(), 30, "the event")
    assert other.events()[0]["contexts"]["os"] == {"name": "Linux"}


def test_a_dsn_that_is_none_is_named(tools, db):
    for value in ("https://sentry.example.org/1", "abc", "https://key@host/project"):
        r = tools(db, "--check", env={"SENTRY_DSN": value})
        assert r.returncode == 2 and "SENTRY_DSN" in r.stderr and "https://KEY@" in r.stderr, r.stderr
        assert value not in r.stderr


def test_who_is_forgotten_is_not_forwarded(service, db):
    s = service(env={"SENTRY_DSN": f"http://{OTHER_KEY}@127.0.0.1:9/1"})
    s.post({"message": "of 77001", "user_id": "77001"})
    s.post({"message": "of somebody else", "user_id": "77002"})
    assert queued(db) == 2
    db.sql("SELECT forget_user('77001')")
    assert [r[0] for r in db.sql("SELECT body::jsonb #>> '{user,id}' FROM forward_queue")] == ["77002"]


def test_one_event_that_always_fails_holds_up_nobody(service, db):
    class Picky(Other):
        pass
    o = Picky()
    original = Receiver.do_POST

    def do_post(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = 502 if b"poison" in body else 200
        with self.server.receiver.lock:
            self.server.receiver.requests.append((time.monotonic(), self.path, {}, body))
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    Receiver.do_POST = do_post
    try:
        s = service(env={"SENTRY_DSN": o.dsn})
        s.post([{"message": "poison"}, *({"message": f"fine {i}"} for i in range(40))])
        wait(lambda: queued(db) == 1, 15, "all but the poison")
        assert db.one("SELECT tries FROM forward_queue") == 1
        s.post({"message": "later"})
        wait(lambda: any("later" in str(e) for e in o.events()), 5, "what comes later")
        db.sql("UPDATE forward_queue SET tries = 8, next_try_at = now()")
        s.post({"message": "beside it"})
        wait(lambda: queued(db) == 0, 10, "it is given up")
        assert "again and again" in s.stderr
        # a whole wave of them lets others have their turn, and counts against none
        s.post([{"message": f"poison {i}"} for i in range(30)])
        s.post({"message": "behind all of them"})
        wait(lambda: any("behind all" in str(e) for e in o.events()), 30, "what is behind them")
        assert db.one("SELECT min(tries) FROM forward_queue") == 0
    finally:
        Receiver.do_POST = original
        o.close()
