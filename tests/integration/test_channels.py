"""test_channels.py -- e-mail, Slack, Discord, webhook, PagerDuty, ntfy against real receivers; the fallback chain."""
import base64
import email
import email.policy
import hashlib
import hmac
import json
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from conftest import CHAT, OWNER, free_port, wait

HOSTILE = 'broken <b>&amp; "x" @everyone <!channel> \\\\ Ошибка 💥\r\nBcc: evil@example.org'


class Receiver:
    """An HTTP server that keeps what it gets."""

    def __init__(self):
        self.got, self.answers = [], []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((self.path, dict(self.headers), body))
                status, headers = receiver.answers.pop(0) if receiver.answers else (200, {})
                self.send_response(status)
                for k, v in headers.items():
                    self.send_header(k, v)
                self.send_header("Content-Length", "0")
                self.end_headers()

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def bodies(self):
        return [json.loads(b) for _, _, b in self.got]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver():
    r = Receiver()
    yield r
    r.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", "key.pem",
                    "-out", "cert.pem"], cwd=folder, check=True, capture_output=True)
    return folder


class Mailbox:
    def __init__(self):
        self.mails, self.logins, self.refuse = [], [], None

    async def handle_DATA(self, server, session, envelope):
        if self.refuse:
            return self.refuse
        self.mails.append((envelope, session.ssl is not None))
        return "250 Taken"

    def login(self, server, session, envelope, mechanism, data):
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password == b"s3cret-pass")


@pytest.fixture
def mailbox(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port(), tls_context=context,
                            require_starttls=True, authenticator=box.login, auth_required=True)
    controller.start()
    box.port = controller.port
    box.certificate = certificate
    yield box
    controller.stop()


def channel(db, kind, url, rule=True, name=None, **columns):
    columns = {"name": name or kind, "kind": kind, "url": url, **columns}
    keys = ", ".join(columns)
    places = ", ".join(["%s"] * len(columns))
    number = db.sql(f"INSERT INTO alert_channel ({keys}) VALUES ({places}) RETURNING id", *columns.values())[0][0]
    if rule:
        db.sql("INSERT INTO alert_rule (chat_id, severity) VALUES (%s, 'error')", number)
    time.sleep(1.2)
    return number


def post(s, message, severity="critical", **more):
    assert s.post({"message": message, "severity": severity, **more}).status == 200


def test_email(service, tg, db, mailbox):
    s = service(tg=tg, env={"SSL_CERT_FILE": str(mailbox.certificate / "cert.pem")})
    channel(db, "email", f"smtp://nabat:s3cret-pass@localhost:{mailbox.port}",
            sender="Nabat <nabat@example.org>", recipients="Ann <ann@example.org>, bob@example.org")
    post(s, HOSTILE, environment="prod")
    wait(lambda: mailbox.mails, 10, "the mail")
    envelope, encrypted = mailbox.mails[0]
    assert encrypted and mailbox.logins == [("nabat", "s3cret-pass")]
    assert envelope.mail_from == "nabat@example.org"
    assert envelope.rcpt_tos == ["ann@example.org", "bob@example.org"]
    mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert mail["Bcc"] is None and "evil" not in str(mail["To"])
    assert mail["Subject"].startswith("Critical: broken <b>&amp;") and mail["Subject"].endswith("(#1)")
    plain = mail.get_body(("plain",)).get_content()
    assert "Ошибка 💥" in plain and "<b>&amp;" in plain and "prod" in plain
    page = mail.get_body(("html",)).get_content()
    assert "&lt;b&gt;&amp;amp;" in page and "<blockquote expandable" not in page
    wait(lambda: db.one("SELECT state FROM alert_outbox") == "sent", 5)
    assert db.one("SELECT last_ok_at IS NOT NULL FROM alert_channel")
    assert "s3cret-pass" not in s.stderr
    # a mailbox that is full for now: later; one that refuses for good: said, not tried for ever
    mailbox.refuse = "452 Full"
    post(s, "second one")
    wait(lambda: db.one("SELECT last_error FROM alert_channel") == "452", 5)
    mailbox.refuse = None
    wait(lambda: len(mailbox.mails) == 2, 10, "after a while")


