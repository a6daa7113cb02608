"""tracker.py -- init(), and ErrorTracker: what programs call. Nothing here raises into the caller, or waits.

    log() -> once (seen already?) -> events.build (fields, stack; filtered) -> before_send -> sender's queue
"""
from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import uuid
from typing import Any, Dict, Mapping, Optional, Pattern, Union

from . import context, events, once, scrub
from .enums import Origin, Severity
from .once import SentryBeside
from .sender import EXIT_SECONDS, Sender
from .settings import Options, options_from

log = logging.getLogger("nabat")
COMPLAINT_SECONDS = 60.0


class Client:
    def __init__(self, options: Options) -> None:
        self.options = options
        self.keys: Pattern[str] = scrub.key_pattern(options.filter_keys)
        self.sender = Sender(options) if options.dsn else None
        self.beside = SentryBeside(options.dsn) if options.dsn else None

    def record(self, given: Dict[str, Any], exc: Optional[BaseException], record: Any) -> Optional[str]:
        if self.sender is None:
            return None
        if self.beside:
            self.beside.look()
        for thing in (exc, record):
            already = once.recorded(thing) if thing is not None else None
            if already:
                return already
        event_id = (once.id_from_sentry(exc) or once.id_from_sentry(record)
                    or str(given.get("event_id") or "").replace("-", "") or uuid.uuid4().hex)
        try:
            event: Optional[Dict[str, Any]] = events.build(given, exc, self.options, self.keys, event_id)
        except Exception as e:  # noqa: BLE001 -- an odd value costs itself, not the event
            event = events.least(given, exc, self.options, event_id, e)
        if event is not None and self.options.before_send:
            event = self.options.before_send(event)
        if event is None:
            return None
        if not self.sender.put(events.to_bytes(event)):
            return None
        for thing in (exc, record):
            if thing is not None:
                once.remember(thing, event_id)
        return event_id


_lock = threading.RLock()
_client: Optional[Client] = None
_complained_at = 0.0


def init(dsn: Optional[str] = None, **options: Any) -> None:
    """Once, at the start; without it the first event reads NABAT_DSN. `options` are those of settings.Options.

    Raises ValueError for a DSN that can't be read and TypeError for an unknown option: a program should not
    start as if its errors were seen. Without any DSN nothing is recorded, and the log says so once."""
    global _client
    made = Client(options_from(dsn, **options))
    with _lock:
        before, _client = _client, made
    if before and before.sender:
        before.sender.close(EXIT_SECONDS)
    if made.sender is None:
        log.warning("nabat: no DSN given and NABAT_DSN is not set: errors are not recorded")
    elif made.beside:
        made.beside.look()


def is_unset() -> bool:
    """Whether nobody has called init() yet."""
    return _client is None


def client() -> Client:
    found = _client
    if found is not None:  # without the lock: a fork may have caught another thread holding it
        return found
    with _lock:
        if _client is None:
            try:
                init()
            except ValueError as e:
                log.error("nabat: NABAT_DSN: %s; errors are not recorded", e)
                init("")
            except Exception:  # noqa: BLE001 -- whoever asks has an error already
                complain()
                init("")
        assert _client is not None
        return _client


def slow_seconds() -> float:
    """From when on a request is slow; 0: never. Does not raise."""
    try:
        return client().options.slow_seconds
    except Exception:  # noqa: BLE001 -- a request must not fail over this
        complain()
        return 0.0


def flush(timeout: float = EXIT_SECONDS) -> bool:
    """Waits until what was recorded is with the service or on disk; False if time ran out."""
    sender = client().sender
    return sender.flush(timeout) if sender else True


def stats() -> Dict[str, int]:
    """What became of events so far: recorded, sent, spooled, dropped, refused."""
    sender = client().sender
    return dict(sender.counts) if sender else {}


def _after_fork() -> None:
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@atexit.register
def _at_exit() -> None:
    if _client and _client.sender:
        _client.sender.close(EXIT_SECONDS)


def complain() -> None:
    """A bug of ours is said once a minute, and is nobody's exception."""
    global _complained_at
    try:
        if time.monotonic() - _complained_at > COMPLAINT_SECONDS or not _complained_at:
            _complained_at = time.monotonic()
            log.exception("nabat: an event could not be recorded")
    except Exception:  # noqa: BLE001 -- at the end of the stack not even that can be said
        pass


def record(given: Mapping[str, Any], exc: Optional[BaseException] = None, log_record: Any = None) -> Optional[str]:
    """What every way in ends in: `given` over the scope's fields. The event's id, or None."""
    try:
        fields = context.bound_fields()
        for name, value in given.items():
            if value is None:
                continue
            fields[name] = context.merged(fields, name, value)
        crumbs = context.breadcrumbs()
        if crumbs and "breadcrumbs" not in fields:
            fields["breadcrumbs"] = crumbs
        return client().record(fields, exc, log_record)
    except Exception:  # noqa: BLE001 -- the caller has an error already
        complain()
        return None


class ErrorTracker:
    """The names of a Django project's own tracker, so that its calls stay as they are."""

    @classmethod
    def log(cls, origin: Union[Origin, str, None] = None, severity: Union[Severity, str, None] = None,
            handler: Optional[str] = None, chat_id: Optional[int] = None,
            payload: Optional[Mapping[str, Any]] = None, exc: Optional[BaseException] = None,
            *, message: Optional[str] = None, **fields: Any) -> Optional[str]:
        """Records an event and returns its id at once; None if it was not recorded. Never raises.

        `fields` are those of the API (user_id, gen_request_id, tags, fingerprint …); user=, chat=, gen_request= take
        objects with an id; any other name goes to the payload."""
        return record({"origin": origin, "severity": severity, "handler": handler, "chat_id": chat_id,
                       "payload": payload, "message": message, **fields}, exc)

    @classmethod
    async def alog(cls, origin: Union[Origin, str, None] = None, severity: Union[Severity, str, None] = None,
                   handler: Optional[str] = None, chat_id: Optional[int] = None,
                   payload: Optional[Mapping[str, Any]] = None, exc: Optional[BaseException] = None,
                   *, message: Optional[str] = None, **fields: Any) -> Optional[str]:
        """log(), for code that awaits it. Nothing blocks in either."""
        return cls.log(origin, severity, handler, chat_id, payload, exc, message=message, **fields)
