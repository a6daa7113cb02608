"""apps.py -- starts the client from settings.NABAT, and hears of every exception that becomes a 500."""
from __future__ import annotations

import sys
from typing import Any, Dict

from django.apps import AppConfig
from django.conf import settings
from django.core.signals import got_request_exception

from .. import context, tracker
from ..enums import Origin, Severity

# read by the middleware, the command and the admin; what is left is for nabat.init()
OF_THE_SITE = ("telegram_paths", "database", "prune", "user_url", "gen_request_url")


class NabatConfig(AppConfig):
    name = "nabat.django"
    label = "nabat"
    verbose_name = "Nabat"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        given: Dict[str, Any] = dict(getattr(settings, "NABAT", {}))
        self.severity = str(given.pop("severity", Severity.CRITICAL))
        for name in OF_THE_SITE:
            given.pop(name, None)
        if given or tracker.is_unset():
            tracker.init(given.pop("dsn", None), **given)
        got_request_exception.connect(self._failed, weak=False, dispatch_uid="nabat")

    def _failed(self, sender: Any = None, request: Any = None, **_: Any) -> None:
        exc = sys.exc_info()[1]
        if exc is None:
            return
        from .middleware import route_of, user_of
        bound = context.bound_fields()
        tracker.record({"severity": self.severity, "handler": route_of(request), "user_id": user_of(request),
                        "origin": None if bound.get("origin") else Origin.DJANGO.value}, exc)
