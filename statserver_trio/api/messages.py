"""Messages of the client protocol: what a client may ask, and what it is told.

Names and fields are those of protocols.md §2, one struct per request and event;
Python's spelling here, camelCase on the wire. Unknown fields are passed over.
:mod:`.codec` reads and writes them.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from attrs import frozen
from msgspec import Meta, Struct

REFERENCE_MAX = 2**63 - 1  # a referenceId beyond +- this is refused (our decision)
FREQUENCY_MAX = 604_800  # seconds, a week; a longer period is refused (our decision)
ID_CHARACTERS_MAX = 1024  # of an object id or a name; a longer one is refused (our decision)
MESSAGE_CHARACTERS_MAX = 600  # of an error message; what is longer is cut

Reference = Annotated[int, Meta(ge=-REFERENCE_MAX, le=REFERENCE_MAX)]
Name = Annotated[str, Meta(max_length=ID_CHARACTERS_MAX)]
OptionalName = Name | None
Frequency = Annotated[float, Meta(ge=0, le=FREQUENCY_MAX)]
Insensitivity = Annotated[float, Meta(ge=0)]
Length = Annotated[float, Meta(ge=0, le=999_999_999)]


# -- parts of requests -----------------------------------------------------------------


class _Part(Struct, kw_only=True, rename="camel"):
    """An object inside a request."""


class ObjectRef(_Part, kw_only=True):
    """Whose statistic. Without a tenant, or with ``Environment``, the server's tenant is meant."""

    object_id: Name
    object_type: Name
    tenant_name: OptionalName = None


class Metric(_Part, kw_only=True):
    """What is counted, by the name of a configured stat type."""

    statistic_type: Name
    time_profile: OptionalName = None
    time_range: OptionalName = None
    time_range2: OptionalName = None
    filter: OptionalName = None


class Interval(_Part, kw_only=True):
    """Since when, without a configured profile; ``length`` and ``step`` in whole seconds."""

    type: Name
    length: Length | None = None
    step: Length | None = None


class MetricEx(_Part, kw_only=True):
    """What is counted, defined by the client itself."""

    category: Name
    subject: Name
    main_mask: str | list[str] | None = None  # of the category Formula none is needed
    rel_mask: str | list[str] | None = None
    formula: str | None = None
    expression: str | None = None
    group_by: str | None = None
    media_type: str | None = None
    interval: Interval | None = None
    time_profile: OptionalName = None
    time_range: OptionalName = None
    time_range2: OptionalName = None
    filter: OptionalName = None


class NotificationRef(_Part, kw_only=True):
    """When the client wants to be told; ``frequency`` in seconds, to a tenth."""

    mode: Name = "ChangesBased"
    frequency: Frequency = 0
    insensitivity: Insensitivity = 0


# -- requests --------------------------------------------------------------------------


class Request(Struct, kw_only=True, rename="camel", tag_field="request", tag=str):
    """What every request has."""

    reference_id: Reference


class OpenStatistic(Request, kw_only=True):
    """Begin to tell me about a configured stat type of an object."""

    object: ObjectRef
    metric: Metric
    notification: NotificationRef = msgspec.field(default_factory=NotificationRef)


class OpenStatisticEx(Request, kw_only=True):
    """The same with a definition of the client's own."""

    object: ObjectRef
    metric: MetricEx
    notification: NotificationRef = msgspec.field(default_factory=NotificationRef)


class _OfStatistic(Request, kw_only=True):
    statistic_id: int


class PeekStatistic(_OfStatistic, kw_only=True):
    """Tell me the value now."""


class CloseStatistic(_OfStatistic, kw_only=True):
    """Tell me no more."""


class SuspendNotification(_OfStatistic, kw_only=True):
    """Tell me nothing for a while; go on counting."""


class ResumeNotification(_OfStatistic, kw_only=True):
    """Tell me again, beginning with the value now."""


class ExplainStatistic(_OfStatistic, kw_only=True):
    """Tell me how the value came about."""


class GetStatisticProfile(Request, kw_only=True):
    """Tell me what is configured."""

    profile: Name


class GetServerMode(Request, kw_only=True):
    """Tell me whether you are the primary."""


REQUESTS: tuple[type[Request], ...] = (
    OpenStatistic,
    OpenStatisticEx,
    PeekStatistic,
    CloseStatistic,
    SuspendNotification,
    ResumeNotification,
    GetStatisticProfile,
    ExplainStatistic,
    GetServerMode,
)
REQUEST_NAMES = tuple(cls.__name__ for cls in REQUESTS)


