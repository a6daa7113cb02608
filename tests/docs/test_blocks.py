"""test_blocks.py -- every code block of every document is executed, or says why not.

A document's blocks run in their order, against a service and a chat of its own:

    sh       bash, with the programs on PATH and KEY, NABAT_DSN, DATABASE_URL set; fails with the first command that does
    sql      psql
    python   one program of all the document's blocks, with the client and the frameworks of the examples
    chat     each line is said in the alert chat; the answer may not be how to do it right
    json     JSON; marked as an answer it is what the sh block before it printed
    env      settings, which nabat must take
    c        compiled, linked, run      html, yaml   parsed, scripts checked      text   a picture or an output
"""
import html.parser
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from conftest import BUILD, CHAT, DOCUMENTS, KEY, OWNER, ROOT, TEAM, blocks_of, name_of, wait

NOT_CODE = {"text"}
EXAMPLES_VENV = ROOT / "build-sdk/examples"
WITH_BLOCKS = [d for d in DOCUMENTS if any(b.language not in NOT_CODE for b in blocks_of(d))]


@pytest.fixture(scope="module")
def python():
    """The examples' own environment: made by the script that makes it for a reader."""
    subprocess.run(["bash", "-c", ". examples/lib.sh; python_of_examples"], cwd=ROOT, check=True,
                   env={**os.environ, "NABAT_EXAMPLES_VENV": str(EXAMPLES_VENV), "NABAT_DSN": "http://k@127.0.0.1:9/1"})
    return EXAMPLES_VENV / "bin/python"


class Reader:
    """Somebody who follows a document word by word."""

    def __init__(self, service, db, tg, folder, python):
        self.service, self.db, self.tg, self.folder, self.python = service, db, tg, folder, python
        self.printed = ""
        self.programs = []
        for name in ("clients", "examples", "deploy", "docs"):
            (folder / name).symlink_to(ROOT / name)
        (folder / "build").symlink_to(BUILD)
        dsn = f"http://{KEY}@127.0.0.1:{service.port}/1"
        self.env = {**os.environ, "KEY": KEY, "INGEST_KEY": KEY, "NABAT_DSN": dsn, "DATABASE_URL": db.url,
                    "PORT": str(service.port), "XDG_STATE_HOME": str(folder / "state"), "ASAN_OPTIONS": "detect_leaks=0",
                    "NABAT_EXAMPLES_VENV": str(EXAMPLES_VENV), "PYTHONDONTWRITEBYTECODE": "1",
                    "PUBLIC_URL": f"http://127.0.0.1:{service.port}", "BOT_TOKEN": "",
                    "PATH": ":".join([*(str(BUILD / d) for d in ("bot", "prune", "clients/nabat-log")), os.environ["PATH"]])}

    def here(self, text):
        """The document's address and key are the test's."""
        return text.replace("127.0.0.1:8080", f"127.0.0.1:{self.service.port}").replace("//KEY@", f"//{KEY}@")

    def run(self, command, text="", **env):
        done = subprocess.run(command, input=text, cwd=self.folder, env={**self.env, **env}, capture_output=True, text=True,
                              timeout=300)
        assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done.stdout

    def sh(self, text):
        # in the foreground of one shell, so that what a block exports is there for the next
        self.printed = self.run(["bash", "-euo", "pipefail", "-c", self.exports() + self.here(text) + "\nexport -p >.exports"])

    def exports(self):
        kept = self.folder / ".exports"
        return kept.read_text() if kept.exists() else ""

    def sql(self, text):
        self.db.sql("DO $$ BEGIN CREATE ROLE joe; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
        self.db.sql("DO $$ BEGIN CREATE ROLE nabat_service; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
        # channels are addresses of other people's servers: switched off in the same transaction
        quiet = "UPDATE alert_channel SET enabled = false;" if "alert_channel" in text else ""
        once = ["-1"] if quiet else []
        self.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *once, "-f", "-", self.db.url], text + quiet)

    def chat(self, text):
        self.tg.add_chat(-1001234567890, {OWNER: "creator", TEAM: "member"})  # a chat and a channel that rules name
        if "channel:oncall" in text and not self.db.one("SELECT count(*) FROM alert_channel"):
            self.db.sql("INSERT INTO alert_channel (name, kind, url, enabled) VALUES ('oncall', 'webhook', 'http://127.0.0.1:9/', false)")
        for line in text.splitlines():
            before = len(self.tg.sent(CHAT))
            self.tg.push_message(CHAT, OWNER, self.here(line))
            self.tg.wait(lambda: len(self.tg.sent(CHAT)) > before, 15, f"an answer to {line}")
            answer = self.tg.sent(CHAT)[-1]["text"]
            for wrong in ("Use it like this", "There is no", "That is not", "can't be read", "is unknown"):
                assert wrong not in answer, f"{line}: {answer}"
            assert not line.startswith("/rules add") or "is set" in answer, f"{line}: {answer}"

    def answer(self, text):
        assert json.loads(self.printed) == json.loads(text)

    def env_file(self, text):
        path = self.folder / "settings.env"
        path.write_text(text)
        names = re.findall(r"^(\w+)=", text, re.M)
        env = {"PATH": os.environ["PATH"], "ASAN_OPTIONS": "detect_leaks=0", "DATABASE_URL": self.db.url}
        env = {k: v for k, v in env.items() if k not in names}
        done = subprocess.run([BUILD / "bot/nabat", "--env-file", path, "--dsn"], env=env, capture_output=True, text=True,
                              timeout=60, cwd=self.folder)
        assert done.returncode != 2, done.stderr  # 2: it does not take one of them; 1: that database is nobody's
        assert names and "setting is unknown" not in done.stderr and "not yet" not in done.stderr, done.stderr

    def c(self, text):
        source, program = self.folder / "block.c", self.folder / "block"
        source.write_text(text)
        self.run(["gcc", "-Wall", "-Wextra", "-Werror", "-I", "clients/c", source, "-o", program, "-lcurl"])
        self.run([program])

    def html(self, text):
        scripts = re.findall(r"<script>(.*?)</script>", text, re.S)
        html.parser.HTMLParser().feed(text)
        for script in scripts:
            path = self.folder / "block.js"
            path.write_text(script)
            self.run(["node", "--check", path])

    def file(self, name, text):
        (self.folder / name).write_text(self.here(text))

    def end(self):
        """The document's Python, as one program."""
        if self.programs:
            path = self.folder / "blocks.py"
            path.write_text("\n".join(self.programs) + "\n\nimport sys\nif 'nabat' in sys.modules:\n"
                            "    import nabat\n    assert nabat.flush(10) and not nabat.stats().get('spooled')\n")
            self.run([self.python, path])


