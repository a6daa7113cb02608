"""sentry_wire.py -- what a Sentry SDK puts on the wire, made by hand; for the tests beside it."""
import json
import socket
import struct
import uuid

import pytest
from conftest import CHAT, KEY

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


def raw(s, data):
    with socket.create_connection(("127.0.0.1", s.port), timeout=10) as c:
        c.sendall(data)
        out = b""
        while chunk := c.recv(65536):
            out += chunk
    return out


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


def checkin(slug, status, config=None, **fields):
    body = {"check_in_id": uuid.uuid4().hex, "monitor_slug": slug, "status": status, **fields}
    if config:
        body["monitor_config"] = config
    return ({"type": "check_in"}, body)


CRONTAB = {"schedule": {"type": "crontab", "value": "* * * * *"}, "checkin_margin": 1, "max_runtime": 1,
           "timezone": "Europe/Moscow"}
