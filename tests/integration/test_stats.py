"""test_stats.py -- /stats and /top say what SQL over the events says, and pictures show what they say.

A picture is not compared with a picture: nabat-chart draws the same description as SVG, where a bar is a rectangle, and
rectangles are measured.

    NABAT_PICTURES=write pytest tests/integration/test_stats.py     draws those of docs/ anew
"""
import datetime
import json
import os
import re
import shutil
import subprocess

import pytest
from conftest import BUILD, CHAT, OWNER, ROOT, number_in, wait

import history

CHART = BUILD / "bot/nabat-chart"
SEVERITIES = ("critical", "error", "warning", "info", "debug")
KINDS = {"empty": "24h", "quiet": "24h", "spiky": "7d", "month": "30d"}


def drawn(description, form="--png"):
    run = subprocess.run([str(CHART), form], input=json.dumps(description).encode(), capture_output=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


def bars(svg, theme):
    """{severity: [(x, height)]} of the axis-aligned rectangles of its colour."""
    colors = {"light": ("d92d3a", "ef7d1a", "d7a400", "3a8ee6", "95a1ad"), "dark": ("ff5a63", "ff9838", "f2c438", "57a8ff", "7d8b99")}
    found = {}
    for style, path in re.findall(r'<path style="([^"]*)" d="([^"]*)"', svg):
        fill = re.search(r"fill:rgb\(([\d.]+)%,([\d.]+)%,([\d.]+)%\)", style)
        points = re.findall(r"[ML] ([\d.]+) ([\d.]+)", path)
        if not fill or "C" in path or len(points) < 4:
            continue
        name = "".join(f"{round(float(v) * 2.55):02x}" for v in fill.groups())
        xs, ys = {float(p[0]) for p in points}, {float(p[1]) for p in points}
        if name in colors[theme] and len(xs) == 2 and len(ys) == 2:
            found.setdefault(SEVERITIES[colors[theme].index(name)], []).append((min(xs), max(ys) - min(ys)))
    return found


def sums_of_events(db, numbers, where="true"):
    """{severity: [events a bucket]}, from the events themselves."""
    start = datetime.datetime.fromisoformat(numbers["from"].replace("Z", "+00:00"))
    width, count = numbers["bucket_seconds"], len(numbers["chart"]["ghost"]["values"])
    sums = {s: [0] * count for s in SEVERITIES}
    before = [0] * count
    for bucket, severity, n in db.sql(
            f"SELECT floor(extract(epoch FROM received_at - %s) / %s)::int, severity, count(*) FROM event WHERE {where} GROUP BY 1, 2",
            start, width):
        if 0 <= bucket < count:
            sums[severity][bucket] = n
        elif -count <= bucket < 0:
            before[bucket + count] += n
    return sums, before


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_show_what_events_say(service, db, kind):
    s = service()
    history.life(db, kind)
    wait(lambda: db.one("SELECT count(*) FROM event_tally") == 0, 30, "counts added up")
    for theme in ("light", "dark"):
        for language in ("en", "ru"):
            path = f"/api/stats?period={KINDS[kind]}&words={theme}&language={language}"
            numbers = s.get(path).json
            chart = numbers["chart"]
            sums, before = sums_of_events(db, numbers)
            assert {x["color"]: x["values"] for x in chart["series"]} == sums
            assert chart["ghost"]["values"] == before
            assert numbers["events"] == sum(map(sum, sums.values()))
            assert chart["theme"] == theme
            seen = bars(drawn(chart, "--svg").decode(), theme)
            totals = [sum(sums[x][i] for x in SEVERITIES) for i in range(len(before))]
            full = sum(h for x in SEVERITIES for h in [h for _, h in seen.get(x, [])])
            for severity in SEVERITIES:
                values = [v for v in sums[severity] if v]
                heights = [h for _, h in sorted(seen.get(severity, []))]
                assert len(heights) == len(values), (severity, heights, values)
                for h, v in zip(heights, values):
                    assert abs(h / full - v / sum(totals)) < 0.004, (severity, h, v)
            png = s.get(path + "&format=png")
            assert png.status == 200 and png.headers["Content-Type"] == "image/png" and png.body[:4] == b"\x89PNG"
            if os.environ.get("NABAT_PICTURES") == "write":
                (ROOT / "docs/pictures").mkdir(exist_ok=True)
                (ROOT / f"docs/pictures/stats-{kind}-{theme}-{language}.png").write_bytes(png.body)


def test_numbers_are_those_of_the_events(service, db):
    s = service()
    history.life(db, "spiky")
    numbers = s.get("/api/stats?period=7d").json
    start = datetime.datetime.fromisoformat(numbers["from"].replace("Z", "+00:00"))
    assert numbers["new"] == 1 and numbers["new_before"] == 0
    assert numbers["alerts"] == 3
    assert numbers["open"] == 2 and numbers["open_critical"] == 0
    users = db.one("SELECT count(DISTINCT user_id) FROM event WHERE received_at >= %s", start)
    wait(lambda: db.one("SELECT count(*) FROM event_tally") == 0, 30, "counts added up")
    about = s.get("/api/stats?period=7d").json["users_about"]
    assert abs(about - users) <= max(3, 4 * 0.023 * users), (about, users)
    worst = numbers["worst"]
    assert worst["events"] == db.one("SELECT count(*) FROM event WHERE group_id = %s AND received_at >= %s", worst["group_id"], start)
    assert worst["events"] == db.one("SELECT max(c) FROM (SELECT count(*) AS c FROM event WHERE received_at >= %s GROUP BY group_id) x", start)
    for words, where in (("critical", "severity = 'critical'"), ("fastapi", "origin = 'fastapi'"), ("bot@1.4.1", "release = 'bot@1.4.1'"),
                         ("default", "true"), ("warning+bot@1.4.1", "severity = 'warning' AND release = 'bot@1.4.1'"), ("nothing", "false")):
        narrowed = s.get(f"/api/stats?period=7d&words={words}").json
        sums, before = sums_of_events(db, narrowed, where)
        assert {x["color"]: x["values"] for x in narrowed["chart"]["series"]} == sums, words
        assert narrowed["chart"]["ghost"]["values"] == before, words
        assert narrowed["users_about"] is None


def test_wrong_questions_say_what_is_right(service, db):
    s = service(env={"METRICS_TOKEN": "letmein"})
    for query, part in (("period=1y", "24h, 7d or 30d"), ("format=gif", "json or png"), ("zone=Mars/Base", "tz database"),
                        ("words=a+b+c+d", "three at most")):
        answer = s.get("/api/stats?" + query)
        assert answer.status == 400 and part in answer.json["detail"]
    assert s.get("/api/stats?zone=Asia/Kolkata&period=30d").status == 200


def test_statistics_are_for_those_who_may_see_metrics(service, db):
    s = service(env={"METRICS_TOKEN": "letmein", "TRUSTED_PROXIES": "127.0.0.1"})
    outside = {"X-Forwarded-For": "203.0.113.9"}
    assert s.get("/api/stats", **outside).status == 401
    assert s.get("/api/stats", Authorization="Bearer wrong", **outside).status == 401
    assert s.get("/api/stats", Authorization="Bearer letmein", **outside).status == 200


def say(tg, text, chat=CHAT, user=OWNER):
    n = len(tg.messages)
    tg.push_message(chat, user, text, "boss", "en")
    tg.wait(lambda: len(tg.messages) > n, 20, f"an answer to {text}")
    return max(tg.messages.values(), key=lambda m: m["n"])


def test_stats_in_the_chat_is_a_picture_with_words(service, db, tg):
    s = service(tg=tg)
    history.life(db, "spiky")
    answer = say(tg, "/stats 7d")
    assert answer["size"] == (1280, 800)
    numbers = s.get("/api/stats?period=7d").json
    text = answer["text"]
    assert text.startswith("📊 Events, last 7 days\n")
    assert number_in(r"🔢 ([\d,]+) events", text) == numbers["events"]
    assert number_in(r"🆕 (\d+) new error", text) == 1
    assert number_in(r"🔔 (\d+) alerts", text) == 3
    assert f"🔝 #{numbers['worst']['group_id']} TimeoutError" in text
    assert say(tg, "/stats 7d critical fastapi dark")["text"].startswith("📊 Events, last 7 days · Critical · fastapi\n")
    assert "Nothing" in say(tg, "/top 24h nosuchorigin")["text"]
    assert "/stats" in say(tg, "/stats one two three four")["text"]


def test_top_is_what_events_say(service, db, tg):
    service(tg=tg)
    history.life(db, "spiky")
    wait(lambda: db.one("SELECT count(*) FROM event_tally") == 0, 30, "counts added up")
    for what, column in (("", "group_id"), ("users", "user_id"), ("handlers", "handler"), ("releases", "release"), ("origins", "origin")):
        text = say(tg, f"/top {what} 7d")["text"]
        shown = [int(x.replace(",", "")) for x in re.findall(r"[▏▎▍▌▋▊▉█] ([\d,]+)", text)]
        six = datetime.timedelta(hours=6)
        end = next(history.now_hour() + datetime.timedelta(hours=h) for h in range(1, 7)
                   if (history.now_hour() + datetime.timedelta(hours=h)).hour % 6 == 0)
        counts = [r[0] for r in db.sql(
            f"SELECT count(*) FROM event e JOIN error_group g ON g.id = e.group_id WHERE e.received_at >= %s "
            f"AND {'e.' if column != 'handler' else 'g.'}{column} IS NOT NULL "
            f"GROUP BY {'e.' if column != 'handler' else 'g.'}{column} ORDER BY 1 DESC LIMIT 15", end - 28 * six)]
        assert shown == counts, (what, text)
    assert "🆕 1 new error" in say(tg, "/top releases 7d")["text"]


def test_one_error_shows_its_life(service, db, tg):
    service(tg=tg)
    history.life(db, "quiet")
    group = db.one("SELECT id FROM error_group ORDER BY id LIMIT 1")
    text = say(tg, f"/error {group}")["text"]
    line = next(x for x in text.splitlines() if x.startswith("📈"))
    assert re.fullmatch("📈 [▁▂▃▄▅▆▇█]{24}", line), line


def test_without_the_program_the_numbers_go_without_a_picture(service, db, tg, tmp_path):
    alone = tmp_path / "nabat"
    shutil.copy(BUILD / "bot/nabat", alone)
    s = service(tg=tg, program=alone)
    history.life(db, "quiet")
    answer = say(tg, "/stats")
    assert "size" not in answer and answer["text"].startswith("📊 Events, last 24 hours")
    assert "no picture: the numbers go without it" in s.stderr
    assert s.get("/api/stats?format=png").status == 503


@pytest.mark.parametrize("description, why", [
    ("", "no JSON"), ("[]", "object"), ('{"series":[]}', "at least one series"), ('{"series":7}', "series"),
    ('{"series":[{"color":"pink","values":[1]}]}', "color"), ('{"series":[{"color":"error","values":[-1]}]}', "numbers from 0"),
    ('{"series":[{"color":"error","values":[1]},{"color":"debug","values":[1,2]}]}', "as many"),
    (json.dumps({"series": [{"color": "error", "values": [1] * 401}]}), "400"),
    ('{"thousands":"abcd","series":[]}', "thousands"), ('{"series":[{"color":"error","values":[1e300]}]}', "numbers from 0")])
def test_the_program_says_what_is_wrong_with_a_description(description, why):
    run = subprocess.run([str(CHART)], input=description.encode(), capture_output=True)
    assert run.returncode == 1 and why in run.stderr.decode() and not run.stdout


def test_hostile_words_are_drawn(db):
    text = "‮<b>&\u0000\U0001F600" + "ж" * 5000
    chart = {"title": text, "subtitle": text, "headline": text, "trend": text, "empty": text, "thousands": "’",
             "series": [{"name": text, "color": "error", "values": [1e15, 0, 1]}], "ghost": {"name": text, "values": [0, 0, 1]},
             "ticks": [{"at": -1e9, "text": text}, {"at": 1e9, "text": text}], "marks": [{"at": 1, "kind": "deploy", "text": text}] * 500}
    clean = json.loads(json.dumps(chart).replace("\\u0000", ""))
    assert drawn(clean)[:4] == b"\x89PNG"
