"""test_sender.py -- nothing is lost within the bounds, and nothing waits: away, slow, refusing, forked, ended."""
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

import pytest

import nabat
from nabat import settings
from nabat.spool import Spool

from conftest import KEY

SOURCE = pathlib.Path(__file__).resolve().parents[1] / "src"


def log(n, **more):
    return nabat.ErrorTracker.log(message=f"event {n}", **more)


def numbers(events):
    return sorted(int(e["message"].split()[1]) for e in events if e["message"].startswith("event "))


def test_events_go_in_batches_with_the_key(service, client):
    client()
    for n in range(250):
        assert log(n)
    assert nabat.flush(5)
    assert numbers(service.wait(250)) == list(range(250))
    path, headers, _ = service.requests[0]
    assert path == "/api/events" and headers["Authorization"] == "Bearer " + KEY
    assert len(service.requests) < 100 and max(len(batch) for _, _, batch in service.requests) <= 100
    assert nabat.stats() == {"recorded": 250, "sent": 250, "spooled": 0, "dropped": 0, "refused": 0}


def test_away_and_back(service, client, tmp_path):
    client()
    log(0)
    service.wait(1)
    service.stop()
    for n in range(1, 300):
        log(n)
        time.sleep(0.002)
    assert nabat.flush(5)
    assert nabat.stats()["spooled"] >= 250 and list((tmp_path / "spool").iterdir())
    service.start()
    assert numbers(service.wait(300, 20)) == list(range(300))
    log(300)  # and on
    service.wait(301)
    time.sleep(0.1)
    assert not list((tmp_path / "spool").iterdir())


def test_what_an_ended_process_left_is_sent_by_the_next(service, client, tmp_path):
    program = ("import nabat, sys; nabat.init(sys.argv[1], spool_dir=sys.argv[2])\n"
               "for n in range(5): nabat.ErrorTracker.log(message=f'event {n}')\n")
    env = {**os.environ, "PYTHONPATH": str(SOURCE)}
    service.stop()
    subprocess.run([sys.executable, "-c", program, service.dsn, tmp_path / "spool"], env=env, check=True,
                   capture_output=True, timeout=20)
    service.start()
    client()
    log(5)
    assert numbers(service.wait(6)) == list(range(6))


def test_events_at_exit_are_sent(service, tmp_path):
    program = "import nabat, sys; nabat.ErrorTracker.log(message='event 1')"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=20, capture_output=True,
                   env={**os.environ, "PYTHONPATH": str(SOURCE), "NABAT_DSN": service.dsn,
                        "XDG_STATE_HOME": str(tmp_path)})
    assert numbers(service.wait(1)) == [1]


def test_nobody_waits_for_a_hanging_service(service, client):
    """How long a call takes is measured by bench/client.py; here, that it ends before the answer comes."""
    release = threading.Event()

    def hang(batch):
        release.wait(30)
        return {"status": 200}
    service.answers.append(hang)
    client(timeout=30)
    for n in range(200):
        log(n)
    assert service.events == []
    release.set()
    assert numbers(service.wait(200, 15)) == list(range(200))


def test_a_request_that_hangs_is_sent_again(service, client):
    """With the same id: the service keeps it once."""
    def hang(batch):
        time.sleep(1.5)
        return {"status": 200}
    service.answers.append(hang)
    client(timeout=0.3)
    for n in range(20):
        log(n)
    while len({e["event_id"] for e in service.wait(20, 15)}) < 20:
        time.sleep(0.05)
    assert numbers({e["event_id"]: e for e in service.events}.values()) == list(range(20))


def test_bad_event_is_split_off(service, client):
    client()
    sender = nabat.tracker.client().sender
    refuse = lambda batch: {"status": 400, "body": {"error": "bad", "detail": "no", "index": 2}}  # noqa: E731
    service.answers += [refuse, {"status": 200}, {"status": 400, "body": {"error": "bad", "detail": "no", "index": 0}}]
    lines = [json.dumps({"message": f"event {n}"}).encode() for n in range(5)]
    assert sender._offer(lines) == []
    assert numbers(service.events) == [0, 1, 3, 4] and sender.counts["refused"] == 1


