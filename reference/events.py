"""The page of the T-events: what a feed may send, from their structs."""

from __future__ import annotations

from collections.abc import Iterator

from statserver_trio.tlib.events import EVENT_TYPES, agent, base, calls, interactions, session
from statserver_trio.tlib.events.base import TEvent

from .markdown import code, head, summary, table
from .structs import fields, names

TITLE = "T-events"
SOURCE = "statserver_trio/tlib/events/"
GROUPS = {
    "Agents": agent,
    "Calls": calls,
    "Interactions": interactions,
    "The session": session,
}


def page() -> str:
    """What all have, then those of each module."""
    parts = [
        head(
            TITLE,
            SOURCE,
            "What may stand in a line of the [event feed](../feed.md). Names are T-Library's. "
            "Other names are counted and passed over, as are other fields.",
        ),
        "## What all have",
        fields(TEvent),
    ]
    for title, module in GROUPS.items():
        below = [each for each in EVENT_TYPES if each.__module__ == module.__name__]
        parts.append(f"## {title}")
        parts += _group(below)
    return "\n\n".join(parts) + "\n"


def _group(events: list[type[TEvent]]) -> Iterator[str]:
    """What several of them have in common, and what each adds to that."""
    common = {base for each in events for base in each.__mro__ if _is_common(base)}
    for each in sorted(common, key=lambda cls: cls.__name__):
        yield f"### Fields of {each.__name__}"
        yield summary(each)
        yield fields(each, frozenset(names(TEvent)))
    yield table(("event", "kind", "fields of its own", "what it says"), map(_row, events))


def _is_common(cls: type) -> bool:
    is_one = isinstance(cls, type) and issubclass(cls, TEvent) and cls is not TEvent
    return is_one and cls not in EVENT_TYPES


def _row(event: type[TEvent]) -> tuple[str, str, str, str]:
    above = next(each for each in event.__mro__[1:] if issubclass(each, TEvent))
    own = [name for name in names(event) if name not in names(above)]
    kind = "" if above is base.TEvent else above.__name__
    return code(event.__name__), kind, ", ".join(map(code, own)), summary(event)
