"""growth.py -- what a full store costs: ingest, lists, searches, cards at up to 30 million events, and a large day's end."""
import hashlib
import random
import statistics
import subprocess
import threading
import time

import fill
import psycopg2
from stand import BUILD, Stand

ASKED = 60                   # of each kind, one after the other
VIEWERS = range(1000, 1050)  # private chats of people who ask: a chat takes one message a second
TEAM = -1001                 # whose members they are
WORDS = "timeout provider image model answer message user callback payment refund session queue retry limit".split()


def percentile(values, q):
    return sorted(values)[min(len(values) - 1, int(len(values) * q))]


def standin():
    import telegram
    tg = telegram.Standin()
    tg.next_update = int(time.time() * 20) % 10 ** 10
    tg.add_chat(TEAM, {**dict.fromkeys(VIEWERS, "member"), 1: "creator"})
    for user in VIEWERS:
        tg.add_chat(user, {user: "member"})
    return tg


class Asker:
    """Sends commands as people do, one after the other, and times the answers."""

    def __init__(self, tg):
        self.tg, self.asked = tg, 0

    def ask(self, text):
        """Milliseconds from the update to the bot's message."""
        time.sleep(0.025)
        user = VIEWERS[self.asked % len(VIEWERS)]
        self.asked += 1
        seen = len(self.tg.calls)
        began = time.monotonic()
        self.tg.push_message(user, user, text)
        while not any(c[0] in ("sendMessage", "sendDocument", "sendPhoto") and str(c[1].get("chat_id")) == str(user)
                      for c in self.tg.calls[seen:]):
            if time.monotonic() - began > 30:
                raise SystemExit(f"bench: no answer to {text}")
            time.sleep(0.0005)
        return (time.monotonic() - began) * 1000


def questions(groups):
    """What is asked, by kind: a text for each time."""
    dice = random.Random(3)

    def steady():
        return dice.randrange(1, min(fill.STEADY, groups))

    def anyone():
        return dice.randrange(1, groups)

    def rare():
        return hashlib.md5(str(anyone()).encode()).hexdigest()[:10]
    return {"/errors": lambda: "/errors", "/errors critical": lambda: "/errors critical",
            "/errors @anna": lambda: "/errors @anna", "/errors, a word of many": lambda: "/errors " + dice.choice(WORDS),
            "/errors, a word of one": lambda: "/errors all " + rare(),
            "/errors, two words": lambda: f"/errors all {dice.choice(WORDS)} {dice.choice(WORDS)}",
            "/error N, a busy one": lambda: f"/error {steady()}", "/error N, any": lambda: f"/error {anyone()}",
            "/error N events": lambda: f"/error {steady()} events"}


def ask_all(tg, groups):
    """kind -> [milliseconds]."""
    asker, took = Asker(tg), {}
    for kind, text in questions(groups).items():
        asker.ask(text())  # pages are read
        took[kind] = [asker.ask(text()) for _ in range(ASKED)]
    return took


def filled(events, groups, **more):
    """A stand whose store holds so many; (stand, stand-in)."""
    tg = standin()
    s = Stand(tg)
    s.service.env["ERROR_ALERT_CHAT_ID"] = str(TEAM)
    s.start()
    if events:
        s.stop()
        began = time.monotonic()
        fill.fill(s, events, groups, **more)
        print(f"{'':8} {events / 1e6:.0f} million events, {groups} groups: filled in {time.monotonic() - began:.0f} s, "
              f"{s.one('SELECT pg_database_size(current_database())') / 1e9:.1f} GB", flush=True)
        s.start()
    return s, tg


# --------------------------------------------------------------------------------------------------- growth

def ingest(s, seconds):
    """Events a second, of groups that are not those of the fill."""
    s.sql("CHECKPOINT")
    r = s.load("native2", 1000, 256, seconds)
    if r["ok"] != r["answers"]:
        raise SystemExit(f"bench: {r['answers']} answers, {r['ok']} of them 200")
    return r["ok"] / r["seconds"]


def bench_growth(args, row, raw):
    empty, empty_tg = filled(0, 1)
    try:
        for millions in args.millions:
            groups = int(min(1_000_000, millions * 100_000))
            s, tg = filled(int(millions * 1_000_000), groups)
            try:
                for stand in (empty, s):
                    ingest(stand, 1)
                pairs = [(ingest(s, args.seconds), ingest(empty, args.seconds)) for _ in range(args.rounds)]
                rates = [statistics.median(p[i] for p in pairs) for i in (0, 1)]
                row("growth", f"ingest at {millions} M events / at none", f"{rates[0]:.0f}/s", f"{rates[1]:.0f}/s",
                    [a / b for a, b in pairs], ">= 0.8")
                took = ask_all(tg, groups)
                raw.setdefault("asked_ms", {})[str(millions)] = took
                for kind, ms in took.items():
                    row("growth", f"{kind}: update to answer at {millions} M, p50 / p99, ms", f"{percentile(ms, .5):.1f}",
                        f"{percentile(ms, .99):.1f}", percentile(ms, .99), "<= 50")
            finally:
                s.close()
                tg.close()
    finally:
        empty.close()
        empty_tg.close()


