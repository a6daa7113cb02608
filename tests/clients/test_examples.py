"""test_examples.py -- each example's one command, against the service: right origin, handler, chat, user; once.

Each runs alone and with the Sentry SDK beside the client, both pointed here: one exception is one row either way.
"""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from conftest import BUILD, ROOT, Program, free_port, wait

EXAMPLES = ROOT / "examples"
COLUMNS = ("origin, handler, severity, exception_type, chat_id, user_id, gen_request_id, stacktrace, payload, tags, "
           "breadcrumbs, request_id")
BESIDE = pytest.mark.parametrize("sentry", [False, True], ids=["alone", "beside-sentry"])


@pytest.fixture
def example(shared, tmp_path, request):
    """example(NAME, **env) starts it; example.rows(n) waits for its n rows, and that they stay n."""
    name = request.node.name
    release = re.sub(r"\W+", "-", name)

    class Example:
        def __call__(self, name, sentry=False, **env):
            given = {"NABAT_DSN": shared.dsn, "RELEASE": release, "XDG_STATE_HOME": tmp_path / "state",
                     "NABAT_EXAMPLES_VENV": ROOT / "build-sdk/examples", **env}
            if sentry:
                given.update(SENTRY_DSN=shared.dsn, SENTRY_RELEASE=release)
            return Program(EXAMPLES / name / "run", cwd=EXAMPLES / name, env=given)

        @staticmethod
        def rows(count, seconds=180):
            query = f"SELECT {COLUMNS} FROM bot_error_event WHERE release = %s ORDER BY id"
            names = COLUMNS.split(", ")
            wait(lambda: len(shared.db.sql(query, release)) >= count, seconds, release)
            time.sleep(2)  # a second report of the same would be here by now
            rows = [dict(zip(names, row)) for row in shared.db.sql(query, release)]
            assert len(rows) == count, rows
            return rows
    return Example()


def ask(port, path, headers=None):
    """Until it answers; its status."""
    def once():
        try:
            with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers or {}),
                                        timeout=10) as a:
                return a.status, a.read().decode(), a.headers
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode(), e.headers
        except OSError:
            return None
    return wait(once, 60, path)


@BESIDE
def test_aiogram_bot(example, sentry):
    with example("aiogram_bot", sentry, BOT_TOKEN=""):
        row = example.rows(1)[0]
    assert (row["origin"], row["handler"], row["severity"]) == ("aiogram_handler", "pay", "critical")
    assert (row["exception_type"], row["chat_id"], row["user_id"]) == ("KeyError", -1005551, "4242")
    assert "in pay\n" in row["stacktrace"] and row["stacktrace"].endswith("KeyError: 'total'")
    assert row["payload"]["state"] == "basket" and row["tags"]["update_type"] == "message"
    steps = [crumb["message"] for crumb in row["breadcrumbs"]]
    assert steps[:1] == ["/start"] and "start" in steps and "/pay" in steps and steps[-1] == "pay"


@BESIDE
@pytest.mark.parametrize("pool", ["solo", "prefork"])
def test_celery_worker(example, sentry, pool, tmp_path):
    with example("celery_worker", sentry, BROKER_FOLDER=tmp_path / "broker", CELERY_POOL=pool):
        row = example.rows(1)[0]
    assert (row["origin"], row["handler"], row["severity"]) == ("celery", "tasks.render_picture", "critical")
    assert (row["exception_type"], row["chat_id"], row["user_id"]) == ("ZeroDivisionError", -1001234, "77")
    assert row["gen_request_id"] == "gen-5"
    if not sentry:  # the SDK may be the first to see it; then the extras are its own
        assert row["payload"]["retries"] == 1 and row["payload"]["kwargs"]["width"] == 0
        assert row["tags"]["queue"] == "celery"


