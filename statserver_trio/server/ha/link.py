"""The link: one connection to the other member, as long as it lasts.

    stream --> reader --Decoder--> Heard, messages --> the member
    stream <-- writer <-- Outbox, urgent lane first <-- Send

A reader and a writer in one nursery. Frames are short (64 KiB at most), and the
writer asks for one at a time, so that a poll never waits behind a whole chunk.
Half a frame that has arrived is a sign of life, and told as such.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import trio

from ...ha.codec import Decoder, Outbox, ProtocolError
from ...ha.messages import Hello, Ignored, Message
from ..sockets import cut, peer_name
from ..supervisor import THE_WORLD, causes

PIECE_BYTES = 64 * 1024  # read at a time; between two pieces the other tasks get their turn
FLUSH_SECONDS = 1.0  # for a goodbye or a refusal to be taken, before the stream is closed
FIRST_WORDS_MAX = 10  # messages before the Hello; a stranger does not get any further

_numbers = itertools.count(1)


class Link:
    """One connection.

    Attributes:
        address: Of the other end, for the log and the status.
        reason: Why it was closed, once it is.
        bytes_sent: So far.
        closing: Nothing is read any more, and nothing new is written.
        decided: Set when a newcomer has been admitted, or refused.
        ended: Set when the stream is closed.
    """

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.stream = stream
        self.address = peer_name(stream)
        self.number = next(_numbers)
        self.decoder = Decoder()
        self.reason = ""
        self.bytes_sent = 0
        self.closing = False
        self.decided = trio.Event()
        self.ended = trio.Event()
        self._outbox = Outbox()
        self._more = trio.Event()
        self._reading = trio.CancelScope()
        self._life = trio.CancelScope()
        self._abruptly = False

    def put(self, message: Message) -> None:
        """Send this, as soon as what goes before it has been taken.

        Raises:
            TooLong, OutboxFull: See :class:`~...ha.codec.Outbox`.
        """
        if not self.closing:
            self._outbox.put(message)
            self._more.set()

    def close(self, reason: str, abruptly: bool = False) -> None:
        """Read no further; write what is urgent, or ``abruptly`` nothing, and close."""
        if self.closing:
            return
        self.reason, self.closing, self._abruptly = reason, True, abruptly
        self._reading.cancel()
        self._more.set()
        if abruptly:
            self._life.cancel()

    async def first_words(self) -> list[Message] | None:
        """What a newcomer says, up to and with its ``Hello``; None if that is no greeting."""
        said: list[Message] = []
        while data := await self.stream.receive_some(PIECE_BYTES):
            try:
                for message in self.decoder.feed(data):
                    if isinstance(message, Ignored) or len(said) >= FIRST_WORDS_MAX:
                        return None
                    said.append(message)
                    if isinstance(message, Hello):
                        return said
            except ProtocolError:
                return None
        return None

    async def run(
        self,
        heard: Callable[[int], None],
        take: Callable[[Message | Ignored], None],
        malformed: Callable[[str], None],
    ) -> None:
        """Live through the connection; the stream is closed then.

        Args:
            heard: Told how many bytes have arrived, before their messages.
            take: Told every message.
            malformed: Told when nothing more can be made of the stream.
        """
        try:
            async with trio.open_nursery() as nursery:
                self._life = nursery.cancel_scope
                if self._abruptly:  # closed before it was begun
                    self._life.cancel()
                nursery.start_soon(self._write)
                with self._reading:
                    await self._read(heard, take, malformed)
                self.close("closed by the peer")
                self._life.deadline = trio.current_time() + FLUSH_SECONDS
        except* THE_WORLD as group:
            self.close(causes(group))
        finally:
            self.closing = True
            with trio.CancelScope(shield=True):
                await (cut if self._abruptly else trio.aclose_forcefully)(self.stream)
            self.ended.set()

    async def _read(
        self,
        heard: Callable[[int], None],
        take: Callable[[Message | Ignored], None],
        malformed: Callable[[str], None],
    ) -> None:
        data: bytes | bytearray = b""  # what the lobby has read beyond the greeting comes first
        while True:
            try:
                for message in self._messages(data):
                    take(message)
                    await trio.lowlevel.checkpoint()  # what it asks for may take a while
            except ProtocolError as error:
                malformed(str(error))
            if self.closing:
                return
            data = await self.stream.receive_some(PIECE_BYTES)
            if not data or self.closing:
                return
            heard(len(data))

    def _messages(self, data: bytes | bytearray) -> Iterator[Message | Ignored]:
        for message in self.decoder.feed(data):
            yield message
            if self.closing:
                return

    async def _write(self) -> None:
        while True:
            await self._more.wait()
            self._more = trio.Event()
            while frame := self._outbox.next_frame(urgent_only=self.closing):
                await self.stream.send_all(frame)
                self.bytes_sent += len(frame)
            if self.closing:
                return
