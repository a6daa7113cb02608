"""test_transcripts.py -- conversations as files: what people do and what they then see, word for word.

transcripts/*.txt are scripts and golden answers in one. A line that begins with "> " is a step; what
follows it is what happened in the chats. Each runs by long polling and by webhook, and reads the same.

    NABAT_GOLDEN=write pytest tests/integration/test_transcripts.py     writes what happens now; read it
                                                                        aloud before you commit it
"""
import difflib
import json
import os
import pathlib
import re
import sys
import time

import pytest
from conftest import CHAT, KEY, ROOT, wait

sys.path.insert(0, str(ROOT / "tests/standin"))
import github  # noqa: E402

FOLDER = pathlib.Path(__file__).parent / "transcripts"
FILES = sorted(FOLDER.glob("*.txt"))
PEOPLE = {"boss": (11, "en"), "ann": (22, "en"), "eve": (33, "en"), "olga": (44, "ru"), "ivan": (55, "ru"),
          "kid": (66, "en")}
CHATS = {"team": CHAT, "forum": -1002000, "foreign": -500, "newgroup": -600}
MOMENT = re.compile(r"\d{1,2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|янв|фев|мар|апр|мая|июн|июл|авг|"
                    r"сен|окт|ноя|дек)( \d{4})?, \d\d:\d\d")


