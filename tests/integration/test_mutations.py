"""test_mutations.py -- every request of the suite truncated, with bits turned over, and spliced with another:
ten thousand of them give 200 or 4xx, never 5xx, never a crash, and never a stored secret."""
import base64
import collections
import gzip
import json
import os
import random
import socket
import uuid
import zlib

import brotli
import zstandard
from conftest import KEY, Database, Service
from sentry_wire import CRONTAB, FORM, checkin, envelope, event, form, minidump

COUNT = int(os.environ.get("NABAT_MUTATIONS", "10000"))
# what is known by its own looks; a password is known by its name alone, and a bit turned over in that name
# makes it a word like others
PASSWORD = "hunter2-and-more"
SECRETS = ["110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", "4571234567890111",
           "query_id=AAHdF6IQ&user=%7B%22id%22%3A1%7D&auth_date=1662771648&hash=c501b71e775f74ce10e377dea85a7ea2"]


def leaky():
    """An event whose secrets stand where bots leak them."""
    token, card, init_data = SECRETS
    password = PASSWORD
    return event(
        message=f"GET https://api.telegram.org/bot{token}/getMe failed, card {card}",
        exception={"values": [{"type": "E", "value": f"bad token {token}; {init_data}", "stacktrace": {"frames": [
            {"function": "f", "filename": "a.py", "context_line": f"bot = Bot('{token}')",
             "vars": {"password": password, "token": token, "init_data": init_data, "card": card}}]}}]},
        breadcrumbs={"values": [{"message": f"bot{token}", "data": {"url": f"https://x/?{init_data}"}}]},
        request={"url": f"https://app/#tgWebAppData={init_data}", "headers": [["Authorization", f"Bearer {password}"]],
                 "cookies": f"sid={password}", "data": {"password": password}},
        extra={"initData": init_data, "auth": {"password": password}}, tags={"card": card},
        contexts={"bot": {"bot_token": token}}, user={"id": 5, "api_key": password})


def corpus():
    """(path, headers, body) of one request of each kind."""
    sentry = {"X-Sentry-Auth": f"Sentry sentry_key={KEY}, sentry_version=7"}
    token = SECRETS[0]
    full = envelope(leaky(), ({"type": "attachment", "filename": f"{token}.txt", "length": 3}, b"abc"),
                    ({"type": "session"}, {"sid": "1", "init": True, "attrs": {"release": token}}),
                    ({"type": "client_report"}, {"discarded_events": []}), event_id=uuid.uuid4().hex)
    said = {"contexts": {"feedback": {"message": f"my token is {token}", "associated_event_id": uuid.uuid4().hex}}}
    store = json.dumps(leaky()[1]).encode()
    requests = [("/api/1/envelope/", {}, full), ("/api/1/envelope/", {"Content-Encoding": "gzip"}, gzip.compress(full)),
                ("/api/1/envelope/", {"Content-Encoding": "br"}, brotli.compress(full)),
                ("/api/1/envelope/", {"Content-Encoding": "zstd"}, zstandard.compress(full)),
                ("/api/1/envelope/", {"Content-Encoding": "deflate"}, zlib.compress(full)),
                ("/api/1/envelope/", {}, envelope(checkin("mutant", "ok", CRONTAB, release=token))),
                ("/api/1/envelope/", {}, envelope(({"type": "feedback"}, said), ({"type": "user_report"}, {"event_id": "a" * 32, "comments": token}))),
                ("/api/1/store/", {}, store), ("/api/1/store/", {}, base64.b64encode(zlib.compress(store))),
                (f"/api/1/events/{'a' * 32}/attachments/", FORM, form(a=(f"{token}.log", b"1234"))),
                ("/api/1/envelope/", {}, envelope(({"type": "sessions"}, {"aggregates": [{"started": "2026-11-21T10:00:00Z", "exited": 2}],
                                                                          "attrs": {"release": token}}))),
                ("/api/1/security/", {"Content-Type": "application/reports+json"},
                 json.dumps([{"type": "csp-violation", "url": f"https://e/bot{token}", "body": {"effectiveDirective": "img-src"}}]).encode()),
                ("/api/1/security/", {"Content-Type": "application/csp-report"},
                 json.dumps({"csp-report": {"effective-directive": "script-src", "blocked-uri": "https://e/x"}}).encode()),
                (f"/api/1/cron/mutant/{KEY}/?status=ok&environment={token}", {"Content-Type": "application/json"},
                 json.dumps({"monitor_config": CRONTAB, "release": token}).encode()),
                ("/api/1/minidump/", FORM, form(upload_file_minidump=(f"{token}.dmp", minidump()), sentry=(None, store))),
                ("/api/events", {"X-Api-Key": KEY}, json.dumps({"message": "native", "payload": {"password": PASSWORD}}).encode())]
    return [(path, {**sentry, **headers}, body) for path, headers, body in requests]


