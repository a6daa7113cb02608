"""test_rules.py -- which alert rings where and when: rules, silences, quiet hours, inhibition."""
import json
import time

import pytest

from conftest import CHAT, OWNER, STRANGER, TEAM, buttons, run_tool, wait

OPS = -1002000


@pytest.fixture
def ops(tg):
    tg.add_chat(OPS, {OWNER: "creator", STRANGER: "member"})
    return OPS


def ask(tg, chat, user, text, name="boss"):
    before = len(tg.sent(chat))
    tg.push_message(chat, user, text, name)
    return tg.wait(lambda: len(tg.sent(chat)) > before and tg.sent(chat)[-1], 5, text)["text"]


def titles(tg, chat):
    return [m["text"].split("\n")[1] for m in tg.sent(chat) if "· #" in m["text"]]


def rule_seen(tg, db):
    """The decider has read the newest rules: within a second."""
    time.sleep(1.2)


def post(s, message, severity="critical", **more):
    assert s.post({"message": message, "severity": severity, **more}).status == 200


def test_rules_made_in_the_chat(service, tg, db, ops):
    s = service(tg=tg)
    assert "There are no rules" in ask(tg, CHAT, OWNER, "/rules")
    assert "owner" in ask(tg, CHAT, TEAM, "/rules add silent", "ann")
    assert db.one("SELECT count(*) FROM alert_rule") == 0
    said = ask(tg, CHAT, OWNER, f"/rules add origin:celery* severity:error chat:{OPS} silent cooldown:1h name:\"the queue\"")
    assert "Rule 1 is set" in said and "origin:celery*" in said
    assert "Rule 2 is set" in ask(tg, CHAT, OWNER, "/rules add severity:critical under:1 lang:ru loud")
    assert "There is no rule 99" in ask(tg, CHAT, OWNER, "/rules add silent under:99")
    shown = ask(tg, CHAT, TEAM, "/rules", "ann")
    assert "1. severity:error origin:celery*" in shown and "2. severity:critical lang:ru loud" in shown
    rule_seen(tg, db)
    post(s, "worker lost", "error", origin="celery.pay")
    post(s, "worker died", "critical", origin="celery.pay")
    post(s, "elsewhere", "error", origin="api")
    post(s, "elsewhere too", "critical", origin="api")
    tg.wait(lambda: len(titles(tg, OPS)) == 2 and len(titles(tg, CHAT)) == 1, 8)
    assert sorted(titles(tg, OPS)) == ["worker died", "worker lost"]
    assert titles(tg, CHAT) == ["elsewhere too"]
    cards = {m["text"].split("\n")[1]: m for m in tg.sent(OPS)}
    assert "Критическая ошибка" in cards["worker died"]["text"]
    calls = [c[1] for c in tg.of("sendMessage") if int(c[1]["chat_id"]) == OPS]
    assert {bool(c.get("disable_notification")) for c in calls} == {True, False}
    # a member of that chat works there; its card follows what happens
    press = tg.press(OPS, cards["worker lost"]["message_id"], buttons(cards["worker lost"])["Take"], STRANGER, "eve")
    tg.wait(lambda: "Taken by @eve" in cards["worker lost"]["text"], 8, "the card in the other chat")
    assert tg.answers[press] == "Taken"
    # the rule's own cooldown; the alert chat's is another
    assert db.one("SELECT count(*) FROM alert_state WHERE chat_id = %s", OPS) == 2
    assert "Rule 1 is off" in ask(tg, CHAT, OWNER, "/rules off 1")
    rule_seen(tg, db)
    post(s, "worker starved", "critical", origin="celery.pay")
    tg.wait(lambda: "worker starved" in titles(tg, CHAT), 5, "back to the alert chat")
    assert "Rule 1 is gone" in ask(tg, CHAT, OWNER, "/rules del 1")
    assert db.one("SELECT count(*) FROM alert_rule") == 0
    assert "There is no rule 1" in ask(tg, CHAT, OWNER, "/rules del 1")
    assert "/rules" in ask(tg, CHAT, OWNER, "/rules something else")


@pytest.mark.parametrize("words", ["severity:loud", "chat:x", "foo", "when:rate:5", 'text:"open', ""])
def test_a_rule_that_is_none(service, tg, db, words):
    service(tg=tg)
    said = ask(tg, CHAT, OWNER, f"/rules add {words}")
    assert "is not understood" in said or "Say what the rule is for" in said
    assert db.one("SELECT count(*) FROM alert_rule") == 0


