"""What the owner tells the intake of its feeds: events, and what each feed knows of itself."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from .messages import Event, Ranges, Standing


@frozen
class SourceAdded:
    """Event: there is this source; tell it before anything of it arrives.

    Attributes:
        contiguous: Its positions grow by one. Asterisk's only grow.
    """

    source: str
    contiguous: bool = True


@frozen
class Restored:
    """Event: what we knew of a source before our process was restarted.

    Tell it after ``SourceAdded`` and before anything arrives. The engine stands there
    already. Whether the feed or the peer still has what came after is found out as after
    any other loss.

    Attributes:
        position: The last one that was applied.
        standing, coverage: Of the picture.
        wants_snapshots: Those that a feed sends by itself are welcome.
        described: Whether they had all arrived.
    """

    source: str
    position: int
    standing: Standing
    coverage: Ranges
    wants_snapshots: bool = False
    described: bool = True


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
class SnapshotsFollow:
    """Event: positions were missing, and the feed was asked, or will be, for all snapshots anew."""

    source: str


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
