"""What every DN is doing right now, as EventRegistered tells it.

A fold over the events that were handed out, so that a snapshot is right for
exactly the position at which it is taken. Names: domain/t-events.md 1.3; party
states are those of ``PartyState_bits``, agent states by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import define, field

from ..tlib.events import (
    CallEvent,
    EventAgentLogin,
    EventAgentLogout,
    EventAgentNotReady,
    EventAgentReady,
    EventPartyChanged,
    EventRegistered,
    TEvent,
)

if TYPE_CHECKING:
    from ..tlib.events import KVList

# What the call does on the DN after the event; None where it is over there. Events
# that are not listed leave the call as it is.
PARTY_STATES: dict[str, str | None] = {
    "EventQueued": "Queued",
    "EventDialing": "Dialing",
    "EventNetworkReached": "Dialing",
    "EventDestinationBusy": "Busy",
    "EventRinging": "Alerting",
    "EventEstablished": "Connected",
    "EventHeld": "Held",
    "EventRetrieved": "Connected",
    "EventReleased": None,
    "EventAbandoned": None,
    "EventDiverted": None,
}


@define
class _Device:
    """One DN; ``calls`` are ConnID to CallType and party state."""

    agent_id: str = ""
    place: str = ""
    agent_status: str = ""
    reason: str = ""
    queues: list[str] = field(factory=list)
    calls: dict[str, tuple[str, str]] = field(factory=dict)


class Snapshots:
    """The state of all DNs.

    Args:
        dns: Every DN with its AddressType; others have no snapshot.
    """

    def __init__(self, dns: dict[str, str]) -> None:
        self._types = dns
        self._devices = {dn: _Device() for dn in dns}

    def apply(self, event: TEvent) -> None:
        """Let ``event`` have happened."""
        device = self._devices.get(event.this_dn)
        if device is None:
            return
        if isinstance(event, CallEvent):
            _apply_call(device, event)
        else:
            rule = AGENT_RULES.get(type(event))
            if rule is not None:
                rule(device, event)

    def take(self, dn: str) -> EventRegistered | None:
        """The snapshot of ``dn``; None if there is no such device."""
        device = self._devices.get(dn)
        if device is None:
            return None
        extensions: KVList = {
            "calls": [
                {"ConnID": conn_id, "CallType": call_type, "state": state}
                for conn_id, (call_type, state) in device.calls.items()
            ]
        }
        if device.agent_status or self._types[dn] == "DN":
            extensions["AgentStatus"] = device.agent_status or "LoggedOut"
        if device.reason:
            extensions["ReasonCode"] = device.reason
        for n, queue in enumerate(device.queues, 1):
            extensions[f"queue-{n}"] = queue
        return EventRegistered(
            this_dn=dn,
            address_type=self._types[dn],
            agent_id=device.agent_id,
            place=device.place,
            extensions=extensions,
        )


def _apply_call(device: _Device, event: CallEvent) -> None:
    if isinstance(event, EventPartyChanged):
        _, state = device.calls.pop(event.previous_conn_id, ("", "Connected"))
    else:
        name = type(event).__name__
        if name not in PARTY_STATES:
            return
        after = PARTY_STATES[name]
        if after is None:
            device.calls.pop(event.conn_id, None)
            return
        state = after
    device.calls[event.conn_id] = (event.call_type, state)


def _login(device: _Device, event: TEvent) -> None:
    assert isinstance(event, EventAgentLogin)
    device.agent_id, device.agent_status = event.agent_id, "LoggedIn"
    device.place = event.place or device.place
    if event.this_queue and event.this_queue not in device.queues:
        device.queues.append(event.this_queue)


def _logout(device: _Device, event: TEvent) -> None:
    device.agent_id = device.agent_status = device.reason = device.place = ""
    device.queues = []


def _ready(device: _Device, event: TEvent) -> None:
    device.agent_status, device.reason = "Ready", ""


def _not_ready(device: _Device, event: TEvent) -> None:
    assert isinstance(event, EventAgentNotReady)
    after_call = event.work_mode == "AfterCallWork"
    device.agent_status = "AfterCallWork" if after_call else "NotReady"
    device.reason = str((event.extensions or {}).get("ReasonCode", ""))


AGENT_RULES: dict[type[TEvent], Callable[[_Device, TEvent], None]] = {
    EventAgentLogin: _login,
    EventAgentLogout: _logout,
    EventAgentReady: _ready,
    EventAgentNotReady: _not_ready,
}
