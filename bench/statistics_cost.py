"""statistics_cost.py -- what statistics cost over ten million events of sixty days: answers of the service, and a drawing."""
import json
import statistics
import subprocess
import time

from growth import TEAM, Asker, standin
from stand import BUILD, Stand

ASKS = (("/stats 24h", "/api/stats?period=24h"), ("/stats 7d", "/api/stats?period=7d"), ("/stats 30d", "/api/stats?period=30d"),
        ("/stats 30d critical celery", "/api/stats?period=30d&words=critical+celery"), ("/report", "/api/report?period=24h"),
        ("/report 7d", "/api/report?period=7d"), ("/report 30d", "/api/report?period=30d"))

# In the chat, from the update to the bot's message: of /stats a picture with its words.
SAID = ("/stats 24h", "/stats 30d", "/top 30d", "/top users 30d", "/top handlers 30d", "/top releases 30d", "/top origins 30d celery")

# Ten million events: 2000 errors of six origins, of which a few are most; three releases; a million users; all hours of sixty days.
FILL = """
INSERT INTO error_group (fingerprint, title, origin, severity, handler, first_seen, last_seen, occurrences)
SELECT md5(n::text), 'Error number ' || n, (ARRAY['celery','miniapp','fastapi','aiogram_handler','cron','generation'])[1 + n % 6],
       (ARRAY['critical','error','error','warning','info'])[1 + n % 5], 'handler_' || n % 300, now() - make_interval(days => n % 60), now(), 1
FROM generate_series(1, 2000) n;
DO $$ BEGIN PERFORM nabat_make_day((now() AT TIME ZONE 'UTC')::date - d) FROM generate_series(0, 60) d; END $$;
INSERT INTO event (group_id, received_at, occurred_at, project_id, event_id, severity, origin, release, user_id, message, id)
SELECT g.id, at, at, 1, md5(n::text), g.severity, g.origin, 'bot@1.' || n % 3, (n::bigint * 7919 % 1000003)::text, 'x', nextval('event_id_seq')
FROM (SELECT n, 1 + floor(2000 * power(random(), 3))::bigint AS at_group,
             date_trunc('hour', now()) - random() * interval '60 days' + interval '1 hour' AS at
      FROM generate_series(1, {events}) n) e
JOIN error_group g ON g.id = (SELECT min(id) FROM error_group) + e.at_group - 1 WHERE at < now() ORDER BY at;
INSERT INTO event_hour (hour, project_id, severity, origin, release, events)
SELECT date_trunc('hour', received_at, 'UTC'), project_id, severity, origin, release, count(*) FROM event GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5;
INSERT INTO project_hour (hour, project_id, severity, events) SELECT hour, project_id, severity, sum(events) FROM event_hour GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
INSERT INTO group_hour (group_id, hour, events)
SELECT group_id, date_trunc('hour', received_at, 'UTC') AS hour, count(*) FROM event GROUP BY 1, 2 ORDER BY 2, 1;
INSERT INTO group_day (group_id, day, events)
SELECT group_id, date_trunc('day', hour, 'UTC') AS day, sum(events) FROM group_hour
WHERE hour < (SELECT value::timestamptz FROM service_setting WHERE name = 'group_days_until') GROUP BY 1, 2 ORDER BY 2, 1;
INSERT INTO user_day (day, project_id, user_id, events)
SELECT day, 1, user_id, n FROM (SELECT date_trunc('day', received_at, 'UTC') AS day, user_id, count(*) AS n,
       row_number() OVER (PARTITION BY date_trunc('day', received_at, 'UTC') ORDER BY count(*) DESC) AS place FROM event GROUP BY 1, 2) u
WHERE place <= 500;
INSERT INTO user_hour (hour, project_id, user_id, events)
SELECT hour, 1, user_id, n FROM (SELECT date_trunc('hour', received_at, 'UTC') AS hour, user_id, count(*) AS n,
       row_number() OVER (PARTITION BY date_trunc('hour', received_at, 'UTC') ORDER BY count(*) DESC) AS place FROM event GROUP BY 1, 2) u
WHERE place <= CASE WHEN hour < date_trunc('hour', now(), 'UTC') THEN 250 ELSE 2000 END ORDER BY 1, 3;
INSERT INTO group_release (group_id, release, made, first_hour, last_hour)
SELECT group_id, release, 0, min(date_trunc('hour', received_at, 'UTC')), max(date_trunc('hour', received_at, 'UTC')) FROM event GROUP BY 1, 2;
INSERT INTO user_sketch (is_day, at, project_id, registers)
SELECT d, date_trunc(CASE WHEN d THEN 'day' ELSE 'hour' END, received_at, 'UTC'), 1, nabat_sketch(NULL, array_agg(DISTINCT user_id))
FROM event, (VALUES (true), (false)) v (d) GROUP BY 1, 2;
INSERT INTO error_group_history (group_id, what, old_value, new_value, actor, source, changed_at)
SELECT id, 'status', 'new', (ARRAY['in_progress', 'resolved'])[1 + id % 2], 'ann', 'chat', now() - make_interval(hours => (id % 1400)::int) FROM error_group;
INSERT INTO deploy (name, source, deployed_at) SELECT 'bot@1.' || n, 'api', now() - make_interval(hours => n * 24) FROM generate_series(1, 60) n;
VACUUM ANALYZE
"""


