"""test_sentry.py -- the endpoints of Sentry SDKs over real HTTP into real rows and a real chat."""
import base64
import gzip
import json
import socket
import struct
import time
import urllib.parse
import uuid
import zlib

import brotli
import pytest
import zstandard
from conftest import CHAT, KEY, TEAM, buttons, run_tool, wait

AUTH = f"Sentry sentry_version=7, sentry_key={KEY}, sentry_client=test/1"
LIMITS = "X-Sentry-Rate-Limits"


@pytest.fixture(scope="module")
def shared(cluster):
    from conftest import Database, Service
    d = Database(cluster)
    s = Service(d).ready()
    yield s
    s.close()
    d.drop()


def envelope(*items, **header):
    """Items are (header, payload); a dict payload becomes JSON."""
    lines = [json.dumps(header).encode()]
    for head, payload in items:
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        lines += [json.dumps(head).encode(), data]
    return b"\n".join(lines)


def event(**fields):
    return ({"type": "event"}, {"event_id": uuid.uuid4().hex, "platform": "python", **fields})


def send(s, body, path="/api/1/envelope/", auth=AUTH, headers=None, method="POST"):
    h = {"Content-Type": "application/x-sentry-envelope", **(headers or {})}
    if auth:
        h["X-Sentry-Auth"] = auth
    return s.request(method, path, body, h)


def messages(tg):
    return [m for m in tg.sent(CHAT) if "document" not in m]


def row(s, event_id, columns):
    rows = s.db.sql(f"SELECT {columns} FROM bot_error_event WHERE event_id = %s", event_id)
    assert len(rows) == 1, rows
    return rows[0]


def metric(s, name):
    for line in s.get("/metrics").body.decode().splitlines():
        if line.startswith(name + " "):
            return int(line.split()[1])
    raise AssertionError(name)


# ---------------------------------------------------------------------------------- routes and keys

ENVELOPE_PATHS = ["/api/1/envelope/", "/api/1/envelope", "//api//1//envelope/", "/deep/prefix/api/1/envelope/"]


@pytest.mark.parametrize("path", ENVELOPE_PATHS)
def test_paths(shared, path):
    item = event(message="path " + path)
    a = send(shared, envelope(item), path)
    assert (a.status, a.json) == (200, {"id": item[1]["event_id"]})
    assert row(shared, item[1]["event_id"], "message") == ("path " + path,)


