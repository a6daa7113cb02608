"""conftest.py -- the documents, cut into their code blocks; and the harness of tests/clients."""
import importlib.util
import pathlib
import re
import sys
import textwrap
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / folder) for folder in ("integration", "sdk")]
_spec = importlib.util.spec_from_file_location("integration_conftest", ROOT / "tests/integration/conftest.py")
base = importlib.util.module_from_spec(_spec)
sys.modules["integration_conftest"] = base
_spec.loader.exec_module(base)
for _name in dir(base):
    if not _name.startswith("__") and _name not in globals():
        globals()[_name] = getattr(base, _name)

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
