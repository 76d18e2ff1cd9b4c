"""The fenced blocks of README.md and docs/, and what is to be done with each.

A block says what it is behind its fence: ``sh`` is run, ``python`` is run against a server,
``toml`` is read by the configuration's loader, ``json`` by the protocol's decoders, ``jsonl`` by
that of the feed; ``yaml`` is for other programs, and read; ``js`` is a program of Node.js.
``text`` is what a program said, or a picture; it may hold no command.

* ``title="orders.py"`` is a file: it is written down, and what follows on the page may use it.
* A first line ``# takes minutes`` is for readers and for us: ``test_long_snippets.py`` runs such a
  block, in a fresh checkout.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).parent.parent.parent
KINDS = ("sh", "python", "toml", "json", "jsonl", "yaml", "js", "text")
LONG = "# takes minutes"

_FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,})(?P<info>[^\n`]*)$")
_TITLE = re.compile(r'title="([^"]+)"')


@frozen
class Block:
    """One of them; ``line`` is that of its fence."""

    page: str
    line: int
    info: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def kind(self) -> str:
        return self.info.split(" ")[0]

    @property
    def title(self) -> str | None:
        """The name of the file that it is."""
        found = _TITLE.search(self.info)
        return found[1] if found else None

    @property
    def is_written(self) -> bool:
        """Whether it is a file that the reader writes, and none that comes along."""
        return self.kind != "json" and self.title is not None and not (ROOT / self.title).exists()

    @property
    def is_long(self) -> bool:
        """Whether it takes minutes; the page says so."""
        return self.text.startswith(LONG)


def pages() -> list[str]:
    """README, and everything below docs/ that a person wrote."""
    written = sorted((ROOT / "docs").rglob("*.md"))
    return ["README.md", *(str(path.relative_to(ROOT)) for path in written)]


def blocks(page: str) -> list[Block]:
    """Those of a page, in order."""
    return list(_blocks(page, (ROOT / page).read_text(encoding="utf-8")))


def _blocks(page: str, text: str) -> Iterator[Block]:
    opened: re.Match[str] | None = None
    inside: list[str] = []
    start = 0
    for number, line in enumerate(text.split("\n"), 1):
        found = _FENCE.match(line)
        if opened is None:
            if found:
                opened, inside, start = found, [], number
        elif found and found["fence"] == opened["fence"] and not found["info"]:
            yield Block(page, start, opened["info"].strip(), "".join(f"{x}\n" for x in inside))
            opened = None
        else:
            inside.append(line.removeprefix(opened["indent"]))
    assert opened is None, f"{page}:{start}: a fence that is never closed"


def commands(text: str) -> list[str]:
    """The commands of a shell block, each in one piece however many lines it has."""
    found: list[str] = []
    for line in text.splitlines():
        if found and found[-1].endswith("\\"):
            found[-1] += "\n" + line
        elif line.strip() and not line.startswith("#"):
            found.append(line)
    return found
