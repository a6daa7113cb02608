"""test_ingest.py -- POST /api/events over real HTTP into real rows."""
import gzip
import json
import time
import zlib

import brotli
import pytest
import zstandard
from conftest import CHAT, KEY, wait


@pytest.fixture(scope="module")
def shared(cluster):
    from conftest import Database, Service
    d = Database(cluster)
    s = Service(d, {"HTTP_BODY_MEMORY": "64MiB"}).ready()
    yield s
    s.close()
    d.drop()


def last(s, columns):
    return s.db.sql(f"SELECT {columns} FROM bot_error_event ORDER BY id DESC LIMIT 1")[0]


def test_every_field(shared):
    a = shared.post({
        "event_id": "A" * 32, "occurred_at": "2026-01-02T03:04:05.678+03:00", "origin": "Celery Beat",
        "level": "FATAL", "handler": "tasks.x", "message": "m", "chat_id": -1001234567890123,
        "exception": {"type": "T", "value": "v", "stacktrace": "s"}, "user_id": 42,
        "gen_request_id": "g", "request_id": "r", "session_id": "s", "trace_id": "t",
        "environment": "prod", "release": "1", "server_name": "h", "tags": {"a": 1},
        "payload": {"p": [1, {"q": None}]}, "breadcrumbs": [{"n": n} for n in range(30)],
        "fingerprint": ["x", "{{ default }}"], "unknown": {"deep": [1]}})
    assert a.status == 200 and a.json == {"ids": ["a" * 32], "codes": ["NANANA"]}
    row = last(shared, "event_id, origin, severity, handler, message, exception_type, stacktrace, "
                       "chat_id, user_id, gen_request_id, request_id, session_id, trace_id, "
                       "environment, release, server_name, tags, payload, "
                       "extract(epoch FROM occurred_at)::float8")
    assert row == ("a" * 32, "celery_beat", "critical", "tasks.x", "m", "T", "s",
                   -1001234567890123, "42", "g", "r", "s", "t", "prod", "1", "h", {"a": 1},
                   {"p": [1, {"q": None}], "unknown": {"deep": [1]}}, 1767312245.678)
    crumbs = last(shared, "breadcrumbs")[0]
    assert [c["n"] for c in crumbs] == list(range(10, 30))


MENDED = [
    ({"severity": "loud"}, "severity", "severity", "error"),
    ({"severity": 40}, None, "severity", "error"),
    ({"severity": "30"}, None, "severity", "warning"),
    ({"severity": "critical", "level": "verbose"}, "level", "severity", "critical"),
    ({"level": "info", "severity": "critical"}, None, "severity", "critical"),
    ({"payload": {"h": 'Bearer abcdefghijklmnop"x'}}, None, "payload", {"h": 'Bearer [Filtered]"x'}),
    ({"message": " \n ", "exception": {"type": "E", "value": "v"}}, None, "message", "v"),
    ({"level": "warn"}, None, "severity", "warning"),
    ({"level": "low"}, None, "severity", "info"),
    ({"level": "HIGH"}, None, "severity", "error"),
    ({"chat_id": "77"}, None, "chat_id", 77),
    ({"chat_id": "abc"}, "chat_id", "payload", {"chat_id": "abc"}),
    ({"chat_id": 2**70}, "chat_id", "chat_id", None),
    ({"user_id": {"id": 1}}, "user_id", "payload", {"user_id": {"id": 1}}),
    ({"tags": ["a"]}, "tags", "payload", {"tags": ["a"]}),
    ({"payload": "text"}, "payload", "payload", {"payload": "text"}),
    ({"details": {"a": 1}}, None, "payload", {"a": 1}),
    ({"payload": {"x": 1}, "x": 2}, None, "payload", {"x": 1, "event.x": 2}),
    ({"event_id": "zz"}, "event_id", "payload", {"event_id": "zz"}),
    ({"status": "closed"}, "status", "status", "new"),
    ({"origin": "x" * 80}, "origin", "origin", "x" * 64),
    ({"origin": "Мой бот"}, None, "origin", "_____________"),
    ({"occurred_at": "yesterday"}, "occurred_at", "payload", {"occurred_at": "yesterday"}),
    ({"handler": "h" * 600}, "handler", "payload", {"handler": "h" * 600}),
    ({"exception": "just text"}, None, "exception_type", None),
    ({"payload": {"api_key": "k", "n": {"Password": 1}}}, None, "payload",
     {"api_key": "[Filtered]", "n": {"Password": "[Filtered]"}}),
    ({"fingerprint": [1, 2]}, None, "severity", "error"),
    ({"breadcrumbs": {"a": 1}}, "breadcrumbs", "payload", {"breadcrumbs": {"a": 1}}),
]


