"""Nodes: the objects of one world, each with what goes on there right now.

DNs are where actions happen. Places and agents are parents of DNs and have no
actions of their own: they see those of their DNs while they are associated. A
place is associated with its DNs for good, an agent with a DN while he is logged
in on it. Groups, which have a status and nothing else, are in :mod:`.groups`.

``interest`` says which actions somebody wants to hear about (a set of action
codes), ``wants_status``, ``wants_dn_statuses``, ``wants_facts`` and ``wants_moments``
likewise; the chronicle reports nothing else. ``watch`` belongs to whoever listens; this floor
never looks at it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .actions import CODES, RANKS
from .directory import DNKey
from .occurrences import Occurrence, Status
from .quiet import Shown, aloud, is_quiet

if TYPE_CHECKING:
    from .calls import Call, Leg
    from .groups import GroupNode
    from .media_channels import MediaChannel

NOT_MONITORED = CODES["NotMonitored"]
MONITORED = CODES["Monitored"]
LOGGED_OUT = CODES["LoggedOut"]


class Node:
    """What every object of a world has."""

    __slots__ = (
        "interest", "status", "wants_dn_statuses", "wants_facts", "wants_moments", "wants_status",
        "watch",
    )  # fmt: skip

    status: Status

    def __init__(self) -> None:
        self.interest = 0
        self.wants_status = False
        self.wants_dn_statuses = False
        self.wants_facts = False
        self.wants_moments = False
        self.watch: Any = None

    def going_on(self) -> Iterator[tuple[Occurrence, int]]:
        """Every durable action in progress here, with its start as seen from here."""
        raise NotImplementedError  # pragma: no cover - every node says it for itself

    def dn_statuses(self) -> Iterator[tuple[Status, int]]:
        """The status of every DN seen from here, with its start as seen from here."""
        raise NotImplementedError  # pragma: no cover - agents, places and groups say it

    @property
    def address(self) -> tuple[str, ...]:
        """What it is called on any server: what kind of object it is, and its name."""
        raise NotImplementedError  # pragma: no cover - every node says it for itself

    @property
    def is_monitored(self) -> bool:
        """Whether what we show of it is what really goes on."""
        return True


class DNNode(Node):
    """A DN: a number on the switch of this world.

    ``state`` holds the durable actions that belong to no call, by slot
    (``"monitor"``, ``"hook"``, ``"login"``, ``"agent"``): one per slot at most.
    """

    __slots__ = ("former_agents", "key", "parents", "rules", "state", "type")

    def __init__(self, key: DNKey, dn_type: str, t: int) -> None:
        super().__init__()
        self.key = key
        self.type = dn_type
        self.parents: tuple[AgentNode | PlaceNode, ...] = ()
        self.rules: Mapping[type, Any] = {}  # T-event to rule, set by the world
        # Who was logged in here before, each until when: what goes on without a call has seen
        # him; a call remembers that itself.
        self.former_agents: list[tuple[int, str]] = []
        occurrence = Occurrence(NOT_MONITORED, t, self)
        self.state: dict[str, Occurrence] = {"monitor": occurrence}
        self.status = Status(NOT_MONITORED, t, occurrence)

    @property
    def address(self) -> tuple[str, ...]:
        """By its number: which switch it is on is the world's to know."""
        return ("dn", self.key.number)

    @property
    def is_monitored(self) -> bool:
        """Registered: the monitor slot is empty once it is."""
        return "monitor" not in self.state

    @property
    def agent_id(self) -> str:
        """Who is logged in here; empty for nobody."""
        return ""

    def seen_from(self, parent: Node) -> int:
        """Since when ``parent`` sees what goes on here."""
        return 0


class RegularDN(DNNode):
    """A DN where somebody answers: extension, position, port."""

    __slots__ = (
        "acw_call_type",
        "acw_pending",
        "acw_visits",
        "agent",
        "agent_since",
        "before_dnd",
        "before_outage",
        "legs",
        "login_queues",
        "place",
        "serves",
        "watching",
    )

    def __init__(self, key: DNKey, dn_type: str, t: int) -> None:
        super().__init__(key, dn_type, t)
        self.legs: dict[str, Leg] = {}
        self.place: PlaceNode | None = None
        self.agent: AgentNode | None = None
        self.agent_since = 0
        # Tuples, since of dicts these would be a tenth of what a site with 30,000 agents takes.
        self.login_queues: tuple[MediationDN, ...] = ()
        self.serves: tuple[MediationDN, ...] = ()  # these, and those of his groups
        # After-call work asked for during a call begins when the call ends; its facts wait here.
        self.acw_pending: Any = None
        # The facts of the WaitForNextCall that do-not-disturb has replaced.
        self.before_dnd: Any = None
        self.before_outage: Occurrence | None = None  # the agent's state while out of service
        # The last call that ended here, for the after-call work that follows it.
        self.acw_call_type = "Unknown"
        self.acw_visits: tuple[MediationDN, ...] = ()
        self.watching = ""  # the DN whose next call is to be observed from here

    @property
    def agent_id(self) -> str:
        """Who is logged in here; empty for nobody."""
        return "" if self.agent is None else self.agent.id

    def going_on(self) -> Iterator[tuple[Occurrence, int]]:
        """Every durable action in progress here, with its start."""
        for occurrence in self.state.values():
            yield occurrence, occurrence.start
        for leg in self.legs.values():
            for occurrence in leg.going_on:
                yield occurrence, occurrence.start

    def seen_from(self, parent: Node) -> int:
        """The agent sees this DN since his login, the place since ever."""
        return self.agent_since if parent is self.agent else 0

    def top(self) -> Occurrence:
        """The action that is the status: the highest in rank, of equals the earliest.

        A conversation on hold is hidden (documented for all but CallConsult,
        which we hide too), and so is one for which the agent is engaged. Ties go
        to the lowest ConnID, never to chance, so two servers with the same events
        show the same call.
        """
        best: Occurrence | None = None
        best_rank = -1
        for occurrence in self.state.values():
            rank = RANKS[occurrence.action]
            if rank > best_rank:
                best, best_rank = occurrence, rank
        for leg in self.legs.values():
            if not leg.going_on:  # a supervisor who does not hear the call
                continue
            occurrence = leg.hold or leg.asm or leg.going_on[0]
            rank = RANKS[occurrence.action]
            if rank > best_rank or (
                rank == best_rank and best is not None and _order(occurrence) < _order(best)
            ):
                best, best_rank = occurrence, rank
        return best if best is not None else Occurrence(MONITORED, self.status.start, self)


