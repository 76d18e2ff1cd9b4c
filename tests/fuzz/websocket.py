"""The way in of a client, from its first byte to the answer, through the library, without a socket.

Guard, WebSocket library and session, one behind the other as in a server (see
:mod:`statserver_trio.server.client_task`), but for trio-websocket, which only moves bytes between
a socket and the same library that is used here.
"""

from __future__ import annotations

from functools import cache
from random import Random

import h11
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Request,
    TextMessage,
)
from wsproto.frame_protocol import FrameProtocol, Opcode
from wsproto.utilities import ProtocolError

from statserver_trio.server.client_task import FOREIGN, SUBPROTOCOL
from statserver_trio.server.frame_guard import FrameMeter

from . import samples as of
from .mutation import mutated

PIECE_BYTES = 7
# What the server takes for a client's mistake, as far as it is about what was sent.
OF_CLIENTS = (ProtocolError, h11.ProtocolError, UnicodeError)
DECLARED = tuple(error for error in FOREIGN if issubclass(error, OF_CLIENTS))

HEAD = (
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: statserver.v1\r\n\r\n"
)


class Connection:
    """One client's; what it says goes to ``receive``, message by message."""

    def __init__(self, receive: object) -> None:
        self._receive = receive
        self._meter = FrameMeter()
        self._library = WSConnection(ConnectionType.SERVER)
        self._said = ""

    def feed(self, data: bytes) -> None:
        """Bytes arrive, a few at a time; until the guard has had enough.

        Never the end of the head together with what follows: a client waits for the answer, and
        of one that does not wsproto drops the bytes between.
        """
        head, end, rest = data.partition(b"\r\n\r\n")
        for part in (head + end, rest):
            for at in range(0, len(part), PIECE_BYTES):
                if not self._arrived(part[at : at + PIECE_BYTES]):
                    return

    def _arrived(self, piece: bytes) -> bool:
        """Whether it goes on after that."""
        if not self._meter.feed(piece):
            return False
        self._library.receive_data(piece)
        return all(self._happened(event) for event in self._library.events())

    def _happened(self, event: Event) -> bool:
        """Whether it goes on after that."""
        match event:
            case Request():
                self._library.send(AcceptConnection(subprotocol=SUBPROTOCOL))
            case TextMessage(data=text, message_finished=is_whole):
                self._said += text
                if is_whole:
                    said, self._said = self._said, ""
                    self._receive(said)  # type: ignore[operator]
            case BytesMessage(data=data, message_finished=True):
                self._receive(bytes(data))  # type: ignore[operator]
            case Ping():
                self._library.send(event.response())
            case CloseConnection():
                self._library.send(event.response())
                return False
        return True


def _frame(opcode: Opcode, payload: bytes, fin: bool = True) -> bytes:
    protocol = FrameProtocol(client=True, extensions=[])
    return bytes(protocol._serialize_frame(opcode, payload, fin=fin))


@cache
def streams() -> list[bytes]:
    """What clients send: a request each, in one frame or in several, and what else there is."""
    one = [HEAD + _frame(Opcode.TEXT, request) for request in of.CLIENT_JSON]
    text = of.CLIENT_JSON[0]
    parts = [text[at : at + 40] for at in range(0, len(text), 40)]
    torn = _frame(Opcode.TEXT, parts[0], fin=False)
    torn += b"".join(_frame(Opcode.CONTINUATION, part, fin=False) for part in parts[1:-1])
    torn += _frame(Opcode.CONTINUATION, parts[-1])
    others = [
        _frame(Opcode.PING, b"hello") + _frame(Opcode.TEXT, text),
        _frame(Opcode.BINARY, text),
        _frame(Opcode.TEXT, b"\xff\xfe"),
        _frame(Opcode.CLOSE, b"\x03\xe8bye"),
        _frame(Opcode.CLOSE, b""),
        _frame(Opcode.PONG, b""),
    ]
    return [HEAD, *one, HEAD + torn, *(HEAD + other for other in others)]


WORDS = [b"\x00", b"\x88", b"\x7f", b"\xfe", b"\x80", b"\r\n", b'"', b"{"]


def another_stream(rng: Random) -> bytes:
    """Messages that are almost right in frames that are; or frames that are not, or no head."""
    if rng.random() < 0.2:
        return mutated(rng, streams(), WORDS)
    if rng.random() < 0.3:
        sample = rng.choice(streams())[len(HEAD) :] or b"\x81\x80abcd"
        return HEAD + mutated(rng, [sample], WORDS)
    return HEAD + b"".join(_message(rng) for _ in range(rng.choice((1, 2, 3))))


def _message(rng: Random) -> bytes:
    """One, in a frame or in several."""
    data = mutated(rng, of.CLIENT_JSON, WORDS) if rng.random() < 0.8 else rng.choice(of.CLIENT_JSON)
    opcode = Opcode.BINARY if rng.random() < 0.3 else Opcode.TEXT
    if opcode is Opcode.TEXT:
        data = data.decode("utf-8", "replace").encode()
    cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.choice((0, 0, 0, 1, 5))))
    parts = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    frames = [
        _frame(Opcode.CONTINUATION if n else opcode, part, fin=n == len(parts) - 1)
        for n, part in enumerate(parts)
    ]
    if rng.random() < 0.2:
        frames.insert(rng.randrange(len(frames) + 1), _frame(Opcode.PING, b"ping"))
    return b"".join(frames)
