"""scrub.py -- what is personal or secret goes before an event leaves the process.

The service filters again, and more closely (docs/scrubbing.md): this is the first of two nets, so that
a password is not on the wire or in the spool on this machine's disk either. Pure functions.
"""
from __future__ import annotations

import datetime
import math
import re
from typing import Any, Iterable, Pattern

FILTERED = "[Filtered]"
TEXT_MAX = 8 * 1024
DEPTH_MAX = 6
ITEMS_MAX = 100
VALUES_MAX = 2000
CHARACTERS_MAX = 256 * 1024

_SECRET_WORDS = (r"password|passwd|pwd|secret|token|api[_-]?key|authorization|credential|private[_-]?key|passphrase|"
                 r"cookie|csrf|session_?key|card_?number|cvv|cvc|init_?data")
_HINTS = ("passw", "pwd", "secret", "token", "api", "authorization", "credential", "private", "passphrase", "cookie",
          "csrf", "session", "card", "cvv", "cvc", "init", "phone", "vcard", "mail", "passport", "name", "address",
          "order", "birth")
_PERSONAL_WORDS = (r"phone(?:_?number)?|vcard|e_?mail|passport|first_?name|last_?name|full_?name|"
                   r"shipping_?address|order_?info|birth_?date")
_COUNTS = re.compile(r"(?i)(?:max|min|num|total|prompt|completion|input|output|used)_?tokens?$|tokens$|_count$")

_BOT_TOKEN = re.compile(r"(?<![0-9])[0-9]{6,12}:[A-Za-z0-9_-]{30,64}")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,4096}")
_URL_AUTH = re.compile(r"(://[^\s:/@]{1,128}:)[^\s@/]{1,256}@")
_ASSIGNED = re.compile(r"(?i)((?:" + _SECRET_WORDS + "|" + _PERSONAL_WORDS + r")[\w-]{0,32}[\"']?\]?\s{0,3}[=:]\s{0,3})"
                       r"(\"[^\"\n]{0,4096}\"|'[^'\n]{0,4096}'|[^\s,;&)}\]]{1,4096})")
_INIT_DATA = re.compile(r"(tgWebAppData=|\bhash=)[^\s&#]{8,4096}")
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b")
_PHONE = re.compile(r"(?<![\w+])\+[0-9](?:[ ()-]{0,2}[0-9]){8,14}(?![0-9])")
_CARD = re.compile(r"(?<![\w.-])[0-9](?:[ -]?[0-9]){12,18}(?![\w-])")


def key_pattern(more: Iterable[str] = ()) -> Pattern[str]:
    words = [_SECRET_WORDS, _PERSONAL_WORDS] + [re.escape(word) for word in more]
    return re.compile("(?i)" + "|".join(words))


def _is_card(digits: str) -> bool:
    numbers = [int(c) for c in digits if c.isdigit()]
    doubled = sum(sum(divmod(2 * n, 10)) for n in numbers[-2::-2])
    return (doubled + sum(numbers[-1::-2])) % 10 == 0


def text(value: str) -> str:
    """Words that people or programs wrote: only the secret itself goes."""
    value = _BEARER.sub(lambda m: m.group(1) + " " + FILTERED, value)
    if ":" in value or "=" in value:
        value = _BOT_TOKEN.sub(FILTERED, value)
        lowered = value.lower()
        if any(hint in lowered for hint in _HINTS):  # a tenth of the cost of trying every position
            value = _ASSIGNED.sub(lambda m: m.group(1) + FILTERED, value)
        value = _INIT_DATA.sub(lambda m: m.group(1) + FILTERED, value)
    if "@" in value:
        value = _URL_AUTH.sub(lambda m: m.group(1) + FILTERED + "@", value)
        value = _EMAIL.sub(FILTERED, value)
    if "+" in value:
        value = _PHONE.sub(FILTERED, value)
    return _CARD.sub(lambda m: FILTERED if _is_card(m.group()) else m.group(), value)


def cut(value: str, limit: int = TEXT_MAX) -> str:
    """The beginning and the end: of a stack, both matter."""
    if len(value) <= limit:
        return value
    half = limit // 2
    return f"{value[:half]}\n… {len(value) - 2 * half} characters cut …\n{value[-half:]}"


def data(value: Any, keys: Pattern[str]) -> Any:
    """A copy that JSON can say, bounded in depth, width and whole, without what its keys call secret. Never raises."""
    return _Copy(keys).of(value, 0)


class _Copy:
    """One walk; what is left of the whole is shared by all its branches."""

    def __init__(self, keys: Pattern[str]) -> None:
        self.keys = keys
        self.values_left = VALUES_MAX
        self.characters_left = CHARACTERS_MAX

    def of(self, value: Any, depth: int) -> Any:
        self.values_left -= 1
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return int(value) if abs(value) < 1 << 63 else cut(str(value), 200) if value.bit_length() < 4000 else "…"
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else str(value)
        if isinstance(value, str):
            return self.words(str(value), TEXT_MAX)
        if isinstance(value, (datetime.datetime, datetime.date)):
            return value.isoformat()
        if depth == DEPTH_MAX or self.values_left < 1:
            return self.words(_repr(value), 200)
        if isinstance(value, dict):
            return self.mapping(value, depth)
        if isinstance(value, (list, tuple, set, frozenset)):
            items = [self.of(item, depth + 1) for _, item in zip(range(ITEMS_MAX), value)]
            return items + ([f"… {len(value) - ITEMS_MAX} more"] if len(value) > ITEMS_MAX else [])
        return self.words(_repr(value), TEXT_MAX)

    def words(self, value: str, limit: int) -> str:
        value = text(cut(value, max(min(limit, self.characters_left), 100)))
        self.characters_left -= len(value)
        return value

    def mapping(self, value: dict[Any, Any], depth: int) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for _, (name, item) in zip(range(ITEMS_MAX), list(value.items())):
            name = cut(name if isinstance(name, str) else _repr(name), 200)
            secret = self.keys.search(name) and not (_COUNTS.search(name) and isinstance(item, (int, float)))
            out[name] = FILTERED if secret and not _is_empty(item) else self.of(item, depth + 1)
        if len(value) > ITEMS_MAX:
            out["…"] = f"{len(value) - ITEMS_MAX} more"
        return out


def _is_empty(value: Any) -> bool:
    """By type and identity: the == of an array is no bool."""
    return value is None or value is False or (isinstance(value, str) and not value)


def _repr(value: Any) -> str:
    try:
        return repr(value)
    except Exception as e:  # noqa: BLE001 -- a broken __repr__ must not cost the event
        return f"<{type(value).__name__}, whose repr raises {type(e).__name__}>"
