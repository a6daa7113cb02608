"""conftest.py -- the service and what runs beside it, for what the clients and examples do to it."""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
for folder in ("tests/integration", "tests/sdk"):
    sys.path.insert(0, str(ROOT / folder))
import importlib.util  # noqa: E402

_spec = importlib.util.spec_from_file_location("integration_conftest", ROOT / "tests/integration/conftest.py")
base = importlib.util.module_from_spec(_spec)
sys.modules["integration_conftest"] = base
_spec.loader.exec_module(base)
for _name in dir(base):
    if not _name.startswith("__") and _name not in globals():
        globals()[_name] = getattr(base, _name)


@pytest.fixture(scope="session")
def shared(cluster):
    """One service for a whole run; dsn and origin say how to reach it."""
    (ROOT / "build-sdk").mkdir(exist_ok=True)
    d = base.Database(cluster)
    s = base.Service(d).ready()
    s.dsn = f"http://{base.KEY}@127.0.0.1:{s.port}/1"
    yield s
    s.close()
    d.drop()


class Program:
    """A running program, ended with its whole process group; what it said is shown when the test fails."""

    def __init__(self, *command, cwd, env):
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen([str(c) for c in command], cwd=cwd, stdout=self.log, stderr=self.log,
                                        stdin=subprocess.DEVNULL, start_new_session=True,
                                        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1",
                                             **{k: str(v) for k, v in env.items()}})

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.terminate()  # only the one: Celery's pool would take it twice
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        if error[0]:
            print(self.said[-4000:])

    @property
    def said(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")
