"""models.py -- the view bot_error_event as a model: list, filter, create, change status. Django makes no table of it.

`update(status=…)` moves whole groups, as every UPDATE of the view does. move() and move_groups() do the
same once a group, however many events it has, and leave the name of who did it in the group's history.
"""
from __future__ import annotations

from typing import Any, Iterable

from django.db import connections, models, router, transaction

from .. import enums


class BotErrorEventQuerySet(models.QuerySet):
    def move(self, status: str, who: str = "") -> int:
        """Moves the groups of these events; returns how many. `who` is kept in their history."""
        return move_groups(self.values_list("group_id", flat=True), status, who)


class BotErrorEvent(models.Model):
    Origin = enums.Origin
    Severity = enums.Severity
    Status = enums.Status

    id = models.BigAutoField(primary_key=True)
    event_id = models.CharField(max_length=32, null=True, blank=True)
    group_id = models.BigIntegerField(null=True, editable=False)
    project_id = models.IntegerField(null=True, editable=False)
    origin = models.CharField(max_length=64, default=enums.Origin.OTHER.value)
    severity = models.CharField(max_length=10, choices=enums.Severity.choices, default=enums.Severity.ERROR.value)
    status = models.CharField(max_length=12, choices=enums.Status.choices, default=enums.Status.NEW.value)
    handler = models.TextField(null=True, blank=True)
    message = models.TextField(null=True, blank=True)
    exception_type = models.TextField(null=True, blank=True)
    stacktrace = models.TextField(null=True, blank=True)
    payload = models.JSONField(null=True, blank=True)
    tags = models.JSONField(null=True, blank=True)
    breadcrumbs = models.JSONField(null=True, blank=True)
    chat_id = models.BigIntegerField(null=True, blank=True)
    user_id = models.TextField(null=True, blank=True)
    gen_request_id = models.TextField(null=True, blank=True)
    request_id = models.TextField(null=True, blank=True)
    session_id = models.TextField(null=True, blank=True)
    trace_id = models.TextField(null=True, blank=True)
    environment = models.TextField(null=True, blank=True)
    release = models.TextField(null=True, blank=True)
    server_name = models.TextField(null=True, blank=True)
    occurred_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField(null=True, editable=False)

    objects = BotErrorEventQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "bot_error_event"
        ordering = ["-id"]
        verbose_name = "bot error"
        verbose_name_plural = "Bot Errors"

    def __str__(self) -> str:
        return f"#{self.group_id}: {self.title}"

    @property
    def title(self) -> str:
        """As a card has it."""
        return ": ".join(part for part in (self.exception_type, (self.message or "").split("\n")[0]) if part)[:200]


_FUNCTIONS = {"resolved": "resolve", "in_progress": "take", "new": "reopen"}


def move_groups(group_ids: Iterable[Any], status: str, who: str = "") -> int:
    """Each group once, by the service's own functions."""
    if status not in _FUNCTIONS:
        raise ValueError(f'status is "{status}"; it takes {", ".join(_FUNCTIONS)}')
    alias = router.db_for_write(BotErrorEvent)
    ids = sorted({group_id for group_id in group_ids if group_id is not None})
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.execute("SELECT set_config('nabat.actor', %s, true)", [who])
        for group_id in ids:
            if status == "new":
                cursor.execute("SELECT reopen(%s)", [group_id])
            elif status == "resolved":
                cursor.execute("SELECT resolve(%s, NULL)", [group_id])
            else:
                cursor.execute("SELECT take(%s, %s)", [group_id, who or None])
    return len(ids)
