"""The feed's wire: JSON Lines, one T-event, request or reply a line.

Stat Server and feed speak the same lines in both directions, and a recording is
the same lines without the requests. Lines arrive in whatever pieces the stream
chose; :class:`Decoder` returns every complete one, decoded in one go per piece,
because one call per 64 KiB is several times cheaper than one per line.

A line that is no event is never an error of the caller: it comes back as a
:class:`BadLine`, to be counted and logged once per kind, and the stream goes on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Union, cast

import msgspec
from attrs import frozen

from .events import EVENT_NAMES, EVENT_TYPES, TEvent, Unhandled

LINE_BYTES_MAX = 64 * 1024  # a longer line is skipped up to its end, as one bad line
SHOWN_CHARACTERS = 200  # of a bad line, in the log
UNKNOWN_REQUEST = "unknown request"  # the kind of a line whose request we do not know


class Request(msgspec.Struct, kw_only=True, omit_defaults=True, tag_field="request", tag=str):
    """What the Stat Server asks of a feed."""


class RegisterClient(Request):
    """The first line of a session; ``after`` is the last position applied."""

    ApplicationName: str = ""
    after: int | None = None


class RegisterAll(Request):
    """Send the events of every DN, beginning with a snapshot of each."""


class RegisterAddress(Request):
    """Send the events of one DN, beginning with its snapshot."""

    ThisDN: str
    ReferenceID: int | None = None


class UnregisterAddress(Request):
    """Stop sending the events of one DN."""

    ThisDN: str
    ReferenceID: int | None = None


class QueryAddress(Request):
    """Send the snapshot of one DN."""

    ThisDN: str
    ReferenceID: int | None = None


class PollRequest(Request, tag="Poll"):
    """Are you there?"""

    n: int = 0


class PollReply(msgspec.Struct, tag_field="reply", tag="Poll"):
    """Yes, I heard poll ``n``."""

    n: int = 0


RequestMessage = (
    RegisterClient | RegisterAll | RegisterAddress | UnregisterAddress | QueryAddress | PollRequest
)


@frozen
class BadLine:
    """A line that was skipped.

    Attributes:
        kind: The same for all lines that are wrong in the same way.
        text: The beginning of the line.
    """

    kind: str
    text: str


Message = TEvent | Unhandled | Request | PollReply | BadLine

_encode = msgspec.json.Encoder().encode


def encode(message: object) -> bytes:
    """The line of one event, request or reply, newline included."""
    return _encode(message) + b"\n"


class _Head(msgspec.Struct):
    """What tells the kinds of line apart."""

    event: str | None = None
    request: str | None = None
    reply: str | None = None


_event_lines: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Union[EVENT_TYPES])  # noqa: UP007
_any_event = msgspec.json.Decoder(Unhandled)
_any_request = msgspec.json.Decoder(RequestMessage)
_any_reply = msgspec.json.Decoder(PollReply)
_head = msgspec.json.Decoder(_Head)

# What the decoders raise for a bad line; a deeply nested value is a RecursionError.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def decode_line(line: bytes) -> Message:
    """The message in one line; a :class:`BadLine` where there is none."""
    try:
        head = _head.decode(line)
        if head.event is not None:
            known = head.event in EVENT_NAMES
            return cast(Message, _event_lines.decode(line) if known else _any_event.decode(line))
        if head.request is not None:
            return cast(Message, _any_request.decode(line))
        if head.reply is not None:
            return _any_reply.decode(line)
        return _bad("no event, request or reply", line)
    except UNREADABLE as exc:
        return _bad(_kind(exc), line)


def _kind(exc: Exception) -> str:
    """What is wrong, without what differs from line to line: offsets and values.

    Kinds are counted and logged once each, so a peer must not be able to make
    new ones at will.
    """
    text = str(exc)
    if text.startswith("Invalid value"):
        return UNKNOWN_REQUEST if text.endswith("`$.request`") else "contradictory tags"
    return re.sub(r" \(byte \d+\)|byte .* in position .*: ", "", text)


def _bad(kind: str, line: bytes) -> BadLine:
    return BadLine(kind, line[:SHOWN_CHARACTERS].decode("utf-8", "replace"))


class Decoder:
    """Bytes in any pieces to messages, in order.

    Call :meth:`feed` with what arrived, and :meth:`end` when nothing more will.
    """

    def __init__(self) -> None:
        self._rest = b""  # the beginning of a line whose end has not arrived
        self._skipping = False  # inside a line that is longer than is allowed

    def feed(self, data: bytes | bytearray) -> list[Message]:
        """The messages whose lines are complete with ``data``."""
        end = data.rfind(b"\n") + 1
        if not end:
            return self._keep(bytes(data))
        block = self._rest + bytes(data[:end])
        self._rest = b""
        messages: list[Message] = []
        if self._skipping:  # the long line ends here
            self._skipping = False
            block = block[block.index(b"\n") + 1 :]
        messages += _decode_block(block)
        return messages + self._keep(bytes(data[end:]))

    def end(self) -> list[Message]:
        """The last line, where a file does not end with a newline."""
        rest, self._rest = self._rest, b""
        return [decode_line(rest)] if rest.strip() else []

    def _keep(self, data: bytes) -> list[Message]:
        if self._skipping:
            return []
        self._rest += data
        if len(self._rest) <= LINE_BYTES_MAX:
            return []
        too_long = _bad(f"line longer than {LINE_BYTES_MAX} bytes", self._rest)
        self._rest, self._skipping = b"", True
        return [too_long]


def _decode_block(block: bytes) -> list[Message]:
    """Whole lines, all at once where every one is an event we know.

    ``decode_lines`` takes any sequence of JSON values, several on a line or one
    on several lines included. What a line means must not depend on the pieces
    it came in, so such blocks are read line by line like every odd one.
    """
    if not _has_long_line(block):
        try:
            messages = cast("list[Message]", _event_lines.decode_lines(block))
        except UNREADABLE:
            messages = []
        if len(messages) == block.count(b"\n"):
            return messages
    return [_checked(line) for line in block.split(b"\n") if line.strip()]


def _has_long_line(block: bytes) -> bool:
    """Whether a line is longer than is allowed, in a few searches per block."""
    start = 0
    while len(block) - start > LINE_BYTES_MAX + 1:
        end = block.rfind(b"\n", start, start + LINE_BYTES_MAX + 1)
        if end < 0:
            return True
        start = end + 1
    return False


def _checked(line: bytes) -> Message:
    if len(line) > LINE_BYTES_MAX:
        return _bad(f"line longer than {LINE_BYTES_MAX} bytes", line)
    return decode_line(line)


def encode_all(messages: Iterable[object]) -> bytes:
    """The lines of several messages."""
    return b"".join(map(encode, messages))
