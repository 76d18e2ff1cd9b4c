"""T-events: what a T-Server says, one class per event, named as T-Library does.

A class holds only the attributes that somebody above uses; unknown ones are
ignored while decoding. Attribute names are Python's (``this_dn``), the names on
the wire are T-Library's (``ThisDN``); :data:`WIRE_NAMES` is the only place that
knows both.

``position`` (``EventSequenceNumber``) orders the events of one source, is the
same for everybody who listens to that source, and grows by one per event; it is
None on what is not part of the stream (the handshake, snapshots). ``time`` is
the source's own time of the event in Unix seconds, None where it sent none.

The types here are shared by every source: the Asterisk translators make the
same objects out of AMI and queue_log.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

WIRE_NAMES = {
    "position": "EventSequenceNumber",
    "time": "time",
    "this_dn": "ThisDN",
    "conn_id": "ConnID",
    "previous_conn_id": "PreviousConnID",
    "call_uuid": "CallUUID",
    "call_type": "CallType",
    "call_state": "CallState",
    "this_dn_role": "ThisDNRole",
    "other_dn": "OtherDN",
    "other_dn_role": "OtherDNRole",
    "third_party_dn": "ThirdPartyDN",
    "third_party_dn_role": "ThirdPartyDNRole",
    "this_queue": "ThisQueue",
    "ani": "ANI",
    "dnis": "DNIS",
    "user_data": "UserData",
    "reasons": "Reasons",
    "extensions": "Extensions",
    "agent_id": "AgentID",
    "place": "Place",
    "work_mode": "AgentWorkMode",
    "treatment_type": "TreatmentType",
    "server_role": "ServerRole",
    "switch": "Switch",
    "address_type": "AddressType",
    "reference_id": "ReferenceID",
    "error_code": "ErrorCode",
    "error_message": "ErrorMessage",
}

KVList = dict[str, Any]  # values are strings, integers or nested lists

# A line outside these bounds is a bad line. A position must fit 64 bits, as on the
# HA link; a time must be one that a calendar knows (before the year 10000).
POSITION_MAX = 2**63 - 1
TIME_MAX = 253_402_300_799.0
Position = Annotated[int, Meta(ge=0, le=POSITION_MAX)]
Time = Annotated[float, Meta(ge=0, le=TIME_MAX)]


class TEvent(
    Struct,
    kw_only=True,
    gc=False,
    omit_defaults=True,
    tag_field="event",
    tag=str,
    rename=WIRE_NAMES.__getitem__,
):
    """What every T-event has."""

    position: Position | None = None
    time: Time | None = None
    this_dn: str = ""


# -- the session with the T-Server, and its link to the switch ----------------------------


class EventServerConnected(TEvent):
    """The T-Server accepted us; ``position`` is where its stream stands now."""

    server_role: str = "Primary"
    switch: str = ""


class EventServerDisconnected(TEvent):
    """The T-Server is gone. Never on the wire: whoever loses the link makes it."""


class EventLinkConnected(TEvent):
    """The T-Server can hear the switch."""


class EventLinkDisconnected(TEvent):
    """The T-Server cannot hear the switch."""


class EventPrimaryChanged(TEvent):
    """The T-Servers of a pair have swapped roles; the stream goes on."""


class Snapshot(TEvent):
    """What a DN is doing, told instead of its history.

    ``extensions`` holds ``AgentStatus``, ``DNState`` and the calls, either as a
    list ``calls`` or as T-Library's ``conn-1``, ``ct-1``, ``ps-1``, ...
    """

    address_type: str = ""
    reference_id: int | None = None
    agent_id: str = ""
    place: str = ""
    extensions: KVList | None = None


class EventRegistered(Snapshot):
    """We hear this DN from now on."""


class EventAddressInfo(Snapshot):
    """The answer to QueryAddress."""


class EventUnregistered(TEvent):
    """We no longer hear this DN."""

    reference_id: int | None = None


class EventError(TEvent):
    """A request failed; on a registration the DN stays unmonitored."""

    reference_id: int | None = None
    error_code: int | str | None = None
    error_message: str = ""


class EventDNOutOfService(TEvent):
    """The switch lost the device."""


class EventDNBackInService(TEvent):
    """The switch found the device again."""


# -- the agent at the DN ------------------------------------------------------------------


class AgentEvent(TEvent):
    """What the agent's own events share."""

    agent_id: str = ""
    place: str = ""
    this_queue: str = ""
    work_mode: str = ""
    reasons: KVList | None = None
    extensions: KVList | None = None


class EventAgentLogin(AgentEvent):
    """An agent logged in on the DN; repeated once per queue he serves."""


class EventAgentLogout(AgentEvent):
    """The agent left the DN for good."""


class EventQueueLogout(AgentEvent):
    """The agent no longer serves ``this_queue``, and is still logged in."""


class EventAgentReady(AgentEvent):
    """The agent waits for a call."""


class EventAgentNotReady(AgentEvent):
    """The agent does not want calls; work mode AfterCallWork means just that."""


class EventAgentAfterCallWork(AgentEvent):
    """Obsolete form of NotReady with work mode AfterCallWork."""


class EventAgentIdleReasonSet(AgentEvent):
    """Obsolete; carries a reason and changes no state."""


class EventAgentReserved(AgentEvent):
    """A router has reserved the agent; nothing for statistics."""


