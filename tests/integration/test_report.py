"""test_report.py -- what a day was like, as SQL says it; when it comes by itself; as JSON, as a document."""
import datetime
import re
import subprocess

import pytest
from conftest import BUILD, CHAT, KEY, wait

import history
from test_stats import say

UTC = datetime.timezone.utc


def busy_day(db):
    now = datetime.datetime.now(UTC)
    hour = history.now_hour()
    noisy = history.group(db, "TimeoutError: no answer", severity="error", first_seen=now - datetime.timedelta(days=20))
    quick = history.group(db, "KeyError: 'id'", first_seen=now - datetime.timedelta(hours=5))
    critical = history.group(db, "pool exhausted", severity="critical", first_seen=now - datetime.timedelta(hours=3))
    back = history.group(db, "it is back", first_seen=now - datetime.timedelta(days=3))
    history.events(db, noisy, hour, 61)
    history.events(db, quick, hour, 20, made=1, release="bot@2")
    history.events(db, critical, hour, 10, "critical", made=1, release="bot@2")
    history.events(db, back, hour, 9)
    change = ("INSERT INTO error_group_history (group_id, what, old_value, new_value, actor, source, changed_at) "
              "VALUES (%s, 'status', 'new', %s, 'ann', %s, %s)")
    db.sql(change, quick, "in_progress", "chat", now - datetime.timedelta(hours=4))
    db.sql(change, quick, "resolved", "chat", now - datetime.timedelta(hours=2))
    db.sql(change, back, "in_progress", "chat", now - datetime.timedelta(hours=20))
    db.sql(change, back, "resolved", "chat", now - datetime.timedelta(hours=10))
    db.sql(change, back, "new", "service", now - datetime.timedelta(hours=1))
    db.sql("UPDATE error_group SET status = 'resolved' WHERE id = %s", quick)
    db.sql("INSERT INTO session_hour (project_id, release, environment, hour, started, crashed) VALUES (1, 'bot@2', 'p', %s, 1000, 25)", hour)
    db.sql("INSERT INTO loss_hour (hour, kind, n) VALUES (%s, 'sdk', 7)", hour)
    return noisy, quick, critical, back


def test_the_numbers_of_a_day(service, db):
    s = service()
    noisy, quick, critical, back = busy_day(db)
    r = s.get("/api/report").json
    assert r["events"] == 100 and r["new"] == 2
    assert r["taken"] == 2 and r["resolved"] >= 2
    # quick: 1 h from first seen to taken; back: 2 days and 4 hours, since it was never opened before
    assert abs(r["slowest_to_take"]["seconds"] - (3 * 24 - 20) * 3600) < 120 and r["slowest_to_take"]["group_id"] == back
    assert abs(r["mean_seconds_to_take"] - ((3 * 24 - 20) + 1) * 3600 / 2) < 120
    assert r["oldest_open"]["group_id"] == noisy and abs(r["oldest_open"]["seconds"] - 20 * 86400) < 120
    assert r["crash_free"] == 97.5 and r["lost"] == {"sdk": 7} and r["open_critical_unowned"] == 1
    assert [e["group_id"] for e in r["new_errors"]] == [critical, quick]
    assert [e["group_id"] for e in r["regressed_errors"]] == [back]
    assert {e["release"] for e in r["new_errors"]} <= {"bot@2", None}
    advice = "\n".join(r["advice"])
    for part in (f"61 % of events are one error: mute or fix #{noisy}", "Nobody is on 1 open critical", f"#{back} came back", "97.5 % of sessions",
                 "Events that did not arrive: 7", f"#{noisy} has been open for 20 days"):
        assert part in advice, (part, advice)


def test_a_quiet_day_says_so(service, db, tg):
    s = service(tg=tg)
    assert s.get("/api/report").json["advice"] == ["Nothing needs a hand. Have a good day."]
    assert "Всё спокойно" in s.get("/api/report?language=ru").json["advice"][0]
    text = say(tg, "/report")["text"]
    assert text.startswith("📋 The last 24 hours\n🔢 0 events") and text.rstrip().endswith("Have a good day.")


def test_in_the_chat(service, db, tg):
    service(tg=tg)
    noisy, *_ = busy_day(db)
    text = say(tg, "/report")["text"]
    for part in ("🔢 100 events", "🆕 New, worst first:\n     🔴 #", "↩️ Came back:", "✅ Resolved: ", "👀 Taken: 2, after ", "🐌 Waited longest",
                 "🕰 Open for longest", "💚 97.50 % of sessions", "🕳 Dropped by SDKs before they were sent: 7", "What to do about it"):
        assert part in text, (part, text)
    assert "/report [24h|7d|30d]" in say(tg, "/report tomorrow")["text"]
    assert noisy
    n = len(tg.messages)
    tg.push_message(CHAT, 11, "/report 7d", "boss", "en")
    tg.wait(lambda: len(tg.messages) == n + 2, 20, "a picture and words")
    picture, words = sorted(tg.messages.values(), key=lambda m: m["n"])[-2:]
    assert picture["size"] == (1280, 800) and words["text"].startswith("📋 The last 7 days")