def test_rules_made_in_psql(service, tg, db, ops):
    s = service(tg=tg)
    db.sql("INSERT INTO alert_rule (environment, nowhere) VALUES ('staging', true)")
    db.sql("INSERT INTO alert_rule (severity, occasion, rate_count, rate_minutes, chat_id) "
           "VALUES ('warning', 'rate', 5, 5, %s)", OPS)
    db.sql("INSERT INTO alert_rule (severity, occasion, chat_id, continues) VALUES ('error', 'regressed', %s, true)", OPS)
    rule_seen(tg, db)
    post(s, "on staging", environment="staging")
    for _ in range(4):
        post(s, "slow answer", "warning")
    time.sleep(1.5)
    assert titles(tg, CHAT) == titles(tg, OPS) == []
    post(s, "slow answer", "warning")
    tg.wait(lambda: titles(tg, OPS) == ["slow answer"], 5, "the fifth within five minutes")
    post(s, "broken", "critical")
    tg.wait(lambda: titles(tg, CHAT) == ["broken"], 5)
    db.sql("SELECT resolve(id) FROM error_group WHERE title = 'broken'")
    post(s, "broken", "critical")
    tg.wait(lambda: any("It is back" in m["text"] and "broken" in m["text"] for m in tg.sent(OPS)), 5,
            "a regression goes there")
    with pytest.raises(Exception, match="alert_rule_occasion|check"):
        db.sql("INSERT INTO alert_rule (occasion) VALUES ('rate')")


def test_the_first_in_a_week(service, tg, db, ops):
    s = service(tg=tg)
    db.sql("INSERT INTO alert_rule (severity, occasion, first_days, chat_id) VALUES ('warning', 'first', 7, %s)", OPS)
    rule_seen(tg, db)
    post(s, "seldom", "warning")
    tg.wait(lambda: titles(tg, OPS) == ["seldom"], 5)
    db.sql("UPDATE alert_state SET last_ring_at = now() - interval '1 day'")
    post(s, "seldom", "warning")
    time.sleep(1.5)
    assert titles(tg, OPS) == ["seldom"]
    db.sql("UPDATE error_group SET last_seen = now() - interval '8 days'")
    post(s, "seldom", "warning")
    tg.wait(lambda: titles(tg, OPS) == ["seldom", "seldom"], 5)


def test_silence(service, tg, db):
    s = service(tg=tg)
    assert "Nothing is silenced" in ask(tg, CHAT, TEAM, "/silence", "ann")
    assert "/silence" in ask(tg, CHAT, TEAM, "/silence 30", "ann")
    said = ask(tg, CHAT, TEAM, "/silence 30m deploy <b>", "ann")
    assert "Silence until" in said and "deploy <b>" in said
    assert "deploy <b>" in ask(tg, CHAT, TEAM, "/silence", "ann")
    rule_seen(tg, db)
    for n in ("one", "two", "three"):
        post(s, f"during {n}")
    time.sleep(2)
    assert titles(tg, CHAT) == []
    assert db.one("SELECT count(*) FROM alert_outbox WHERE hold = 'silence' AND state = 'pending'") == 3
    outbox = s.get("/health").json["parts"]["outbox"]
    assert outbox["status"] == "healthy"
    assert "over" in ask(tg, CHAT, TEAM, "/silence off", "ann")
    digest = tg.wait(lambda: [m for m in tg.sent(CHAT) if "3 errors" in m["text"]], 6, "told together")[0]
    assert digest["text"].startswith("🔔 During the silence “deploy <b>”: 3 errors")
    assert all(f"during {n}" in digest["text"] for n in ("one", "two", "three"))
    rule_seen(tg, db)
    post(s, "afterwards")
    tg.wait(lambda: titles(tg, CHAT) == ["afterwards"], 5)


def test_one_error_in_a_silence_is_a_card(service, tg, db):
    s = service(tg=tg)
    db.sql("INSERT INTO alert_silence (ends_at, origin) VALUES (now() + interval '4 seconds', 'celery')")
    rule_seen(tg, db)
    post(s, "in the queue", origin="celery")
    post(s, "in the api", origin="api")
    tg.wait(lambda: titles(tg, CHAT) == ["in the api"], 3)
    tg.wait(lambda: titles(tg, CHAT) == ["in the api", "in the queue"], 8, "when it is over")


