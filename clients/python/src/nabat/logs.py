"""logs.py -- a handler for the standard library's logging: errors become events, what leads to them breadcrumbs."""
from __future__ import annotations

import logging
import threading
from typing import Any, Dict

from . import context, once, scrub, tracker

_SEVERITIES = ((logging.CRITICAL, "critical"), (logging.ERROR, "error"), (logging.WARNING, "warning"),
               (logging.INFO, "info"))
_OWN = ("nabat", "sentry_sdk", "urllib3.connectionpool")  # what sending itself says would go round in a circle
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def _is_own(name: str) -> bool:
    return any(name == own or name.startswith(own + ".") for own in _OWN)


def _severity(level: int) -> str:
    return next((name for least, name in _SEVERITIES if level >= least), "debug")


class NabatHandler(logging.Handler):
    """`level` and above are events, `breadcrumb_level` and above breadcrumbs of what comes after.

    Set the logger's own level low enough: a handler sees only what the logger lets through."""

    def __init__(self, level: int = logging.ERROR, breadcrumb_level: int = logging.INFO) -> None:
        super().__init__(min(level, breadcrumb_level))
        self.event_level = level
        self._inside = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        if _is_own(record.name) or getattr(self._inside, "is_", False):
            return
        self._inside.is_ = True
        try:
            if record.levelno >= self.event_level:
                self._record(record)
            else:
                context.add_breadcrumb(scrub.cut(record.getMessage(), 500), "log", _severity(record.levelno),
                                       {"logger": record.name})
        except Exception:  # noqa: BLE001 -- logging's own way to say that a handler failed
            self.handleError(record)
        finally:
            self._inside.is_ = False

    def _record(self, record: logging.LogRecord) -> None:
        exc = record.exc_info[1] if record.exc_info else None
        if exc is not None and once.recorded(exc):
            return
        payload: Dict[str, Any] = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        payload["logged_at"] = f"{record.pathname}:{record.lineno}"
        if exc is not None:
            payload["logged"] = record.getMessage()
        bound = context.bound_fields()
        tracker.record({"message": record.getMessage() if exc is None else None,
                        "severity": _severity(record.levelno), "payload": payload,
                        "handler": None if bound.get("handler") else record.name,
                        "origin": None if bound.get("origin") else "logging",
                        "tags": {"logger": record.name}}, exc, record)
