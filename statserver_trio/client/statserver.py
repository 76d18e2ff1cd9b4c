"""One connection as its user sees it: requests, their answers, and updates in order."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import trio
from attrs import define, frozen
from trio_websocket import ConnectionClosed, WebSocketConnection

from ..api import messages as m
from ..api.codec import decode_events, encode
from ..api.open_spec import format_open, inline_request, parse_open
from .targets import TARGET_EVENTS, applied

if TYPE_CHECKING:
    from ..stats.requests import StatisticRequest

UNREAD_EVENTS_MAX = 1_000_000  # not iterated over; one more ends the connection
# Not iterated over; from here on nothing is read but answers that somebody waits for, so that
# the server replaces values that are out of date before it sends them.
UNREAD_EVENTS_PAUSE = 10_000
UNSENT_REQUESTS_MAX = 100  # then requests wait until some have been sent


class ConnectionLost(Exception):
    """There is no connection, or no longer; the message says why."""


class Refused(Exception):
    """The server refused a request.

    Attributes:
        code: See protocols.md §2.
        message: For a person.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@define(eq=False)
class OpenStatistic:
    """A statistic that is open with one server.

    Attributes:
        request: What was asked for; of a definition of our own, with what it counts for a name.
        definition: Where what is counted was not asked for by the name of a stat type.
        id: The server's; 0 before the server has answered.
        value: The latest one received; None before the first.
        is_valid: Whether the server can vouch for it.
    """

    request: StatisticRequest
    definition: m.MetricEx | None = None
    id: int = 0
    value: Any = None
    is_valid: bool = True

    def __str__(self) -> str:
        return format_open(self.request)


@frozen
class Update:
    """Something the server said on its own account.

    Attributes:
        event: One of :mod:`.api.messages`.
        statistic: Which it is about; None where it is about the server.
        server: Of a pair, the URL of the member that said so; else empty.
    """

    event: m.Event
    statistic: OpenStatistic | None = None
    server: str = ""

    @property
    def value(self) -> Any:
        """The new value; None where this is none."""
        if isinstance(self.event, TARGET_EVENTS) and self.statistic is not None:
            return self.statistic.value
        return self.event.value if isinstance(self.event, m.Info) else None


@define(eq=False)
class _Question:
    """A request that has not been answered."""

    answered: trio.Event
    statistic: OpenStatistic | None = None
    answer: m.Event | None = None


