"""test_sdks.py -- real SDKs from package registries, unchanged: only their DSN points here.

Each SDK's program (a folder beside this file) runs one step at a time, as the SDK's documentation
starts it; then every field of the stored row is looked at. What it takes to build them is kept in
build-sdk/. A tool that a machine lacks skips its SDK by name; NABAT_SDKS_ALL=1 forbids that.
"""
import http.server
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.parse

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))
from conftest import *  # noqa: E402,F401,F403
from conftest import KEY, Database, Service, free_port, wait  # noqa: E402,F401

HERE = pathlib.Path(__file__).resolve().parent
KEPT = ROOT / "build-sdk"
PYTHON_SDK, NODE_10, NODE_7, RAVEN, BROWSER = "2.75.0", "10.78.0", "7.120.4", "2.6.4", "10.78.0"
ESBUILD, JAVA_SDK, NATIVE_CRATE = "0.28.2", "8.62.0", "0.3.1"
CHROMIUM = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--virtual-time-budget=5000", "--dump-dom"]


def need(*tools):
    missing = [t for t in tools if not shutil.which(t)]
    if missing and os.environ.get("NABAT_SDKS_ALL"):
        pytest.fail(f"{', '.join(missing)}: not on this machine")
    if missing:
        pytest.skip(f"{', '.join(missing)}: not on this machine")


