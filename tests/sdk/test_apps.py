"""test_apps.py -- whole programs under apps/ with nothing but a stock Sentry SDK: aiogram, Celery, Django, FastAPI, a page."""
import http.server
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import harness  # noqa: E402
from test_sdks import *  # noqa: E402,F401,F403
from test_sdks import CHROMIUM, KEPT, KEY, ROOT, Database, Service, free_port, need, npm, sh, venv, wait  # noqa: E402

APPS = pathlib.Path(__file__).resolve().parent / "apps"
FRAMEWORKS = ["aiogram==3.31.0", "celery==5.7.0", "django==5.2.19", "fastapi==0.165.0", "uvicorn==0.54.0",
              f"sentry-sdk=={PYTHON_SDK}"]  # noqa: F405
TOKEN = "123456789:AAExampleExampleExampleExampleExampl"

for name in [n for n in globals() if n.startswith("test_")]:  # only what follows is this file's
    del globals()[name]


@pytest.fixture(scope="module")
def shared(cluster):
    KEPT.mkdir(exist_ok=True)
    d = Database(cluster)
    s = Service(d).ready()
    s.dsn = f"http://{KEY}@127.0.0.1:{s.port}/1"
    yield s
    s.close()
    d.drop()


def program(shared, *command, cwd, release, **env):
    return harness.Program(*command, cwd=APPS / cwd, env={"SENTRY_DSN": shared.dsn, "RELEASE": release, **env})


def python():
    return venv("frameworks", *FRAMEWORKS)


def stored(s, release):
    columns = "origin, handler, severity, exception_type, chat_id, user_id, gen_request_id, stacktrace, payload::text"
    rows = wait(lambda: s.db.sql(f"SELECT {columns} FROM bot_error_event WHERE release = %s", release), 30, release)
    return rows[0]


