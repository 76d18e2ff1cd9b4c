"""The service manager: told when we are ready, what we do, and that the loop turns (sd_notify(3)).

A few lines of text in one datagram to the socket that ``NOTIFY_SOCKET`` names; where it names none,
nobody is told and nothing happens. Whoever starts the server reads the environment and hands in
what it says (:func:`notifier_from`).

``WATCHDOG=1`` comes from an ordinary task, so it comes only as long as tasks get their turn: a
server that hangs is killed and started again, and of a pair the other member has everything.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Mapping
from math import inf

import trio
from attrs import define

log = logging.getLogger(__name__)

SEND_SECONDS = 1.0  # for the manager to take a datagram
STATUS_SECONDS = 5.0  # between two looks at what has changed


@define(eq=False)
class Notifier:
    """Tells the service manager.

    Attributes:
        address: Of its socket; ``@`` at the beginning for one without a file; empty: nobody.
        watchdog: Seconds within which it wants to hear that we live; infinite if it does not.
    """

    address: str = ""
    watchdog: float = inf
    _failed: bool = False

    async def tell(self, **fields: str | int) -> None:
        """Send ``READY=1`` and the like, in one datagram; never raises because of the manager."""
        if not self.address:
            return
        text = "\n".join(f"{name}={_one_line(value)}" for name, value in fields.items())
        address = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        error: Exception | None = None
        try:
            with (
                trio.fail_after(SEND_SECONDS),
                trio.socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock,
            ):
                # Only a connected socket can wait for room; another one would spin.
                await sock.connect(address)
                await sock.send(text.encode())
        except (OSError, trio.TooSlowError) as reason:
            error = reason
            if not self._failed:
                log.warning("the service manager cannot be told: %s", reason or "no room")
        self._failed = error is not None

    async def run(self, status: Callable[[], str]) -> None:
        """Say that the loop turns, and what ``status`` has to say, until cancelled."""
        if not self.address:
            return
        said = ""
        while True:
            fields: dict[str, str | int] = {} if self.watchdog == inf else {"WATCHDOG": 1}
            line = status()
            if line != said:
                fields["STATUS"] = said = line
            if fields:
                await self.tell(**fields)
            await trio.sleep(min(self.watchdog / 2, STATUS_SECONDS))


def notifier_from(environment: Mapping[str, str], process_id: int) -> Notifier:
    """What the service manager has left in the environment.

    Args:
        process_id: Ours: the watchdog may be meant for another process.
    """
    watchdog = environment.get("WATCHDOG_USEC", "")
    is_ours = environment.get("WATCHDOG_PID", "") in ("", str(process_id))
    seconds = int(watchdog) / 1e6 if is_ours and watchdog.isdecimal() and int(watchdog) else inf
    return Notifier(environment.get("NOTIFY_SOCKET", ""), seconds)


def _one_line(value: str | int) -> str:
    return " ".join(str(value).split())
