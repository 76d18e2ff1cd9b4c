"""Members: who serves which queue, told as logins, readiness and service of DNs.

Membership is the login, per queue: the first and every further queue is one
EventAgentLogin with ``this_queue``, leaving one of several is EventQueueLogout,
leaving the last is EventAgentLogout.

Asterisk pauses a member per queue; a T-Server knows one state per agent. Our
decision: **an agent is NotReady when he is paused in all his queues**, since as
long as one queue can reach him he waits for a call. The reason told is that of
his latest pause. A state is told when it changes, and once after the first
login; ``this_queue`` is empty there, because the state is not one queue's.

A member that was never announced (static ones are in no log, and a stream may
begin in the middle) logs in when he is first seen at work, unless he has been
removed from that queue: a call may still ring at somebody who has just left.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import define, field

from ..tlib.events import (
    EventAgentLogin,
    EventAgentLogout,
    EventAgentNotReady,
    EventAgentReady,
    EventDNBackInService,
    EventDNOutOfService,
    EventQueueLogout,
    EventRegistered,
    KVList,
)
from .positions import Emitter

MEMBERS_MAX = 100_000  # more is no contact centre but a broken stream


@define
class Member:
    """One member, in all his queues."""

    dn: str
    agent_id: str
    state_interface: str = ""
    queues: dict[str, str | None] = field(factory=dict)  # the reason, where paused; latest last
    told: tuple[bool, str] | None = None  # ready?, reason: what the listeners know
    is_out_of_service: bool = False

    @property
    def state(self) -> tuple[bool, str]:
        """Whether he is ready and, if not, why."""
        reasons = list(self.queues.values())
        if None in reasons or not reasons:
            return True, ""
        return False, reasons[-1] or ""


def reason_code(reason: str) -> KVList | None:
    """A pause reason as T-Library has it; the same as software and as hardware reason."""
    return {"ReasonCode": reason} if reason else None


class Members:
    """All members of one switch. A pause is given as its reason, None means not paused."""

    def __init__(self, emitter: Emitter) -> None:
        self._emit = emitter.emit
        self._members: dict[str, Member] = {}
        self._by_device: dict[str, Member] = {}  # by what the state is taken from
        self._removed: set[tuple[str, str]] = set()

    def __iter__(self) -> Iterator[Member]:
        return iter(self._members.values())

    def __contains__(self, dn: str) -> bool:
        return dn in self._members

    def forget(self) -> None:
        """The link is gone, and with it everything we knew."""
        self._members.clear()
        self._by_device.clear()
        self._removed.clear()

    def find(self, device: str) -> Member | None:
        """The member at ``device``, be it his interface or what his state is taken from."""
        return self._members.get(device) or self._by_device.get(device)

    def find_agent(self, agent_id: str) -> Member | None:
        """The member whose name is ``agent_id``."""
        return next((m for m in self._members.values() if m.agent_id == agent_id), None)

    def added(
        self,
        dn: str,
        agent_id: str,
        queue: str,
        at: float,
        pause: str | None = None,
        state_interface: str = "",
    ) -> None:
        """The member serves ``queue`` from now on. Harmless when he does already."""
        member = self._member(dn, agent_id, state_interface)
        self._removed.discard((dn, queue))
        if queue not in member.queues:
            self._emit(EventAgentLogin, at, dn, agent_id=member.agent_id, this_queue=queue)
        self._set_pause(member, queue, pause)
        self._tell(member, at)

    def seen(self, dn: str, agent_id: str, queue: str, at: float, pause: str | None = None) -> None:
        """The member is at work for ``queue``: so he must be logged in there."""
        member = self._members.get(dn)
        known = member is not None and queue in member.queues
        if dn and queue and not known and (dn, queue) not in self._removed:
            self.added(dn, agent_id, queue, at, pause)

    def removed(self, dn: str, queue: str, at: float) -> None:
        """The member no longer serves ``queue``."""
        if len(self._removed) < MEMBERS_MAX:
            self._removed.add((dn, queue))
        member = self._members.get(dn)
        if member is None or queue not in member.queues:
            return
        del member.queues[queue]
        if member.queues:
            self._emit(EventQueueLogout, at, dn, agent_id=member.agent_id, this_queue=queue)
            self._tell(member, at)
        else:
            self._drop(member)
            self._emit(EventAgentLogout, at, dn, agent_id=member.agent_id, this_queue=queue)

    def paused(self, dn: str, queue: str, pause: str | None, at: float) -> None:
        """The pause of the member in ``queue`` (empty: in all of them) is now ``pause``."""
        member = self._members.get(dn)
        if member is None:
            return
        for name in [queue] if queue else list(member.queues):
            if name in member.queues:
                self._set_pause(member, name, pause)
        self._tell(member, at)

    def in_service(self, device: str, is_in_service: bool, at: float) -> None:
        """The switch lost or found the device; told for members' devices, when it changes."""
        member = self.find(device)
        if member is None or member.is_out_of_service is not is_in_service:
            return
        member.is_out_of_service = not is_in_service
        event = EventDNBackInService if is_in_service else EventDNOutOfService
        self._emit(event, at, member.dn)

    def registered(self, member: Member, calls: list[KVList], at: float) -> None:
        """A member found in a snapshot: told as it is, not as something that happened now.

        EventRegistered tells agent, state and calls; which queues he serves has no
        confirmed key there, so that follows as one login per queue.
        """
        self._keep(member)
        is_ready, reason = member.told = member.state
        extensions: KVList = {"AgentStatus": "Ready" if is_ready else "NotReady"}
        if reason:
            extensions |= {"ReasonCode": reason, "Reasons": reason_code(reason)}
        extensions["calls"] = calls
        self._emit(
            EventRegistered,
            at,
            member.dn,
            address_type="DN",
            agent_id=member.agent_id,
            extensions=extensions,
        )
        self._log_in(member, at)

    def announce(self, at: float) -> None:
        """Log everybody in again: the switch was restarted and kept its members."""
        for member in self._members.values():
            self._log_in(member, at)
            member.told = None
            self._tell(member, at)

    def _log_in(self, member: Member, at: float) -> None:
        for queue in member.queues:
            self._emit(EventAgentLogin, at, member.dn, agent_id=member.agent_id, this_queue=queue)

    def _member(self, dn: str, agent_id: str, state_interface: str) -> Member:
        member = self._members.get(dn)
        if member is None:
            member = Member(dn, agent_id or dn, state_interface)
            self._keep(member)
        return member

    def _keep(self, member: Member) -> None:
        if len(self._members) >= MEMBERS_MAX:
            self._drop(next(iter(self._members.values())))
        self._members[member.dn] = member
        if member.state_interface:
            self._by_device[member.state_interface] = member

    def _drop(self, member: Member) -> None:
        self._members.pop(member.dn, None)
        if self._by_device.get(member.state_interface) is member:
            del self._by_device[member.state_interface]

    @staticmethod
    def _set_pause(member: Member, queue: str, pause: str | None) -> None:
        if queue in member.queues and member.queues[queue] == pause:
            return  # told again; it is not the latest pause
        member.queues.pop(queue, None)
        member.queues[queue] = pause

    def _tell(self, member: Member, at: float) -> None:
        if member.state == member.told:
            return
        is_ready, reason = member.told = member.state
        if is_ready:
            self._emit(EventAgentReady, at, member.dn, agent_id=member.agent_id)
            return
        self._emit(
            EventAgentNotReady,
            at,
            member.dn,
            agent_id=member.agent_id,
            reasons=reason_code(reason),
            extensions=reason_code(reason),
        )
