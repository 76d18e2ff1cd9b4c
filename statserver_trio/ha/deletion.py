"""Deletion: a statistic whose definition is gone must not come back from the peer.

When a configuration removes an object, a filter, a time profile or a time range,
the statistics that need it are deleted at once, and each leaves a tombstone. The
peer is told ahead of any chunk, and acknowledges when its own configuration has
removed the same:

    deleted here --Delete--> still open there: doomed --its own deletion--> gone
                             not open there ----------------------------> gone
                             still open when it may wait no longer -----> still-open
                             open by the configuration of both ---------> still-open

While the tombstone stands, the peer's push of the same statistic is answered
``DELETED``. It falls with the acknowledgement, with the creation of the statistic
anew (a generation later), or after a day (hot-standby.md 4.5).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf

import msgspec
from attrs import define, field, frozen

from ..machine import Disconnect, Send
from .messages import Delete, DeleteAck, Gone, Item
from .store import Log

TOMBSTONE_SECONDS_MAX = 24 * 3600.0  # then it falls, whatever the peer said
DELETE_KEYS_MAX = 200  # in one message, so that it stays short


@frozen
class Deleted:
    """Event: our configuration deleted these statistics, and they are closed."""

    keys: Sequence[str]


@frozen
class Recreated:
    """Event: a statistic was opened here; a tombstone of its name is void."""

    keys: Sequence[str]


@define
class Deletion:
    """Tombstones of ours, and what the peer has deleted but we have not.

    Attributes:
        patience: Seconds until we acknowledge what we still have open.
        tombstones: Key to generation and when it was deleted.
    """

    patience: float = 600.0
    tombstones: dict[str, tuple[int, float]] = field(factory=dict, init=False)
    acknowledged: int = field(default=0, init=False)
    _generations: dict[str, int] = field(factory=dict, init=False)  # of what came back
    _doomed: dict[str, tuple[int, float]] = field(factory=dict, init=False)
    _open: set[str] = field(factory=set, init=False)
    _linked: bool = field(default=False, init=False)

    def handle_event(self, event: object, now: float) -> list[object]:
        """A deletion here or there, or its acknowledgement."""
        match event:
            case Deleted(keys):
                return self._deleted(keys, now)
            case Recreated(keys):
                for key in keys:
                    self._recreate(key)
                return []
            case Delete(keys):
                return self._peer_deleted(keys, now)
            case DeleteAck(results):
                return self._acknowledged(results)
        return [Disconnect(f"deletion cannot make sense of {type(event).__name__}")]

    def linked(self, now: float) -> list[object]:
        """A session is open: the peer may never have heard of the tombstones."""
        self._linked = True
        self._doomed.clear()  # it tells us again what it has deleted
        return self._tell(self.tombstones)

    def unlinked(self) -> None:
        """Tombstones wait."""
        self._linked = False

    def handle_timer(self, now: float) -> list[object]:
        """Drop what is too old, and stop waiting for what we still have."""
        old = [k for k, (_, at) in self.tombstones.items() if now >= at + TOMBSTONE_SECONDS_MAX]
        for key in old:
            del self.tombstones[key]
        late = [k for k, (_, at) in self._doomed.items() if now >= at + self.patience]
        if not late:
            return []
        text = f"the peer deleted {len(late)} statistics that our configuration keeps"
        return [Log("warning", text), *self._keep(late)]

    def agree(self) -> list[object]:
        """Both have the same configuration: what the peer deleted it can have again by now."""
        return self._keep(list(self._doomed))

    def next_deadline(self) -> float:
        """When the oldest of either kind is due."""
        # Both are filled in the order of time, so the first one is the oldest.
        tombstone = next(iter(self.tombstones.values()), (0, inf))[1] + TOMBSTONE_SECONDS_MAX
        doomed = next(iter(self._doomed.values()), (0, inf))[1] + self.patience
        return min(tombstone, doomed)

    # -- what others ask -------------------------------------------------------------

    def opened(self, keys: Iterable[str]) -> None:
        """These are open here; needed to know what the peer's deletions mean."""
        self._open.update(keys)

    def closed(self, keys: Iterable[str]) -> None:
        """These are not."""
        self._open.difference_update(keys)

    def is_doomed(self, key: str) -> bool:
        """Whether the peer has deleted it, and we have not answered, because it is open here."""
        return key in self._doomed

    def stamped(self, item: Item) -> Item:
        """The item with its generation."""
        generation = self._generations.get(item.key, 0)
        if generation == item.generation:
            return item
        return msgspec.structs.replace(item, generation=generation)

    def refuses(self, item: Item) -> bool:
        """Whether an item of the peer is one that was deleted here."""
        generation = self._generations.get(item.key, 0)
        if item.key in self.tombstones:
            generation = self.tombstones[item.key][0] + 1
        return item.generation < generation

    def renews(self, item: Item) -> bool:
        """Whether the peer deleted a statistic and created it anew, and we have the old one.

        What was counted for the old one is not to come back. Only for items that
        are not refused; their generation is ours from now on.
        """
        self.tombstones.pop(item.key, None)
        if item.generation == self._generations.get(item.key, 0):
            return False
        self._generations[item.key] = item.generation
        self._doomed.pop(item.key, None)
        return item.key in self._open

    # -- inside ----------------------------------------------------------------------

    def _deleted(self, keys: Sequence[str], now: float) -> list[object]:
        news = {key: (self._generations.get(key, 0), now) for key in keys}
        self._open.difference_update(keys)
        for key in keys:
            self.tombstones.pop(key, None)  # to the end: they are in the order of time
        self.tombstones.update(news)
        done = [(key, self._doomed.pop(key)[0], Gone.GONE) for key in keys if key in self._doomed]
        return [*self._answer(done), *self._tell(news)]

    def _recreate(self, key: str) -> None:
        tombstone = self.tombstones.pop(key, None)
        if tombstone is not None:
            self._generations[key] = tombstone[0] + 1
        self._open.add(key)  # if it is doomed it still is: the peer waits for an answer

    def _peer_deleted(self, keys: Sequence[tuple[str, int]], now: float) -> list[object]:
        gone: list[tuple[str, int, Gone]] = []
        for key, generation in keys:
            later = self._generations.get(key, 0) > generation
            if key in self._open and not later:
                self._doomed.pop(key, None)
                self._doomed[key] = (generation, now)
            else:
                gone.append((key, generation, Gone.GONE))
        return self._answer(gone)

    def _keep(self, keys: Iterable[str]) -> list[object]:
        """These stay open whatever the peer has deleted."""
        return self._answer([(key, self._doomed.pop(key)[0], Gone.STILL_OPEN) for key in keys])

    def _acknowledged(self, results: Sequence[tuple[str, int, Gone]]) -> list[object]:
        still_open = 0
        for key, generation, outcome in results:
            tombstone = self.tombstones.get(key)
            if tombstone is None or tombstone[0] != generation:
                continue  # of a former life of that statistic
            del self.tombstones[key]
            self.acknowledged += 1
            still_open += outcome is Gone.STILL_OPEN
        if not still_open:
            return []
        text = f"the peer's configuration keeps {still_open} statistics that ours deleted"
        return [Log("warning", text)]

    def _tell(self, tombstones: dict[str, tuple[int, float]]) -> list[object]:
        keys = [(key, generation) for key, (generation, _) in tombstones.items()]
        return self._batched(Delete, keys)

    def _answer(self, results: list[tuple[str, int, Gone]]) -> list[object]:
        return self._batched(DeleteAck, results)

    def _batched(self, message: type[Delete] | type[DeleteAck], rows: list) -> list[object]:  # type: ignore[type-arg]
        if not self._linked:
            return []
        step = DELETE_KEYS_MAX
        return [Send(message(rows[i : i + step])) for i in range(0, len(rows), step)]
