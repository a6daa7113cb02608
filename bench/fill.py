"""fill.py -- a store as it looks after a month, filled by the server itself: many events, many groups.

Half of a day's events are of groups that are always there, half of groups that live for a day or two; four in five groups
are resolved. A leaf is filled without indexes and attached afterwards, which builds them: 30 million events take minutes."""
import datetime
import subprocess
from concurrent.futures import ThreadPoolExecutor

STEADY = 2000  # groups that are always there

DAY_SQL = """
CREATE TABLE {leaf} (LIKE event INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING COMPRESSION,
    CONSTRAINT {leaf}_day CHECK (received_at >= '{day} 00:00+00' AND received_at < '{next} 00:00+00'));
INSERT INTO {leaf} (id, received_at, occurred_at, group_id, project_id, chat_id, event_id, severity, origin, handler, message,
    exception_type, user_id, gen_request_id, environment, release, server_name, stack_hash, payload, tags, breadcrumbs)
SELECT {first} + i, at, at, g, 1, -1000000000000 - hashint8(i) % 100000, md5(({first} + i)::text),
    CASE WHEN g % 50 = 0 THEN 'critical' WHEN g % 5 = 0 THEN 'warning' ELSE 'error' END,
    (ARRAY['aiogram_handler', 'telegram_webhook', 'celery', 'generation', 'miniapp'])[1 + g % 5], 'handler_' || g % 40,
    'refused after ' || i % 30000 || ' ms for user ' || u, 'ProviderError', u::text, 'gen-' || md5(i::text), 'production',
    'bot@1.4.' || {number}, 'bot-1', md5((g % 20000)::text)::uuid,
    jsonb_build_object('model', 'flux-pro', 'seed', i, 'prompt', repeat(md5(g::text), 4)),
    jsonb_build_object('provider', 'flux', 'plan', 'pro'),
    jsonb_build_array(jsonb_build_object('category', 'http', 'message', 'POST /v1/images 502'))
FROM (SELECT i, timestamptz '{day} 00:00+00' + i * interval '1 microsecond' * {gap} AS at,
    100000000 + abs(hashint8(i)::bigint) % 100000 AS u,
    CASE WHEN i % 2 = 0 THEN 1 + floor({steady} * power(random(), 2))::bigint
    ELSE {steady} + 1 + ({window} + floor({width} * random()))::bigint % {short} END AS g
    FROM generate_series(1, {rows}) AS i) e;
CREATE UNIQUE INDEX {leaf}_repeat ON {leaf} (project_id, event_id);
ALTER TABLE event ATTACH PARTITION {leaf} FOR VALUES FROM ('{day} 00:00+00') TO ('{next} 00:00+00');
SELECT nabat_make_leaf('event_attachment', 'received_day', '{day}', false),
    nabat_make_leaf('error_stack', 'received_day', '{day}', false);
INSERT INTO {stack} SELECT '{day}', md5(n::text)::uuid, 'Traceback (most recent call last):' || repeat(
    E'\\n  File "/srv/bot/app/handlers/pay.py", line ' || n || ', in step_' || md5(n::text), 8)
FROM generate_series(0, 19999) AS n;
"""

GROUPS_SQL = """
INSERT INTO error_group (id, project_id, fingerprint, title, culprit, origin, handler, severity, status, occurrences,
    users_affected, first_seen, last_seen, assigned_to, resolved_at)
SELECT e.group_id, 1, md5(e.group_id::text), 'ProviderError: ' || w[1 + e.group_id % 30] || ' ' ||
    w[1 + (e.group_id / 30) % 30] || ' of ' || w[1 + (e.group_id / 900) % 30] || ' ' || substr(md5(e.group_id::text), 1, 10),
    'app/handlers/pay.py in step_' || substr(md5(e.group_id::text), 12, 8), e.origin, e.handler, e.severity,
    CASE WHEN e.group_id / 7 % 5 = 1 THEN 'new' WHEN e.group_id / 7 % 100 = 2 THEN 'in_progress' ELSE 'resolved' END, e.n, 1 + e.n / 3,
    e.first_at, e.last_at, CASE WHEN e.group_id / 7 % 1000 = 2 THEN 'anna' END,
    CASE WHEN e.group_id / 7 % 5 <> 1 AND e.group_id / 7 % 100 <> 2 THEN e.last_at END
FROM (SELECT group_id, count(*) AS n, min(received_at) AS first_at, max(received_at) AS last_at, max(origin) AS origin,
    max(handler) AS handler, max(severity) AS severity FROM event GROUP BY group_id) e,
    (SELECT string_to_array('timeout provider image model answer message user callback payment refund session queue retry limit '
        'invalid chat photo caption button webhook update state storage redis worker task upload download render export', ' ')
        AS w) w
ON CONFLICT DO NOTHING;
SELECT setval('error_group_id_seq', (SELECT max(id) FROM error_group));
INSERT INTO group_user SELECT g.id, (100000000 + (g.id * 7 + n) % 100000)::text
FROM error_group g, generate_series(1, 3) AS n ON CONFLICT DO NOTHING;
"""


def fill(stand, events, groups, days=30, parallel=2, newest=1):
    """`events` over `days`, the newest of them so many days ago. The service has made the tables and does not run."""
    today = datetime.datetime.now(datetime.timezone.utc).date()
    rows = events // days
    short = max(1, groups - STEADY)
    first = stand.one("SELECT nextval('event_id_seq')")

    def one_day(n):
        day = today - datetime.timedelta(days=days - n + newest - 1)
        name = day.strftime("%Y%m%d")
        sql = DAY_SQL.format(leaf="event_" + name, stack="error_stack_" + name, day=day, next=day + datetime.timedelta(days=1),
                             first=first + n * rows, rows=rows, gap=86_000_000_000 // max(rows, 1), number=n, steady=STEADY,
                             short=short, window=short * n // days, width=max(1, short * 3 // (days * 2)))
        run(stand, sql)

    with ThreadPoolExecutor(parallel) as pool:
        list(pool.map(one_day, range(days)))
    run(stand, GROUPS_SQL)
    run(stand, f"SELECT setval('event_id_seq', {first + (days + 1) * rows + 1})")
    run(stand, "VACUUM ANALYZE")


def run(stand, sql):
    """As one script of psql, by the tables' owner."""
    subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", stand.url], input=sql, text=True, check=True)