def test_quiet_hours(service, tg, db):
    s = service(tg=tg)
    assert "no quiet hours" in ask(tg, CHAT, TEAM, "/quiet", "ann")
    assert "/quiet" in ask(tg, CHAT, TEAM, "/quiet 25:00-08:00", "ann")
    assert "without a sound" in ask(tg, CHAT, TEAM, "/quiet 00:00-23:59", "ann")
    rule_seen(tg, db)
    post(s, "at night")
    tg.wait(lambda: titles(tg, CHAT) == ["at night"], 5)
    sends = [c[1] for c in tg.of("sendMessage") if "at night" in c[1]["text"]]
    assert sends[0]["disable_notification"] is True
    assert "wait until" in ask(tg, CHAT, TEAM, "/quiet 00:00-23:59 hold", "ann")
    rule_seen(tg, db)
    post(s, "later one")
    post(s, "later two")
    time.sleep(2)
    assert titles(tg, CHAT) == ["at night"]
    assert db.one("SELECT next_try_at > now() FROM alert_outbox WHERE hold = 'quiet' LIMIT 1")
    assert "no quiet hours" in ask(tg, CHAT, TEAM, "/quiet off", "ann")
    tg.wait(lambda: any(m["text"].startswith("🌅 During quiet hours: 2 errors") for m in tg.sent(CHAT)), 6)


def test_inhibition(service, tg, db):
    s = service(tg=tg)
    db.sql("INSERT INTO alert_inhibition (name, source_text, same_environment) VALUES ('db', 'database down', true)")
    rule_seen(tg, db)
    post(s, "database down: no route", environment="prod")
    tg.wait(lambda: titles(tg, CHAT) == ["database down: no route"], 5)
    for n in ("pay", "login", "feed"):
        post(s, f"{n} failed", environment="prod")
    post(s, "unrelated", environment="staging")
    tg.wait(lambda: titles(tg, CHAT) == ["database down: no route", "unrelated"], 5)
    assert db.one("SELECT count(*) FROM alert_outbox WHERE hold = 'inhibited' AND state = 'pending'") == 3
    # the instance that knew is killed: the next one knows it too
    s.kill()
    s.err.close(), s.out.close()
    s.start().ready()
    post(s, "another failed", environment="prod")
    wait(lambda: db.one("SELECT count(*) FROM alert_outbox WHERE hold = 'inhibited' AND state = 'pending'") == 4, 15)
    number = db.one("SELECT id FROM error_group WHERE title LIKE 'database down%%'")
    ask(tg, CHAT, TEAM, f"/resolve {number}", "ann")
    digest = tg.wait(lambda: [m for m in tg.sent(CHAT) if m["text"].startswith("🔗")], 10, "told together")[0]
    assert f"Held back because of #{number} database down: no route: 4 errors" in digest["text"]


def test_explain(service, tg, db, ops, tmp_path):
    s = service(tg=tg)
    post(s, "worker died", origin="celery")
    tg.wait(lambda: len(titles(tg, CHAT)) == 1, 5)
    db.sql("INSERT INTO alert_rule (origin, chat_id, silent, name) VALUES ('celery', %s, true, 'queue')", OPS)
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"message": "worker died", "severity": "critical", "origin": "celery"}))
    done = run_tool(db, "--explain", str(event), env={"ERROR_ALERT_CHAT_ID": str(CHAT), "TELEGRAM_BOT_TOKEN": "1:x"})
    assert done.returncode == 0, done.stderr
    assert "rule 1 queue: matches" in done.stdout and str(OPS) in done.stdout and "without a sound" in done.stdout
    assert "#1 worker died" in done.stdout
    event.write_text(json.dumps({"message": "unknown", "severity": "info", "origin": "api"}))
    done = run_tool(db, "--explain", str(event), env={"ERROR_ALERT_CHAT_ID": str(CHAT), "TELEGRAM_BOT_TOKEN": "1:x"})
    assert done.returncode == 0 and "does not ring" in done.stdout and "new error" in done.stdout
    assert db.one("SELECT count(*) FROM error_group") == 1, "nothing is recorded"
    event.write_text("{")
    done = run_tool(db, "--explain", str(event))
    assert done.returncode == 2 and str(event) in done.stderr
    assert run_tool(db, "--explain", str(tmp_path / "none.json")).returncode == 2
