"""events.py -- from what the caller said to the event that the service takes. Pure, but for reading the clock."""
from __future__ import annotations

import collections
import datetime
import hashlib
import itertools
import json
import linecache
import os
import time
import traceback
from types import FrameType, TracebackType
from typing import Any, Dict, Iterator, List, Optional, Pattern, Set, Tuple

from . import scrub, settings
from .settings import Event, Options

FIELDS = frozenset((
    "event_id", "occurred_at", "origin", "severity", "handler", "message", "chat_id", "user_id",
    "gen_request_id", "request_id", "session_id", "trace_id", "environment", "release", "server_name",
    "tags", "payload", "breadcrumbs", "fingerprint"))
_IDS = {"user": "user_id", "chat": "chat_id", "gen_request": "gen_request_id", "generation": "gen_request_id",
        "request": "request_id"}
_KEPT_AS_THEY_ARE = frozenset(("event_id", "occurred_at", "breadcrumbs", "payload", "tags", "fingerprint"))
STACK_CHARACTERS_MAX = 64 * 1024
FRAMES_MAX = 200
CAUSES_MAX = 20
FRAMES_SAME_MAX = 3
_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


def _id_of(value: Any) -> Any:
    """Of a model or a Telegram object its id; of an id itself."""
    if value is None or isinstance(value, (int, str)):
        return value
    found = getattr(value, "pk", None)
    found = getattr(value, "id", None) if found is None else found
    return found if isinstance(found, (int, str)) else str(value if found is None else found)


def _sorted_out(given: Dict[str, Any]) -> Event:
    """Fields by their names in the API; what is no field becomes payload."""
    event: Event = {}
    payload: Dict[str, Any] = {}
    for name, value in given.items():
        if value is None:
            continue
        if name in _IDS and _IDS[name] not in given and not isinstance(value, dict):
            event[_IDS[name]] = _id_of(value)
        elif name in ("payload", "details"):
            payload.update(value if isinstance(value, dict) else {name: value})
        elif name in FIELDS:
            event[name] = value
        else:
            payload[name] = value
    if payload:
        event["payload"] = payload
    return event


def _behind_us(tb: Optional[TracebackType]) -> Optional[TracebackType]:
    """A middleware of ours caught it first, and explains nothing."""
    first = tb
    while tb is not None and tb.tb_frame.f_code.co_filename.startswith(_PACKAGE):
        tb = tb.tb_next
    return tb or first


def _stack(exc: BaseException) -> str:
    """As Python prints it, causes first. traceback.TracebackException looks at each file's time and parses each line for
    its carets: four times the price, in a caller who has other things to do. Groups of exceptions are left to it."""
    if hasattr(exc, "exceptions"):
        said = traceback.TracebackException(type(exc), exc, _behind_us(exc.__traceback__), limit=-FRAMES_MAX)
        return "".join(said.format())
    parts: List[str] = []
    at: Optional[BaseException] = exc
    seen: Set[int] = set()
    while at is not None and len(seen) < CAUSES_MAX and id(at) not in seen:
        seen.add(id(at))
        parts.append("".join([*_frames(_behind_us(at.__traceback__)), *_last_lines(at)]))
        if at.__cause__ is not None:
            parts.append("\nThe above exception was the direct cause of the following exception:\n\n")
            at = at.__cause__
        elif at.__context__ is not None and not at.__suppress_context__:
            parts.append("\nDuring handling of the above exception, another exception occurred:\n\n")
            at = at.__context__
        else:
            at = None
    return "".join(reversed(parts))


def _last_lines(exc: BaseException) -> List[str]:
    try:
        return traceback.format_exception_only(type(exc), exc)
    except Exception as e:  # noqa: BLE001 -- of an odd exception its name must do
        return [f"{type(exc).__name__}: <it can't be printed: {type(e).__name__}>\n"]


