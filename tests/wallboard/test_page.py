"""The page as it stands in its files: names, landmarks, and nothing that the policy forbids."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

BOARD = Path(__file__).parents[2] / "statserver_trio" / "wallboard"
MODULES = sorted(BOARD.glob("*.js"))
LINES_MAX = 400  # as of Python files: two concepts in one?
IMPORT = re.compile(r"^import (?:\{([^}]*)\}|(\w+)) from \"\./([^\"]+)\";$", re.MULTILINE)
# What a module that decides must not know; main.js and the views may.
WORLDLY = re.compile(r"\b(document|window|fetch|WebSocket|setTimeout|setInterval|localStorage)\b")
SANS_IO = ("protocol", "merging", "pair", "values", "catalogue", "states", "words", "history")
SANS_IO += ("thresholds", "alarms", "health", "settings")


class Page(HTMLParser):
    """What is of interest in index.html."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed((BOARD / "index.html").read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def of(self, *names: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in names]

    @property
    def ids(self) -> list[str]:
        return [str(attributes["id"]) for _, attributes in self.tags if "id" in attributes]


def test_nothing_on_the_page_is_forbidden_by_its_policy() -> None:
    page = Page()
    assert not page.of("style")
    assert all("src" in script for script in page.of("script"))
    for tag, attributes in page.tags:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag
    linked = [each["href"] for each in page.of("link")] + [s["src"] for s in page.of("script")]
    for address in linked:
        assert address is not None
        assert address.startswith("wallboard/"), "everything is ours"
        assert (BOARD / address.removeprefix("wallboard/")).is_file()


def test_landmarks_headings_and_labels() -> None:
    page = Page()
    assert [len(page.of(tag)) for tag in ("header", "main", "nav", "h1")] == [1, 1, 1, 1]
    assert page.of("html")[0]["lang"] == "en"
    assert len(page.ids) == len(set(page.ids))
    for section in page.of("section"):
        assert section["aria-labelledby"] in page.ids
    assert [attributes["id"] for _, attributes in page.tags if "aria-live" in attributes] == [
        "announcements"
    ], "only alarms are read out"
    roles = {
        attributes["id"]: attributes["role"] for _, attributes in page.tags if "role" in attributes
    }
    assert roles == {"trouble": "alert"}, "and at once what is wrong with everything"
    assert page.of("a")[0]["href"] == "#queues", "the keyboard's first stop leads past the strip"


def test_every_place_that_a_module_looks_for_is_on_the_page() -> None:
    ids = set(Page().ids)
    for path in MODULES:
        for name in re.findall(r"\bfind\(\"([\w-]+)\"\)", path.read_text(encoding="utf-8")):
            assert name in ids, f"{path.name} looks for {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_a_module_is_small_explained_and_finds_what_it_imports(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("// "), "a module says what it is for"
    assert text.count("\n") <= LINES_MAX
    assert max(map(len, text.splitlines())) <= 100
    for names, _, target in IMPORT.findall(text):
        other = (BOARD / target).read_text(encoding="utf-8")
        for name in filter(None, (each.strip() for each in names.split(","))):
            assert re.search(rf"^export .*\b{name}\b", other, re.MULTILINE), f"{name} of {target}"
            assert len(re.findall(rf"\b{name}\b", text)) > 1, f"{name} is not used"


@pytest.mark.parametrize("name", SANS_IO)
def test_what_decides_knows_no_browser(name: str) -> None:
    text = (BOARD / f"{name}.js").read_text(encoding="utf-8")
    code = re.sub(r"//.*|(?s:/\*.*?\*/)", "", text)
    assert not WORLDLY.findall(code)