@BESIDE
def test_fastapi_webhook(example, sentry):
    port = free_port()
    with example("fastapi_webhook", sentry, PORT=port):
        row = example.rows(1)[0]
        assert (row["origin"], row["handler"], row["severity"]) == ("telegram_webhook", "/telegram/webhook", "critical")
        assert (row["exception_type"], row["chat_id"], row["user_id"]) == ("KeyError", -100999, "501")
        status, _, _ = ask(port, "/orders/7", {"X-Request-Id": "req-7"})
        assert status == 500
        row = example.rows(2)[1]
    assert (row["origin"], row["handler"], row["user_id"]) == ("fastapi", "/orders/{order}", "31")
    assert row["exception_type"] == "ValueError" and row["request_id"] == "req-7"


@BESIDE
def test_django_site(example, sentry, shared, tmp_path):
    port = free_port()
    with example("django_site", sentry, PORT=port, DATABASE_URL=shared.db.url, SITE_DATABASE=tmp_path / "site.sqlite3"):
        row = example.rows(1)[0]
        assert (row["origin"], row["handler"], row["severity"]) == ("django", "/pay/{order}/", "critical")
        assert (row["exception_type"], row["user_id"], row["gen_request_id"]) == ("ValueError", "31", "gen-7")
        assert ask(port, "/refund/8/", {"X-Request-Id": "req-8"})[0] == 500
        row = example.rows(2)[1]
        assert (row["handler"], row["exception_type"], row["request_id"]) == ("/refund/{order}/", "LookupError", "req-8")
        if not sentry:
            look_at_admin(port, shared)


def look_at_admin(port, shared):
    """Signs in as a person would, and works an error off."""
    jar = urllib.request.HTTPCookieProcessor()
    browser = urllib.request.build_opener(jar)
    base = f"http://127.0.0.1:{port}/admin/"

    def form(url, **fields):
        page = browser.open(base + url).read().decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page).group(1)
        data = urllib.parse.urlencode({"csrfmiddlewaretoken": token, **fields}, doseq=True).encode()
        return browser.open(urllib.request.Request(base + url, data, {"Referer": base + url})).read().decode()

    form("login/?next=/admin/", username="ann", password="ann", next="/admin/")
    page = browser.open(base + "nabat/boterrorevent/?severity__exact=critical&q=price").read().decode()
    assert "Bot Errors" in page and "ValueError: order 7 has no price" in page
    assert 'href="/admin/auth/user/31/change/"' in page and 'href="/generations/gen-7"' in page
    event, group = shared.db.sql("SELECT id, group_id FROM bot_error_event WHERE exception_type = 'ValueError' "
                                 "AND origin = 'django' ORDER BY id DESC LIMIT 1")[0]
    form("nabat/boterrorevent/", action="take", _selected_action=event)
    state = lambda: shared.db.sql("SELECT status, assigned_to FROM error_group WHERE id = %s", group)[0]  # noqa: E731
    assert state() == ("in_progress", "ann")
    page = form(f"nabat/boterrorevent/{event}/change/", status="resolved")
    assert state()[0] == "resolved"
    who = shared.db.sql("SELECT DISTINCT actor FROM error_group_history WHERE group_id = %s AND source = 'psql'", group)
    assert who == [("ann",)]
    page = browser.open(base + f"nabat/boterrorevent/{event}/change/").read().decode()
    assert "in pay" in page and "Traceback" in page


UPDATES = """
import asyncio, logging, sys
import nabat, nabat.aiogram
from aiogram import Bot, Dispatcher
from aiogram.types import Chat, Message, Update, User
nabat.init()
logging.basicConfig(level=logging.INFO)
logging.getLogger().addHandler(nabat.NabatHandler())
dispatcher = Dispatcher()
nabat.aiogram.setup(dispatcher)

@dispatcher.message()
async def any_message(message):
    if message.text == "/pay":
        raise KeyError("total")

def update(n, user, text):
    return Update(update_id=n, message=Message(message_id=n, date=1, text=text, chat=Chat(id=user, type="private"),
                                               from_user=User(id=user, is_bot=False, first_name="A")))

async def main():
    bot = Bot("123456789:an-example")
    await dispatcher.feed_update(bot, Update(update_id=1))  # of a kind that this aiogram does not know
    for n in range(40):
        await dispatcher.feed_update(bot, update(n, 1000 + n, "hello"))
    for n, text in enumerate(["/start", "/basket", "/pay"]):
        try:
            await dispatcher.feed_update(bot, update(100 + n, 7, text))
        except KeyError:
            pass
    await bot.session.close()

asyncio.run(main())
assert nabat.flush(10)
"""


