"""A T-Server that has lines in a file, and sends as many as it is told.

    python -m benchmarks.feed FILE

Says its port. Each number on the standard input is how many more lines to send, as fast as the
other end takes them.
"""

from __future__ import annotations

import itertools
import socket
import sys
from pathlib import Path

from statserver_trio.machine import Connected
from statserver_trio.simulator.feed_server import Feed, FeedServerSession
from statserver_trio.tlib.codec import Decoder, RegisterAll

LOOPBACK = "127.0.0.1"
AT_A_TIME = 1000  # lines handed to the socket in one call
REQUEST_BYTES = 4096


def registered(listener: socket.socket, switch: str) -> socket.socket:
    """The connection of a Stat Server, after it has registered for everything."""
    connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    session, decoder = FeedServerSession(Feed(switch, (), lambda dn: None)), Decoder()
    session.handle_event(Connected(), 0)
    while True:
        messages = decoder.feed(connection.recv(REQUEST_BYTES))
        for message in messages:
            session.handle_event(message, 0)
        connection.sendall(session.take())
        if any(isinstance(message, RegisterAll) for message in messages):
            return connection


def main(path: Path, switch: str) -> None:
    """Serve one Stat Server until the standard input ends."""
    listener = socket.create_server((LOOPBACK, 0))
    print(listener.getsockname()[1], flush=True)
    connection = registered(listener, switch)
    with path.open("rb") as file:
        for wanted in sys.stdin:
            lines = itertools.islice(file, int(wanted))
            while piece := b"".join(itertools.islice(lines, AT_A_TIME)):
                connection.sendall(piece)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
