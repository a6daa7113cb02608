"""conftest.py -- the service, for what the clients and examples do to it."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import *  # noqa: E402,F401,F403
from harness import KEY, ROOT, Database, Service  # noqa: E402


@pytest.fixture(scope="session")
def shared(cluster):
    """One service for a whole run; dsn and origin say how to reach it."""
    (ROOT / "build-sdk").mkdir(exist_ok=True)
    d = Database(cluster)
    s = Service(d).ready()
    s.dsn = f"http://{KEY}@127.0.0.1:{s.port}/1"
    yield s
    s.close()
    d.drop()
