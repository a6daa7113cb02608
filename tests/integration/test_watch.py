"""test_watch.py -- other bots of ours: their webhook fails, is lost, updates pile up, the token is revoked."""
import time

from conftest import CHAT, run_tool, wait

SHOP = "777000:shop-secret_TOKEN"


def looks(tg):
    return tg.others_asked.count("getMe")


def look_again(service, tg, s):
    """A start looks at once."""
    n = looks(tg)
    s.stop()
    s = service(tg=tg, env={"WATCH_BOT_TOKENS": SHOP})
    wait(lambda: looks(tg) > n, 10, "a look")
    time.sleep(1)
    return s


def test_a_watched_bot(service, tg, db):
    tg.others[SHOP] = {"url": "https://shop.example/hook/path-secret", "last_error_date": 1000,
                       "last_error_message": "old"}
    s = service(tg=tg, env={"WATCH_BOT_TOKENS": SHOP})
    wait(lambda: db.one("SELECT count(*) FROM service_setting WHERE name = 'watched_bot:777000'") == 1, 10)
    assert db.one("SELECT count(*) FROM error_group") == 0, "what was there before is no news"
    assert s.get("/health").json["parts"]["watched_bots"]["status"] == "healthy"
    tg.others[SHOP].update(last_error_date=int(time.time()), pending_update_count=3,
                           last_error_message="Wrong response from the webhook: 500 Internal Server Error")
    s = look_again(service, tg, s)
    card = tg.wait(lambda: tg.sent(CHAT), 8, "it rings")[0]
    assert "Bot @shop_bot: its webhook fails" in card["text"]
    assert "500 Internal Server Error" in card["text"] and "watched_bot" in card["text"]
    health = s.get("/health").json["parts"]["watched_bots"]
    assert health["status"] == "degraded" and "@shop_bot failing" in health["detail"]
    for _ in range(3):
        s = look_again(service, tg, s)
    tg.wait(lambda: any("@shop_bot runs again" in m["text"] for m in tg.sent(CHAT)), 8, "recovery is said")
    assert db.one("SELECT status FROM error_group") == "resolved"
    # the webhook is taken away, then the token is revoked
    tg.others[SHOP]["url"] = ""
    s = look_again(service, tg, s)
    tg.wait(lambda: any("its webhook is gone" in m["text"] for m in tg.sent(CHAT)), 8)
    tg.others[SHOP] = None
    s = look_again(service, tg, s)
    tg.wait(lambda: any("its token is not valid any more" in m["text"] for m in tg.sent(CHAT)), 8)
    assert set(tg.others_asked) == {"getMe", "getWebhookInfo"}
    kept = str(db.sql("SELECT body::text FROM event_inbox_failed")) + str(db.sql("SELECT * FROM service_setting")) \
        + str(db.sql("SELECT * FROM bot_error_event"))
    for text in (kept, s.stderr, s.get("/health").body.decode(), s.get("/metrics").body.decode()):
        assert "shop-secret" not in text and "path-secret" not in text


def test_tokens_that_are_none(db):
    done = run_tool(db, env={"WATCH_BOT_TOKENS": f"{SHOP},not-a-token"})
    assert done.returncode == 2
    assert "WATCH_BOT_TOKENS" in done.stderr and "number 2" in done.stderr
    assert "not-a-token" not in done.stderr and "shop-secret" not in done.stderr
