"""A relay in front of a server, where a connection can be reset, or everything be swallowed."""

from __future__ import annotations

import socket
import struct

import trio

from statserver_trio.commands.demo_members import LOOPBACK

PIECE_BYTES = 65536
AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST and forgets what was not sent


class Relay:
    """Passes on what clients and one server say to each other.

    Attributes:
        swallows: Nothing gets through, and nothing is closed: like a network that drops packets.
    """

    def __init__(self, port: int) -> None:
        self.swallows = False
        self.port = 0
        self._server_port = port
        self._clients: set[trio.SocketStream] = set()

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"ws://{LOOPBACK}:{self.port}/"

    async def serve(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Until cancelled; the port is open when it has started."""
        (listener,) = await trio.open_tcp_listeners(0, host=LOOPBACK)
        self.port = listener.socket.getsockname()[1]
        task_status.started()
        await trio.serve_listeners(self._pass_on, [listener])

    async def _pass_on(self, client: trio.SocketStream) -> None:
        self._clients.add(client)
        try:
            server = await trio.open_tcp_stream(LOOPBACK, self._server_port)
        except OSError:
            return  # nobody is there: the client is told by a closed connection
        finally:
            self._clients.discard(client)
        self._clients.add(client)
        async with server, trio.open_nursery() as nursery:
            nursery.start_soon(self._copy, client, server, nursery.cancel_scope)
            nursery.start_soon(self._copy, server, client, nursery.cancel_scope)
        self._clients.discard(client)

    async def _copy(
        self, one: trio.SocketStream, other: trio.SocketStream, scope: trio.CancelScope
    ) -> None:
        try:
            while data := await one.receive_some(PIECE_BYTES):
                if self.swallows:
                    await trio.sleep_forever()
                await other.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the other direction is of no use, either
        scope.cancel()

    async def reset(self) -> None:
        """Reset the connections of all clients."""
        for client in list(self._clients):
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            await trio.aclose_forcefully(client)
