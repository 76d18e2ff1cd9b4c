"""What the owner tells the intake of its feeds: events, and what each feed knows of itself."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from .messages import Event


@frozen
class SourceAdded:
    """Event: there is this source; tell it before anything of it arrives.

    Attributes:
        contiguous: Its positions grow by one. Asterisk's only grow.
    """

    source: str
    contiguous: bool = True


@frozen
class Arrived:
    """Event: the feed of a source sent these, in this order."""

    source: str
    events: Sequence[Event]


@frozen
class SourceAt:
    """Event: a feed was connected and cannot resume; its last event had this position.

    Its snapshots follow, as ``Arrived`` without positions.

    Attributes:
        snapshots_follow: Not all of them at once; :class:`SourceDescribed` will say when
            the last one has arrived.
    """

    source: str
    position: int
    snapshots_follow: bool = False


@frozen
class SourceDescribed:
    """Event: all snapshots have arrived."""

    source: str


@frozen
class Interrupted:
    """Event: the feed of a source whose positions are not contiguous was away, and cannot
    resume; tell it before :class:`SourceAt`.
    """

    source: str


@frozen
class SourceAway:
    """Event: the feed of a source was lost."""

    source: str


@frozen
class SourceResumed:
    """Event: the feed of a source is back, and goes on where it was lost."""

    source: str


@frozen
class PeerAbsent:
    """Event: the peer's host says that the peer does not run: there is nobody to wait for."""