def test_too_large_together_goes_in_halves(service, client):
    client()
    sender = nabat.tracker.client().sender
    service.answers += [{"status": 413}, {"status": 413}, {"status": 200}, {"status": 200}, {"status": 200}]
    assert sender._offer([json.dumps({"message": f"event {n}"}).encode() for n in range(4)]) == []
    assert numbers(service.events) == [0, 1, 2, 3]


def test_retry_after_is_kept(service, client):
    client()
    service.answers.append({"status": 429, "headers": {"Retry-After": "2"}})
    start = time.monotonic()
    log(0)
    service.wait(1, 10)
    assert time.monotonic() - start > 1.9


def test_a_wrong_key_loses_nothing(service, client):
    client()
    service.answers += [{"status": 401}]
    log(0)
    assert numbers(service.wait(1)) == [0]


def test_full_queue_and_full_spool_are_told(service, client):
    client(spool_bytes_max=2000, queue_events_max=50)
    service.stop()
    time.sleep(0.05)
    for n in range(500):
        log(n)
    assert nabat.flush(5)
    dropped = nabat.stats()["dropped"]
    assert dropped > 300
    service.start()
    service.wait(500 - dropped + 1, 20)
    time.sleep(0.3)
    told = [e for e in service.events if e["handler" if "handler" in e else "message"] == "nabat.client"]
    assert sum(e["payload"]["dropped"] for e in told) == dropped
    assert len(numbers(service.events)) == 500 - dropped


def test_a_fork_sends_its_own(service, client):
    client()
    log(0)
    service.wait(1)
    child = os.fork()
    if child == 0:
        try:
            log(1)
            os._exit(0 if nabat.flush(5) else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    log(2)
    assert numbers(service.wait(3)) == [0, 1, 2]


def test_spool_is_ours_alone_and_whole(tmp_path):
    spool = Spool(tmp_path / "s", 1000)
    assert spool.put([b"a" * 100] * 5) == 5
    assert spool.put([b"b" * 200] * 5) == 2
    assert (tmp_path / "s").stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "s").iterdir())
    oldest = spool.oldest()
    assert spool.read(oldest) == [b"a" * 100] * 5
    spool.done(oldest)
    spool.done(oldest)
    assert spool.read(oldest) == [] and spool.bytes_used() == 402


def test_destinations_have_their_own_folders():
    folder = lambda text: settings.default_spool_dir(settings.Dsn.parse(text))  # noqa: E731
    assert folder("http://a@h/1") == folder("http://b@h/1") != folder("http://a@h/2")
    assert "a@" not in str(folder("http://a@h/1"))


def test_no_dsn_is_said_once_and_harmless(client, monkeypatch, caplog):
    monkeypatch.delenv("NABAT_DSN", raising=False)
    assert nabat.ErrorTracker.log(message="x") is None and nabat.ErrorTracker.log(message="y") is None
    assert len([r for r in caplog.records if "NABAT_DSN" in r.message]) == 1 and nabat.flush()


@pytest.mark.parametrize("what", ["a file", "below a file", "read only"])
def test_a_spool_that_is_none_stops_nothing(service, client, tmp_path, caplog, what):
    (tmp_path / "file").write_text("")
    folder = {"a file": tmp_path / "file", "below a file": tmp_path / "file" / "spool", "read only": "/proc/nabat"}[what]
    client(spool_dir=folder)
    log(0)
    service.wait(1)
    service.stop()
    log(1)
    assert nabat.flush(5) and "can't be written" in caplog.text and nabat.stats()["dropped"] == 1
    service.start()
    time.sleep(1.2)
    log(2)
    service.wait(2, 10)
    assert [e["payload"]["dropped"] for e in service.wait(3, 10) if e.get("handler") == "nabat.client"] == [1]


def test_a_proxy_s_400_refuses_nothing(service, client):
    html = {"status": 400, "body": "<html>plain HTTP request was sent to HTTPS port</html>"}
    service.answers += [html, html]
    client()
    log(0)
    assert numbers(service.wait(1, 10)) == [0] and nabat.stats()["refused"] == 0


