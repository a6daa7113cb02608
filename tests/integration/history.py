"""history.py -- weeks of events as if they had come when they say, with the rows that a writer would have left."""
import datetime
import hashlib
import random
import uuid

HOUR = datetime.timedelta(hours=1)


def now_hour():
    return datetime.datetime.now(datetime.timezone.utc).replace(minute=0, second=0, microsecond=0)


def group(db, title, origin="celery", severity="error", handler=None, first_seen=None, status="new"):
    return db.one("INSERT INTO error_group (fingerprint, title, origin, severity, handler, status, first_seen, last_seen, occurrences) "
                  "VALUES (%s, %s, %s, %s, %s, %s, %s, now(), 1) RETURNING id", uuid.uuid4().hex, title, origin, severity, handler,
                  status, first_seen or datetime.datetime.now(datetime.timezone.utc))


def rank(user):
    """(place, rank) in a sketch, as store/user_meter.c has it."""
    digest = hashlib.md5(user.encode()).hexdigest()
    return int(digest[:4], 16) & 2047, 49 - int(digest[4:16], 16).bit_length()


def events(db, group_id, moment, n, severity="error", origin="celery", release=None, users=(), made=0):
    """n events of one hour; a tally row in the same transaction, as store/writer_tally.c appends it."""
    users = [str(users[i % len(users)]) if users else None for i in range(n)]
    rows = [(group_id, moment + datetime.timedelta(seconds=i * 3500 // max(n, 1)), uuid.uuid4().hex, severity, origin, release, u)
            for i, u in enumerate(users)]
    met = {u: users.count(u) for u in set(users) if u}
    hour = moment.replace(minute=0, second=0, microsecond=0)
    conn = db.open()
    conn.autocommit = False
    with conn, conn.cursor() as cur:
        cur.execute("SELECT nabat_make_day(%s)", (moment.date(),))
        cur.executemany("INSERT INTO event (group_id, received_at, occurred_at, project_id, event_id, severity, origin, release, user_id, "
                        "message, id) VALUES (%s, %s, now(), 1, %s, %s, %s, %s, %s, 'x', nextval('event_id_seq'))", rows)
        cur.execute("INSERT INTO event_tally (cells, hours, groups, projects, severities, origins, releases, counts, made, counted, "
                    "user_hours, user_projects, user_ids, user_counts, rank_hours, rank_projects, rank_places, ranks) VALUES (1, %s, %s, '{1}', %s, %s, %s, %s, %s, '{0}', "
                    "%s::timestamptz[], %s::bigint[], %s::text[], %s::bigint[], %s::timestamptz[], %s::bigint[], %s::bigint[], %s::bigint[])",
                    ([hour], [group_id], [severity], [origin], [release or ""], [n], [made],
                     [hour] * len(met), [1] * len(met), list(met), list(met.values()),
                     [hour] * len(met), [1] * len(met), [rank(u)[0] for u in met], [rank(u)[1] for u in met]))
    conn.close()


def life(db, kind, end=None, seed=7):
    """empty, quiet, spiky or month; ends with the present hour."""
    dice = random.Random(seed)
    end = end or now_hour()
    if kind == "empty":
        return
    timeout = group(db, "TimeoutError: the model did not answer in 30 s", severity="error", handler="tasks.render",
                    first_seen=end - 40 * 24 * HOUR)
    forbidden = group(db, "TelegramForbiddenError: bot was blocked by the user", origin="aiogram_handler", severity="warning",
                      handler="handlers.start", first_seen=end - 30 * 24 * HOUR)
    hours = {"quiet": 48, "spiky": 14 * 24, "month": 60 * 24}[kind]
    for ago in range(hours):
        moment = end - ago * HOUR
        busy = 8 <= moment.hour <= 22
        n = dice.randrange(0, 2 if kind == "quiet" else 7 if busy else 3)
        if n:
            events(db, timeout, moment, n, users=[dice.randrange(400) for _ in range(3)], release="bot@1.4.1")
        m = dice.randrange(0, 2 if kind == "quiet" else 4)
        if m and ago % 2:
            events(db, forbidden, moment, m, "warning", "aiogram_handler", "bot@1.4.1", [dice.randrange(400)])
    if kind in ("spiky", "month"):
        at = end - 40 * HOUR
        pool = group(db, "OperationalError: connection pool exhausted", origin="fastapi", severity="critical", handler="api.pay",
                     first_seen=at)
        db.sql("INSERT INTO deploy (name, release, source, deployed_at) VALUES ('bot@1.4.2', 'bot@1.4.2', 'api', %s), "
               "('bot@1.4.3', 'bot@1.4.3', 'api', %s)", at - datetime.timedelta(minutes=3), at + 9 * HOUR)
        for i, n in enumerate((61, 88, 40, 22, 9)):
            events(db, pool, at + i * HOUR, n, "critical", "fastapi", "bot@1.4.2", [dice.randrange(4000) for _ in range(25)],
                   made=int(i == 0))
        for i in range(3):
            db.sql("INSERT INTO alert_outbox (group_id, chat_id, state, sent_at) VALUES (%s, -100, 'sent', %s)", pool, at + i * HOUR)
        db.sql("UPDATE error_group SET status = 'resolved' WHERE id = %s", pool)
