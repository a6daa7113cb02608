"""picture.py -- the picture of an alert in the README: a real card, as sent, drawn by a browser.

    /usr/bin/python3 tests/readme/picture.py        needs chromium; writes docs/alert.png
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

PAGE = """<!doctype html><meta charset="utf-8"><style>
body{margin:0;padding:26px;background:#8fb3a0;font:16px/1.38 "DejaVu Sans",sans-serif;width:520px}
.m{background:#fff;border-radius:14px;padding:11px 15px;box-shadow:0 1px 2px #0004;white-space:pre-wrap;
word-wrap:break-word}
.n{color:#c8443b;font-weight:bold;margin-bottom:3px}
blockquote{margin:7px 0;border-left:3px solid #c8443b;background:#c8443b12;border-radius:4px;
padding:5px 9px;font:13px/1.45 "DejaVu Sans Mono",monospace}
.k{display:flex;gap:5px;margin-top:5px}.k div{flex:1;text-align:center;background:#4d7560cc;color:#fff;
border-radius:9px;padding:9px;font-weight:600}
</style><div class="m"><div class="n">Nabat</div>%s</div>%s"""


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="nabat-pic-", dir="/tmp"))
    folder.chmod(0o755)
    cluster = conftest.Cluster(folder)
    db = conftest.Database(cluster)
    tg = telegram.Standin()
    tg.add_chat(conftest.CHAT, {11: "creator"})
    service = conftest.Service(db, tg=tg, env={"TIME_ZONE": "Europe/Moscow"}).ready()
    service.post([{
        "message": None, "severity": "critical", "origin": "telegram_webhook",
        "handler": "handlers.start", "environment": "production", "release": "bot@1.4.2",
        "chat_id": 740215399, "user_id": 740215399, "gen_request_id": "gen-51f0",
        "exception": {"type": "TelegramBadRequest", "value": "message text is empty",
                      "stacktrace": conftest.TRACEBACK.replace(
                          "ValueError: bad text", "TelegramBadRequest: message text is empty").replace(
                          "raise ValueError(text)", "raise TelegramBadRequest(text)")}}])
    card = tg.wait(lambda: tg.sent(conftest.CHAT), 10)[0]
    raw = re.sub(r"<blockquote expandable>", "<blockquote>", card["raw"])
    rows = "".join('<div class="k">%s</div>' % "".join(
        f"<div>{html.escape(b['text'])}</div>" for b in row) for row in card["keyboard"])
    page = folder / "card.html"
    page.write_text(PAGE % (raw.replace("\n<blockquote>", "<blockquote>"), rows))
    subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
                    "--no-first-run", "--disable-background-networking", "--disable-sync",
                    "--disable-component-update", f"--user-data-dir={folder}/profile",
                    "--hide-scrollbars", "--force-device-scale-factor=1.5",
                    "--window-size=572,455", f"--screenshot={ROOT}/docs/alert.png",
                    page.as_uri()], check=True, capture_output=True, timeout=120)
    service.close()
    tg.close()
    db.drop()
    cluster.stop("immediate")


if __name__ == "__main__":
    main()
