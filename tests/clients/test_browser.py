"""test_browser.py -- clients/js/nabat.js in a real Chromium, on a page of another origin than the service."""
import gzip
import http.server
import json
import pathlib
import shutil
import subprocess
import threading
import time
import urllib.parse

import pytest

from conftest import KEY, ROOT, wait
from test_sdks import BROWSER, ESBUILD, need, npm, sh

HERE = pathlib.Path(__file__).resolve().parent
SCRIPT = (ROOT / "clients/js/nabat.js").read_text()
PLAYWRIGHT = "1.64.1"
COLUMNS = ["origin", "handler", "severity", "message", "exception_type", "stacktrace", "chat_id", "user_id", "session_id",
           "payload", "tags", "breadcrumbs", "gen_request_id"]
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title>
<form id="order" onsubmit="return false"><input name="address" value=""><input name="card" value="4111">
<button id="send">Send</button></form><button id="pay">Pay</button><button id="quiet" data-nabat-ignore>Quiet</button>
%s
<script>
function total(basket) { return basket.items.length; }
document.getElementById('pay').addEventListener('click', function onPay() { total(null); });
</script></html>"""


@pytest.fixture(scope="module")
def pages():
    """Serves PAGE with the scripts that the path's query names; /slow takes its time."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_PUT(self):
            self.do_GET()

        def do_GET(self):
            path = urllib.parse.urlsplit(self.path).path
            if path == "/slow":
                time.sleep(0.6)
            body, kind, status = pages.files.get(path, ("", "text/plain", 404))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body.encode())

    pages = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pages.files = {"/nabat.js": (SCRIPT, "text/javascript", 200), "/slow": ("{}", "application/json", 200)}
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    yield pages
    pages.shutdown()
    pages.server_close()


