"""Who still wants what: statistics that one member keeps for the other's clients.

Closing a statistic is not deleting it. It stays open as long as a client of
either member wants it, so each member tells the other when its own last client
has left (``Release``), and remembers of which statistics the other has not said
so. Of a peer that has gone for good we keep everything for a day: it may come
back empty, and then needs it (hot-standby.md 4.5).

The other question between the two is ``Want``: what we have of these statistics
lacks something, and yours may not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf

from attrs import define, field, frozen

from ..machine import Disconnect, Send
from .messages import Item, Release, Want
from .store import PeerReleased

ORPHAN_SECONDS_MAX = 24 * 3600.0  # without the peer; then nothing is kept for it
KEYS_MAX = 5000  # in one message; more go in several


@frozen
class Released:
    """Event: no client of ours wants these any longer. They stay open; see
    :class:`~.store.PeerReleased` and :meth:`Holds.held`.
    """

    keys: Sequence[str]


@frozen
class Wanted:
    """Event: what we have of these lacks something, and the peer may have it."""

    keys: Sequence[str]


@define
class Holds:
    """What the peer holds here, and what we still have to ask it for."""

    _held: set[str] = field(factory=set, init=False)
    _wanted: dict[str, None] = field(factory=dict, init=False)
    _released: dict[str, None] = field(factory=dict, init=False)
    _linked: bool = field(default=False, init=False)
    _orphaned_at: float = field(default=inf, init=False)

    def held(self, key: str) -> bool:
        """Whether a client of the peer wants this statistic."""
        return key in self._held

    def linked(self, is_new: bool) -> list[object]:
        """A session is open: say what could not be said before."""
        self._linked, self._orphaned_at = True, inf
        if is_new:
            self._held.clear()  # it will push everything that it holds
        wanted, self._wanted = self._wanted, {}
        released, self._released = self._released, {}
        return [*_batched(Want, wanted), *_batched(Release, released)]

    def unlinked(self, now: float) -> None:
        """The peer may be back soon, or never."""
        if self._linked:
            self._linked, self._orphaned_at = False, now + ORPHAN_SECONDS_MAX

    def installed(self, item: Item) -> None:
        """The peer pushed this and we have it."""
        if item.held:
            self._held.add(item.key)
        else:
            self._held.discard(item.key)

    def closed(self, keys: Iterable[str]) -> None:
        """These are not open any more."""
        for key in keys:
            self._held.discard(key)
            self._wanted.pop(key, None)
            self._released.pop(key, None)

    def opened(self, keys: Iterable[str]) -> None:
        """Clients of ours want these (again)."""
        for key in keys:
            self._released.pop(key, None)

    def handle_event(self, event: object, now: float) -> list[object]:
        """What we or the peer want, or do not want any longer."""
        match event:
            case Wanted(keys):
                if self._linked:
                    return _batched(Want, keys)
                self._wanted.update(dict.fromkeys(keys))
                return []
            case Released(keys):
                if self._linked:
                    return _batched(Release, keys)
                self._released.update(dict.fromkeys(keys))
                return []
            case Release(keys):
                gone = [key for key in keys if key in self._held]
                self._held.difference_update(gone)
                return [PeerReleased(tuple(gone))] if gone else []
        return [Disconnect(f"holds cannot make sense of {type(event).__name__}")]

    def handle_timer(self, now: float) -> list[object]:
        """The peer has been away for a day: nothing is kept for it any more."""
        if now < self._orphaned_at:
            return []
        self._orphaned_at = inf
        orphans, self._held = sorted(self._held), set()
        return [PeerReleased(tuple(orphans))] if orphans else []

    def next_deadline(self) -> float:
        """When the day is over."""
        return self._orphaned_at


def _batched(message: type[Want] | type[Release], keys: Iterable[str]) -> list[object]:
    rows = list(keys)
    return [Send(message(rows[i : i + KEYS_MAX])) for i in range(0, len(rows), KEYS_MAX)]
