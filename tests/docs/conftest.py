"""conftest.py -- the documents, cut into their code blocks; and the harness of tests/clients."""
import pathlib
import re
import sys
import textwrap
from dataclasses import dataclass

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import *  # noqa: E402,F401,F403
from harness import ROOT  # noqa: E402

DOCUMENTS = sorted([*ROOT.glob("README*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("clients/*/README.md"),
                    *ROOT.glob("examples/README.md")])
FENCE = re.compile(r"(?:^[ ]*<!-- (not run|file|answer): ([^>]+) -->\n)?^([ ]*)```([\w-]*)\n(.*?)^\3```$", re.M | re.S)


@dataclass
class Block:
    line: int
    language: str
    text: str
    mark: str   # "", "not run", "file" or "answer"
    why: str    # the reason, the file's name, whose answer


def name_of(document):
    return str(document.relative_to(ROOT))


def blocks_of(document):
    text = document.read_text()
    return [Block(text[:m.start(3)].count("\n") + 1, m.group(4), textwrap.dedent(m.group(5)), m.group(1) or "",
                  (m.group(2) or "").strip()) for m in FENCE.finditer(text)]
