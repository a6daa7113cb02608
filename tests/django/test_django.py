"""test_django.py -- a real Django unmanaged model over the view: list, filter, edit, create."""
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))
from conftest import *  # noqa: E402,F401,F403
from conftest import wait  # noqa: E402

import django  # noqa: E402
from django.conf import settings  # noqa: E402


@pytest.fixture
def model(service, db):
    s = service()
    s.post([{"message": f"django {n}", "origin": "django", "user_id": n, "payload": {"n": n},
             "severity": "error"} for n in range(3)] + [{"message": "other", "severity": "info"}])
    if not settings.configured:
        settings.configure(INSTALLED_APPS=[], USE_TZ=True, DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
                           DATABASES={"default": {"ENGINE": "django.db.backends.postgresql"}})
        django.setup()
    from django.db import connections, models
    connections.databases["default"].update(NAME=db.name, HOST=str(db.cluster.folder), USER="nabat",
                                            PASSWORD="", PORT="")
    connections["default"].close()
    connections["default"].settings_dict.update(connections.databases["default"])
    global BotErrorEvent
    if "BotErrorEvent" not in globals():
        class BotErrorEvent(models.Model):  # noqa: F811
            id = models.BigAutoField(primary_key=True)
            event_id = models.CharField(max_length=32, null=True)
            group_id = models.BigIntegerField(null=True)
            project_id = models.IntegerField(null=True)
            origin = models.CharField(max_length=64)
            severity = models.CharField(max_length=10)
            status = models.CharField(max_length=12, default="new")
            handler = models.TextField(null=True)
            message = models.TextField(null=True)
            exception_type = models.TextField(null=True)
            stacktrace = models.TextField(null=True)
            payload = models.JSONField(null=True)
            tags = models.JSONField(null=True)
            user_id = models.TextField(null=True)
            occurred_at = models.DateTimeField(null=True)
            received_at = models.DateTimeField(null=True)

            class Meta:
                managed = False
                db_table = "bot_error_event"
                app_label = "errors"
        globals()["BotErrorEvent"] = BotErrorEvent
    yield globals()["BotErrorEvent"]
    connections["default"].close()


def test_list_and_filter(model):
    assert model.objects.count() == 4
    assert model.objects.filter(origin="django", severity__in=["error", "critical"]).count() == 3
    assert model.objects.filter(status="new", message__icontains="DJANGO").count() == 3
    row = model.objects.order_by("-id").first()
    assert row.message == "other" and row.received_at and row.status == "new"
    assert model.objects.filter(payload__n=1).get().user_id == "1"


def test_edit(model, db):
    row = model.objects.get(user_id="2")
    row.status = "in_progress"
    row.save()
    assert model.objects.get(pk=row.pk).status == "in_progress"
    row = model.objects.get(pk=row.pk)
    row.status = "resolved"
    row.save(update_fields=["status"])
    assert db.one("SELECT status FROM error_group WHERE id = %s", row.group_id) == "resolved"
    assert {r[0] for r in db.sql("SELECT source FROM error_group_history")} == {"psql"}
    assert model.objects.filter(pk=row.pk, status="resolved").update(status="new") == 1
    row.message = "rewritten"
    from django.db import NotSupportedError
    with pytest.raises(NotSupportedError) as e:
        row.save()
    assert "only status" in str(e.value)


def test_create(model):
    row = model.objects.create(origin="Django App", severity="critical", message="made by django",
                               payload={"a": [1, None]}, tags={"b": "c"})
    assert row.pk
    wait(lambda: model.objects.filter(pk=row.pk).exists(), 3, "the row")
    row = model.objects.get(pk=row.pk)
    assert (row.origin, row.status, row.payload, row.tags) == ("django_app", "new", {"a": [1, None]},
                                                               {"b": "c"})
    assert len(row.event_id) == 32 and row.group_id


def test_delete_is_refused(model):
    from django.db import NotSupportedError
    with pytest.raises(NotSupportedError):
        model.objects.filter(severity="info").delete()
