"""telegram.py -- whose update it is: chat, user, kind, and what was done, without what was said. Pure.

Takes an Update as the Bot API sends it (a dict). Texts of messages stay where they are: of a command its name goes,
of a pressed button its data, of anything else only what kind of message it was.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Mapping, Optional

_CONTENT = ("photo", "document", "voice", "video", "sticker", "audio", "animation", "location", "contact",
            "successful_payment", "web_app_data", "poll", "text")
_ACTION_MAX = 64


@dataclass
class Described:
    update_type: str
    chat_id: Optional[int]
    user_id: Optional[int]
    action: str

    def fields(self) -> Dict[str, Any]:
        """As fields of a scope."""
        return {"chat_id": self.chat_id, "user_id": self.user_id, "tags": {"update_type": self.update_type}}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def action_of(update_type: str, text: Optional[str], data: Optional[str], content: Optional[str]) -> str:
    """"/pay", "callback_query buy:7", "message photo"."""
    if text and text.startswith("/"):
        return text.split(None, 1)[0][:_ACTION_MAX]
    if data:
        return f"{update_type} {data[:_ACTION_MAX]}"
    return f"{update_type} {content}" if content else update_type


def describe(update: Any) -> Optional[Described]:
    """None for what is no update."""
    update = _mapping(update)
    if not isinstance(update.get("update_id"), int):
        return None
    kind = next((name for name, value in update.items() if name != "update_id" and isinstance(value, Mapping)), None)
    if kind is None:
        return None
    inner = _mapping(update[kind])
    message = inner if "chat" in inner else _mapping(inner.get("message"))
    user = _mapping(inner.get("from") or inner.get("user"))
    text = inner.get("text") if isinstance(inner.get("text"), str) else None
    data = inner.get("data") if isinstance(inner.get("data"), str) else None
    content = next((name for name in _CONTENT if name in inner), None)
    return Described(kind, _mapping(message.get("chat")).get("id"), user.get("id"), action_of(kind, text, data, content))