@pytest.mark.parametrize("fields, warned, column, value", MENDED)
def test_mending(shared, fields, warned, column, value):
    a = shared.post({"message": "mending", **fields})
    assert a.status == 200
    assert [w["field"] for w in a.json.get("warnings", [])] == ([warned] if warned else [])
    assert last(shared, column)[0] == value


def test_future_counts_as_now(shared):
    a = shared.post({"message": "future", "occurred_at": time.time() + 3600})
    assert a.json["warnings"][0]["field"] == "occurred_at"
    assert abs(last(shared, "extract(epoch FROM occurred_at)::float8")[0] - time.time()) < 20
    assert shared.post({"message": "soon", "occurred_at": time.time() + 30}).json.keys() == {"ids", "codes"}


BAD = [
    (b"", 400, None), (b"{", 400, 0), (b"[]", 200, None), (b"[1]", 400, 0),
    (b'[{"message":"a"},2]', 400, 1), (b'{"severity":"error"}', 400, 0),
    (b'{"message":""}', 400, 0), (b'{"message":"a"} x', 400, 1), (b'[{"message":"a"}', 400, None),
    (b'[{"message":"a"}] 1', 400, None), (b'{"message":"a",}', 400, 0), (b"nope", 400, 0),
    (b'{"message":"a"}\n{"message":"b"}\n', 200, None), (b'{"message":01}', 400, 0),
]


@pytest.mark.parametrize("body, status, index", BAD)
def test_bad_bodies_store_nothing(shared, body, status, index):
    before = shared.db.one("SELECT count(*) FROM bot_error_event")
    a = shared.post(body)
    assert a.status == status, a.body
    if status == 400:
        assert a.json["error"] and a.json["detail"]
        if index is not None:
            assert a.json["index"] == index
        assert shared.db.one("SELECT count(*) FROM bot_error_event") == before


def test_arrays_ndjson_and_limits(shared):
    many = [{"message": f"event of many"} for _ in range(1000)]
    a = shared.post(many)
    assert a.status == 200 and len(set(a.json["ids"])) == 1000
    a = shared.post(many + [{"message": "one too many"}])
    assert a.status == 413 and "1000" in a.json["detail"]
    a = shared.post({"message": "x" * (1 << 20)})
    assert a.status == 413 and "1048576" in a.json["detail"]
    nd = b"\n".join(json.dumps({"message": f"line"}).encode() for _ in range(5))
    a = shared.post(nd, headers={"Content-Type": "application/x-ndjson"})
    assert len(a.json["ids"]) == 5
    a = shared.post(b" " * (20 << 20) + b"{}")
    assert a.status == 413 and "20 MiB" in a.json["detail"]


@pytest.mark.parametrize("coding, pack", [
    ("gzip", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress),
    ("deflate", lambda b: zlib.compress(b)[2:-4]), ("identity", bytes), ("UTF-8", bytes)])
def test_codings(shared, coding, pack):
    body = pack(json.dumps({"message": "packed " + coding}).encode())
    assert shared.post(body, headers={"Content-Encoding": coding}).status == 200
    assert last(shared, "message")[0] == "packed " + coding


