"""telegram.py -- a stand-in for the Bot API, as strict as Telegram: what Telegram would refuse, it refuses.

One bot, any number of chats, kept in memory. Error texts are those of tdlib/telegram-bot-api.
Runs as a thread inside a test (`Standin()`) or as a program for hands-on work:

    python3 tests/standin/telegram.py [PORT]

A test steers it by methods: push_message, press, fail_next, drop_answer_next, cut_next, kick, ...
"""
import email.parser
import email.policy
import html
import json
import math
import os
import re
import struct
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# how many times as long as usual everything may take: under valgrind
PATIENCE = float(os.environ.get("NABAT_PATIENCE", "1"))
TOKEN = "123456789:AAStandinStandinStandinStandinStand"
BOT_ID = 123456789
BOT_NAME = "NabatTestBot"
TEXT_BYTES_MAX = 32768
TEXT_CHARS_MAX = 4096
CAPTION_CHARS_MAX = 1024
POLL_SECONDS_MAX = 50
REACTIONS = set("👍👎❤🔥🥰👏😁🤔🤯😱🤬😢🎉🤩🤮💩🙏👌🕊🤡🥱🥴😍🐳🌚🌭💯🤣⚡🍌🏆💔🤨😐🍓🍾💋🖕😈😴😭🤓👻👀🎃🙈😇😨🤝✍🤗🫡"
                "🎅🎄☃💅🤪🗿🆒💘🙉🦄😘💊🙊😎👾🤷😡")
KNOWN_TAGS = {"b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "a", "code", "pre",
              "blockquote", "tg-spoiler", "span", "tg-emoji", "tg-time"}


class ApiError(Exception):
    """An answer with ok=false."""

    def __init__(self, code, description, **parameters):
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters


def parse_html(text):
    """Visible text and entities of Telegram's HTML; raises ApiError as the server does."""
    out, entities, stack = [], [], []
    i, offset = 0, 0  # offset: bytes of the visible text so far, as the server counts
    raw = text

    def fail(why):
        raise ApiError(400, "Bad Request: can't parse entities: " + why)

    def at(index):
        return len(raw[:index].encode("utf-8"))

    while i < len(raw):
        c = raw[i]
        if c == "&":
            m = re.match(r"&(#x?[0-9a-fA-F]{1,8}|lt|gt|amp|quot);?", raw[i:])
            if m:
                name = m.group(1)
                out.append(html.unescape("&" + name + ";"))
                i += m.end()
                continue
        if c != "<":
            out.append(c)
            i += 1
            continue
        start = i
        end = raw.find(">", i)
        if raw[i + 1:i + 2] == "/":
            if end < 0:
                fail(f"Unclosed end tag at byte offset {at(start)}")
            name = raw[i + 2:end].strip().lower()
            if not stack:
                fail(f"Unexpected end tag at byte offset {at(start)}")
            tag, opened = stack.pop()
            if name and name != tag:
                fail(f'Unmatched end tag at byte offset {at(start)}, expected "</{tag}>", '
                     f'found "</{name}>"')
            if len(out) > opened:
                entities.append(tag)
            i = end + 1
            continue
        m = re.match(r"<([a-zA-Z-]*)", raw[i:])
        tag = m.group(1).lower()
        if tag not in KNOWN_TAGS:
            fail(f'Unsupported start tag "{tag}" at byte offset {at(start)}')
        if end < 0:
            fail(f"Unclosed start tag at byte offset {at(start)}")
        open_tags = [t for t, _ in stack]
        if tag == "blockquote" and "blockquote" in open_tags:
            fail(f"Nested blockquote at byte offset {at(start)}")
        if ("pre" in open_tags or "code" in open_tags) and tag not in ("code",):
            fail(f"Entity inside pre or code at byte offset {at(start)}")
        stack.append((tag, len(out)))
        i = end + 1
    if stack:
        fail(f'Can\'t find end tag corresponding to start tag "{stack[-1][0]}"')
    return "".join(out), entities