AUTHS = [
    {"auth": AUTH},
    {"auth": f"Sentry sentry_key={KEY},sentry_version=7"},
    {"auth": None, "headers": {"Authorization": AUTH}},
    {"auth": None, "headers": {"Authorization": "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()}},
    {"auth": None, "path": f"/api/1/envelope/?sentry_key={KEY}&sentry_version=7&sentry_client=a%2Fb"},
    {"auth": None, "header": {"dsn": f"http://{KEY}@h.example/1"}},
    {"auth": AUTH, "header": {"dsn": f"http://{'f' * 32}@h.example/9"}},  # the first that is there counts
]


@pytest.mark.parametrize("how", AUTHS)
def test_auth(shared, how):
    item = event(message="auth")
    a = send(shared, envelope(item, **how.get("header", {})), how.get("path", "/api/1/envelope/"),
             how["auth"], how.get("headers"))
    assert a.status == 200 and a.json["id"] == item[1]["event_id"]


REFUSED = [
    (401, {"auth": None}), (401, {"auth": f"Sentry sentry_key={'f' * 32}"}),
    (401, {"auth": None, "path": "/api/1/envelope/?sentry_version=7"}),
    (401, {"auth": None, "header": {"dsn": f"http://{'f' * 32}@h.example/1"}}),
    (403, {"auth": AUTH, "path": "/api/7/envelope/"}),
    (400, {"auth": AUTH, "path": "/api/x/envelope/"}),
    (405, {"auth": AUTH, "method": "GET"}),
    (415, {"auth": AUTH, "headers": {"Content-Encoding": "compress"}}),
    (400, {"auth": AUTH, "headers": {"Content-Encoding": "gzip"}}),
]


@pytest.mark.parametrize("status, how", REFUSED)
def test_refusals_carry_cors_and_a_reason(shared, status, how):
    a = send(shared, None if how.get("method") == "GET" else envelope(event(), **how.get("header", {})),
             how.get("path", "/api/1/envelope/"), how["auth"], how.get("headers"), how.get("method", "POST"))
    assert a.status == status, a.body
    assert a.headers["Access-Control-Allow-Origin"] == "*"
    assert set(a.json) == {"error", "detail"} and a.headers["X-Sentry-Error"] == a.json["detail"]


def test_preflight_and_exposed_headers(shared):
    a = shared.request("OPTIONS", "/api/1/envelope/", None, {
        "Origin": "https://app.example", "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-sentry-auth,sentry-trace,baggage"})
    assert a.status == 204 and a.headers["Access-Control-Allow-Origin"] == "*"
    allowed = a.headers["Access-Control-Allow-Headers"].lower()
    assert all(h in allowed for h in ("x-sentry-auth", "content-type", "content-encoding", "sentry-trace", "baggage"))
    a = send(shared, envelope(event()), headers={"Origin": "https://app.example"})
    exposed = a.headers["Access-Control-Expose-Headers"].lower()
    assert all(h in exposed for h in ("x-sentry-error", "x-sentry-rate-limits", "retry-after"))


def test_what_is_not_kept_is_turned_off(shared):
    before = metric(shared, "nabat_sdk_items_not_kept_total")
    a = send(shared, envelope(({"type": "transaction"}, {"type": "transaction"}), ({"type": "span"}, {"items": []}),
                              ({"type": "whatever_comes"}, b"\x00\xff not json")))
    assert (a.status, a.json) == (200, {})
    for category in ("transaction", "span", "replay", "profile", "metric_bucket"):
        assert category in a.headers[LIMITS].split(":")[1].split(";")
    assert "error" not in a.headers[LIMITS]
    assert metric(shared, "nabat_sdk_items_not_kept_total") == before + 3


def test_empty_envelope_and_bad_ones(shared):
    assert send(shared, b"{}").json == {}
    for body in (b"", b"nonsense", b"{}\nnonsense", envelope(({"type": "event", "length": 99}, b"{}")),
                 envelope(({"type": "event"}, b"{broken")), envelope(({"type": "event"}, b"[1]"))):
        a = send(shared, body)
        assert a.status == 400, (body, a.body)
    assert shared.db.one("SELECT count(*) FROM bot_error_event WHERE message = 'x'") == 0


# -------------------------------------------------------------------------------------------- bodies

def zlib_raw(data):
    c = zlib.compressobj(wbits=-15)
    return c.compress(data) + c.flush()


CODINGS = [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", zlib_raw),
           ("br", brotli.compress), ("zstd", zstandard.compress), ("", bytes), ("UTF-8", bytes), ("identity", bytes)]


@pytest.mark.parametrize("name, pack", CODINGS)
def test_codings(shared, name, pack):
    item = event(message="coded")
    a = send(shared, pack(envelope(item)), headers={"Content-Encoding": name})
    assert a.status == 200 and a.json["id"] == item[1]["event_id"]


def raw(s, data):
    with socket.create_connection(("127.0.0.1", s.port), timeout=10) as c:
        c.sendall(data)
        out = b""
        while chunk := c.recv(65536):
            out += chunk
    return out


def test_chunked_without_length_or_type_as_node_sends_it(shared):
    item = event(message="chunked")
    body = envelope(item)
    parts = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 100]), body[i:i + 100]) for i in range(0, len(body), 100))
    out = raw(shared, f"POST /api/1/envelope/?sentry_key={KEY} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n".encode() + parts + b"0\r\n\r\n")
    assert out.startswith(b"HTTP/1.1 200 ") and item[1]["event_id"].encode() in out