def test_email_with_a_wrong_password_or_certificate(service, tg, db, mailbox):
    s = service(tg=tg)  # the certificate is nobody's that we know
    channel(db, "email", f"smtp://nabat:s3cret-pass@localhost:{mailbox.port}",
            sender="nabat@example.org", recipients="ann@example.org")
    post(s, "never sent in the clear")
    wait(lambda: db.one("SELECT last_error FROM alert_channel") or "", 10)
    assert mailbox.logins == [] and mailbox.mails == []
    assert db.one("SELECT state FROM alert_outbox") in ("pending", "uncertain", "sending")
    assert "s3cret-pass" not in s.stderr + str(db.sql("SELECT last_error FROM alert_outbox"))


@pytest.mark.parametrize("kind, path", [("slack", "/services/T0/B0/x"), ("discord", "/api/webhooks/1/x")])
def test_slack_and_discord(service, tg, db, receiver, kind, path):
    s = service(tg=tg)
    channel(db, kind, receiver.url + path)
    post(s, HOSTILE + "x" * 9000)
    wait(lambda: receiver.got, 5)
    assert receiver.got[0][0] == path
    body = receiver.bodies[0]
    if kind == "slack":
        section = body["attachments"][0]["blocks"][0]["text"]
        assert section["type"] == "plain_text" and len(section["text"]) <= 3000
        assert "<!channel>" not in body["text"] and "&lt;!channel&gt;" in body["text"]
        assert body["attachments"][0]["color"] == "#d50000"
    else:
        embed = body["embeds"][0]
        assert len(embed["title"]) <= 256 and len(embed["description"]) <= 4096
        assert body["allowed_mentions"] == {"parse": []} and embed["color"] == 0xd50000
    # 429: obeyed to the second
    receiver.answers = [(429, {"Retry-After": "3"})]
    began = time.monotonic()
    post(s, "after the pause")
    wait(lambda: len(receiver.got) == 3, 10)
    assert time.monotonic() - began >= 3
    assert "after the pause" in json.dumps(receiver.bodies[2])


def test_ntfy(service, tg, db, receiver):
    s = service(tg=tg)
    channel(db, "ntfy", receiver.url + "/my-topic", secret="tk_123")
    post(s, "disk full", "error")
    post(s, "on fire")
    wait(lambda: len(receiver.got) == 2, 5)
    by_title = {b["title"]: b for b in receiver.bodies}
    assert receiver.got[0][0] in ("", "/") and receiver.got[0][1]["Authorization"] == "Bearer tk_123"
    assert by_title["Error: disk full (#1)"]["priority"] == 4
    assert by_title["Critical: on fire (#2)"]["priority"] == 5
    assert all(b["topic"] == "my-topic" and b["message"] for b in receiver.bodies)
    assert "tk_123" not in s.stderr