class StatServer:
    """A connection to a server; get one from :func:`open_statserver`.

    Attributes:
        mode: Which of a pair the server is; None before it has said so.
        heard_at: When it last said anything, by Trio's clock.
    """

    def __init__(self, ws: WebSocketConnection) -> None:
        self.mode: m.ServerMode | None = None
        self.heard_at = trio.current_time()
        self._ws = ws
        self._statistics: dict[int, OpenStatistic] = {}
        self._questions: dict[int, _Question] = {}
        self._last_reference = 0
        self._updates: deque[Update] = deque()
        self._news = trio.Event()
        self._wanted = trio.Event()  # somebody waits for an answer, or for an update
        self._lost: str | None = None
        self._out, self._to_send = trio.open_memory_channel[bytes](UNSENT_REQUESTS_MAX)

    # -- requests --------------------------------------------------------------------------

    async def open(
        self,
        what: str | StatisticRequest,
        *,
        mode: str = "ChangesBased",
        frequency: float = 0,
        insensitivity: float = 0,
    ) -> OpenStatistic:
        """Open a statistic; its values come with the iteration.

        Args:
            what: As on the command line (``Agent:a1:TotalLoginTime,profile=P``), or in parts.
            frequency: Seconds, to a tenth; TimeBased needs 1 or more.

        Raises:
            Refused: The server does not know it, or it makes no sense.
            ConnectionLost: There is no connection any more.
        """
        request = parse_open(what) if isinstance(what, str) else what
        statistic = OpenStatistic(request)
        await self.open_as(
            statistic,
            m.NotificationRef(mode=mode, frequency=frequency, insensitivity=insensitivity),
        )
        return statistic

    async def open_ex(
        self,
        whose: m.ObjectRef,
        definition: m.MetricEx,
        *,
        mode: str = "ChangesBased",
        frequency: float = 0,
        insensitivity: float = 0,
    ) -> OpenStatistic:
        """Open a statistic that the server's configuration need not know (``OpenStatisticEx``).

        Args:
            whose: An object of the server's.
            definition: What is counted there.
            frequency: Seconds, to a tenth; TimeBased needs 1 or more.

        Raises:
            Refused: The server does not know the object, or the definition makes no sense.
            ConnectionLost: There is no connection any more.
        """
        statistic = OpenStatistic(inline_request(whose, definition), definition)
        await self.open_as(
            statistic,
            m.NotificationRef(mode=mode, frequency=frequency, insensitivity=insensitivity),
        )
        return statistic

    async def open_as(self, statistic: OpenStatistic, notification: m.NotificationRef) -> None:
        """Open what ``statistic`` asks for, as that; updates about it name it from the first on."""
        request, reference_id = statistic.request, self._next_reference()
        whose = m.ObjectRef(
            object_id=request.object_id,
            object_type=request.object_type,
            tenant_name=request.tenant,
        )
        message: m.Request
        if statistic.definition is not None:
            message = m.OpenStatisticEx(
                reference_id=reference_id,
                object=whose,
                metric=statistic.definition,
                notification=notification,
            )
        else:
            message = m.OpenStatistic(
                reference_id=reference_id,
                object=whose,
                metric=_metric(request),
                notification=notification,
            )
        await self._ask(message, statistic)

    async def peek(self, statistic: OpenStatistic) -> m.Info:
        """The value now."""
        answer = await self._ask(
            m.PeekStatistic(reference_id=self._next_reference(), statistic_id=statistic.id)
        )
        assert isinstance(answer, m.Info)
        return answer

    async def close(self, statistic: OpenStatistic) -> None:
        """Be told no more about a statistic."""
        await self._ask(
            m.CloseStatistic(reference_id=self._next_reference(), statistic_id=statistic.id)
        )
        self._statistics.pop(statistic.id, None)

    async def profile(self, name: str) -> list[dict[str, Any]]:
        """What is configured: ``StatTypes``, ``TimeProfiles``, ``Objects``, ..."""
        answer = await self._ask(
            m.GetStatisticProfile(reference_id=self._next_reference(), profile=name)
        )
        assert isinstance(answer, m.StatisticProfile)
        return answer.items

    async def explain(self, statistic: OpenStatistic) -> m.StatisticExplained:
        """How a value came about."""
        answer = await self._ask(
            m.ExplainStatistic(reference_id=self._next_reference(), statistic_id=statistic.id)
        )
        assert isinstance(answer, m.StatisticExplained)
        return answer

    def _next_reference(self) -> int:
        self._last_reference += 1
        return self._last_reference

    async def ask_mode(self) -> m.ServerMode:
        """Which of a pair the server is; any server answers at once, so it shows that it lives."""
        answer = await self._ask(m.GetServerMode(reference_id=self._next_reference()))
        assert isinstance(answer, m.ServerMode)
        return answer

    async def _ask(self, request: m.Request, statistic: OpenStatistic | None = None) -> m.Event:
        """Send a request and wait for its answer."""
        if self._lost is not None:
            raise ConnectionLost(self._lost)
        question = self._questions[request.reference_id] = _Question(trio.Event(), statistic)
        self._wanted.set()
        try:
            await self._out.send(encode(request))
            await question.answered.wait()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            raise ConnectionLost(self._lost) from None
        finally:
            self._questions.pop(request.reference_id, None)
        if question.answer is None:
            raise ConnectionLost(self._lost)
        if isinstance(question.answer, m.Error):
            raise Refused(question.answer.code, question.answer.message)
        return question.answer

    # -- what the server says --------------------------------------------------------------

    def __aiter__(self) -> AsyncIterator[Update]:
        """Everything the server says on its own account, in order."""
        return self

    async def __anext__(self) -> Update:
        """The next update.

        Raises:
            ConnectionLost: There will be none.
        """
        while not self._updates:
            if self._lost is not None:
                raise ConnectionLost(self._lost)
            await self._news.wait()
            self._news = trio.Event()
        await trio.lowlevel.checkpoint_if_cancelled()
        update = self._updates.popleft()
        if len(self._updates) < UNREAD_EVENTS_PAUSE:
            self._wanted.set()
        return update

    def _take(self, event: m.Event) -> None:
        """Answer a question, or queue an update."""
        reference_id = getattr(event, "reference_id", None)
        question = self._questions.pop(reference_id, None) if reference_id is not None else None
        if question is not None:
            if question.statistic is not None and isinstance(event, m.StatisticOpened):
                question.statistic.id = event.statistic_id
                self._statistics[event.statistic_id] = question.statistic
            question.answer = event
            question.answered.set()
            return
        if isinstance(event, m.ServerMode):
            self.mode = event
        statistic = None
        if isinstance(event, m.StatisticEvent):
            statistic = self._statistics.get(event.statistic_id)
            if statistic is None:  # closed, or opened by somebody who no longer waits
                return
            note(statistic, event)
            if isinstance(event, m.StatisticClosed):
                del self._statistics[event.statistic_id]
        if len(self._updates) >= UNREAD_EVENTS_MAX:
            raise ConnectionLost(f"{UNREAD_EVENTS_MAX} updates have not been taken")
        self._updates.append(Update(event, statistic))
        self._news.set()

    # -- the tasks behind it -----------------------------------------------------------------

    async def read(self) -> None:
        """Take in frames until the connection is gone; a task of :func:`connect_over`."""
        try:
            while True:
                await self._room()
                for event in decode_events(await self._ws.get_message()):
                    self._take(event)
                self.heard_at = trio.current_time()
        except ConnectionClosed as exc:
            closed = exc.reason
            why = closed.reason if closed is not None else None
            self.lose(f"the server closed the connection{f': {why}' if why else ''}")
        except ConnectionLost as exc:
            self.lose(str(exc))
        except ValueError:
            self.lose("this is no Stat Server: it sends no events")

    @property
    def is_read(self) -> bool:
        """Whether what it says is taken in; not while nobody wants to hear more."""
        return len(self._updates) < UNREAD_EVENTS_PAUSE or bool(self._questions)

    async def _room(self) -> None:
        """Wait until somebody wants to hear more."""
        while not self.is_read:
            self._wanted = trio.Event()
            await self._wanted.wait()
            self.heard_at = trio.current_time()  # it was us who did not listen

    async def write(self) -> None:
        """The only task that sends: a send that is cancelled would spoil the stream.

        Started by :func:`connect_over`, too.
        """
        try:
            async for request in self._to_send:
                await self._ws.send_message(request.decode())
        except ConnectionClosed:
            return  # the reader hears of it, too

    def lose(self, why: str) -> None:
        """The connection is gone: whoever waits need not."""
        self._lost = why
        self._out.close()
        self._to_send.close()
        self._news.set()
        for question in self._questions.values():
            question.answered.set()


def note(statistic: OpenStatistic, event: m.Event) -> None:
    """Take over what the server said about a statistic."""
    match event:
        case m.Info():
            statistic.value = event.value
        case _ if isinstance(event, TARGET_EVENTS):
            statistic.value = applied(statistic.value, event)
        case m.StatisticInvalid() | m.StatisticClosed():
            statistic.is_valid = False
        case m.StatisticValid():
            statistic.is_valid = True


def _metric(request: StatisticRequest) -> m.Metric:
    profile = request.time_profile
    return m.Metric(
        statistic_type=str(request.stat_type),
        time_profile=None if profile is None else str(profile),
        time_range=request.time_range,
        time_range2=request.time_range2,
        filter=request.filter,
    )
