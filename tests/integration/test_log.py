"""test_log.py -- nabat-log as scripts and cron call it, and the one-file C client that it stands on."""
import http.server
import json
import os
import pty
import shlex
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from conftest import BUILD, KEY, PATIENCE, ROOT, wait

LOG = BUILD / "clients/nabat-log/nabat-log"
COLUMNS = "origin, severity, handler, message, exception_type, stacktrace, payload, tags, chat_id, user_id, server_name"


@pytest.fixture
def log(service, db, tmp_path):
    """log(words, …) runs nabat-log; log.row() is the newest event."""
    s = service()

    def run(*words, stdin="", dsn=None, env=None, timeout=30):
        given = {"PATH": os.environ["PATH"], "NABAT_DSN": dsn or f"http://{KEY}@127.0.0.1:{s.port}/1",
                 "XDG_STATE_HOME": str(tmp_path), "ASAN_OPTIONS": "detect_leaks=1", **(env or {})}
        if given["NABAT_DSN"] == "none":
            del given["NABAT_DSN"]
        return subprocess.run([LOG, *map(str, words)], input=stdin.encode(), env=given, capture_output=True, timeout=timeout)

    def row():
        found = db.sql(f"SELECT {COLUMNS} FROM bot_error_event ORDER BY id DESC LIMIT 1")
        return dict(zip(COLUMNS.split(", "), found[0])) if found else None

    def waiting():
        return sorted(tmp_path.glob("nabat-log-*/*.json"))
    run.service, run.row, run.waiting = s, row, waiting
    return run


def test_a_message_with_its_trace(log):
    trace = "Traceback (most recent call last):\n  File \"/srv/b.py\", line 3, in backup\n    x()\nOSError: \"full\" \\ \x01"
    done = log("--severity", "critical", "--origin", "cron", "--handler=backup", "--chat-id", -100500, "--user-id", "7",
               "--tag", "disk=sda1", "--tag", "note=a=b", "--type", "OSError", "No space left on “disk” 💾", stdin=trace)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    row = log.row()
    assert (row["origin"], row["severity"], row["handler"]) == ("cron", "critical", "backup")
    assert row["message"] == "No space left on “disk” 💾" and row["exception_type"] == "OSError"
    assert row["stacktrace"] == trace and row["tags"] == {"disk": "sda1", "note": "a=b"}
    assert row["chat_id"] == -100500 and row["user_id"] == "7" and row["server_name"]


def test_nul_garbage_and_length_on_stdin(log):
    done = subprocess.run([LOG, "garbage"], input=b"a\0b\xff\xfe<&>" + b"x" * 100_000 + "😀".encode(), capture_output=True,
                          env={"NABAT_DSN": f"http://{KEY}@127.0.0.1:{log.service.port}/1", "HOME": "/nonexistent"})
    assert done.returncode == 0, done.stderr
    stack = log.row()["stacktrace"]
    assert stack.startswith("a b") and "<&>xxx" in stack


def test_an_idle_pipe_is_left(log):
    read, write = os.pipe()
    start = time.monotonic()
    done = subprocess.run([LOG, "idle"], stdin=read, env={"NABAT_DSN": f"http://{KEY}@127.0.0.1:{log.service.port}/1"})
    os.close(write)
    assert done.returncode == 0 and time.monotonic() - start < 20 and log.row()["message"] == "idle"


WRONG = [
    ([], "a message is needed"), (["a", "b"], '"b" is one word too many'), (["--severity", "loud", "x"], 'has "loud"'),
    (["--nonsense", "x"], '"--nonsense" is no flag'), (["--tag", "x", "y"], "NAME=VALUE"), (["--chat-id", "5x", "m"], "--chat-id"),
    (["exec"], "exec needs a command"), (["exec", "--schedule", "@daily", "--", "true"], "--schedule goes with --monitor"),
    (["--monitor", "x", "m"], "--monitor goes with exec"), (["--severity"], "needs a value"),
]