# ---------------------------------------------------------------------------------------------------- prune

class Watch(threading.Thread):
    """When the pruner began to detach a leaf, when it was detached, and when it was gone."""

    def __init__(self, s, leaf):
        super().__init__(daemon=True)
        self.s, self.leaf, self.times, self.over = s, leaf, {}, False

    def run(self):
        conn = psycopg2.connect(host=str(self.s.node.folder), user="nabat", dbname="bench")
        conn.autocommit = True
        with conn.cursor() as cur:
            while not self.over and "gone" not in self.times:
                cur.execute("SELECT EXISTS (SELECT 1 FROM pg_inherits WHERE inhrelid = to_regclass(%s)), to_regclass(%s) IS NULL, "
                            "EXISTS (SELECT 1 FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND state = 'active' "
                            "AND query LIKE 'ALTER TABLE%%DETACH PARTITION ' || %s || ' %%')", (self.leaf,) * 3)
                attached, gone, detaching = cur.fetchone()
                for name, is_so in (("began", detaching), ("detached", not attached), ("gone", gone)):
                    if is_so:
                        self.times.setdefault(name, time.monotonic())
                time.sleep(0.001)
        conn.close()


def prune(s, days):
    return subprocess.run([BUILD / "prune/nabat-prune", "--days", str(days)], env={**s.service.env, "DATABASE_URL": s.url},
                          capture_output=True, text=True, check=True).stdout


def quiet_day(s, row):
    """A day of a million rows, nobody else at work: WAL of its end, and of DELETE of the same rows (of a tenth of them)."""
    s.sql("UPDATE error_group SET last_seen = now()")  # they live on
    s.sql("VACUUM")
    s.sql("ALTER SYSTEM SET autovacuum = off")
    s.sql("SELECT pg_reload_conf()")
    leaf = s.one("SELECT 'event_' || to_char((now() AT TIME ZONE 'UTC')::date - 41, 'YYYYMMDD')")
    s.sql("CHECKPOINT")
    before = s.wal()
    s.sql(f"DELETE FROM {leaf} WHERE id <= (SELECT min(id) + (max(id) - min(id)) / 10 FROM {leaf})")
    deleted = (s.wal() - before) * 10
    s.stop()
    s.sql("CHECKPOINT")
    before = s.wal()
    prune(s, 40)
    pruned = s.wal() - before
    s.sql("ALTER SYSTEM RESET autovacuum")
    s.sql("SELECT pg_reload_conf()")
    s.start()
    row("prune", "WAL of the end of a day of 1 M events / of DELETE, MB", f"{pruned / 1e6:.2f} MB", f"{deleted / 1e6:.0f} MB",
        pruned / deleted, "<= 0.01")


def bench_prune(args, row, raw):
    s, tg = filled(1_000_000, 100_000, days=1, newest=41)
    try:
        quiet_day(s, row)
        s.stop()
        fill.fill(s, int(args.day_millions * 1e6), 100_000, days=1, newest=40)
        s.start()
        day = s.one("SELECT to_char((now() AT TIME ZONE 'UTC')::date - 40, 'YYYYMMDD')")
        size = sum(float(s.one(f"SELECT pg_total_relation_size('{t}_{day}')")) for t in ("event", "error_stack")) / 1e9
        ingest(s, 1)
        calm = s.load("native2", 1000, 16, 20, 500)
        load, watch = {}, Watch(s, "event_" + day)

        def keep_loading():
            try:
                load.update(s.load("native2", 1000, 16, 45, 500))
            except SystemExit as e:
                load["failed"] = str(e)
        thread = threading.Thread(target=keep_loading)
        thread.start()
        time.sleep(3)
        watch.start()
        began = time.monotonic()
        out = prune(s, 30)
        whole = time.monotonic() - began
        watch.over = True
        watch.join()
        if not thread.is_alive():
            raise SystemExit("bench: the load ended before the pruning")
        thread.join()
        if "failed" in load:
            raise SystemExit(load["failed"])
        raw["prune"] = {"says": out, "gb": size, "times": watch.times, "load": load, "calm": calm, "seconds": whole}
        print(out, f"{'':8} the whole run: {whole:.1f} s", sep="", flush=True)
        t = watch.times
        detaching = t["detached"] - t["began"]
        row("prune", f"a day of {args.day_millions:g} M events: detached after, s", f"{detaching:.2f} s", "", detaching, "<= 1")
        # files are unlinked when nobody sees the table any more: the whole run is what bounds it, counting rows included
        row("prune", "gone: the whole run, s per GB", f"{whole:.2f} s", f"{size:.1f} GB", whole / size, "<= 0.5")
        row("prune", "longest POST to 200 at 500/s meanwhile, ms", f"{load['most_ms']:.0f} ms", f"{calm['most_ms']:.0f} ms calm",
            load["most_ms"], "<= 100")
    finally:
        s.close()
        tg.close()
