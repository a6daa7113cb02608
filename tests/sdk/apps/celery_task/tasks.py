"""tasks.py -- a Celery task that fails. Needs: celery, sentry-sdk; SENTRY_DSN, and BROKER_FOLDER for a broker
that is a folder (any other broker does as well)."""
import os

import sentry_sdk
from celery import Celery

sentry_sdk.init(os.environ["SENTRY_DSN"], release=os.environ.get("RELEASE"))
folder = os.environ.get("BROKER_FOLDER", "/tmp/celery")
app = Celery("tasks", broker="filesystem://", broker_transport_options={
    "data_folder_in": folder, "data_folder_out": folder, "control_folder": folder + "/control"})
app.conf.broker_connection_retry_on_startup = True


@app.task
def render_picture(chat_id: int, user_id: int, gen_request_id: str, width: int) -> float:
    # whose it is: the names that Nabat looks for, see docs/sentry.md
    sentry_sdk.set_tag("chat_id", chat_id)
    sentry_sdk.set_tag("gen_request_id", gen_request_id)
    sentry_sdk.set_user({"id": user_id})
    return 1024 / width