@pytest.mark.parametrize("words, said", WRONG, ids=[" ".join(w) or "none" for w, _ in WRONG])
def test_wrong_usage_says_the_right_one(words, said):
    done = subprocess.run([LOG, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          env={"NABAT_DSN": "http://k@127.0.0.1:1/1"})
    assert done.returncode == 2 and said in done.stderr and "nabat-log --help" in done.stderr


@pytest.mark.parametrize("dsn, said", [("none", "NABAT_DSN is not set"), ("ftp://k@h/1", "neither http"),
                                       ("http://h/1", "no key"), ("http://s3cret@h", "number of a project"),
                                       ("http://s3cret@h/x", "number of a project")])
def test_a_wrong_dsn(log, dsn, said):
    done = log("m", dsn=dsn)
    assert done.returncode == 2 and said in done.stderr.decode() and "s3cret" not in done.stderr.decode()
    done = log("exec", "--", "sh", "-c", "echo out; exit 5", dsn=dsn)
    assert done.returncode == 5 and done.stdout == b"out\n" and said in done.stderr.decode()


def test_help_and_version():
    done = subprocess.run([LOG, "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("nabat-log -- ") and max(map(len, done.stdout.split("\n"))) <= 120
    assert subprocess.run([LOG, "--version"], capture_output=True, text=True).stdout.startswith("nabat-log 0.")


def test_what_could_not_be_sent_goes_next_time(log, db):
    log.service.kill()
    for n in range(3):
        done = log(f"away {n}")
        assert done.returncode == 0 and b"could not be sent" in done.stderr and b"it is kept" in done.stderr
    assert log("--quiet", "away 3").stderr == b""
    assert len(log.waiting()) == 4 and all(path.stat().st_mode & 0o077 == 0 for path in log.waiting())
    assert KEY not in "".join(path.read_text() for path in log.waiting()) + str(log.waiting())
    log.service.start()
    log.service.ready()
    assert log("back").returncode == 0 and not log.waiting()
    assert {r[0] for r in db.sql("SELECT message FROM bot_error_event")} == {*(f"away {n}" for n in range(4)), "back"}
    assert db.one("SELECT max(occurred_at - received_at) < interval '0' FROM bot_error_event WHERE message = 'away 0'")


def test_the_spool_has_a_bound_and_says_so(log, tmp_path):
    log.service.kill()
    log("first")
    (folder,) = tmp_path.glob("nabat-log-*")
    for n in range(1000):
        (folder / f"0{n}.json").write_text("{}")
    done = log("one more")
    assert done.returncode == 1 and b"the event is lost" in done.stderr and b"is full" in done.stderr


def test_a_folder_of_somebody_else_is_not_used(log, tmp_path):
    log.service.kill()
    other = tmp_path / "other"
    other.mkdir()
    os.symlink(other, tmp_path / "link")
    done = log("--spool", tmp_path / "link", "m")
    assert done.returncode == 1 and b"is no folder of this user" in done.stderr and not list(other.iterdir())


def test_exec_is_the_command(log, db):
    done = log("exec", "--", "sh", "-c", "cat; echo err >&2; exit 0", stdin="through and through")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"through and through", b"err\n")
    assert db.one("SELECT count(*) FROM bot_error_event") == 0


def test_exec_records_a_failure(log):
    script = ("for i in $(seq 5000); do echo line $i; done; echo 'rsync: connection refused' >&2; sleep 0.1; exit 3")
    done = log("exec", "--origin", "cron", "--tag", "job=b", "--", "sh", "-c", script, "--password", "hunter22", "api_key=abcdef")
    assert done.returncode == 3 and done.stdout.count(b"\n") == 5000
    row = log.row()
    assert (row["origin"], row["severity"], row["handler"]) == ("cron", "error", "sh")
    assert row["message"] == "sh failed with exit code 3"
    assert row["stacktrace"].startswith("[...]\nline ") and row["stacktrace"].rstrip().endswith("connection refused")
    assert len(row["stacktrace"]) <= 16 * 1024 and row["payload"]["exit_code"] == 3 and row["payload"]["seconds"] >= 0.1
    assert "hunter22" not in str(row) and "abcdef" not in str(row) and row["payload"]["command"][:2] == ["sh", "-c"]


def test_a_python_traceback_in_the_output_groups_by_its_frames(log, db, tmp_path):
    for name, n in (("a", 1), ("b", 2)):
        program = tmp_path / "job.py"
        program.write_text("\n" * n + textwrap.dedent(f"""
            def backup():
                raise OSError("disk {n} of /dev/sd{name}")
            backup()"""))
        log("exec", "--", sys.executable, program)
    assert db.one("SELECT count(*) FROM error_group") == 1 and db.one("SELECT occurrences FROM error_group") == 2


@pytest.mark.parametrize("command, code, said", [
    (["/nonexistent/x"], 127, "could not be started: No such file"), (["/etc/passwd"], 126, "could not be started: Permission"),
    (["sh", "-c", "kill -9 $$"], 137, "was ended by signal 9"), (["sh", "-c", "exit 255"], 255, "failed with exit code 255")])
def test_exit_codes(log, command, code, said):
    assert log("exec", "--", *command).returncode == code
    assert said in log.row()["message"]


def test_exec_does_not_wait_for_what_was_left_in_the_background(log):
    start = time.monotonic()
    done = subprocess.run([LOG, "exec", "--", "sh", "-c", "sleep 30 & echo started"], stdout=subprocess.PIPE,
                          env={"NABAT_DSN": "http://k@127.0.0.1:1/1", "PATH": os.environ["PATH"]}, timeout=25)
    assert done.stdout == b"started\n" and time.monotonic() - start < 15
    subprocess.run(["pkill", "-f", "^sleep 30$"], check=False)


def test_signals_go_to_the_command(log):
    process = subprocess.Popen([LOG, "exec", "--", "sh", "-c", "trap 'echo told; exit 4' TERM; echo up; while :; do sleep 0.05; done"],
                               stdout=subprocess.PIPE, env={"PATH": os.environ["PATH"],
                                                            "NABAT_DSN": f"http://{KEY}@127.0.0.1:{log.service.port}/1"})
    assert process.stdout.readline() == b"up\n"
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=20)[0] == b"told\n" and process.returncode == 4


def test_a_kept_failure_goes_with_the_next_run_that_succeeds(log, db):
    log.service.kill()
    assert log("exec", "--", "false").returncode == 1 and len(log.waiting()) == 1
    log.service.start()
    log.service.ready()
    assert log("exec", "--", "true").returncode == 0 and not log.waiting()
    assert db.one("SELECT message FROM bot_error_event") == "false failed with exit code 1"


def test_one_call_has_one_bound(tmp_path):
    """However many events wait."""
    class Slow(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(0.7)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for n in range(30):
        (tmp_path / f"{n}.json").write_text("{}")
    done = subprocess.run([LOG, "--timeout", "2", "--spool", tmp_path, "m"], stdin=subprocess.DEVNULL, timeout=60,
                          env={"NABAT_DSN": f"http://k@127.0.0.1:{server.server_port}/1"})
    assert done.returncode == 0 and 20 < len(list(tmp_path.iterdir())) < 30
    server.shutdown()
    server.server_close()


def test_what_is_no_event_of_ours_is_neither_sent_nor_removed(log, tmp_path):
    folder = tmp_path / "spool"
    folder.mkdir()
    os.mkfifo(folder / "0.json")
    (folder / "1.json").symlink_to("/etc/hostname")
    assert log("--spool", folder, "m").returncode == 0
    assert sorted(path.name for path in folder.iterdir()) == ["0.json", "1.json"]


def test_a_parent_that_ignores_its_children(log):
    code = "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    done = subprocess.run([sys.executable, "-c", code, LOG, "exec", "--", "sh", "-c", "exit 3"], timeout=30,
                          env={"NABAT_DSN": f"http://{KEY}@127.0.0.1:{log.service.port}/1", "PATH": os.environ["PATH"]})
    assert done.returncode == 3


def test_ctrl_c_comes_once(log):
    """A terminal tells the whole group; the command must not hear it from us too."""
    script = "n=0; trap 'n=$((n+1)); echo got $n' INT; echo up; for i in 1 2 3 4 5 6; do sleep 0.2; done; exit 5"
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(LOG, [str(LOG), "exec", "--", "bash", "-c", script],
                  {"NABAT_DSN": "http://k@127.0.0.1:1/1", "PATH": os.environ["PATH"], "XDG_STATE_HOME": "/tmp/nabat-none"})
    said = b""
    while b"up" not in said:
        said += os.read(terminal, 1000)
    os.write(terminal, b"\x03")
    try:
        while chunk := os.read(terminal, 1000):
            said += chunk
    except OSError:
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 5
    assert b"got 1" in said and b"got 2" not in said
    shutil.rmtree("/tmp/nabat-none", ignore_errors=True)


@pytest.mark.parametrize("words, shown", [
    (["mysqldump", "-uroot", "-pHunter2"], ["mysqldump", "-uroot", "-p[Filtered]"]),
    (["curl", "-u", "ann:Hunter2", "http://127.0.0.1:1/"], ["curl", "-u", "ann:[Filtered]", "http://127.0.0.1:1/"]),
    (["x", "--user=ann:Hunter2"], ["x", "--user=ann:[Filtered]"]),
    (["x", "--password", "Hunter2", "-p", "80"], ["x", "--password", "[Filtered]", "-p", "80"]),
])
def test_secrets_of_a_command_stay(log, tmp_path, words, shown):
    """In the spool already, so it is not the service's work."""
    log.service.kill()
    assert log("exec", "--", *words).returncode
    (kept,) = log.waiting()
    assert "Hunter2" not in kept.read_text() and json.loads(kept.read_text())["payload"]["command"] == shown


def test_nobody_reads_our_output(log):
    endless = subprocess.run(["bash", "-c", f"{shlex.quote(str(LOG))} exec -- yes | head -1"], capture_output=True, timeout=30,
                             env={"PATH": os.environ["PATH"], "NABAT_DSN": f"http://{KEY}@127.0.0.1:{log.service.port}/1"})
    assert endless.stdout == b"y\n"
    line = f"{shlex.quote(str(LOG))} exec -- sh -c 'trap \"\" PIPE; seq 100000 2>&-; exit 6' | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, timeout=30,
                          env={"PATH": os.environ["PATH"], "NABAT_DSN": f"http://{KEY}@127.0.0.1:{log.service.port}/1"})
    assert done.stdout == b"1\n6\n"


