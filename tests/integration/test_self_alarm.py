"""test_self_alarm.py -- Nabat tells the chat what is wrong with Nabat."""
import time

import pytest

from conftest import CHAT, wait
from test_channels import channel, receiver  # noqa: F401


def about_itself(tg):
    return [m["text"] for m in tg.sent(CHAT) if "Nabat" in m["text"]]


@pytest.mark.long
def test_the_database_is_away(service, tg, db, cluster):
    s = service(tg=tg)
    wait(lambda: db.one("SELECT holder FROM service_lease") != "", 5)
    admin = cluster.connect()
    with admin.cursor() as cur:
        cur.execute(f"ALTER DATABASE {db.name} ALLOW_CONNECTIONS false")
        cur.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (db.name,))
    began = time.monotonic()
    said = tg.wait(lambda: about_itself(tg), 30, "the chat is told")[0]
    assert said.startswith("⚠️ Nabat: the database does not answer") and time.monotonic() - began >= 14
    time.sleep(4)
    assert len(about_itself(tg)) == 1
    with admin.cursor() as cur:
        cur.execute(f"ALTER DATABASE {db.name} ALLOW_CONNECTIONS true")
    admin.close()
    tg.wait(lambda: len(about_itself(tg)) == 2, 60, "and of its end")
    assert about_itself(tg)[1].startswith("✅ Nabat: the database answers again, after 1 min")
    assert b"nabat_self_alarms_total 1" in s.get("/metrics").body


def test_a_revoked_token_is_told_where_it_can_be(service, tg, db, receiver):  # noqa: F811
    s = service(tg=tg)
    channel(db, "webhook", receiver.url + "/ops", rule=False, fallback=1)
    tg.revoked = True
    s.post({"message": "unheard", "severity": "critical"})
    wait(lambda: [b for b in receiver.bodies if b["type"] == "note"], 30, "the channel is told")
    said = [b for b in receiver.bodies if b["type"] == "note"][0]["text"]
    assert "does not accept the bot's token" in said
    wait(lambda: [b for b in receiver.bodies if b["type"] == "alert"], 10, "and rings")
