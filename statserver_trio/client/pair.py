"""Both members of a pair as one server: open on both, one stream of values, no gap.

Every statistic is open with each member that can be reached. What they say is merged
(:mod:`.merging`), so when a member dies the other one's next word is delivered at once, nothing has
to be opened first, and what both said is delivered once. A member that is about to stop says so and
hands over at once. A member that is lost is dialled again and again; what was opened meanwhile is
opened there as soon as it is back. What a member has refused, or closed, it is asked for again once
a minute: a reload may have brought the definition, and nobody says so.

A member that says nothing is asked which role it has, and taken for lost if there is no answer
within :data:`.liveness.HEARTBEAT_SECONDS`: a network that swallows everything closes nothing.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import trio

from ..api import messages as m
from ..api.inline import tells_changes_only
from ..api.open_spec import inline_request, parse_open
from .liveness import Signal, hang_up_on_silence
from .members import Member, Reach, Wanted
from .merging import MergedStatistic
from .statserver import (
    UNREAD_EVENTS_PAUSE,
    ConnectionLost,
    OpenStatistic,
    Refused,
    StatServer,
    Update,
    note,
)

if TYPE_CHECKING:
    from ..stats.requests import StatisticRequest

RETRY_FIRST_SECONDS, RETRY_LIMIT_SECONDS = 0.2, 5.0  # between two attempts, with jitter
# Until a member is asked again for what it refused, with jitter: what it does not know, and what
# it cannot open yet. One request at a time, however many there are.
ASK_AGAIN_SECONDS, NOT_READY_SECONDS = 60.0, 1.0

T = TypeVar("T")
# From a URL to a connection; it raises ConnectionLost where there is none to be had.
Dial = Callable[[str], AbstractAsyncContextManager[StatServer]]


class StatServerPair:
    """Several servers that count the same; get one from :func:`.open_statserver`.

    Requests wait until a member answers. The iteration never ends by itself: while no member can
    be reached there are no updates, and :attr:`reachable` is empty.
    """

    def __init__(self, urls: Sequence[str]) -> None:
        self._members = [Member(number, url) for number, url in enumerate(urls)]
        self._wanted: dict[OpenStatistic, Wanted] = {}
        self._updates: deque[Update] = deque()
        self._news = Signal()
        self._room = Signal()
        self._came = Signal()  # a member was reached, could not be, or was lost

    @property
    def reachable(self) -> list[str]:
        """The URLs of the members that there is a connection to."""
        return [member.url for member in self._members if member.server is not None]

    @property
    def members(self) -> list[Reach]:
        """All of them, in the order of the URLs."""
        return [member.reach for member in self._members]

    async def members_changed(self) -> None:
        """Wait until one more can be reached, or one less, or an attempt has failed."""
        await self._came.wait()

    @property
    def modes(self) -> dict[str, m.ServerMode]:
        """By URL, which of the pair it says it is."""
        servers = ((member.url, member.server) for member in self._members)
        return {url: server.mode for url, server in servers if server and server.mode}

    @property
    def statistics(self) -> list[OpenStatistic]:
        """What is open."""
        return list(self._wanted)

    def leader_of(self, statistic: OpenStatistic) -> str | None:
        """The URL of the member whose word about it is delivered; None while nobody has it open."""
        leader = self._wanted[statistic].merged.leader
        return None if leader is None else self._members[leader].url

    # -- requests ---------------------------------------------------------------------------

    async def open(
        self,
        what: str | StatisticRequest,
        *,
        mode: str = "ChangesBased",
        frequency: float = 0,
        insensitivity: float = 0,
    ) -> OpenStatistic:
        """Open a statistic with every member; its values come with the iteration.

        It is open when a member has opened it; the others follow by themselves.

        Args:
            what: As on the command line (``Agent:a1:TotalLoginTime,profile=P``), or in parts.
            frequency: Seconds, to a tenth; TimeBased needs 1 or more.

        Raises:
            Refused: Every member that can be reached refuses it.
        """
        request = parse_open(what) if isinstance(what, str) else what
        notification = m.NotificationRef(
            mode=mode, frequency=frequency, insensitivity=insensitivity
        )
        return await self._open(OpenStatistic(request), notification)

    async def open_ex(
        self,
        whose: m.ObjectRef,
        definition: m.MetricEx,
        *,
        mode: str = "ChangesBased",
        frequency: float = 0,
        insensitivity: float = 0,
    ) -> OpenStatistic:
        """Open with every member what no configuration need know; see :meth:`.StatServer.open_ex`.

        Raises:
            Refused: Every member that can be reached refuses it.
        """
        notification = m.NotificationRef(
            mode=mode, frequency=frequency, insensitivity=insensitivity
        )
        statistic = OpenStatistic(inline_request(whose, definition), definition)
        return await self._open(statistic, notification)

    async def _open(
        self, statistic: OpenStatistic, notification: m.NotificationRef
    ) -> OpenStatistic:
        merged = MergedStatistic(len(self._members), tells_changes_only(notification))
        wanted = self._wanted[statistic] = Wanted(statistic, notification, merged)
        for member in self._members:
            if member.server is not None and member.nursery is not None:
                member.nursery.start_soon(self._open_there, member, member.server, wanted)
        try:
            await self._answered(wanted)
        except BaseException:
            del self._wanted[statistic]
            raise
        return statistic

    async def _answered(self, wanted: Wanted) -> None:
        """Wait until a member has it open, or all that can be reached have refused."""
        while not wanted.merged.is_open:
            there = [each.number for each in self._members if each.server is not None]
            if there and all(number in wanted.refusals for number in there):
                raise wanted.refusals[there[0]]
            await wanted.changed.wait()

    async def _open_there(self, member: Member, server: StatServer, wanted: Wanted) -> None:
        ours = wanted.statistic
        statistic = OpenStatistic(ours.request, ours.definition)
        member.add(statistic, wanted)
        wanted.refusals.pop(member.number, None)
        try:
            await server.open_as(statistic, wanted.notification)
        except Refused as refused:
            wanted.refusals[member.number] = refused
            member.is_not_ready |= refused.code == "not-ready"
            member.drop(statistic)
        except ConnectionLost:
            return  # it is opened there when there is a connection again
        else:
            if member.wanted(statistic) is not None:
                await self._meet(member, wanted)
            else:  # closed while it was being opened there
                await _close_there(server, statistic)
        finally:
            wanted.changed.happens()

    async def _ask_again(self, member: Member, server: StatServer) -> None:
        """Open what that member does not have open; it may know by now what it refused."""
        due = trio.current_time() + ASK_AGAIN_SECONDS * random.uniform(0.75, 1.25)
        while True:
            await trio.sleep(NOT_READY_SECONDS * random.uniform(0.75, 1.25))
            if not member.is_not_ready and trio.current_time() < due:
                continue
            member.is_not_ready = False
            for wanted in list(self._wanted.values()):
                if wanted.statistic in self._wanted and member.find(wanted) is None:
                    await self._open_there(member, server, wanted)
                if member.is_not_ready:
                    break
            due = trio.current_time() + ASK_AGAIN_SECONDS * random.uniform(0.75, 1.25)

    async def close(self, statistic: OpenStatistic) -> None:
        """Be told no more about a statistic."""
        wanted = self._wanted.pop(statistic)
        async with trio.open_nursery() as nursery:
            for member in self._members:
                theirs = member.find(wanted)
                if theirs is not None and member.server is not None:
                    member.drop(theirs)
                    nursery.start_soon(_close_there, member.server, theirs)

    async def peek(self, statistic: OpenStatistic) -> m.Info:
        """The value now, of the member whose values are delivered."""
        return await self._ask(statistic, StatServer.peek)

    async def explain(self, statistic: OpenStatistic) -> m.StatisticExplained:
        """How a value came about there."""
        return await self._ask(statistic, StatServer.explain)

    async def _ask(
        self,
        statistic: OpenStatistic,
        ask: Callable[[StatServer, OpenStatistic], Awaitable[T]],
    ) -> T:
        wanted = self._wanted.get(statistic)
        if wanted is None:
            raise Refused("bad-request", f"{statistic} is not open any more")
        while True:
            leader = wanted.merged.leader
            if leader is None:
                raise ConnectionLost(self._why_nobody())
            member = self._members[leader]
            theirs = member.find(wanted)
            assert theirs is not None
            assert member.server is not None
            try:
                return await ask(member.server, theirs)
            except ConnectionLost:
                while wanted.merged.leader == leader:  # until another one leads, or nobody
                    await wanted.changed.wait()

    async def profile(self, name: str) -> list[dict[str, Any]]:
        """What is configured with the first member that answers: ``StatTypes``, ..."""
        for member in self._members:
            if member.server is not None:
                try:
                    return await member.server.profile(name)
                except ConnectionLost:
                    continue
        raise ConnectionLost(self._why_nobody())

    def _why_nobody(self) -> str:
        said = "; ".join(f"{member.url}: {member.why}" for member in self._members)
        return f"no server can be reached ({said})"

    # -- what the members say ------------------------------------------------------------------

    def __aiter__(self) -> AsyncIterator[Update]:
        """Everything the members say on their own account, merged."""
        return self

    async def __anext__(self) -> Update:
        """The next update."""
        while not self._updates:
            await self._news.wait()
        await trio.lowlevel.checkpoint_if_cancelled()
        update = self._updates.popleft()
        if len(self._updates) < UNREAD_EVENTS_PAUSE:
            self._room.happens()
        return update

    async def _take(self, member: Member, update: Update) -> None:
        if update.statistic is None:
            await self._deliver([Update(update.event, None, member.url)])
            if isinstance(update.event, m.ServerMode) and update.event.leaving:
                for each in member.all_wanted:
                    await self._deliver(self._of(each, each.merged.leaves(member.number)))
            return
        wanted = member.wanted(update.statistic)
        if wanted is None or not isinstance(update.event, m.StatisticEvent):
            return
        await self._meet(member, wanted)
        await self._deliver(self._of(wanted, wanted.merged.told(member.number, update.event)))
        if isinstance(update.event, m.StatisticClosed):
            member.drop(update.statistic)
            if not wanted.merged.is_open:
                self._wanted.pop(wanted.statistic, None)

    async def _meet(self, member: Member, wanted: Wanted) -> None:
        """A statistic is open there: says the answer, or the first value, whichever is first."""
        if not wanted.merged.is_open_with(member.number):
            events = wanted.merged.opened(member.number)
            wanted.changed.happens()
            await self._deliver(self._of(wanted, events))

    def _of(self, wanted: Wanted, events: list[m.StatisticEvent]) -> list[Update]:
        leader = wanted.merged.leader
        url = "" if leader is None else self._members[leader].url
        for event in events:
            note(wanted.statistic, event)
        return [Update(event, wanted.statistic, url) for event in events]

    async def _deliver(self, updates: list[Update]) -> None:
        """Hand over; whoever does not iterate is not read for either, and members wait."""
        self._updates.extend(updates)
        if updates:
            self._news.happens()
        while len(self._updates) >= UNREAD_EVENTS_PAUSE:
            await self._room.wait()

    # -- the tasks behind it --------------------------------------------------------------------

    async def keep(self, number: int, dial: Dial) -> None:
        """Stay connected to a member until cancelled; a task of :func:`keep_open`."""
        member, attempts = self._members[number], 0
        while True:
            try:
                async with dial(member.url) as server:
                    attempts = 0
                    await self._follow(member, server)
            except ConnectionLost as lost:
                member.why = str(lost)
            self._came.happens()
            pause = min(RETRY_FIRST_SECONDS * 2**attempts, RETRY_LIMIT_SECONDS)
            attempts = min(attempts + 1, 10)
            await trio.sleep(pause * random.uniform(0.5, 1.0))

    async def _follow(self, member: Member, server: StatServer) -> None:
        """Open everything there and take what it says, until it is lost."""
        async with trio.open_nursery() as nursery:
            with member.reached(server, nursery):
                self._came.happens()
                for wanted in list(self._wanted.values()):
                    nursery.start_soon(self._open_there, member, server, wanted)
                nursery.start_soon(self._ask_again, member, server)
                nursery.start_soon(hang_up_on_silence, server)
                try:
                    async for update in server:
                        await self._take(member, update)
                except ConnectionLost as lost:
                    member.why = str(lost)
                await self._gone(member)
            nursery.cancel_scope.cancel()

    async def _gone(self, member: Member) -> None:
        """There is no connection to a member: another one leads wherever it did."""
        member.server = member.nursery = None
        member.is_not_ready = False
        self._came.happens()
        for wanted in member.drop_all():
            wanted.changed.happens()
            await self._deliver(self._of(wanted, wanted.merged.lost(member.number)))

    async def wait_for_one(self) -> None:
        """Wait until a member is reached.

        Raises:
            ConnectionLost: None of them can be.
        """
        while not self.reachable:
            if all(member.why for member in self._members):
                raise ConnectionLost(self._why_nobody())
            await self._came.wait()


async def _close_there(server: StatServer, theirs: OpenStatistic) -> None:
    try:
        await server.close(theirs)
    except (ConnectionLost, Refused):
        return  # it is not open there any more


@asynccontextmanager
async def keep_open(urls: Sequence[str], dial: Dial) -> AsyncIterator[StatServerPair]:
    """Stay connected to all of them for the length of a block; see :func:`.open_statserver`.

    Raises:
        ConnectionLost: None of them can be reached at the beginning.
    """
    pair = StatServerPair(urls)
    own: BaseException | None = None
    try:
        async with trio.open_nursery() as nursery:
            for number in range(len(urls)):
                nursery.start_soon(pair.keep, number, dial)
            try:
                await pair.wait_for_one()
                yield pair
            except BaseException as error:
                own = error
                raise
            finally:
                nursery.cancel_scope.cancel()
    except BaseExceptionGroup:
        if own is not None and not isinstance(own, trio.Cancelled):
            raise own from own.__cause__
        raise