def test_expect_continue(shared):
    body = envelope(event(message="patient"))
    with socket.create_connection(("127.0.0.1", shared.port), timeout=10) as c:
        c.sendall(f"POST /api/1/envelope/ HTTP/1.1\r\nHost: h\r\nx-sentry-auth:{AUTH}\r\nExpect: 100-continue\r\n"
                  f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        assert c.recv(1000).startswith(b"HTTP/1.1 100 ")
        c.sendall(body)
        assert b" 200 OK" in c.recv(4000)


def test_bombs_cost_bounded_memory(shared):
    for name, pack in (("gzip", gzip.compress), ("br", brotli.compress), ("zstd", zstandard.compress)):
        a = send(shared, pack(b"{}\n" + b" " * (200 << 20)), headers={"Content-Encoding": name})
        assert a.status == 413, (name, a.body)
    wait(lambda: metric(shared, "nabat_http_body_bytes") == 0, 3, "memory given back")


def store_body(kind, data):
    return {"json": data, "base64": base64.b64encode(data), "raven": base64.b64encode(zlib.compress(data))}[kind]


@pytest.mark.parametrize("kind", ["json", "base64", "raven"])
@pytest.mark.parametrize("path", ["/api/1/store/", "/api/store/", "/api/1/store"])
def test_store(shared, kind, path):
    e = event(message="store " + kind)[1]
    a = send(shared, store_body(kind, json.dumps(e).encode()), path, headers={"Content-Type": "application/octet-stream"})
    assert (a.status, a.json) == (200, {"id": e["event_id"]})
    assert row(shared, e["event_id"], "message") == ("store " + kind,)


def test_store_by_get_answers_a_picture(shared):
    e = event(message="pixel")[1]
    data = urllib.parse.quote(base64.b64encode(zlib.compress(json.dumps(e).encode())))
    a = send(shared, None, f"/api/1/store/?sentry_key={KEY}&sentry_version=4&sentry_data={data}", None, method="GET")
    assert a.status == 200, a.body
    assert a.headers["Content-Type"] == "image/gif" and a.body[:6] == b"GIF89a"
    assert row(shared, e["event_id"], "message") == ("pixel",)
    envelope_there = envelope(event(message="in store"))
    assert send(shared, envelope_there, "/api/1/store/").status == 200


def test_repeats_are_acknowledged_once(shared):
    item = event(message="twice")
    for _ in range(3):
        assert send(shared, envelope(item)).json == {"id": item[1]["event_id"]}
    assert row(shared, item[1]["event_id"], "message") == ("twice",)


def test_header_id_wins_and_dashes_go(shared):
    dashed = str(uuid.uuid4())
    a = send(shared, envelope(event(message="renamed"), event_id=dashed))
    assert a.json == {"id": dashed.replace("-", "")}
    assert row(shared, dashed.replace("-", ""), "message") == ("renamed",)


# ------------------------------------------------------------------------------------- what is stored

def test_everything_of_an_event(shared):
    frames = [{"filename": "bot.py", "abs_path": "/app/bot.py", "module": "bot", "function": "main", "lineno": 3,
               "in_app": True, "pre_context": ["import x"], "context_line": "handle(update)",
               "post_context": ["done()"], "vars": {"update": "Update(1)", "password": "hunter2"}}]
    item = event(
        level="fatal", transaction="handle", logger="bot", environment="prod", release="1.2", server_name="h1",
        timestamp="2026-11-20T10:00:00.5Z", tags={"origin": "aiogram_handler", "chat_id": "-1005"},
        user={"id": 7, "email": "ann@example.org"}, extra={"n": 1, "gen_request_id": "g-9"},
        contexts={"trace": {"trace_id": "t" * 32}}, modules={"aiogram": "3.1"},
        breadcrumbs={"values": [{"message": f"step {i}"} for i in range(30)]},
        exception={"values": [{"type": "KeyError", "value": "'k'", "mechanism": {"source": "__cause__"}},
                              {"type": "BotError", "value": "no key", "stacktrace": {"frames": frames}}]})
    send(shared, envelope(item, ({"type": "attachment", "filename": "log.txt", "content_type": "text/plain"}, b"line")))
    got = row(shared, item[1]["event_id"],
              "origin, severity, handler, message, exception_type, chat_id, user_id, gen_request_id, trace_id, "
              "environment, release, server_name, tags, jsonb_array_length(breadcrumbs), stacktrace, payload, "
              "extract(epoch FROM occurred_at)::float8")
    assert got[:14] == ("aiogram_handler", "critical", "handle", "no key", "BotError", -1005, "7", "g-9", "t" * 32,
                        "prod", "1.2", "h1", {"origin": "aiogram_handler", "chat_id": "-1005"}, 20)
    assert got[14] == ("KeyError: 'k'\n\nThe above exception was the direct cause of the following exception:\n\n"
                       "Traceback (most recent call last):\n  File \"/app/bot.py\", line 3, in main\n"
                       "    handle(update)\nBotError: no key")
    assert got[15]["extra"] == {"n": 1, "gen_request_id": "g-9"} and got[15]["user"]["email"] == "ann@example.org"
    assert got[16] == 1795168800.5
    assert shared.db.sql("SELECT name, content_type, bytes, body FROM event_attachment WHERE event_id = %s",
                         item[1]["event_id"])[0][:3] == ("log.txt", "text/plain", 4)
    detail = bytes(shared.db.one("SELECT detail FROM event WHERE event_id = %s", item[1]["event_id"]))
    text = zstandard.decompress(detail).decode()
    assert "Update(1)" in text and "import x" in text and '"aiogram":"3.1"' in text
    assert "hunter2" not in text and "[Filtered]" in text


def test_an_event_over_the_limit_is_trimmed_and_says_so(shared):
    frames = [{"function": "f", "vars": {"blob": "x" * 3_000_000}, "context_line": "y"}]
    item = event(exception={"values": [{"type": "Big", "value": "v", "stacktrace": {"frames": frames}}]},
                 breadcrumbs=[{"message": "kept"}])
    assert send(shared, gzip.compress(envelope(item)), headers={"Content-Encoding": "gzip"}).status == 200
    payload, crumbs, stack = row(shared, item[1]["event_id"], "payload, breadcrumbs, stacktrace")
    assert payload["trimmed"] == "local variables" and crumbs == [{"message": "kept"}] and "in f\n    y\nBig: v" in stack
    item = event(message="m", breadcrumbs=[{"message": "z" * 3_000_000}], extra={"a": "b" * 3_000_000})
    assert send(shared, gzip.compress(envelope(item)), headers={"Content-Encoding": "gzip"}).status == 200
    payload = row(shared, item[1]["event_id"], "payload")[0]
    assert payload["trimmed"] == "breadcrumbs, long texts" and len(payload["extra"]["a"]) == 8192


HOSTILE = [
    b'{"message":"a\\u0000b\\ud800","extra":{"n":NaN,"i":-Infinity,"h":1e999999}}',
    b'{"message":"\xff\xfe\xfd","tags":{"\xff":"\xfe"}}',
    b'{"message":' + b"[" * 10000 + b"]" * 10000 + b"}",
    b'{"exception":' + b'{"values":' * 5000 + b"[]" + b"}" * 5000 + b"}",
    b'{"message":{"formatted":{"a":1}},"level":[],"tags":5,"user":"x","breadcrumbs":7,"exception":5,"threads":"t"}',
    b'{"timestamp":1e308,"event_id":5,"platform":{},"release":[1],"fingerprint":[[],{},null]}',
    b'{"message":"' + b"<b>&amp;\xf0\x9f\x92\xa5\\u202e" * 5000 + b'"}',
    b"{}",
]


@pytest.mark.parametrize("payload", HOSTILE)
def test_nothing_in_an_event_is_refused(shared, payload):
    a = send(shared, envelope(({"type": "event"}, payload)))
    assert a.status == 200, a.body
    assert row(shared, a.json["id"], "group_id")[0]


def test_millions_of_values_cost_the_event_only_them(shared):
    body = b'{"message":"many","level":"fatal","extra":[' + b"1," * 4_000_000 + b"1]}"
    a = send(shared, gzip.compress(envelope(({"type": "event"}, body)), 1), headers={"Content-Encoding": "gzip"})
    assert a.status == 200, a.body
    message, severity, payload = row(shared, a.json["id"], "message, severity, payload")
    assert (message, severity) == ("many", "critical") and payload["trimmed"].endswith("too many values")


def test_security_reports(shared):
    csp = {"csp-report": {"document-uri": "https://app.example/x", "violated-directive": "script-src-elem 'self'",
                          "effective-directive": "script-src-elem", "blocked-uri": "https://evil.example/a.js"}}
    for n in (1, 2):
        csp["csp-report"]["blocked-uri"] = f"https://evil.example/{n}.js"
        a = send(shared, json.dumps(csp).encode(), f"/api/1/security/?sentry_key={KEY}", None,
                 {"Content-Type": "application/csp-report"})
        assert (a.status, a.body) == (200, b"")
    found = shared.db.sql("SELECT title, origin, severity, occurrences, culprit FROM error_group WHERE origin = 'csp'")
    assert found == [("CSP: script-src-elem blocked evil.example", "csp", "warning", 2, "https://app.example/x")]
    reports = [{"type": "csp-violation", "body": {"effectiveDirective": "img-src", "blockedURL": "inline"}},
               {"type": "deprecation", "body": {}}]
    assert send(shared, json.dumps(reports).encode(), "/api/1/security/").status == 200
    titles = {t for t, in shared.db.sql("SELECT title FROM error_group WHERE origin = 'csp'")}
    assert {"CSP: img-src blocked inline", "deprecation report"} <= titles
    assert send(shared, b"nonsense", "/api/1/security/").status == 400


def test_attachments_are_bounded(shared):
    item = event(message="files")
    files = [({"type": "attachment", "filename": f"f{i}", "length": n}, b"x" * n)
             for i, n in enumerate([3, 0, 3 << 20, 5, 6, 7, 8])]
    assert send(shared, envelope(item, *files)).status == 200
    rows = shared.db.sql("SELECT name, bytes, length(body) FROM event_attachment WHERE event_id = %s ORDER BY n",
                         item[1]["event_id"])
    assert rows == [("f0", 3, 3), ("f1", 0, 0), ("f2", 3 << 20, None), ("f3", 5, 5), ("f4", 6, 6), ("f5", 7, None),
                    ("f6", 8, None)]


def minidump():
    """The least that says: SIGSEGV at libbot.so+0x1f30."""
    name = "/app/libbot.so".encode("utf-16-le")
    streams_at, modules_at, exception_at, name_at = 32, 56, 200, 400
    head = struct.pack("<4sIIIIIQ", b"MDMP", 0xa793, 2, streams_at, 0, 0, 0)
    directory = struct.pack("<III", 4, 112, modules_at) + struct.pack("<III", 6, 168, exception_at)
    modules = struct.pack("<I", 1) + struct.pack("<QIIII", 0x10000, 0x5000, 0, 0, name_at) + b"\0" * 84
    exception = struct.pack("<IIIIQQ", 1, 0, 11, 0, 0, 0x11f30)
    out = bytearray(500)
    for at, part in ((0, head), (streams_at, directory), (modules_at, modules), (exception_at, exception),
                     (name_at, struct.pack("<I", len(name)) + name)):
        out[at:at + len(part)] = part
    return bytes(out)


def form(**parts):
    out = b""
    for name, (file_name, data) in parts.items():
        out += (b"--XX\r\nContent-Disposition: form-data; name=\"%s\"%s\r\n\r\n" % (
            name.encode(), f'; filename="{file_name}"'.encode() if file_name else b"")) + data + b"\r\n"
    return out + b"--XX--\r\n"


FORM = {"Content-Type": "multipart/form-data; boundary=XX"}


def test_minidumps_become_events(shared):
    said = json.dumps({"release": "9.9", "user": {"id": "u5"}}).encode()
    a = send(shared, form(upload_file_minidump=("crash.dmp", minidump()), sentry=(None, said),
                          log=("log.txt", b"hello")), f"/api/1/minidump/?sentry_key={KEY}", None, FORM)
    assert a.status == 200 and a.headers["Content-Type"] == "text/plain"
    eid = uuid.UUID(a.body.decode()).hex
    assert row(shared, eid, "severity, exception_type, release, user_id") == ("critical", "SIGSEGV", "9.9", "u5")
    assert shared.db.one("SELECT title FROM error_group g JOIN bot_error_event e ON e.group_id = g.id "
                         "WHERE e.event_id = %s", eid) == "SIGSEGV at libbot.so+0x1f30"
    files = shared.db.sql("SELECT name, bytes FROM event_attachment WHERE event_id = %s ORDER BY n", eid)
    assert files == [("crash.dmp", 500), ("log.txt", 5)]
    a = send(shared, minidump(), "/api/1/minidump/")  # bare
    assert a.status == 200
    a = send(shared, envelope(({"type": "attachment", "attachment_type": "event.minidump", "filename": "m.dmp",
                                "length": 500}, minidump())))
    assert a.status == 200 and row(shared, a.json["id"], "exception_type") == ("SIGSEGV",)
    for garbage in (b"MDMP" + b"\xff" * 100, b"MDMP", minidump()[:210]):
        assert send(shared, garbage, "/api/1/minidump/").status == 200
    assert send(shared, form(x=("y", b"z")), "/api/1/minidump/", headers=FORM).status == 400
    assert send(shared, b"nonsense", "/api/1/minidump/", headers=FORM).status == 400


def test_late_attachments(shared):
    item = event(message="late")
    send(shared, envelope(item))
    eid = item[1]["event_id"]
    a = send(shared, form(a=("late.txt", b"1234")), f"/api/1/events/{eid}/attachments/", headers=FORM)
    assert a.status == 201
    send(shared, envelope(({"type": "attachment", "filename": "later.txt"}, b"12"), event_id=eid))
    rows = shared.db.sql("SELECT name, bytes FROM event_attachment WHERE event_id = %s ORDER BY n", eid)
    assert rows == [("late.txt", 4), ("later.txt", 2)]


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

def checkin(slug, status, config=None, **fields):
    body = {"check_in_id": uuid.uuid4().hex, "monitor_slug": slug, "status": status, **fields}
    if config:
        body["monitor_config"] = config
    return ({"type": "check_in"}, body)


CRONTAB = {"schedule": {"type": "crontab", "value": "* * * * *"}, "checkin_margin": 1, "max_runtime": 1,
           "timezone": "Europe/Moscow"}


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
    assert db.one("SELECT next_at > now() FROM monitor WHERE slug = 'misses'")


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
