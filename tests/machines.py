"""machines.py -- servers to break: PostgreSQL as a pair, a proxy before each, Nabat as a process. For tests/soak and
bench/outage; tests/integration has a harness of its own."""
import asyncio
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import threading
import urllib.request

import psycopg2

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "standin"))
import telegram  # noqa: E402

KEY = "0123456789abcdef0123456789abcdef"
CHAT = 11


def shell(function, *args):
    subprocess.run(["bash", "-c", f'. deploy/lib.sh; {function} "$@"', "sh", *map(str, args)], cwd=ROOT,
                   env={**os.environ, "ROOT": str(ROOT)}, check=True)


def pg_tool(*args):
    shell('run_tool() { as_pg "$(pg_bin)/$1" "${@:2}" >/dev/null 2>&1; }; run_tool', *args)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# --------------------------------------------------------------------------------------- PostgreSQL

class Node:
    """One server of the pair; its data folder may be made anew as a standby of the other."""

    def __init__(self, base, name):
        self.folder = base / name
        self.folder.mkdir()
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        self.name = name

    def start(self):
        shell("pg_start", self.folder, "-c wal_level=replica", "-c max_connections=60", "-c hot_standby=on")

    def stop(self, mode):
        shell("pg_stop", self.folder, mode)

    def connect(self, database="postgres"):
        conn = psycopg2.connect(host=str(self.folder), user="nabat", dbname=database, connect_timeout=5)
        conn.autocommit = True
        return conn

    def sql(self, text, database="postgres"):
        conn = self.connect(database)
        try:
            with conn.cursor() as cur:
                cur.execute(text)
                return cur.fetchall() if cur.description else []
        finally:
            conn.close()

    def follow(self, primary):
        """Made anew as a standby of `primary`, which from then on waits for it."""
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        pg_tool("pg_basebackup", "-h", primary.folder, "-U", "nabat", "-D", self.folder / "data", "-R", "-X", "stream",
                "-c", "fast")
        with open(self.folder / "data" / "postgresql.auto.conf", "a", encoding="utf-8") as f:
            f.write(f"\nprimary_conninfo = 'host={primary.folder} user=nabat application_name={self.name}'\n"
                    "synchronous_standby_names = ''\n")
        self.start()
        primary.wait_for(self)

    def wait_for(self, standby):
        self.sql(f"ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 ({standby.name})'")
        self.sql("SELECT pg_reload_conf()")

    def wait_for_nobody(self):
        self.sql("ALTER SYSTEM SET synchronous_standby_names = ''")
        self.sql("SELECT pg_reload_conf()")

    def promote(self):
        pg_tool("pg_ctl", "-D", self.folder / "data", "-w", "-t", "30", "promote")


class Proxy:
    """A socket in a folder of its own before a server's; may be cut (reset) or frozen (nothing passes)."""

    def __init__(self, base, node):
        self.folder = base / f"proxy-{node.name}"
        self.folder.mkdir()
        self.target = str(node.folder / ".s.PGSQL.5432")
        self.frozen = False
        self.pairs = set()
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        asyncio.set_event_loop(self.loop)
        path = self.folder / ".s.PGSQL.5432"
        self.loop.run_until_complete(asyncio.start_unix_server(self._serve, str(path)))
        self.loop.run_forever()

    async def _serve(self, reader, writer):
        try:
            other_reader, other_writer = await asyncio.open_unix_connection(self.target)
        except OSError:
            writer.close()
            return
        pair = (writer, other_writer)
        self.pairs.add(pair)
        await asyncio.gather(self._pump(reader, other_writer), self._pump(other_reader, writer))
        self.pairs.discard(pair)

    async def _pump(self, reader, writer):
        try:
            while data := await reader.read(1 << 17):
                while self.frozen:
                    await asyncio.sleep(0.05)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.close()

    def cut(self):
        def close():
            for pair in list(self.pairs):
                for w in pair:
                    w.transport.abort()
        self.loop.call_soon_threadsafe(close)


# --------------------------------------------------------------------------------------- the service

class Instance:
    def __init__(self, name, base, build, url, tg=None):
        self.name, self.port = name, free_port()
        self.spool = base / f"spool-{name}"
        self.log = base / f"{name}.log"
        self.build = build
        self.env = {"PATH": os.environ["PATH"], "DATABASE_URL": url, "INGEST_KEY": KEY, "PORT": str(self.port),
                    "BIND": "127.0.0.1", "SPOOL_DIR": str(self.spool), "SPOOL_MAX_BYTES": "48MiB",
                    "ERROR_ALERT_COOLDOWN": "86400", "GROUP_ROWS_PER_MINUTE": "0", "BOT_LANGUAGE": "en",
                    "ASAN_OPTIONS": "detect_leaks=1:exitcode=99"}
        if tg:
            self.env.update(TELEGRAM_BOT_TOKEN=telegram.TOKEN, TELEGRAM_API_URL=tg.url, ERROR_ALERT_CHAT_ID=str(CHAT))
        self.process = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([str(self.build / "bot/nabat")], env=self.env, cwd="/tmp", stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as a:
            return a.read().decode()

    def post(self, event):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/api/events", json.dumps(event).encode(),
                                         {"Authorization": "Bearer " + KEY})
        with urllib.request.urlopen(request, timeout=20) as a:
            return a.status

    def health(self):
        try:
            return json.loads(self.get("/health"))
        except (OSError, ValueError):
            return {"status": "none", "parts": {}}

    def metric(self, name):
        for line in self.get("/metrics").splitlines():
            if line.startswith(name + " "):
                return int(line.split()[1])
        return 0

    def private_kib(self):
        total = 0
        with open(f"/proc/{self.process.pid}/smaps_rollup", encoding="ascii") as f:
            for line in f:
                if line.startswith("Private_"):
                    total += int(line.split()[1])
        return total

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))
