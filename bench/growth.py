"""growth.py -- what a store costs when it is full: ingest, lists, searches, cards and retention at 0 to 30 million events."""
import json
import random
import statistics
import subprocess
import threading
import time

import events
import fill
from stand import BUILD, Stand, spread

ASKED = 60     # of each kind, one after the other
VIEWERS = range(1000, 1050)  # private chats of people who ask: a chat takes one message a second


def percentile(values, q):
    return sorted(values)[min(len(values) - 1, int(len(values) * q))]


class Asker:
    """Sends commands as people do, and times what PostgreSQL does for the answer and when the answer is there."""

    def __init__(self, stand, tg):
        self.stand, self.tg, self.asked = stand, tg, 0

    def ask(self, text):
        """Milliseconds from the update to the bot's message."""
        user = VIEWERS[self.asked % len(VIEWERS)]
        self.asked += 1
        seen = len(self.tg.calls)
        began = time.monotonic()
        self.tg.push_message(user, user, text)
        while not any(c[0] in ("sendMessage", "sendDocument") and c[1].get("chat_id") in (user, str(user))
                      for c in self.tg.calls[seen:]):
            if time.monotonic() - began > 30:
                raise SystemExit(f"bench: no answer to {text}")
            time.sleep(0.0005)
        return (time.monotonic() - began) * 1000


def slow_statements(stand, since):
    """[(milliseconds, text)] that the server logged from byte `since` of its log."""
    found = []
    with open(stand.node.folder / "log", encoding="utf-8", errors="replace") as f:
        f.seek(since)
        for line in f:
            if "duration: " in line and " ms  execute" in line:
                ms, _, text = line.split("duration: ")[1].partition(" ms  execute ")
                found.append((float(ms), text.strip()))
    return found


def questions(groups, dice):
    """What is asked, by kind: a text for each time."""
    words = ("timeout provider image model answer message user callback payment refund session queue retry limit".split())
    steady = lambda: dice.randrange(1, fill.STEADY)  # noqa: E731
    anyone = lambda: dice.randrange(1, groups)  # noqa: E731
    return {
        "/errors": lambda: "/errors",
        "/errors critical": lambda: "/errors critical",
        "/errors mine": lambda: "/errors @anna",
        "/errors WORD, in many": lambda: f"/errors {dice.choice(words)}",
        "/errors WORD, in one": lambda: f"/errors all {__import__('hashlib').md5(str(anyone()).encode()).hexdigest()[:10]}",
        "/errors two words": lambda: f"/errors all {dice.choice(words)} {dice.choice(words)}",
        "/error N, busy": lambda: f"/error {steady()}",
        "/error N, any": lambda: f"/error {anyone()}",
        "/error N events": lambda: f"/error {steady()} events",
    }


def ask_all(stand, tg, groups, count=ASKED):
    """kind -> [milliseconds]."""
    asker, dice, took = Asker(stand, tg), random.Random(3), {}
    for kind, text in questions(groups, dice).items():
        asker.ask(text())  # plans are made, pages read
        took[kind] = []
        for _ in range(count):
            took[kind].append(asker.ask(text()))
            time.sleep(0.02)
    return took
