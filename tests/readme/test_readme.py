"""test_readme.py -- the README says what is: its settings table, its commands, its links, its picture."""
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))
from conftest import *  # noqa: E402,F401,F403
from conftest import BUILD, CHAT, KEY, wait  # noqa: E402

README = (ROOT / "README.md").read_text()


def test_settings_table_is_the_code_s():
    out = subprocess.run([BUILD / "bot/nabat", "--env-example"], capture_output=True, text=True,
                         env={"ASAN_OPTIONS": "detect_leaks=0"}).stdout
    settings = re.findall(r"^# (.*)\n#([A-Z_]+)=(.*)$", out, re.M)
    assert len(settings) > 20
    for help_text, name, preset in settings:
        row = f"| `{name}` | {'`' + preset + '`' if preset else 'none'} | {help_text} |"
        assert row in README, row


def test_links_and_files_exist():
    for target in re.findall(r"\]\(([^)#]+)\)|src=\"([^\"]+)\"", README):
        path = target[0] or target[1]
        assert path.startswith("http") or (ROOT / path).exists(), path
    for program in ("run", "test", ".ci/run", "deploy/demo.sh"):
        assert os.access(ROOT / program, os.X_OK), program


def test_commands_of_the_first_screen(service, tg, db):
    s = service(tg=tg)
    curl = re.search(r"^(curl .*)$", README, re.M).group(1).replace(":8080", f":{s.port}")
    done = subprocess.run(["bash", "-c", curl], env={**os.environ, "KEY": KEY}, capture_output=True,
                          text=True)
    assert '"ids"' in done.stdout, done.stderr
    tg.wait(lambda: tg.sent(CHAT), 5, "the alert")
    sql = re.search(r"```sql\n(.*?)```", README, re.S).group(1)
    insert, update, select = [line for line in sql.splitlines() if line]
    db.sql(insert)
    tg.wait(lambda: len(tg.sent(CHAT)) == 2, 5, "the alert from SQL")
    db.sql(update)
    wait(lambda: db.one("SELECT status FROM error_group WHERE id = 1") == "resolved", 3)
    assert len(db.sql(select)) == 1
    event = re.search(r"```json\n(.*?)```", README, re.S).group(1).replace("32 hex", "a" * 32)
    answer = s.post(event.encode())
    assert answer.status == 200 and "warnings" not in answer.json, answer.body


def test_help_of_run_and_test():
    for program in ("run", "test"):
        done = subprocess.run([ROOT / program, "--help"], capture_output=True, text=True)
        assert done.returncode == 0 and "./" + program in done.stdout
        done = subprocess.run([ROOT / program, "--nonsense"], capture_output=True, text=True)
        assert done.returncode == 2 and "--nonsense" in done.stderr
