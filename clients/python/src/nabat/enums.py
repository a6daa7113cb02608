"""enums.py -- the words of a BotErrorEvent: where it came from, how bad it is, how far it is worked off.

Members are str and behave like those of Django's TextChoices (value, label, choices, values, labels),
so that code and forms written against a Django model go on as they are. Any other slug is a legal
origin too: the enum lists those that Nabat's own clients use.
"""
from __future__ import annotations

import enum
from typing import List, Tuple


class _ChoicesMeta(enum.EnumMeta):
    @property
    def choices(cls) -> List[Tuple[str, str]]:
        return [(member.value, member.label) for member in cls]  # type: ignore[var-annotated]

    @property
    def values(cls) -> List[str]:
        return [value for value, _ in cls.choices]

    @property
    def labels(cls) -> List[str]:
        return [label for _, label in cls.choices]


class TextChoices(str, enum.Enum, metaclass=_ChoicesMeta):
    def __str__(self) -> str:
        return str(self.value)

    @property
    def label(self) -> str:
        return self.name.replace("_", " ").capitalize()


class Origin(TextChoices):
    TELEGRAM_WEBHOOK = "telegram_webhook"
    AIOGRAM_HANDLER = "aiogram_handler"
    CELERY = "celery"
    GENERATION = "generation"
    MINIAPP = "miniapp"
    DJANGO = "django"
    FASTAPI = "fastapi"
    LOGGING = "logging"
    CRON = "cron"
    BROWSER = "browser"
    OTHER = "other"


class Severity(TextChoices):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class Status(TextChoices):
    NEW = "new"
    IN_PROGRESS = "in_progress"
    RESOLVED = "resolved"


class BotErrorEvent:
    """The names under which a Django model had them: BotErrorEvent.Origin.CELERY, and so on."""

    Origin = Origin
    Severity = Severity
    Status = Status
