"""Channels: what is known of Asterisk's channels, and how to read their names.

A channel is ``Technology/device-number``: the part before the last dash is the
device, which for a member's own channel is his interface. A Local channel is a
pair whose halves end in ``;1`` and ``;2``; Asterisk may take it out of a call
that goes on ("optimisation"), so the end of a Local channel proves nothing.
"""

from __future__ import annotations

from attrs import define

CHANNELS_MAX = 100_000
UNKNOWN_NUMBER = "<unknown>"
UP = "6"


@define(eq=False)
class Channel:
    """One channel."""

    name: str
    uniqueid: str
    linkedid: str
    state: str = ""


def device_of(channel: str) -> str:
    """The device whose channel this is.

    >>> device_of("SIP/777-000000bc")
    'SIP/777'
    >>> device_of("Local/a1@agents-00000002;1")
    'Local/a1@agents'
    """
    device, dash, _ = channel.rpartition("-")
    return device if dash else channel


def is_local(channel: str) -> bool:
    """Whether ``channel`` is half of a Local pair."""
    return channel.startswith("Local/")


def number(text: str) -> str:
    """A caller's number; empty where Asterisk knows none."""
    return "" if text == UNKNOWN_NUMBER else text


class Channels:
    """The channels that exist."""

    def __init__(self) -> None:
        self._channels: dict[str, Channel] = {}

    def forget(self) -> None:
        """The link is gone, and with it everything we knew."""
        self._channels.clear()

    def seen(self, name: str, uniqueid: str, linkedid: str, state: str) -> None:
        """A channel was made, changed or listed."""
        if not uniqueid:
            return
        if len(self._channels) >= CHANNELS_MAX:
            del self._channels[next(iter(self._channels))]  # its hang-up was lost
        self._channels[uniqueid] = Channel(name, uniqueid, linkedid or uniqueid, state)

    def gone(self, uniqueid: str) -> None:
        """A channel was hung up."""
        self._channels.pop(uniqueid, None)

    def linkedid(self, uniqueid: str) -> str:
        """The call of a channel; its own Uniqueid where nothing is known."""
        channel = self._channels.get(uniqueid)
        return channel.linkedid if channel else uniqueid

    def talking_at(self, device: str) -> list[Channel]:
        """The channels of ``device`` that are up."""
        return [
            channel
            for channel in self._channels.values()
            if channel.state == UP and device_of(channel.name) == device
        ]