MESSAGE_METHODS = ("sendMessage", "sendDocument", "sendPhoto", "editMessageText", "editMessageReplyMarkup")


class Standin:
    """The server and everything it knows."""

    def __init__(self, port=0, strict=True):
        self.strict = strict
        self.lock = threading.Condition()
        self.calls = []          # (method, params, time) of everything that was asked
        self.chats = {}          # id -> {"type", "members": {id: status}, "gone", "moved", "topics"}
        self.messages = {}       # (chat, id) -> message
        self.next_message = {}   # chat -> id
        self.answers = {}        # callback id -> text
        self.updates = []        # (id, update)
        self.next_update = 500000
        self.faults = []         # [{"method", "times", ...}]
        self.webhook = ""
        self.webhook_secret = ""
        self.webhook_info = {}   # last_error_date and the like, as getWebhookInfo says them
        self.allowed = None      # allowed_updates: sticky
        self.delivering = set()  # queues (per chat or per person) with an update on its way
        self.reactions = {}      # (chat, message) -> emoji of the bot
        self.topic_names = {}    # (chat, thread) -> name
        self.poller = 0          # serial of the newest getUpdates: older ones get 409
        self.commands = {}
        self.menus = {}          # (scope, chat, language) -> names of commands
        self.files = {}
        self.names = {}          # user id -> name that administrators are listed by
        self.others = {}         # token of another bot -> its getWebhookInfo; None: revoked
        self.others_asked = []   # what was asked of them
        self.revoked = False     # True: the token is not valid any more
        self.mute = False        # True: every call hangs until it is False again
        self.limits = False      # True: Telegram's limits hold, and 429s are handed out
        self.earned = []         # (method, chat, what) of the 429s that a client earned by itself
        self.moments = {}        # chat -> when its messages came, for the limits
        standin = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # an answer is two writes, and the second must not wait for the first's ACK

            def log_message(self, *args):
                pass

            def do_POST(self):
                standin.handle(self)

            do_GET = do_POST

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05},
                         daemon=True).start()

    def close(self):
        self.mute = False
        with self.lock:
            self.poller += 1
            self.lock.notify_all()
        self.server.shutdown()
        self.server.server_close()

    # ------------------------------------------------------------------ what tests steer it by

    def add_chat(self, chat_id, members=None, kind=None, topics=(), forum=False, username=None):
        kind = kind or ("private" if chat_id > 0 else "supergroup")
        with self.lock:
            self.chats[chat_id] = {"type": kind, "members": dict(members or {}), "gone": None,
                                   "moved": None, "topics": dict.fromkeys(topics, "open"),
                                   "forum": forum or bool(topics), "username": username,
                                   "refuses": None, "no_topics": None}

    def push_message(self, chat_id, user_id, text, name="ann", language="en", reply_to=None,
                     update_id=None, username=True, thread=None, **more):
        """`more` goes into the message as it is (entities, sender_chat, forward_origin ...)."""
        with self.lock:
            message_id = self._new_id(chat_id)
            message = {"message_id": message_id, "date": int(time.time()), "chat": self._chat(chat_id),
                       "from": self._user(user_id, name, language, username), "text": text}
            if reply_to:
                original = self.messages.get((chat_id, reply_to), {})
                message["reply_to_message"] = {"message_id": reply_to, "chat": self._chat(chat_id),
                                               "date": 1, "text": original.get("text", "")}
                if original:
                    message["reply_to_message"]["from"] = self._bot()
            if thread:
                message.update(message_thread_id=thread, is_topic_message=True)
            message.update(more)
            self._push({"message": message}, update_id)
            return message_id

    def press(self, chat_id, message_id, data, user_id, name="ann", language="en", update_id=None):
        with self.lock:
            self.next_update += 1
            query_id = f"q{self.next_update}"
            message = {"message_id": message_id, "date": 1, "chat": self._chat(chat_id)}
            shown = self.messages.get((chat_id, message_id))
            if shown:
                message.update({"from": self._bot(), "text": shown.get("text", "")})
                if shown.get("thread"):
                    message.update(message_thread_id=shown["thread"], is_topic_message=True)
            self._push({"callback_query": {
                "id": query_id, "from": self._user(user_id, name, language, True),
                "message": message, "chat_instance": "1", "data": data}}, update_id)
            return query_id

    def react(self, chat_id, message_id, emoji, user_id, name="ann", old=None):
        """A person's reaction; emoji None takes `old` away."""
        def wrap(e):
            return [{"type": "emoji", "emoji": e}] if e else []
        with self.lock:
            self._push({"message_reaction": {
                "chat": self._chat(chat_id), "message_id": message_id, "date": int(time.time()),
                "user": self._user(user_id, name, "en", True), "old_reaction": wrap(old),
                "new_reaction": wrap(emoji)}}, None)

    def bot_membership(self, chat_id, status, user_id, old="member"):
        """The bot was added, kicked, promoted by somebody."""
        with self.lock:
            self._push({"my_chat_member": {
                "chat": self._chat(chat_id), "from": self._user(user_id, "ann", "en", True),
                "date": int(time.time()),
                "old_chat_member": {"status": old, "user": self._bot()},
                "new_chat_member": {"status": status, "user": self._bot()}}}, None)

    def push(self, update):
        """Any update, as it is."""
        with self.lock:
            self._push(update, update.get("update_id"))

    def fail_next(self, method, code=None, description="", times=1, **extra):
        """The next `times` calls of a method are refused, or treated as `extra` says:
        after=True (happened, answer lost), half=True (happened, half of the answer comes),
        cut=True (connection cut), hang=SECONDS,
        parameters={...}."""
        with self.lock:
            self.faults.append({"method": method, "code": code, "description": description,
                                "times": times, **extra})

    def fail_no_more(self):
        with self.lock:
            self.faults.clear()

    def of(self, method, since=0):
        with self.lock:
            return [c for c in self.calls[since:] if c[0] == method]

    def sent(self, chat_id=None):
        """Messages in the chats now, oldest first."""
        with self.lock:
            return [m for (c, _), m in sorted(self.messages.items(), key=lambda kv: kv[1]["n"])
                    if (chat_id is None or c == chat_id)]

    def said(self, chat_id, text):
        """Those of them with a text in them."""
        return [m for m in self.sent(chat_id) if text in m["text"]]

    def wait(self, predicate, seconds=10.0, what="condition"):
        """Waits until predicate() is true; returns its value."""
        end = time.monotonic() + seconds * PATIENCE
        while True:
            value = predicate()
            if value:
                return value
            if time.monotonic() > end:
                raise AssertionError(f"waited {seconds} s for {what}")
            time.sleep(0.02)

    # ---------------------------------------------------------------------------------- inside

    def _user(self, user_id, name, language, username):
        user = {"id": user_id, "is_bot": False, "first_name": name.capitalize(),
                "language_code": language}
        if username:
            user["username"] = name
        return user

    def _bot(self):
        return {"id": BOT_ID, "is_bot": True, "first_name": "Nabat", "username": BOT_NAME}

    def _chat(self, chat_id):
        known = self.chats.get(chat_id, {})
        kind = known.get("type", "private" if chat_id > 0 else "supergroup")
        chat = {"id": chat_id, "type": kind, "title": f"chat {chat_id}"}
        if known.get("forum"):
            chat["is_forum"] = True
        if known.get("username"):
            chat["username"] = known["username"]
        return chat

    def _new_id(self, chat_id):
        self.next_message[chat_id] = self.next_message.get(chat_id, 100) + 1
        return self.next_message[chat_id]

    def _push(self, update, update_id):
        if update_id is None:
            self.next_update += 1
            update_id = self.next_update
        update["update_id"] = update_id
        kind = next((k for k in update if k != "update_id"), "")
        if self.allowed is not None and kind not in self.allowed:
            return
        self.updates.append((update_id, update))
        self.lock.notify_all()
        self._deliver_next()

    @staticmethod
    def _queue(update):
        """Callback queries wait for those of the same person, everything else for its chat."""
        if "callback_query" in update:
            return "user", update["callback_query"]["from"]["id"]
        body = next((v for k, v in update.items() if isinstance(v, dict)), {})
        return "chat", body.get("chat", {}).get("id")

    def _deliver_next(self):
        """Webhook: the oldest update of each queue that has none on its way."""
        if not self.webhook:
            return
        for _, update in self.updates:
            queue = self._queue(update)
            if queue not in self.delivering:
                self.delivering.add(queue)
                threading.Thread(target=self._deliver, args=(update, queue), daemon=True).start()

    def _deliver(self, update, queue):
        """POST with the secret, again after 0, 2, 4 ... s (at most 5 here) until a 2xx."""
        delay = 0
        while True:
            with self.lock:
                url, secret = self.webhook, self.webhook_secret
            if not url:
                break
            request = urllib.request.Request(
                url, json.dumps(update).encode(),
                {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": secret})
            why = "Connection refused"
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    if 200 <= answer.status < 300:
                        with self.lock:
                            self.updates = [u for u in self.updates
                                            if u[0] != update["update_id"]]
                        break
            except urllib.error.HTTPError as e:
                why = f"Wrong response from the webhook: {e.code} {e.reason}"
            except OSError:
                pass
            with self.lock:
                self.webhook_info.update(last_error_date=int(time.time()), last_error_message=why)
            time.sleep(delay)
            delay = min(5, max(1, delay * 2))
        with self.lock:
            self.delivering.discard(queue)
            self._deliver_next()

    def handle(self, http):
        length = int(http.headers.get("Content-Length") or 0)
        body = http.rfile.read(length)
        path = urllib.parse.urlsplit(http.path)
        params = dict(urllib.parse.parse_qsl(path.query))
        kind = (http.headers.get("Content-Type") or "").split(";")[0]
        m = re.match(r"/bot([^/]+)/([A-Za-z]+)$", path.path)
        try:
            if not m:
                raise ApiError(404, "Not Found")
            params.update(self._params(kind, http.headers.get("Content-Type"), body))
            if m.group(1) in self.others:
                self._write(http, 200, {"ok": True, "result": self._other(m.group(1), m.group(2))})
                return
            if m.group(1) != TOKEN or self.revoked:
                raise ApiError(401, "Unauthorized")
            result = self._call(http, m.group(2), params)
        except ApiError as e:
            answer = {"ok": False, "error_code": e.code, "description": e.description}
            if e.parameters:
                answer["parameters"] = e.parameters
            self._write(http, e.code, answer)
            return
        except ConnectionAbortedError:
            http.close_connection = True
            http.connection.close()
            return
        self._write(http, 200, {"ok": True, "result": result})

    def _write(self, http, code, answer):
        body = json.dumps(answer).encode()
        try:
            http.send_response(code)
            http.send_header("Content-Type", "application/json")
            http.send_header("Content-Length", str(len(body)))
            if "retry_after" in answer.get("parameters", {}):
                http.send_header("Retry-After", str(answer["parameters"]["retry_after"]))
            http.end_headers()
            http.wfile.write(body)
        except OSError:
            http.close_connection = True

    def _params(self, kind, content_type, body):
        if kind == "application/json":
            return json.loads(body) if body else {}
        if kind == "application/x-www-form-urlencoded":
            return dict(urllib.parse.parse_qsl(body.decode()))
        if kind != "multipart/form-data":
            return {}
        raw = b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body
        message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(raw)
        params = {}
        for part in message.iter_parts():
            name = part.get_param("name", header="content-disposition")
            data = part.get_payload(decode=True)
            if part.get_filename():
                params[name] = {"file_name": part.get_filename(), "data": data}
            else:
                params[name] = data.decode()
        if isinstance(params.get("reply_parameters"), str):
            params["reply_parameters"] = json.loads(params["reply_parameters"])
        return params

    def _call(self, http, method, params):
        function = getattr(self, "do_" + method.lower(), None)
        if not function:
            raise ApiError(404, "Not Found: method not found")
        with self.lock:
            self.calls.append((method, params, time.monotonic()))
            fault = next((f for f in self.faults
                          if f["method"] == method and f["times"] > 0), None)
            if fault:
                fault["times"] -= 1
        with self.lock:
            while self.mute:
                self.lock.wait(0.2)
        if self.limits and method in MESSAGE_METHODS:
            self._limit(method, int(params.get("chat_id") or 0))
        if fault:
            if fault.get("hang"):
                time.sleep(fault["hang"])
            if fault.get("cut"):
                raise ConnectionAbortedError
            if fault["code"]:
                raise ApiError(fault["code"], fault["description"],
                               **fault.get("parameters", {}))
        result = function(http, params)
        if fault and fault.get("half"):
            http.send_response(200)
            http.send_header("Content-Length", "400")
            http.end_headers()
            http.wfile.write(b'{"ok": true, "resu')
            http.wfile.flush()
            raise ConnectionAbortedError
        if fault and fault.get("after"):
            raise ConnectionAbortedError
        return result

    def _other(self, token, method):
        self.others_asked.append(method)
        info = self.others[token]
        if info is None:
            raise ApiError(401, "Unauthorized")
        if method == "getMe":
            return {"id": int(token.split(":")[0]), "is_bot": True, "username": "shop_bot"}
        assert method == "getWebhookInfo", method
        return {"url": "", "has_custom_certificate": False, "pending_update_count": 0, **info}

    def _limit(self, method, chat_id):
        """Bot FAQ: a message a second a chat (short bursts pass: three here), 20 a minute a group,
        30 a second a bot; edits are messages."""
        now = time.monotonic()
        with self.lock:
            mine = self.moments.setdefault(chat_id, [])
            everybody = [t for ts in self.moments.values() for t in ts[-40:]]
            rules = [(3, 1.0, mine), (30, 1.0, everybody)]
            if chat_id < 0:
                rules.append((20, 60.0, mine))
            for most, seconds, moments in rules:
                young = sorted(t for t in moments if now - t < seconds)
                if len(young) >= most:
                    wait = max(1, math.ceil(seconds - (now - young[-most])))
                    self.earned.append((method, chat_id, f"over {most} in {seconds:g} s"))
                    raise ApiError(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
            mine.append(now)

    def _target(self, params):
        try:
            chat_id = int(params.get("chat_id", ""))
        except (TypeError, ValueError):
            raise ApiError(400, "Bad Request: chat_id is empty") from None
        chat = self.chats.get(chat_id)
        if not chat:
            raise ApiError(400, "Bad Request: chat not found")
        if chat["moved"]:
            raise ApiError(400, "Bad Request: group chat was upgraded to a supergroup chat",
                           migrate_to_chat_id=chat["moved"])
        if chat["gone"]:
            raise ApiError(403, "Forbidden: " + chat["gone"])
        if chat["refuses"]:
            raise ApiError(400, "Bad Request: " + chat["refuses"])
        thread = int(params.get("message_thread_id") or 0)
        if thread and chat["forum"]:
            state = chat["topics"].get(thread)
            if thread == 1 or state is None:
                raise ApiError(400, "Bad Request: message thread not found")
            if state == "closed":
                raise ApiError(400, "Bad Request: TOPIC_CLOSED")
        return chat_id, thread

    def _text(self, params, key="text", limit=TEXT_CHARS_MAX, edit=False):
        text = params.get(key) or ""
        if len(text.encode("utf-8", "surrogatepass")) > TEXT_BYTES_MAX:
            raise ApiError(400, "Bad Request: text is too long")
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise ApiError(400, "Bad Request: text must be encoded in UTF-8") from None
        entities = []
        if params.get("parse_mode") == "HTML":
            text, entities = parse_html(text)
        elif params.get("parse_mode"):
            raise ApiError(400, "Bad Request: unsupported parse_mode")
        if key == "text" and not text:
            raise ApiError(400, "Bad Request: message text is empty")
        if key == "text" and not text.strip():
            raise ApiError(400, "Bad Request: text must be non-empty")
        if len(text) > limit:
            raise ApiError(400, "Bad Request: MESSAGE_TOO_LONG" if edit else
                           "Bad Request: message is too long" if key == "text" else
                           "Bad Request: message caption is too long")
        return text, entities

    def _keyboard(self, params):
        markup = params.get("reply_markup")
        if isinstance(markup, str):
            markup = json.loads(markup)
        if not markup:
            return None
        if markup.get("force_reply"):
            return None
        rows = markup.get("inline_keyboard", [])
        if sum(map(len, rows)) > 100 or any(len(r) > 8 for r in rows):
            raise ApiError(400, "Bad Request: reply markup is too long")
        for button in (b for row in rows for b in row):
            if not button.get("text"):
                raise ApiError(400, "Bad Request: can't parse inline keyboard button: "
                                    "Field \"text\" must be of type String")
            data = button.get("callback_data")
            if data is not None and not 1 <= len(data.encode()) <= 64:
                raise ApiError(400, "Bad Request: BUTTON_DATA_INVALID")
            url = button.get("url")
            if url is not None and not re.match(r"(https?|tg)://[^\s]+$", url):
                raise ApiError(400, "Bad Request: BUTTON_URL_INVALID")
            if data is None and url is None:
                raise ApiError(400, "Bad Request: can't parse inline keyboard button: Text "
                                    "buttons are unallowed in the inline keyboard")
        return rows

    def _store(self, chat_id, thread, message):
        message_id = self._new_id(chat_id)
        message.update(message_id=message_id, n=time.monotonic(), thread=thread, chat_id=chat_id)
        self.messages[(chat_id, message_id)] = message
        self.lock.notify_all()
        answer = {"message_id": message_id, "date": int(time.time()), "chat": self._chat(chat_id),
                  "text": message.get("text", "")}
        if thread:
            answer.update(message_thread_id=thread, is_topic_message=True)
        return answer

    # --------------------------------------------------------------------------------- methods

    def do_getme(self, http, params):
        return self._bot()

    def do_getwebhookinfo(self, http, params):
        with self.lock:
            return {"url": self.webhook, "has_custom_certificate": False,
                    "pending_update_count": len(self.updates), **self.webhook_info}

    def _allow(self, params):
        if "allowed_updates" in params:
            allowed = params["allowed_updates"]
            self.allowed = json.loads(allowed) if isinstance(allowed, str) else allowed

    def do_setwebhook(self, http, params):
        url = params.get("url", "")
        if not re.match(r"https?://[^/]+", url):
            raise ApiError(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        if not re.fullmatch(r"[A-Za-z0-9_-]{0,256}", params.get("secret_token", "")):
            raise ApiError(400, "Bad Request: secret token contains unallowed characters")
        with self.lock:
            self.webhook, self.webhook_secret = url, params.get("secret_token", "")
            self.webhook_info = {}
            self._allow(params)
            self.poller += 1
            self.lock.notify_all()
            self._deliver_next()
        return True

    def do_deletewebhook(self, http, params):
        with self.lock:
            self.webhook = self.webhook_secret = ""
            self.webhook_info = {}
            if params.get("drop_pending_updates"):
                self.updates = []
        return True

    def do_setmycommands(self, http, params):
        for command in params["commands"]:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]):
                raise ApiError(400, "Bad Request: BOT_COMMAND_INVALID")
            if not 1 <= len(command["description"]) <= 256:
                raise ApiError(400, "Bad Request: command description length must not exceed 256")
        scope = params.get("scope") or {"type": "default"}
        if scope["type"] not in ("default", "all_private_chats", "all_group_chats", "chat",
                                 "all_chat_administrators", "chat_administrators", "chat_member"):
            raise ApiError(400, "Bad Request: can't parse BotCommandScope: unknown scope")
        if scope["type"].startswith("chat") and scope.get("chat_id") not in self.chats:
            raise ApiError(400, "Bad Request: chat not found")
        if scope["type"] == "default":
            self.commands[params.get("language_code", "")] = params["commands"]
        self.menus[(scope["type"], scope.get("chat_id"), params.get("language_code", ""))] = \
            [c["command"] for c in params["commands"]]
        return True

    def do_sendmessage(self, http, params):
        with self.lock:
            chat_id, thread = self._target(params)
            text, entities = self._text(params)
            keyboard = self._keyboard(params)
            return self._store(chat_id, thread, {
                "text": text, "entities": entities, "keyboard": keyboard, "edits": 0,
                "raw": params.get("text"),
                "asks": bool((params.get("reply_markup") or {}).get("force_reply")),
                "reply_to": (params.get("reply_parameters") or {}).get("message_id")})

    def do_editmessagetext(self, http, params):
        with self.lock:
            chat_id, _ = self._target(params)
            message = self.messages.get((chat_id, int(params.get("message_id") or 0)))
            if not message:
                raise ApiError(400, "Bad Request: message to edit not found")
            if "document" in message:
                raise ApiError(400, "Bad Request: there is no text in the message to edit")
            text, entities = self._text(params, edit=True)
            keyboard = self._keyboard(params)
            if text == message["text"] and keyboard == message["keyboard"] and \
                    entities == message["entities"]:
                raise ApiError(400, "Bad Request: message is not modified: specified new message "
                                    "content and reply markup are exactly the same as a current "
                                    "content and reply markup of the message")
            message.update(text=text, entities=entities, keyboard=keyboard,
                           edits=message["edits"] + 1, edited=time.monotonic())
            self.lock.notify_all()
            return {"message_id": message["message_id"], "chat": self._chat(chat_id),
                    "date": 1, "text": text}

    def do_editmessagereplymarkup(self, http, params):
        with self.lock:
            chat_id, _ = self._target(params)
            message = self.messages.get((chat_id, int(params.get("message_id") or 0)))
            if not message:
                raise ApiError(400, "Bad Request: message to edit not found")
            keyboard = self._keyboard(params)
            if keyboard == message.get("keyboard"):
                raise ApiError(400, "Bad Request: message is not modified: specified new message "
                                    "content and reply markup are exactly the same as a current "
                                    "content and reply markup of the message")
            message.update(keyboard=keyboard)
            self.lock.notify_all()
            return {"message_id": message["message_id"], "chat": self._chat(chat_id), "date": 1}

    def do_setmessagereaction(self, http, params):
        with self.lock:
            chat_id, _ = self._target(params)
            emoji = params["reaction"][0]["emoji"]
            if emoji not in REACTIONS:
                raise ApiError(400, "Bad Request: REACTION_INVALID")
            self.reactions[(chat_id, int(params["message_id"]))] = emoji
            self.lock.notify_all()
            return True

    def do_createforumtopic(self, http, params):
        with self.lock:
            chat_id, _ = self._target(params)
            chat = self.chats[chat_id]
            if not chat["forum"]:
                raise ApiError(400, "Bad Request: the chat is not a forum")
            if chat["no_topics"]:
                raise ApiError(400, "Bad Request: not enough rights to create a topic")
            if not 1 <= len(params.get("name", "")) <= 128:
                raise ApiError(400, "Bad Request: TOPIC_TITLE_EMPTY")
            thread = self._new_id(chat_id)
            chat["topics"][thread] = "open"
            self.topic_names[(chat_id, thread)] = params["name"]
            return {"message_thread_id": thread, "name": params["name"], "icon_color": 7322096}

    def do_getchatadministrators(self, http, params):
        with self.lock:
            chat_id, _ = self._target(params)
            return [{"status": status, "user": self._user(user, self.names.get(user, f"u{user}"),
                                                          "en", True)}
                    for user, status in sorted(self.chats[chat_id]["members"].items())
                    if status in ("creator", "administrator")]

    def do_senddocument(self, http, params):
        with self.lock:
            chat_id, thread = self._target(params)
            document = params.get("document")
            if not isinstance(document, dict):
                raise ApiError(400, "Bad Request: there is no document in the request")
            if not document["data"]:
                raise ApiError(400, "Bad Request: file must be non-empty")
            self._text(params, "caption", CAPTION_CHARS_MAX)
            return self._store(chat_id, thread, {"document": document, "text": ""})

    def do_sendphoto(self, http, params):
        with self.lock:
            chat_id, thread = self._target(params)
            photo = params.get("photo")
            if not isinstance(photo, dict) or not photo["data"]:
                raise ApiError(400, "Bad Request: there is no photo in the request")
            if not photo["data"].startswith(b"\x89PNG\r\n\x1a\n"):
                raise ApiError(400, "Bad Request: IMAGE_PROCESS_FAILED")
            width, height = struct.unpack(">II", photo["data"][16:24])
            if width + height > 10000 or len(photo["data"]) > 10 * 2 ** 20:
                raise ApiError(400, "Bad Request: PHOTO_INVALID_DIMENSIONS")
            text, entities = self._text(params, "caption", CAPTION_CHARS_MAX)
            return self._store(chat_id, thread, {
                "photo": photo["data"], "size": (width, height), "text": text, "entities": entities, "keyboard": None, "edits": 0,
                "reply_to": (params.get("reply_parameters") or {}).get("message_id")})

    def do_answercallbackquery(self, http, params):
        with self.lock:
            if len(params.get("text") or "") > 200:
                raise ApiError(400, "Bad Request: MESSAGE_TOO_LONG")
            query_id = params.get("callback_query_id")
            if query_id in self.answers:
                raise ApiError(400, "Bad Request: query is too old and response timeout expired "
                                    "or query ID is invalid")
            self.answers[query_id] = params.get("text") or ""
            self.lock.notify_all()
            return True

    def do_getchat(self, http, params):
        with self.lock:
            chat_id, _ = self._target(params)
            return self._chat(chat_id)

    def do_getchatmember(self, http, params):
        with self.lock:
            chat_id, _ = self._target(params)
            user_id = int(params["user_id"])
            status = self.chats[chat_id]["members"].get(user_id, "left")
            return {"status": status, "user": {"id": user_id}}

    def do_getupdates(self, http, params):
        if self.webhook:
            raise ApiError(409, "Conflict: can't use getUpdates method while webhook is active; "
                                "use deleteWebhook to delete the webhook first")
        with self.lock:
            self._allow(params)
        offset = int(params.get("offset") or 0)
        limit = min(max(int(params.get("limit") or 100), 1), 100)
        end = time.monotonic() + min(int(params.get("timeout") or 0), POLL_SECONDS_MAX)
        with self.lock:
            self.poller += 1
            mine = self.poller
            self.lock.notify_all()
            if offset:
                self.updates = [u for u in self.updates if u[0] >= offset]
            while True:
                if self.poller != mine:
                    raise ApiError(409, "Conflict: terminated by other getUpdates request; make "
                                        "sure that only one bot instance is running")
                if self.updates:
                    return [u for _, u in self.updates[:limit]]
                left = end - time.monotonic()
                if left <= 0:
                    return []
                self.lock.wait(left)


if __name__ == "__main__":
    standin = Standin(int(sys.argv[1]) if len(sys.argv) > 1 else 8081)
    # ids grow over restarts, or a database that saw the last run drops them as repeats
    standin.next_update = int(time.time() * 10)
    standin.next_message[-100] = int(time.time()) % 10**8
    standin.add_chat(-100, {1: "creator"})
    print(f"TELEGRAM_API_URL={standin.url} TELEGRAM_BOT_TOKEN={TOKEN} ERROR_ALERT_CHAT_ID=-100")
    threading.Event().wait()
