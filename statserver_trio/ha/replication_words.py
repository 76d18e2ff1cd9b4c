"""What the sending half of replication is told by its owner, and how it is set."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen


@frozen
class ReplicationOptions:
    """Statistics, seconds and bytes."""

    chunk_size: int = 5000
    chunk_timeout: float = 0.1
    max_chunk_bytes: int = 8 * 1024 * 1024


@frozen
class Opened:
    """Event: a client wants these, which it did not before.

    Of replicas as well: the peer must learn that they are held here.
    """

    keys: Sequence[str]


@frozen
class Closed:
    """Event: these are not open any more, for whatever reason."""

    keys: Sequence[str]


@frozen
class ConfigurationChanged:
    """Event: what was parked may be possible now. Of ours, or of the peer's."""
