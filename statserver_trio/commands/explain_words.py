"""What ``statserver explain`` makes of explanations: whether they agree, and words for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

from .demo_board import minutes
from .watch_screens import written

Explained = Mapping[str, Any]
TOGETHER = ("options", "timeProfile", "timeRange", "timeRange2", "filter")  # of a definition
COUNTED = ("ended", "endedTime", "inProgress")  # what two rows have to have in common
SINCE_SECONDS = 1.0  # that two beginnings may be apart: one may have come in between two events

# -- whether they agree --------------------------------------------------------------------------


def same_positions(explained: list[Any]) -> bool:
    """Whether all of them are as of the same events."""
    return all(one["positions"] == other["positions"] for one, other in pairwise(explained))


def differences(explained: list[Any]) -> list[dict[str, Any]]:
    """In what they do not agree; ``says`` is by URL."""
    found = []
    for one, other in pairwise(explained):
        for what, mine, theirs in _pairs(one, other):
            if mine != theirs:
                found.append({"what": what, "says": {one["url"]: mine, other["url"]: theirs}})
    return found


def _pairs(one: Explained, other: Explained) -> Iterator[tuple[str, Any, Any]]:
    """What is compared: what it is called, and what each of the two says."""
    for name in TOGETHER:
        yield f"definition, {name}", one["definition"][name], other["definition"][name]
    for name in ("last", "next"):
        yield f"{name} reset", one["reset"][name], other["reset"][name]
    for name in ("complete", "valid"):
        yield name, one["coverage"][name], other["coverage"][name]
    rows, others = _rows(one), _rows(other)
    for key in {**rows, **others}:
        name = "row " + " ".join(key)
        if key not in rows or key not in others:
            yield name, key in rows and "there", key in others and "there"
            continue
        mine, theirs = rows[key], others[key]
        for field in COUNTED:
            yield f"{name}, {field}", mine[field], theirs[field]
        if (
            one["definition"]["timeProfile"]
            and abs(mine["since"] - theirs["since"]) > SINCE_SECONDS
        ):
            yield f"{name}, since", mine["since"], theirs["since"]
    is_number = isinstance(one["value"], int | float)
    if not (is_number and (_grows(one) or _grows(other))):  # else it depends on when it was asked
        yield "value", one["value"], other["value"]


def _rows(explained: Explained) -> dict[tuple[str, str, str], Any]:
    """By role, source and object; of several alike the sums."""
    found: dict[tuple[str, str, str], Any] = {}
    for row in explained["aggregates"]:
        key = row["role"], row["source"], row["object"]
        known = found.get(key)
        if known is None:
            found[key] = dict(row)
            continue
        known["since"] = min(known["since"], row["since"])
        for field in COUNTED:
            known[field] += row[field]
    return found


def _grows(explained: Explained) -> bool:
    return any(row["inProgress"] for row in explained["aggregates"])


# -- words ---------------------------------------------------------------------------------------


def words_of(
    statistic: str, found: list[Any], agree: bool | None, differ: list[dict[str, Any]]
) -> str:
    """All of it, for a person."""
    lines = [statistic]
    for each in found:
        lines += ["", *(_failed(each) if "error" in each else _server(each))]
    if len(found) > 1:
        lines += ["", *_verdict(found, agree, differ)]
    return "\n".join(lines)


def _failed(said: Explained) -> Iterator[str]:
    error = said["error"]
    yield said["url"]
    yield f"  nothing      {error['message']} ({error['code']})"


def _verdict(found: list[Any], agree: bool | None, differ: list[dict[str, Any]]) -> Iterator[str]:
    if any("error" in each for each in found):
        yield "They cannot be compared."
    elif agree is None:
        yield "They cannot be compared: they never stood at the same event."
    elif agree:
        yield "They agree."
    else:
        yield "They do not agree:"
        for each in differ:
            said = "; ".join(f"{url} {_plain(value)}" for url, value in each["says"].items())
            yield f"  {each['what']}: {said}"


def _plain(value: Any) -> str:
    return "none" if value is None else str(value)


def _server(said: Explained) -> Iterator[str]:
    definition, coverage = said["definition"], said["coverage"]
    yield f"{said['url']}  ({said['role']})"
    for name, text in (
        ("value", f"{written(said['value'])}   as of {_moment(said['time'])}"),
        ("valid", "yes" if coverage["valid"] else f"no: {coverage['reason']}"),
        ("counted", _counted(said)),
        ("resets", _resets(said)),
        ("defined as", ", ".join(f"{k} = {v}" for k, v in definition["options"].items())),
        ("profile", _named(definition["timeProfile"])),
        ("range", _named(definition["timeRange"])),
        ("range 2", _named(definition["timeRange2"])),
        ("filter", _named(definition["filter"])),
        ("open", _open(definition)),
        ("came from", said.get("replicatedFrom") or "here"),
        ("heard", ", ".join(f"{k} up to {v}" for k, v in said["positions"].items())),
        ("gaps", ", ".join(f"{k} at {_moment(v)}" for k, v in coverage["gaps"].items())),
    ):
        if text:
            yield f"  {name:<12} {text}"
    yield from _table(said["aggregates"], definition.get("omitted", 0))


def _counted(said: Explained) -> str:
    if said["definition"]["timeProfile"] is None:
        return "what is now"
    coverage = said["coverage"]
    missed = "" if coverage["complete"] else ", and something was missed"
    return f"since {_moment(coverage['since'])}, {minutes(said['interval'])}{missed}"


def _resets(said: Explained) -> str:
    last, following = said["reset"]["last"], said["reset"]["next"]
    parts = [f"last {_moment(last)}"] if last is not None else []
    parts += [f"next {_moment(following)}"] if following is not None else []
    return ", ".join(parts)


def _named(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return ""
    return ", ".join(str(found[key]) for key in ("name", "type", "value") if found.get(key))


def _open(definition: Mapping[str, Any]) -> str:
    others = definition["clients"] - 1
    who = f"{others} other clients have it" if others > 1 else "one other client has it"
    who = who if others > 0 else "nobody else has it open"
    return f"since {_moment(definition['opened'])}; {who}"


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M:%S}"


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        *(row[name] for name in ("role", "source", "object", "counts")),
        _moment(row["since"]),
        str(row["ended"]),
        minutes(row["endedTime"]),
        str(row["inProgress"]),
        minutes(row["inProgressTime"]),
    )


HEADINGS = ("role", "source", "object", "counts", "since", "ended", "time", "now", "time")


def _table(rows: list[Any], omitted: int) -> Iterator[str]:
    """Every row that is read, as columns; numbers to the right."""
    if not rows:
        return
    cells = [HEADINGS, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        columns = zip(range(len(row)), row, widths, strict=True)
        shown = (cell.ljust(w) if number < 5 else cell.rjust(w) for number, cell, w in columns)
        yield "    " + "  ".join(shown).rstrip()
    if omitted:
        yield f"    and {omitted} more"
