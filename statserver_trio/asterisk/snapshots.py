"""Snapshots: the answer to QueueStatus, told as EventRegistered.

The answer is a list: QueueParams per queue, QueueMember per member and queue,
QueueEntry per waiting caller, closed by QueueStatusComplete. It is used as a
whole, and only for what is not known yet: a queue that was not registered since
the link came up, a member who was never seen. About the rest AMI's own events
are the better witness, since an answer overtakes events that were raised before
it; of a known member only membership and pauses are taken over, which are told
as the changes they are.

Whoever opens the link should ask for CoreShowChannels before QueueStatus: then
a member's call in progress can be named, and waiting callers get the ConnID of
their Linkedid instead of that of their own channel.
"""

from __future__ import annotations

from collections import Counter

from attrs import define, field

from ..tlib.events import EventRegistered, KVList
from .ami import AmiMessage
from .channels import Channels, number
from .members import Member, Members
from .positions import Emitter, as_time
from .queue_calls import CALL_TYPE, Caller, Leg, Phase, QueueCalls

ROWS_MAX = 100_000
OUT_OF_SERVICE = frozenset({"4", "5"})  # member status invalid, unavailable


@define
class Answer:
    """The rows of one answer, until it is complete."""

    queues: list[str] = field(factory=list)
    members: list[AmiMessage] = field(factory=list)
    entries: list[AmiMessage] = field(factory=list)


class Snapshots:
    """Collects answers and tells them."""

    def __init__(
        self,
        emitter: Emitter,
        members: Members,
        calls: QueueCalls,
        channels: Channels,
        bad: Counter[str],
    ) -> None:
        self._emitter = emitter
        self._members = members
        self._calls = calls
        self._channels = channels
        self._bad = bad
        self._answer = Answer()
        self._registered: set[str] = set()

    def forget(self) -> None:
        """The link is gone: everything has to be registered anew."""
        self._answer = Answer()
        self._registered.clear()

    def add(self, row: AmiMessage) -> None:
        """One row of the answer."""
        answer = self._answer
        if len(answer.queues) + len(answer.members) + len(answer.entries) >= ROWS_MAX:
            self._bad["queue status too long"] += 1
        elif not row.get("Queue"):
            self._bad["queue status without queue"] += 1
        elif row.event == "QueueParams":
            answer.queues.append(row.get("Queue"))
        elif row.event == "QueueMember":
            answer.members.append(row)
        else:
            answer.entries.append(row)

    def complete(self, at: float) -> None:
        """The answer is whole: tell what is new in it."""
        answer, self._answer = self._answer, Answer()
        for row in answer.entries:
            self._take_entry(row, at)
        for queue in answer.queues:
            self._register_queue(queue, at)
        newcomers: dict[str, Member] = {}
        for row in answer.members:
            self._take_member(row, newcomers, at)
        for member in newcomers.values():
            self._members.registered(member, self._take_calls(member, at), at)
        for row in answer.members:
            is_in_service = row.get("Status") not in OUT_OF_SERVICE
            self._members.in_service(row.get("Location"), is_in_service, at)

    def _register_queue(self, queue: str, at: float) -> None:
        if queue in self._registered:
            return
        self._registered.add(queue)
        self._emitter.emit(
            EventRegistered,
            at,
            queue,
            address_type="Queue",
            extensions={"calls": self._calls.waiting(queue)},
        )

    def _take_entry(self, row: AmiMessage, at: float) -> None:
        """A caller who waits; ``Wait`` says since how many seconds."""
        key, queue = row.get("Uniqueid"), row.get("Queue")
        if not key or queue in self._registered or self._calls.caller(key) is not None:
            return
        caller = Caller(
            key,
            self._channels.linkedid(key),
            queue,
            at - (as_time(row.get("Wait")) or 0.0),
            number(row.get("CallerIDNum")),
        )
        self._calls.joined(caller, is_told=False)

    def _take_member(self, row: AmiMessage, newcomers: dict[str, Member], at: float) -> None:
        dn, queue = row.get("Location") or row.get("Interface"), row.get("Queue")
        if not dn:
            self._bad["member without interface"] += 1
            return
        pause = row.get("PausedReason") if row.get("Paused") == "1" else None
        if dn in self._members:
            self._members.seen(dn, row.get("Name"), queue, at, pause)
            self._members.paused(dn, queue, pause, at)
            return
        member = newcomers.get(dn)
        if member is None:
            member = Member(dn, row.get("Name") or dn, row.get("StateInterface"))
            newcomers[dn] = member
        member.queues[queue] = pause

    def _take_calls(self, member: Member, at: float) -> list[KVList]:
        """The calls at a member's device, which from now on we follow to their end."""
        calls: list[KVList] = []
        for channel in self._channels.talking_at(member.dn):
            queue = next(iter(member.queues))
            caller = Caller(channel.linkedid, channel.linkedid, queue, at, is_waiting=False)
            if self._calls.caller(caller.key) is not None:
                continue
            self._calls.found(caller, Leg(member.dn, Phase.TALKING, channel.uniqueid, channel.name))
            calls.append({"ConnID": caller.conn_id, "CallType": CALL_TYPE, "state": "Connected"})
        return calls
