"""test_checks.py -- addresses are asked, troubles ring after three bad answers and are over after two good ones; jobs' addresses."""
import datetime
import http.server
import re
import ssl
import subprocess
import threading
import time

import pytest
from conftest import STRANGER, TEAM, buttons, wait

from test_stats import say


class Site(http.server.ThreadingHTTPServer):
    """Answers as it is told to."""

    def __init__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                site = self.server.site
                site.asked.append(self.path)
                time.sleep(site.delay)
                self.send_response(site.status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.site, self.status, self.delay, self.asked = self, 200, 0, []
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()


@pytest.fixture
def site():
    s = Site()
    yield s
    s.close()


def certificate(folder, days):
    """Of 127.0.0.1, by an authority of our own, good for so many days."""
    def run(*args):
        subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)
    if not (folder / "ca.pem").exists():
        run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "3650", "-subj", "/CN=test authority")
    (folder / "ext").write_text("subjectAltName=IP:127.0.0.1\n")
    run("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "site.key", "-out", "site.csr", "-subj", "/CN=127.0.0.1")
    run("x509", "-req", "-in", "site.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "site.pem", "-days", str(days),
        "-extfile", "ext")


def ask(db, times=1):
    """So often, without waiting for the time between."""
    for _ in range(times):
        before = db.one("SELECT count(*) FROM check_sample")
        db.sql("UPDATE uptime_check SET next_at = now()")
        wait(lambda n=before: db.one("SELECT count(*) FROM check_sample") > n, 40, "an answer written down")


def cards(tg, part):
    return [m for m in tg.messages.values() if m["text"].startswith("🔴") and part in m["text"]]


def test_an_address_that_stops_answering_rings_and_recovers(service, db, tg, site):
    service(tg=tg, env={"CHECKS": f"{site.url}/health every 1d expect 200"})
    wait(lambda: site.asked, 30, "the first question")
    ask(db, 2)
    assert db.sql("SELECT failing, last_status, from_settings FROM uptime_check") == [(None, 200, True)]
    site.status = 503
    ask(db, 2)
    assert db.one("SELECT failing FROM uptime_check") is None, "two bad answers are none"
    site.status = 200
    ask(db)
    site.status = 503
    ask(db, 2)
    assert not cards(tg, "answers"), "and they do not add up over a good one"
    ask(db)
    card = tg.wait(lambda: cards(tg, "/health answers 503 instead of 200"), 20, "a card")[0]
    assert "📍 check" in card["text"] and "Take" in buttons(card)
    ask(db, 3)
    assert len(cards(tg, "/health")) == 1 and db.one("SELECT failing FROM uptime_check") == "down"
    site.status = 200
    ask(db, 2)
    tg.wait(lambda: any("Resolved by itself" in m["text"] for m in tg.messages.values()), 20, "that the card says it is over")
    tg.wait(lambda: any("works again" in m["text"] or "again" in m["text"].split("\n")[0] for m in tg.messages.values()
                        if m.get("reply_to")), 20, "a word about it")
    assert db.one("SELECT failing FROM uptime_check") is None


def test_nobody_there_and_slow(service, db, tg, site):
    service(tg=tg)
    assert "is checked from now on (number 1)" in say(tg, f"/check add {site.url}/pay?token=s3cret every 1d under 300ms")["text"]
    gone = Site()
    gone.close()
    say(tg, f"/check add {gone.url}/ every 1d")
    site.delay = 0.6
    ask(db, 4)
    slow = tg.wait(lambda: cards(tg, "is slow"), 40, "slow")[0]
    assert "/pay?… (check 1) is slow" in slow["text"] and "not under 300" in slow["text"]
    down = tg.wait(lambda: cards(tg, "does not answer"), 40, "down")[0]
    assert gone.url in down["text"]
    site.delay = 0
    ask(db, 3)
    tg.wait(lambda: any("Resolved by itself" in m["text"] and "/pay" in m["text"] for m in tg.messages.values()), 20, "its end")
    text = say(tg, "/stats checks")["text"]
    lines = text.splitlines()
    assert lines[1].startswith("🔴 2. ") and "does not answer as it should" in lines[1], text
    assert re.search(r"🟢 1\. http://127.0.0.1:\d+/pay\n     half in [\d,]+ ms, 95 % in [\d,]+ ms · [\d.]+ % good", text), text
    assert "s3cret" not in text + slow["text"], "what is asked for may hold secrets"
    p50, p95 = db.sql("SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::bigint, percentile_cont(0.95) WITHIN GROUP (ORDER BY ms)::bigint "
                      "FROM check_sample WHERE check_id = 1")[0]
    shown = re.search(r"1\. .*\n     half in ([\d,]+) ms, 95 % in ([\d,]+) ms", text)
    assert [int(x.replace(",", "")) for x in shown.groups()] == [p50, p95]


def test_a_certificate_that_expires_rings_and_recovers(service, db, tg, site, tmp_path):
    """A real HTTPS server, renewed while it runs."""
    certificate(tmp_path, 5)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "site.pem", tmp_path / "site.key")
    site.socket = context.wrap_socket(site.socket, server_side=True)
    url = site.url.replace("http:", "https:")
    service(tg=tg, env={"CHECKS": f"{url}/ every 1d", "SSL_CERT_FILE": str(tmp_path / "ca.pem")})
    wait(lambda: db.one("SELECT cert_expires_at FROM uptime_check"), 30, "the certificate seen")
    left = db.one("SELECT cert_expires_at FROM uptime_check") - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(days=4) < left <= datetime.timedelta(days=5)
    ask(db, 2)
    card = tg.wait(lambda: cards(tg, "The certificate of"), 20, "a card")[0]
    assert f"The certificate of {url}/ expires, days left: 4" in card["text"]
    assert "certificate until" in say(tg, "/check")["text"]
    certificate(tmp_path, 90)
    context.load_cert_chain(tmp_path / "site.pem", tmp_path / "site.key")
    ask(db, 2)
    tg.wait(lambda: any("Resolved by itself" in m["text"] for m in tg.messages.values()), 20, "its end")
    assert db.one("SELECT failing FROM uptime_check") is None


