"""Who still wants what: statistics that one member keeps for the other's clients.

Closing a statistic is not deleting it. It stays open as long as a client of
either member wants it, and a while longer, because clients come back:

    a client of ours wants it    Opened
    nobody of ours does          Released; or installed, and never opened here
      |
      | a quarter of an hour (the linger) without Opened
      v
    the peer is told (Release)   and we keep it only if a client of the peer wants it

What the peer wants we know from the items it pushes (``Item.held``) and from its
Release. Whatever nobody wants is ``Unwanted``, and closed; so every open statistic
is wanted here, or lingers, or is wanted there:

* A peer that has gone may come back empty, and then needs what it held. For a day
  all of it is kept (hot-standby.md 4.5).
* In a new session the peer says anew what it wants: what it held before is kept
  for one more linger, since its clients may be slower than the link.

A Release is numbered, acknowledged, and repeated after a lost connection; else the
peer might keep something for good. The other question between the two is ``Want``:
what we have of these statistics lacks something, and yours may not. It is repeated as well,
until they have come.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from math import inf

from attrs import define, field, frozen

from ..machine import Disconnect, Send
from .messages import Item, Release, ReleaseAck, Want
from .store import Unwanted

LINGER = 15 * 60.0  # seconds; our default of old-stats-remove-interval (hot-standby.md 5.2)
ORPHAN_SECONDS_MAX = 24 * 3600.0  # without the peer; then nothing is kept for it
KEYS_MAX = 5000  # in one message; more go in several
UNWANTED_MAX = 500  # at a time, so that closing them holds nobody up ...
UNWANTED_PAUSE = 0.1  # ... and seconds until the next ones


@frozen
class Released:
    """Event: the last client of ours has left these. They stay open until they are
    :class:`~.store.Unwanted`, and may be :class:`~.replication.Opened` again.
    """

    keys: Sequence[str]


@frozen
class Wanted:
    """Event: what we have of these lacks something, and the peer may have it."""

    keys: Sequence[str]


@define
class Holds:
    """What is wanted here and there, and what we still have to ask the peer for."""

    _ours: set[str] = field(factory=set, init=False)
    _lingering: dict[str, float] = field(factory=dict, init=False)  # until; the first ends first
    _theirs: set[str] = field(factory=set, init=False)
    _claims: set[str] = field(factory=set, init=False)  # theirs in a former session
    _claims_until: float = field(default=inf, init=False)
    _unwanted: dict[str, None] = field(factory=dict, init=False)  # not yet told
    _unwanted_at: float = field(default=inf, init=False)
    _wanted: dict[str, None] = field(factory=dict, init=False)  # of the peer; not yet got
    _released: dict[str, None] = field(factory=dict, init=False)  # to be told to the peer
    _unheard: dict[int, list[str]] = field(factory=dict, init=False)  # told, by number
    _early: set[str] = field(factory=set, init=False)  # released while being installed
    _number: int = field(default=0, init=False)
    _linked: bool = field(default=False, init=False)
    _in_session: bool = field(default=False, init=False)
    _orphaned_at: float = field(default=inf, init=False)

    # -- what others ask -------------------------------------------------------------

    def ours(self, key: str) -> bool:
        """Whether a client of ours wants this statistic."""
        return key in self._ours

    def held(self, key: str) -> bool:
        """Whether a client of the peer wants this statistic, or may come back for it."""
        return key in self._theirs or key in self._claims

    # -- the session -----------------------------------------------------------------

    def linked(self, is_new: bool, now: float) -> list[object]:
        """A session is open: say what could not be said before."""
        self._linked = self._in_session = True
        self._orphaned_at = inf
        repeated: list[object] = []
        if is_new:
            self.forget()
            self._in_session = True
            self._claims, self._theirs = self._theirs, set()
            self._claims_until = now + LINGER if self._claims else inf
        else:
            repeated = [Send(Release(number, keys)) for number, keys in self._unheard.items()]
        return [*_want(self._wanted), *repeated, *self._tell_released()]

    def unlinked(self, now: float) -> None:
        """The peer may be back soon, or never."""
        self._early.clear()
        if self._linked:
            self._linked, self._orphaned_at = False, now + ORPHAN_SECONDS_MAX
            self._theirs |= self._claims  # it may be another restart
            self._claims, self._claims_until = set(), inf

    def forget(self) -> None:
        """The session is gone; in the next one we say anew what we want."""
        self._in_session = False
        self._released.clear()
        self._unheard.clear()

    # -- events ----------------------------------------------------------------------

    def handle_event(self, event: object, now: float) -> list[object]:
        """What we or the peer want, or do not want any longer."""
        match event:
            case Wanted(keys):
                self._wanted.update(dict.fromkeys(keys))
                return _want(keys) if self._linked else []
            case Released(keys):
                self._ours.difference_update(keys)
                self._linger(keys, now)
                return []
            case Release(number, keys):
                gone = [key for key in keys if self.held(key)]
                self._theirs.difference_update(gone)
                self._claims.difference_update(gone)
                return [Send(ReleaseAck(number)), *self._judge(gone, now)]
            case ReleaseAck(number):
                self._unheard.pop(number, None)
                return []
        return [Disconnect(f"holds cannot make sense of {type(event).__name__}")]

    def opened(self, keys: Iterable[str]) -> None:
        """Clients of ours want these (again)."""
        for key in keys:
            self._ours.add(key)
            self._lingering.pop(key, None)
            self._released.pop(key, None)

    def closed(self, keys: Iterable[str]) -> list[object]:
        """These are not open any more; so we do not hold them at the peer either."""
        held = [key for key in keys if key in self._ours or key in self._lingering]
        self.deleted(keys)
        return self.release(held)

    def deleted(self, keys: Iterable[str]) -> None:
        """These are not open any more, and the peer is asked to delete them as well.

        If it answers that it keeps them, that is the time for :meth:`release`.
        """
        for key in keys:
            self._ours.discard(key)
            self._lingering.pop(key, None)
            self._theirs.discard(key)
            self._claims.discard(key)
            self._wanted.pop(key, None)
            self._unwanted.pop(key, None)

    def release(self, keys: Iterable[str]) -> list[object]:
        """The peer need not keep these for us."""
        for key in keys:
            if key not in self._ours:
                self._release(key)
        return self._tell_released()

    def early(self, keys: Iterable[str]) -> None:
        """The peer has released these, and they are still being installed."""
        self._early.update(keys)

    def installed(self, item: Item, now: float, is_late: bool = False) -> None:
        """The peer pushed this and we have it; ``is_late``: but not what it has counted."""
        key = item.key
        if not is_late:
            self._wanted.pop(key, None)
        if item.held and key not in self._early:
            self._theirs.add(key)
            self._claims.discard(key)
            return
        self._early.discard(key)
        self._theirs.discard(key)
        self._claims.discard(key)
        if key not in self._ours and key not in self._lingering:
            self._linger([key], now)

    # -- time ------------------------------------------------------------------------

    def handle_timer(self, now: float) -> list[object]:
        """Let go of what has lingered, and of what the peer has not come back for."""
        over = []
        for key, until in self._lingering.items():
            if now < until:
                break
            over.append(key)
        for key in over:
            del self._lingering[key]
            self._release(key)
        if now >= self._claims_until:
            self._claims_until = inf
            over += sorted(self._claims)
            self._claims.clear()
        if now >= self._orphaned_at:
            self._orphaned_at = inf
            over += sorted(self._theirs)
            self._theirs.clear()
        actions = self._tell_released()
        actions += self._judge(over, now)
        return actions if now < self._unwanted_at else [*actions, *self._let_go(now)]

    def next_deadline(self) -> float:
        """When the first of these is due."""
        linger = next(iter(self._lingering.values()), inf)
        return min(linger, self._claims_until, self._orphaned_at, self._unwanted_at)

    # -- inside ----------------------------------------------------------------------

    def _linger(self, keys: Iterable[str], now: float) -> None:
        for key in keys:
            self._lingering.pop(key, None)  # to the end: they are in the order of time
            self._lingering[key] = now + LINGER

    def _release(self, key: str) -> None:
        if self._in_session:
            self._released[key] = None

    def _tell_released(self) -> list[object]:
        if not self._linked or not self._released:
            return []
        keys, self._released = list(self._released), {}
        actions: list[object] = []
        for batch in _batches(keys):
            self._number += 1
            self._unheard[self._number] = batch
            actions.append(Send(Release(self._number, batch)))
        return actions

    def _is_wanted(self, key: str) -> bool:
        return key in self._ours or key in self._lingering or self.held(key)

    def _judge(self, keys: Iterable[str], now: float) -> list[object]:
        """Somebody has let go of these: does anybody else want them?"""
        was_empty = not self._unwanted
        self._unwanted.update(dict.fromkeys(key for key in keys if not self._is_wanted(key)))
        return self._let_go(now) if was_empty else []

    def _let_go(self, now: float) -> list[object]:
        keys = list(islice(self._unwanted, UNWANTED_MAX))
        for key in keys:
            del self._unwanted[key]
        self._unwanted_at = now + UNWANTED_PAUSE if self._unwanted else inf
        unwanted = tuple(key for key in keys if not self._is_wanted(key))
        return [Unwanted(unwanted)] if unwanted else []


def _batches(keys: Sequence[str]) -> list[list[str]]:
    return [list(keys[i : i + KEYS_MAX]) for i in range(0, len(keys), KEYS_MAX)]


def _want(keys: Iterable[str]) -> list[object]:
    return [Send(Want(batch)) for batch in _batches(list(keys))]
