"""conftest.py -- the harness: a private PostgreSQL, the Bot API stand-in, and the real binaries.

Every test gets a database of its own in one shared cluster (`db`), and starts as many services as it
likes (`service`); all of them are stopped, and their leak reports looked at, at its end.
"""
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import psycopg2
import psycopg2.extensions
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "standin"))
import telegram  # noqa: E402

BUILD = ROOT / os.environ.get("NABAT_BUILD", "build-dev")
RUNNER = shlex.split(os.environ.get("NABAT_RUNNER", ""))  # what our programs run in, if anything
PATIENCE = telegram.PATIENCE
KEY = "0123456789abcdef0123456789abcdef"
CHAT = -1001000
OWNER, TEAM, STRANGER = 11, 22, 33
TRACEBACK = ('Traceback (most recent call last):\n  File "/app/bot/handlers/start.py", line 41, in '
             'start\n    await message.answer(text)\n  File "/app/bot/render.py", line 7, in render\n'
             '    raise ValueError(text)\nValueError: bad text')


def pytest_configure(config):
    config.addinivalue_line("markers", "long: waits for minutes; ./test long")


def shell(function, *args):
    subprocess.run(["bash", "-c", f". deploy/lib.sh; {function} \"$@\"", "sh", *map(str, args)],
                   cwd=ROOT, env={**os.environ, "ROOT": str(ROOT)}, check=True)


class Cluster:
    """One PostgreSQL server for the whole run."""

    def __init__(self, folder):
        self.folder = folder
        self.start()

    def start(self):
        shell("pg_start", self.folder)

    def stop(self, mode="fast"):
        shell("pg_stop", self.folder, mode)

    def connect(self, name="postgres", user="nabat"):
        conn = psycopg2.connect(host=str(self.folder), user=user, dbname=name)
        conn.autocommit = True
        return conn


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    import tempfile
    folder = pathlib.Path(tempfile.mkdtemp(prefix="nabat-pg-", dir="/tmp"))
    os.chmod(folder, 0o755)
    c = Cluster(folder)
    yield c
    c.stop("immediate")
    shutil.rmtree(folder, ignore_errors=True)


class Database:
    """One database: SQL in, rows out."""
    serial = 0

    def __init__(self, cluster):
        Database.serial += 1
        self.cluster = cluster
        self.name = f"t{os.getpid()}_{Database.serial}"
        conn = cluster.connect()
        with conn.cursor() as cur:
            cur.execute(f"CREATE DATABASE {self.name}")
        conn.close()
        self.conn = None

    @property
    def url(self):
        return f"host={self.cluster.folder} user=nabat dbname={self.name}"

    def open(self, user="nabat"):
        return self.cluster.connect(self.name, user)

    def sql(self, text, *params):
        """Rows as tuples; [] where there are none."""
        for attempt in (1, 2):
            if self.conn is None or self.conn.closed:
                self.conn = self.open()
            try:
                with self.conn.cursor() as cur:
                    cur.execute(text, params or None)
                    return cur.fetchall() if cur.description else []
            except (psycopg2.OperationalError, psycopg2.InterfaceError):
                self.conn = None
                if attempt == 2:
                    raise
        return []

    def one(self, text, *params):
        rows = self.sql(text, *params)
        return rows[0][0] if rows else None

    def drop(self):
        if self.conn is not None:
            self.conn.close()
        conn = self.cluster.connect()
        with conn.cursor() as cur:
            cur.execute(f"DROP DATABASE {self.name} WITH (FORCE)")
        conn.close()


@pytest.fixture
def db(cluster):
    d = Database(cluster)
    yield d
    d.drop()


@pytest.fixture
def tg():
    s = telegram.Standin()
    s.add_chat(CHAT, {OWNER: "creator", TEAM: "member"})
    for user in (OWNER, TEAM, STRANGER):
        s.add_chat(user, {user: "member"})
    yield s
    s.close()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Answer:
    def __init__(self, status, body, headers):
        self.status, self.body, self.headers = status, body, headers

    @property
    def json(self):
        return json.loads(self.body)