@pytest.mark.parametrize("value", ["0", "-5", "nan", "soon"])
def test_retry_after_is_no_reason_to_hurry(service, client, value):
    service.answers += [{"status": 503, "headers": {"Retry-After": value}}] * 3
    client()
    log(0)
    time.sleep(2)
    assert len(service.requests) <= 3


def test_no_thread_to_be_had(service, client, monkeypatch):
    client()

    def refuse(self):
        raise RuntimeError("can't start new thread")
    with monkeypatch.context() as m:
        m.setattr("threading.Thread.start", refuse)
        assert log(0)
    assert log(1) and numbers(service.wait(2)) == [0, 1]


def test_children_of_multiprocessing(service, tmp_path):
    """They end without atexit."""
    program = ("import multiprocessing, sys, nabat\n"
               "nabat.init(sys.argv[1], spool_dir=sys.argv[2])\n"
               "def work(n): nabat.ErrorTracker.log(message=f'event {n}')\n"
               "if __name__ == '__main__':\n"
               "    multiprocessing.set_start_method('fork')\n"
               "    children = [multiprocessing.Process(target=work, args=(n,)) for n in range(8)]\n"
               "    [c.start() for c in children]\n"
               "    [c.join() for c in children]\n")

    def slow(batch):
        time.sleep(0.1)
        return {"status": 200}
    service.answers += [slow] * 8
    subprocess.run([sys.executable, "-c", program, service.dsn, tmp_path / "spool"], check=True, timeout=60, capture_output=True,
                   env={**os.environ, "PYTHONPATH": str(SOURCE)})
    sent = {e["event_id"]: e for e in service.wait(8)}
    assert numbers(sent.values()) == list(range(8))


def test_a_home_that_can_not_be_looked_into(service, tmp_path):
    """As in a container that drops root, whose HOME stays /root."""
    if os.getuid():
        pytest.skip("needs root to become nobody")
    program = ("import os, sys; os.setgid(65534); os.setuid(65534)\nimport nabat\n"
               "assert nabat.ErrorTracker.log(message='event 1')\nassert nabat.flush(5)\n")
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    source = tmp_path / "source"
    subprocess.run(["cp", "-r", SOURCE, source], check=True)
    subprocess.run(["chmod", "-R", "a+rX", tmp_path], check=True)
    home.chmod(0o700)
    for folder in [tmp_path, *list(tmp_path.parents)[:2]]:
        folder.chmod(folder.stat().st_mode | 0o055)
    subprocess.run([sys.executable, "-c", program], check=True, timeout=20,
                   env={"PATH": os.environ["PATH"], "HOME": str(home / "deep"), "PYTHONPATH": str(source), "NABAT_DSN": service.dsn})
    assert numbers(service.wait(1)) == [1]


def test_a_day_away_is_no_folder_of_files(tmp_path):
    spool = Spool(tmp_path / "s", 10_000_000)
    for n in range(500):
        assert spool.put([b"%d" % n]) == 1
    assert len(list((tmp_path / "s").iterdir())) < 80
    lines = []
    while oldest := spool.oldest():
        lines += spool.read(oldest)
        spool.done(oldest)
    assert sorted(map(int, lines)) == list(range(500))


def test_half_written_files_go(tmp_path):
    spool = Spool(tmp_path, 1000)
    old, young = tmp_path / "1.part", tmp_path / "2.part"
    old.write_text("x")
    young.write_text("x")
    os.utime(old, (1, 1))
    spool.sweep()
    assert not old.exists() and young.exists()


def test_what_is_none_of_ours_is_not_sent(tmp_path):
    (tmp_path / "secret").write_text("root:x")
    (tmp_path / "0.ndjson").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "1.ndjson")
    assert Spool(tmp_path, 1000).oldest() is None


def test_what_can_not_be_removed_is_not_sent_for_ever(service, client, tmp_path, monkeypatch):
    folder = tmp_path / "spool"
    folder.mkdir()
    (folder / "0.ndjson").write_text('{"message": "event 9"}\n')

    def refuse(self, path):
        raise PermissionError("read-only file system")
    monkeypatch.setattr(Spool, "done", refuse)
    client()
    for n in range(5):
        log(n)
        service.wait(n + 1)
        time.sleep(0.1)
    assert numbers(service.events).count(9) == 1
