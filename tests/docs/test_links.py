"""test_links.py -- every link and picture of every document leads somewhere; every page is found from the index."""
import re

import pytest

from conftest import DOCUMENTS, ROOT, name_of

LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")


def prose(document):
    return re.sub(r"^ *```.*?^ *```$", "", document.read_text(), flags=re.M | re.S)


def anchors(path):
    """As the field's hosts make them of headings."""
    found = set()
    for heading in re.findall(r"^#+ (.+)$", prose(path), re.M):
        text = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        found.add(slug if slug not in found else f"{slug}-1")
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links(document):
    for match in LINK.finditer(prose(document)):
        target = match.group(1) or match.group(2)
        if re.match(r"https?://|mailto:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        assert file.exists(), f"{target}: no such file"
        assert ROOT in file.parents, f"{target}: outside of the tree"
        if anchor:
            assert file.suffix == ".md" and anchor in anchors(file), f"{target}: no such heading"


def test_every_page_is_in_the_index():
    index = (ROOT / "docs/README.md").read_text()
    for document in ROOT.glob("docs/*.md"):
        if document.name != "README.md":
            assert f"({document.name}" in index, document.name


def test_languages_stay_together():
    """The Russian pages have the sections, blocks and settings that the English ones have."""
    for english, russian in (("README.md", "README.ru.md"), ("docs/tutorial.md", "docs/tutorial.ru.md")):
        first, second = ((ROOT / name).read_text() for name in (english, russian))
        for what in (r"^(#+) ", r"^ *```(\w+)", r"^\| `([A-Z_]+)` \| ([^|]+) \|", r"^(?:\d)\. "):
            assert re.findall(what, first, re.M) == re.findall(what, second, re.M), (russian, what)