def serve(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def test_aiogram_bot(shared):
    given = []

    class BotApi(http.server.BaseHTTPRequestHandler):
        """As much of the Bot API as a polling bot asks for."""

        def log_message(self, *args):
            pass

        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            method = self.path.rsplit("/", 1)[-1]
            result = True
            if method == "getMe":
                result = {"id": 123456789, "is_bot": True, "first_name": "Shop", "username": "shop_bot"}
            elif method == "getUpdates":
                result = [] if given else [{"update_id": 1, "message": {
                    "message_id": 7, "date": int(time.time()), "text": "/pay",
                    "chat": {"id": -1005551, "type": "supergroup", "title": "Team"},
                    "from": {"id": 4242, "is_bot": False, "first_name": "Ann"}}}]
                given.append(1)
                time.sleep(0.2)
            body = json.dumps({"ok": True, "result": result}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    api = serve(BotApi)
    with program(shared, python(), "bot.py", cwd="aiogram_bot", release="aiogram@1", BOT_TOKEN=TOKEN,
                 BOT_API_URL=f"http://127.0.0.1:{api.server_port}"):
        row = stored(shared, "aiogram@1")
    api.shutdown()
    api.server_close()
    assert row[:6] == ("aiogram_handler", "pay", "critical", "KeyError", -1005551, "4242")
    assert "in pay\n    await message.answer(f\"That is {prices['total']}\")\nKeyError: 'total'" in row[7]
    everything = str(shared.db.sql("SELECT * FROM bot_error_event WHERE release = 'aiogram@1'"))
    assert TOKEN.split(":")[1] not in everything


def test_celery_task(shared):
    with tempfile.TemporaryDirectory(prefix="broker-", dir=KEPT) as folder:
        env = {"BROKER_FOLDER": folder, "SENTRY_DSN": shared.dsn, "RELEASE": "celery@1", "PYTHONDONTWRITEBYTECODE": "1"}
        sh(python(), "send.py", cwd=APPS / "celery_task", env=env)
        with program(shared, python().parent / "celery", "-A", "tasks", "worker", "--pool=solo", "-l", "warning",
                     "--without-gossip", "--without-mingle", cwd="celery_task", release="celery@1", BROKER_FOLDER=folder):
            row = stored(shared, "celery@1")
    assert row[:7] == ("celery", "tasks.render_picture", "critical", "ZeroDivisionError", -1001234, "77", "gen-5")


def ask(port, path, body=None, headers=None):
    def once():
        try:
            request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, headers or {})
            urllib.request.urlopen(request, timeout=10).read()
            return True
        except urllib.error.HTTPError as e:
            return e.code == 500
        except OSError:
            return False
    wait(once, 30, path)


def test_django_view(shared):
    port = free_port()
    with program(shared, python(), "site.py", "runserver", "--noreload", f"127.0.0.1:{port}", cwd="django_view",
                 release="django@1"):
        ask(port, "/pay/7/", headers={"X-User": "31"})
        row = stored(shared, "django@1")
    assert row[:6] == ("django", "/pay/{order}/", "critical", "ValueError", None, "31")


def test_fastapi_webhook(shared):
    port = free_port()
    update = {"update_id": 5, "message": {"message_id": 1, "date": 1, "text": "hi", "chat": {"id": -100999, "type": "group"},
                                          "from": {"id": 501, "is_bot": False, "first_name": "Bob"},
                                          "contact": {"phone_number": "+79990001122", "first_name": "Bob"}}}
    with program(shared, python(), "-m", "uvicorn", "hook:app", "--port", port, "--log-level", "warning",
                 cwd="fastapi_webhook", release="fastapi@1"):
        ask(port, "/telegram/webhook", json.dumps(update).encode(),
            {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": "webhook-s3cret"})
        row = stored(shared, "fastapi@1")
    assert row[:6] == ("telegram_webhook", "/telegram/webhook", "critical", "KeyError", -100999, "501")
    everything = str(shared.db.sql("SELECT * FROM bot_error_event WHERE release = 'fastapi@1'"))
    assert "webhook-s3cret" not in everything and "+79990001122" not in everything


def test_miniapp(shared):
    need("node", "npm", "chromium")
    folder = npm("browser", f"@sentry/browser@{BROWSER}", f"esbuild@{ESBUILD}")  # noqa: F405
    esbuild = folder / "node_modules/esbuild"
    sh("node", "install.js", cwd=esbuild)
    with tempfile.TemporaryDirectory(prefix="miniapp-", dir=KEPT) as www:
        sh(folder / "node_modules/.bin/esbuild", APPS / "miniapp/app.js", "--bundle", f"--outfile={www}/bundle.js",
           f'--define:DSN="{shared.dsn}"', '--define:RELEASE="miniapp@1"', env={"NODE_PATH": str(folder / "node_modules")})
        # a person would press the button
        page = (APPS / "miniapp/index.html").read_text()
        pathlib.Path(www, "index.html").write_text(page.replace(
            "</html>", "<script>setTimeout(() => document.getElementById('pay').click(), 50)</script></html>"))

        class Pages(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def __init__(self, *args, **kwargs):
                super().__init__(*args, directory=www, **kwargs)

        pages = serve(Pages)
        data = urllib.parse.urlencode({"query_id": "AAF", "user": json.dumps({"id": 606, "first_name": "Ann"}),
                                       "chat": json.dumps({"id": -100606}), "auth_date": "1763700000", "hash": "c0ffee" * 10})
        launch = urllib.parse.urlencode({"tgWebAppData": data, "tgWebAppVersion": "8.0", "tgWebAppPlatform": "ios"})
        with tempfile.TemporaryDirectory(prefix="chromium-", dir=KEPT) as profile:
            subprocess.run([*CHROMIUM, f"--user-data-dir={profile}",
                            f"http://127.0.0.1:{pages.server_port}/index.html#{launch}"],
                           timeout=90, capture_output=True, stdin=subprocess.DEVNULL, check=True)
        row = stored(shared, "miniapp@1")
        pages.shutdown()
        pages.server_close()
    assert row[:6] == ("miniapp", "shop", "error", "TypeError", -100606, "606")
    everything = str(shared.db.sql("SELECT * FROM bot_error_event WHERE release = 'miniapp@1'"))
    assert "c0ffee" not in everything and "auth_date" not in everything
