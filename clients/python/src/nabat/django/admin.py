"""admin.py -- the section Bot Errors: list, filters, search, status by action or on the page, links on.

NABAT["user_url"] and NABAT["gen_request_url"] are templates with {user_id} and {gen_request_id}: then a row links
to its user and its generation. Events are read only, but for their status; none is added or deleted here.
"""
from __future__ import annotations

from typing import Any, List, Optional
from urllib.parse import quote

from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.html import format_html

from ..enums import Status
from .models import BotErrorEvent, move_groups


def _link(setting: str, name: str, value: Optional[str]) -> Any:
    if not value:
        return "–"
    template = getattr(settings, "NABAT", {}).get(setting)
    if not template:
        return value
    return format_html('<a href="{}">{}</a>', template.replace("{" + name + "}", quote(str(value), safe="")), value)


@admin.register(BotErrorEvent)
class BotErrorEventAdmin(admin.ModelAdmin):
    list_display = ("received_at", "group_id", "severity", "status", "origin", "handler", "headline", "user",
                    "generation")
    list_display_links = ("headline",)
    list_filter = ("status", "severity", "origin", "environment", "received_at")
    search_fields = ("message", "exception_type", "handler", "user_id", "gen_request_id", "request_id")
    list_per_page = 50
    show_full_result_count = False
    actions = ("take", "resolve", "reopen")
    fieldsets = (
        (None, {"fields": ("status", "severity", "headline", "message", "origin", "handler", "user", "chat_id",
                           "generation", "group_id")}),
        ("Where", {"fields": ("environment", "release", "server_name", "request_id", "session_id", "trace_id",
                              "occurred_at", "received_at", "event_id")}),
        ("What happened", {"fields": ("stack", "payload", "tags", "breadcrumbs")}),
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
        return format_html('<pre style="white-space: pre-wrap; max-width: 100ch">{}</pre>', event.stacktrace or "–")

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