def verify(secret, headers, body):
    """As the Standard Webhooks libraries do."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert hmac.compare_digest(expected, headers["webhook-signature"])
    assert abs(time.time() - int(headers["webhook-timestamp"])) < 60


def test_webhook(service, tg, db, receiver):
    s = service(tg=tg)
    secret = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789").decode()
    channel(db, "webhook", receiver.url + "/hook", secret=secret)
    receiver.answers = [(500, {})]
    post(s, HOSTILE, origin="celery", environment="prod")
    wait(lambda: len(receiver.got) == 2, 10, "again after a 500")
    for _, headers, body in receiver.got:
        verify(secret, headers, body)
    first, second = receiver.bodies
    assert first["id"] == second["id"] and first["type"] == "alert" and first["reason"] == "new"
    group = second["group"]
    assert (group["id"], group["severity"], group["status"], group["origin"]) == (1, "critical", "new", "celery")
    assert group["environment"] == "prod" and group["project"] == "default"
    db.sql("SELECT take(1, 'ann')")
    wait(lambda: len(receiver.got) == 3, 5, "the change of status")
    assert receiver.bodies[2]["type"] == "status" and receiver.bodies[2]["group"]["status"] == "in_progress"
    # a receiver that is gone for good is not hammered
    receiver.answers = [(410, {})] * 50
    post(s, "to nobody")
    time.sleep(4)
    assert len(receiver.got) <= 7
    assert db.one("SELECT count(*) FROM alert_outbox WHERE state = 'pending'") == 1


def test_pagerduty_in_step_with_status(service, tg, db, receiver):
    s = service(tg=tg)
    channel(db, "pagerduty", receiver.url + "/v2/enqueue", secret="R0UT1NGKEY")
    post(s, "database down", server_name="db1")
    wait(lambda: len(receiver.got) == 1, 5)
    one = receiver.bodies[0]
    assert one["event_action"] == "trigger" and one["routing_key"] == "R0UT1NGKEY"
    assert one["payload"]["severity"] == "critical" and one["payload"]["source"] == "db1"
    assert one["payload"]["summary"] == "Critical: database down (#1)"
    db.sql("SELECT take(1, 'ann')")
    wait(lambda: len(receiver.got) == 2, 5)
    db.sql("SELECT resolve(1)")
    wait(lambda: len(receiver.got) == 3, 5)
    assert [b["event_action"] for b in receiver.bodies] == ["trigger", "acknowledge", "resolve"]
    assert len({b["dedup_key"] for b in receiver.bodies}) == 1
    post(s, "database down", server_name="db1")
    wait(lambda: len(receiver.got) >= 4, 5, "a regression triggers again")
    assert receiver.bodies[-1]["event_action"] == "trigger"
    assert "R0UT1NGKEY" not in s.stderr


def test_a_storm_in_a_channel_is_one_message(service, tg, db, receiver):
    s = service(tg=tg)
    channel(db, "slack", receiver.url + "/x")
    words = "alpha bravo charlie delta echo foxtrot golf hotel india juliett".split()
    threads = [threading.Thread(target=lambda n=n: post(s, f"{words[n % 10]} {words[n // 10]}")) for n in range(40)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    wait(lambda: db.one("SELECT count(*) FROM alert_outbox WHERE state = 'folded'") >= 35, 10)
    wait(lambda: db.one("SELECT count(*) FROM alert_digest WHERE message_id IS NOT NULL") == 1, 10)
    time.sleep(3)
    assert len(receiver.got) <= 6
    assert any("errors" in b["text"] for b in receiver.bodies)


def test_channel_names_in_rules_and_the_list(service, tg, db, receiver):
    s = service(tg=tg)
    channel(db, "slack", receiver.url + "/secret-path", rule=False, name="ops", fallback=1)

    def ask(text):
        before = len(tg.sent(CHAT))
        tg.push_message(CHAT, OWNER, text, "boss")
        return tg.wait(lambda: len(tg.sent(CHAT)) > before and tg.sent(CHAT)[-1]["text"], 5, text)

    assert "channel:ops" in ask("/rules add severity:error channel:ops continue")
    assert "no channel" in ask("/rules add channel:nobody").lower()
    assert "channel:ops" in ask("/rules")
    time.sleep(1.2)
    post(s, "to slack", "error")
    wait(lambda: len(receiver.got) == 1, 5)
    listed = ask("/channels")
    assert "ops" in listed and "slack" in listed and "secret-path" not in listed


def test_fallback_when_the_bot_is_kicked(service, tg, db, receiver):
    s = service(tg=tg)
    channel(db, "slack", receiver.url + "/broken", rule=False, name="first", fallback=1)
    channel(db, "webhook", receiver.url + "/ops", rule=False, name="ops", fallback=2)
    receiver.answers = []
    tg.chats[CHAT]["gone"] = "bot was kicked from the supergroup chat"
    post(s, "nobody hears this")
    post(s, "not critical", "error")
    wait(lambda: len(receiver.got) == 1, 10, "the first of the chain")
    assert receiver.got[0][0] == "/broken" and "can't be reached" in json.dumps(receiver.bodies[0])
    # the first one refuses, too: on to the next
    receiver.answers = [(403, {})]
    post(s, "and nobody this")
    wait(lambda: any(p == "/ops" for p, _, _ in receiver.got), 10, "the second of the chain")
    told = [b for p, _, b in receiver.got if p == "/ops"]
    assert b"and nobody this" in told[0] and json.loads(told[0])["is_fallback"] is True
    health = s.get("/health").json["parts"]["telegram"]
    assert health["status"] == "degraded"
    # the chat is back: one summary
    tg.chats[CHAT].update(gone=None)
    tg.bot_membership(CHAT, "member", OWNER, old="kicked")
    message = tg.wait(lambda: tg.sent(CHAT), 15, "the summary")[0]
    assert message["text"].startswith("📮") and "2 errors" in message["text"]
    assert "nobody hears this" in message["text"] and "and nobody this" in message["text"]
    time.sleep(2)
    assert len(tg.sent(CHAT)) == 1
    post(s, "heard again")
    tg.wait(lambda: any("heard again" in m["text"] for m in tg.sent(CHAT)), 5)


def test_fallback_in_a_long_pause(service, tg, db, receiver):
    s = service(tg=tg)
    channel(db, "slack", receiver.url + "/x", rule=False, fallback=1)
    tg.fail_next("sendMessage", 429, "Too Many Requests: retry after 90", parameters={"retry_after": 90})
    post(s, "too many")
    wait(lambda: len(receiver.got) == 1, 10, "the channel")
    assert len(tg.of("sendMessage")) == 1


def test_a_short_pause_is_no_outage(service, tg, db, receiver):
    s = service(tg=tg)
    channel(db, "slack", receiver.url + "/x", rule=False, fallback=1)
    tg.fail_next("sendMessage", 429, "Too Many Requests: retry after 5", parameters={"retry_after": 5})
    tg.fail_next("sendMessage", hang=7)
    post(s, "only a moment")
    tg.wait(lambda: tg.sent(CHAT), 20)
    assert receiver.got == []


@pytest.mark.long
def test_fallback_when_telegram_is_silent(service, tg, db, receiver):
    """Nothing answered for a minute, getMe included."""
    s = service(tg=tg)
    channel(db, "webhook", receiver.url + "/x", rule=False, fallback=1)
    tg.mute = True
    tg.push_message(OWNER, OWNER, "hi")  # the poll that waits already is answered, the next is not
    began = time.monotonic()
    post(s, "into the void")
    wait(lambda: receiver.got, 90, "the channel")
    assert 40 <= time.monotonic() - began <= 85
    assert b"into the void" in receiver.got[0][2]
    tg.mute = False
    tg.wait(lambda: tg.sent(CHAT), 100, "the chat catches up")


def test_a_storm_rings_elsewhere_too(service, tg, db, receiver):
    """Folded before anybody knew that the chat is gone: the chain gets it all the same."""
    s = service(tg=tg)
    channel(db, "webhook", receiver.url + "/x", rule=False, fallback=1)
    tg.chats[CHAT]["gone"] = "bot was kicked from the supergroup chat"
    words = "alpha bravo charlie delta echo foxtrot golf hotel india juliett".split()
    body = [{"message": f"{words[n % 10]} {words[n // 10]} storm", "severity": "critical"} for n in range(20)]
    assert s.post(body).status == 200
    wait(lambda: {g["id"] for b in receiver.bodies for g in b.get("groups", [b.get("group")]) if g} >= set(range(1, 21)),
         40, "all twenty")


@pytest.mark.parametrize("status, columns, error", [
    (302, {}, "302"), (400, {}, "400"), (200, {"secret": "whsec_not base64!"}, "whsec_")])
def test_a_channel_that_does_not_take_it(service, tg, db, receiver, status, columns, error):
    s = service(tg=tg)
    channel(db, "webhook", receiver.url + "/x", **columns)
    receiver.answers = [(status, {"Location": "/login"})] * 50
    post(s, "refused")
    wait(lambda: error in (db.one("SELECT coalesce(last_error, '') FROM alert_outbox") or ""), 10)
    assert db.one("SELECT state FROM alert_outbox") != "sent"
    assert db.one("SELECT last_ok_at FROM alert_channel") is None
    time.sleep(4)
    assert len(receiver.got) <= 4


def test_a_digest_that_a_channel_refuses_comes_to_an_end(service, tg, db, receiver):
    s = service(tg=tg)
    channel(db, "slack", receiver.url + "/x")
    receiver.answers = [(400, {})] * 100
    words = "alpha bravo charlie delta echo foxtrot golf hotel india juliett".split()
    s.post([{"message": f"{words[n % 10]} {words[n // 10]} digest", "severity": "critical"} for n in range(20)])
    wait(lambda: db.one("SELECT count(*) FROM alert_outbox WHERE state = 'failed'") == 20, 60, "given up, and said")
    assert len(receiver.got) <= 8
    receiver.answers = []
    post(s, "afterwards")
    wait(lambda: "afterwards" in json.dumps(receiver.bodies[-1]), 10, "the channel goes on")


def test_a_digest_that_may_be_there_says_so_to_a_webhook(service, tg, db, receiver):
    s = service(tg=tg)
    channel(db, "webhook", receiver.url + "/x", secret="whsec_" + base64.b64encode(b"k" * 32).decode())
    receiver.answers = [(503, {})]
    words = "alpha bravo charlie delta echo foxtrot golf hotel india juliett".split()
    s.post([{"message": f"{words[n % 10]} {words[n // 10]} digest", "severity": "critical"} for n in range(20)])
    wait(lambda: db.sql("SELECT 1 FROM alert_digest WHERE last_error IS NOT NULL"), 10, "it was refused")
    assert [b["possible_repeat"] for b in receiver.bodies] == [False]
    db.sql("UPDATE alert_digest SET uncertain = true")  # as after a lost answer
    wait(lambda: db.sql("SELECT 1 FROM alert_digest WHERE message_id IS NOT NULL"), 15, "it is there")
    body = receiver.bodies[-1]
    assert (body["type"], body["possible_repeat"], len(body["groups"])) == ("digest", True, 20)


def test_a_note_is_no_change_of_status(service, tg, db, receiver):
    s = service(tg=tg)
    channel(db, "pagerduty", receiver.url + "/v2/enqueue", secret="R")
    post(s, "database down")
    wait(lambda: len(receiver.got) == 1, 5)
    db.sql("UPDATE error_group SET note = 'looking'")
    db.sql("SELECT mute(1, interval '1 hour')")
    time.sleep(3)
    assert len(receiver.got) == 1
    db.sql("SELECT resolve(1)")
    wait(lambda: len(receiver.got) == 2, 5)
    assert receiver.bodies[1]["event_action"] == "resolve"


def test_slacks_429_is_no_concern_of_telegram(service, tg, db, receiver):
    s = service(tg=tg)
    channel(db, "slack", receiver.url + "/x", rule=False)
    db.sql("INSERT INTO alert_rule (chat_id, origin) SELECT id, 'api' FROM alert_channel")
    time.sleep(1.2)
    receiver.answers = [(429, {"Retry-After": "1"}), (429, {"Retry-After": "45"})]
    post(s, "to slack", origin="api")
    wait(lambda: len(receiver.got) == 2, 10)
    began = time.monotonic()
    post(s, "to telegram")
    tg.wait(lambda: tg.sent(CHAT), 5)
    assert time.monotonic() - began < 3
