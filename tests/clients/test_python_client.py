"""test_python_client.py -- the client's own tests, its types and its package; and a minute without the service.

The minute is the promise: nothing is lost within the bounds, and no caller waits.
"""
import os
import subprocess
import sys
import threading
import time

import pytest

from conftest import KEY, ROOT, wait
from test_sdks import sh, venv

CLIENT = ROOT / "clients/python"
LOAD = """
import sys, threading, time
import nabat
nabat.init(sys.argv[1], spool_dir=sys.argv[2])
end = time.monotonic() + float(sys.argv[3])
counts = [0] * 4
def work(n):
    while time.monotonic() < end:
        try:
            {}["total"]
        except KeyError as e:
            nabat.ErrorTracker.log(origin="celery", handler=f"task {n}", exc=e, user_id=counts[n])
        counts[n] += 1
        time.sleep(0.02)
threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
nabat.flush(60)
print(sum(counts), nabat.stats()["dropped"])
"""


def test_unit_tests():
    done = subprocess.run(["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"], cwd=CLIENT,
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and "passed" in done.stdout, done.stdout[-3000:]


def test_types():
    """mypy --strict over the client, as its users' editors see it."""
    python = venv("mypy", "mypy==1.13.0")
    sh(python, "-m", "mypy", "--no-incremental", cwd=CLIENT)


def test_language_is_that_of_python_3_9():
    """The oldest that is promised; no such Python is at hand to run, so what each construct needs is read from the source."""
    python = venv("vermin", "vermin==1.9.2")
    sh(python.parent / "vermin", "--no-tips", "--eval-annotations", "-t=3.9-", CLIENT / "src")


def test_package_is_whole_and_needs_nothing(tmp_path):
    """A wheel, in an environment with nothing else: typed, with its commands, one version everywhere."""
    built = tmp_path / "source"
    sh("cp", "-r", CLIENT, built)
    sh("/usr/bin/python3", "-m", "venv", tmp_path / "venv")
    python = tmp_path / "venv/bin/python"
    sh(python, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path, built)
    (wheel,) = tmp_path.glob("nabat-*.whl")
    sh(python, "-m", "pip", "install", "-q", "--no-index", wheel)
    listed = sh(python, "-m", "pip", "list", "--format=freeze").split()
    assert {line.split("==")[0] for line in listed} <= {"nabat", "pip", "setuptools", "wheel"}
    program = ("import importlib.resources as r, importlib.metadata as m, nabat\n"
               "assert r.files('nabat').joinpath('py.typed').is_file()\n"
               "assert r.files('nabat').joinpath('django/management/commands/prune_bot_errors.py').is_file()\n"
               "assert m.version('nabat') == nabat.__version__ and not m.requires('nabat')\n")
    sh(python, "-c", program, cwd=tmp_path)


def test_a_minute_without_the_service(service, db, tmp_path):
    s = service()
    s.ready()
    seconds = 75
    program = subprocess.Popen([sys.executable, "-c", LOAD, f"http://{KEY}@127.0.0.1:{s.port}/1", tmp_path / "spool",
                                str(seconds)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "PYTHONPATH": str(CLIENT / "src")})
    wait(lambda: db.one("SELECT count(*) FROM bot_error_event") > 100, 20)
    s.kill()
    time.sleep(60)
    assert list((tmp_path / "spool").iterdir()), "nothing waits on disk"
    s.start()
    s.ready()
    said, complaints = program.communicate(timeout=seconds)
    made, dropped = map(int, said.split())
    assert dropped == 0 and made > 1000, said + complaints
    wait(lambda: db.one("SELECT count(*) FROM bot_error_event") >= made, 60, f"{made} events")
    assert db.one("SELECT count(*) FROM bot_error_event") == made
    assert db.one("SELECT count(DISTINCT (handler, user_id)) FROM bot_error_event") == made
