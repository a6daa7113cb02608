"""test_forwarding.py -- a real SDK's errors, once sent straight to a receiver and once through an instance with SENTRY_DSN: what the
receiver makes of them is the same."""
import os
import subprocess

import pytest
from test_sdks import HERE, KEY, PYTHON_SDK, Database, Service, cluster, sh, venv, wait  # noqa: F401

OTHER_KEY = "fedcba9876543210fedcba9876543210"
COLUMNS = ("severity", "origin", "message", "exception_type", "stacktrace", "release", "environment", "user_id", "server_name")


@pytest.fixture
def pair(cluster):  # noqa: F811
    theirs, ours = Database(cluster), Database(cluster)
    receiver = Service(theirs, env={"INGEST_KEY": OTHER_KEY}).ready()
    sender = Service(ours, env={"SENTRY_DSN": f"http://{OTHER_KEY}@127.0.0.1:{receiver.port}/1"}).ready()
    yield theirs, receiver, sender
    for s in (sender, receiver):
        s.close()
    for d in (ours, theirs):
        d.drop()


@pytest.mark.parametrize("step", ["unhandled", "chained", "scope", "message"])
def test_what_a_receiver_sees(pair, step):
    theirs, receiver, sender = pair
    python = venv(f"python-{PYTHON_SDK}", f"sentry-sdk=={PYTHON_SDK}")
    rows = []
    for via, key, service in (("straight", OTHER_KEY, receiver), ("forwarded", KEY, sender)):
        env = {**os.environ, "SENTRY_DSN": f"http://{key}@127.0.0.1:{service.port}/1", "APP_RELEASE": "app@1"}
        if step == "unhandled":
            subprocess.run([python, HERE / "python/send.py", step], env=env, capture_output=True, check=False, timeout=60)
        else:
            sh(python, HERE / "python/send.py", step, env=env)
        wait(lambda n=len(rows) + 1: theirs.one("SELECT count(*) FROM event") == n, 20, via)
        rows.append(theirs.sql(f"SELECT {', '.join(COLUMNS)}, group_id, nullif(tags - 'nabat.forwarded' - 'origin', '{{}}'), breadcrumbs -> 0 ->> 'message', "
                               "(SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys(payload) k) FROM bot_error_event ORDER BY id DESC LIMIT 1")[0])
    straight, forwarded = rows
    assert dict(zip((*COLUMNS, "group", "tags", "breadcrumb", "payload"), forwarded)) == dict(
        zip((*COLUMNS, "group", "tags", "breadcrumb", "payload"), straight))
