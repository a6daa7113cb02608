"""harness.py -- what suites outside of tests/integration stand on: its fixtures and machines, and programs that run beside them."""
import importlib.util
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / folder) for folder in ("integration", "sdk")]
# under a name of its own: "conftest" is the suite's that imports this
_spec = importlib.util.spec_from_file_location("integration_conftest", ROOT / "tests/integration/conftest.py")
base = importlib.util.module_from_spec(_spec)
sys.modules["integration_conftest"] = base
_spec.loader.exec_module(base)
globals().update({name: value for name, value in vars(base).items() if not name.startswith("__") and name not in globals()})


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
