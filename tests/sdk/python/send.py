"""send.py -- sentry-python as its documentation starts it; SENTRY_DSN and APP_RELEASE from the environment."""
import os
import sys

import sentry_sdk

sentry_sdk.init(dsn=os.environ["SENTRY_DSN"], release=os.environ["APP_RELEASE"], environment="staging")
old = sentry_sdk.VERSION.startswith("1.")


def pay(amount):
    password = "hunter2"
    return amount / (0 * len(password))


def load():
    try:
        return {}["card"]
    except KeyError as e:
        raise RuntimeError("cannot load the card") from e


step = sys.argv[1]
if step == "unhandled":
    pay(5)
elif step == "message":
    sentry_sdk.capture_message("hello from here")
elif step == "chained":
    try:
        load()
    except RuntimeError as e:
        sentry_sdk.capture_exception(e)
elif step == "scope":
    sentry_sdk.set_user({"id": "42", "email": "ann@example.org"})
    sentry_sdk.set_tag("plan", "pro")
    sentry_sdk.set_tag("chat_id", "-100777")
    sentry_sdk.add_breadcrumb(category="ui", message="step one", level="info")
    try:
        pay(7)
    except ZeroDivisionError as e:
        sentry_sdk.capture_exception(e)
elif step == "attachment":
    with (sentry_sdk.push_scope() if old else sentry_sdk.new_scope()) as scope:
        scope.add_attachment(bytes=b"line one\n\x00two", filename="bot.log")
        sentry_sdk.capture_message("with a file")
elif step == "checkin":
    from sentry_sdk import crons
    with crons.monitor(monitor_slug="python-job", monitor_config={
            "schedule": {"type": "crontab", "value": "*/5 * * * *"}, "timezone": "Europe/Moscow"}):
        pass
sentry_sdk.flush(5)
