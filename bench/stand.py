"""stand.py -- what is measured and what it is measured with: a server, the service, loads, ceilings."""
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "standin"), str(ROOT / "bench")]
import events  # noqa: E402
from machines import Instance, Node, free_port, shell  # noqa: E402,F401

BUILD = ROOT / "build-bench"
TICKS = os.sysconf("SC_CLK_TCK")


def build():
    shell("build_preset", "bench")


def cpu_seconds(pid):
    """Of a process and those of its children that still run."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def cpu_of_server(folder):
    """Of every process of the server; one that ended is counted by its parent."""
    main = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    total = 0.0
    for p in pathlib.Path("/proc").iterdir():
        if not p.name.isdigit():
            continue
        try:
            fields = (p / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(p.name) == main:
            total += sum(int(fields[i]) for i in (11, 12, 13, 14)) / TICKS
        elif int(fields[1]) == main:
            total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def folder():
    path = pathlib.Path(tempfile.mkdtemp(prefix="nabat-bench-", dir=os.environ.get("NABAT_BENCH_DIR", "/tmp")))
    os.chmod(path, 0o755)
    return path


class Stand:
    def __init__(self, tg=None):
        self.base = folder()
        self.node = Node(self.base, "server")
        self.node.start()
        self.node.sql("CREATE DATABASE bench")
        self.url = f"host={self.node.folder} user=nabat dbname=bench"
        self.service = Instance("bench", self.base, BUILD, self.url, tg)
        self.files = {}

    def start(self):
        self.service.start()
        self.until(lambda: self.service.health()["parts"].get("database", {}).get("status") == "healthy", 60)
        self.until(lambda: self.service.metric("nabat_spooling") == 0, 60)

    def stop(self):
        if self.service.process and self.service.process.poll() is None:
            self.service.process.terminate()
            self.service.process.wait(30)

    def close(self):
        self.stop()
        self.node.stop("immediate")
        shutil.rmtree(self.base, ignore_errors=True)

    @staticmethod
    def until(predicate, seconds):
        end = time.monotonic() + seconds
        while not predicate():
            if time.monotonic() > end:
                raise SystemExit("bench: waited in vain")
            time.sleep(0.02)

    def sql(self, text):
        return self.node.sql(text, "bench")

    def one(self, text):
        return self.sql(text)[0][0]

    def psql(self, *commands):
        """Seconds that one psql took for all of them."""
        began = time.monotonic()
        subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", self.url,
                        *[x for c in commands for x in ("-c", c)]], check=True)
        return time.monotonic() - began

    def wal(self):
        return self.one("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint")

    def requests(self, kind, groups):
        """A file for bench/load, made once. As many requests as groups, and enough not to be alike."""
        if (kind, groups) not in self.files:
            path = self.base / f"{kind}-{groups}"
            count = {"native2": max(10000, groups), "sentry8": max(3000, min(groups, 20000)),
                     "sentry30": max(1000, min(groups, 5000))}[kind]
            events.write(path, kind, groups, count)
            self.files[kind, groups] = path
        return self.files[kind, groups]

    def load(self, kind, groups, connections, seconds, rate=0, port=None):
        command = [BUILD / "bench/load", "--port", port or self.service.port, "--requests", self.requests(kind, groups),
                   "--connections", connections, "--seconds", seconds]
        if rate:
            command += ["--rate", rate]
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
        if not done.stdout:
            raise SystemExit("bench: " + done.stderr)
        return json.loads(done.stdout)

    # ------------------------------------------------------------------------------ the same rows, by others

    COPIED = ("error_group", "group_user", "error_stack", "event")

    def empty(self):
        self.sql("TRUNCATE event, error_stack, error_group, group_delta, group_user, alert_due, alert_outbox, "
                 "alert_card, alert_state, error_group_history CASCADE")

    def columns(self, table):
        """`a, b`, without what the server makes up itself."""
        return self.one("SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) "
                        f"FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped "
                        "AND attgenerated = ''")

    def take_out(self):
        """Rows of the run, as binary files; the tables are empty afterwards."""
        self.psql(*[f"\\copy (SELECT {self.columns(t)} FROM {t}) TO '{self.base}/{t}.bin' (FORMAT binary)" for t in self.COPIED])
        self.empty()
        self.sql("CHECKPOINT")

    def copy_in(self):
        """Seconds and WAL bytes of COPY of what was taken out, into the same tables."""
        wal = self.wal()
        took = self.psql("BEGIN", *[f"\\copy {t} ({self.columns(t)}) FROM '{self.base}/{t}.bin' (FORMAT binary)" for t in self.COPIED],
                         "COMMIT")
        return took, self.wal() - wal


def spread(values):
    return [min(values), statistics.median(values), max(values)]