def test_aiogram_beside_other_users_and_strange_updates(shared, tmp_path):
    """Steps are the user's own, and an update that nobody can read is no worse with us than without."""
    done = subprocess.run([ROOT / "build-sdk/examples/bin/python", "-c", UPDATES], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "NABAT_DSN": shared.dsn, "XDG_STATE_HOME": str(tmp_path), "RELEASE": "updates@1"})
    assert done.returncode == 0, done.stderr
    (steps, user), = shared.db.sql("SELECT breadcrumbs, user_id FROM bot_error_event WHERE release = 'updates@1'")
    messages = [step["message"] for step in steps]
    assert user == "7" and [m for m in messages if m.startswith("/")] == ["/start", "/basket", "/pay"], messages


def test_miniapp(example):
    from test_sdks import need
    need("chromium")
    with example("miniapp", PORT=free_port()):
        row = example.rows(1)[0]
    assert (row["origin"], row["handler"], row["severity"]) == ("miniapp", "shop", "error")
    assert (row["exception_type"], row["chat_id"], row["user_id"]) == ("TypeError", -100606, "606")
    assert "onPay" in row["stacktrace"] and "c0ffee" not in str(row)


def test_cron_job(example, shared):
    path = f"{BUILD / 'clients/nabat-log'}:{os.environ['PATH']}"
    with example("cron_job", PATH=path) as program:
        row = example.rows(1)[0]
        assert "with its exit code 1" in program.said and "No space left on device" in program.said
    assert (row["origin"], row["handler"], row["severity"]) == ("cron", "nightly-backup", "error")
    assert (row["chat_id"], row["user_id"]) == (-1007, "0") and row["payload"]["exit_code"] == 1
    assert "No space left on device" in row["stacktrace"]
    assert shared.db.one("SELECT last_status FROM monitor WHERE slug = 'nightly-backup'") == "error"


def test_every_example_is_here():
    tested = set(re.findall(r'example\("(\w+)"', pathlib.Path(__file__).read_text()))
    assert tested == {path.parent.name for path in EXAMPLES.glob("*/run")}
    listed = set(re.findall(r"^\| `examples/(\w+)/run`", (EXAMPLES / "README.md").read_text(), re.M))
    assert listed == tested


def test_prune_bot_errors(shared, tmp_path):
    venv = ROOT / "build-sdk/examples/bin/python"
    env = {**os.environ, "SITE_DATABASE": str(tmp_path / "s"), "PATH": f"{BUILD / 'prune'}:{os.environ['PATH']}",
           "NABAT_DSN": shared.dsn, "PYTHONDONTWRITEBYTECODE": "1", "ASAN_OPTIONS": "detect_leaks=0"}
    env.pop("DATABASE_URL", None)
    # the database is Django's word, not the environment's
    code = ("import os, sys; url = os.environ.pop('URL'); os.environ['DATABASE_URL'] = url\n"
            "sys.path.insert(0, '.'); os.environ['DJANGO_SETTINGS_MODULE'] = 'shop.settings'\n"
            "import django; django.setup(); del os.environ['DATABASE_URL']\n"
            "from django.core.management import call_command\n"
            "call_command('prune_bot_errors', *sys.argv[1:])\n")
    run = lambda *args: subprocess.run([venv, "-c", code, *args], cwd=EXAMPLES / "django_site", text=True,  # noqa: E731
                                       env={**env, "URL": shared.db.url}, capture_output=True, timeout=60)
    done = run("--dry-run", "--days", "30")
    assert done.returncode == 0 and "day" in done.stdout + done.stderr, done
    assert run("--days", "0").returncode == 2  # nabat-prune's own word for a wrong flag
