"""The installer: work that the peer causes and that need not be done at once.

What it pushes is installed, and what we have is looked through for holes, a slice at a
time: between two slices events are applied and clients are told. A slice ends by time:
statistics differ much in what they cost, and every slice costs a turn of the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from time import perf_counter

import trio

from ...ha.holds import Released, Wanted
from ...ha.store import Installed, InstallItems
from ..hub import Hub
from .pair_store import PairStore

SLICE_SECONDS = 0.004  # of installing at a time; then the other tasks get their turn ...
SLICE_ITEMS = 800  # ... and what it costs at most, see PairStore.go_on; some ten milliseconds
LOOKS = 200  # at a time, for holes; less than a millisecond


class Installer:
    """The work, and the task that does it.

    Args:
        tell: Lets the machines know what has been done.

    Attributes:
        slice_items: How much is done at a time where it does not go by time, so that a
            simulation does the same each time that it is run.
    """

    def __init__(self, store: PairStore, hub: Hub, tell: Callable[[object], None]) -> None:
        self.slice_items: int | None = None
        self._store = store
        self._hub = hub
        self._tell = tell
        self._more = trio.Event()
        # Keys to be looked at, whether the peer has more; it will have when the link is back.
        self._lacking: dict[str, None] = {}

    def install(self, action: InstallItems) -> None:
        """The peer pushed a chunk."""
        self._store.begin_install(action)
        self._more.set()

    def look_for_holes(self, keys: Iterable[str]) -> None:
        """Of these the peer may have more."""
        self._lacking.update(dict.fromkeys(keys))
        self._more.set()

    def moved(self) -> None:
        """Events were applied: what had to wait for them may be installed now."""
        if self._store.can_go_on:
            self._more.set()

    def forget(self) -> list[str]:
        """The link is gone: what was not installed comes again; what was closed for that."""
        return self._store.forget_waiting()

    def work(self) -> bool:
        """Do a slice; whether more can be done at once.

        Called by the task; a simulation without tasks calls it itself.
        """
        for done in self._go_on():
            self._tell(done)
            self._lacking.update(dict.fromkeys(self._store.take_doubtful()))
            self._hub.distribute()
        for key, notices in self._store.take_taken_away():
            self._hub.deliver(notices)
            self._tell(Released((key,)))
        batch = list(islice(self._lacking, self.slice_items or LOOKS))
        for key in batch:
            del self._lacking[key]
        wanted = self._store.lacking(batch)
        if wanted:
            self._tell(Wanted(tuple(wanted)))
        return self._store.can_go_on or bool(self._lacking)

    def _go_on(self) -> list[Installed]:
        if self.slice_items is not None:
            return self._store.go_on(self.slice_items)
        until = perf_counter() + SLICE_SECONDS
        return self._store.go_on(SLICE_ITEMS, lambda: perf_counter() >= until)

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self._more.wait()
            self._more = trio.Event()
            while self.work():
                await trio.lowlevel.checkpoint()
