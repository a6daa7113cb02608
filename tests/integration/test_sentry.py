"""test_sentry.py -- the endpoints of Sentry SDKs over real HTTP into real rows."""
import base64
import gzip
import json
import socket
import urllib.parse
import uuid
import zlib

import brotli
import pytest
import zstandard
from conftest import KEY, wait
from sentry_wire import AUTH, FORM, LIMITS, envelope, event, form, metric, minidump, raw, row, send, shared

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
    good = event(message="beside what is broken")
    for body in (b"", b"nonsense", b"{}\nnonsense", envelope(good, ({"type": "event", "length": 99}, b"{}")),
                 envelope(good, ({"type": "event"}, b"{broken")), envelope(good, ({"type": "event"}, b"[1]"))):
        a = send(shared, body)
        assert a.status == 400, (body, a.body)
    assert shared.db.one("SELECT count(*) FROM bot_error_event WHERE message = 'beside what is broken'") == 0


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
    source = shared.db.one("SELECT s.source FROM error_stack s JOIN event e ON e.stack_hash = s.hash WHERE event_id = %s",
                           item[1]["event_id"])
    assert "Update(1)" in text and "import x" in source and '"aiogram":"3.1"' in source
    assert "hunter2" not in text + source and "[Filtered]" in text


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
