"""A session: everything one client has asked for, and what it is to be told.

The session knows requests and notices, and nothing of sockets: a frame goes in
(:meth:`ClientSession.handle_message`), events come out, in the order in which
the client is to be sent them. What the engine finds worth telling later goes
through :meth:`ClientSession.notify`.

A client's mistake is answered with an ``Error`` and changes nothing. Call
:meth:`ClientSession.close` when the client is gone; several times if it has
much to give up and others are waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import TypeAlias

from attrs import define, field, frozen

from ..stats.engine import Engine
from ..stats.requests import StatisticError
from ..stats.statistic import Statistic
from ..stats.telling.notifications import Mode, Notice, Subscription, Value
from . import profiles, target_states
from .codec import RequestError, decode_request, info_head
from .explain import explain
from .inline import read_notification, read_request
from .messages import (
    Ack,
    CloseStatistic,
    Event,
    ExplainStatistic,
    GetServerMode,
    GetStatisticProfile,
    Info,
    LastingInfo,
    OpenStatistic,
    OpenStatisticEx,
    PeekStatistic,
    Request,
    ResumeNotification,
    ServerModeInfo,
    StatisticClosed,
    StatisticExplained,
    StatisticInvalid,
    StatisticOpened,
    StatisticProfile,
    StatisticValid,
    SuspendNotification,
    error,
)
from .outbox import Outbox

STATISTICS_MAX = 100_000  # open per client; one more is refused with ``limit``
MESSAGE_BYTES_MAX = 1024 * 1024  # of one request; a larger one is refused with ``limit``


@frozen
class Limits:
    """What one client may have; beyond it is refused with the code ``limit``."""

    statistics: int = STATISTICS_MAX
    message_bytes: int = MESSAGE_BYTES_MAX


@define(eq=False)
class Opened:
    """One statistic as one client has it open; the owner of its subscription."""

    session: ClientSession
    statistic_id: int
    reference_id: int
    subscription: Subscription = field(init=False)
    head: bytes  # of every Info
    outbox: Outbox  # of the client; where nothing goes once this is closed
    targets: target_states.Targets | None = None  # that the client knows, of a CurrentTargetState

    @property
    def statistic(self) -> Statistic:
        """The statistic, which others may share."""
        return self.subscription.statistic


class ClientSession:
    """One client.

    Attributes:
        outbox: Where values that many are told are put, past this session; see :mod:`.spreading`.
        mode: Which of a pair we are; assign :meth:`mode_changed`'s argument.
        not_ready: Why nothing can be opened at the moment, for a person; usually empty.
        requests: How many were handled, refused ones included.
    """

    def __init__(
        self,
        engine: Engine,
        limits: Limits | None = None,
        mode: ServerModeInfo | None = None,
        outbox: Outbox | None = None,
    ) -> None:
        self.outbox = Outbox() if outbox is None else outbox
        self.mode = mode or ServerModeInfo()
        self.not_ready = ""
        self.requests = 0
        self._engine = engine
        self._limits = limits or Limits()
        self._opened: dict[int, Opened] = {}  # by statistic id
        self._references: set[int] = set()  # of the requests that opened them
        self._last_id = 0
        self._closed = False

    @property
    def statistics(self) -> int:
        """How many statistics are open."""
        return len(self._opened)

    # -- the connection ----------------------------------------------------------------

    def connected(self) -> list[Event]:
        """What a client is told before it has asked anything."""
        return [self.mode.event()]

    def mode_changed(self, mode: ServerModeInfo) -> list[Event]:
        """The server's role, or its peer's, is another one now."""
        self.mode = mode
        return [mode.event()]

    def close(self, at_most: int | None = None) -> bool:
        """Give up statistics, all of them or some; whether any are left.

        Nothing is told any more from the first call on.
        """
        self._closed = True
        self.outbox.close()
        for opened in list(islice(self._opened.values(), at_most)):
            self._forget(opened)
            self._engine.unsubscribe(opened.subscription)
        return bool(self._opened)

    # -- what the client says ------------------------------------------------------------

    def handle_message(self, data: str | bytes, now: int) -> list[Event]:
        """Do what one frame asks for; what is to be answered.

        Args:
            now: Unix milliseconds.
        """
        self.requests += 1
        limit = self._limits.message_bytes
        if len(data) > limit or (isinstance(data, str) and 4 * len(data) > limit):
            size = len(data.encode(errors="replace") if isinstance(data, str) else data)
            if size > limit:
                return [error("limit", f"message: {size} bytes; allowed are at most {limit}")]
        try:
            request = decode_request(data)
        except RequestError as exc:
            return [error(exc.code, exc.message, exc.reference_id)]
        try:
            return HANDLERS[type(request)](self, request, now)
        except StatisticError as exc:
            return [error(exc.code, exc.message, request.reference_id)]

    def _open(self, request: OpenStatistic | OpenStatisticEx, now: int) -> list[Event]:
        reference_id, engine = request.reference_id, self._engine
        self._admit(reference_id)
        notification = read_notification(request.notification)
        before = len(engine.statistics)
        statistic = engine.open(read_request(request, engine.directory.tenant), now)
        is_new = len(engine.statistics) > before
        statistic_id = self._last_id + 1
        head = info_head(reference_id, statistic_id)
        opened = Opened(self, statistic_id, reference_id, head, self.outbox)
        try:
            opened.subscription = engine.subscribe(statistic, notification, opened, now)
        except StatisticError:
            if is_new:  # opened for nothing; another one may be kept for the pair
                engine.close_all([statistic], "")
            raise
        self._last_id += 1
        self._opened[opened.statistic_id] = opened
        self._references.add(reference_id)
        events: list[Event] = [
            StatisticOpened(reference_id=reference_id, statistic_id=opened.statistic_id)
        ]
        if notification.mode is not Mode.NO_NOTIFICATION:
            events += self._value(opened, engine.value_for(opened.subscription, now))
        is_told = engine.tells_validity and statistic.category.kind != "state"
        if is_told and not statistic.valid:
            events.append(self._invalid(opened, engine.why_invalid(statistic)))
        return events

    def _admit(self, reference_id: int) -> None:
        """Whether one more statistic may be opened under this reference."""
        if self.not_ready:
            raise StatisticError("not-ready", f"server: {self.not_ready}")
        if reference_id in self._references:
            raise StatisticError(
                "bad-request",
                f"referenceId: {reference_id} is that of an open statistic; "
                "allowed is any integer that no open statistic of this client has",
            )
        if len(self._opened) >= self._limits.statistics:
            raise StatisticError(
                "limit",
                f"statistics: this client has {len(self._opened)} open; "
                f"allowed are at most {self._limits.statistics}",
            )

    def _find(self, statistic_id: int) -> Opened:
        opened = self._opened.get(statistic_id)
        if opened is None:
            raise StatisticError(
                "bad-request",
                f"statisticId: {statistic_id} is not open; allowed are those of StatisticOpened",
            )
        return opened

    def _peek(self, request: PeekStatistic, now: int) -> list[Event]:
        opened = self._find(request.statistic_id)
        value = self._engine.value(opened.statistic, now)
        return [self._info(LastingInfo, opened, value, request.reference_id)]

    def _close(self, request: CloseStatistic, now: int) -> list[Event]:
        opened = self._find(request.statistic_id)
        self._forget(opened)
        self._engine.unsubscribe(opened.subscription)
        return [
            StatisticClosed(reference_id=request.reference_id, statistic_id=opened.statistic_id)
        ]

    def _forget(self, opened: Opened) -> None:
        opened.outbox = _NOWHERE
        del self._opened[opened.statistic_id]
        self._references.discard(opened.reference_id)

    def _suspend(self, request: SuspendNotification, now: int) -> list[Event]:
        opened = self._find(request.statistic_id)
        self._engine.suspend(opened.subscription, True)
        return [Ack(reference_id=request.reference_id, statistic_id=opened.statistic_id)]

    def _resume(self, request: ResumeNotification, now: int) -> list[Event]:
        opened = self._find(request.statistic_id)
        subscription = opened.subscription
        self._engine.suspend(subscription, False)
        events: list[Event] = [
            Ack(reference_id=request.reference_id, statistic_id=opened.statistic_id)
        ]
        if subscription.notification.mode is not Mode.NO_NOTIFICATION:
            opened.targets = None  # all of them once more
            events += self._value(opened, self._engine.value_for(subscription, now))
        return events

    def _profile(self, request: GetStatisticProfile, now: int) -> list[Event]:
        name, items = profiles.items(self._engine, request.profile, now)
        return [StatisticProfile(reference_id=request.reference_id, profile=name, items=items)]

    def _explain(self, request: ExplainStatistic, now: int) -> list[Event]:
        opened = self._find(request.statistic_id)
        return [
            StatisticExplained(
                reference_id=request.reference_id,
                statistic_id=opened.statistic_id,
                **explain(self._engine, opened.statistic, now),
            )
        ]

    def _mode(self, request: GetServerMode, now: int) -> list[Event]:
        return [self.mode.event(request.reference_id)]

    # -- what the engine says --------------------------------------------------------------

    def notify(self, notices: Iterable[Notice], now: int) -> list[Event]:
        """What the client is to be told of the engine's notices, all of them its own.

        One that was on its way when the client closed the statistic is dropped.
        """
        events: list[Event] = []
        for notice in notices:
            opened: Opened = notice.subscription.owner
            if not self._closed and self._opened.get(opened.statistic_id) is opened:
                events += NOTICES[notice.kind](self, opened, notice, now)
        return events

    def _value_notice(self, opened: Opened, notice: Notice, now: int) -> list[Event]:
        assert notice.value is not None
        if opened.subscription.notification.mode is Mode.RESET_BASED:
            return [self._info(LastingInfo, opened, notice.value)]
        return self._value(opened, notice.value)

    def _invalid_notice(self, opened: Opened, notice: Notice, now: int) -> list[Event]:
        return [self._invalid(opened, notice.reason)]

    def _valid_notice(self, opened: Opened, notice: Notice, now: int) -> list[Event]:
        """Valid again, and what the value is now (t-events.md §5.3)."""
        events: list[Event] = [
            StatisticValid(
                reference_id=opened.reference_id,
                statistic_id=opened.statistic_id,
                reason=notice.reason or "everything it is computed from can be heard again",
            )
        ]
        subscription = opened.subscription
        if not subscription.suspended and subscription.notification.mode in _TOLD_VALUES:
            events.append(self._info(Info, opened, self._engine.value_for(subscription, now)))
        return events

    def _closed_notice(self, opened: Opened, notice: Notice, now: int) -> list[Event]:
        self._forget(opened)
        return [
            StatisticClosed(
                reference_id=opened.reference_id,
                statistic_id=opened.statistic_id,
                reason=notice.reason,
            )
        ]

    # -- events ----------------------------------------------------------------------------

    def _value(self, opened: Opened, value: Value) -> list[Event]:
        """A value; of target states only what is new to the client."""
        if opened.statistic.category.name != "CurrentTargetState":
            return [self._info(Info, opened, value)]
        mode = opened.subscription.notification.mode
        whose = opened.reference_id, opened.statistic_id
        opened.targets, events = target_states.told(opened.targets, value, *whose, mode)
        return events

    def _info(
        self, kind: type[Info], opened: Opened, value: Value, reference_id: int | None = None
    ) -> Info:
        return kind(
            reference_id=opened.reference_id if reference_id is None else reference_id,
            statistic_id=opened.statistic_id,
            value=value.value,
            time=value.time,
            interval=value.interval,
            complete=value.complete,
        )

    def _invalid(self, opened: Opened, reason: str) -> StatisticInvalid:
        return StatisticInvalid(
            reference_id=opened.reference_id, statistic_id=opened.statistic_id, reason=reason
        )


_NOWHERE = Outbox()
_NOWHERE.close()
_TOLD_VALUES = (Mode.CHANGES_BASED, Mode.TIME_BASED)

# Any: each takes its own kind of request, and the table says which.
Handler: TypeAlias = Callable[..., list[Event]]
HANDLERS: dict[type[Request], Handler] = {
    OpenStatistic: ClientSession._open,
    OpenStatisticEx: ClientSession._open,
    PeekStatistic: ClientSession._peek,
    CloseStatistic: ClientSession._close,
    SuspendNotification: ClientSession._suspend,
    ResumeNotification: ClientSession._resume,
    GetStatisticProfile: ClientSession._profile,
    ExplainStatistic: ClientSession._explain,
    GetServerMode: ClientSession._mode,
}
NOTICES: dict[str, Callable[[ClientSession, Opened, Notice, int], list[Event]]] = {
    "Info": ClientSession._value_notice,
    "StatisticInvalid": ClientSession._invalid_notice,
    "StatisticValid": ClientSession._valid_notice,
    "StatisticClosed": ClientSession._closed_notice,
}