def _order(occurrence: Occurrence) -> tuple[int, str, str]:
    """Which of several equal actions gives a status its data: a total order over data."""
    return occurrence.start, occurrence.conn_id, occurrence.dn.key.number


class MediationDN(DNNode):
    """A DN where calls wait: queue, route point, virtual queue."""

    __slots__ = ("calls", "members", "pseudo")

    def __init__(self, key: DNKey, dn_type: str, t: int) -> None:
        super().__init__(key, dn_type, t)
        self.calls: dict[Call, Occurrence] = {}  # waiting now
        self.members: dict[RegularDN, None] = {}  # whose agents serve this queue
        self.pseudo: dict[RegularDN, Shown] = {}  # what the agents there show

    @property
    def is_plain_queue(self) -> bool:
        """An ACD queue, which the switch names in ThisQueue of the calls it distributes."""
        return self.type == "Queue"

    @property
    def is_monitored(self) -> bool:
        """Once its link is up; a mediation DN stays Monitored then (our decision)."""
        return self.state["monitor"].action == MONITORED

    def going_on(self) -> Iterator[tuple[Occurrence, int]]:
        """Every durable action in progress here, with its start."""
        for occurrence in self.state.values():
            yield occurrence, occurrence.start
        for occurrence in self.calls.values():
            yield occurrence, occurrence.start
        for dn, shown in self.pseudo.items():
            if is_quiet(shown):
                self.pseudo[dn] = aloud(self, shown)
            for each in self.pseudo[dn]:
                assert isinstance(each, Occurrence)
                yield each, each.start


class AgentNode(Node):
    """An agent, as one world sees him: the DNs of this switch he is logged in on."""

    __slots__ = ("channels", "dns", "groups", "id", "seen")

    without_dns = LOGGED_OUT  # what he is where he is logged in on none

    def __init__(self, agent_id: str, t: int) -> None:
        super().__init__()
        self.id = agent_id
        self.dns: tuple[RegularDN, ...] = ()  # mostly one, and no dictionary for it
        self.groups: tuple[GroupNode, ...] = ()  # he is a member of
        self.channels: dict[MediaChannel, None] = {}
        self.seen = False  # an event has spoken of him here, and not just a question
        self.status = Status(LOGGED_OUT, t, None)

    @property
    def address(self) -> tuple[str, ...]:
        """By his id."""
        return ("agent", self.id)

    def going_on(self) -> Iterator[tuple[Occurrence, int]]:
        """What goes on at his DNs, each since his login at the earliest."""
        for dn in self.dns:
            for occurrence, start in dn.going_on():
                yield occurrence, max(start, dn.agent_since)
        for channel in self.channels:
            yield from channel.going_on()

    def dn_statuses(self) -> Iterator[tuple[Status, int]]:
        """The statuses of his DNs, each since his login at the earliest."""
        for dn in self.dns:
            yield dn.status, max(dn.status.start, dn.agent_since)

    @property
    def is_monitored(self) -> bool:
        """All his DNs are; an agent without one is."""
        return all(dn.is_monitored for dn in self.dns)

    def top(self) -> Occurrence | None:
        """What his status shows: the highest of his DNs."""
        return _highest(self.dns)


class PlaceNode(Node):
    """A place, as one world sees it: its DNs on this switch."""

    __slots__ = ("channels", "dns", "groups", "name")

    without_dns = NOT_MONITORED  # what it is where it has none (our decision)

    def __init__(self, name: str, t: int) -> None:
        super().__init__()
        self.name = name
        self.dns: tuple[RegularDN, ...] = ()  # mostly one, and no dictionary for it
        self.groups: tuple[GroupNode, ...] = ()  # it is a member of
        self.channels: dict[MediaChannel, None] = {}
        self.status = Status(NOT_MONITORED, t, None)

    @property
    def address(self) -> tuple[str, ...]:
        """By its name."""
        return ("place", self.name)

    def going_on(self) -> Iterator[tuple[Occurrence, int]]:
        """What goes on at its DNs, and at the media channels of who works there."""
        for each in (*self.dns, *self.channels):
            yield from each.going_on()

    def dn_statuses(self) -> Iterator[tuple[Status, int]]:
        """The statuses of its DNs."""
        for dn in self.dns:
            yield dn.status, dn.status.start

    @property
    def is_monitored(self) -> bool:
        """All its DNs are."""
        return all(dn.is_monitored for dn in self.dns)

    def top(self) -> Occurrence | None:
        """What its status shows: the highest of its DNs."""
        return _highest(self.dns)


def _highest(dns: tuple[RegularDN, ...]) -> Occurrence | None:
    best: Occurrence | None = None
    for dn in dns:
        source = dn.status.source
        assert source is not None  # only an agent's status can have none
        if best is None:
            best = source
            continue
        ranks = RANKS[source.action], RANKS[best.action]
        if ranks[0] > ranks[1] or (ranks[0] == ranks[1] and _order(source) < _order(best)):
            best = source
    return best
