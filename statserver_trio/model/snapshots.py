"""Snapshots: reading what EventRegistered and EventAddressInfo say a DN is doing.

The open feed lists calls as objects; T-Library numbers its keys (``conn-1``,
``ct-1``, ``ps-1``). Of the latter only ``ps-n`` is confirmed by a public header,
so all key names stand here, in one place, to be changed.
"""

from __future__ import annotations

import re
from typing import Any

from attrs import frozen

from ..tlib.events import KVList, Snapshot
from .calls import Phase, call_type_of

# AgentStatus as a number (T-Library's order) or as a word.
AGENT_STATUSES: dict[Any, str] = {
    0: "logged out",
    1: "logged in",
    2: "ready",
    3: "not ready",
    4: "after-call work",
    "LoggedOut": "logged out",
    "LoggedIn": "logged in",
    "Ready": "ready",
    "NotReady": "not ready",
    "AfterCallWork": "after-call work",
}
CALL_STATES = {
    "Connected": (Phase.TALKING, False),
    "Held": (Phase.TALKING, True),
    "Ringing": (Phase.RINGING, False),
    "Alerting": (Phase.RINGING, False),
    "Dialing": (Phase.DIALING, False),
    "Observing": (Phase.OBSERVING, False),
    "Queued": (None, False),
}
# Party state bits (``ps-n``), in the order in which they decide.
DIALING_BIT = 0x10000
NO_TALK_BIT = 0x20  # of a connected party: it only listens, so it observes (our decision)
STATE_BITS = 0xF
PARTY_STATES = {0x1: "Dialing", 0x9: "Queued", 0xA: "Ringing", 0xC: "Connected", 0xE: "Held"}
NUMBERED_CALL_TYPES = ("Unknown", "Internal", "Inbound", "Outbound", "Consult")
DND_ON = (1, "1", "on", "On", "true")
OFF_HOOK_STATES = frozenset({"OffHook", "Busy", 1, 2})


@frozen
class ListedCall:
    """One call of a snapshot; a queue's call has no phase."""

    conn_id: str
    call_type: str
    phase: Phase | None
    held: bool


@frozen
class Seen:
    """What a snapshot says, in our words. None is: it does not say."""

    agent_status: str | None
    off_hook: bool | None
    calls: tuple[ListedCall, ...]
    tells_calls: bool
    dnd: bool
    reasons: KVList | None


def read(snapshot: Snapshot) -> Seen:
    """Read a snapshot; what we do not understand of it is as if it were not there."""
    extensions = snapshot.extensions or {}
    status = extensions.get("AgentStatus")
    hook = extensions.get("DNState")
    calls = extensions.get("calls")
    listed = _from_objects(calls) if isinstance(calls, list) else _from_numbers(extensions)
    return Seen(
        agent_status=AGENT_STATUSES.get(status) if isinstance(status, int | str) else None,
        off_hook=hook in OFF_HOOK_STATES if isinstance(hook, int | str) else None,
        calls=tuple(listed),
        tells_calls=snapshot.extensions is not None,
        dnd=extensions.get("dnd") in DND_ON,
        reasons=extensions.get("Reasons") if isinstance(extensions.get("Reasons"), dict) else None,
    )


def _from_objects(calls: list[Any]) -> list[ListedCall]:
    found = []
    for entry in calls:
        if isinstance(entry, dict) and isinstance(entry.get("ConnID"), str):
            phase, held = CALL_STATES.get(str(entry.get("state")), (Phase.TALKING, False))
            call_type = call_type_of(str(entry.get("CallType")))
            found.append(ListedCall(entry["ConnID"], call_type, phase, held))
    return found


def _from_numbers(extensions: KVList) -> list[ListedCall]:
    found = []
    for key, conn_id in extensions.items():
        match = re.fullmatch(r"conn-(\d+)", key)
        if match is None or not isinstance(conn_id, str):
            continue
        number = match[1]
        phase, held = CALL_STATES[_party_state(extensions.get(f"ps-{number}"))]
        call_type = _call_type(extensions.get(f"ct-{number}"))
        found.append(ListedCall(conn_id, call_type, phase, held))
    return found


def _party_state(bits: Any) -> str:
    if not isinstance(bits, int):
        return "Connected"
    if bits & DIALING_BIT:
        return "Dialing"
    state = PARTY_STATES.get(bits & STATE_BITS, "Connected")
    return "Observing" if state == "Connected" and bits & NO_TALK_BIT else state


def _call_type(number: Any) -> str:
    if isinstance(number, int) and 0 <= number < len(NUMBERED_CALL_TYPES):
        return NUMBERED_CALL_TYPES[number]
    return call_type_of(str(number))
