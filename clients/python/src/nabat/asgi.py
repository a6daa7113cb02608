"""asgi.py -- errors of FastAPI, Starlette and any other ASGI app: app.add_middleware(NabatMiddleware).

A request is a scope: its id (X-Request-Id, else a new one, said in the answer too), route, method. What a route
raises is recorded and raised on; a request slower than `slow_seconds` is a warning. Under `telegram_paths` a body
is read along as an Update: then chat and user are known, and the origin is telegram_webhook.
"""
from __future__ import annotations

import json
import time
import uuid
from typing import Any, Awaitable, Callable, Collection, Dict, MutableMapping, Optional

from . import context, telegram, tracker
from .enums import Origin, Severity

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]
UPDATE_BYTES_MAX = 1024 * 1024
REQUEST_ID_MAX = 200


class NabatMiddleware:
    def __init__(self, app: App, severity: str = Severity.CRITICAL, slow_seconds: Optional[float] = None,
                 telegram_paths: Collection[str] = (), origin: str = Origin.FASTAPI) -> None:
        self.app = app
        self.severity = severity
        self.slow_seconds = slow_seconds
        self.telegram_paths = frozenset(telegram_paths)
        self.origin = str(origin)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        is_update = scope["path"] in self.telegram_paths
        request_id = _request_id(scope)
        with context.scope(origin=Origin.TELEGRAM_WEBHOOK.value if is_update else self.origin, request_id=request_id,
                           payload={"method": scope.get("method", "WEBSOCKET"), "path": scope["path"]}):
            context.add_breadcrumb(f"{scope.get('method', 'WEBSOCKET')} {scope['path']}", "http")
            start = time.perf_counter()
            try:
                await self.app(scope, _read_along(receive) if is_update else receive, _answering(send, request_id))
            except Exception as e:
                tracker.record({"severity": self.severity, "handler": _route(scope)}, e)
                raise
            self._look_at_time(scope, time.perf_counter() - start)

    def _look_at_time(self, scope: MutableMapping[str, Any], seconds: float) -> None:
        limit = tracker.slow_seconds() if self.slow_seconds is None else self.slow_seconds
        if limit and seconds > limit and scope["type"] == "http":
            tracker.record({"severity": Severity.WARNING, "handler": _route(scope), "message": "Slow request",
                            "fingerprint": ["slow request", _route(scope)],
                            "payload": {"duration_ms": round(seconds * 1000, 1)}})


def _route(scope: MutableMapping[str, Any]) -> str:
    """The route's pattern, once the router has found it; else the path."""
    return str(getattr(scope.get("route"), "path", None) or scope["path"])


def _request_id(scope: MutableMapping[str, Any]) -> str:
    for name, value in scope.get("headers", ()):
        if name == b"x-request-id":
            return bytes(value).decode("latin-1")[:REQUEST_ID_MAX]
    return uuid.uuid4().hex


def _answering(send: Send, request_id: str) -> Send:
    """With the id in the answer, so that a user's report can name it."""
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            if not any(name.lower() == b"x-request-id" for name, _ in headers):
                headers.append((b"x-request-id", request_id.encode("latin-1")))
            message = {**message, "headers": headers}
        await send(message)
    return sending


def _read_along(receive: Receive) -> Receive:
    body = bytearray()

    async def receiving() -> Message:
        message = await receive()
        if message["type"] == "http.request" and len(body) <= UPDATE_BYTES_MAX:
            body.extend(message.get("body", b""))
            if not message.get("more_body"):
                _bind_update(bytes(body))
        return message
    return receiving


def _bind_update(body: bytes) -> None:
    try:
        found = telegram.describe(json.loads(body))
    except ValueError:
        return
    if found:
        fields: Dict[str, Any] = found.fields()
        context.bind(**fields)
        context.add_breadcrumb(found.action, "telegram")