class Conversation:
    """Runs steps, and writes down what everybody sees."""

    def __init__(self, tg, db, start):
        self.tg, self.db, self.start = tg, db, start
        self.service = self.github = None
        self.code = ""  # of the newest event of the application
        self.env = {"ERROR_ALERT_COOLDOWN": "300", "BOT_LANGUAGE": None, "ERROR_ADMIN_IDS": "11",
                    "TIME_ZONE": "Europe/Moscow"}
        self.names = {}     # (chat, message) -> m1, m2 ...
        self.seen = {}      # (chat, message) -> (text, keyboard) as last written down
        self.lines = {}     # the same as lines, for what an edit changed
        self.said = set()   # presses whose answers were written down
        self.reactions = {}
        self.out = []

    # ---------------------------------------------------------------------------------- steps

    def chat_of(self, place, person):
        return PEOPLE[person][0] if place == "private" else CHATS[place]

    def message_of(self, name):
        return next(key for key, value in self.names.items() if value == name)

    def do(self, step):
        m = re.fullmatch(r"set (\w+)=(.*)", step)
        if m:
            self.env[m.group(1)] = m.group(2) or None
            return
        if step == "a repository on github":
            self.github = github.Github()
            self.env.update(GITHUB_ISSUES_TOKEN=github.TOKEN, GITHUB_ISSUES_REPO="team/bot", GITHUB_ISSUES_API_URL=self.github.url,
                            GITHUB_WEBHOOK_SECRET="s")
            return
        if not self.service:
            self.service = self.start(self.env)
        m = re.fullmatch(r"(deploy|form): (.*)", step)
        if m:
            path = {"deploy": "/api/deploys", "form": "/api/reports"}[m.group(1)]
            answer = self.service.request("POST", f"{path}?key={KEY}", m.group(2).replace("{code}", self.code).encode())
            assert answer.status == 200, answer.body
            if m.group(1) == "form":
                self.sent = getattr(self, "sent", 0) + 1
                wait(lambda: self.db.one("SELECT count(*) FROM user_report WHERE shown_at IS NULL") == 0, 20, "the report shown")
                wait(lambda: self.db.one("SELECT count(*) FROM user_feedback WHERE group_id IS NULL") == 0, 20, "its words joined")
                wait(lambda: self.db.one("SELECT count(*) FROM alert_note WHERE queued_at IS NULL") == 0, 20, "its words said")
            return
        m = re.fullmatch(r"(\w+) (closes|reopens) issue (\d+)", step)
        if m:
            headers, body = self.github.webhook(int(m.group(3)), {"closes": "closed", "reopens": "reopened"}[m.group(2)], "s", m.group(1))
            assert self.service.request("POST", "/api/github", body, headers).status == 200
            return
        if step == "what github has":
            wait(lambda: self.db.one("SELECT count(*) FROM issue_link WHERE state <> wanted") == 0, 20, "issues in step")
            for number, issue in self.github.issues.items():
                self.out += [f"  #{number} {issue['title']}: {issue['state']}, {', '.join(issue['labels'])}"]
            return
        m = re.fullmatch(r"app: (.*)", step, re.S)
        if m:
            body = json.loads(m.group(1))
            answer = self.service.post(body)
            assert answer.status == 200, answer
            self.code = answer.json["codes"][0]
            n = len(body) if isinstance(body, list) else 1
            self.sent = getattr(self, "sent", 0) + n
            wait(lambda: self.db.one("SELECT sum(occurrences) FROM error_group") == self.sent, 10, "the event")
            return
        m = re.fullmatch(r"psql: (.*)", step)
        if m:
            for row in self.db.sql(m.group(1)):
                self.out.append("  " + " | ".join(str(c) for c in row))
            return
        m = re.fullmatch(r"topic (\d+) of (\w+) is (closed|deleted)", step)
        if m:
            topics = self.tg.chats[CHATS[m.group(2)]]["topics"]
            number = sorted(topics)[int(m.group(1)) - 1]
            if m.group(3) == "closed":
                topics[number] = "closed"
            else:
                del topics[number]
            return
        m = re.fullmatch(r"(\w+) in (\w+) presses (m\d+) \[([^]]*)\]", step)
        if m:
            person, place, name, button = m.groups()
            chat, message = self.message_of(name)
            assert chat == self.chat_of(place, person)
            shown = self.tg.messages[(chat, message)]
            data = next((b["callback_data"] for row in shown["keyboard"] or [] for b in row
                         if b["text"] == button), None)
            assert data, f"{name} has no button [{button}]: {shown} after {self.out}"
            user, language = PEOPLE[person]
            self.press(chat, message, data, user, person, language)
            return
        m = re.fullmatch(r"(\w+) in (\w+) forges (\S*) on (m\d+)", step)
        if m:
            person, place, data, name = m.groups()
            user, language = PEOPLE[person]
            self.press(self.chat_of(place, person), self.message_of(name)[1], data, user, person, language)
            return
        m = re.fullmatch(r"(\w+) in (\w+) reacts to (m\d+) with (\S+)", step)
        if m:
            person, place, name, emoji = m.groups()
            self.tg.react(self.message_of(name)[0], self.message_of(name)[1], emoji, PEOPLE[person][0], person)
            return
        m = re.fullmatch(r"(\w+) in (\w+)(?: topic (\d+))?(?:, reply to (m\d+))?: (.*)", step, re.S)
        assert m, f"not a step: {step}"
        person, place, topic, reply, text = m.groups()
        user, language = PEOPLE[person]
        chat = self.chat_of(place, person)
        thread = sorted(self.tg.chats[chat]["topics"])[int(topic) - 1] if topic else None
        self.tg.push_message(chat, user, text.replace("\\n", "\n"), person, language, thread=thread,
                             reply_to=self.message_of(reply)[1] if reply else None)

    def press(self, chat, message, data, user, person, language):
        query = self.tg.press(chat, message, data, user, person, language)
        self.tg.wait(lambda: query in self.tg.answers, 5, "the press answered")

    # ----------------------------------------------------------------------------- what is seen

    def settle(self):
        """Until nothing is under way: updates handled, alerts sent, cards edited, nothing new for a moment."""
        busy = ("SELECT (SELECT count(*) FROM telegram_update WHERE handled_at IS NULL) + "
                "(SELECT count(*) FROM alert_due) + (SELECT count(*) FROM alert_outbox WHERE state IN "
                "('pending', 'sending')) + (SELECT count(*) FROM alert_card WHERE edit IN ('change', 'retire') "
                "AND edit_since <= now())")
        end = time.monotonic() + 30
        quiet = 0
        calls = -1
        while quiet < 4 and time.monotonic() < end:
            now = len([c for c in self.tg.calls if c[0] != "getUpdates"])
            updates = [u for u in self.tg.updates] if self.tg.webhook else []
            idle = not updates and self.db.one(busy) == 0 and now == calls
            quiet = quiet + 1 if idle else 0
            calls = now
            time.sleep(0.09)
        assert quiet >= 4, f"never settled after {self.out[-8:]}: {self.service.stderr[-3000:]}"

    def place(self, chat):
        return next((n for n, c in CHATS.items() if c == chat),
                    next((f"{n}, private" for n, (u, _) in PEOPLE.items() if u == chat), str(chat)))

    @staticmethod
    def clean(text):
        text = MOMENT.sub(lambda m: f"21 {m.group(1)}, 12:00", text)
        text = re.sub(r"· [0-9a-f]{8}\b", "· 0123abcd", text)
        text = re.sub(r"(?<!#)\b\d+ (seconds?|minutes?)\b", "7 seconds", text)
        return re.sub(r"Nabat \d+\.\d+\.\d+|«Набат» \d+\.\d+\.\d+", lambda m: m.group(0).split()[0] + " 1.2.3",
                      text)

    def write_message(self, key, message, edited):
        name = self.names.setdefault(key, f"m{len(self.names) + 1}")
        topic = f" topic {sorted(self.tg.chats[key[0]]['topics']).index(message['thread']) + 1}" \
            if message.get("thread") else ""
        what = "is now" if edited else "is new"
        extra = f", reply to {self.names.get((key[0], message['reply_to']), 'it')}" \
            if message.get("reply_to") and not edited else ""
        asks = ", asks for a reply" if message.get("asks") else ""
        self.out.append(f"{name} in {self.place(key[0])}{topic} {what}{extra}{asks}:")
        if "document" in message:
            data = message["document"]["data"].decode()
            self.out.append(f"  file {message['document']['file_name']}")
            self.out += ["  : " + line for line in self.clean(data).splitlines()[:6]
                         if not line.startswith(("Error #", "Received"))]
            return
        lines = self.clean(message["text"]).splitlines()
        if "photo" in message:
            lines.insert(0, f"picture {message['size'][0]}x{message['size'][1]}")
        for row in message["keyboard"] or []:
            lines.append(" ".join(f"[{b['text']}]" + (f"({b['url']})" if "url" in b else "") for b in row))
        if edited:  # of an edit only what it changed
            self.out += ["  " + line for line in difflib.ndiff(self.lines[key], lines) if line[0] in "+-"]
        else:
            self.out += ["  " + line if line else "" for line in lines]
        self.lines[key] = lines

    def write_news(self):
        with self.tg.lock:
            messages = sorted(self.tg.messages.items(), key=lambda kv: kv[1]["n"])
            answers = [(q, text) for q, text in self.tg.answers.items() if q not in self.said]
            reactions = dict(self.tg.reactions)
        for query, text in answers:
            self.said.add(query)
            if text:
                self.out.append(f"({text})")
        for key, message in messages:
            now = (message.get("text"), json.dumps(message.get("keyboard")))
            if self.seen.get(key) != now:
                self.write_message(key, message, key in self.seen)
                self.seen[key] = now
        for key, emoji in reactions.items():
            if self.reactions.get(key) != emoji:
                self.reactions[key] = emoji
                self.out.append(f"(the bot reacts with {emoji})")

    def run(self, script):
        steps = 0
        for line in script.splitlines():
            if line.startswith("# "):
                self.out.append(line)
            elif line.startswith("> "):
                self.out += ["", line] if not line.startswith("> set ") else [line]
                self.do(line[2:])
                if self.service and not line.startswith("> set "):
                    self.settle()
                    self.write_news()
                    steps += 1
        return steps