class EventOffHook(TEvent):
    """The receiver was lifted."""


class EventOnHook(TEvent):
    """The receiver was put down."""


class EventDNDOn(TEvent):
    """Do not disturb."""


class EventDNDOff(TEvent):
    """Do disturb."""


class EventForwardSet(TEvent):
    """Calls to the DN are forwarded."""


class EventForwardCancel(TEvent):
    """Calls to the DN are no longer forwarded."""


class EventMuteOn(TEvent):
    """The microphone is off."""


class EventMuteOff(TEvent):
    """The microphone is on."""


class EventMessageWaitingOn(TEvent):
    """There is voice mail."""


class EventMessageWaitingOff(TEvent):
    """There is no more voice mail."""


# -- calls on a DN ------------------------------------------------------------------------


class CallEvent(TEvent):
    """What every event of a call has; ``conn_id`` names the call."""

    conn_id: str
    call_type: str = "Unknown"
    call_state: str = "Ok"
    call_uuid: str = ""
    other_dn: str = ""
    this_queue: str = ""
    ani: str = ""
    dnis: str = ""
    this_dn_role: str = ""
    third_party_dn: str = ""
    third_party_dn_role: str = ""
    user_data: KVList | None = None


class EventDialing(CallEvent):
    """The DN calls somebody; a consultation names the held call."""

    previous_conn_id: str = ""


class EventNetworkReached(CallEvent):
    """The call has left the switch; the party still dials."""


class EventRinging(CallEvent):
    """The DN is being called."""

    previous_conn_id: str = ""


class EventEstablished(CallEvent):
    """The DN talks."""

    previous_conn_id: str = ""


class EventReleased(CallEvent):
    """The call is over on this DN; ``call_state`` says why."""

    previous_conn_id: str = ""


class EventAbandoned(CallEvent):
    """The far end hung up while this DN rang or this queue held the call."""


class EventDestinationBusy(CallEvent):
    """The called DN is busy; the caller still listens to the tone."""


class EventHeld(CallEvent):
    """The DN put the call on hold."""


class EventRetrieved(CallEvent):
    """The DN took the call back from hold."""


class EventPartyChanged(CallEvent):
    """The call of ``previous_conn_id`` goes on as ``conn_id`` on this DN."""

    previous_conn_id: str = ""


class EventPartyAdded(CallEvent):
    """Somebody joined the call."""

    other_dn_role: str = ""


class EventPartyDeleted(CallEvent):
    """Somebody left the conference."""

    other_dn_role: str = ""


class EventPartyInfo(CallEvent):
    """Facts about the parties were corrected."""


class EventCallInfoChanged(CallEvent):
    """Facts about the call, its type among them, were corrected."""


class EventBridged(CallEvent):
    """A bridged appearance took the call; ignored."""


class EventListenDisconnected(CallEvent):
    """A party no longer hears the call."""


class EventListenReconnected(CallEvent):
    """A party hears the call again."""


class EventMonitoringNextCall(CallEvent):
    """A supervisor will observe the next call of ``other_dn``."""

    conn_id: str = ""


class EventMonitoringCancelled(CallEvent):
    """The supervisor will not."""

    conn_id: str = ""


class EventDTMFSent(CallEvent):
    """Digits were sent; nothing for statistics."""


class EventDigitsCollected(CallEvent):
    """Digits were collected; nothing for statistics."""


class EventAttachedDataChanged(CallEvent):
    """``user_data`` is the whole list after the change."""


class EventUserEvent(CallEvent):
    """Somebody's message to everybody who listens to this DN."""

    conn_id: str = ""


# -- calls on a queue, route point or virtual queue ---------------------------------------


class EventQueued(CallEvent):
    """The call entered the queue."""


class EventDiverted(CallEvent):
    """The call left the queue for ``third_party_dn``."""


class EventRouteRequest(CallEvent):
    """The route point asks where to send the call."""


class EventRouteUsed(CallEvent):
    """The route point was told; the Diverted that follows is what counts."""


class EventTreatmentRequired(CallEvent):
    """The call asks for a treatment."""

    treatment_type: str = ""


class EventTreatmentApplied(CallEvent):
    """Music, an announcement or the like began."""

    treatment_type: str = ""


class EventTreatmentNotApplied(CallEvent):
    """The treatment could not begin."""

    treatment_type: str = ""


class EventTreatmentEnd(CallEvent):
    """The treatment is over."""

    treatment_type: str = ""


def _leaves(cls: type[TEvent]) -> list[type[TEvent]]:
    """The classes of ``cls`` that stand for one event each."""
    below = [leaf for sub in cls.__subclasses__() for leaf in _leaves(sub)]
    return below or [cls]


EVENT_TYPES: tuple[type[TEvent], ...] = tuple(_leaves(TEvent))
EVENT_NAMES: frozenset[str] = frozenset(cls.__name__ for cls in EVENT_TYPES)


class Unhandled(Struct, kw_only=True, gc=False, rename=WIRE_NAMES.__getitem__):
    """An event whose name we do not know; its position still counts.

    Not part of :data:`EVENT_TYPES`: the decoder falls back to it, so that a
    T-Server newer than us makes no hole in the stream.
    """

    position: Position | None = None
    time: Time | None = None
    this_dn: str = ""
