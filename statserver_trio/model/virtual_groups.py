"""Virtual agent groups: who is in them follows from what he can and where he is logged in.

A virtual group has an expression instead of a list, over skills, the queues an agent is
logged in to, and the switches he is logged in on (statistics.md §2.2). Whoever it holds for is
a member from that event on, and no longer is once it does not.

Membership is *per world* (our decision): one switch decides by the logins that it sees itself
whether what an agent does there belongs to the group. Feeds are independent of each other, and
the two members of a pair need not hear them in the same order; were a login on one switch to
make an agent a member on another, each would have him join at another moment there. So
``LoggedIn("8001@sw1") & LoggedIn("8001@sw2")`` holds for nobody, and skills alone hold
everywhere. What no world has ever heard of is as at a switch without logins.

Nothing of it travels to the other member of a pair: it follows from logins, which do, and from
the configuration.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from attrs import frozen

from ..expressions.memberships import Membership

if TYPE_CHECKING:
    from .directory import Directory
    from .nodes import AgentNode


@frozen
class _Here:
    """An agent as one switch sees him; without a node he has never been there."""

    directory: Directory
    switch: str
    id: str
    node: AgentNode | None

    def skill(self, name: str) -> int | None:
        agent = self.directory.agents.get(self.id)
        return None if agent is None else agent.skills.get(name)

    def is_logged_in(self, queue: str) -> bool:
        number, at, switch = queue.rpartition("@")
        if self.node is None or not at or switch != self.switch:
            return False
        return any(each.key.number == number for dn in self.node.dns for each in dn.login_queues)

    def is_logged_in_switch(self, switch: str) -> bool:
        return self.node is not None and switch == self.switch and bool(self.node.dns)


class VirtualGroups:
    """Who is in which virtual group, as one switch sees it.

    Attributes:
        follows: Whether any of them depends on a login here, so that logins have to be told.
    """

    def __init__(self, switch: str) -> None:
        self.follows = False
        self._switch = switch
        self._directory: Directory | None = None
        self._groups: Mapping[str, Membership] = {}
        self._members: dict[str, dict[str, None]] = {}  # ids, whether they are here or not
        self._by_queue: dict[str, tuple[str, ...]] = {}  # who mentions it, by its number
        self._by_switch: tuple[str, ...] = ()  # who mentions ours
        self._pending: dict[AgentNode, dict[str, None]] = {}  # whom to look at, for what groups

    def __iter__(self) -> Iterator[str]:
        return iter(self._groups)

    def members(self, name: str) -> Collection[str]:
        """The ids of a group's members."""
        return self._members.get(name, ())

    def of(self, agent_id: str) -> Iterator[str]:
        """The groups an agent is in, in the order of the directory."""
        return (name for name in self._groups if agent_id in self._members[name])

    def relist(self, directory: Directory, agents: Mapping[str, AgentNode]) -> None:
        """Have the groups of a directory, each with whoever is in it now."""
        self._directory = directory
        self._groups = directory.virtual_agent_groups
        self._pending.clear()
        ids = sorted({*directory.agents, *agents})
        self._members = {}
        by_queue: dict[str, list[str]] = {}
        by_switch = []
        for name, membership in self._groups.items():
            holds = (each for each in ids if self._holds(name, each, agents.get(each)))
            self._members[name] = dict.fromkeys(holds)
            for queue in membership.queues:
                number, _, switch = queue.rpartition("@")
                if switch == self._switch:
                    by_queue.setdefault(number, []).append(name)
            if self._switch in membership.switches:
                by_switch.append(name)
        self._by_queue = {number: tuple(names) for number, names in by_queue.items()}
        self._by_switch = tuple(by_switch)
        self.follows = bool(self._by_queue or self._by_switch)

    def _holds(self, name: str, agent_id: str, agent: AgentNode | None) -> bool:
        directory = self._directory
        assert directory is not None
        if agent_id not in directory.agents and not (
            directory.auto_create and agent is not None and agent.seen
        ):
            return False  # whom nobody has listed and no event has named
        return self._groups[name].holds(_Here(directory, self._switch, agent_id, agent))

    def seen(self, agent: AgentNode) -> list[str]:
        """An event has named an agent; if he is listed nowhere: the groups he is in with that."""
        assert self._directory is not None
        if agent.id in self._directory.agents:
            return []
        joined = [name for name in self._groups if self._holds(name, agent.id, agent)]
        for name in joined:
            self._members[name][agent.id] = None
        return joined

    def touch(self, agent: AgentNode, queue: str | None = None) -> bool:
        """He logs in or out, of a queue of that number or of the switch; whether that matters."""
        names = self._by_switch if queue is None else self._by_queue.get(queue, ())
        if names:
            self._pending.setdefault(agent, {}).update(dict.fromkeys(names))
        return bool(names)

    def settle(self) -> list[tuple[str, AgentNode, bool]]:
        """Who has come to which group and who has left it, now that logins are in place."""
        pending, self._pending = self._pending, {}
        changed = []
        for agent, names in pending.items():
            for name in names:
                members = self._members.get(name, {})
                holds = self._holds(name, agent.id, agent)
                if holds == (agent.id in members):
                    continue
                if holds:
                    members[agent.id] = None
                else:
                    del members[agent.id]
                changed.append((name, agent, holds))
        return changed
