"""The engine against the book: one table per rule, to be read by people who know call centres.

Every ``.txt`` file here is a claim, a story, and what statistics are worth on
the way; :mod:`tables` says how to read and write them. The names of those that
begin with V are the vectors of the domain reference, and their values come from
there. The others were worked out by hand from the definitions.

    REWRITE=1 python -m pytest tests/conformance

replaces the values by what the engine says; ``REWRITE=layout`` only lays tables
out. Commit only what you understand.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import tables

from statserver_trio.model.actions import CODES
from statserver_trio.stats.definitions.masks import parse_mask
from statserver_trio.stats.definitions.stat_types import unknown_options
from statserver_trio.stats.telling.notifications import Notification, Subscription

HERE = Path(__file__).parent
TABLES = sorted(HERE.glob("*.txt"))
Rerun = Callable[[tables.Table], Iterator[list[str] | str]]


def stories(table: tables.Table) -> Iterator[list[str] | str]:
    """at | what | values"""
    yield from tables.Run(table).rows(table)


def masks(table: tables.Table) -> Iterator[list[str] | str]:
    """mask | actions | warned: of those in ``universe:``"""
    universe = [name.strip() for name in dict(table.settings)["universe"].split(",")]
    for row in table.rows:
        if not row.cells:
            yield row.text
            continue
        mask, warnings = parse_mask(row.cells[0])
        assert bool(warnings) == bool(unknown_options({"MainMask": row.cells[0]}))
        found = [name for name in universe if mask >> CODES[name] & 1]
        yield [row.cells[0], ", ".join(found) or "nothing", "yes" if warnings else ""]


def sent(table: tables.Table) -> Iterator[list[str] | str]:
    """insensitivity | values | sent: what a ChangesBased client hears of a list of values"""
    for row in table.rows:
        if not row.cells:
            yield row.text
            continue
        limit, values = row.cells[0], row.cells[1]
        subscription = Subscription(None, Notification(insensitivity=float(limit)), None)  # type: ignore[arg-type]
        heard = []
        for text in values.split(", "):
            value = float(text) if "." in text else int(text)
            if subscription.worth_sending(value):
                subscription.last_sent = value
                heard.append(text)
        yield [limit, values, ", ".join(heard)]


def resets(table: tables.Table) -> Iterator[list[str] | str]:
    """profile | after | resets: the next ones, one after the other"""
    day = tables.Day.of(dict(table.settings).get("day", tables.DAY))
    for row in table.rows:
        if not row.cells:
            yield row.text
            continue
        text, after, claimed = row.cells
        profile = tables.profile_of(text, day.zone)
        if profile is None:
            profile = tables.Definitions().time_profile(None)
            assert profile is not None
        points, t = [], day.moment(after)
        if claimed.endswith(" a day"):
            wall = datetime.fromtimestamp(t / 1000, day.zone) + timedelta(days=1)
            while (t := profile.next_reset(t) or 0) <= wall.timestamp() * 1000:
                points.append(str(t))
            yield [text, after, f"{len(points)} a day"]
            continue
        for _ in claimed.split(", "):
            following = profile.next_reset(t)
            if following is None:
                points.append("never")
                break
            t = following
            points.append(datetime.fromtimestamp(t / 1000, day.zone).strftime("%a %H:%M"))
        yield [text, after, ", ".join(points)]


def refused(table: tables.Table) -> Iterator[list[str] | str]:
    """name | refused: what is said to a definition that cannot be granted"""
    said = tables.refusals(table)
    for row in table.rows:
        if not row.cells:
            yield row.text
            continue
        name, words = row.cells
        answer = said.get(name, "granted")
        yield [name, words if words and words in answer else answer]


SHAPES: dict[tuple[str, ...], Rerun] = {
    ("mask", "actions", "warned"): masks,
    ("insensitivity", "values", "sent"): sent,
    ("profile", "after", "resets"): resets,
    ("name", "refused"): refused,
}


def rerun(text: str) -> str:
    """The same table, with the values that we come up with."""
    table = tables.read(text)
    return table.rendered(SHAPES.get(tuple(table.columns), stories)(table))


def differences(ours: str, theirs: str) -> list[str]:
    """What a table claims and we do not find, cell by cell."""
    found, claimed = tables.read(ours), tables.read(theirs)
    return [
        f"{' '.join(row.cells[:2])}: {name} is {is_!r}, the table says {says!r}"
        for row, other in zip(found.rows, claimed.rows, strict=True)
        for name, is_, says in zip(found.columns, row.cells, other.cells, strict=False)
        if is_ != says
    ]


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_table(path: Path) -> None:
    text = path.read_text()
    ours = rerun(text)
    if os.environ.get("REWRITE") == "layout":  # values stay
        table = tables.read(text)
        path.write_text(table.rendered([row.cells or row.text for row in table.rows]))
    elif "REWRITE" in os.environ:
        path.write_text(ours)
    assert differences(ours, text) == []
    assert ours == path.read_text(), "REWRITE=layout lays the table out"


@pytest.mark.parametrize("number", [*range(1, 10), 13, 15, 16, 17, 18, 20, 21, 22, 23, 24])
def test_every_vector_has_a_table(number: int) -> None:
    assert any(path.stem.startswith(f"V{number:02} ") for path in TABLES)


STORY = """\
# A claim.
calls = TotalNumber CallInbound of Agent a1

at | what | calls
---|------|------
0  | a1 logs in on 7001 | 0
10 | 7001 Established c1 Inbound | {calls}
70 | 7001 Released c1 |
"""


def test_a_wrong_value_shows() -> None:
    assert "| 0\n" in rerun(STORY.format(calls=0))
    assert "| 1\n" not in rerun(STORY.format(calls=1))


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ("7001 Released c1", "7001 Realeased c1", "no EventRealeased"),
        ("7001 Released c1", "7001 Released c1 quue=8001", "no such attribute"),
        ("7001 Released c1", "7001 Released c1 mode=x", "has no work_mode"),
        ("| calls\n---", "| colls\n---", "not: \\['colls'\\]"),
        ("TotalNumber CallInbound of", "TotalNumber CallInbound for", "cannot read"),
        ("# A claim.", "nonsense: yes", "no such setting"),
        ("| 0\n10", "| 0 | 1 | 2\n10", "has 5 cells"),
    ],
)
def test_mistakes_in_tables_are_found(good: str, bad: str, message: str) -> None:
    story = STORY.format(calls=0)
    assert good in story
    with pytest.raises(tables.TableError, match=message):
        rerun(story.replace(good, bad))


def test_a_table_without_columns() -> None:
    with pytest.raises(tables.TableError, match="where are the columns"):
        tables.read("# nothing\n")
