"""What a feed session is told, and what it wants done and remembers (see :mod:`.registration`)."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from .codec import Message
from .events import TEvent, Unhandled


@frozen
class Received:
    """Event: the messages of one piece of the stream; none if no line was completed."""

    messages: Sequence[Message]


@frozen
class Expired:
    """Event: the feed was away for so long that its objects were given up."""


@frozen
class Deliver:
    """Action: apply these events, in this order.

    Events whose name we do not know are among them if they have a position: they mean
    nothing to the model, but without them the stream would have holes.
    """

    events: list[TEvent | Unhandled]


@frozen
class Began:
    """Action: registered, and there was nothing to resume.

    Attributes:
        position: Of the last event before the snapshots that follow; None if the feed
            does not number its events.
    """

    position: int | None


@frozen
class Resumed:
    """Action: registered, and nothing was missed."""

    position: int | None


@frozen
class Lost:
    """Action: registered, but events were missed: forget what was before."""

    position: int | None


@frozen
class SnapshotsFollow:
    """Action: take note that all snapshots are, or will be, asked for anew."""


@frozen
class Described:
    """Action: all snapshots that were asked for have come."""


@frozen
class Gap:
    """Action: take note that positions between these two never came."""

    after: int
    first: int


@frozen
class Skipped:
    """Action: log the first bad line of its kind."""

    kind: str
    text: str


@frozen
class Memory:
    """What makes a new session go on where another one was, after a restart of ours.

    Attributes:
        after: The last position applied.
        known: DNs of which our picture is exact.
        link_up: Whether the feed can hear its switch; None if it has not said.
    """

    after: int | None
    known: tuple[str, ...] = ()
    link_up: bool | None = None
