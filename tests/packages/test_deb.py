"""test_deb.py -- the Debian package in an empty Debian: installed, run as its units say, upgraded, removed, purged."""
import configparser
import json
import os
import re
import subprocess
import urllib.request

import pytest
from conftest import ROOT, free_port, run, status_of, wait

BUILD = ROOT / "build"


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """This version, and a later one."""
    run("bash", "-c", ". deploy/lib.sh; build_preset release", cwd=ROOT, env={**os.environ, "ROOT": str(ROOT)})
    run("cmake", "--build", BUILD, "--target", "manuals")
    out = tmp_path_factory.mktemp("packages")
    made = []
    for version in ("0.1.0", "0.1.1"):
        run("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", out / version, "-R", version)
        made += list((out / version).glob("*.deb"))
    assert [p.name for p in made] == ["nabat_0.1.0_amd64.deb", "nabat_0.1.1_amd64.deb"], made
    return made


def unit(machine, name):
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(machine.path / "usr/lib/systemd/system" / name)
    return parser["Service"]


def install(machine, package):
    target = machine.path / "root" / package.name
    target.write_bytes(package.read_bytes())
    machine.run("apt-get", "install", "-y", "-q", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold",
                f"/root/{package.name}")
    target.unlink()


def serve(machine, port, env=None):
    """As the unit says: its command, its environment, an unprivileged user, the credential's copy of the settings."""
    service = unit(machine, "nabat.service")
    run("install", "-o", "65534", "-m", "0400", machine.path / "etc/nabat/nabat.env", machine.path / "run/nabat-env")
    machine.run("install", "-d", "-o", "65534", "-m", "0700", "/var/lib/nabat")
    command = service["ExecStart"].replace("%d/env", "/run/nabat-env").split()
    name, value = service["Environment"].split("=", 1)
    process = machine.start(*command, env={name: value, **(env or {})}, user="65534:65534", folder=service["WorkingDirectory"])
    wait(lambda: process.poll() is not None or status_of(port) == 200, 30, "the service")
    assert process.poll() is None, process.stderr.read()[-2000:]
    return process


def event(machine, port):
    dsn = machine.run("nabat", "--env-file", "/etc/nabat/nabat.env", "--dsn").split()[1]
    key = re.match(r"https?://([0-9a-f]{32})@", dsn).group(1)
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/events", json.dumps({"message": "It works"}).encode(),
                                     {"Authorization": "Bearer " + key})
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.status == 200


def files(machine):
    """Everything outside of apt's and dpkg's own books."""
    skip = re.compile(r"^(var/(cache|lib/(apt|dpkg)|log)|proc|dev|run|tmp|root|etc/(ld\.so\.cache|passwd-?|shadow-?|group-?))(/|$)")
    found = set()
    for folder, folders, names in os.walk(machine.path):
        at = os.path.relpath(folder, machine.path)
        folders[:] = [d for d in folders if not skip.match(os.path.join("" if at == "." else at, d))]
        found |= {os.path.normpath(os.path.join(at, n)) for n in names + folders}
    return {f for f in found if not skip.match(f)}


def test_life_of_the_package(machine, packages, db):
    m = machine()
    port = free_port()
    m.run("apt-get", "update", "-q")
    m.run("apt-get", "install", "-y", "-q", "--no-install-recommends", "systemd")  # the units that ours name
    install(m, packages[0])
    assert (m.path / "etc/nabat/nabat.env").stat().st_mode & 0o777 == 0o600
    assert "0.1.0" in m.run("nabat", "--version")
    r = subprocess.run(["systemd-analyze", "verify", f"--root={m.path}", "--man=no", "nabat.service", "nabat-prune.service",
                        "nabat-prune.timer"], capture_output=True, text=True, check=False)
    assert "nabat" not in r.stderr, r.stderr
    with open(m.path / "etc/nabat/nabat.env", "a", encoding="utf-8") as f:
        f.write(f"\nDATABASE_URL={db.url}\nPORT={port}\n")

    def stored():
        return db.sql("SELECT count(*) FROM bot_error_event")

    process = serve(m, port)
    event(m, port)  # ready is ready to keep: it may be on disk for a moment
    wait(lambda: stored() == "1", 20, "the event")
    assert (m.path / "var/lib/nabat/spool").is_dir()
    m.stop(process)
    prune = unit(m, "nabat-prune.service")["ExecStart"].replace("%d/env", "/run/nabat-env").split()
    assert "dropped 0 days" in m.run(*prune, user="65534:65534")

    install(m, packages[1])
    assert db.url in (m.path / "etc/nabat/nabat.env").read_text(), "an upgrade keeps the settings"
    process = serve(m, port)
    event(m, port)
    wait(lambda: stored() == "2", 20, "the event")
    m.stop(process)

    m.run("apt-get", "remove", "-y", "-q", "nabat")
    assert not (m.path / "usr/bin/nabat").exists() and (m.path / "etc/nabat/nabat.env").exists()
    m.run("apt-get", "purge", "-y", "-q", "nabat")
    assert not [f for f in files(m) if "nabat" in f]
    assert stored() == "2", "the database is not the package's to touch"


def test_man_pages_say_what_help_says(machine, packages):
    m = machine()
    run("dpkg-deb", "-x", packages[0], m.path)
    for program, built in (("nabat", "bot"), ("nabat-prune", "prune"), ("nabat-log", "clients/nabat-log"), ("nabat-chart", "bot")):
        text = run("bash", "-c", f"zcat '{m.path}/usr/share/man/man1/{program}.1.gz' | man --warnings -l -E UTF-8 - | col -b")
        said = run(BUILD / built / program, "--help")
        words = re.findall(r"^  (--[a-z-]+|[A-Z_]{4,}) ", said, re.M)
        assert len(words) > 2
        for word in words:
            assert word in text, (program, word)
        assert {"nabat-log": "NABAT_DSN", "nabat-chart": "--pdf"}.get(program, "nabat.env") in text


def test_completions(tmp_path):
    """Every flag, by completing what a person has typed."""
    flags = set(re.findall(r"^  (--[a-z-]+)", run(BUILD / "bot/nabat", "--help"), re.M))
    ask = f"""source {ROOT}/deploy/completions/nabat.bash; COMP_WORDS=({BUILD}/bot/nabat --); COMP_CWORD=1; _nabat
        printf '%s\\n' "${{COMPREPLY[@]}}"; COMP_WORDS=(nabat --spool d); COMP_CWORD=2; _nabat; echo "${{COMPREPLY[@]}}" """
    out = run("bash", "-c", ask).split()
    assert set(out[:-1]) == flags and out[-1] == "dump"
    # zsh: what it hands to _arguments
    ask = f"""_arguments() {{ print -l -- "$@" }}; _call_program() {{ shift; eval "$@" }}; words=({BUILD}/bot/nabat)
        source {ROOT}/deploy/completions/_nabat"""
    out = run("zsh", "-f", "-c", ask)
    assert {re.match(r"--[a-z-]+", line).group(0) for line in out.splitlines()} == flags, out
