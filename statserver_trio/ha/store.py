"""The door between the pair's machines and whoever owns them.

Nothing on this floor knows the engine. The machines answer with actions, the
owner performs them in order, and where an action asks a question the owner hands
the answer back as an event. There are three kinds:

1. **The stream** (also :class:`~..machine.Send` and ``Disconnect``):
   :class:`Abort`, :class:`Greeted`, :class:`Admit`, :class:`Refuse`,
   :class:`Trace`, :class:`Log`.
2. **News**, to be acted on or only shown: :class:`SessionOpened`,
   :class:`SessionLost`, :class:`SessionExpired`, :class:`Joined`,
   :class:`HoleLeft`, :class:`PeerMode`, :class:`Unwanted`.
3. **The engine's work**, each of which :func:`perform` turns into one call of a
   :class:`Store` and, where something is to be answered, into the event:

   ============================  =======================  =======================
   action                        call                     event
   ============================  =======================  =======================
   ``ListOpen()``                ``open_keys``            ``OpenKeys``
   ``BuildChunk(...)``           ``cut`` per key          ``ChunkBuilt``
   ``InstallItems(...)``         ``begin_install``        ``Installed``, later
   ``ServeJoin(...)``            ``world``                ``WorldBuilt``
   ``AdoptWorld(...)``           ``adopt_world``          none
   ``ApplyEvents(...)``          ``apply``                none
   ``BeginAt(...)``              ``begin_at``             none
   ``HoleLeft(...)``             ``leave_hole``           none
   ============================  =======================  =======================

The position of a source in the engine is moved by the last four, and by nothing
else: it is the one of ``BeginAt``, of the last event applied, ``HoleLeft.last``, or
of ``AdoptWorld.as_of``. A statistic that is opened there begins with the coverage
``[(position, position)]``: so far it lacks nothing. One that was adopted from a
member that is ahead has counted some events already, and passes over them when
they come. The tail (the recent contributions that are added to an adopted
aggregate) belongs to one picture: ``BeginAt``, ``HoleLeft`` and ``AdoptWorld`` empty
it, and a chunk that needs more of it than there is leaves a hole in the coverage of
the statistic, which is then to be told as :class:`~.holds.Wanted`.

Two rules make the pair exact. The owner applies no event of a source except
through ``ApplyEvents``: what arrives from a feed goes in as
:class:`~.intake.Arrived` and comes out when it is its turn. And whatever one
action does, ``cut`` above all, happens between two events.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from attrs import frozen

from .messages import Event, Item, Positions, Reject, Result

# -- actions: the stream ---------------------------------------------------------------


@frozen
class Abort:
    """Action: close the stream without lingering (RST); nothing more gets through."""

    reason: str


@frozen
class Greeted:
    """Action: the greeting was accepted; the decoder's generous limits hold from now on."""


@frozen
class Admit:
    """Action: make this newly accepted connection the link.

    Close the present one if there is any, tell ``Disconnected`` of it, then
    ``Connected`` and the messages that the new one has sent so far.
    """

    connection: object
    reason: str = ""  # why the present one is closed


@frozen
class Refuse:
    """Action: send this to a newly accepted connection, and close it."""

    connection: object
    message: Reject


@frozen
class Trace:
    """Action: log one ADDP message; ``direction`` is ``>`` for sent, ``<`` for received."""

    direction: str
    text: str


@frozen
class Log:
    """Action: log this; ``level`` is ``debug``, ``info``, ``warning`` or ``alarm``."""

    level: str
    text: str


# -- actions: news ---------------------------------------------------------------------


@frozen
class SessionOpened:
    """Action: the pair is in session; replication runs."""

    session: str
    restored: bool
    peer: str


@frozen
class SessionLost:
    """Action: the link of an open session is gone; ``planned`` if the peer said Bye."""

    reason: str
    planned: bool


@frozen
class SessionExpired:
    """Action: nobody came back in time; the next session will replicate everything."""


@frozen
class Joined:
    """Action: our picture of these sources begins, or begins anew.

    Attributes:
        result: ``adopted``: from the peer's, as of a position. ``alone``: from the
            sources' own snapshots.

    After ``adopted`` answer with :class:`~.replication.Wanted` and the keys of all
    statistics whose coverage lacks something.
    """

    sources: Sequence[str]
    result: str


@frozen
class HoleLeft:
    """Action: the events of these positions are lost to us; what they would have
    contributed is missing. Both ends included; say so to clients.

    Take the positions from ``first`` to ``last``, and on to where the statistic
    stands if it was ahead, out of the coverage of every statistic of the source:
    what follows is counted on a doubtful picture, and must lose against one that
    was not. Tell all of them as :class:`~.holds.Wanted` when ``Joined`` says
    ``adopted``.

    Attributes:
        waited: For so many seconds what came after the hole has been held. What goes on
            was known until then, so nothing that comes now may be earlier.
    """

    source: str
    first: int
    last: int
    waited: float = 0.0


@frozen
class PeerMode:
    """Action: the peer's run mode or configuration, at the greeting and at every change."""

    mode: str
    fingerprint: str


