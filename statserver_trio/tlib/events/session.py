"""T-events of the session with the T-Server, of its link to the switch, and snapshots."""

from __future__ import annotations

from .base import KVList, TEvent


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
