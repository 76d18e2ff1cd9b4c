"""Liveness: whether somebody at the other end is still there, and being woken by what changes."""

from __future__ import annotations

import trio

from .statserver import ConnectionLost, Refused, StatServer

HEARTBEAT_SECONDS = 1.0  # without a word; then we ask, and wait as long again for the answer


class Signal:
    """Something that may happen again and again; whoever waits is woken by the next time."""

    def __init__(self) -> None:
        self._next = trio.Event()

    def happens(self) -> None:
        """Now: wake everybody."""
        self._next.set()
        self._next = trio.Event()

    async def wait(self) -> None:
        """Wait for the next time."""
        await self._next.wait()


async def hang_up_on_silence(server: StatServer) -> None:
    """Ask who says nothing, and take for lost who does not answer."""
    while True:
        silent_at = server.heard_at + HEARTBEAT_SECONDS
        if trio.current_time() < silent_at:
            await trio.sleep_until(silent_at)
            continue
        asked_at = trio.current_time()
        with trio.move_on_after(HEARTBEAT_SECONDS):
            try:
                await server.ask_mode()
            except (ConnectionLost, Refused):
                return
        if server.heard_at < asked_at:
            server.lose(f"it has said nothing for {2 * HEARTBEAT_SECONDS:g} s")
            return