def test_a_monitor_is_checked_in(log, db, tg):
    words = ["exec", "--monitor", "backup", "--schedule", "0 3 * * *", "--timezone", "Europe/Moscow", "--max-runtime", "30", "--"]
    assert log(*words, "true").returncode == 0
    assert db.sql("SELECT slug, schedule, timezone, last_status FROM monitor") == [("backup", "0 3 * * *", "Europe/Moscow", "ok")]
    assert db.one("SELECT count(*) FROM monitor_checkin") == 1  # begun and ended: one
    assert db.one("SELECT count(*) FROM bot_error_event") == 0
    # a failure is one error, though the job and the monitor both say so; the next success resolves it
    assert log(*words, "sh", "-c", "echo disk full; exit 2").returncode == 2
    wait(lambda: db.one("SELECT count(*) FROM bot_error_event") == 2, 10, "both words")
    assert db.one("SELECT count(*) FROM error_group") == 1
    assert "disk full" in db.one("SELECT stacktrace FROM bot_error_event WHERE origin = 'cron'")
    assert log("exec", "--monitor", "backup", "--", "true").returncode == 0
    wait(lambda: db.one("SELECT status FROM error_group") == "resolved", 10, "the recovery")


def test_a_monitor_that_nobody_made(log, db):
    """Answered 202 as Sentry does; the service's own log says why it made none."""
    done = log("exec", "--monitor", "unknown", "--", "true")
    assert done.returncode == 0 and db.one("SELECT count(*) FROM monitor") == 0
    assert "nobody configured this monitor" in log.service.stderr