@pytest.fixture(scope="module")
def wire(shared):
    """In front of the service, and a third origin for the page: what leaves, beacons too, which no browser shows."""
    class Proxy(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_OPTIONS(self):
            wire.preflights += 1
            self.do_POST()

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.command == "POST":
                wire.bodies.append(body.decode())
            try:
                a = shared.request(self.command, self.path, body, {"Content-Type": self.headers.get("Content-Type", "")})
                status, told = a.status, a.body
            except OSError:
                status, told = 502, b""
            self.send_response(status)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

    wire = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    wire.daemon_threads = True
    threading.Thread(target=wire.serve_forever, daemon=True).start()
    yield wire
    wire.shutdown()
    wire.server_close()


@pytest.fixture
def browse(pages, shared, wire, request):
    """browse(steps, init=…) -> what the steps returned and what went over the wire; browse.rows(n) are the events."""
    need("node", "npm", "chromium")
    folder = npm("playwright", f"playwright-core@{PLAYWRIGHT}")
    release = request.node.name

    class Browse:
        dsn = f"http://{KEY}@127.0.0.1:{wire.server_port}/1"

        def __call__(self, steps, init="", tag=False, before="", after="", query="", fragment=""):
            wire.bodies, wire.preflights = [], 0
            options = f"dsn: '{self.dsn}', release: '{release}'" + (", " + init if init else "")
            start = (f'<script src="/nabat.js" data-dsn="{self.dsn}" data-release="{release}"></script>' if tag else
                     f'<script src="/nabat.js"></script><script>nabat.init({{{options}}})</script>')
            pages.files["/orders/17"] = (PAGE % (before + start + after), "text/html; charset=utf-8", 200)
            base = f"http://127.0.0.1:{pages.server_port}"
            scenario = {"url": f"{base}/orders/17{query}{fragment}",
                        "steps": [[what, value.replace("BASE", base) if isinstance(value, str) else value]
                                  for what, value in steps]}
            out = sh("node", HERE / "browser/drive.mjs", json.dumps(scenario), timeout=120,
                     env={"NODE_PATH": str(folder / "node_modules"), "CHROMIUM": shutil.which("chromium")})
            self.sent = "".join(wire.bodies)
            return json.loads(out)

        @staticmethod
        def rows(count):
            query = f"SELECT {', '.join(COLUMNS)} FROM bot_error_event WHERE release = %s ORDER BY id"
            if count:
                wait(lambda: len(shared.db.sql(query, release)) >= count, 15, release)
            else:
                time.sleep(1)
            rows = [dict(zip(COLUMNS, row)) for row in shared.db.sql(query, release)]
            assert len(rows) == count, rows
            return rows
    return Browse()


def test_is_small():
    assert len(gzip.compress(SCRIPT.encode(), 9)) < 5 * 1024


def test_an_error_and_the_way_to_it(browse):
    browse([["fill", ["[name=address]", "Nevsky 1"]], ["click", "#send"], ["click", "#quiet"],
                   ["eval", "history.pushState({}, '', '/orders/18?secret=1'); fetch('/nothing?token=abc').then(() => 1)"],
                   ["click", "#pay"], ["goto", "about:blank"]], query="?coupon=c0up0n")
    row = browse.rows(1)[0]
    assert (row["origin"], row["handler"], row["severity"]) == ("browser", "/orders/{n}", "error")
    assert row["exception_type"] == "TypeError" and "at total (" in row["stacktrace"] and "onPay" in row["stacktrace"]
    assert row["payload"]["url"].endswith("/orders/18") and "HeadlessChrome" in row["payload"]["browser"]
    assert row["payload"]["timing"]["answer"] >= 0 and len(row["session_id"]) == 32
    crumbs = [(c["category"], c["message"]) for c in row["breadcrumbs"]]
    assert crumbs[0] == ("click", "button#send") and crumbs[1] == ("form", "form#order")
    assert row["breadcrumbs"][1]["data"] == {"fields": ["address", "card"]}
    assert any(kind == "navigation" and text.endswith("/orders/18") for kind, text in crumbs)
    assert any(kind == "request" and "/nothing 404" in text for kind, text in crumbs)
    assert crumbs[-1] == ("click", "button#pay")
    assert "onPay" in browse.sent
    for secret in ("Nevsky", "4111", "c0up0n", "secret", "abc", "quiet"):
        assert secret not in browse.sent, secret


def test_by_the_script_tag_alone(browse):
    browse([["click", "#pay"], ["goto", "about:blank"]], tag=True)
    assert browse.rows(1)[0]["exception_type"] == "TypeError"


def test_rejections_resources_slow_requests_long_tasks(browse):
    browse([["eval", "void Promise.reject(new RangeError('too far'))"],
            ["eval", "void Promise.reject({code: 5})"],
            ["eval", "document.body.appendChild(Object.assign(new Image(), {src: '/lost.png?x=1'})); 0"],
            ["eval", "fetch('/slow').then(() => 1)"],
            ["eval", "new Promise((done) => { const x = new XMLHttpRequest(); x.open('PUT', '/slow');"
                     "x.onloadend = done; x.send(); }).then(() => 1)"],
            ["eval", "setTimeout(() => { const end = Date.now() + 400; while (Date.now() < end); }, 0); 0"],
            ["wait", 1000], ["goto", "about:blank"]], init="slowRequest: 300, slowTask: 250")
    rows = browse.rows(6)
    by = {r["exception_type"] or r["message"].split(" http")[0]: r for r in rows}
    assert by["RangeError"]["message"] == "too far" and by["RangeError"]["tags"]["how"] == "unhandledrejection"
    assert by['{"code":5}']["severity"] == "error"
    lost = by["Not loaded: img"]
    assert lost["severity"] == "warning" and lost["message"].endswith("/lost.png")
    assert by["Slow request: GET"]["payload"]["ms"] > 300 and by["Slow request: PUT"]["payload"]["status"] == 200
    assert by["The page stood still"]["payload"]["ms"] > 250


def test_custom_events_and_fields(browse, wire):
    done = browse([["eval", "nabat.set({user_id: 7, gen_request_id: 'gen-1', tags: {shop: '7'}})"],
                   ["eval", "nabat.breadcrumb('opened the basket', {items: 2})"],
                   ["eval", "nabat.log(new Error('caught'), {severity: 'critical', handler: 'basket'})"],
                   ["eval", "nabat.event('paid', {amount: 5})"], ["eval", "nabat.log('words alone')"],
                   ["eval", "nabat.flush()"], ["wait", 500]])
    caught, paid, words = browse.rows(3)
    assert done["out"][2] and (caught["message"], caught["handler"], caught["user_id"]) == ("caught", "basket", "7")
    assert caught["severity"] == "critical" and caught["gen_request_id"] == "gen-1" and caught["tags"]["how"] == "log"
    assert caught["breadcrumbs"][-1]["data"] == {"items": 2}
    assert (paid["message"], paid["severity"], paid["payload"]["amount"]) == ("paid", "info", 5)
    assert words["message"] == "words alone"
    assert caught["tags"]["shop"] == "7"
    assert len(wire.bodies) == 1 and wire.preflights == 0  # one request, without a question before it


SECRET_WORDS = [
    ("new Error('GET https://api.example/x?token=abc123 failed')", "abc123", "https://api.example/x failed"),
    ("{password: 'hunter22', code: 5}", "hunter22", '"code":5'),
    ("Object.assign(new Error('m'), {stack: 'Error: m\\n at f (https://a.example/b.js?sid=s1d:10:20)'})", "s1d",
     "https://a.example/b.js:10:20"),
]


@pytest.mark.parametrize("thing, secret, stays", SECRET_WORDS, ids=["message", "object", "stack"])
def test_secrets_in_words_stay(browse, thing, secret, stays):
    browse([["eval", f"nabat.log({thing}); 0"], ["goto", "about:blank"]], query="?coupon=c0up0n")
    row = browse.rows(1)[0]
    assert secret not in browse.sent and "c0up0n" not in browse.sent and stays.split("/")[-1] in str(row), row


def test_a_circle_is_an_event_too(browse):
    browse([["eval", "const a = {}; a.a = a; nabat.log(a); 0"], ["goto", "about:blank"]])
    assert browse.rows(1)[0]["message"] == "[object Object]"


@pytest.mark.parametrize("end", [["close", None], ["goto", "about:blank"], ["wait", 6000]], ids=["closed", "left", "5-s"])
def test_what_waits_leaves_with_the_page(browse, end):
    browse([["eval", "nabat.log('last words'); 0"], end])
    assert browse.rows(1)[0]["message"] == "last words"


def test_a_mini_app(browse):
    data = urllib.parse.urlencode({"query_id": "AAF", "user": json.dumps({"id": 606, "first_name": "Ann"}),
                                   "chat": json.dumps({"id": -100606}), "auth_date": "1763700000", "hash": "c0ffee" * 10})
    launch = "#" + urllib.parse.urlencode({"tgWebAppData": data, "tgWebAppVersion": "8.0"})
    browse([["click", "#pay"], ["goto", "about:blank"]], fragment=launch)
    row = browse.rows(1)[0]
    assert (row["origin"], row["chat_id"], row["user_id"]) == ("miniapp", -100606, "606")
    assert "-100606" in browse.sent
    for secret in ("c0ffee", "auth_date", "query_id", "Ann", "tgWebApp"):
        assert secret not in browse.sent, secret


def test_telegram_s_own_script_is_asked_first(browse):
    fake = "<script>window.Telegram = {WebApp: {initDataUnsafe: {user: {id: 707}}}}</script>"
    browse([["click", "#pay"], ["goto", "about:blank"]], before=fake)
    row = browse.rows(1)[0]
    assert (row["origin"], row["user_id"], row["chat_id"]) == ("miniapp", "707", 707)


@pytest.mark.parametrize("init, first", [("sample: 0", "0"), ("", "nabat.optOut()"), ("ignore: [/reading 'items'/]", "0"),
                                         ("beforeSend: () => null", "0"), ("dsn: 'nonsense'", "0")])
def test_nothing_leaves(browse, init, first):
    browse([["eval", first + "; 0"], ["click", "#pay"], ["goto", "BASE/orders/17"], ["click", "#pay"],
                   ["goto", "about:blank"]], init=init)
    browse.rows(0)
    assert browse.sent == ""


def test_switches(browse):
    off = "clicks: false, forms: false, navigation: false, requests: false, resources: false, longTasks: false, timing: true"
    browse([["click", "#send"], ["eval", "history.pushState({}, '', '/x'); fetch('/nothing').then(() => 1)"],
            ["eval", "document.body.appendChild(Object.assign(new Image(), {src: '/lost.png'})); 0"], ["wait", 300],
            ["click", "#pay"], ["goto", "about:blank"]], init=off)
    timing, error = browse.rows(2)
    assert timing["message"] == "Page timing" and timing["payload"]["timing"]["loaded"] > 0
    assert error["breadcrumbs"] in (None, [])


def test_a_loop_of_errors_is_no_storm(browse):
    browse([["eval", "for (let i = 0; i < 500; i++) nabat.log(new Error('again')); 0"],
            ["eval", "for (let i = 0; i < 300; i++) nabat.log(new Error('number ' + i)); 0"], ["goto", "about:blank"],
            ["goto", "BASE/orders/17"], ["wait", 7000]])
    rows = browse.rows(100)  # the queue's bound: the last hundred; a browser takes no more than 64 KB as a page ends
    assert rows[-1]["message"] == "number 299"
    assert any("dropped_before" in (r["payload"] or {}) for r in rows)


@pytest.mark.parametrize("letters, events", [(3000, 40), (80_000, 1)], ids=["many", "one"])
def test_letters_of_two_bytes(browse, letters, events):
    """A request that outlives its page may have 64 KB: bytes, not letters. What is larger goes without outliving it."""
    browse([["eval", f"for (let i = 0; i < {events}; i++) nabat.event('событие ' + i, {{text: 'ж'.repeat({letters})}}); 0"],
            ["wait", 8000]])
    assert len(browse.rows(events)) == events


def test_the_service_is_away_for_a_moment(browse, shared):
    def later():
        time.sleep(9)
        shared.start()
        shared.ready()
    shared.kill()
    thread = threading.Thread(target=later)
    thread.start()
    try:
        browse([["eval", "nabat.log('patience'); 0"], ["wait", 32000]])
    finally:
        thread.join()
    assert browse.rows(1)[0]["message"] == "patience"


def test_a_page_left_while_the_service_is_away(browse, shared):
    """Beacons vanish without a word then: what was refused waits for the next page, which finds the service back."""
    def later():
        time.sleep(9)
        shared.start()
        shared.ready()
    shared.kill()
    thread = threading.Thread(target=later)
    thread.start()
    try:
        browse([["eval", "nabat.log('first'); 0"], ["wait", 6000], ["eval", "nabat.log('second'); 0"],
                ["goto", "BASE/orders/17?other"], ["wait", 21000]])
    finally:
        thread.join()
    assert {r["message"] for r in browse.rows(2)} == {"first", "second"}


@pytest.mark.parametrize("first", ["nabat", "sentry"])
def test_once_beside_the_sentry_sdk(browse, shared, pages, first, request):
    folder = npm("browser", f"@sentry/browser@{BROWSER}", f"esbuild@{ESBUILD}")
    sh("node", "install.js", cwd=folder / "node_modules/esbuild")
    source = folder / "beside.js"
    source.write_text("import * as Sentry from '@sentry/browser'; window.Sentry = Sentry;")
    sh(folder / "node_modules/.bin/esbuild", source, "--bundle", f"--outfile={folder}/beside.bundle.js")
    pages.files["/sentry.js"] = ((folder / "beside.bundle.js").read_text(), "text/javascript", 200)
    loaded = '<script src="/sentry.js"></script>'
    started = f"<script>Sentry.init({{dsn: '{shared.dsn}', release: '{request.node.name}'}})</script>"
    if first == "sentry":
        browse([["click", "#pay"], ["wait", 6000]], before=loaded + started)
    else:
        browse([["click", "#pay"], ["wait", 6000]], before=loaded, after=started)
    row = browse.rows(1)[0]
    assert row["exception_type"] == "TypeError"
