"""Groups: the status that a group of agents or places has itself.

It follows from those of the members by a short table (:data:`STATUSES`), and is worked out
once per event, when all of them are in place: what a group looks like half-way is no status.
Members are counted by their status, so a change costs the same however many there are.

A world is one switch, so a group has a status per switch, as an agent has. A member who has
never been anything here is logged out here (our decision: nobody's status may depend on
whether somebody has asked for him).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from .actions import CODES
from .directory import Directory
from .nodes import LOGGED_OUT, NOT_MONITORED, AgentNode, Node, PlaceNode
from .occurrences import Occurrence, Status

if TYPE_CHECKING:
    from .chronicle import Chronicle

WAIT, NOT_READY = CODES["WaitForNextCall"], CODES["NotReadyForNextCall"]
AGENTS, PLACES = "GroupAgents", "GroupPlaces"

# The first that holds is the group's: how many members have each status, and how many there
# are (statistics.md §4.6; our decision, no table of the vendor's is public).
Numbers = Mapping[int, int]
STATUSES: tuple[tuple[int, Callable[[Numbers, int], bool]], ...] = (
    (NOT_MONITORED, lambda numbers, size: numbers.get(NOT_MONITORED, 0) == size),
    (WAIT, lambda numbers, size: numbers.get(WAIT, 0) > 0),
    (LOGGED_OUT, lambda numbers, size: numbers.get(LOGGED_OUT, 0) == size),
    (NOT_READY, lambda numbers, size: True),
)


def status_of(numbers: Numbers, size: int) -> int:
    """The action that is the status of a group of ``size`` members with those statuses."""
    return next(action for action, holds in STATUSES if holds(numbers, size))


class GroupNode(Node):
    """A group, as one world sees it: it has nothing but a status.

    Attributes:
        type: ``GroupAgents`` or ``GroupPlaces``.
        size: How many members it has; of agents also those who have never been here.
        members: Those who are here.
        numbers: How many members have each status, by action.
    """

    __slots__ = ("members", "name", "numbers", "size", "type")

    def __init__(self, group_type: str, name: str, t: int) -> None:
        super().__init__()
        self.type = group_type
        self.name = name
        self.size = 0
        self.members: dict[AgentNode | PlaceNode, None] = {}
        self.numbers: Counter[int] = Counter()
        self.status = Status(NOT_MONITORED, t, None)

    @property
    def address(self) -> tuple[str, ...]:
        """By its type and name."""
        return ("group", self.type, self.name)

    def going_on(self) -> Iterator[tuple[Occurrence, int]]:
        """Nothing: its members do things, and are counted one by one for that."""
        return iter(())

    def dn_statuses(self) -> Iterator[tuple[Status, int]]:
        """None either."""
        return iter(())

    @property
    def is_monitored(self) -> bool:
        """All members who are here are."""
        return all(member.is_monitored for member in self.members)

    @property
    def is_known(self) -> bool:
        """Whether anybody of it is here; an agent somebody has only asked for is not."""
        return any(isinstance(each, PlaceNode) or each.seen for each in self.members)

    def count(self, old: int, new: int) -> None:
        """A member has another status."""
        self.numbers[old] -= 1
        self.numbers[new] += 1

    def top(self) -> int:
        """The action that is its status."""
        return status_of(self.numbers, self.size)


def joint_status(groups: Sequence[GroupNode]) -> Status:
    """What one group's status is over several worlds, as if all its members were in one.

    Somebody waits since the first of them did; anything else it is since the last change.
    """
    numbers: Counter[int] = Counter()
    for group in groups:
        numbers.update(group.numbers)
    action = status_of(numbers, sum(group.size for group in groups))
    waiting = [g.status.start for g in groups if action == WAIT and g.status.action == WAIT]
    start = min(waiting) if waiting else max(group.status.start for group in groups)
    return Status(action, start, None)


def _with(groups: tuple[GroupNode, ...], group: GroupNode) -> tuple[GroupNode, ...]:
    """These and one more, in an order that does not depend on who came when."""
    return tuple(sorted({*groups, group}, key=lambda each: (each.type, each.name)))


class Groups:
    """The groups of one world, by type and name."""

    def __init__(self, chronicle: Chronicle) -> None:
        self._chronicle = chronicle
        self._groups: dict[tuple[str, str], GroupNode] = {}
        self._of_agents: dict[str, tuple[GroupNode, ...]] = {}  # whether they are here or not

    def __iter__(self) -> Iterator[GroupNode]:
        return iter(self._groups.values())

    def get(self, group_type: str, name: str) -> GroupNode | None:
        """A group; None where there is none of that name."""
        return self._groups.get((group_type, name))

    def relist(
        self,
        directory: Directory,
        virtual: Mapping[str, Collection[str]],
        agents: Mapping[str, AgentNode],
        places: Mapping[str, PlaceNode],
        t: int,
    ) -> None:
        """Have the groups of a directory, and the members of those, from ``t`` on.

        Args:
            virtual: The ids of those who are in its virtual groups now.
        """
        former, self._groups = self._groups, {}
        for agent in agents.values():
            agent.groups = ()
        for place in places.values():
            place.groups = ()
        of_agents: dict[str, list[GroupNode]] = {}
        for name, ids in ({**directory.agent_groups, **virtual}).items():
            members = dict.fromkeys(ids)
            here = [agents[each] for each in members if each in agents]
            group = self._list(former, (AGENTS, name), here, len(members), t)
            for agent_id in members:
                of_agents.setdefault(agent_id, []).append(group)
        self._of_agents = {
            agent_id: tuple(sorted(found, key=lambda each: each.name))
            for agent_id, found in of_agents.items()
        }
        for name, names in directory.place_groups.items():
            there = [places[each] for each in dict.fromkeys(names) if each in places]
            self._list(former, (PLACES, name), there, len(there), t)

    def _list(
        self,
        former: Mapping[tuple[str, str], GroupNode],
        key: tuple[str, str],
        members: Sequence[AgentNode | PlaceNode],
        size: int,
        t: int,
    ) -> GroupNode:
        group = former.get(key)
        is_new = group is None
        if group is None:
            group = GroupNode(*key, t)
        self._groups[key] = group
        group.size = size
        self._fill(group, members)
        if is_new:
            group.status = Status(group.top(), t, None)
        else:
            self._chronicle.regrouped(group, t)
        return group

    def _fill(self, group: GroupNode, members: Iterable[AgentNode | PlaceNode]) -> None:
        group.members = dict.fromkeys(members)
        group.numbers = Counter(node.status.action for node in group.members)
        group.numbers[LOGGED_OUT] += group.size - len(group.members)
        for node in group.members:
            node.groups = _with(node.groups, group)

    def change(self, name: str, agent: AgentNode, joins: bool, t: int) -> None:
        """An agent who is here comes to a virtual group, or leaves it."""
        group = self._groups[AGENTS, name]
        of_agent = self._of_agents.get(agent.id, ())
        one = 1 if joins else -1
        group.size += one
        group.numbers[agent.status.action] += one
        if joins:
            group.members[agent] = None
            self._of_agents[agent.id] = _with(of_agent, group)
        else:
            del group.members[agent]
            self._of_agents[agent.id] = tuple(each for each in of_agent if each is not group)
        agent.groups = self._of_agents[agent.id]
        self._chronicle.regrouped(group, t)

    def appeared(self, agent: AgentNode) -> None:
        """An agent is known here from now on; logged out, as he was."""
        agent.groups = self._of_agents.get(agent.id, ())
        for group in agent.groups:
            group.members[agent] = None
