"""picture.py -- the pictures in README and docs/chat.md: real messages, as sent, drawn by a browser.

    NABAT_BUILD=build /usr/bin/python3 tests/docs/picture.py

Needs chromium and a font with emoji; writes docs/card-en.png, card-ru.png, list-en.png, list-ru.png.
"""
import html
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))
import conftest  # noqa: E402
import telegram  # noqa: E402

WIDTH = 470
PAGE = """<!doctype html><meta charset="utf-8"><style>
body{margin:0;padding:18px;background:#8fb3a0;font:15.5px/1.42 "DejaVu Sans",sans-serif;width:%dpx}
.m{background:#fff;border-radius:14px;padding:10px 14px;box-shadow:0 1px 2px #0004;white-space:pre-wrap;
word-wrap:break-word}
.n{color:#c8443b;font-weight:bold;margin-bottom:2px}
a{color:#2a7ab0;text-decoration:none} code{font:14px "DejaVu Sans Mono",monospace;color:#b3512e}
blockquote{margin:6px 0;border-left:3px solid #c8443b;background:#c8443b12;border-radius:4px;
padding:5px 9px;font-size:14px;max-height:4.4em;overflow:hidden;position:relative}
blockquote:after{content:"\\2304";position:absolute;right:9px;bottom:0;color:#c8443b;font-weight:bold}
.k{display:flex;gap:4px;margin-top:4px}.k div{flex:1;text-align:center;background:#4d7560cc;color:#fff;
border-radius:9px;padding:8px 2px;font-weight:600;font-size:14px}
</style><div class="m"><div class="n">Nabat</div>%s</div>%s
<script>document.documentElement.dataset.height=Math.ceil(document.body.getBoundingClientRect().height)</script>"""
CHROMIUM = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-sync", "--disable-component-update",
            "--hide-scrollbars", "--force-device-scale-factor=1.5"]

WORDS = {
    "en": {"value": "message text is empty", "others": [
        ("Payment provider timed out", "error", "celery", 57), ("Template start.html is missing", "warning", "django", 3),
        ("Connection to Redis refused", "critical", "celery", 1)]},
    "ru": {"value": "message text is empty", "others": [
        ("Платёжный провайдер не ответил", "error", "celery", 57), ("Шаблон start.html не найден", "warning", "django", 3),
        ("Redis не принимает соединения", "critical", "celery", 1)]},
}
STACK = """Traceback (most recent call last):
  File "/app/bot/handlers/start.py", line 41, in start
    await message.answer(text)
  File "/app/bot/api.py", line 7, in answer
    raise TelegramBadRequest(text)
TelegramBadRequest: message text is empty"""


def draw(folder, message, name):
    raw = message["raw"].replace("<blockquote expandable>", "<blockquote>").replace("\n<blockquote>", "<blockquote>")
    raw = re.sub("</blockquote>\n", "</blockquote>", raw)
    rows = "".join('<div class="k">%s</div>' % "".join(
        f"<div>{html.escape(b['text'])}</div>" for b in row) for row in message["keyboard"] or [])
    page = folder / f"{name}.html"
    page.write_text(PAGE % (WIDTH, raw, rows))
    profile = f"--user-data-dir={folder}/profile"
    dom = subprocess.run([*CHROMIUM, profile, "--dump-dom", f"--window-size={WIDTH + 36},2000", page.as_uri()],
                         check=True, capture_output=True, timeout=120, text=True).stdout
    height = int(re.search(r'data-height="(\d+)"', dom).group(1))
    subprocess.run([*CHROMIUM, profile, f"--window-size={WIDTH + 36},{height}",
                    f"--screenshot={ROOT}/docs/{name}.png", page.as_uri()],
                   check=True, capture_output=True, timeout=120)


def converse(cluster, folder, language):
    db = conftest.Database(cluster)
    tg = telegram.Standin()
    tg.add_chat(conftest.CHAT, {11: "creator", 22: "member"})
    service = conftest.Service(db, tg=tg, env={
        "TIME_ZONE": "Europe/Moscow", "BOT_LANGUAGE": language, "ERROR_ALERT_COOLDOWN": 3600,
        "USER_URL": "https://example.com/u/{user_id}", "GEN_REQUEST_URL": "https://example.com/g/{gen_request_id}"})
    service.ready()
    words = WORDS[language]
    event = {"severity": "critical", "origin": "telegram_webhook", "handler": "handlers.start",
             "environment": "production", "release": "bot@1.4.2", "chat_id": 740215399, "user_id": 740215399,
             "gen_request_id": "gen-51f0", "tags": {"fsm": "Order:pay", "lang": "de"},
             "exception": {"type": "TelegramBadRequest", "value": words["value"], "stacktrace": STACK}}
    service.post([{**event, "user_id": 740215399 + n % 4} for n in range(12)])
    card = tg.wait(lambda: tg.sent(conftest.CHAT), 10)[0]
    conftest.wait(lambda: db.one("SELECT count(*) FROM alert_card") == 1, 5)
    for message, severity, origin, count in words["others"]:
        service.post([{"message": message, "severity": severity if severity != "critical" else "error",
                       "origin": origin}] * count)
    conftest.wait(lambda: db.one("SELECT count(*) FROM error_group") == 4, 5)
    db.sql("UPDATE error_group SET severity = 'critical' WHERE origin = 'celery' AND occurrences = 1")
    tg.press(conftest.CHAT, card["message_id"], "take:1", 22, "ann")
    mark = "@ann"
    tg.wait(lambda: mark in card["text"], 10)
    before = len(tg.sent(conftest.CHAT))
    tg.push_message(conftest.CHAT, 22, "/errors", "ann")
    listing = tg.wait(lambda: tg.sent(conftest.CHAT)[before:], 10)[0]
    edits = [c[1] for c in tg.of("editMessageText") if c[1]["message_id"] == card["message_id"]]
    draw(folder, {"raw": edits[-1]["text"], "keyboard": card["keyboard"]}, f"card-{language}")
    draw(folder, listing, f"list-{language}")
    service.close()
    tg.close()
    db.drop()


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="nabat-pic-", dir="/tmp"))
    folder.chmod(0o755)
    cluster = conftest.Cluster(folder)
    for language in WORDS:
        converse(cluster, folder, language)
    cluster.stop("immediate")


if __name__ == "__main__":
    main()
