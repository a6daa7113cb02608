"""celery.py -- errors of Celery tasks: setup() in the module that makes the app.

A task is a scope: its name is the handler, and chat_id, user_id and gen_request_id are taken from its keyword
arguments, where it has such. A retry is a breadcrumb, the failure after the last one an event.
"""
from __future__ import annotations

from typing import Any, Dict

from celery import signals
from celery.exceptions import Ignore, Reject, Retry

from . import context, scrub, tracker
from .enums import Origin, Severity

_IDS = ("chat_id", "user_id", "gen_request_id", "request_id", "session_id")
_ATTRIBUTE = "_nabat_scope"
_severity: str = Severity.CRITICAL


def setup(severity: str = Severity.CRITICAL) -> None:
    """Connects to Celery's signals; a second call only changes the severity."""
    global _severity
    _severity = severity
    for signal, receiver in ((signals.task_prerun, _begin), (signals.task_postrun, _end),
                             (signals.task_failure, _failed), (signals.task_retry, _retried),
                             (signals.worker_process_shutdown, _flush), (signals.worker_shutdown, _flush)):
        signal.connect(receiver, weak=False, dispatch_uid="nabat." + receiver.__name__)


def _fields(task: Any, task_id: Any, args: Any, kwargs: Any) -> Dict[str, Any]:
    request = getattr(task, "request", None)
    delivery = getattr(request, "delivery_info", None) or {}
    fields: Dict[str, Any] = {
        "origin": Origin.CELERY.value, "handler": getattr(task, "name", None),
        "tags": {"queue": delivery.get("routing_key") or "default", "task_id": str(task_id)},
        "payload": {"args": list(args or ()), "kwargs": dict(kwargs or {}),
                    "retries": getattr(request, "retries", None), "max_retries": getattr(task, "max_retries", None)}}
    if isinstance(kwargs, dict):
        fields.update({name: kwargs[name] for name in _IDS if kwargs.get(name) is not None})
    return fields


def _begin(sender: Any = None, task: Any = None, task_id: Any = None, args: Any = None, kwargs: Any = None,
           **_: Any) -> None:
    try:
        opened = context.scope(**_fields(task or sender, task_id, args, kwargs))
        opened.__enter__()
        setattr((task or sender).request, _ATTRIBUTE, opened)
    except Exception:  # noqa: BLE001 -- the task comes first
        tracker.complain()


def _end(sender: Any = None, task: Any = None, **_: Any) -> None:
    opened = getattr(getattr(task or sender, "request", None), _ATTRIBUTE, None)
    if opened is not None:
        opened.__exit__(None, None, None)


def _failed(sender: Any = None, task_id: Any = None, exception: Any = None, args: Any = None, kwargs: Any = None,
            **_: Any) -> None:
    if not isinstance(exception, BaseException) or isinstance(exception, (Ignore, Reject, Retry)):
        return
    if isinstance(exception, tuple(getattr(sender, "throws", ()) or ())):  # the task says that it is to be expected
        return
    given = _fields(sender, task_id, args, kwargs)  # a worker that was lost has had no scope here
    tracker.record({**given, "severity": _severity}, exception)


def _retried(sender: Any = None, reason: Any = None, **_: Any) -> None:
    context.add_breadcrumb(scrub.cut(f"retry: {reason}", 500), "celery", "warning")


def _flush(**_: Any) -> None:
    """A pool's process ends without atexit."""
    tracker.flush()
