"""The wire of the pair's link: frames, fragments, and who goes first.

A frame is four bytes of length, most significant first, and that many bytes of
msgpack: one message. A long message travels as :class:`~.messages.Fragment`\\ s,
one long message at a time, so that between two of its pieces a poll can pass:

    encode --> Outbox: urgent  ------------------\\
                       others --> fragments -----+--> next_frame() --> the stream

Before the greeting has been accepted a stranger may be speaking, so a frame is
64 KiB at most; afterwards 16 MiB (protocols.md section 3). Memory is only ever
taken for bytes that arrived, never for a length that was announced.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, Union

import msgspec
from attrs import define, field

from .messages import URGENT_TYPES, WIRE_TYPES, Fragment, Ignored, Message

HEADER_BYTES = 4
FRAME_BYTES_GREETING = 64 * 1024  # and of a whole message; a longer one is a ProtocolError
FRAME_BYTES_MAX = 16 * 1024 * 1024  # after the greeting; a longer one is a ProtocolError
MESSAGE_BYTES_MAX = 64 * 1024 * 1024  # in fragments; a longer one is not sent (TooLong)
FRAGMENT_BYTES = 60 * 1024  # with its wrapping, less than FRAME_BYTES_GREETING
URGENT_MAX = 10_000  # messages waiting in the urgent lane; more is an OutboxFull
WAITING_BYTES_MAX = 128 * 1024 * 1024  # in the other lane; more is an OutboxFull
NAME_CHARACTERS = 50  # of an unknown message, in the log

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Union[WIRE_TYPES])  # noqa: UP007
_head: msgspec.msgpack.Decoder[list[Any]] = msgspec.msgpack.Decoder(list[Any])

# What msgspec raises for bytes that are no message; deep nesting is a RecursionError.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class ProtocolError(Exception):
    """The peer broke the rules of the wire; nothing more can be read from it."""


class TooLong(ValueError):
    """A message of ours is longer than :data:`MESSAGE_BYTES_MAX`."""


class OutboxFull(Exception):
    """The peer takes nothing, and more is waiting than we are willing to keep."""


def encode(message: Message) -> bytes:
    """One message in one frame, as long as it may be."""
    return _framed(_encode(message))


def _framed(body: bytes) -> bytes:
    return len(body).to_bytes(HEADER_BYTES, "big") + body


class Decoder:
    """Bytes in any pieces to messages, in order.

    :meth:`feed` takes the bytes at once and gives the messages one by one. Act on
    each before taking the next: acting on a greeting is what may call
    :meth:`greeted`, and what follows in the same piece is then read by other rules.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._parts: list[bytes] = []  # of the long message that is arriving
        self._parts_size = 0
        self._frame_max = FRAME_BYTES_GREETING
        self._message_max = FRAME_BYTES_GREETING
        self._broken: str | None = None

    def greeted(self) -> None:
        """The greeting was accepted: from now on the generous limits hold."""
        self._frame_max, self._message_max = FRAME_BYTES_MAX, MESSAGE_BYTES_MAX

    def feed(self, data: bytes | bytearray) -> Iterator[Message | Ignored]:
        """The messages that are complete with ``data``.

        Raises:
            ProtocolError: While iterating; for good.
        """
        self._buffer += data
        return self._messages()

    def _messages(self) -> Iterator[Message | Ignored]:
        while True:
            body = self._next_body()
            if body is None:
                return
            message = self._read(body)
            if isinstance(message, Fragment):
                whole = self._assemble(message)
                if whole is None:
                    continue
                message = self._read(whole)
                if isinstance(message, Fragment):
                    raise self._error("a fragment made of fragments")
            yield message

    def _next_body(self) -> bytes | None:
        if self._broken is not None:
            raise ProtocolError(self._broken)
        if len(self._buffer) < HEADER_BYTES:
            return None
        size = int.from_bytes(self._buffer[:HEADER_BYTES], "big")
        if size > self._frame_max:
            raise self._error(f"a frame of {size} bytes; allowed are {self._frame_max}")
        end = HEADER_BYTES + size
        if len(self._buffer) < end:
            return None
        body = bytes(self._buffer[HEADER_BYTES:end])
        del self._buffer[:end]
        return body

    def _assemble(self, fragment: Fragment) -> bytes | None:
        """The long message if this was its last piece."""
        self._parts_size += len(fragment.data)
        if self._parts_size > self._message_max:
            raise self._error(f"a message longer than {self._message_max} bytes")
        if fragment.more and not fragment.data:
            raise self._error("an empty fragment")  # they would cost memory, and bring nothing
        self._parts.append(fragment.data)
        if fragment.more:
            return None
        whole = b"".join(self._parts)
        self._parts, self._parts_size = [], 0
        return whole

    def _read(self, body: bytes) -> Message | Ignored:
        try:
            message: Message = _decode.decode(body)
        except UNREADABLE as exc:
            name = _name_of(body)
            if name.startswith("?"):
                return Ignored(name[:NAME_CHARACTERS])
            raise self._error(f"no message: {exc}") from exc
        return message

    def _error(self, text: str) -> ProtocolError:
        self._broken = text
        self._buffer.clear()
        self._parts = []
        return ProtocolError(text)


