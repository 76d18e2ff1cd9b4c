"""The other end of a fan-out: many WebSocket clients that read, count, and throw away.

    python -m benchmarks.sink PORT CLIENTS STATISTICS

A client opens so many statistics (none: it sends one message, and waits). ``ready`` is said when
all have; then each number that is read from the standard input is answered as soon as so many
values have arrived in all (the first one at once, with ``counting``).
"""

from __future__ import annotations

import os
import selectors
import socket
import sys

PIECE = 256 * 1024
INFO = b'"event":"Info"'
TAIL = len(INFO) - 1


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
    """All clients, and how many values have come."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._tails: dict[socket.socket, bytes] = {}
        self.values = 0

    def add(self, client: socket.socket) -> None:
        """One more, from which everything is read from now on."""
        client.setblocking(False)
        self._tails[client] = b""
        self._selector.register(client, selectors.EVENT_READ)

    def read_until(self, values: int) -> None:
        """Read until so many values have come in all."""
        while self.values < values:
            for key, _ in self._selector.select():
                client = key.fileobj
                assert isinstance(client, socket.socket)
                data = self._tails[client] + client.recv(PIECE)
                self.values += data.count(INFO)
                self._tails[client] = data[-TAIL:] if not data.endswith(INFO) else b""


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
    sink.values = 0
    stdin = os.fdopen(0, "rb", buffering=0)
    stdin.readline()
    print("counting", flush=True)
    while line := stdin.readline():
        sink.read_until(int(line))
        print("arrived", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
