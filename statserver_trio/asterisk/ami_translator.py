"""The AMI translator: AMI's events to T-events.

Which event means what is in one table at the end, :data:`EVENTS`; the meaning
is t-events.md §7.1. This module reads the messages; what it reads is told to

* :mod:`.members`: logins, readiness, service of the members' DNs,
* :mod:`.queue_calls`: the calls in queues and at members,
* :mod:`.doubts`: what AMI says before it is clear what it means,
* :mod:`.other_calls`, :mod:`.transfers`: what members do outside of their queues, and
  what they do with a call they have,
* :mod:`.snapshots`: the answer to QueueStatus.

**Time** is the event's ``Timestamp`` (``timestampevents=yes``), else its
arrival. Some events never have one (FullyBooted, the answers); in a stream that
has them, their arrival is moved by the difference seen at the latest Timestamp,
so that all times are of one clock. A capture without any clock is dated by
:mod:`.dating` first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from math import isfinite

from ..tlib.events import EventLinkConnected, EventLinkDisconnected, TEvent
from .ami import AmiMessage
from .channels import Channels, is_local, number
from .doubts import Doubts
from .members import Members
from .other_calls import OtherCalls
from .positions import Emitter, as_time
from .queue_calls import Caller, Leg, Phase, QueueCalls
from .snapshots import OUT_OF_SERVICE, Snapshots
from .transfers import TRANSFERRED, Transfers

HANGUP_EXTENSION = "h"  # the dialplan runs it after the hang-up: no sign of life
LOST_DEVICES = frozenset({"UNAVAILABLE", "INVALID"})  # of DeviceStateChange
UNSURE_DEVICES = frozenset({"UNKNOWN", ""})
PEERS = {"Registered": True, "Reachable": True, "Unregistered": False, "Unreachable": False}

# What QUEUESTATUS says of a caller who left without a member (set by the Queue application).
OVERFLOWS = frozenset({"TIMEOUT", "FULL"})


class AmiTranslator:
    """AMI messages of one switch to T-events.

    Call :meth:`translate` with every message in order, :meth:`disconnected`
    when the connection is lost (the translator can go on with the next one),
    and :meth:`finish` at the end of a file.

    Attributes:
        switch: The name of the switch, for whoever asks.
        bad: How often something made no sense, by kind.
    """

    def __init__(self, switch: str) -> None:
        self.switch = switch
        self.bad: Counter[str] = Counter()
        self._emitter = Emitter()
        self._members = Members(self._emitter)
        self._calls = QueueCalls(self._emitter, self.bad)
        self._doubts = Doubts(self._calls)
        self._others = OtherCalls(self._emitter, self._members, self.bad)
        self._transfers = Transfers(self._members, self._calls, self._others)
        self._channels = Channels()
        self._snapshots = Snapshots(
            self._emitter, self._members, self._calls, self._channels, self.bad
        )
        self._is_linked = False
        self._is_down = False  # Asterisk said goodbye and has not come back
        self._ahead = 0.0  # of arrival: the switch's clock minus ours, as of the latest Timestamp

    def translate(self, message: AmiMessage, arrived: float) -> list[TEvent]:
        """The T-events of one message; none for most."""
        if not isfinite(arrived):
            self.bad["message without time"] += 1
            return []
        at = self._time_of(message, arrived)
        if message.event == "FullyBooted":
            self._is_down = False
        if self._is_down:
            return []
        if not self._is_linked:
            self._is_linked = True
            self._emitter.emit(EventLinkConnected, at)
        self._doubts.hear(at)
        handle = EVENTS.get(message.event)
        if handle is not None:
            handle(self, message, at)
        return self._emitter.take()

    def finish(self) -> list[TEvent]:
        """Nothing more will come: whatever is undecided is decided."""
        self._doubts.finish()
        return self._emitter.take()

    def disconnected(self, arrived: float) -> list[TEvent]:
        """The connection is lost; the next message begins a new one."""
        if self._is_linked:
            self._link_lost(arrived + self._ahead)
        self._is_down = False
        return self._emitter.take()

    # -- the link ----------------------------------------------------------------------

    def _time_of(self, message: AmiMessage, arrived: float) -> float:
        stamped = as_time(message.get("Timestamp")) if message.event else None
        if stamped is None:
            return arrived + self._ahead
        if not message.get("Privilege").startswith("security"):  # these always have one
            self._ahead = stamped - arrived
        return stamped

    def _link_lost(self, at: float) -> None:
        self._doubts.finish()
        self._emitter.emit(EventLinkDisconnected, at)
        for part in (
            self._doubts,
            self._members,
            self._calls,
            self._others,
            self._channels,
            self._snapshots,
        ):
            part.forget()
        self._is_linked = False

    def _shutdown(self, message: AmiMessage, at: float) -> None:
        self._link_lost(at)
        self._is_down = True

    # -- members -----------------------------------------------------------------------

    def _member_added(self, message: AmiMessage, at: float) -> None:
        dn, queue = _interface(message), message.get("Queue")
        if not dn or not queue:
            self.bad["member without queue or interface"] += 1
            return
        pause, device = _pause(message), message.get("StateInterface")
        self._members.added(dn, message.get("MemberName"), queue, at, pause, device)

    def _member_removed(self, message: AmiMessage, at: float) -> None:
        self._members.removed(_interface(message), message.get("Queue"), at)

    def _member_paused(self, message: AmiMessage, at: float) -> None:
        self._member_seen(message, at)
        dn, queue = _interface(message), message.get("Queue")
        self._members.paused(dn, queue, _pause(message), at)

    def _member_status(self, message: AmiMessage, at: float) -> None:
        """A cross-check, repeated per queue: it proves membership and service."""
        self._member_seen(message, at)
        is_in_service = message.get("Status") not in OUT_OF_SERVICE
        self._members.in_service(_interface(message), is_in_service, at)

    def _member_seen(self, message: AmiMessage, at: float) -> None:
        dn, queue = _interface(message), message.get("Queue")
        self._members.seen(dn, message.get("MemberName"), queue, at, _pause(message))

    def _agent_login(self, message: AmiMessage, at: float) -> None:
        """app_agent_pool: a login without a queue. Who is a member is logged in by that."""
        agent = message.get("Agent")
        dn = f"Agent/{agent}"
        if agent and dn not in self._members and self._members.find_agent(agent) is None:
            self._members.added(dn, agent, "", at)

    def _agent_logoff(self, message: AmiMessage, at: float) -> None:
        self._members.removed(f"Agent/{message.get('Agent')}", "", at)

    def _device_state(self, message: AmiMessage, at: float) -> None:
        state = message.get("State")
        if state not in UNSURE_DEVICES:
            self._members.in_service(message.get("Device"), state not in LOST_DEVICES, at)

    def _peer_status(self, message: AmiMessage, at: float) -> None:
        is_in_service = PEERS.get(message.get("PeerStatus"))
        if is_in_service is not None:
            self._members.in_service(message.get("Peer"), is_in_service, at)

    # -- callers in queues -------------------------------------------------------------

    def _caller_joined(self, message: AmiMessage, at: float) -> None:
        caller = self._caller_of(message, at)
        if caller is None:
            return
        self._doubts.went_on(caller.key, "Overflowed")
        self._calls.joined(caller)

    def _caller_abandoned(self, message: AmiMessage, at: float) -> None:
        self._doubts.abandon_told(message.get("Uniqueid"), at)

    def _caller_left(self, message: AmiMessage, at: float) -> None:
        self._doubts.leave_told(message.get("Uniqueid"), at)

    def _agent_called(self, message: AmiMessage, at: float) -> None:
        key, dn = message.get("Uniqueid"), _interface(message)
        caller = self._calls.caller(key)
        if caller is None or not caller.is_waiting or not dn:
            self.bad["ring without caller"] += 1
            return
        self._member_seen(message, at)
        self._doubts.ring_begins(key, dn)
        self._calls.rang(key, dn, at, message.get("DestUniqueid"), message.get("DestChannel"))

    def _agent_ring_no_answer(self, message: AmiMessage, at: float) -> None:
        """RingTime is milliseconds here, unlike in AgentConnect."""
        key, dn = message.get("Uniqueid"), _interface(message)
        ring = (as_time(message.get("RingTime")) or 0.0) / 1000
        if dn:
            self._doubts.refused(key, dn)
            self._calls.not_answered(key, dn, at, ring)

    def _agent_connected(self, message: AmiMessage, at: float) -> None:
        dn = _interface(message)
        stranger = self._caller_of(message, at - (as_time(message.get("HoldTime")) or 0.0))
        if stranger is None or not dn:
            return
        self._member_seen(message, at)
        self._doubts.answered(stranger.key, dn)
        self._calls.connected(stranger, dn, at, as_time(message.get("RingTime")) or 0.0)

    def _agent_completed(self, message: AmiMessage, at: float) -> None:
        state = TRANSFERRED if message.get("Reason") == "transfer" else "Ok"
        dn = _interface(message)
        known = self._calls.caller(message.get("Uniqueid"))
        for caller in [known] if known else self._calls.of_call(message.get("Linkedid")):
            if dn in caller.legs:  # else a transfer or hang-up has told it already
                self._calls.completed(caller.key, dn, at, state)

    def _agent_dumped(self, message: AmiMessage, at: float) -> None:
        """The member hung up during his announcement; the caller goes on waiting."""
        key, dn = message.get("Uniqueid"), _interface(message)
        self._doubts.refused(key, dn)
        self._calls.cancelled(key, dn, at, 0.0)

    def _caller_of(self, message: AmiMessage, entered: float) -> Caller | None:
        key, queue = message.get("Uniqueid"), message.get("Queue")
        if not key or not queue:
            self.bad["queue event without channel or queue"] += 1
            return None
        call = message.get("Linkedid") or self._channels.linkedid(key)
        ani = number(message.get("CallerIDNum"))
        return Caller(key, call, queue, entered, ani, message.get("Exten"))

    # -- channels ----------------------------------------------------------------------

    def _channel_seen(self, message: AmiMessage, at: float) -> None:
        key, name = message.get("Uniqueid"), message.get("Channel")
        self._channels.seen(name, key, message.get("Linkedid"), message.get("ChannelState"))

    def _dialplan_runs(self, message: AmiMessage, at: float) -> None:
        extension = message.get("Exten") or message.get("Extension")
        if extension != HANGUP_EXTENSION:
            self._doubts.went_on(message.get("Uniqueid"))

    def _bridged(self, message: AmiMessage, at: float) -> None:
        self._doubts.talks(message.get("Uniqueid"))

    def _variable_set(self, message: AmiMessage, at: float) -> None:
        if message.get("Variable") == "QUEUESTATUS" and message.get("Value"):
            state = "Overflowed" if message.get("Value") in OVERFLOWS else "Cleared"
            self._doubts.went_on(message.get("Uniqueid"), state)

    def _hang_up_requested(self, message: AmiMessage, at: float) -> None:
        self._doubts.hang_up_requested(message.get("Uniqueid"))

    def _hung_up(self, message: AmiMessage, at: float) -> None:
        key, channel = message.get("Uniqueid"), message.get("Channel")
        self._channels.gone(key)
        caller = self._calls.caller(key)
        if caller is not None and caller.is_waiting:
            self._doubts.hung_up(key, at)
        found = self._calls.leg_of_channel(key)
        if found is not None:
            self._member_hung_up(*found, at)
        elif caller is not None and not is_local(channel):
            for leg in caller.talking():
                self._calls.completed(key, leg.dn, at)
        self._others.ended(key, at)

    def _member_hung_up(self, caller: Caller, leg: Leg, at: float) -> None:
        if leg.phase is Phase.RINGING:
            self._doubts.ring_ended(caller.key, leg.dn, at)
        elif not is_local(leg.channel):  # a Local channel may be taken out of a call in progress
            self._calls.completed(caller.key, leg.dn, at)

    def _dial_begun(self, message: AmiMessage, at: float) -> None:
        if self._has_left(message):
            self._doubts.went_on(message.get("Uniqueid"))
        call = message.get("Linkedid") or message.get("Uniqueid")
        if not self._calls.of_call(call):
            self._others.dial_begun(message, self._transfers.held_by(message.get("Channel")), at)

    def _dial_ended(self, message: AmiMessage, at: float) -> None:
        self._others.dial_ended(message, at)

    def _has_left(self, message: AmiMessage) -> bool:
        """Dialling by a caller who rings nobody for his queue is the dialplan's."""
        caller = self._calls.caller(message.get("Uniqueid"))
        return caller is not None and not caller.ringing()

    # -- answers -----------------------------------------------------------------------

    def _status_row(self, message: AmiMessage, at: float) -> None:
        self._snapshots.add(message)

    def _status_complete(self, message: AmiMessage, at: float) -> None:
        self._snapshots.complete(at)


