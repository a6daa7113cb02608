"""aiogram.py -- errors of an aiogram 3 bot: setup(dispatcher), once, before polling or the webhook starts.

    update --outer--> scope (bot, update type, chat, user, FSM state, the user's last actions)
                        `--> filters --inner--> handler's name --> your handler
                                                                       | raises
      recorded <-------------------------------------------------------'  and raised on, to your own @errors

The outer middleware sees what filters and other middlewares raise, the inner one alone knows the handler.
"""
from __future__ import annotations

import collections
from typing import Any, Awaitable, Callable, Deque, Dict, Optional, Tuple

from aiogram import BaseMiddleware, Dispatcher
from aiogram.dispatcher.event.bases import CancelHandler, SkipHandler
from aiogram.types import CallbackQuery, Message, TelegramObject, Update

from . import context, decorators, settings, telegram, tracker
from .enums import Origin, Severity

Handler = Callable[[TelegramObject, Dict[str, Any]], Awaitable[Any]]
USERS_MAX = 1000


class NabatMiddleware(BaseMiddleware):
    """The outer one: a scope for each update, and a record of what goes wrong in it."""

    def __init__(self, severity: str = Severity.CRITICAL) -> None:
        self.severity = severity
        # the last actions of the last users, so that an error shows the way to it over several updates
        self._actions: "collections.OrderedDict[Tuple[Any, Any], Deque[context.Breadcrumb]]" = collections.OrderedDict()

    async def __call__(self, handler: Handler, event: TelegramObject, data: Dict[str, Any]) -> Any:
        with context.scope(origin=Origin.AIOGRAM_HANDLER.value):
            try:
                self._begin(event, data)
            except Exception:  # noqa: BLE001 -- an update that aiogram itself can't read is for its handlers to judge
                tracker.complain()
            try:
                return await handler(event, data)
            except (SkipHandler, CancelHandler):
                raise
            except Exception as e:
                tracker.record({"severity": self.severity}, e)
                raise

    def _begin(self, event: TelegramObject, data: Dict[str, Any]) -> None:
        fields = _fields(event, data)
        context.bind(**fields)
        who = (fields.get("chat_id"), fields.get("user_id"))
        earlier = self._actions.pop(who, None)
        if earlier is None:
            earlier = collections.deque(maxlen=settings.BREADCRUMBS_MAX)
        context.continue_breadcrumbs(earlier)
        self._actions[who] = earlier
        if len(self._actions) > USERS_MAX:
            self._actions.popitem(last=False)
        context.add_breadcrumb(_action(event), "telegram")


class HandlerMiddleware(BaseMiddleware):
    """The inner one: by now it is known which handler it will be."""

    async def __call__(self, handler: Handler, event: TelegramObject, data: Dict[str, Any]) -> Any:
        found = data.get("handler")
        callback = getattr(found, "callback", None)
        if callback is not None:
            name = decorators.name_of(callback)
            context.bind(handler=name)
            context.add_breadcrumb(name, "handler")
        return await handler(event, data)


def setup(dispatcher: Dispatcher, severity: str = Severity.CRITICAL) -> None:
    """Errors of every handler of this dispatcher and its routers. `severity` is theirs."""
    dispatcher.update.outer_middleware(NabatMiddleware(severity))
    inner = HandlerMiddleware()
    for name, observer in dispatcher.observers.items():
        if name not in ("update", "error"):
            observer.middleware(inner)


def _fields(event: TelegramObject, data: Dict[str, Any]) -> Dict[str, Any]:
    bot, chat, user = data.get("bot"), data.get("event_chat"), data.get("event_from_user")
    tags = {"update_type": _kind(event)} if isinstance(event, Update) else {}
    if bot is not None:
        tags["bot"] = str(bot.id)
    payload: Dict[str, Any] = {"state": data["raw_state"]} if data.get("raw_state") else {}
    if isinstance(event, Update):
        payload["update_id"] = event.update_id
    return {"tags": tags, "payload": payload, "chat_id": chat.id if chat else None, "user_id": user.id if user else None}


def _kind(event: Update) -> str:
    """An update of a kind that this aiogram does not know yet has none."""
    try:
        return str(event.event_type)
    except Exception:  # noqa: BLE001 -- UpdateTypeLookupError, whose place has moved between versions
        return "unknown"


def _action(event: TelegramObject) -> str:
    if not isinstance(event, Update):
        return type(event).__name__
    kind = _kind(event)
    inner = event.event if kind != "unknown" else None
    text: Optional[str] = inner.text if isinstance(inner, Message) else None
    pressed: Optional[str] = inner.data if isinstance(inner, CallbackQuery) else None
    content: Optional[str] = str(inner.content_type) if isinstance(inner, Message) else None
    return telegram.action_of(kind, text, pressed, content)
