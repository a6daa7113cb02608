"""test_lists.py -- what there is, and what the documents say there is: settings, routes, relations, commands, flags.

Metrics and log messages are compared in tests/integration (test_monitoring, test_logs)."""
import os
import re
import subprocess

import pytest
import yaml

from conftest import BUILD, CHAT, KEY, ROOT, wait

README = (ROOT / "README.md").read_text()
DOCS = ROOT / "docs"


def told(program, *flags):
    return subprocess.run([BUILD / program, *flags], capture_output=True, text=True,
                          env={"ASAN_OPTIONS": "detect_leaks=0"}).stdout


def test_settings():
    settings = re.findall(r"^# (.*)\n#([A-Z_]+)=(.*)$", told("bot/nabat", "--env-example"), re.M)
    assert len(settings) > 20
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*?) \| (.*) \|$", README, re.M)
    assert rows == [(name, f"`{preset}`" if preset else "none", words) for words, name, preset in settings]


def routes_of_source():
    """The route table, and the table of Sentry's endpoints: (method, path) with what varies in braces."""
    service = (ROOT / "bot/service_health.c").read_text()
    found = set()
    for row in re.findall(r"\(struct http_route\)\s*\{(.*?)\};", service, re.S):
        path = re.search(r'\.path = "([^"]+)"', row)
        for method in re.findall(r"HTTP_([A-Z]+)(?= *[|,])", row):
            if path:
                found.add((method, path.group(1)))
    found |= {("GET", "/api/reports")} if "routes[14].methods |= HTTP_GET" in service else set()
    found |= {(method, "/beat/{key}") for method in ("GET", "POST") if "beat_path_matches" in service}
    found |= {("POST", path) for path in re.findall(r'json_route\("([^"]+)"', service)}
    more = {0: [""], 1: ["/{}"], 2: ["/{}/{}"]}
    for word, endpoint, least, most in re.findall(r'\{"([a-z-]+)", (SENTRY_\w+), (\d), (\d)\}',
                                                  (ROOT / "api/sentry_path.c").read_text()):
        found.add((word, endpoint))
        assert int(least) <= int(most) <= 3 and more
    return found


def routes_of_openapi():
    spec = yaml.safe_load((DOCS / "openapi.yaml").read_text())
    return {(method.upper(), path) for path, item in spec["paths"].items() for method in item if method in ("get", "post")}


def test_routes():
    source, documented = routes_of_source(), routes_of_openapi()
    plain = {(method, path) for method, path in documented if "{project}" not in path}
    assert plain == {(method, path) for method, path in source if path.startswith("/")}
    endpoints = {path.split("/")[3] for _, path in documented if "{project}" in path}
    assert endpoints == {word for word, path in source if path.startswith("SENTRY_")}
    page = set(re.findall(r"`(GET|POST) (/[^`]+)`", (DOCS / "reference-api.md").read_text()))
    assert page == documented


def names_in(section):
    """The first column of a page's tables: what is in `code`, without arguments."""
    rows = re.findall(r"^\| ((?:`[^`]+`[, ]*)+)\|", section, re.M)
    return {re.sub(r"\(.*", "", name) for row in rows for name in re.findall(r"`([^`]+)`", row)}


def test_relations_and_functions(service, db):
    service()
    page = (DOCS / "reference-database.md").read_text()
    tables, functions = page.split("## Functions")[0], page.split("## Functions")[1].split("## Nabat")[0]
    rest = page.split("## Nabat's own")[1]
    relations = {name for name, in db.sql("""SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
        AND c.relkind IN ('r', 'v', 'p') AND NOT c.relispartition""")}
    assert names_in(tables) | names_in(rest) == relations
    known = {name for name, in db.sql("""SELECT p.proname FROM pg_proc p LEFT JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
        WHERE p.pronamespace = 'public'::regnamespace AND d.objid IS NULL AND p.proname NOT LIKE 'nabat_%%'""")}
    assert names_in(functions) == known
    for view in ("bot_error_event", "error_group"):
        columns = re.search(rf"`{view}` \|[^`]*`([^`]+)`", tables).group(1).split()
        there = [name for name, in db.sql("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
                                          "AND NOT attisdropped ORDER BY attnum", view)]
        assert columns == there[:len(columns)] and (view == "error_group" or columns == there)


def test_commands(service, tg):
    commands = set(re.findall(r'^    \{"(\w+)", "', (ROOT / "bot/command.c").read_text(), re.M))
    assert len(commands) > 15
    for page in (DOCS / "chat.md", DOCS / "alerts.md", DOCS / "howto-projects.md", ROOT / "README.md"):
        named = set(re.findall(r"[`\s]/([a-z_]+)(?=[ `@\n])", page.read_text()))
        assert named - commands - {"metrics", "health", "telegram"} == set(), page
    chat = set(re.findall(r"`/([a-z_]+)", (DOCS / "chat.md").read_text()))
    assert commands <= chat, commands - chat


@pytest.mark.parametrize("program, path", [("nabat", "bot/nabat"), ("nabat-prune", "prune/nabat-prune"),
                                           ("nabat-log", "clients/nabat-log/nabat-log")])
def test_flags(program, path):
    page = (DOCS / "reference-programs.md").read_text().split(f"## `{program}`\n")[1].split("\n## ")[0]
    listed = {name.split()[0] for name in re.findall(r"`(--[a-z-]+[^`]*)`", page)}
    assert listed == set(re.findall(r"^  (--[a-z-]+)", told(path, "--help"), re.M))


def test_help_of_run_and_test():
    for program in ("run", "test"):
        done = subprocess.run([ROOT / program, "--help"], capture_output=True, text=True)
        assert done.returncode == 0 and "./" + program in done.stdout
        done = subprocess.run([ROOT / program, "--nonsense"], capture_output=True, text=True)
        assert done.returncode == 2 and "--nonsense" in done.stderr
    for program in ("run", "test", ".ci/run", "deploy/demo.sh"):
        assert os.access(ROOT / program, os.X_OK), program


def test_the_event_of_the_readme(service, db, tg):
    s = service(tg=tg)
    event = re.search(r"```json\n(.*?)```", README, re.S).group(1).replace("32 hex", "a" * 32)
    answer = s.post(event.encode())
    assert answer.status == 200 and "warnings" not in answer.json, answer.body
    tg.wait(lambda: tg.sent(CHAT), 5, "the alert")
    wait(lambda: db.one("SELECT handler FROM bot_error_event") == "providers.flux", 5)
    fields = set(re.findall(r'"(\w+)":', event)) - {"provider", "any", "value"}
    spec = yaml.safe_load((DOCS / "openapi.yaml").read_text())["components"]["schemas"]["Event"]["properties"]
    assert fields <= set(spec) and KEY
