"""Liveness: whether somebody at the other end is still there, and being woken by what changes."""

from __future__ import annotations

import trio

from .statserver import ConnectionLost, Refused, StatServer

HEARTBEAT_SECONDS = 1.0  # without a word; then we ask, and wait as long again for the answer
# The same where there is nobody else to turn to: a server that is busy for a moment is waited for.
ALONE_SECONDS = 5.0


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


async def hang_up_on_silence(server: StatServer, patience: float = HEARTBEAT_SECONDS) -> None:
    """Ask who says nothing, and take for lost who does not answer.

    Who does not read what he is sent asks nothing: the answer would come behind all the rest.

    Args:
        patience: Seconds without a word until we ask, and from then until it is lost.
    """
    while True:
        silent_at = server.heard_at + patience
        if trio.current_time() < silent_at:
            await trio.sleep_until(silent_at)
        elif not server.is_read:
            await trio.sleep(patience)
        elif not await _answers(server, patience):
            return


async def _answers(server: StatServer, patience: float) -> bool:
    """Whether it says anything when it is asked; if not, it is lost."""
    asked_at = trio.current_time()
    with trio.move_on_after(patience):
        try:
            await server.ask_mode()
        except (ConnectionLost, Refused):
            return False
    waited = trio.current_time() - asked_at
    if server.heard_at >= asked_at or waited > 1.5 * patience:  # it was us who were held up
        return True
    server.lose(f"it has said nothing for {2 * patience:g} s")
    return False