@frozen
class Unwanted:
    """Action: no client of either member wants these: close them, and tell
    :class:`~.replication.Closed`. Several hundred at most.
    """

    keys: Sequence[str]


# -- actions: the engine's work --------------------------------------------------------


@frozen
class ListOpen:
    """Action: tell the keys of all statistics that are to be replicated, some thousands at a time.

    Attributes:
        first: From which one on, of all that were open when number 0 was asked for.
    """

    first: int = 0


@frozen
class BuildChunk:
    """Action: cut these statistics, now; the answer goes with the next chunk.

    Attributes:
        bytes_max: Stop before the payloads come to more, but never before the first.
    """

    keys: Sequence[str]
    bytes_max: int


@frozen
class InstallItems:
    """Action: install what the peer pushed; answer only when it is done.

    Attributes:
        deleted: Keys that must not be opened again: answer ``DELETED`` for them.
        anew: Keys to be closed first, because the peer deleted and recreated them.
    """

    seq: int
    as_of: Positions
    items: Sequence[Item]
    deleted: frozenset[str] = frozenset()
    anew: frozenset[str] = frozenset()


@frozen
class ServeJoin:
    """Action: write down the state of these sources, for the peer."""

    number: int
    sources: Sequence[str]


@frozen
class AdoptWorld:
    """Action: replace the state of the sources in ``as_of`` by the peer's.

    Whatever was counted on the picture that is replaced, from ``since`` on, is in doubt,
    and what lies between that and ``as_of`` was never counted: all of it is missing in
    the coverage of our statistics from now on.

    Attributes:
        since: After which positions the replaced pictures began; nothing of a source of
            which there was none.
    """

    as_of: Positions
    blob: bytes
    since: Positions


@frozen
class BeginAt:
    """Action: our picture of this source begins, or begins anew, after that position."""

    source: str
    position: int


@frozen
class ApplyEvents:
    """Action: it is their turn, in this order; without a position: a snapshot."""

    source: str
    events: Sequence[Event]


# -- events: the answers ---------------------------------------------------------------


@frozen
class OpenKeys:
    """Event: the answer to :class:`ListOpen`.

    Attributes:
        following: Which one is the next, if there are more.
    """

    keys: Collection[str]
    following: int | None = None


@frozen
class ChunkBuilt:
    """Event: the answer to :class:`BuildChunk`.

    Attributes:
        taken: How many of the keys, from the first on, were dealt with; those of
            them without an item are not open any more.
    """

    items: Sequence[Item]
    taken: int


@frozen
class Installed:
    """Event: the answer to :class:`InstallItems`; results in the order of the items."""

    seq: int
    results: Sequence[Result]


@frozen
class WorldBuilt:
    """Event: the answer to :class:`ServeJoin`."""

    number: int
    sources: Sequence[str]
    blob: bytes


class Store(Protocol):
    """What the engine's side must be able to do."""

    def list_open(self, first: int) -> tuple[Collection[str], int | None]:
        """What :class:`ListOpen` asks for, and which one is the next."""

    def cut(self, key: str) -> Item | None:
        """A statistic as it is now; None if it is not open."""

    def begin_install(self, action: InstallItems) -> None:
        """Open or bring up to date what the peer pushed (:func:`.coverage.choose` says which).

        Not at once: the owner goes on with it in between, and answers when it is done.
        """

    def world(self, sources: Sequence[str]) -> bytes:
        """The state of these sources: what is in progress, with true starts and data."""

    def adopt_world(self, as_of: Positions, blob: bytes, since: Positions) -> None:
        """What :class:`AdoptWorld` says."""

    def apply(self, source: str, events: Sequence[Event]) -> None:
        """What :class:`ApplyEvents` says."""

    def begin_at(self, source: str, position: int) -> None:
        """What :class:`BeginAt` says."""

    def leave_hole(self, source: str, first: int, last: int, waited: float = 0.0) -> None:
        """What :class:`HoleLeft` says."""


def perform(action: object, store: Store) -> tuple[bool, object | None]:
    """Let ``store`` do an action of the third kind.

    Returns:
        Whether it was one, and the event that answers it, if any.
    """
    match action:
        case ListOpen(first):
            return True, OpenKeys(*store.list_open(first))
        case BuildChunk():
            return True, _build(action, store)
        case InstallItems():
            store.begin_install(action)
        case ServeJoin(number, sources):
            return True, WorldBuilt(number, sources, store.world(sources))
        case AdoptWorld(as_of, blob, since):
            store.adopt_world(as_of, blob, since)
        case ApplyEvents(source, events):
            store.apply(source, events)
        case BeginAt(source, position):
            store.begin_at(source, position)
        case HoleLeft(source, first, last, waited):
            store.leave_hole(source, first, last, waited)
        case _:
            return False, None
    return True, None


def _build(action: BuildChunk, store: Store) -> ChunkBuilt:
    items: list[Item] = []
    size = taken = 0
    for key in action.keys:
        item = store.cut(key)
        if item is not None:
            size += len(item.payload)
            if items and size > action.bytes_max:
                break
            items.append(item)
        taken += 1
    return ChunkBuilt(items, taken)
