"""Recordings: the feed's lines without the requests, in files of limited size.

What is recorded is what was applied, in the order in which it was applied. An
event without a time was applied with the time of its arrival, so that time is
written into it: a replay, which knows no arrival, then gives the same values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
from attrs import frozen

from .codec import BadLine, Decoder, encode_all
from .events import TEvent, Unhandled


def stamped(event: TEvent | Unhandled, now: float) -> TEvent | Unhandled:
    """``event`` if it has a time, else a copy that happened ``now`` (Unix seconds)."""
    return event if event.time is not None else msgspec.structs.replace(event, time=now)


def lines(events: Iterable[TEvent | Unhandled], now: float) -> bytes:
    """The lines of events that were applied at ``now`` (Unix seconds)."""
    return encode_all(stamped(event, now) for event in events)


def read(pieces: Iterable[bytes]) -> Iterator[TEvent | BadLine]:
    """The events of a recording, and the lines that are none.

    Args:
        pieces: The file, cut anywhere.

    Requests and replies are passed over, so that a captured session can be read
    as well; so are events whose name we do not know.
    """
    decoder = Decoder()
    for piece in pieces:
        yield from _told(decoder.feed(piece))
    yield from _told(decoder.end())


def _told(messages: Iterable[object]) -> Iterator[TEvent | BadLine]:
    for message in messages:
        if isinstance(message, TEvent | BadLine):
            yield message


@frozen
class Rotation:
    """When a recording goes on in a new file, and what becomes of the old ones.

    Attributes:
        bytes_max: A file that would become longer is put away first; only a batch
            that is longer than this by itself makes a longer file.
        files_max: Files kept, the present one included; the oldest is overwritten.
    """

    bytes_max: int = 100_000_000
    files_max: int = 10

    def __attrs_post_init__(self) -> None:
        assert self.bytes_max > 0
        assert self.files_max > 0

    def due(self, size: int, more: int) -> bool:
        """Whether a file of ``size`` bytes is put away before ``more`` are written."""
        return size > 0 and size + more > self.bytes_max

    def names(self, path: str) -> list[str]:
        """All files of a recording, the newest first: ``x``, ``x.1``, ``x.2``, ..."""
        return [path, *(f"{path}.{n}" for n in range(1, self.files_max))]

    def renames(self, path: str) -> list[tuple[str, str]]:
        """What to call what, in this order, so that ``path`` becomes free.

        Empty where only one file is kept: it is written over.
        """
        names = self.names(path)
        return list(zip(reversed(names[:-1]), reversed(names[1:]), strict=True))