# -- events ----------------------------------------------------------------------------


class Event(Struct, kw_only=True, omit_defaults=True, rename="camel", tag_field="event", tag=str):
    """What the server says."""


class StatisticEvent(Event, kw_only=True):
    """What the server says about one statistic of a client."""

    reference_id: int
    statistic_id: int


class StatisticOpened(StatisticEvent, kw_only=True):
    """The statistic is open, and this is its id."""


class Info(StatisticEvent, kw_only=True):
    """A value. A newer one may take its place as long as it has not been sent."""

    value: Any
    time: float
    interval: float
    complete: bool


class LastingInfo(Info, tag="Info", kw_only=True):
    """A value that has to arrive whatever comes after it.

    Answers to a peek, and what an interval came to that is over.
    """


class CurrentTargetStateSnapshot(StatisticEvent, kw_only=True):
    """All targets of a CurrentTargetState; see :mod:`..stats.telling.targets`."""

    targets: list[dict[str, Any]]
    time: float


class CurrentTargetStateTargetAdded(StatisticEvent, kw_only=True):
    """One more target, as it is now."""

    target: dict[str, Any]
    time: float


class CurrentTargetStateTargetUpdated(StatisticEvent, kw_only=True):
    """A target, as it is now."""

    target: dict[str, Any]
    time: float


class CurrentTargetStateTargetRemoved(StatisticEvent, kw_only=True):
    """A target that does not belong to the object any more; its type, name and switch."""

    target: dict[str, Any]
    time: float


class StatisticInvalid(StatisticEvent, kw_only=True):
    """The value can no longer be relied upon."""

    reason: str


class StatisticValid(StatisticEvent, kw_only=True):
    """The value can be relied upon again."""

    reason: str


class StatisticClosed(StatisticEvent, kw_only=True):
    """Nothing more will come; with a reason where the server closed it."""

    reason: str = ""


class Ack(StatisticEvent, kw_only=True):
    """Done."""


class StatisticExplained(StatisticEvent, kw_only=True):
    """How the value came about; see :mod:`.explain`."""

    definition: dict[str, Any]
    aggregates: list[dict[str, Any]]
    reset: dict[str, Any]
    positions: dict[str, Any]
    coverage: dict[str, Any]
    replicated_from: str | None


class StatisticProfile(Event, kw_only=True):
    """What is configured."""

    reference_id: int
    profile: str
    items: list[dict[str, Any]]


class ServerMode(Event, kw_only=True):
    """Which of a pair this server is; with ``leaving`` it is about to stop: go to the peer."""

    reference_id: int | None = None
    role: str
    peer: str | None
    synchronised: bool
    leaving: bool = False


class Error(Event, kw_only=True):
    """A request was refused, or something is wrong with the connection."""

    reference_id: int | None = None
    code: str
    message: str


EVENTS: tuple[type[Event], ...] = (
    StatisticOpened,
    Info,
    CurrentTargetStateSnapshot,
    CurrentTargetStateTargetAdded,
    CurrentTargetStateTargetUpdated,
    CurrentTargetStateTargetRemoved,
    StatisticInvalid,
    StatisticValid,
    StatisticClosed,
    Ack,
    StatisticExplained,
    StatisticProfile,
    ServerMode,
    Error,
)


@frozen
class ServerModeInfo:
    """Which of a pair a server is.

    Attributes:
        role: ``"primary"`` or ``"backup"``.
        peer: Address of the other one; None before it has been connected. It stays when the other
            one is lost: a client may try it.
        synchronised: Whether the other one is there and has everything we have.
        leaving: Whether it has been told to stop.
    """

    role: str = "primary"
    peer: str | None = None
    synchronised: bool = False
    leaving: bool = False

    def event(self, reference_id: int | None = None) -> ServerMode:
        """How a client is told."""
        return ServerMode(
            reference_id=reference_id,
            role=self.role,
            peer=self.peer,
            synchronised=self.synchronised,
            leaving=self.leaving,
        )


def error(code: str, message: str, reference_id: int | None = None) -> Error:
    """An ``Error`` event; a message that quotes half a request is cut."""
    if len(message) > MESSAGE_CHARACTERS_MAX:
        message = message[: MESSAGE_CHARACTERS_MAX - 1] + "…"
    return Error(code=code, message=message, reference_id=reference_id)