def test_as_a_document(service, db, tools):
    s = service()
    busy_day(db)
    answer = s.get("/api/report?format=pdf&period=7d")
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/pdf" and answer.body[:5] == b"%PDF-"
    run = subprocess.run([str(BUILD / "bot/nabat"), "--report", "--pdf", "--period", "7d"],
                         env={"DATABASE_URL": db.url, "PATH": "/usr/bin:/bin", "LANG": "ru_RU.UTF-8"}, capture_output=True, cwd="/tmp")
    assert run.returncode == 0 and run.stdout[:5] == b"%PDF-", run.stderr
    text = subprocess.run(["pdftotext", "-layout", "-", "-"], input=run.stdout, capture_output=True).stdout.decode()
    for part in ("Отчёт за неделю", "Что произошло", "100 событий", "Что с этим делать", "61 % событий"):
        assert part in text, (part, text)
    said = tools(db, "--report")
    assert said.returncode == 0 and said.stdout.startswith("📋 The last 24 hours") and "<b>" not in said.stdout
    for args, part in ((("--report", "--period", "1y"), "24h, 7d or 30d"), (("--pdf",), "belong to --report"), (("--period", "7d", "--check"), "belong")):
        wrong = tools(db, *args)
        assert wrong.returncode == 2 and part in wrong.stderr


def at(minutes):
    return (datetime.datetime.now(UTC) + datetime.timedelta(minutes=minutes)).strftime("%H:%M")


def reports(tg):
    return [m for m in tg.messages.values() if m["text"].startswith("📋")]


@pytest.mark.skipif(datetime.datetime.now(UTC).hour == 23 and datetime.datetime.now(UTC).minute > 50, reason="the day is about to end")
def test_it_comes_by_itself_once(service, db, tg):
    s = service(tg=tg, env={"REPORT_AT": at(-1), "BOT_LANGUAGE": "ru"}) if datetime.datetime.now(UTC).hour or datetime.datetime.now(
        UTC).minute else service(tg=tg, env={"REPORT_AT": "00:00", "BOT_LANGUAGE": "ru"})
    tg.wait(lambda: reports(tg), 30, "the report")
    assert reports(tg)[0]["chat_id"] == CHAT and reports(tg)[0]["text"].startswith("📋 Отчёт за ")
    wait(lambda: db.one("SELECT value FROM service_setting WHERE name = 'report_day'"), 20, "that it is written down")
    s.kill()
    s.start().ready()
    s.post({"message": "something", "severity": "critical"}, key=KEY)
    tg.wait(lambda: any(m["text"].startswith("🔴") for m in tg.messages.values()), 20, "an alert, so that it holds the lease")
    assert len(reports(tg)) == 1


def test_what_was_refused_goes_again(service, db, tg):
    if datetime.datetime.now(UTC).strftime("%H:%M") == "00:00":
        pytest.skip("the day has just begun")
    tg.fail_next("sendMessage", code=502, description="Bad Gateway", times=1)
    s = service(tg=tg, env={"REPORT_AT": at(-1)})
    tg.wait(lambda: any(c[0] == "sendMessage" for c in tg.calls), 30, "the first try")
    wait(lambda: "the report was not sent: it is tried again" in s.stderr, 20, "that it is logged")
    assert not reports(tg) and not db.one("SELECT count(*) FROM service_setting WHERE name = 'report_day'")
    tg.wait(lambda: reports(tg), 100, "the report, a minute later")


def test_losses_are_written_down(service, db):
    s = service()
    body = b'{}\n{"type":"client_report"}\n{"timestamp":1,"discarded_events":[{"reason":"queue_overflow","category":"error","quantity":5}]}\n'
    s.request("POST", "/api/1/envelope/", body, {"X-Sentry-Auth": f"Sentry sentry_key={KEY}"})
    wait(lambda: db.sql("SELECT kind, n FROM loss_hour") == [("sdk", 5)], 40, "the loss")


@pytest.mark.parametrize("value", ["9:00", "25:00", "09:60", "09:00 Mars/Base", "soon", "09:00Europe/Moscow"])
def test_wrong_times_are_refused(db, tools, value):
    run = tools(db, "--check", env={"REPORT_AT": value})
    assert run.returncode == 2 and "REPORT_AT" in run.stderr and re.search("09:00 Europe/Moscow", run.stderr)