def _name_of(body: bytes) -> str:
    """The name of what looks like a message; empty where nothing does."""
    try:
        parts = _head.decode(body)
    except UNREADABLE:
        return ""
    return parts[0] if parts and isinstance(parts[0], str) else ""


@define
class Outbox:
    """What waits to be written, in two lanes.

    The writer asks for one frame at a time and writes it before it asks again,
    so an urgent message waits for one fragment at most.
    """

    _urgent: deque[bytes] = field(factory=deque, init=False)
    _waiting: deque[bytes] = field(factory=deque, init=False)  # encoded, not yet cut
    _waiting_bytes: int = field(default=0, init=False)
    _cut: int = field(default=0, init=False)  # bytes of the first one that have been sent

    def put(self, message: Message) -> None:
        """Queue a message behind those of its lane.

        Raises:
            TooLong: Nothing was queued; what cannot travel must be made smaller.
            OutboxFull: Nothing was queued; the link should be given up.
        """
        body = _encode(message)
        if len(body) > MESSAGE_BYTES_MAX:
            raise TooLong(f"{type(message).__name__} of {len(body)} bytes")
        if isinstance(message, URGENT_TYPES):
            if len(self._urgent) >= URGENT_MAX:
                raise OutboxFull(f"{URGENT_MAX} urgent messages are waiting")
            self._urgent.append(_framed(body))
            return
        if self._waiting and self._waiting_bytes + len(body) > WAITING_BYTES_MAX:
            raise OutboxFull(f"{self._waiting_bytes} bytes are waiting")
        self._waiting.append(body)
        self._waiting_bytes += len(body)

    def next_frame(self, urgent_only: bool = False) -> bytes | None:
        """What to write next; None when nothing waits."""
        if self._urgent:
            return self._urgent.popleft()
        if urgent_only or not self._waiting:
            return None
        body = self._waiting[0]
        end = self._cut + FRAGMENT_BYTES
        if self._cut == 0 and len(body) <= FRAGMENT_BYTES:
            frame = _framed(body)
        else:
            frame = encode(Fragment(end < len(body), body[self._cut : end]))
        self._cut = end
        if end >= len(body):
            self._waiting.popleft()
            self._waiting_bytes -= len(body)
            self._cut = 0
        return frame

    def __bool__(self) -> bool:
        return bool(self._urgent or self._waiting)

    def clear(self) -> None:
        """Forget everything: the connection is gone."""
        self._urgent.clear()
        self._waiting.clear()
        self._waiting_bytes = self._cut = 0