def mutate(rng, body, other):
    kind = rng.randrange(4)
    if kind == 0 or not body:
        return body[:rng.randrange(len(body) + 1)]
    if kind == 1:
        out = bytearray(body)
        for _ in range(rng.choice([1, 1, 2, 8, 64])):
            out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
        return bytes(out)
    if kind == 2:
        return body[:rng.randrange(len(body))] + other[rng.randrange(len(other) or 1):]
    a, b = sorted((rng.randrange(len(body)), rng.randrange(len(body))))
    return body[:a] + body[a:b] * rng.choice([2, 3, 20]) + body[b:]


class Line:
    """One kept-alive connection, made again when the service closes it."""

    def __init__(self, port):
        self.port, self.socket = port, None

    def ask(self, path, headers, body):
        head = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        data = f"POST {path} HTTP/1.1\r\nHost: h\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        for fresh in (False, True):
            if self.socket is None or fresh:
                self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=30)
            try:
                self.socket.sendall(data)
                answer = self.socket.makefile("rb")
                status = int(answer.readline().split()[1])
                length, close = 0, False
                while (line := answer.readline()) not in (b"\r\n", b""):
                    name, _, value = line.lower().partition(b":")
                    length = int(value) if name == b"content-length" else length
                    close = close or (name == b"connection" and b"close" in value)
                text = answer.read(length)
                if close:
                    self.socket.close()
                    self.socket = None
                return status, text
            except (OSError, IndexError):
                self.socket = None
        raise AssertionError("no answer")


def columns_with(db, secret):
    found = []
    for table, column in db.sql("SELECT table_name, column_name FROM information_schema.columns "
                                "WHERE table_schema = 'public' AND data_type IN ('text', 'jsonb') "
                                "AND table_name IN ('event', 'error_stack', 'error_group', 'user_feedback', 'alert_note', "
                                "'event_attachment', 'alert_outbox', 'monitor', 'monitor_checkin', 'event_inbox', 'event_inbox_failed', 'session_hour')"):
        if db.one(f"SELECT count(*) FROM {table} WHERE position(%s IN {column}::text) > 0", secret):
            found.append((table, column))
    for (detail,) in db.sql("SELECT detail FROM event WHERE detail IS NOT NULL"):
        if secret.encode() in zstandard.decompress(bytes(detail)):
            found.append(("event", "detail"))
            break
    return found


def test_ten_thousand_mutations(cluster):
    seed = int(os.environ.get("NABAT_SEED", "20261121"))
    rng = random.Random(seed)
    d = Database(cluster)
    s = Service(d, {"LOG_LEVEL": "warn"}).ready()
    answers = collections.Counter()
    try:
        kinds = corpus()
        for path, headers, body in kinds:  # as they are, all of them are taken
            status, text = Line(s.port).ask(path, headers, body)
            assert status in (200, 201, 202), (path, status, text)
        for secret in (*SECRETS, PASSWORD):
            assert columns_with(d, secret) == [], secret
        line = Line(s.port)
        for n in range(COUNT):
            path, headers, body = rng.choice(kinds)
            status, text = line.ask(path, headers, mutate(rng, body, rng.choice(kinds)[2]))
            answers[status] += 1
            assert status in (200, 201, 202) or 400 <= status < 500, (seed, n, path, status, text)
        assert s.process.poll() is None, s.stderr[-3000:]
        assert answers[200] > COUNT / 10 and answers[400] > COUNT / 10, answers
        for secret in SECRETS:
            where = columns_with(d, secret)
            assert where == [], (secret, [d.one(f"SELECT substr({c}::text, greatest(1, position(%s IN {c}::text) - 60), 150) FROM {t} "
                                                f"WHERE position(%s IN {c}::text) > 0", secret, secret) for t, c in where if c != "detail"])
        print(dict(answers), d.one("SELECT count(*) FROM event"), "events kept")
    finally:
        s.close()
        d.drop()