@pytest.mark.parametrize("document", WITH_BLOCKS, ids=name_of)
def test_blocks(document, service, db, tg, tmp_path, python):
    reader = Reader(service(tg=tg, env={"WATCH_BOT_TOKENS": None}), db, tg, tmp_path, python)
    reader.service.post({"message": "something to look at", "severity": "error"})
    wait(lambda: db.one("SELECT count(*) FROM error_group"), 10)
    runs = {"sh": reader.sh, "sql": reader.sql, "chat": reader.chat, "json": json.loads, "env": reader.env_file, "c": reader.c,
            "html": reader.html, "yaml": lambda text: yaml.safe_load(reader.here(text)),
            "python": lambda text: reader.programs.append(reader.here(text))}
    for block in blocks_of(document):
        where = f"{name_of(document)}:{block.line} [{block.language}]"
        if block.mark == "not run" or block.language in NOT_CODE:
            continue
        try:
            if block.mark == "file":
                reader.file(block.why, block.text)
            elif block.mark == "answer":
                reader.answer(block.text)
            else:
                runs[block.language](block.text)
        except Exception as e:
            pytest.fail(f"{where}: {e}")
    reader.end()


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_blocks_say_what_they_are(document):
    known = {"sh", "sql", "python", "chat", "json", "env", "c", "html", "yaml", "text"}
    text = document.read_text()
    blocks = blocks_of(document)
    assert len(re.findall(r"^ *```", text, re.M)) == 2 * len(blocks), "a fence without its other half"
    for block in blocks:
        assert block.language in known, f"{name_of(document)}:{block.line}: ```{block.language}"
        assert block.mark != "not run" or len(block.why) > 10, f"{name_of(document)}:{block.line}: no reason"
