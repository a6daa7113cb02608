"""test_torture.py -- every Nth call fails: of libpq, of libcurl, to a file, to a socket, of the allocator.

One service lives through all of it (tests/torture/fail.c, preloaded). For each N the call fails once while events
come in, ring and wait on disk. Nothing crashes or leaks, and what was answered 200 is there at the end. An allocation
of our own that fails ends the process at once with a word (core/mem.h): then it is started again.
"""
import mmap
import os
import pathlib
import struct
import subprocess
import time

import pytest
from conftest import BUILD, CHAT, KEY, ROOT, TRACEBACK, Service, wait
from test_spool import drained, ids, own, spool_dir  # noqa: F401  (own is a fixture)

KINDS = {"alloc": 1, "pq": 2, "curl": 3, "write": 4, "socket": 5}


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    """(for sanitized builds, for the allocator)"""
    folder = tmp_path_factory.mktemp("torture")
    flags = subprocess.run(["pkg-config", "--cflags", "libpq", "libcurl"], capture_output=True, text=True,
                           check=True).stdout.split()
    out = []
    for name, more in (("fail.so", []), ("alloc.so", ["-DTORTURE_ALLOC"])):
        subprocess.run(["cc", "-std=c11", "-D_GNU_SOURCE", "-O1", "-shared", "-fPIC", *more, *flags, "-o",
                        str(folder / name), str(ROOT / "tests/torture/fail.c"), "-ldl"], check=True)
        out.append(str(folder / name))
    return out


class Torture:
    def __init__(self, path):
        path.write_bytes(bytes(24))
        self.file = open(path, "r+b")
        self.map = mmap.mmap(self.file.fileno(), 24)

    def arm(self, kind, n):
        self.map[:] = struct.pack("=iiqq", 0, 0, n, 0)
        self.map[:4] = struct.pack("=i", KINDS[kind] if kind else 0)

    @property
    def fired(self):
        return struct.unpack("=q", self.map[16:24])[0] > 0


def tortured(database, tg, path, library, **env):
    torture = Torture(path)
    s = Service(database, tg=tg, env={"LD_PRELOAD": library, "TORTURE_CONTROL": str(path),
                                      "ERROR_ALERT_CHAT_ID": "11", "ERROR_ALERT_COOLDOWN": "86400",
                                      "ASAN_OPTIONS": "detect_leaks=1:exitcode=99:verify_asan_link_order=0",
                                      "LSAN_OPTIONS": "use_tls=1", **env})
    return torture, s.ready()


def word(n):
    return "".join(chr(97 + int(c)) for c in str(n))


def flow(s, n, kept, due):
    """A critical event, some others, an envelope; what is answered 200 is noted."""
    critical = f"critical {word(n)}"
    for body, path in (([{"event_id": f"{n:031x}1", "message": critical, "severity": "critical"}], None),
                       ([{"event_id": f"{n:031x}{k}", "message": "a common one", "user_id": f"u{n}",
                          "exception": {"type": "ValueError", "stacktrace": TRACEBACK}} for k in "23"], None)):
        try:
            a = s.post(body, timeout=15)
        except (OSError, ValueError):
            continue
        assert a.status in (200, 503), a.body
        if a.status == 200:
            kept.update(e["event_id"] for e in body)
            if body[0].get("severity"):
                due.add(critical)
        else:
            assert a.headers["Retry-After"]


def check(s, d, tg, kept, due):
    drained(s, 60)
    lost = kept - set(ids(d))
    assert not lost, f"{len(lost)} of {len(kept)} acknowledged events are lost"
    assert d.one("SELECT count(*) FROM event") == d.one("SELECT count(DISTINCT event_id) FROM event")

    def silent():
        text = "\n".join(c[1].get("text", "") for c in tg.of("sendMessage") + tg.of("editMessageText"))
        listed = {r[0] for r in d.sql("SELECT g.title FROM error_group g JOIN alert_outbox o ON o.group_id = g.id "
                                      "JOIN alert_digest d ON d.id = o.digest_id AND d.message_id IS NOT NULL")}
        return {t for t in due if t not in text and t not in listed}
    wait(lambda: not silent(), 90, "every critical error rung")


def go_through(torture, s, kind, most, kept, due, base, started=lambda: None):
    """N = 1, 2, … until the flow makes no such call any more, at most `most`."""
    n = 0
    while n < most:
        n += 1
        torture.arm(kind, n)
        flow(s, base + n, kept, due)
        end = time.monotonic() + 1.0
        while not torture.fired and s.process.poll() is None and time.monotonic() < end:
            time.sleep(0.01)
        fired = torture.fired
        torture.arm(None, 0)
        time.sleep(0.15 if kind == "alloc" and fired else 0)  # an abort takes its time
        if s.process.poll() is not None:
            started()
        if not fired:
            break
    return n


@pytest.mark.parametrize("kind,most", [("pq", 60), ("curl", 40), ("socket", 20)])
def test_every_nth_call(own, tg, library, tmp_path, kind, most):
    cluster, d = own
    torture, s = tortured(d, tg, tmp_path / "control", library[0])
    try:
        kept, due = set(), set()
        n = go_through(torture, s, kind, most, kept, due, 1000)
        assert n > 2 and len(kept) > n
        assert s.process.poll() is None, s.stderr[-3000:]
        check(s, d, tg, kept, due)
    finally:
        torture.arm(None, 0)
        s.close()


def test_every_nth_write_while_the_database_is_away(own, tg, library, tmp_path):
    cluster, d = own
    torture, s = tortured(d, tg, tmp_path / "control", library[0])
    try:
        kept, due = set(), set()
        wait((spool_dir(s) / "mirror.json").exists, 15, "the mirror")
        cluster.stop()
        n = go_through(torture, s, "write", 12, kept, due, 1000)
        assert n > 3 and kept
        torture.arm(None, 0)
        assert s.process.poll() is None, s.stderr[-3000:]
        cluster.start()
        torture.arm("write", 1)  # and of the replay
        time.sleep(0.5)
        torture.arm(None, 0)
        check(s, d, tg, kept, due)
    finally:
        torture.arm(None, 0)
        s.close()


@pytest.mark.long
@pytest.mark.skipif(not (ROOT / "build/bot/nabat").exists(), reason="needs ./run --build: sanitizers bring an allocator")
def test_every_nth_allocation(own, tg, library, tmp_path, monkeypatch):
    """Ours end the process with a word; the libraries' own fail and are borne."""
    import conftest
    cluster, d = own
    monkeypatch.setattr(conftest, "BUILD", ROOT / "build")
    torture, s = tortured(d, tg, tmp_path / "control", library[1])
    ends = []

    def start_again():
        ends.append(s.process.returncode)
        assert s.process.returncode == -6 and "out of memory" in s.stderr[-3000:], s.stderr[-2000:]
        s.err.close(), s.out.close()
        s.start().ready()

    try:
        kept, due = set(), set()
        n = go_through(torture, s, "alloc", 400, kept, due, 1000, start_again)
        assert n > 100
        check(s, d, tg, kept, due)
        print(f"{n} allocations, {len(ends)} ends")
    finally:
        torture.arm(None, 0)
        s.close()
