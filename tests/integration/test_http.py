"""test_http.py -- raw bytes in, status lines out: the HTTP server on the wire."""
import json
import os
import re
import resource
import socket
import struct
import threading
import time

import pytest
from conftest import KEY, Database, Service, wait


@pytest.fixture(scope="module")
def shared(cluster):
    d = Database(cluster)
    s = Service(d).ready()
    yield s
    s.close()
    d.drop()


EVENT = b'{"message":"raw"}'
AUTH = b"Authorization: Bearer " + KEY.encode() + b"\r\n"
H = b"Host: x\r\n"
POST = b"POST /api/events HTTP/1.1\r\n" + H + AUTH
GET = b"GET /health/live HTTP/1.1\r\n" + H
LEN = b"Content-Length: %d\r\n\r\n" % len(EVENT)


def chunked(*parts, tail=b"0\r\n\r\n"):
    return b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(
        b"%x\r\n%s\r\n" % (len(p), p) for p in parts) + tail


# (what is sent, the status lines that come back; a trailing 0: then the server closes)
WIRE = [
    # taken
    (GET + b"\r\n", [200]),
    (b"HEAD /health/live HTTP/1.1\r\n" + H + b"\r\n", [200]),
    (GET + b"Connection: close\r\n\r\n", [200, 0]),
    (b"GET /health/live HTTP/1.0\r\n\r\n", [200, 0]),
    (b"GET /health/live HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", [200]),
    (GET + b"Connection: close, keep-alive\r\n\r\n", [200, 0]),
    (GET + b"Connection: close\r\nConnection: keep-alive\r\n\r\n", [200, 0]),
    (b"\r\n" + GET + b"\r\n", [200]),
    (b"GET /health/live/ HTTP/1.1\r\n" + H + b"\r\n", [200]),
    (b"GET /health/live?x=1&y HTTP/1.1\r\n" + H + b"\r\n", [200]),
    (b"GET http://x:80/health/live HTTP/1.1\r\n" + H + b"\r\n", [200]),
    (GET + b"X-Long: " + b"a" * 15000 + b"\r\n\r\n", [200]),
    (GET + b"Content-Length: 0\r\n\r\n", [200]),
    (POST + LEN + EVENT, [200]),
    (POST + b"Content-Length: 17 \r\n\r\n" + EVENT, [200]),
    (POST + chunked(EVENT), [200]),
    (POST + chunked(*[EVENT[i:i + 1] for i in range(17)]), [200]),
    (POST + chunked(EVENT, tail=b"0\r\nX-T: v\r\n\r\n"), [200]),
    (POST + b"Transfer-Encoding: chunked\r\n\r\n11;e=\"q\"\r\n" + EVENT + b"\r\n0\r\n\r\n", [200]),
    (POST + b"Expect: 100-continue\r\n" + LEN + EVENT, [200]),
    (b"POST /api/events HTTP/1.0\r\n" + AUTH + LEN + EVENT, [200, 0]),
    (b"OPTIONS /api/events HTTP/1.1\r\n" + H + b"\r\n", [204]),
    # one after another on one connection
    ((GET + b"\r\n") * 3, [200] * 3),
    ((POST + LEN + EVENT) * 20, [200] * 20),
    ((POST + chunked(EVENT)) * 5 + GET + b"\r\n", [200] * 6),
    (POST + LEN + EVENT + GET + b"Connection: close\r\n\r\n" + GET + b"\r\n", [200, 200, 0]),
    (GET + b"\r\n" + b"BAD\r\n\r\n", [200, 400, 0]),
    # not there, not so
    (b"GET /nowhere HTTP/1.1\r\n" + H + b"\r\n", [404, 0]),
    (b"GET / HTTP/1.1\r\n" + H + b"\r\n", [404, 0]),
    (b"GET /api/events HTTP/1.1\r\n" + H + b"\r\n", [405, 0]),
    (b"DELETE /api/events HTTP/1.1\r\n" + H + b"\r\n", [405, 0]),
    (b"POST /health HTTP/1.1\r\n" + H + b"Content-Length: 0\r\n\r\n", [405, 0]),
    (b"OPTIONS /health HTTP/1.1\r\n" + H + b"\r\n", [405, 0]),
    (POST + b"\r\n", [411, 0]),
    (b"POST /api/events HTTP/1.1\r\n" + H + LEN + EVENT, [401]),
    (POST + b"Content-Encoding: lzw\r\n" + LEN + EVENT, [415]),
    (POST + b"Content-Encoding: br\r\n" + LEN + EVENT, [400]),
    (POST + b"Content-Type: image/png\r\n" + LEN + EVENT, [200]),
    (GET + b"Content-Length: 5\r\n\r\nhello", [413, 0]),
    (POST + b"Content-Length: 99999999\r\n\r\n", [413, 0]),
    (POST + b"Content-Length: 99999999999999999999999\r\n\r\n", [413, 0]),
    (POST + b"Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n", [413, 0]),
    (POST + b"Expect: magic\r\n" + LEN + EVENT, [417, 0]),
    (GET + b"X: " + b"a" * 17000 + b"\r\n\r\n", [431, 0]),
    (GET + b"A: b\r\n" * 101 + b"\r\n", [431, 0]),
    (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\n" + H + b"\r\n", [431, 0]),
    (b"BREW /health/live HTTP/1.1\r\n" + H + b"\r\n", [501, 0]),
    (b"GET /health/live HTTP/2.0\r\n" + H + b"\r\n", [505, 0]),
    (b"GET /health/live HTTP/1.7\r\n" + H + b"\r\n", [505, 0]),
    # what a smuggler uses
    (POST + b"Content-Length: 17\r\n" + chunked(EVENT), [400, 0]),
    (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\nGET /health/live", [400, 0]),
    (POST + b"Content-Length: 17\r\nContent-Length: 17\r\n\r\n" + EVENT, [400, 0]),
    (POST + b"Content-Length: 17\r\nContent-Length: 3\r\n\r\n" + EVENT, [400, 0]),
    (POST + b"Content-Length: 17, 17\r\n\r\n" + EVENT, [400, 0]),
    (POST + b"Content-Length: +17\r\n\r\n" + EVENT, [400, 0]),
    (POST + b"Content-Length: 0x11\r\n\r\n" + EVENT, [400, 0]),
    (POST + b"Content-Length: -1\r\n\r\n" + EVENT, [400, 0]),
    (POST + b"Content-Length: \r\n\r\n" + EVENT, [400, 0]),
    (POST + b"Content-Length : 17\r\n\r\n" + EVENT, [400, 0]),
    (POST + b"Content-Length: 17\t\r\n\r\n" + EVENT, [400, 0]),
    (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", [400, 0]),
    (POST + b"Transfer-Encoding: identity\r\n\r\n", [400, 0]),
    (POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n", [400, 0]),
    (POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n", [400, 0]),
    (POST + b"Transfer-Encoding : chunked\r\n\r\n", [400, 0]),
    (b"POST /api/events HTTP/1.0\r\n" + AUTH + chunked(EVENT), [400, 0]),
    (POST + b"X: y\r\n folded\r\n" + LEN + EVENT, [400, 0]),
    (POST + b"X: y\r\n\tfolded\r\n" + LEN + EVENT, [400, 0]),
    (POST + b": x\r\n" + LEN + EVENT, [400, 0]),
    (POST + b"No colon\r\n" + LEN + EVENT, [400, 0]),
    (POST + b"X: a\x00b\r\n" + LEN + EVENT, [400, 0]),
    (POST + b"X: a\x01b\r\n" + LEN + EVENT, [400, 0]),
    (POST + b"X: a\rb\r\n" + LEN + EVENT, [400, 0]),
    (POST.replace(b"\r\n", b"\n") + b"\n", [400, 0]),
    (GET + b"X: y\n\r\n", [400, 0]),
    (b"GET /health/live HTTP/1.1\r\n\r\n", [400, 0]),
    (GET + H + b"\r\n", [400, 0]),
    (b"GET /health/live HTTP/1.1\r\nHost: a/b\r\n\r\n", [400, 0]),
    (b"GET /health/live HTTP/1.1\r\nHost: a b\r\n\r\n", [400, 0]),
    (b" GET /health/live HTTP/1.1\r\n" + H + b"\r\n", [400, 0]),
    (b"GET  /health/live HTTP/1.1\r\n" + H + b"\r\n", [400, 0]),
    (b"GET /health/live\r\n" + H + b"\r\n", [400, 0]),
    (b"GET /a b HTTP/1.1\r\n" + H + b"\r\n", [400, 0]),
    (b"GET * HTTP/1.1\r\n" + H + b"\r\n", [400, 0]),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", [400, 0]),
    (b"\x00" * 40, [400, 0]),
    # chunks that are none
    (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", [400, 0]),
    (POST + b"Transfer-Encoding: chunked\r\n\r\n11 \r\n" + EVENT + b"\r\n0\r\n\r\n", [400, 0]),
    (POST + b"Transfer-Encoding: chunked\r\n\r\n11\n" + EVENT + b"\n0\n\n", [400, 0]),
    (POST + b"Transfer-Encoding: chunked\r\n\r\n11\r\n" + EVENT + b"X\r\n0\r\n\r\n", [400, 0]),
    (POST + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", [400, 0]),
    (POST + chunked(EVENT, tail=b"0\r\nContent-Length: 3\r\n\r\n"), [400, 0]),
    (POST + chunked(EVENT, tail=b"0\r\nbad\r\n\r\n"), [400, 0]),
]


def connect(s):
    c = socket.create_connection(("127.0.0.1", s.port), 10)
    c.settimeout(10)
    return c


def statuses(c, want):
    """Reads until as many answers as wanted came; 0 stands for the end of the connection."""
    data, closed = b"", False
    need = [w for w in want if w]
    while True:
        got = [int(m) for m in re.findall(rb"HTTP/1\.1 (\d{3}) ", data) if m != b"100"]
        whole = data.endswith(b"}\n") or data.endswith(b"\r\n\r\n") or not need
        if closed or (len(got) >= len(need) and 0 not in want and whole):
            return got + ([0] if closed else []), data
        try:
            more = c.recv(65536)
        except ConnectionResetError:
            more = b""
        closed = not more
        data += more


def test_table_is_long_enough():
    assert len(WIRE) >= 80


@pytest.mark.parametrize("raw, want", WIRE, ids=lambda v: repr(v)[:50])
def test_wire(shared, raw, want):
    c = connect(shared)
    try:
        c.sendall(raw)
    except OSError:
        pass
    got, data = statuses(c, want)
    c.close()
    assert got == want, data[:300]
    for body in re.findall(rb"application/json\r\n.*?\r\n\r\n(\{.*?\})\n", data, re.S):
        json.loads(body)
    if any(s >= 400 for s in want) and b"HEAD" not in raw[:4]:
        assert b'"error":' in data and b'"detail":' in data


def test_slow_byte_by_byte(shared):
    c = connect(shared)
    for byte in POST + LEN + EVENT:
        c.sendall(bytes([byte]))
    assert statuses(c, [200])[0] == [200]
    c.close()


def test_100_continue_comes_before_the_body(shared):
    c = connect(shared)
    c.sendall(POST + b"Expect: 100-continue\r\n" + LEN)
    assert c.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    c.sendall(EVENT)
    assert statuses(c, [200])[0] == [200]
    c.close()


def test_half_closed_clients_get_their_answers(shared):
    for count in (1, 3):
        conns = []
        for _ in range(20):
            c = connect(shared)
            c.sendall((POST + LEN + EVENT) * count)
            c.shutdown(socket.SHUT_WR)
            conns.append(c)
        for c in conns:
            assert statuses(c, [200] * count + [0])[0] == [200] * count + [0]
            c.close()


def test_clients_that_vanish_while_their_reply_is_pending(shared):
    before = shared.db.one("SELECT count(*) FROM bot_error_event WHERE message = 'vanish'")
    body = b'{"message":"vanish"}'
    for n in range(60):
        c = connect(shared)
        if n % 2:
            c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        c.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        c.close()
    wait(lambda: shared.db.one("SELECT count(*) FROM bot_error_event WHERE message = 'vanish'")
         >= before + 30, 10, "the events of those who are gone")
    assert shared.get("/health/live").status == 200


def test_too_large_is_read_by_a_sender_that_goes_on(shared):
    for head, part in ((b"Content-Length: 30000000\r\n\r\n", b"x" * 65536),
                       (b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65536 + b"\r\n")):
        c = connect(shared)
        c.sendall(POST + head)
        for _ in range(400):
            try:
                c.sendall(part)
            except OSError:
                break
        assert statuses(c, [413, 0])[0] == [413, 0]
        c.close()


def test_deadlines(shared):
    """10 s for a head, 60 s for a body, both absolute: dripping does not help."""
    head, idle, body = connect(shared), connect(shared), connect(shared)
    head.sendall(b"GET / HT")
    body.sendall(POST + b"Content-Length: 500\r\n\r\n")
    body.settimeout(70)
    started = time.monotonic()

    def drip(c, byte, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                c.sendall(byte)
            except OSError:
                return
            time.sleep(0.5)

    threading.Thread(target=drip, args=(head, b"a", 9), daemon=True).start()
    threading.Thread(target=drip, args=(body, b"b", 59), daemon=True).start()
    head.settimeout(15), idle.settimeout(15)
    assert statuses(head, [408, 0])[0] == [408, 0]
    assert 9.5 < time.monotonic() - started < 12.5
    assert statuses(idle, [0])[0] == [0], "an idle connection is closed without a word"
    assert statuses(body, [408, 0])[0] == [408, 0]
    assert 59 < time.monotonic() - started < 64


def test_the_longest_idle_makes_room(service):
    s = service(env={"HTTP_MAX_CONNECTIONS": "8"})
    time.sleep(0.3)
    idle = [connect(s) for _ in range(8)]
    time.sleep(0.1)
    assert s.post({"message": "room"}).status == 200
    gone = 0
    for c in idle:
        c.settimeout(0.3)
        try:
            gone += c.recv(1) == b""
        except TimeoutError:
            pass
    assert 1 <= gone <= 3
    assert b"nabat_http_evicted_total" in s.get("/metrics").body
    for c in idle:
        c.close()


def test_out_of_descriptors(service):
    s = service()
    resource.prlimit(s.process.pid, resource.RLIMIT_NOFILE, (60, 60))
    held = []
    for _ in range(100):
        try:
            held.append(connect(s))
        except OSError:
            break
    assert s.post({"message": "still here"}).status == 200
    for c in held:
        c.close()
    cpu = sum(map(int, open(f"/proc/{s.process.pid}/stat").read().split()[13:15]))
    time.sleep(1)
    after = sum(map(int, open(f"/proc/{s.process.pid}/stat").read().split()[13:15]))
    assert after - cpu < 30, "no spinning"


def test_body_memory_is_a_bound(service):
    s = service(env={"HTTP_BODY_MEMORY": "1MiB"})
    holders = []
    for _ in range(3):
        c = connect(s)
        c.sendall(POST + b"Content-Length: 600000\r\n\r\n" + b" " * 590000)
        holders.append(c)
    time.sleep(0.5)
    answers = []
    for c in holders:
        c.settimeout(0.5)
        try:
            answers.append(c.recv(200)[:12])
        except TimeoutError:
            answers.append(b"waits")
    assert b"HTTP/1.1 503" in answers and b"waits" in answers, answers
    for c in holders:
        c.close()
    wait(lambda: b"nabat_http_body_bytes 0" in s.get("/metrics").body, 5, "memory given back")
    assert s.post({"message": "after"}).status == 200
