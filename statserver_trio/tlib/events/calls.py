"""T-events of calls, on the DNs of parties and on those where calls wait."""

from __future__ import annotations

from .base import KVList, TEvent


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
    reasons: KVList | None = None


class EventDialing(CallEvent):
    """The DN calls somebody; a consultation names the held call."""

    previous_conn_id: str = ""


class EventNetworkReached(CallEvent):
    """The call has left the switch; the party still dials."""


class EventRinging(CallEvent):
    """The DN is being called."""

    previous_conn_id: str = ""
    extensions: KVList | None = None


class EventEstablished(CallEvent):
    """The DN talks."""

    previous_conn_id: str = ""
    extensions: KVList | None = None


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
    extensions: KVList | None = None


class EventPartyDeleted(CallEvent):
    """Somebody left the conference."""

    other_dn_role: str = ""


class EventPartyInfo(CallEvent):
    """Facts about the parties were corrected."""

    extensions: KVList | None = None


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