def test_bombs_and_unknown_codings(shared):
    bomb = gzip.compress(b"[" + b" " * (200 << 20))
    a = shared.post(bomb, headers={"Content-Encoding": "gzip"})
    assert a.status == 413 and "inflated" in a.json["detail"]
    for coding, pack in (("br", brotli.compress), ("zstd", zstandard.compress)):
        a = shared.post(pack(b"[" + b" " * (200 << 20)), headers={"Content-Encoding": coding})
        assert a.status == 413, a.body
        assert shared.post(pack(b'{"message":"packed"}'), headers={"Content-Encoding": coding}).status == 200
    assert shared.post(b"x", headers={"Content-Encoding": "compress"}).status == 415
    assert shared.post(b"garbage", headers={"Content-Encoding": "gzip"}).status == 400
    cut = gzip.compress(b'{"message":"cut"}')[:-9]
    assert shared.post(cut, headers={"Content-Encoding": "gzip"}).status == 400
    wait(lambda: b"nabat_http_body_bytes 0" in shared.get("/metrics").body, 3, "memory given back")


def test_keys(shared):
    event = {"message": "keys"}
    assert shared.post(event, key=None).status == 401
    assert shared.post(event, key="f" * 32).status == 401
    assert shared.post(event, key=None, headers={"X-Api-Key": KEY}).status == 200
    assert shared.request("POST", f"/api/events?key={KEY}", b'{"message":"q"}').status == 200
    assert shared.request("POST", f"/api/events/?key={KEY}", b'{"message":"q"}').status == 200
    shared.db.sql("INSERT INTO project (id, slug, public_key, max_severity) "
                  "VALUES (2, 'page', %s, 'error')", "e" * 32)
    wait(lambda: shared.post({"message": "p", "severity": "critical"}, key="e" * 32).status == 200,
         10, "the new key")
    assert last(shared, "project_id, severity") == (2, "error")
    shared.db.sql("UPDATE project SET enabled = false WHERE id = 2")
    wait(lambda: shared.post(event, key="e" * 32).status == 403, 10, "the disabled key")


def test_repeats_are_acknowledged_and_not_stored(shared):
    event = {"message": "again", "event_id": "1234567890abcdef1234567890abcdef"}
    for _ in range(3):
        assert shared.post(event).json["ids"] == [event["event_id"]]
    assert shared.post([event, event]).json["ids"] == [event["event_id"]] * 2
    assert shared.db.one("SELECT count(*) FROM bot_error_event WHERE message = 'again'") == 1
    assert shared.db.one("SELECT occurrences FROM error_group WHERE title = 'again'") == 1


def test_secrets_are_filtered(shared):
    token = "123456789:AAF" + "x" * 32
    shared.post({"message": f"GET https://api.telegram.org/bot{token}/getMe",
                 "exception": {"stacktrace": f"url={token}\nAuthorization: Bearer abcdefghijklmnop"}})
    row = last(shared, "message, stacktrace")
    assert token[10:] not in row[0] + row[1] and "abcdefghijklmnop" not in row[1]
    assert "[Filtered]" in row[0]
    assert shared.db.one("SELECT count(*) FROM error_group WHERE title LIKE %s", f"%{token}%") == 0


def test_group_ids_have_no_gaps(shared):
    for n in range(3):
        shared.post([{"message": f"gap {'xyz'[n]}"}] * 3)
    ids = [r[0] for r in shared.db.sql("SELECT id FROM error_group ORDER BY id")]
    assert ids == list(range(1, len(ids) + 1))


def test_cors_and_health(shared):
    a = shared.request("OPTIONS", "/api/events", headers={"Origin": "https://x"})
    assert a.status == 204 and a.headers["Access-Control-Allow-Origin"] == "*"
    assert shared.post(b"{", key="f" * 32).headers["Access-Control-Allow-Origin"] == "*"
    parts = shared.get("/health").json["parts"]
    assert parts["database"]["status"] == "healthy"
    behind = shared.get("/health", **{"X-Forwarded-For": "1.2.3.4"}).json
    assert "parts" not in behind
    assert shared.get("/metrics", **{"X-Forwarded-For": "1.2.3.4"}).status == 401
    assert b"nabat_events_accepted_total" in shared.get("/metrics").body