def ask_many(service, path, times):
    """Milliseconds of each answer, one after another."""
    took = []
    for i in range(times + 5):
        began = time.perf_counter()
        body = service.get(path)
        if i >= 5:  # the first ones plan and read into memory
            took.append((time.perf_counter() - began) * 1000)
    return took, json.loads(body)


def p(took, part):
    return statistics.quantiles(took, n=100)[part - 1]


def bench_statistics(args, row):
    tg = standin()
    stand = Stand(tg)
    stand.service.env["ERROR_ALERT_CHAT_ID"] = str(TEAM)
    try:
        stand.start()
        events = int(args.stat_millions * 1e6)
        for command in FILL.format(events=events).split(";\n"):
            stand.psql(command)
        stored = stand.one("SELECT count(*) FROM event")
        for name, path in ASKS:
            took, body = ask_many(stand.service, path, 200)
            bare, _ = ask_many(stand.service, "/health", 200)
            row("stats", f"{name} over {stored / 1e6:.1f} M events, p99 / of /health", f"{p(took, 99):.1f} ms", f"{p(bare, 99):.2f} ms",
                p(took, 99) / p(bare, 99), "p99 <= 50 ms")
        asker = Asker(tg)
        for text in SAID:
            asker.ask(text)
            took = [asker.ask(text) for _ in range(60)]
            bare = [asker.ask("/id") for _ in range(60)]
            row("stats", f"{text} in the chat, p50 / of /id", f"{statistics.median(took):.1f} ms", f"{statistics.median(bare):.1f} ms",
                statistics.median(took) / statistics.median(bare), "")
        chart = json.dumps(body["chart"]).encode()
        for form in ("--png", "--svg"):
            took = []
            for _ in range(50):
                began = time.perf_counter()
                subprocess.run([BUILD / "bot/nabat-chart", form], input=chart, stdout=subprocess.DEVNULL, check=True)
                took.append((time.perf_counter() - began) * 1000)
            bare = []
            for _ in range(50):
                began = time.perf_counter()
                subprocess.run(["/bin/true"], input=chart, stdout=subprocess.DEVNULL, check=False)
                bare.append((time.perf_counter() - began) * 1000)
            row("stats", f"30 days drawn ({form}), process and all, median / of true", f"{statistics.median(took):.1f} ms",
                f"{statistics.median(bare):.1f} ms", statistics.median(took) / statistics.median(bare), "<= 50 ms")
    finally:
        stand.close()
        tg.close()
