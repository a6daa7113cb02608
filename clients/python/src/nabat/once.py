"""once.py -- an exception is one event, however many see it pass: middleware, logging, the Sentry SDK beside us.

Whoever records an exception (or a log record) first leaves the event's id on it. If the Sentry SDK of the
same process sends to the same project of the same service, it reads and leaves the same marks:

    ours first      the SDK's event is dropped: ours is on its way
    the SDK first   its event gets our scope's fields as tags, and ours takes its event id. The service keeps the
                    first of two events with one id, so it is one row, also when the SDK samples its own away
"""
from __future__ import annotations

import sys
import time
from typing import Any, Dict, Optional, Tuple

from . import context
from .settings import Dsn

MARK = "_nabat_recorded"
MARK_SECONDS = 60.0  # an exception object that a program raises again and again is new after this
_OURS, _SENTRY = "nabat", "sentry"


def _read(thing: Any) -> Optional[Tuple[str, str]]:
    found = getattr(thing, "__dict__", {}).get(MARK)
    if not isinstance(found, tuple) or time.monotonic() - found[2] > MARK_SECONDS:
        return None
    return found[0], found[1]


def _leave(thing: Any, event_id: str, who: str) -> None:
    try:
        vars(thing)[MARK] = (event_id, who, time.monotonic())  # past a __setattr__ that refuses, as frozen dataclasses have
    except TypeError:  # it has no place for it: it may be recorded twice, no worse
        pass


def recorded(thing: Any) -> Optional[str]:
    """The id of the event that we made of it, if we did."""
    found = _read(thing)
    return found[0] if found and found[1] == _OURS else None


def id_from_sentry(thing: Any) -> Optional[str]:
    found = _read(thing)
    return found[0] if found and found[1] == _SENTRY else None


def remember(thing: Any, event_id: str) -> None:
    _leave(thing, event_id, _OURS)


# ------------------------------------------------------------------- the Sentry SDK beside us

class SentryBeside:
    def __init__(self, dsn: Dsn) -> None:
        self.dsn = dsn
        self.installed = False

    def look(self) -> None:
        """Joins in as soon as the program has imported the SDK; costs a look into a dict until then."""
        if self.installed or "sentry_sdk" not in sys.modules:
            return
        self.installed = True
        try:
            from sentry_sdk.scope import add_global_event_processor
        except ImportError:  # older than 1.x or half imported
            return
        add_global_event_processor(self.process)

    def _sends_here(self) -> bool:
        import sentry_sdk
        get = getattr(sentry_sdk, "get_client", None)
        client = get() if get else sentry_sdk.Hub.current.client
        try:
            theirs = Dsn.parse((client.dsn if client else None) or "")
        except ValueError:
            return False
        return theirs.place == self.dsn.place

    def process(self, event: Dict[str, Any], hint: Dict[str, Any]) -> Optional[Dict[str, Any]]:
        """A global event processor of the SDK. Never raises."""
        try:
            if event.get("type") or not self._sends_here():
                return event
            things = [thing for thing in ((hint.get("exc_info") or (None, None))[1], hint.get("log_record")) if thing]
            if any(recorded(thing) for thing in things):
                return None
            for thing in things:
                _leave(thing, event["event_id"], _SENTRY)
            _add_scope(event)
        except Exception:  # noqa: BLE001 -- their event is worth more than our addition
            pass
        return event


def _add_scope(event: Dict[str, Any]) -> None:
    fields = context.bound_fields()
    tags = event.setdefault("tags", {})
    for name in ("origin", "handler", "chat_id", "gen_request_id", "request_id", "session_id"):
        if fields.get(name) is not None and isinstance(tags, dict):
            tags.setdefault(name, str(fields[name]))
    if fields.get("user_id") is not None:
        event.setdefault("user", {}).setdefault("id", str(fields["user_id"]))