def _frames(tb: Optional[TracebackType]) -> Iterator[str]:
    if tb is None:
        return
    yield "Traceback (most recent call last):\n"
    places = collections.deque((_place(frame, line) for frame, line in traceback.walk_tb(tb)), maxlen=FRAMES_MAX)
    for (file, line, name), same in itertools.groupby(places):
        count = len(list(same))
        source = linecache.getline(file, line).strip()
        yield (f'  File "{file}", line {line}, in {name}\n' + (f"    {source}\n" if source else "")) * min(count, FRAMES_SAME_MAX)
        more = count - FRAMES_SAME_MAX
        if more > 0:
            yield f"  [Previous line repeated {more} more time{'s' if more > 1 else ''}]\n"


def _place(frame: FrameType, line: int) -> Tuple[str, int, str]:
    linecache.lazycache(frame.f_code.co_filename, frame.f_globals)  # of what was imported from an archive
    return frame.f_code.co_filename, line, frame.f_code.co_name


def _exception(exc: BaseException) -> Dict[str, str]:
    try:
        value = str(exc)
    except Exception as e:  # noqa: BLE001 -- a broken __str__ must not cost the event
        value = f"<its str raises {type(e).__name__}>"
    return {"type": type(exc).__name__, "value": scrub.text(scrub.cut(value)),
            "stacktrace": scrub.text(scrub.cut(_stack(exc).rstrip("\n"), STACK_CHARACTERS_MAX))}


def build(given: Dict[str, Any], exc: Optional[BaseException], options: Options, keys: Pattern[str],
          event_id: str) -> Event:
    """The event as it leaves, filtered: `given` are fields of the call over those of the scope."""
    event = _sorted_out(given)
    event.setdefault("origin", options.origin)
    event.setdefault("severity", "error")
    for name in ("release", "environment", "server_name"):
        if name not in event and getattr(options, name):
            event[name] = getattr(options, name)
    for name in event:
        if name not in _KEPT_AS_THEY_ARE:
            event[name] = _plain(name, event[name])
    for name in ("payload", "tags", "breadcrumbs", "fingerprint"):
        if name in event:
            event[name] = scrub.data(event[name], keys)
    if isinstance(exc, BaseException):
        event["exception"] = _exception(exc)
    elif exc is not None and not event.get("message"):
        event["message"] = scrub.text(scrub.cut(str(exc)))
    elif not event.get("message"):
        event["message"] = f"{event.get('handler') or event['origin']} failed"
    event["event_id"] = event_id
    event["occurred_at"] = _moment(event.get("occurred_at"))
    return event


def least(given: Dict[str, Any], exc: Any, options: Options, event_id: str, why: Exception) -> Event:
    """What is left when a value could not be read: that something failed, and where."""
    event: Event = {"event_id": event_id, "occurred_at": _moment(None), "origin": options.origin, "severity": "error",
                    "message": f"{type(exc).__name__}, which could not be read ({type(why).__name__})"}
    for name in ("origin", "severity", "handler", "message"):
        if isinstance(given.get(name), str):
            event[name] = scrub.text(scrub.cut(str(given[name])))
    return event


def _moment(given: Any) -> Any:
    if isinstance(given, datetime.datetime):
        return (given if given.tzinfo else given.astimezone()).isoformat()
    return given if isinstance(given, (str, int, float)) else round(time.time(), 3)


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63:
        return int(value)
    words = str(value)
    filtered = scrub.text(scrub.cut(words))
    if name == "user_id" and filtered != words:  # an address for an id: its users stay apart, their addresses here
        return "user-" + hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()[:12]
    return filtered


def to_bytes(event: Event) -> bytes:
    """One line of JSON under the service's limit: what is too large loses its payload, then its breadcrumbs."""
    line = _dumps(event)
    for name in ("payload", "breadcrumbs", "tags"):
        if len(line) <= settings.EVENT_BYTES_MAX:
            break
        if event.pop(name, None) is not None:
            trimmed = event.setdefault("payload", {})
            trimmed["trimmed"] = trimmed.get("trimmed", []) + [name]
            line = _dumps(event)
    return line


def _dumps(event: Event) -> bytes:
    return json.dumps(event, separators=(",", ":"), default=repr, allow_nan=False).encode("ascii")
