"""Served queues: which queues the agent at a DN serves, and what he shows there.

He serves a queue in one of two ways (statistics.md §4.4):

* he is logged in to it: the switch names the queue in the login;
* he, or the place where his DN stands, is a member of a group that has it among its
  *Origination DNs*: where calls for that group come from.

Either way the queue shows the pseudo-actions AgentLogin, AgentActive and AgentReady and
their DN counterparts for as long as we hear the DN, and calls that are answered there are
its own (:mod:`.reflections`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from .actions import BITS, CODES
from .directory import Directory, DNKey
from .nodes import MediationDN, RegularDN
from .occurrences import Occurrence
from .quiet import Quiet, Shown, aloud, reasons_of
from .virtual_groups import VirtualGroups

if TYPE_CHECKING:
    from .world import World

WAIT = CODES["WaitForNextCall"]
LOGIN, ACTIVE, READY = (tuple(w + c for w in ("Agent", "DN")) for c in ("Login", "Active", "Ready"))
# By code, with its bit, and whether it is the agent's and not the DN's.
PSEUDO_ACTIONS = tuple(
    (CODES[name], BITS[CODES[name]], name in (LOGIN[0], ACTIVE[0], READY[0]))
    for name in (*LOGIN, *ACTIVE, *READY)
)
ANY = sum(bit for _, bit, _ in PSEUDO_ACTIONS)
# What is shown of an agent who is active or not, ready or not; by these two.
SHOWN = {
    (active, ready): frozenset(
        CODES[name] for name in (*LOGIN, *(ACTIVE if active else ()), *(READY if ready else ()))
    )
    for active in (False, True)
    for ready in (False, True)
}

M = TypeVar("M")


class Origination:
    """Where the calls of groups come from, by who takes them; on one switch."""

    def __init__(self, switch: str, directory: Directory) -> None:
        dns = directory.origination_dns
        self._of_agents = _by_member(switch, dns, directory.agent_groups)
        self._of_places = _by_member(switch, dns, directory.place_groups)
        self._of_virtual: dict[str, list[str]] = {}
        for name in directory.virtual_agent_groups:
            numbers = [key.number for key in dns.get(name, ()) if key.switch == switch]
            if numbers:
                self._of_virtual[name] = numbers
        # Nobody serves a queue but by his login.
        self.is_empty = not (self._of_agents or self._of_places or self._of_virtual)

    def numbers(self, dn: RegularDN, virtual_groups: VirtualGroups) -> Iterable[str]:
        """The queues and route points that the agent at ``dn`` serves by his groups."""
        if dn.agent is None:
            return
        yield from self._of_agents.get(dn.agent.id, ())
        for name, numbers in self._of_virtual.items():
            if dn.agent.id in virtual_groups.members(name):
                yield from numbers
        if dn.place is not None:
            yield from self._of_places.get(dn.place.name, ())


def _by_member(
    switch: str, dns: Mapping[str, Iterable[DNKey]], groups: Mapping[str, Iterable[M]]
) -> dict[M, dict[str, None]]:
    found: dict[M, dict[str, None]] = {}
    for name, members in groups.items():
        numbers = [key.number for key in dns.get(name, ()) if key.switch == switch]
        for member in members if numbers else ():
            found.setdefault(member, {}).update(dict.fromkeys(numbers))
    return found


def log_in_to(world: World, dn: RegularDN, number: str) -> None:
    """The switch says that the agent at ``dn`` is logged in to this queue; empty is none."""
    queue = world.mediation_dn(number) if number else None
    if queue is not None:
        if queue not in dn.login_queues:
            dn.login_queues = (*dn.login_queues, queue)
        world.logins_changed(dn, number)


def log_out_of(world: World, dn: RegularDN, queue: MediationDN, t: int) -> None:
    """The agent leaves one queue; by his groups he may serve it all the same."""
    dn.login_queues = _without(dn.login_queues, queue)
    world.logins_changed(dn, queue.key.number)
    refresh(world, dn, t)


def leave_all(world: World, dn: RegularDN) -> None:
    """Nobody at ``dn`` serves any queue now."""
    for queue in dn.login_queues:
        world.logins_changed(dn, queue.key.number)
    dn.login_queues = ()
    for queue in dn.serves:
        _leave(world, dn, queue)


def fall_silent(world: World, dn: RegularDN) -> None:
    """We do not hear the DN: whoever serves a queue there still does, and shows nothing."""
    for queue in dn.serves:
        _end(world, queue, dn)


def _end(world: World, queue: MediationDN, dn: RegularDN) -> None:
    shown = queue.pseudo.pop(dn, ())
    if queue.interest & ANY:
        for occurrence in aloud(queue, shown):
            world.chronicle.ended(occurrence)


def _leave(world: World, dn: RegularDN, queue: MediationDN) -> None:
    dn.serves = _without(dn.serves, queue)
    del queue.members[dn]
    _end(world, queue, dn)


def _without(queues: tuple[MediationDN, ...], queue: MediationDN) -> tuple[MediationDN, ...]:
    return tuple([each for each in queues if each is not queue])


def refresh(world: World, dn: RegularDN, t: int) -> None:
    """Bring queues and pseudo-actions in line with the agent's state, and with his groups."""
    served = dn.login_queues
    if not world.origination.is_empty:
        found = dict.fromkeys(served)
        for number in world.origination.numbers(dn, world.virtual):
            queue = world.mediation_dn(number)
            if queue is not None:
                found[queue] = None
        served = tuple(found)
    if served != dn.serves:
        for queue in [queue for queue in dn.serves if queue not in served]:
            _leave(world, dn, queue)
        dn.serves += tuple([queue for queue in served if queue not in dn.serves])
        for queue in served:
            queue.members[dn] = None
    if dn.serves and "monitor" not in dn.state:
        _show(world, dn, t)


