"""Installing what the peer pushed, a few statistics at a time.

A chunk is as of one position. If we are behind it, it waits, though not for ever: a T-Server
may have begun to count anew, and then we do not come there. If we stand exactly
there, its items are taken as they are; if we are ahead, they are brought up to date
in the :mod:`.shadow` first: opened and filled in there, taken over here. What is told by sums
alone is opened here at once, and gets what it has counted as soon as the shadow has caught up;
until then it is like one that came late. Whatever is done in one step belongs to one moment,
and events may be applied between any two steps.

Where the shadow cannot help (there was none, or it is past that position) an item is
answered ``LATE``. By then there is one, and the peer pushes such items again as of a
position that we told it with the acknowledgement, at which the shadow still stands.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

import msgspec
from attrs import frozen

from ...ha.coverage import Choice, choose
from ...ha.messages import OPEN_NOW, Item, Kind, Positions, Result
from ...ha.store import Installed, InstallItems
from ...stats.carried import StatisticData, read
from ...stats.plain import Earlier, Pair, is_plain, plain_pairs
from ...stats.requests import ExtensionMissing, StatisticError
from ...stats.statistic import Statistic
from ...stats.transfer import opened, opened_there
from ..link_definitions import request_from
from .pins import Pin
from .shadow import Shadow, Steps

if TYPE_CHECKING:
    from .pair_store import PairStore

log = logging.getLogger(__name__)

BROKEN = (
    KeyError, ValueError, TypeError, IndexError, AttributeError, ArithmeticError, RecursionError,
    msgspec.DecodeError,
)  # fmt: skip

# What a step costs, in the items that ``PairStore.go_on`` counts.
LOOK_COST = 0.5
OPEN_COST = 4.0
TAKE_COST = 6.0
PINNED_COST = 2.0

OF_ONE_SWITCH = {"Queue", "RegDN", "RoutePoint", "Switch"}  # the others may be at any of them

BEHIND_MS = 30_000  # to wait for a position; then the items are as good as late

Installing = Generator[float, None, list[Result]]


@frozen
class Pinned:
    """A statistic of ours whose rows the shadow has, as of the position of the chunk.

    Attributes:
        told: As of that position.
        pairs: Its parts, and what was told of them.
        pins: Of those parts.
    """

    statistic: Statistic
    told: StatisticData
    pairs: list[Pair]
    pins: list[Pin]


class ChunkWork:
    """The chunks that wait, and the one that is being installed.

    Attributes:
        inexact: How often neither our aggregate nor the peer's contained the other.
    """

    def __init__(self, store: PairStore) -> None:
        self.inexact = 0
        self._store = store
        self._waiting: list[InstallItems] = []
        self._behind_since: int | None = None  # the first of them, ms
        self._work: Installing | None = None  # on the first of them
        self._begun: list[str] = []  # what was opened by it so far
        self._complaints: list[str] = []  # about its items

    def begin(self, action: InstallItems) -> None:
        """Install this when its turn comes."""
        self._waiting.append(action)

    def forget(self) -> list[str]:
        """Nobody waits for the answers any more; which were opened by what is not done.

        They come again, or the peer has deleted them meanwhile, and nobody else knows of them.
        """
        if self._work is not None:
            self._work.close()
            self._work = None
        self._waiting.clear()
        self._behind_since = None
        self._complain()
        begun, self._begun = self._begun, []
        return begun

    @property
    def can_go_on(self) -> bool:
        """Whether there is something that we are not behind."""
        if self._work is not None:
            return True
        if not self._waiting:
            return False
        if not self._store.is_behind(self._waiting[0].as_of):
            return True
        now = self._store.now_ms()
        self._behind_since = now if self._behind_since is None else self._behind_since
        return now >= self._behind_since + BEHIND_MS

    def step(self) -> tuple[float, Installed | None]:
        """Go on a little: what that has cost, and the answer when a chunk is done."""
        action = self._waiting[0]
        if self._work is None:
            self._work = self._install(action)
        try:
            return next(self._work), None
        except StopIteration as end:
            self._work = self._behind_since = None
            self._begun.clear()
            del self._waiting[0]
            self._complain()
            return LOOK_COST, Installed(action.seq, self._still_open(action.items, end.value))

    def _still_open(self, items: Sequence[Item], results: list[Result]) -> list[Result]:
        """The results; what was closed after it was installed, and before all were, is not here."""
        is_open = (self._store.statistic(item.key) is not None for item in items)
        return [
            Result.UNRESOLVED if result in OPEN_NOW and not here else result
            for result, here in zip(results, is_open, strict=True)
        ]

    # -- a chunk ---------------------------------------------------------------------

    def _install(self, action: InstallItems) -> Installing:
        results: list[Result] = []
        is_behind = self._store.is_behind(action.as_of)  # and we do not wait any more
        not_at: list[int] = []  # of these items we have seen more events than the peer, or less
        keys: set[str] = set()
        for index, item in enumerate(action.items):
            twice = item.key in keys
            keys.add(item.key)
            result = Result.ERROR if twice else self._decided(item, action)
            cost = LOOK_COST
            if result is None:
                if item.kind is Kind.OPEN and not self._is_at(item, action.as_of, everywhere=True):
                    not_at.append(index)
                    result = Result.LATE  # if nothing better comes of it
                else:
                    result, cost = self._take_as_it_is(item, action.as_of), TAKE_COST
            results.append(result)
            yield cost
        if is_behind:
            yield from self._late(action, not_at, results)
        elif not_at:
            yield from self._bring_up(action, not_at, results)
        return results

    def _decided(self, item: Item, action: InstallItems) -> Result | None:
        """The result, where nothing has to be taken over."""
        if item.key in action.deleted:
            return Result.DELETED
        mine = self._store.statistic(item.key)
        if mine is not None and item.key in action.anew:
            self._store.close(item.key, "deleted and created again")
            mine = None
        if mine is None:
            return None
        if self._store.hash_of(item.key) != item.hash:
            return Result.UNRESOLVED
        if item.kind is not Kind.OPEN:
            return Result.KEPT
        coverage, here = self._store.coverage(item.key), self._store.positions()
        choice = choose(coverage, item.coverage, here, action.as_of)
        self.inexact += choice in (Choice.KEEP_INEXACT, Choice.TAKE_INEXACT)
        if choice is Choice.KEEP and self._store.follows(item.key):
            return None
        if choice not in (Choice.TAKE, Choice.TAKE_INEXACT):
            self._store.compared(item.key)
        if choice is Choice.KEEP:
            return self._older(mine, item)
        return None if choice in (Choice.TAKE, Choice.TAKE_INEXACT) else Result.KEPT_MORE

    def _is_at(self, item: Item, as_of: Positions, everywhere: bool) -> bool:
        """Whether we stand where the peer stood, as far as the item can tell the difference.

        Args:
            everywhere: Also at sources that have no part in it: whom it is about may have logged
                in there since (day 998778).
        """
        sources = item.coverage or as_of
        if everywhere and any(name not in sources for name in as_of):
            _, object_type, *_ = msgspec.json.decode(item.key)
            if object_type not in OF_ONE_SWITCH:
                sources = as_of
        return self._store.is_at({name: at for name, at in as_of.items() if name in sources})

    def _take_as_it_is(self, item: Item, as_of: Positions) -> Result:
        # Who has heard nothing has counted nothing, and knows the time of its own machine only.
        has_told = item.kind is Kind.OPEN and bool(as_of or not self._store.positions())
        try:
            told = read(item.payload) if has_told else None
        except BROKEN as exc:
            return self._broken(item, exc)
        return self._take(item, told, as_of)

    def _take(self, item: Item, told: StatisticData | None, as_of: Positions) -> Result:
        """Open it if need be, and let it have counted what was told, as of where we stand.

        Args:
            as_of: Where the peer stood; from there on what was told is our own.
        """
        is_new = False
        try:
            is_new = self._open(item)
            if told is not None:
                self._store.adopt(item, told, as_of)
        except StatisticError as exc:
            return self._unresolved(item, exc)
        except BROKEN as exc:
            if is_new:
                self._store.close(item.key, "what was told of it makes no sense")
            return self._broken(item, exc)
        return Result.OPENED if is_new else Result.ADOPTED

    def _open(self, item: Item) -> bool:
        """Open it if it is not; whether it was not."""
        if self._store.statistic(item.key) is not None:
            return False
        self._store.open(item.key, request_from(item.definition))
        if self._store.hash_of(item.key) != item.hash:
            self._store.close(item.key, "")
            raise StatisticError("incompatible", "our configuration means something else by it")
        self._begun.append(item.key)
        return True

    # -- ahead of the peer -----------------------------------------------------------

    def _bring_up(self, action: InstallItems, ahead: list[int], results: list[Result]) -> Steps:
        """Take what is as of a position before ours; see :mod:`.shadow`."""
        shadow = self._store.shadow
        if shadow is None:
            yield from self._store.make_shadow()
        if shadow is None or not shadow.can_be_at(action.as_of):
            log.info("%d statistics came too late; they are asked for again", len(ahead))
            yield from self._late(action, ahead, results)
            return
        try:
            yield from shadow.wind(action.as_of)
            yield from self._through(shadow, action, ahead, results)
        finally:
            shadow.close_all()
        yield from self._late(action, ahead, results)  # what is left if it was given up meanwhile

    def _through(
        self, shadow: Shadow, action: InstallItems, ahead: list[int], results: list[Result]
    ) -> Steps:
        there: dict[int, Statistic | Pinned] = {}  # as of the chunk
        new: set[int] = set()  # opened here for that
        for index in ahead:
            item = action.items[index]
            is_here = self._store.statistic(item.key) is not None
            try:
                there[index] = self._open_in(shadow, item)
            except StatisticError as exc:
                results[index] = self._unresolved(item, exc)
            except BROKEN as exc:
                results[index] = self._broken(item, exc)
            if not is_here and self._store.statistic(item.key) is not None:
                new.add(index)
            yield OPEN_COST
        for index, each in there.items():
            yield from shadow.catch_up()
            if self._store.shadow is not shadow:
                return
            item = action.items[index]
            if isinstance(each, Pinned):
                result, cost = self._take_pinned(item, each, action.as_of), PINNED_COST
            else:
                result, cost = self._take(item, shadow.close(each), action.as_of), TAKE_COST
            is_opened = result is Result.ADOPTED and index in new
            results[index] = Result.OPENED if is_opened else result
            yield cost

    def _open_in(self, shadow: Shadow, item: Item) -> Statistic | Pinned:
        """It as of where the shadow stands; where that will do, only its rows.

        Then it is open in our engine already, and waits for what it has counted.
        """
        told = read(item.payload)
        if is_plain(told):
            self._open(item)
            mine = self._store.statistic(item.key)
            assert mine is not None
            pairs = plain_pairs(mine, told)
            pins = None if pairs is None else shadow.pin(mine)
            if pairs is not None and pins is not None:
                return Pinned(mine, told, pairs, pins)
        return shadow.open(request_from(item.definition), told)

    def _take_pinned(self, item: Item, there: Pinned, as_of: Positions) -> Result:
        """Let ours have counted what was told, and what its rows have grown by since."""
        mine, parts = self._store.statistic(item.key), [part for _, part, _ in there.pairs]
        if mine is not there.statistic or parts != [
            p for each in mine.parts.values() for p in each
        ]:
            return Result.LATE  # closed, and perhaps opened anew; or it has other nodes by now
        rows = [pin.then(part) for pin, part in zip(there.pins, parts, strict=True)]
        then = Earlier(there.pairs, rows)
        self._store.adopt(item, there.told, as_of, then)
        return Result.ADOPTED

    def _late(self, action: InstallItems, ahead: list[int], results: list[Result]) -> Steps:
        """Open at least what cannot be taken now; what it lacks comes with the next push."""
        for index in ahead:
            if results[index] is not Result.LATE:
                continue
            item = action.items[index]
            try:
                is_new = self._open(item)
            except StatisticError as exc:
                results[index] = self._unresolved(item, exc)
            except BROKEN as exc:
                results[index] = self._broken(item, exc)
            else:
                if self._is_nowhere_else(item, action.as_of):
                    taken = self._take_as_it_is(item, action.as_of)
                    is_opened = is_new and taken is Result.ADOPTED
                    results[index] = Result.OPENED if is_opened else taken
            yield OPEN_COST

    def _is_nowhere_else(self, item: Item, as_of: Positions) -> bool:
        """Whether only sources are ahead that have no part in it here either.

        If the peer does not hear them, nothing better comes for a long time. Who has come there
        and gone again since is overlooked (our decision; the shadow would know, if there was one).
        """
        mine = self._store.statistic(item.key)
        sources = {each.name for each in mine.sources} if mine is not None else set()
        here = self._store.positions()
        return self._is_at(item, as_of, everywhere=False) and all(
            name in item.coverage or as_of.get(name) == here.get(name) for name in sources
        )

    def _older(self, mine: Statistic, item: Item) -> Result | None:
        """Of two with the same events the one that was opened earlier has counted for longer.

        Nothing happened between the two openings, but something went on (our decision).
        """
        try:
            ours, theirs = opened(mine), opened_there(read(item.payload))
            if theirs == ours:
                return Result.KEPT
            return None if theirs < ours else Result.KEPT_MORE
        except BROKEN as exc:  # that they cannot be compared, too
            return self._broken(item, exc)

    # -- what goes wrong -------------------------------------------------------------

    def _unresolved(self, item: Item, exc: StatisticError) -> Result:
        self._complaints.append(f"{item.key} cannot be opened here: {exc}")
        return Result.UNSUPPORTED if isinstance(exc, ExtensionMissing) else Result.UNRESOLVED

    def _broken(self, item: Item, exc: Exception) -> Result:
        self._complaints.append(f"{item.key} makes no sense: {exc!r}")
        return Result.ERROR

    def _complain(self) -> None:
        """One line for a whole chunk: thousands may have the same reason."""
        complaints, self._complaints = self._complaints, []
        if complaints:
            more = f" (and {len(complaints) - 1} more)" if len(complaints) > 1 else ""
            log.warning("of what the peer pushed, %s%s", complaints[0], more)


def is_behind(here: Positions, as_of: Positions) -> bool:
    """Whether some source has not yet come to where the peer's was."""
    return any(here.get(source, position) < position for source, position in as_of.items())
