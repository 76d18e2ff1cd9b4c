"""The form of a backup file: a picture, and what happened while it was being drawn.

    STATBAK + version | frame | frame | ... | 0 | checksum

A frame is four bytes of length, most significant first, and that many bytes of msgpack.
Frames stand in the order in which things happened, so whoever reads the file plays it:

    Head        whose file it is
    Picture     the action table of a source, as of its position
    Slice       statistics, as of the positions that the sources have there
    Happened    events of a source that were applied before the next slice was cut
    End         where everything stands: nothing is after it

A checksum over all of it stands at the end, and is looked at before anything else but
the version is believed. Times are Unix milliseconds of the server's clock. All of this is
our decision; the vendor says only what is in its file, and when it is used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Annotated, BinaryIO, Union

import msgspec
from msgspec import Meta, Struct

from ...ha.messages import Item, Ranges, Standing
from ...tlib.registration_words import Memory

MAGIC = b"STATBAK\n"
FORMAT = 1  # of the file; another one is not read
END_MARK = b"\0\0\0\0"
DIGEST_BYTES = 32
HEAD_BYTES = len(MAGIC) + 2
FRAME_BYTES_MAX = 512 * 1024 * 1024  # a longer one is not written
FILE_BYTES_MAX = 8 * 1024**3  # a longer file is neither written nor read
PIECE_BYTES = 1024 * 1024  # read at a time for the checksum

Moment = Annotated[int, Meta(ge=0, le=2**53)]


class Frame(Struct, array_like=True, tag=str.lower):
    """One of those below."""


class Head(Frame):
    """Whose file it is, and when it was begun."""

    application: str
    product: str
    begun: Moment


class Picture(Frame):
    """A source.

    Attributes:
        heard_at: When its last event arrived: so its clock goes on.
        state: See :meth:`Source.export`, as msgpack.
    """

    source: str
    heard_at: Moment
    state: bytes


class Slice(Frame):
    """Statistics, all as of the same moment."""

    moment: Moment
    items: list[Item]


class Happened(Frame):
    """Events of a source, as lines; all of them arrived at that moment."""

    source: str
    moment: Moment
    lines: bytes


class Ending(Struct, array_like=True, frozen=True):
    """Where a source stands at the end.

    Attributes:
        position: Of the last event applied; None where they have none.
        feed: How to go on with its feed.
        standing, coverage, wants_snapshots, described: Of a pair; see
            :class:`~.ha.feed_words.Restored`.
    """

    position: int | None
    feed: Memory | None
    standing: Standing | None = None
    coverage: Ranges = msgspec.field(default_factory=list)
    wants_snapshots: bool = False
    described: bool = True


class End(Frame):
    """The last one.

    Attributes:
        moment: When all of this was so.
        statistics: How many the file holds.
    """

    moment: Moment
    statistics: int
    sources: dict[str, Ending]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Union[Head, Picture, Slice, Happened, End]).decode  # noqa: UP007


class Refused(Exception):
    """The file cannot be used; says why, for a person."""


def beginning() -> bytes:
    """What a file begins with."""
    return MAGIC + FORMAT.to_bytes(2, "big")


def encoded(frame: Frame) -> bytes:
    """A frame with its length.

    Raises:
        ValueError: It is longer than any may be.
    """
    body = _encode(frame)
    if len(body) > FRAME_BYTES_MAX:
        raise ValueError(f"a piece of {len(body)} bytes; no more than {FRAME_BYTES_MAX} may be")
    return len(body).to_bytes(4, "big") + body


def verify(file: BinaryIO, size: int) -> None:
    """Look at everything but the meaning of the frames.

    Raises:
        Refused: With the reason.
    """
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if not head.startswith(MAGIC):
        raise Refused("it is no backup file of ours" if head else "it is empty")
    version = int.from_bytes(head[len(MAGIC) :], "big")
    if len(head) == HEAD_BYTES and version != FORMAT:
        raise Refused(f"it is of format {version}, and we read format {FORMAT}")
    if size > FILE_BYTES_MAX:
        raise Refused(f"its {size} bytes are more than {FILE_BYTES_MAX}")
    digest = hashlib.blake2b(head, digest_size=DIGEST_BYTES)
    left = size - HEAD_BYTES - DIGEST_BYTES
    ending = b""
    while left > 0 and (piece := file.read(min(PIECE_BYTES, left))):
        digest.update(piece)
        left -= len(piece)
        ending = (ending + piece)[-len(END_MARK) :]
    if digest.digest() != file.read() or ending != END_MARK:
        raise Refused("its checksum is wrong: it is cut off or damaged")


def frames(file: BinaryIO) -> Iterator[Frame]:
    """The frames of a file that was verified, the head first.

    Raises:
        Refused: We wrote something that we cannot read.
    """
    file.seek(HEAD_BYTES)
    while (length := file.read(4)) != END_MARK:
        try:
            yield _decode(file.read(int.from_bytes(length, "big")))
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            raise Refused(f"what is in it makes no sense: {exc}") from exc