def _show(world: World, dn: RegularDN, t: int) -> None:
    state = dn.state.get("agent")
    ready = state is not None and state.action == WAIT
    shown = SHOWN[(ready or state is None) and dn.is_monitored, ready]
    agent_id = ""
    if dn.agent is not None and not world.options.queue_use_pseudo_actions:
        agent_id = dn.agent.id
    before: Shown | None = None
    after: Shown = ()
    for queue in dn.serves:
        found = queue.pseudo.get(dn, ())
        if queue.interest & ANY:
            queue.pseudo[dn] = _show_aloud(world, queue, aloud(queue, found), shown, agent_id, t)
            continue
        if found != before:  # else it is as at the queue before, and the same object does
            before, after = found, _show_quietly(found, shown, agent_id, t)
        queue.pseudo[dn] = after


def _show_quietly(before: Shown, shown: frozenset[int], agent_id: str, t: int) -> Shown:
    """What goes on from now on; nobody looks at it."""
    going_on = {each.action: each for each in before}
    for code, _, is_his, begins in _steps(tuple(going_on), shown):
        if begins:
            going_on[code] = Quiet(code, t, agent_id if is_his else "")
        else:
            del going_on[code]
    return tuple(going_on.values())


def _show_aloud(
    world: World,
    queue: MediationDN,
    before: tuple[Occurrence, ...],
    shown: frozenset[int],
    agent_id: str,
    t: int,
) -> Shown:
    """The same where somebody does, at least at some of it."""
    chronicle, interest = world.chronicle, queue.interest
    going_on = {each.action: each for each in before}
    for code, bit, is_his, begins in _steps(tuple(going_on), shown):
        if begins:
            reasons = reasons_of(agent_id if is_his else "")
            occurrence = going_on[code] = Occurrence(code, t, queue, None, reasons)
            if interest & bit:
                chronicle.began(occurrence)
        else:
            occurrence = going_on.pop(code)
            if interest & bit:
                chronicle.ended(occurrence)
    return tuple(going_on.values())


@cache
def _steps(
    going_on: tuple[int, ...], shown: frozenset[int]
) -> tuple[tuple[int, int, bool, bool], ...]:
    """What ends and what begins where the one went on and the other does from now on.

    There are few such pairs, and each agent's state is shown at every queue that he serves.
    """
    return tuple(
        (code, bit, is_his, code in shown)
        for code, bit, is_his in PSEUDO_ACTIONS
        if (code in shown) is not (code in going_on)
    )