@pytest.fixture
def talk(service, tg, db):
    for chat, kind in ((CHATS["forum"], True), (CHATS["foreign"], False), (CHATS["newgroup"], False)):
        tg.add_chat(chat, {11: "creator", 22: "member", 33: "member", 44: "member"}, forum=kind)
    tg.add_chat(CHATS["foreign"], {33: "creator", 22: "member"})
    tg.chats[CHAT]["members"].update({44: "member", 55: "member"})
    tg.names.update({u: n for n, (u, _) in PEOPLE.items()})
    for user, _ in PEOPLE.values():
        tg.add_chat(user, {user: "member"})
    return tg, db, service


@pytest.mark.parametrize("mode", ["polling", "webhook"])
@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_conversation(talk, path, mode):
    tg, db, service = talk

    def start(env):
        extra = {"TELEGRAM_WEBHOOK_URL": "http://127.0.0.1:{port}"} if mode == "webhook" else {}
        s = service(tg=tg, env={**env, **extra})
        if mode == "webhook":
            tg.wait(lambda: tg.webhook, 10, "the webhook")
        else:
            tg.wait(lambda: tg.of("getUpdates"), 10, "polling")
        return s

    conversation = Conversation(tg, db, start)
    golden = path.read_text()
    conversation.run(golden)
    if conversation.github:
        conversation.github.close()
    text = "\n".join(conversation.out).strip() + "\n"
    if os.environ.get("NABAT_GOLDEN") == "write" and mode == "polling":
        path.write_text(text)
    assert text == path.read_text()


def test_the_conversation_is_long_enough():
    steps = sum(len([s for s in re.findall(r"^> (.*)$", f.read_text(), re.M) if not s.startswith("set ")])
                for f in FILES)
    assert steps >= 120
