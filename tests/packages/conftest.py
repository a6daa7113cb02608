"""conftest.py -- empty Debian 12 folders to install into, and a PostgreSQL that they reach over loopback."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PASSWORD = "only-for-this-run"


def run(*command, **kwargs):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False, **kwargs)
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait(predicate, seconds=30, what="condition"):
    end = time.monotonic() + seconds
    while True:
        value = predicate()
        if value:
            return value
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.1)


def status_of(port, path="/health/ready"):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as e:
        return e.code
    except OSError:
        return None


class Machine:
    """A folder with a Debian in it."""

    def __init__(self, path):
        self.path = path
        self.running = []
        for name in ("resolv.conf", "hosts"):
            if os.path.exists(f"/etc/{name}"):
                shutil.copyfile(f"/etc/{name}", path / "etc" / name)
        (path / "dev/shm").mkdir(parents=True, exist_ok=True)
        run("mount", "-t", "proc", "proc", path / "proc")
        run("mount", "-t", "tmpfs", "tmpfs", path / "dev/shm")

    def command(self, words, env=None, user=None, folder="/"):
        e = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "DEBIAN_FRONTEND": "noninteractive", **(env or {})}
        inside = ["env", "-i", "-C", folder, *(f"{k}={v}" for k, v in e.items()), *words]
        return ["chroot", *([f"--userspec={user}"] if user else []), str(self.path), *(str(w) for w in inside)]

    def run(self, *words, **kwargs):
        return run(*self.command(words, **kwargs))

    def try_run(self, *words, **kwargs):
        return subprocess.run(self.command(words, **kwargs), capture_output=True, text=True, check=False)

    def start(self, *words, **kwargs):
        process = subprocess.Popen(self.command(words, **kwargs), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   stdin=subprocess.DEVNULL, text=True)
        self.running.append(process)
        return process

    def stop(self, process):
        self.running.remove(process)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=20)
        assert process.returncode == 0, err[-2000:]
        return err

    def close(self):
        for process in self.running:
            process.kill()
            process.wait()
        for place in ("proc", "dev/shm"):
            subprocess.run(["umount", str(self.path / place)], check=False)
        shutil.rmtree(self.path, ignore_errors=True)


@pytest.fixture(scope="session")
def bare(tmp_path_factory):
    """An empty Debian 12, made once."""
    assert os.geteuid() == 0, "root is needed for a chroot"
    base = pathlib.Path(tempfile.mkdtemp(prefix="nabat-packages-", dir="/tmp"))
    run("debootstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", base / "bare")
    yield base / "bare"
    shutil.rmtree(base, ignore_errors=True)


@pytest.fixture
def machine(bare):
    made = []

    def make():
        path = pathlib.Path(tempfile.mkdtemp(prefix="machine-", dir=bare.parent))
        path.rmdir()
        run("cp", "-a", bare, path)
        made.append(Machine(path))
        return made[-1]

    yield make
    for m in made:
        m.close()


@pytest.fixture(scope="session")
def server():
    """PostgreSQL on a port of 127.0.0.1: a folder's programs have no socket of ours."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="nabat-pg-", dir="/tmp"))
    os.chmod(folder, 0o755)
    port = free_port()
    lib = ["bash", "-c", '. deploy/lib.sh; "$@"', "sh"]
    env = {**os.environ, "ROOT": str(ROOT)}
    run(*lib, "pg_start", folder, "-c", "listen_addresses=127.0.0.1", "-c", f"port={port}", cwd=ROOT, env=env)
    yield port, folder
    subprocess.run([*lib, "pg_stop", str(folder), "immediate"], cwd=ROOT, env=env, check=False)
    shutil.rmtree(folder, ignore_errors=True)


class Database:
    serial = 0

    def __init__(self, server):
        self.port, self.folder = server
        Database.serial += 1
        self.name = f"p{Database.serial}"
        self.psql("postgres", f"CREATE DATABASE {self.name}")
        self.url = f"postgresql://nabat:{PASSWORD}@127.0.0.1:{self.port}/{self.name}"

    def psql(self, name, sql):
        return run("psql", "-X", "-At", "-h", self.folder, "-p", self.port, "-U", "nabat", "-c", sql, name).strip()

    def sql(self, sql):
        return self.psql(self.name, sql)


@pytest.fixture
def db(server):
    return Database(server)
