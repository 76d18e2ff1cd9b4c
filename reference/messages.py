"""The page of the messages: requests and events of the client protocol, from their structs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from statserver_trio.api import messages as m

from .markdown import head, summary
from .structs import fields

TITLE = "Messages"
SOURCE = "statserver_trio/api/messages.py"
PARTS = (m.ObjectRef, m.Metric, m.MetricEx, m.Interval, m.NotificationRef)


def page() -> str:
    """Requests, their parts, events."""
    parts = [
        head(
            TITLE,
            SOURCE,
            "Fields of every message of the [client protocol](../protocol.md). A field without a "
            "default has to be there; unknown fields are passed over. Events leave out what has "
            "its default.",
        )
    ]
    for title, structs in (
        ("Requests", m.REQUESTS),
        ("Parts of requests", PARTS),
        ("Events", m.EVENTS),
    ):
        parts.append(f"## {title}")
        parts += _described(structs)
    return "\n\n".join(parts) + "\n"


def _described(structs: Iterable[type[Struct]]) -> Iterator[str]:
    for struct in structs:
        yield f"### {struct.__name__}"
        yield summary(struct)
        yield fields(struct)