def sh(*command, cwd=None, env=None, timeout=600):
    r = subprocess.run([str(c) for c in command], cwd=cwd, env={**os.environ, **(env or {})}, timeout=timeout,
                       capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert r.returncode == 0, f"{command}: {r.stdout[-1500:]}{r.stderr[-3000:]}"
    return r.stdout


def once(name, make):
    """A folder under build-sdk/ made by make(folder), once: what was interrupted is made anew."""
    folder = KEPT / name
    if not (folder / ".made").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        make(folder)
        (folder / ".made").touch()
    return folder


# ------------------------------------------------------------------- how each is installed and started

def venv(name, *packages):
    def make(folder):
        sh("/usr/bin/python3", "-m", "venv", folder)
        sh(folder / "bin/pip", "install", "-q", "--disable-pip-version-check", *packages)
    return once(name, make) / "bin/python"


def npm(name, *packages):
    need("node", "npm")
    def make(folder):
        (folder / "package.json").write_text('{"private": true}')
        sh("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *packages, cwd=folder)
    return once(name, make)


def python(step):
    return [venv("python", f"sentry-sdk=={PYTHON_SDK}"), HERE / "python/send.py", step], {}


def python_brotli(step):
    return [venv("python-brotli", f"sentry-sdk=={PYTHON_SDK}", "brotli"), HERE / "python/send.py", step], {}


def python_debian(step):
    return ["/usr/bin/python3", HERE / "python/send.py", step], {}


def node10(step):
    folder = npm("node10", f"@sentry/node@{NODE_10}")
    return ["node", HERE / "node/send.js", step], {"NODE_PATH": folder / "node_modules"}


def node7(step):
    folder = npm("node7", f"@sentry/node@{NODE_7}")
    return ["node", HERE / "node/send.js", step], {"NODE_PATH": folder / "node_modules"}


def raven(step):
    folder = npm("raven", f"raven@{RAVEN}")
    return ["node", HERE / "raven/send.js", step], {"NODE_PATH": folder / "node_modules"}


def go(step):
    need("go")
    def make(folder):
        sh("go", "build", "-o", folder / "send", ".", cwd=HERE / "go")
    return [once("go", make) / "send", step], {}


def rust(step):
    need("cargo")
    def make(folder):
        sh("cargo", "build", "-q", "--locked", cwd=HERE / "rust", env={"CARGO_TARGET_DIR": str(folder)}, timeout=900)
    return [once("rust", make) / "debug/sdk", step], {"RUST_BACKTRACE": "0"}


def java(step):
    need("java", "javac", "mvn")
    def make(folder):
        sh("mvn", "-q", "-B", "dependency:copy", f"-Dartifact=io.sentry:sentry:{JAVA_SDK}",
           f"-DoutputDirectory={folder}", cwd=folder)
        jar = folder / f"sentry-{JAVA_SDK}.jar"
        sh("javac", "-proc:none", "-cp", jar, "-d", folder / "out", HERE / "java/Send.java")
    folder = once("java", make)
    return ["java", "-cp", f"{folder}/sentry-{JAVA_SDK}.jar:{folder}/out", "Send", step], {}


def ruby(step):
    need("ruby")
    return ["ruby", HERE / "ruby/send.rb", step], {}


def native_build(folder):
    """The C sources come with a crate; they are built as sentry-native's own README says."""
    (folder / "src").mkdir()
    (folder / "src/lib.rs").touch()
    (folder / "Cargo.toml").write_text('[package]\nname = "fetch"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\n'
                                       f'sentry-contrib-native-sys = "={NATIVE_CRATE}"\n')
    sh("cargo", "vendor", "-q", "vendor", cwd=folder)
    source = folder / "vendor/sentry-contrib-native-sys/sentry-native"
    sh("cmake", "-S", source, "-B", folder / "build", "-DSENTRY_BACKEND=inproc", "-DSENTRY_TRANSPORT=curl",
       "-DSENTRY_BUILD_TESTS=OFF", "-DSENTRY_BUILD_EXAMPLES=OFF", "-DCMAKE_BUILD_TYPE=RelWithDebInfo")
    sh("cmake", "--build", folder / "build", "-j2")
    sh("gcc", "-g", "-rdynamic", f"-I{source}/include", HERE / "native/send.c", f"-L{folder}/build", "-lsentry",
       f"-Wl,-rpath,{folder}/build", "-o", folder / "send")


def native(step):
    need("cargo", "cmake", "gcc")
    folder = once("native", native_build)
    return [folder / "send", step], {"STATE_FOLDER": tempfile.mkdtemp(prefix="state-", dir=KEPT)}


@pytest.fixture(scope="module")
def page():
    """The origin that the page comes from: another than the service's."""
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def __init__(self, *args, **kwargs):
            super().__init__(*args, directory=str(KEPT / "browser/www"), **kwargs)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def browser_build():
    need("node", "npm", "chromium")
    folder = npm("browser", f"@sentry/browser@{BROWSER}", f"esbuild@{ESBUILD}")
    if not (folder / "www/app.js").exists() or (folder / "www/app.js").stat().st_mtime < (HERE / "browser/app.js").stat().st_mtime:
        sh("node", folder / "node_modules/esbuild/install.js", cwd=folder / "node_modules/esbuild")
        sh(folder / "node_modules/.bin/esbuild", HERE / "browser/app.js", "--bundle", "--format=iife",
           f"--outfile={folder}/www/app.js", cwd=folder, env={"NODE_PATH": str(folder / "node_modules")})
        (folder / "www/index.html").write_text('<!doctype html><meta charset="utf-8"><script src="app.js"></script>')


# ----------------------------------------------------------------------------------- what is expected

CAUSE_PY = "The above exception was the direct cause of the following exception:"

# name: how it starts, its origin, and for each step what must be in the row; stack: parts of the text
SDKS = {
    "python": (python, "python", {
        "unhandled": {"severity": "critical", "type": "ZeroDivisionError", "message": "division by zero",
                      "stack": ["Traceback (most recent call last):", "in pay\n    return amount / (0 * len(password))"]},
        "message": {"severity": "info", "message": "hello from here"},
        "chained": {"severity": "error", "type": "RuntimeError", "message": "cannot load the card",
                    "stack": ["KeyError: 'card'\n\n" + CAUSE_PY, "raise RuntimeError(\"cannot load the card\") from e"]},
        "scope": {"severity": "error", "type": "ZeroDivisionError", "scope": True},
        "attachment": {"severity": "info", "message": "with a file", "file": ("bot.log", 13)},
        "checkin": {},
    }),
    "node": (node10, "node", {
        "unhandled": {"severity": "critical", "type": "TypeError", "message": "Cannot read properties of null (reading 'total')",
                      "stack": ["TypeError: Cannot read", "    at pay ("]},
        "message": {"severity": "info", "message": "hello from here"},
        "chained": {"severity": "error", "type": "Error", "message": "cannot load the card",
                    "stack": ["Error: cannot load the card", "  [cause]: RangeError: no card"]},
        "scope": {"severity": "error", "type": "TypeError", "scope": True},
        "feedback": {"severity": "info", "message": "something is odd", "feedback": True},
        "checkin": {},
    }),
    "go": (go, "go", {
        "unhandled": {"severity": "critical", "type": "runtime.plainError", "message": "assignment to entry in nil map",
                      "stack": ["goroutine 1 [running]:", "main.pay(...)\n\t"]},
        "message": {"severity": "info", "message": "hello from here"},
        "chained": {"severity": "error", "type": "*fmt.wrapError", "message": "cannot load the card: no card",
                    "stack": ["Caused by: *errors.errorString: no card"]},
        "scope": {"severity": "error", "type": "*main.cardError", "scope": True},
        "checkin": {},
    }),
    "rust": (rust, "rust", {
        "unhandled": {"severity": "critical", "type": "panic", "message": "index out of bounds: the len is 3 but the index is 7",
                      "stack": ["stack backtrace:", ": sdk::pay\n"], "culprit": "sdk::pay in main.rs"},
        "message": {"severity": "info", "message": "hello from here"},
        "chained": {"severity": "error", "type": "LoadError", "message": "cannot load the card",
                    "stack": ["Caused by: NoCard: no card"]},
        "scope": {"severity": "error", "type": "NoCard", "scope": True},
        "checkin": {},
    }),
    "java": (java, "java", {
        "unhandled": {"severity": "critical", "type": "NullPointerException", "stack": ["java.lang.NullPointerException: ", "\tat Send.pay(Send.java:"]},
        "message": {"severity": "info", "message": "hello from here"},
        "chained": {"severity": "error", "type": "Send$CardException", "message": "cannot load the card",
                    "stack": ["Caused by: java.lang.NumberFormatException: For input string: \"no card\"", "\tat Send.load(Send.java:"]},
        "scope": {"severity": "error", "type": "NullPointerException", "scope": True},
        "feedback": {"severity": "info", "message": "something is odd", "feedback": True},
        "checkin": {},
    }),
    "ruby": (ruby, "ruby", {
        "unhandled": {"severity": "critical", "type": "ZeroDivisionError", "message": "divided by 0",
                      "stack": [":in `/': divided by 0 (ZeroDivisionError)\n\tfrom ", ":in `pay'"]},
        "message": {"severity": "info", "message": "hello from here"},
        "chained": {"severity": "error", "type": "CardError", "message": "cannot load the card",
                    "stack": ["cannot load the card (CardError)", "key not found: :card (KeyError)"]},
        "scope": {"severity": "error", "type": "ZeroDivisionError", "scope": True},
    }),
    "raven": (raven, "node", {
        "unhandled": {"severity": "critical", "type": "TypeError", "stack": ["TypeError: Cannot read", "pay ("]},
        "message": {"severity": "info", "message": "hello from here"},
        "chained": {"severity": "error", "type": "Error", "message": "Error: cannot load the card"},  # it sends no causes
        "scope": {"severity": "error", "type": "TypeError", "scope": True},
    }),
    "native": (native, "native", {
        "unhandled": {"severity": "critical", "type": "SIGSEGV", "message": "Segfault", "stack": ["#0", " in "]},
        "message": {"severity": "info", "message": "hello from here"},
        "scope": {"severity": "error", "type": "CardError", "scope": True},
    }),
}
SDKS["python-brotli"] = (python_brotli, "python", SDKS["python"][2])
SDKS["python-debian"] = (python_debian, "python", {k: v for k, v in SDKS["python"][2].items() if k != "checkin"})
SDKS["node7"] = (node7, "node", {k: v for k, v in SDKS["node"][2].items() if k != "feedback"})
BROWSER_STEPS = {
    "unhandled": {"severity": "error", "type": "TypeError", "message": "Cannot read properties of null (reading 'total')",
                  "stack": ["    at pay (http://127.0.0.1:"]},
    "message": {"severity": "info", "message": "hello from here"},
    "chained": {"severity": "error", "type": "Error", "message": "cannot load the card",
                "stack": ["  [cause]: RangeError: no card"]},
    "scope": {"severity": "error", "type": "TypeError", "scope": True},
    "feedback": {"severity": "info", "message": "something is odd", "feedback": True},
}


@pytest.fixture(scope="module")
def shared(cluster):
    KEPT.mkdir(exist_ok=True)
    d = Database(cluster)
    s = Service(d).ready()
    s.dsn = f"http://{KEY}@127.0.0.1:{s.port}/1"
    yield s
    s.close()
    d.drop()


COLUMNS = ("event_id, origin, severity, exception_type, message, stacktrace, tags, user_id, chat_id, breadcrumbs, "
           "environment, release, payload, group_id")


def stored(s, release):
    rows = wait(lambda: s.db.sql(f"SELECT {COLUMNS} FROM bot_error_event WHERE release = %s", release), 20, release)
    assert len(rows) == 1, rows
    return dict(zip((c.strip() for c in COLUMNS.split(",")), rows[0]))


def check(s, release, origin, want):
    row = stored(s, release)
    assert (row["origin"], row["severity"], row["environment"]) == (origin, want["severity"], "staging"), row
    assert row["exception_type"] == want.get("type"), row
    if "message" in want:
        assert row["message"] == want["message"]
    for part in want.get("stack", []):
        assert part in row["stacktrace"], row["stacktrace"]
    if "culprit" in want:
        assert s.db.one("SELECT culprit FROM error_group WHERE id = %s", row["group_id"]) == want["culprit"]
    if want.get("scope"):
        assert row["tags"]["plan"] == "pro" and row["chat_id"] == -100777 and row["user_id"] == "42"
        assert "step one" in [c.get("message") for c in row["breadcrumbs"]]
        assert row["payload"]["user"]["email"] == "ann@example.org"
    if want.get("feedback"):
        said = wait(lambda: s.db.sql("SELECT name, email, message FROM user_feedback WHERE event_id = %s", row["event_id"]),
                    10, "the words")
        assert said == [("Ann", "ann@example.org", "it broke")]
    if "file" in want:
        assert s.db.sql("SELECT name, length(body) FROM event_attachment WHERE event_id = %s", row["event_id"]) == [want["file"]]
    text = str(row)
    assert "hunter2" not in text


def check_monitor(s, slug):
    wait(lambda: s.db.sql("SELECT last_status FROM monitor WHERE slug = %s", slug) == [("ok",)], 20, slug)
    assert s.db.sql("SELECT schedule, timezone, next_at > now() FROM monitor WHERE slug = %s", slug) == [
        ("*/5 * * * *", "Europe/Moscow", True)]
    assert s.db.sql("SELECT c.status FROM monitor_checkin c JOIN monitor m ON m.id = c.monitor_id WHERE m.slug = %s "
                    "AND c.status <> 'ok'", slug) == []


CASES = [(name, step) for name, (_, _, steps) in SDKS.items() for step in steps]


@pytest.mark.parametrize("name, step", CASES, ids=["-".join(c) for c in CASES])
def test_sdk(shared, name, step):
    start, origin, steps = SDKS[name]
    release = f"{name}-{step}@1.0.0"
    command, env = start(step)
    env = {**os.environ, "SENTRY_DSN": shared.dsn, "APP_RELEASE": release, **{k: str(v) for k, v in env.items()}}
    r = subprocess.run([str(c) for c in command], env=env, timeout=90, capture_output=True, text=True,
                       stdin=subprocess.DEVNULL, cwd=KEPT)
    if name == "native" and step == "unhandled":  # it is sent by the next start
        assert r.returncode != 0
        subprocess.run([str(command[0]), "none"], env={**env, "APP_RELEASE": "native-next@1"}, timeout=60, check=True, cwd=KEPT)
    if step == "checkin":
        check_monitor(shared, origin + "-job")
        shared.db.sql("DELETE FROM monitor WHERE slug = %s", origin + "-job")
    else:
        try:
            check(shared, release, origin, steps[step])
        except AssertionError as e:
            raise AssertionError(f"{e}\n{r.stdout[-500:]}{r.stderr[-1500:]}") from None


@pytest.mark.parametrize("step", BROWSER_STEPS)
def test_browser(shared, page, step):
    browser_build()
    release = f"browser-{step}@1.0.0"
    query = urllib.parse.urlencode({"step": step, "dsn": shared.dsn, "release": release})
    with tempfile.TemporaryDirectory(prefix="chromium-", dir=KEPT) as profile:
        subprocess.run([*CHROMIUM, f"--user-data-dir={profile}", f"http://127.0.0.1:{page}/index.html?{query}"],
                       timeout=90, capture_output=True, stdin=subprocess.DEVNULL, check=True)
    check(shared, release, "browser", BROWSER_STEPS[step])


def test_crash_free_sessions_came_along(shared):
    """Node and the browser send sessions once there is a release; nobody asked them to."""
    need("node", "npm", "chromium")
    rows = dict(shared.db.sql("SELECT release, crash_free_percent::float FROM release_health"))
    assert [rows.get(r) for r in ("node-unhandled@1.0.0", "browser-unhandled@1.0.0")] == [0, 0], rows
