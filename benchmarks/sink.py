"""The other end of a fan-out: many WebSocket clients that read, count, and throw away.

    python -m benchmarks.sink PORT CLIENTS STATISTICS

A client opens so many statistics (none: it sends one message, and waits). ``ready`` is said when
all have. From then on each number that is read from the standard input is answered with
``counting`` at once, and with ``arrived`` as soon as so many values have come since.
"""

from __future__ import annotations

import os
import select
import socket
import sys
import time

PIECE = 64 * 1024
# Between two looks at all clients, seconds. Real clients are on other machines; one that woke
# up for each frame would take the processor from the server 400 times for 500 frames.
NAP = 0.002
INFO = b'"event":"Info"'
TAIL = len(INFO) - 1
ENDS = b"}]"  # neither is in INFO, so after one of them no Info can have begun


def request(number: int) -> bytes:
    """One opening: the same count over another profile each."""
    metric = (
        '{"category":"TotalNumber","subject":"DNAction","mainMask":"CallEntered",'
        f'"interval":{{"type":"GrowingWindow","length":{60 * (number + 1)}}}}}'
    )
    return (
        f'{{"request":"OpenStatisticEx","referenceId":{number + 1},'
        f'"object":{{"objectId":"8001@sw1","objectType":"Queue"}},"metric":{metric},'
        '"notification":{"mode":"ChangesBased"}}'
    ).encode()


def framed(data: bytes) -> bytes:
    """A text frame of a client, masked with zeros."""
    size = len(data)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return b"\x81" + length + b"\0\0\0\0" + data


def connected(port: int) -> socket.socket:
    """One client, after the handshake."""
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Protocol: statserver.v1\r\n\r\n"
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += client.recv(1)
    assert b" 101 " in head, head
    return client


class Sink:
    """All clients, and how many values have come.

    It has to be cheaper than any server that is measured with it, so everything is read into
    one piece of memory. (A fresh one of 256 KiB for each read cost 13 of 18 us per frame.)
    """

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._clients: list[socket.socket] = []  # kept open
        self._tails: dict[int, bytes] = {}  # of what may be the middle of an Info, by descriptor
        self._room = bytearray(PIECE)
        self.values = 0

    def add(self, client: socket.socket) -> None:
        """One more, from which everything is read from now on."""
        self._clients.append(client)
        self._poll.register(client, select.EPOLLIN)

    def read_until(self, values: int) -> None:
        """Read until so many values have come in all."""
        while self.values < values:
            for descriptor, _ in self._poll.poll():
                self._read(descriptor)
            time.sleep(NAP)

    def _read(self, descriptor: int) -> None:
        size = os.readv(descriptor, [self._room])
        assert size, "the server has hung up"
        self.values += self._room.count(INFO, 0, size)
        tail = self._tails.pop(descriptor, b"") if self._tails else b""
        if tail:
            self.values += (tail + self._room[: min(size, TAIL)]).count(INFO)
        if self._room[size - 1] not in ENDS:
            self._tails[descriptor] = (tail + self._room[max(0, size - TAIL) : size])[-TAIL:]


def main(port: int, clients: int, statistics: int) -> None:
    """Be all of them."""
    sink = Sink()
    for _ in range(clients):
        client = connected(port)
        for number in range(statistics):
            client.sendall(framed(request(number)))
        if not statistics:
            client.sendall(framed(b"{}"))
        sink.add(client)
    sink.read_until(clients * statistics)  # the first value of each
    print("ready", flush=True)
    stdin = os.fdopen(0, "rb", buffering=0)
    while line := stdin.readline():
        sink.values = 0
        print("counting", flush=True)
        sink.read_until(int(line))
        print("arrived", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
