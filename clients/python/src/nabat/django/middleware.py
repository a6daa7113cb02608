"""middleware.py -- a scope for each request of a Django site: id, route, user; slow requests are warnings.

Sync and async. Put it first. Under NABAT["telegram_paths"] a body is read as an Update: chat and user are known then.
"""
from __future__ import annotations

import json
import re
import time
import uuid
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, Optional

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings

from .. import context, telegram, tracker
from ..enums import Origin, Severity

REQUEST_ID_MAX = 200
_NAMED = re.compile(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)")  # of a re_path
_CONVERTED = re.compile(r"<(?:[^:>]+:)?([^>]+)>")


def route_of(request: Any) -> Optional[str]:
    """/pay/<int:order>/ as /pay/{order}/: the form that FastAPI and the Sentry SDK have too."""
    match = getattr(request, "resolver_match", None)
    route = getattr(match, "route", None)
    if route is not None:
        return "/" + _CONVERTED.sub(r"{\1}", _NAMED.sub(r"{\1}", str(route))).lstrip("/^").rstrip("$")
    return getattr(request, "path", None)


def user_of(request: Any) -> Optional[str]:
    """Only if somebody has asked for the user already: in an async view asking would go to the database."""
    user = getattr(request, "_cached_user", None)
    if user is None:
        user = vars(request).get("user") if request is not None else None
        user = user if isinstance(getattr(user, "pk", None), (int, str)) else None
    return str(user.pk) if user is not None and user.pk is not None else None


class NabatMiddleware:
    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self.get_response = get_response
        self.telegram_paths = frozenset(getattr(settings, "NABAT", {}).get("telegram_paths", ()))
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: Any) -> Any:
        if self.is_async:
            return self._later(request)
        with self._around(request) as end:
            return end(self.get_response(request))

    async def _later(self, request: Any) -> Any:
        with self._around(request) as end:
            return end(await self.get_response(request))

    @contextmanager
    def _around(self, request: Any) -> Iterator[Callable[[Any], Any]]:
        request_id = request.headers.get("X-Request-Id", "")[:REQUEST_ID_MAX] or uuid.uuid4().hex
        is_update = request.path in self.telegram_paths
        start = time.perf_counter()
        with context.scope(origin=(Origin.TELEGRAM_WEBHOOK if is_update else Origin.DJANGO).value,
                           request_id=request_id, payload={"method": request.method, "path": request.path}):
            context.add_breadcrumb(f"{request.method} {request.path}", "http")
            if is_update:
                _bind_update(request)

            def end(response: Any) -> Any:
                response.headers.setdefault("X-Request-Id", request_id)
                _look_at_time(request, time.perf_counter() - start)
                return response
            yield end


def _bind_update(request: Any) -> None:
    try:
        found = telegram.describe(json.loads(request.body))
    except Exception:  # noqa: BLE001 -- the view will say what is wrong with its body
        return
    if found:
        fields: Dict[str, Any] = found.fields()
        context.bind(**fields)
        context.add_breadcrumb(found.action, "telegram")


def _look_at_time(request: Any, seconds: float) -> None:
    limit = tracker.slow_seconds()
    if limit and seconds > limit:
        route = route_of(request)
        tracker.record({"severity": Severity.WARNING, "handler": route, "message": "Slow request",
                        "user_id": user_of(request), "fingerprint": ["slow request", route],
                        "payload": {"duration_ms": round(seconds * 1000, 1)}})