def _interface(message: AmiMessage) -> str:
    """The member's DN; before Asterisk 12 it was called Location."""
    return message.get("Interface") or message.get("Location")


def _pause(message: AmiMessage) -> str | None:
    """The reason of a pause, None where the member is not paused."""
    return message.get("PausedReason") if message.get("Paused") == "1" else None


EVENTS: dict[str, Callable[[AmiTranslator, AmiMessage, float], None]] = {
    "Shutdown": AmiTranslator._shutdown,
    # members
    "QueueMemberAdded": AmiTranslator._member_added,
    "QueueMemberRemoved": AmiTranslator._member_removed,
    "QueueMemberPause": AmiTranslator._member_paused,
    "QueueMemberPaused": AmiTranslator._member_paused,  # before Asterisk 12
    "QueueMemberStatus": AmiTranslator._member_status,
    "AgentLogin": AmiTranslator._agent_login,
    "AgentLogoff": AmiTranslator._agent_logoff,
    "DeviceStateChange": AmiTranslator._device_state,
    "PeerStatus": AmiTranslator._peer_status,
    # callers
    "QueueCallerJoin": AmiTranslator._caller_joined,
    "QueueCallerAbandon": AmiTranslator._caller_abandoned,
    "QueueCallerLeave": AmiTranslator._caller_left,
    "AgentCalled": AmiTranslator._agent_called,
    "AgentRingNoAnswer": AmiTranslator._agent_ring_no_answer,
    "AgentConnect": AmiTranslator._agent_connected,
    "AgentComplete": AmiTranslator._agent_completed,
    "AgentDump": AmiTranslator._agent_dumped,
    # channels
    "Newchannel": AmiTranslator._channel_seen,
    "Newstate": AmiTranslator._channel_seen,
    "CoreShowChannel": AmiTranslator._channel_seen,
    "Newexten": AmiTranslator._dialplan_runs,
    "VarSet": AmiTranslator._variable_set,
    "BridgeEnter": AmiTranslator._bridged,
    "HangupRequest": AmiTranslator._hang_up_requested,
    "Hangup": AmiTranslator._hung_up,
    "DialBegin": AmiTranslator._dial_begun,
    "DialEnd": AmiTranslator._dial_ended,
    "Hold": lambda t, message, at: t._transfers.held(message, at),
    "Unhold": lambda t, message, at: t._transfers.unheld(message, at),
    "BlindTransfer": lambda t, message, at: t._transfers.blind(message, at),
    "AttendedTransfer": lambda t, message, at: t._transfers.attended(message, at),
    # answers
    "QueueParams": AmiTranslator._status_row,
    "QueueMember": AmiTranslator._status_row,
    "QueueEntry": AmiTranslator._status_row,
    "QueueStatusComplete": AmiTranslator._status_complete,
}
