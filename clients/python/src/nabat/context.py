"""context.py -- whose request this is: what bind() said goes into every event until the scope ends.

A scope is one unit of work: an update, a task, a request. It lives in a context variable. What is started inside an
open scope, threads of a pool and asyncio tasks alike, belongs to it and may add to it; where none is open, each
thread and task has what it bound itself. Values are the fields of an event (Event in docs/openapi.yaml: user_id, chat_id,
handler, request_id, session_id …); a name that is no field goes to the payload.
"""
from __future__ import annotations

import collections
import contextlib
import time
from contextvars import ContextVar
from typing import Any, Deque, Dict, Iterator, List, Mapping, Optional

from . import settings

Breadcrumb = Dict[str, Any]


class Scope:
    def __init__(self, parent: Optional["Scope"] = None, is_open: bool = True) -> None:
        self.is_open = is_open  # by scope(): shared; else it is copied before it is changed
        self.fields: Dict[str, Any] = dict(parent.fields) if parent else {}
        self.breadcrumbs: Deque[Breadcrumb] = collections.deque(
            parent.breadcrumbs if parent else (), maxlen=settings.BREADCRUMBS_MAX)


def merged(fields: Mapping[str, Any], name: str, value: Any) -> Any:
    """Tags and payloads add up; any other field replaces what was there."""
    before = fields.get(name)
    if name in ("tags", "payload") and isinstance(before, Mapping) and isinstance(value, Mapping):
        return {**before, **value}
    return value


_current: ContextVar[Optional[Scope]] = ContextVar("nabat_scope", default=None)


def _scope() -> Scope:
    found = _current.get()
    if found is None or not found.is_open:
        found = Scope(found, is_open=False)
        _current.set(found)
    return found


@contextlib.contextmanager
def scope(**fields: Any) -> Iterator[None]:
    """Everything recorded inside has these fields; what is bound inside is forgotten at its end."""
    before = _current.get()
    inner = Scope(before)
    for name, value in fields.items():
        inner.fields[name] = merged(inner.fields, name, value)
    _current.set(inner)
    try:
        yield
    finally:
        _current.set(before)  # set, not reset: a generator may be closed in another context


def bind(**fields: Any) -> None:
    """Adds to the scope that is open; None takes a field away."""
    mine = _scope().fields
    for name, value in fields.items():
        if value is None:
            mine.pop(name, None)
        else:
            mine[name] = merged(mine, name, value)


def add_breadcrumb(message: str, category: str = "action", level: str = "info",
                   data: Optional[Dict[str, Any]] = None) -> None:
    """One step on the way to an error; the last 20 go with it."""
    crumb: Breadcrumb = {"timestamp": time.time(), "category": category, "level": level, "message": message}
    if data:
        crumb["data"] = data
    _scope().breadcrumbs.append(crumb)


def bound_fields() -> Dict[str, Any]:
    found = _current.get()
    return dict(found.fields) if found else {}


def breadcrumbs() -> List[Breadcrumb]:
    found = _current.get()
    return list(found.breadcrumbs) if found else []


def continue_breadcrumbs(earlier: Deque[Breadcrumb]) -> None:
    """From here on this scope's steps are those (of a user's last updates), and are added to them."""
    _scope().breadcrumbs = earlier