def test_what_checks_says_comes_and_goes_and_what_people_added_stays(service, db, tg, site):
    s = service(tg=tg, env={"CHECKS": f"{site.url}/a every 1d; {site.url}/b every 2h expect 204"})
    wait(lambda: db.one("SELECT count(*) FROM uptime_check") == 2, 20, "both")
    say(tg, f"/check add {site.url}/c every 1d")
    s.stop()
    s.env["CHECKS"] = f"{site.url}/b every 3h"
    s.start().ready()
    wait(lambda: sorted(r[0][-2:] for r in db.sql("SELECT url FROM uptime_check")) == ["/b", "/c"], 30, "what is left")
    assert db.sql("SELECT every_s, expect FROM uptime_check WHERE from_settings") == [(10800, 0)]
    number = db.one("SELECT id FROM uptime_check WHERE NOT from_settings")
    assert say(tg, f"/check off {number}")["text"] == f"Check {number} is off"
    assert say(tg, f"/check on {number}")["text"] == f"Check {number} is on"
    assert say(tg, f"/check del {number}")["text"] == f"Check {number} is gone"
    assert "no check 99" in say(tg, "/check del 99")["text"]


@pytest.mark.parametrize("words, why", [("ftp://x", "no address"), ("https://", "no address"), ("https://x every 5s", "10s to 1d"),
                                        ("https://x every", "no value"), ("https://x expect 99", "100 to 599"), ("https://x under 0s", "1ms to 30s"),
                                        ("https://x every 10s under 8s", "waited for 8s"), ("https://x under 30s", "waited for 30s"),
                                        ("https://x cert 400d", "1d to 365d"), ("https://x colour red", "it takes every"), ("", "no address"),
                                        ("https://" + "x" * 600, "more than 511")])
def test_wrong_checks_say_what_is_right(service, db, tg, tools, words, why):
    service(tg=tg)
    assert why in say(tg, f"/check add {words}")["text"]
    assert db.one("SELECT count(*) FROM uptime_check") == 0
    if words:
        run = tools(db, "--check", env={"CHECKS": words})
        assert run.returncode == 2 and "CHECKS" in run.stderr and why in run.stderr


def test_only_owners_let_it_ask_addresses(service, db, tg, site):
    service(tg=tg)
    assert "owner" in say(tg, f"/check add {site.url}", user=TEAM)["text"].lower()
    say(tg, "/check add " + site.url, STRANGER, STRANGER)
    assert db.one("SELECT count(*) FROM uptime_check") == 0 and not site.asked


def test_a_job_says_that_it_lives(service, db, tg):
    s = service(tg=tg)
    text = say(tg, "/check beat nightly-backup every 1d")["text"]
    url = re.search(r"http://127.0.0.1:\d+(/beat/[0-9a-f]{32})", text).group(1)
    assert say(tg, "/check beat nightly-backup every 2d")["text"].count(url) == 1, "the same address"
    assert db.one("SELECT count(*) FROM monitor") == 0, "it is watched from its first beat on"
    assert s.get(url).json == {"ok": True}
    assert s.request("POST", url + "/start", b"whatever it says").status == 200
    assert s.get(url + "/").status == 200
    assert db.sql("SELECT slug, schedule FROM monitor") == [("nightly-backup", "2880 minute")]
    assert s.get(url + "/fail").status == 200
    wait(lambda: db.one("SELECT count(*) FROM error_group WHERE origin = 'monitor'") == 1, 20, "an error of it")
    for path in ("/beat/" + "0" * 32, "/beat/short", url + "/nonsense", url[:-1] + "Z", "/beat/"):
        assert s.get(path).status == 404, path
    assert "a-z 0-9" in say(tg, "/check beat Nightly Backup")["text"]
    assert "How often?" in say(tg, "/check beat x every")["text"]


def test_beats_without_end_are_refused(service, db, tg):
    s = service(tg=tg)
    often, seldom = (re.search(r"/beat/[0-9a-f]{32}", say(tg, f"/check beat {name} every 1d")["text"]).group(0) for name in ("often", "seldom"))
    codes = [s.get(often).status for _ in range(140)]
    assert codes[0] == 200 and codes[-1] == 429
    assert s.get(seldom).status == 200, "each job has its own rate"
    codes = [s.get(f"/beat/{n:032x}").status for n in range(1300)]
    assert codes[0] == 404 and codes[-1] == 429, "and who invents keys comes to an end, too"


def test_answers_do_not_pile_up(service, db, tools, site):
    service(env={"CHECKS": f"{site.url}/ every 1d"})
    wait(lambda: db.one("SELECT count(*) FROM check_sample") >= 1, 30, "an answer")
    db.sql("INSERT INTO check_sample (check_id, at, ms, ok) SELECT id, now() - interval '31 days', 1, true FROM uptime_check")
    assert tools(db, program="prune/nabat-prune").returncode == 0
    assert db.one("SELECT max(now() - at) < interval '1 day' FROM check_sample")
