"""The shape of an action table as it travels: whoever is told one looks here whether it is one.

Times are milliseconds, actions names, and what points at something else gives its number, id or
place in a list. :mod:`.transfer` writes and reads it. What a shape does not know is passed over, so
that a later release may say more.
"""

from __future__ import annotations

from typing import Annotated, Any, NotRequired, TypedDict

import msgspec

Facts = dict[str, Any]
Names = dict[str, str]
Moment = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]  # ms; sums of them fit a column
Occurring = tuple[str, Moment, Facts | None]  # action, start, reasons
Referring = tuple[str, str, str, int]  # DN, "state" or "leg", slot or ConnID, index in the leg
Standing = tuple[str, Moment, Referring | None, Moment]  # a status: action, start, source, since
Former = tuple[Moment, str, str, str, Facts, Names, Names, Names]  # until when what was said


class VisitTable(TypedDict):
    """A call at a queue."""

    queue: str
    entered: Moment
    target: str
    treatment_since: Moment | None
    wait: tuple[str, Moment] | None


class CallTable(TypedDict):
    """What the parties of a call share."""

    id: str
    type: str
    ani: str
    dnis: str
    others: Names
    queues: Names
    facts: Facts
    former: list[Former]
    heard_at: Moment
    observers: list[tuple[str, str, str, bool, bool, bool]]
    visits: list[VisitTable]


class LegTable(TypedDict):
    """A party of a call."""

    call: str
    type: str
    originated: bool
    phase: int | str
    since: Moment
    started: Moment
    going_on: list[Occurring]
    hold: int | None
    asm: int | None
    customer: str
    joins: str
    reasons: NotRequired[Facts]
    visits: list[str | VisitTable]


class DNTable(TypedDict):
    """A DN; ``legs`` and what follows at regular ones, the last two at queues."""

    number: str
    type: str
    state: dict[str, Occurring]
    status: Standing
    legs: NotRequired[list[LegTable]]
    agent: NotRequired[str | None]
    agent_since: NotRequired[Moment]
    former_agents: NotRequired[list[tuple[Moment, str]]]
    login_queues: NotRequired[list[str]]
    serves: NotRequired[list[str]]
    acw_pending: NotRequired[Facts | None]
    acw_call_type: NotRequired[str]
    acw_visits: NotRequired[list[str]]
    before_outage: NotRequired[Occurring | None]
    before_dnd: NotRequired[Facts | None]
    watching: NotRequired[str]
    waiting: NotRequired[list[str]]
    pseudo: NotRequired[list[tuple[str, dict[str, Occurring]]]]


class AgentTable(TypedDict):
    """An agent, and where."""

    id: str
    seen: NotRequired[bool]
    status: Standing
    dns: list[str]


class PlaceTable(TypedDict):
    """A place."""

    name: str
    status: Standing


class GroupTable(TypedDict):
    """A group."""

    type: str
    name: str
    status: Standing


class InteractionTable(TypedDict):
    """What is no call."""

    id: str
    media: str
    type: str
    facts: Facts
    former: list[tuple[Moment, str, str, Facts]]
    heard_at: Moment
    place: tuple[str, str] | None
    entered: Moment
    queue: str | None
    queued: Moment
    waits: bool


class ChannelTable(TypedDict):
    """An agent's medium."""

    agent: str
    place: str
    media: str
    state: dict[str, Occurring]
    handled: list[tuple[str, str, Moment]]


class WorldTable(TypedDict):
    """Everything that goes on at a switch."""

    began: Moment
    now: Moment
    next_check: Moment
    calls: list[CallTable]
    dns: list[DNTable]
    agents: list[AgentTable]
    places: list[PlaceTable]
    groups: list[GroupTable]
    interactions: NotRequired[list[InteractionTable]]
    channels: NotRequired[list[ChannelTable]]


class SourceTable(TypedDict):
    """The same with where it stands among the events of its source.

    Attributes:
        silent: For how long nothing had been heard when it was told.
    """

    switch: str
    position: int | None
    last_event: Moment | None
    last_gap: Moment | None
    world: WorldTable | None
    silent: NotRequired[Moment]


_decode = msgspec.msgpack.Decoder(dict[str, SourceTable]).decode


def read_tables(data: bytes) -> dict[str, SourceTable]:
    """Those of several sources, by name, from MessagePack.

    Raises:
        msgspec.DecodeError: It is none, or of another shape; says where.
    """
    return _decode(data)
