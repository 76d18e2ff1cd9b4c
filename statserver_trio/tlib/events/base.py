"""What all T-events have in common, and how their attributes are called on the wire.

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
    "other_agent_id": "OtherAgentID",
    "operation": "Operation",
    "place": "Place",
    "work_mode": "AgentWorkMode",
    "treatment_type": "TreatmentType",
    "interaction_id": "InteractionID",
    "interaction_type": "InteractionType",
    "interaction_state": "InteractionState",
    "media_type": "MediaType",
    "queue": "Queue",
    "old_queue": "OldQueue",
    "workbin": "Workbin",
    "strategy": "Strategy",
    "party_type": "PartyType",
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


class Unhandled(Struct, kw_only=True, gc=False, rename={**WIRE_NAMES, "name": "event"}.get):
    """An event whose name we do not know; its position still counts.

    Not part of :data:`EVENT_TYPES`: the decoder falls back to it, so that a
    T-Server newer than us makes no hole in the stream.
    """

    name: str = ""
    position: Position | None = None
    time: Time | None = None
    this_dn: str = ""