def test_many_unknown_members_cost_little(shared):
    body = b'{"message":"many",' + b",".join(b'"k%d":1' % n for n in range(60000)) + b"}"
    started = time.monotonic()
    assert shared.post(body).status == 200
    assert time.monotonic() - started < 10
    payload = last(shared, "payload")[0]
    assert payload["k0"] == 1 and payload["event.more"]["k59999"] == 1


def test_a_promise_of_bytes_holds_nobody_up(shared):
    import socket
    held = []
    for _ in range(6):
        s = socket.create_connection(("127.0.0.1", shared.port))
        s.sendall(b"POST /api/events HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n")
        held.append(s)
    time.sleep(0.2)
    assert shared.post({"message": "others go on"}).status == 200
    for s in held:
        s.close()


def test_a_request_of_everything_odd(shared):
    body = (b'{"message":"odd","a":NaN,"b":-Infinity,"c":1e99999,"d":' + b"9" * 400 +
            b',"e":"\\ud800","f":"\xff\xfe","g":' + b"[" * 10000 + b"]" * 10000 + b',"h\\u0000":"\\u0000"}')
    a = shared.post(body)
    assert a.status == 200, a.body
    payload = last(shared, "payload")[0]
    assert payload["a"] == "NaN" and payload["c"] == "1e99999" and payload["e"] == "\ufffd"


def test_rows_a_minute_of_one_group(service, tg, db):
    """GROUP_ROWS_PER_MINUTE: beyond it events are counted exactly, one in 100 is kept, and the chat hears once."""
    s = service(tg=tg, env={"GROUP_ROWS_PER_MINUTE": "50"})
    while time.time() % 60 > 50:  # all within one minute
        time.sleep(0.5)
    counted, ids = 0, []
    for part in range(4):
        body = [{"message": "again and again", "severity": "critical", "user_id": f"u{part * 100 + i}"}
                for i in range(100)]
        a = s.post(body)
        assert a.status == 200
        ids += a.json["ids"]
        counted += int(a.headers.get("X-Nabat-Counted", 0))
    a = s.post({"message": "another group"})
    assert a.headers.get("X-Nabat-Counted") is None
    rows = db.one("SELECT count(*) FROM bot_error_event WHERE message = 'again and again'")
    assert rows == 50 + 3 and counted == 400 - rows
    assert db.sql("SELECT occurrences, users_affected FROM error_group WHERE title = 'again and again'") == [(400, 400)]
    # a repeat of what was only counted is none more
    a = s.post([{"event_id": i, "message": "again and again", "severity": "critical"} for i in ids])
    assert a.status == 200 and a.headers.get("X-Nabat-Counted") is None
    assert db.one("SELECT occurrences FROM error_group WHERE title = 'again and again'") == 400
    # an SDK is told, too
    a = s.request("POST", "/api/1/store/", json.dumps({"message": "again and again", "event_id": "ab" * 16}).encode(),
                  {"X-Sentry-Auth": f"Sentry sentry_key={KEY}, sentry_version=7"})
    assert a.status == 200 and a.headers["X-Nabat-Counted"] == "1"
    counted += 1
    assert f"nabat_events_counted_only_total {counted}\n".encode() in s.get("/metrics").body
    tg.wait(lambda: any("again and again" in m["text"] for m in tg.sent(CHAT)), 5, "the card")
    assert db.one("SELECT n FROM group_counted") == counted
    db.sql("UPDATE group_counted SET last_at = now() - interval '2 minutes'")
    note = tg.wait(lambda: [m for m in tg.sent(CHAT) if "only counted" in m["text"]], 5, "one word about it")[0]
    assert note["text"].startswith(f"🔢 {counted} more were only counted: #1 again and again")
    time.sleep(1.5)
    assert sum("only counted" in m["text"] for m in tg.sent(CHAT)) == 1
