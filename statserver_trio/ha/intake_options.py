"""Intake options: how much of the feeds is kept for the peer, and how long one waits for it."""

from attrs import frozen


@frozen
class IntakeOptions:
    """Seconds, and events per source.

    Attributes:
        gap_timeout: For which missing events are waited for, and for which one may be
            behind the peer before it is asked for what it has.
    """

    journal_events: int = 200_000
    journal_seconds: float = 600.0
    gap_timeout: float = 5.0
    join_timeout: float = 30.0
