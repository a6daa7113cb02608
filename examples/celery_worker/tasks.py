"""tasks.py -- a Celery task that fails for good after one retry: nabat.celery.setup() is all it takes.

The broker is a folder, so that the example needs no server; any other broker does as well.
"""
import os
import tempfile

import nabat
import nabat.celery
from celery import Celery

if os.environ.get("SENTRY_DSN"):  # a Sentry SDK may stay beside the client
    import sentry_sdk
    sentry_sdk.init(os.environ["SENTRY_DSN"])
nabat.init(release=os.environ.get("RELEASE"))
nabat.celery.setup()

folder = os.environ.get("BROKER_FOLDER") or os.path.join(tempfile.gettempdir(), "nabat-example-broker")
os.makedirs(folder, exist_ok=True)
app = Celery("tasks", broker="filesystem://", broker_transport_options={
    "data_folder_in": folder, "data_folder_out": folder, "control_folder": folder + "/control"})
app.conf.broker_connection_retry_on_startup = True


@app.task(bind=True, max_retries=1)
def render_picture(self, *, chat_id: int, user_id: int, gen_request_id: str, width: int) -> float:
    if self.request.retries == 0:
        raise self.retry(countdown=0, exc=TimeoutError("the renderer is busy"))
    return 1024 / width
