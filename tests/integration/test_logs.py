"""test_logs.py -- repeats are folded, SIGHUP reads settings again, and docs/logs.md names every message that asks for something."""
import json
import re
import signal
import subprocess
import time

import pytest
from conftest import BUILD, KEY, ROOT, RUNNER, wait

ROOMS = ["core", "net", "ingest", "spool", "store", "alerts", "stats", "monitors", "checks", "issues", "watch", "forward", "api", "bot"]


def said_in_source():
    """(message, level) of every log_warn and log_error with a literal; a choice of two counts as both."""
    found = set()
    for room in ROOMS:
        for path in (ROOT / room).glob("*.c"):
            for m in re.finditer(r"\blog_(warn|error)\(\s*((?:[^;\"]|\"(?:[^\"\\]|\\.)*\")*?)\)\s*;", path.read_text()):
                first = re.match(r"(?:[^,\"]|\"(?:[^\"\\]|\\.)*\")*", m.group(2)).group(0)
                if "?" in first:
                    found |= {(lit, m.group(1)) for lit in re.findall(r'"((?:[^"\\]|\\.)*)"', first)}
                elif '"' in first:
                    found.add(("".join(re.findall(r'"((?:[^"\\]|\\.)*)"', first)), m.group(1)))
                else:  # forward.c: a text that /health shows, too
                    assert first.strip() == "f->trouble", (path, first)
                    found.add(("SENTRY_DSN holds one of our own keys: nothing is forwarded", "error"))
    return found


def test_every_message_is_in_the_document():
    rows = set(re.findall(r"^\| (.+?) \| (warn|error) \| .+ \|$", (ROOT / "docs/logs.md").read_text(), re.M))
    said = said_in_source()
    assert len(said) > 60
    assert said - rows == set(), "not in docs/logs.md"
    assert rows - said == set(), "in docs/logs.md, and nowhere else"


def test_repeats_are_folded(service):
    s = service(env={"LOG_LEVEL": "info", "LOG_FORMAT": "json"})
    for _ in range(30):
        s.request("POST", "/api/1/cron/nobody-knows-it/", b"", {"X-Sentry-Auth": f"Sentry sentry_key={KEY}"})
    lines = [json.loads(line) for line in s.stderr.splitlines() if line.startswith("{")]
    assert len([line for line in lines if line["msg"] == "check-in refused"]) == 5, lines[-3:]


@pytest.mark.long
def test_what_was_held_back_is_counted(service):
    """A minute later."""
    s = service(env={"LOG_LEVEL": "info"})
    for _ in range(30):
        s.request("POST", "/api/1/cron/nobody-knows-it/", b"", {"X-Sentry-Auth": f"Sentry sentry_key={KEY}"})
    wait(lambda: 'msg="check-in refused" repeated="… 25 more"' in s.stderr, 75, "the rest")
    assert s.stderr.count("check-in refused") == 6


def test_settings_are_read_again(service, tmp_path):
    f = tmp_path / "env"
    f.write_text("LOG_LEVEL=warn\nERROR_ALERT_COOLDOWN=300\n")
    s = service(ready=False, env={"LOG_LEVEL": None})
    s.kill()
    s.err.close(), s.out.close()
    s.err, s.out = open(s.err.name, "w+b"), open(s.out.name, "w+b")
    s.process = subprocess.Popen([*RUNNER, str(BUILD / "bot/nabat"), "--env-file", str(f)], env=s.env, cwd="/tmp",
                                 stdin=subprocess.DEVNULL, stdout=s.out, stderr=s.err)
    s.ready()
    assert "level=info" not in s.stderr
    f.write_text("LOG_LEVEL=info\nLOG_FORMAT=json\nERROR_ALERT_COOLDOWN=10m\nMETRICS_TOKEN=of-this-test\n")
    s.process.send_signal(signal.SIGHUP)
    wait(lambda: '"msg":"settings read again"' in s.stderr, 5, "the word")
    names = re.findall(r'takes effect at the next start","name":"(\w+)"', s.stderr)
    assert names == ["ERROR_ALERT_COOLDOWN", "METRICS_TOKEN"] and "of-this-test" not in s.stderr
    f.write_text("LOG_LEVEL=loud\n")
    s.process.send_signal(signal.SIGHUP)
    wait(lambda: "those of before hold" in s.stderr, 5, "the error")
    assert "LOG_LEVEL" in s.stderr.splitlines()[-1] and "loud" in s.stderr.splitlines()[-1]
    time.sleep(0.2)
    assert s.post({"message": "it runs"}).status == 200


def test_errors_have_an_id_that_the_log_knows(service):
    s = service()
    a = s.request("POST", f"/api/1/nothing/{KEY}/?sentry_key={KEY}", b"x")
    assert a.status in (401, 404) and re.fullmatch(r"[0-9a-f]{32}", a.headers["X-Request-Id"])
    assert f"request_id={a.headers['X-Request-Id']}" in s.stderr and KEY not in s.stderr
    a = s.request("POST", "/api/events", b"{", {"Authorization": "Bearer " + KEY, "X-Request-Id": "of-the_client.7"})
    assert a.status == 400 and a.headers["X-Request-Id"] == "of-the_client.7"
    for odd in ("a b", "x" * 65, "<script>", ""):
        a = s.request("GET", "/nothing", headers={"X-Request-Id": odd})
        assert re.fullmatch(r"[0-9a-f]{32}", a.headers["X-Request-Id"]), odd
    assert "X-Request-Id" not in s.get("/health/live").headers


def test_what_is_our_fault_is_logged_with_its_id(service, db):
    s = service(env={"LOG_LEVEL": "info", "SPOOL_MAX_BYTES": "0"})
    other = db.cluster.connect()
    other.cursor().execute(f"ALTER DATABASE {db.name} ALLOW_CONNECTIONS false")
    other.cursor().execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (db.name,))
    wait(lambda: s.post({"message": "x"}).status == 503, 10, "an answer that is ours")
    a = s.post({"message": "x"})
    other.cursor().execute(f"ALTER DATABASE {db.name} ALLOW_CONNECTIONS true")
    other.close()
    assert a.status == 503
    assert re.search(rf'level=warn msg="a request was answered with an error" status=503 path=/api/events request_id={a.headers["X-Request-Id"]}',
                     s.stderr), s.stderr[-800:]