class Service:
    """A running nabat."""

    def __init__(self, db, env=None, tg=None, stdin=subprocess.DEVNULL, port=None, program=None):
        self.program = program or BUILD / "bot/nabat"
        self.port = port or free_port()
        self.db = db
        self.env = {"PATH": os.environ["PATH"], "DATABASE_URL": db.url, "INGEST_KEY": KEY,
                    "PORT": str(self.port), "BIND": "127.0.0.1", "LOG_LEVEL": "debug",
                    "SPOOL_DIR": f"/tmp/nabat-test-{os.getpid()}-{self.port}.spool",
                    "ASAN_OPTIONS": "detect_leaks=1:exitcode=99",
                    "UBSAN_OPTIONS": "print_stacktrace=1"}
        if "GCOV_PREFIX" in os.environ:
            self.env["GCOV_PREFIX"] = os.environ["GCOV_PREFIX"]
        if tg:
            self.env.update(TELEGRAM_BOT_TOKEN=telegram.TOKEN, TELEGRAM_API_URL=tg.url,
                            ERROR_ALERT_CHAT_ID=str(CHAT), BOT_LANGUAGE="en")
        self.env.update({k: str(v).replace("{port}", str(self.port))
                         for k, v in (env or {}).items() if v is not None})
        for k, v in (env or {}).items():
            if v is None:
                self.env.pop(k, None)
        self.stdin = stdin
        self.log = []
        self.process = None
        self.start()

    def start(self):
        self.err = open(f"/tmp/nabat-test-{os.getpid()}-{self.port}.err", "a+b")
        self.out = open(f"/tmp/nabat-test-{os.getpid()}-{self.port}.out", "a+b")
        self.process = subprocess.Popen([*RUNNER, str(self.program)], env=self.env, cwd="/tmp",
                                        stdin=self.stdin, stdout=self.out, stderr=self.err)
        return self

    @property
    def stderr(self):
        self.err.flush()
        return pathlib.Path(self.err.name).read_text(errors="replace")

    @property
    def stdout(self):
        return pathlib.Path(self.out.name).read_text(errors="replace")

    def request(self, method, path, body=None, headers=None, timeout=30):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body,
                                         headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout * PATIENCE) as a:
                return Answer(a.status, a.read(), a.headers)
        except urllib.error.HTTPError as e:
            return Answer(e.code, e.read(), e.headers)

    def get(self, path, **headers):
        return self.request("GET", path, headers=headers)

    def post(self, event, key=KEY, headers=None, timeout=30, **fields):
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        h = {"Content-Type": "application/json", **(headers or {})}
        if key:
            h["Authorization"] = "Bearer " + key
        return self.request("POST", "/api/events", body, h, timeout)

    def ready(self, seconds=30, database=True):
        """Takes events; by default into the database, not into the spool."""
        end = time.monotonic() + seconds * PATIENCE
        while time.monotonic() < end:
            assert self.process.poll() is None, self.stderr[-2000:]
            try:
                if self.get("/health/ready").status == 200 and (not database or self.is_direct()):
                    return self
            except OSError:
                pass
            time.sleep(0.02)
        raise AssertionError("not ready: " + self.stderr[-3000:])

    def is_direct(self):
        text = self.get("/metrics", Authorization="Bearer " + self.env.get("METRICS_TOKEN", "")).body.decode()
        return ("nabat_spooling 0" in text and
                self.get("/health").json["parts"]["database"]["status"] != "unhealthy")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, sig=signal.SIGTERM, seconds=20):
        if self.process.poll() is None:
            self.process.send_signal(sig)
        code = self.process.wait(seconds * PATIENCE)
        return code

    def close(self):
        killed = self.process.poll() == -9
        code = self.stop()
        text = self.stderr
        self.err.close()
        self.out.close()
        os.unlink(self.err.name)
        os.unlink(self.out.name)
        shutil.rmtree(self.env["SPOOL_DIR"], ignore_errors=True)
        assert "ERROR: AddressSanitizer" not in text, text[-6000:]
        assert "runtime error:" not in text, text[-6000:]
        assert "LeakSanitizer" not in text, text[-6000:]
        assert killed or code in (0, 1, 2), f"exit code {code}: {text[-3000:]}"


@pytest.fixture
def service(db):
    running = []

    def start(ready=True, **kwargs):
        database = kwargs.pop("database", db)
        s = Service(database, **kwargs)
        running.append(s)
        return s.ready() if ready else s

    yield start
    for s in running:
        s.close()


def wait(predicate, seconds=10.0, what="condition"):
    end = time.monotonic() + seconds * PATIENCE
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.03)


def buttons(message):
    """{"Take": "take:1", ...} of a message in the stand-in."""
    return {b["text"]: b.get("callback_data") or b.get("url")
            for row in message["keyboard"] or [] for b in row}


def run_tool(db, *args, env=None, program="bot/nabat", timeout=60, base=True):
    e = {"PATH": os.environ["PATH"], "ASAN_OPTIONS": "detect_leaks=1:exitcode=99"}
    if base:
        e.update(DATABASE_URL=db.url, INGEST_KEY=KEY)
    e.update(env or {})
    return subprocess.run([*RUNNER, str(BUILD / program), *args], env=e, cwd="/tmp", capture_output=True,
                          text=True, timeout=timeout * PATIENCE, stdin=subprocess.DEVNULL)


@pytest.fixture
def tools():
    return run_tool


def number_in(pattern, text):
    m = re.search(pattern, text)
    assert m, f"{pattern} not in {text}"
    return int(m.group(1).replace(",", ""))
