"""admin.py -- the section Bot Errors: list, filters, search, status by action or on the page, links on.

NABAT["user_url"] and NABAT["gen_request_url"] are templates with {user_id} and {gen_request_id}: then a row links
to its user and its generation. Events are read only, but for their status; none is added or deleted here.
"""
from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any, List, Optional
from urllib.parse import quote

from django.conf import settings
from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db import connections, router
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.html import format_html

from ..enums import Status
from .models import BotErrorEvent, move_groups

ROWS_COUNTED_MAX = 10_000


def _link(setting: str, name: str, value: Optional[str]) -> Any:
    if not value:
        return "–"
    template = getattr(settings, "NABAT", {}).get(setting)
    if not template:
        return value
    return format_html('<a href="{}">{}</a>', template.replace("{" + name + "}", quote(str(value), safe="")), value)


def _block(text: Optional[str]) -> Any:
    if not text:
        return "–"
    return format_html('<pre style="white-space: pre-wrap; max-width: 100ch; margin: 0; padding: 0">{}</pre>', text)


def _step(step: dict[str, Any]) -> str:
    """"13:07:02  http  GET /pay/7/"."""
    at = step.get("timestamp")
    try:
        clock = datetime.fromtimestamp(float(at), timezone.utc).strftime("%H:%M:%S") if at is not None else ""
    except (TypeError, ValueError, OverflowError, OSError):
        clock = str(at)
    return "  ".join(str(part) for part in (clock, step.get("category"), step.get("message")) if part)


class BoundedPaginator(Paginator):
    """Counts up to a bound: of ten million events nobody needs the last page, and counting them takes a minute."""

    @cached_property
    def count(self) -> int:
        return int(self.object_list[:ROWS_COUNTED_MAX].count())


class OriginFilter(admin.SimpleListFilter):
    """Origins of errors, which are few, instead of those of all events."""

    title = "origin"
    parameter_name = "origin"

    def lookups(self, request: HttpRequest, model_admin: Any) -> List[Any]:
        with connections[router.db_for_read(BotErrorEvent)].cursor() as cursor:
            cursor.execute("SELECT DISTINCT origin FROM error_group ORDER BY 1 LIMIT 50")
            return [(origin, origin) for origin, in cursor.fetchall()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(origin=self.value()) if self.value() else queryset


@admin.register(BotErrorEvent)
class BotErrorEventAdmin(admin.ModelAdmin):
    list_display = ("headline", "severity", "status", "handler", "received_at", "group_id", "origin", "user", "generation")
    list_display_links = ("headline",)
    list_filter = ("status", "severity", OriginFilter, "received_at")
    search_fields = ("message", "exception_type", "handler", "user_id", "gen_request_id", "request_id")
    list_per_page = 50
    paginator = BoundedPaginator
    show_full_result_count = False
    actions = ("take", "resolve", "reopen")
    fieldsets = (
        (None, {"fields": ("status", "severity", "headline", "message", "origin", "handler", "user", "chat_id",
                           "generation", "group_id")}),
        ("Where", {"fields": ("environment", "release", "server_name", "request_id", "session_id", "trace_id",
                              "occurred_at", "received_at", "event_id")}),
        ("What happened", {"fields": ("stack", "way_there", "what_else", "labels")}),
    )

    @admin.display(description="error", ordering="message")
    def headline(self, event: BotErrorEvent) -> str:
        return event.title or "(nothing said)"

    @admin.display(description="user", ordering="user_id")
    def user(self, event: BotErrorEvent) -> Any:
        return _link("user_url", "user_id", event.user_id)

    @admin.display(description="generation", ordering="gen_request_id")
    def generation(self, event: BotErrorEvent) -> Any:
        return _link("gen_request_url", "gen_request_id", event.gen_request_id)

    @admin.display(description="stack")
    def stack(self, event: BotErrorEvent) -> Any:
        return _block(event.stacktrace)

    @admin.display(description="steps before it")
    def way_there(self, event: BotErrorEvent) -> Any:
        steps = event.breadcrumbs if isinstance(event.breadcrumbs, list) else []
        return _block("\n".join(_step(step) for step in steps if isinstance(step, dict)))

    @admin.display(description="payload")
    def what_else(self, event: BotErrorEvent) -> Any:
        return _block(json.dumps(event.payload, indent=2, ensure_ascii=False) if event.payload else None)

    @admin.display(description="tags")
    def labels(self, event: BotErrorEvent) -> Any:
        return _block("\n".join(f"{name}: {value}" for name, value in (event.tags or {}).items()))

    def get_queryset(self, request: HttpRequest) -> Any:
        found = super().get_queryset(request)
        match = request.resolver_match
        if match is not None and match.url_name.endswith("_changelist"):
            found = found.defer("stacktrace", "payload", "breadcrumbs", "tags")
        return found

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> List[str]:
        shown = [name for _, options in self.fieldsets for name in options["fields"]]
        return [name for name in shown if name != "status"]

    def save_model(self, request: HttpRequest, obj: BotErrorEvent, form: Any, change: bool) -> None:
        move_groups([obj.group_id], obj.status, request.user.get_username())

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def _move(self, request: HttpRequest, queryset: Any, status: Status) -> None:
        count = queryset.move(status.value, request.user.get_username())
        self.message_user(request, f"{count} error{'s are' if count != 1 else ' is'} {status.label.lower()} now.",
                          messages.SUCCESS)

    @admin.action(description="Take", permissions=["change"])
    def take(self, request: HttpRequest, queryset: Any) -> None:
        self._move(request, queryset, Status.IN_PROGRESS)

    @admin.action(description="Resolve", permissions=["change"])
    def resolve(self, request: HttpRequest, queryset: Any) -> None:
        self._move(request, queryset, Status.RESOLVED)

    @admin.action(description="Reopen", permissions=["change"])
    def reopen(self, request: HttpRequest, queryset: Any) -> None:
        self._move(request, queryset, Status.NEW)
