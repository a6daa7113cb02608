"""test_dockerfile.py -- no engine here: what the Dockerfile says is done, word by word, in empty Debian folders.

Only what is used is understood; another instruction, or a form of one that is not, fails."""
import json
import os
import shlex
import shutil
import subprocess

import pytest
from conftest import ROOT, free_port, run, status_of, wait

COMPRESSED_MAX = 80 * 1000 * 1000


def instructions(text):
    """(word, rest) of each, with continued lines joined."""
    joined = ""
    for line in text.splitlines():
        if line.lstrip().startswith("#") or not line.strip():
            continue
        joined += line.rstrip("\\") if line.endswith("\\") else line
        if not line.endswith("\\"):
            word, rest = joined.split(None, 1)
            yield word, rest.strip()
            joined = ""
    assert not joined


def ignored():
    return [line.rstrip("/") for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]


def copy_context(to):
    """What git has, without what .dockerignore names."""
    names = [n for n in ignored() if "*" not in n]
    for name in run("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT).splitlines():
        if name.split("/")[0] in names or name in names or not (ROOT / name).is_file():
            continue
        target = to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)


class Stage:
    def __init__(self, machine):
        self.machine = machine
        self.folder = "/"
        self.user = None
        self.env = {}
        self.command = self.health = None

    def inside(self, path):
        return self.machine.path / os.path.join(self.folder, path).lstrip("/")


def build(make, stop_after=None):
    stages, stage = {}, None
    for word, rest in instructions((ROOT / "Dockerfile").read_text()):
        if word == "FROM":
            if stop_after and stop_after in stages:
                return stages
            words = rest.split()
            assert words[0] == "debian:bookworm-slim", "another base: the folder has to be another one, too"
            stage = Stage(make())
            stages[words[2] if len(words) == 3 else "final"] = stage
        elif word == "RUN":
            stage.machine.run("/bin/sh", "-c", rest, env=stage.env, folder=stage.folder)
        elif word == "WORKDIR":
            stage.folder = rest
            stage.inside(".").mkdir(parents=True, exist_ok=True)
        elif word == "COPY":
            words = rest.split()
            if words[:2] == [".", "."]:
                copy_context(stage.inside("."))
                continue
            source = ROOT / words[0]
            if words[0].startswith("--from="):
                source = stages[words.pop(0)[len("--from="):]].machine.path / words[0].lstrip("/")
            assert len(words) == 2
            run("cp", "-a", f"{source}/." if source.is_dir() else source, stage.inside(words[1]))
        elif word == "ENV":
            stage.env.update(pair.split("=", 1) for pair in shlex.split(rest))
        elif word == "USER":
            stage.user = rest
        elif word == "CMD":
            stage.command = json.loads(rest)
        elif word == "HEALTHCHECK":
            options, command = rest.split("CMD ")
            assert all(o.startswith("--") for o in options.split())
            stage.health = json.loads(command)
        else:
            assert word in ("EXPOSE", "STOPSIGNAL"), word  # VOLUME is refused by Railway
    return stages


@pytest.fixture
def image(machine):
    return build(machine)["final"]


def test_the_image(image, db, tmp_path):
    m = image.machine
    assert image.user == "nabat"
    ids = m.run("sh", "-c", "id -u nabat; id -g nabat").split()
    assert ids == ["10001", "10001"]  # as in deploy/kubernetes
    user = ":".join(ids)
    port = free_port()
    env = {**image.env, "PORT": str(port), "DATABASE_URL": db.url}
    assert m.try_run(*image.health, env=env, user=user).returncode != 0, "healthy without a service"
    assert m.try_run("nabat", "--migrate", env=env, user=user).returncode == 0  # railway.json's preDeployCommand
    process = m.start(*image.command, env=env, user=user, folder=image.folder)
    wait(lambda: process.poll() is not None or status_of(port) == 200, 30, "the service")
    assert m.try_run(*image.health, env=env, user=user).returncode == 0
    assert "dropped 0 days" in m.run("nabat-prune", env=env, user=user, folder=image.folder)
    # with PORT in the environment it listens for others, too
    with open(f"/proc/{process.pid}/net/tcp6", encoding="ascii") as f:
        assert f"{'0' * 32}:{port:04X}" in f.read()
    err = m.stop(process)
    assert "spool" not in err.lower() or "restart loses" not in err
    # nothing of the build is in it
    for name in ("gcc", "cmake", "git", "curl"):
        assert m.try_run("sh", "-c", f"command -v {name}").returncode != 0, name
    assert not (m.path / "src").exists()
    size = int(subprocess.run(f"tar -C '{m.path}' --exclude=./proc --exclude=./dev --exclude=./var/cache/apt --exclude=./usr/share/doc "
                              "--exclude=./usr/share/man --exclude=./usr/share/locale --exclude=./var/lib/apt/lists -c . | gzip -6 | wc -c",
                              shell=True, capture_output=True, check=True).stdout)
    print(f"compressed: {size / 1e6:.1f} MB")
    assert size < COMPRESSED_MAX, f"{size / 1e6:.1f} MB"


def test_the_same_sources_give_the_same_program(machine):
    """Built twice, at other times and in other folders."""
    stage = build(machine, stop_after="build")["build"]
    m = stage.machine
    m.run("sh", "-c", "mkdir /elsewhere && cp -a /src /elsewhere/of-another-length && cd /elsewhere/of-another-length && rm -rf build "
          "&& cmake --preset release && cmake --build build && DESTDIR=/second cmake --install build --prefix /usr --component programs --strip")
    for name in ("nabat", "nabat-prune", "nabat-log", "nabat-chart"):
        first, second = (m.path / place / "usr/bin" / name for place in ("image", "second"))
        assert first.read_bytes() == second.read_bytes(), name
