"""The screen of ``statserver top``: a snapshot as tables, and what keys do to them.

It fits a terminal of 80 columns and 24 lines: queues get what they need up to half of the room,
agents the rest, a page at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from attrs import define
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from .demo_board import COLOURS, minutes

FILTER_CHARACTERS_MAX = 40
FEWEST_ROWS = 3  # of a table, however small the terminal
KEYS = "q end nwlvbtsc sort / filter jk page"

Row = dict[str, Any]


def _number(row: Row, name: str) -> float:
    """What is not known comes last."""
    value = row[name]
    return -1.0 if value is None else float(value)


def _natural(row: Row) -> list[tuple[int, int, str]]:
    """a2 before a10: digits count as numbers."""
    parts: list[tuple[int, int, str]] = []
    for character in row["objectId"]:
        if character.isdecimal() and parts and parts[-1][0] == 0:
            parts[-1] = (0, parts[-1][1] * 10 + int(character), "")
        elif character.isdecimal():
            parts.append((0, int(character), ""))
        else:
            parts.append((1, 0, character))
    return parts


# By key: what it is called, and the order it stands for. The most urgent comes first.
QUEUE_ORDERS: dict[str, tuple[str, Callable[[Row], Any]]] = {
    "n": ("name", _natural),
    "w": ("waiting", lambda row: -_number(row, "waiting")),
    "l": ("longest wait", lambda row: -_number(row, "longestWait")),
    "v": ("service level", lambda row: (row["serviceLevel"] is None, row["serviceLevel"])),
    "b": ("abandoned", lambda row: -_number(row, "abandoned")),
}
AGENT_ORDERS: dict[str, tuple[str, Callable[[Row], Any]]] = {
    "n": ("name", _natural),
    "t": ("time in state", lambda row: -_number(row, "timeInState")),
    "s": ("state", lambda row: (row["state"] or "~", -_number(row, "timeInState"))),
    "c": ("calls", lambda row: -_number(row, "calls")),
}


@define
class View:
    """What somebody looks at.

    Attributes:
        wanted: Only what has this in its id, its state or its reason; in any case.
        is_typing: Keys go into that.
    """

    queue_order: str = "n"
    agent_order: str = "n"
    wanted: str = ""
    is_typing: bool = False
    page: int = 0

    def press(self, key: str) -> bool:
        """A key was pressed; False where that was the end."""
        if self.is_typing:
            self._type(key)
        elif key == "q":
            return False
        elif key == "/":
            self.is_typing = True
        elif key == "escape":
            self.wanted, self.page = "", 0
        elif key in ("j", "down", "page down", " "):
            self.page += 1
        elif key in ("k", "up", "page up"):
            self.page = max(0, self.page - 1)
        else:
            self.queue_order = key if key in QUEUE_ORDERS else self.queue_order
            self.agent_order = key if key in AGENT_ORDERS else self.agent_order
        return True

    def _type(self, key: str) -> None:
        self.page = 0
        if key in ("enter", "escape"):
            self.is_typing = False
            self.wanted = "" if key == "escape" else self.wanted
        elif key == "backspace":
            self.wanted = self.wanted[:-1]
        elif len(key) == 1:
            self.wanted = (self.wanted + key)[:FILTER_CHARACTERS_MAX]

    def chosen(self, rows: list[Row], order: Callable[[Row], Any]) -> list[Row]:
        """The rows that are wanted, in order; equals by name."""
        wanted = self.wanted.lower()
        found = [
            row
            for row in rows
            if any(wanted in str(row.get(name) or "").lower() for name in _SEARCHED)
        ]
        return sorted(sorted(found, key=_natural), key=order)


_SEARCHED = ("objectId", "state", "reason")


def screen(snapshot: dict[str, Any], view: View, height: int, notes: str = "") -> RenderableType:
    """Everything, in ``height`` lines."""
    queues = view.chosen(snapshot["queues"], QUEUE_ORDERS[view.queue_order][1])
    agents = view.chosen(snapshot["agents"], AGENT_ORDERS[view.agent_order][1])
    head = [_title(snapshot), *_members(snapshot), *_sources(snapshot), *_alarms(snapshot)]
    room = height - len(head) - 3  # headings of both tables, and the last line
    for_queues = max(FEWEST_ROWS, min(len(queues), room // 2))
    for_agents = max(FEWEST_ROWS, room - min(len(queues), for_queues))
    last = max(_last_page(queues, for_queues), _last_page(agents, for_agents))
    view.page = min(view.page, last)
    some_queues, which_queues = _page(queues, for_queues, view.page)
    some_agents, which_agents = _page(agents, for_agents, view.page)
    pages = f"queues {which_queues}, agents {which_agents}"
    return Group(
        *head,
        _queues(some_queues),
        _agents(some_agents),
        _foot(view, snapshot, pages, notes),
    )


def _last_page(rows: list[Row], size: int) -> int:
    return max(0, len(rows) - 1) // size


def _page(rows: list[Row], size: int, page: int) -> tuple[list[Row], str]:
    """The rows of a page, the last one where there are fewer; and which those are."""
    first = min(page, _last_page(rows, size)) * size
    shown = rows[first : first + size]
    if len(shown) == len(rows):
        return rows, str(len(rows))
    return shown, f"{first + 1}-{first + len(shown)}/{len(rows)}"


def _line(*parts: str | tuple[str, str]) -> Text:
    return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")


# -- above the tables ---------------------------------------------------------------------------


def _title(snapshot: dict[str, Any]) -> Text:
    rates = snapshot["rates"]
    said = [f"{datetime.fromtimestamp(snapshot['time']):%H:%M:%S}"]
    for name, unit in (("eventsPerSecond", "events/s"), ("valuesPerSecond", "values/s")):
        if rates[name] is not None:
            said.append(f"{rates[name]:g} {unit}")
    return _line(("statserver top", "bold"), "  ", "  ".join(said))


def _members(snapshot: dict[str, Any]) -> Iterator[Text]:
    total = sum(member["delivers"] for member in snapshot["pair"])
    for member in snapshot["pair"]:
        if not member["reachable"]:
            why = member["reason"] or "connecting"
            yield _line(("✗ ", "bold red"), member["url"], "  ", (why, "red"))
            continue
        in_step = member["synchronised"]
        facts: list[str | tuple[str, str]] = [member["role"] or "?"]
        if member["peer"] is not None:
            facts.append("synchronised" if in_step else ("not synchronised", "yellow"))
        elif len(snapshot["pair"]) > 1:
            facts.append(("no peer", "yellow"))
        if member["delivers"]:
            share = 100 * member["delivers"] / total
            facts.append(("delivers" if share == 100 else f"delivers {share:.0f} %", "bold"))
        spaced = [part for fact in facts for part in ("  ", fact)]
        yield _line(("● ", "green"), member["url"], *spaced)


def _sources(snapshot: dict[str, Any]) -> Iterator[Text]:
    """One line for all that operators are told: a T-Server, and how each member hears it."""
    heard: dict[str, list[dict[str, Any]]] = {}
    for source in snapshot["sources"]:
        heard.setdefault(source["name"], []).append(source)
    parts: list[str | tuple[str, str]] = []
    for name, found in heard.items():
        facts = " / ".join(map(_hearing, found))
        is_fine = all(each["connected"] and not each["openGaps"] for each in found)
        parts += ["  ", (f"{name} {facts}", "" if is_fine else "red")]
    if parts:
        yield _line("T-Servers:", *parts)


def _hearing(source: dict[str, Any]) -> str:
    if not source["connected"]:
        return "not connected"
    holes = f" with {source['openGaps']} holes" if source["openGaps"] else ""
    return f"at {source['position']}{holes}"


def _alarms(snapshot: dict[str, Any]) -> Iterator[Text]:
    """What is wrong with the values, said once for all that are concerned."""
    old: dict[str, list[Row]] = {}
    for row in (*snapshot["queues"], *snapshot["agents"]):
        if row["age"] is not None:
            old.setdefault(row["ageReason"] or "nobody can be reached", []).append(row)
    for reason, rows in old.items():
        said = f"{reason}: {len(rows)} rows, {_age(max(rows, key=lambda row: row['age']))}"
        yield _line((said, "bold white on red"))


# -- the tables -----------------------------------------------------------------------------------


def _table(*headings: tuple[str, int | None]) -> Table:
    """Headings and widths; what has none takes what is left, and stands to the left."""
    table = Table(box=None, header_style="bold", expand=True, padding=(0, 1, 0, 0))
    for heading, width in headings:
        table.add_column(
            heading,
            width=width,
            justify="left" if width is None else "right",
            no_wrap=True,
            overflow="ellipsis",
        )
    return table


def _queues(rows: list[Row]) -> Table:
    headings = (("queue", None), ("waiting", 7), ("longest", 8), ("in 20 s", 7))
    table = _table(*headings, ("answered", 8), ("given up", 8), ("age", 10))
    for row in rows:
        style = "bold" if row["waiting"] else ""
        table.add_row(
            row["objectId"],
            Text(_shown(row["waiting"]), style),
            _shown(row["longestWait"], minutes),
            _shown(row["serviceLevel"], lambda value: f"{value:.0f} %"),
            *(_shown(row[name]) + _doubt(row) for name in ("answered", "abandoned")),
            _age(row),
            style="red" if row["age"] is not None else "",
        )
    return table


def _agents(rows: list[Row]) -> Table:
    headings = (("agent", None), ("state", None), ("reason", None))
    table = _table(*headings, ("for", 8), ("calls", 6), ("age", 10))
    for row in rows:
        state = row["state"]
        is_old = row["age"] is not None
        table.add_row(
            row["objectId"],
            Text(_shown(state), "" if is_old else COLOURS.get(state, "blue")),
            row["reason"],
            _shown(row["timeInState"], minutes),
            _shown(row["calls"]) + _doubt(row),
            _age(row),
            style="red" if is_old else "",
        )
    return table


def _shown(value: Any, form: Callable[[Any], str] = str) -> str:
    return "-" if value is None else form(value)


def _doubt(row: Row) -> str:
    return "" if row["complete"] else "?"


def _age(row: Row) -> str:
    if row["age"] is None:
        return ""
    return f"{'>' if row['ageAtLeast'] else ''}{row['age']:.0f} s old"


def _foot(view: View, snapshot: dict[str, Any], page: str, notes: str) -> Text:
    if view.is_typing:
        return _line(("filter: ", "bold"), f"{view.wanted}_", ("  Enter, Esc", "bright_black"))
    orders = {QUEUE_ORDERS[view.queue_order][0], AGENT_ORDERS[view.agent_order][0]}
    said = [page, f"by {', '.join(sorted(orders))}"]
    said += [f"filter {view.wanted!r}"] if view.wanted else []
    left = sum(snapshot["omitted"].values())
    said += [f"{left} left out"] if left else []
    return _line("  ".join(said), "  ", (notes, "bright_black"))
