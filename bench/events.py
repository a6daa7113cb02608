"""events.py -- what the benches send: native and Sentry events of believable content and known size.

A group is told by a word of letters (numbers would be taken for parameters), everything else varies as it does in
life: users, chats, ids, durations, releases."""
import gzip
import json
import random
import string
import struct

KEY = "0123456789abcdef0123456789abcdef"
ORIGINS = ["aiogram_handler", "telegram_webhook", "celery", "generation", "miniapp"]
HANDLERS = ["start", "generate", "pay", "profile", "settings", "admin_stats", "refund", "queue_tick"]
WORDS = ("timeout provider image model answer message user callback payment refund session queue retry token limit "
         "invalid chat photo caption button webhook update state storage redis worker task upload download").split()


def word(n):
    """A word of letters for a number: bcdf…"""
    letters = string.ascii_lowercase
    out = ""
    for _ in range(6):
        out = letters[n % 26] + out
        n //= 26
    return "q" + out


def sentence(dice, n):
    return " ".join(dice.choice(WORDS) for _ in range(n))


def traceback(group, frames, dice):
    lines = ["Traceback (most recent call last):"]
    for i in range(frames):
        lines.append(f'  File "/srv/bot/app/handlers/{HANDLERS[(group + i) % 8]}.py", line {dice.randrange(20, 400)}, '
                     f"in step_{word(group)}_{i}")
        lines.append(f"    result = await {dice.choice(WORDS)}_{dice.choice(WORDS)}(message, {dice.choice(WORDS)}=None)")
    lines.append(f"ProviderError: the provider refused request {dice.randrange(10 ** 8)}")
    return "\n".join(lines)


def native(group, dice, size=2048, critical=False):
    user = dice.randrange(10 ** 8, 10 ** 9)
    stacks = random.Random(group)  # the stack of a group is the same, but for its numbers
    event = {
        "message": f"{sentence(stacks, 4)} after {dice.randrange(30000)} ms for user {user}",
        "severity": "critical" if critical else "error", "origin": ORIGINS[group % 5], "handler": HANDLERS[group % 8],
        "exception": {"type": "ProviderError", "value": f"refused with {dice.randrange(400, 600)}",
                      "stacktrace": traceback(group, 6, stacks)},
        "chat_id": -(10 ** 12) - dice.randrange(10 ** 6), "user_id": user,
        "gen_request_id": f"gen-{dice.getrandbits(48):012x}", "environment": "production", "release": "bot@1.4.2",
        "server_name": "bot-1", "tags": {"provider": dice.choice(["flux", "kling", "veo"]), "plan": "pro"},
        "payload": {"model": "flux-pro", "seed": dice.getrandbits(32), "prompt": ""},
        "breadcrumbs": [{"category": "http", "message": f"POST /v1/{dice.choice(WORDS)} {dice.choice([200, 201, 502])}"}
                        for _ in range(3)],
    }
    while len(json.dumps(event)) < size:
        event["payload"]["prompt"] += dice.choice(WORDS) + " "
    return json.dumps(event).encode()


def frame(group, i, stacks, dice):
    name = HANDLERS[(group + i) % 8]
    line = stacks.randrange(20, 400)
    return {"filename": f"app/handlers/{name}.py", "abs_path": f"/srv/bot/app/handlers/{name}.py",
            "module": f"app.handlers.{name}", "function": f"step_{word(group)}_{i}", "lineno": line, "in_app": True,
            "pre_context": [f"    {sentence(stacks, 5).replace(' ', '_')} = {line + k}" for k in range(5)],
            "context_line": f"    await message.answer({stacks.choice(WORDS)})",
            "post_context": [f"    return {sentence(stacks, 3).replace(' ', '_')}" for _ in range(5)],
            "vars": {"message": f"<Message(message_id={dice.randrange(10 ** 6)}, chat=Chat(id={dice.randrange(10 ** 9)}))>",
                     stacks.choice(WORDS): dice.choice(WORDS) * 3, "attempt": str(dice.randrange(5))}}


def sentry(group, dice, size):
    stacks = random.Random(group)
    event = {"platform": "python", "level": "error", "timestamp": None, "environment": "production",
             "release": "bot@1.4.2", "server_name": "bot-1", "logger": "bot.payments",
             "exception": {"values": [{"type": "ProviderError", "value": f"refused with {dice.randrange(400, 600)}",
                                       "stacktrace": {"frames": []}}]},
             "breadcrumbs": {"values": []}, "user": {"id": str(dice.randrange(10 ** 9))},
             "tags": {"provider": dice.choice(["flux", "kling", "veo"])}, "extra": {"sys.argv": ["bot.py"]},
             "contexts": {"runtime": {"name": "CPython", "version": "3.12.4"}, "trace": {"trace_id":
                          f"{dice.getrandbits(128):032x}", "span_id": f"{dice.getrandbits(64):016x}"}},
             "sdk": {"name": "sentry.python", "version": "2.75.0"}, "modules": {w: "1.0.0" for w in WORDS[:12]}}
    del event["timestamp"]
    frames = event["exception"]["values"][0]["stacktrace"]["frames"]
    crumbs = event["breadcrumbs"]["values"]
    while len(json.dumps(event)) < size:
        if len(frames) < 40 and len(frames) * 900 < size * 0.8:
            frames.append(frame(group, len(frames), stacks, dice))
        else:
            crumbs.append({"type": "http", "category": "httplib", "data": {
                "url": f"https://api.example/v1/items/{dice.randrange(10 ** 6)}", "method": "GET",
                "status_code": dice.choice([200, 404, 502])}, "timestamp": 1763700000 + dice.random()})
    return json.dumps(event).encode()


def request(path, body, headers=""):
    return (f"POST {path} HTTP/1.1\r\nHost: x\r\nX-Sentry-Auth: Sentry sentry_key={KEY}\r\n"
            f"Authorization: Bearer {KEY}\r\n{headers}Content-Length: {len(body)}\r\n\r\n").encode() + body


def write(path, kind, groups, count, seed=1):
    """A file of `count` requests for bench/load; kind: native2, sentry8, sentry30."""
    dice = random.Random(seed)
    with open(path, "wb") as out:
        for i in range(count):
            if kind == "native2":
                r = request("/api/events", native(i % groups, dice))
            else:
                size = {"sentry8": 8192, "sentry30": 30720}[kind]
                body = gzip.compress(sentry(i % groups, dice, size), 6)
                r = request("/api/1/store/", body, "Content-Encoding: gzip\r\n")
            out.write(struct.pack("<I", len(r)) + r)