def test_a_slow_service_does_not_hold_up_the_command(log):
    class Slow(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_POST(self):
            time.sleep(60)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    process = subprocess.Popen([LOG, "exec", "--monitor", "m", "--timeout", "1", "--", "echo", "now"], stdout=subprocess.PIPE,
                               env={"PATH": os.environ["PATH"], "NABAT_DSN": f"http://k@127.0.0.1:{server.server_port}/1"})
    start = time.monotonic()
    assert process.stdout.readline() == b"now\n" and time.monotonic() - start < 2.5 * PATIENCE  # the check-in takes 3
    assert process.wait(20) == 0
    server.shutdown()
    server.server_close()


PROGRAM = r"""
#define NABAT_CLIENT_IMPLEMENTATION
#include "nabat_client.h"
int main(void)
{
    char why[NABAT_CLIENT_WHY];
    struct nabat_client *nabat = nabat_client_new(getenv("NABAT_DSN"), getenv("SPOOL"), why);
    if (!nabat)
        return 2;
    const char *const tags[] = {"disk", "sda1", NULL};
    struct nabat_text payload = {0};
    nabat_text_add(&payload, "{\"free\":0,\"path\":");
    nabat_text_add_json(&payload, "/var/\"x\"\n", 9);
    nabat_text_add(&payload, "}");
    struct nabat_event event = {.severity = "critical", .origin = "daemon", .handler = "writer", .message = "No space left",
                                .tags = tags, .payload_json = payload.at, .chat_id = -7};
    enum nabat_result result = nabat_client_record(nabat, &event, why);
    if (result != NABAT_SENT)
        fprintf(stderr, "%s\n", why);
    nabat_text_free(&payload);
    nabat_client_free(nabat);
    return (int)result;
}
"""


@pytest.mark.parametrize("compiler", [["gcc", "-std=gnu99"], ["clang", "-std=gnu11"], ["g++", "-fpermissive", "-w", "-x", "c"]],
                         ids=["gcc-99", "clang-11", "gcc-c"])
def test_the_one_file_client(log, tmp_path, compiler):
    source, program = tmp_path / "p.c", tmp_path / "p"
    source.write_text(PROGRAM)
    subprocess.run([*compiler, "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I", ROOT / "clients/c", source, "-o", program,
                    "-lcurl"], check=True)
    env = {"NABAT_DSN": f"http://{KEY}@127.0.0.1:{log.service.port}/1", "SPOOL": str(tmp_path / "a/b/spool")}
    assert subprocess.run([program], env=env).returncode == 0
    row = log.row()
    assert (row["origin"], row["handler"], row["message"]) == ("daemon", "writer", "No space left") and row["chat_id"] == -7
    assert row["payload"] == {"free": 0, "path": '/var/"x"\n'} and row["tags"] == {"disk": "sda1"}
    refused = subprocess.run([program], env={**env, "NABAT_DSN": "http://wrong@127.0.0.1:%d/1" % log.service.port},
                             capture_output=True, text=True)
    assert refused.returncode == 1 and "401" in refused.stderr and len(list((tmp_path / "a/b/spool").iterdir())) == 1
