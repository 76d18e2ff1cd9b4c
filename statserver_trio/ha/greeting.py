"""Who may be the other half of our pair: the checks of the greeting.

The accepting side checks a ``Hello``, the dialling side checks the ``Welcome``
in the mirror; both in the order of hot-standby.md 4.2, and the first failure is
the answer. Nothing about statistics is said before.

A refusal usually waits for somebody to correct a configuration, and is repeated
at every attempt. So each code is logged once, and then once an hour.
"""

from __future__ import annotations

import enum
from collections.abc import Callable

from attrs import define, field, frozen

from .messages import HOT_STANDBY, PROTOCOL_MAJOR, Greeting, Reject
from .store import Log

REPEAT_INTERVAL = 3600.0  # seconds between two log lines of the same refusal
CODES_MAX = 100  # told apart; a peer that makes up more is logged as OTHER
OTHER = "other"
TEXT_CHARACTERS = 200  # of what the peer says, in the log


class Refusal(enum.Enum):
    """Why a greeting is refused; the value is the code on the wire."""

    VERSION = "version"
    REDUNDANCY = "redundancy-type"
    NOT_MY_PEER = "not-my-peer"  # its name is not the one in our configuration
    NOT_YOUR_PEER = "not-your-peer"  # it takes us for somebody else
    SELF = "self"  # we are talking to ourselves
    DUPLICATE = "duplicate"  # another process of that name is connected, and alive
    BUSY = "busy"  # not so fast


@frozen
class Identity:
    """Who we are by configuration.

    Attributes:
        application: Our name; ``peer`` is the name of the other member.
        dials: Whether we are the configured backup.
        redundancy: The redundancy type in our configuration.
        product: Our version, for the peer's log.
    """

    application: str
    peer: str
    dials: bool
    redundancy: str = HOT_STANDBY
    product: str = "statserver-trio"


def _not_hot_standby(me: Identity, boot_id: str, other: Greeting) -> bool:
    return not me.redundancy == other.redundancy == HOT_STANDBY


# code, whether it applies, what to say. The order is that of hot-standby.md 4.2.
CHECKS: list[tuple[Refusal, Callable[[Identity, str, Greeting], bool], str]] = [
    (
        Refusal.VERSION,
        lambda me, boot_id, other: other.major != PROTOCOL_MAJOR,
        "protocol version {other.major}.{other.minor}, and we speak {major}",
    ),
    (
        Refusal.REDUNDANCY,
        _not_hot_standby,
        "redundancy types {other.redundancy!r} there, {me.redundancy!r} here",
    ),
    (
        Refusal.NOT_MY_PEER,
        lambda me, boot_id, other: other.application != me.peer,
        "{other.application!r} is not our configured peer {me.peer!r}",
    ),
    (
        Refusal.NOT_YOUR_PEER,
        lambda me, boot_id, other: other.other != me.application,
        "its configured peer is {other.other!r}, and we are {me.application!r}",
    ),
    (
        Refusal.SELF,
        lambda me, boot_id, other: other.boot_id == boot_id,
        "this is the same process",
    ),
]


def check(me: Identity, boot_id: str, other: Greeting) -> Reject | None:
    """What to answer a greeting that is not acceptable; None if it is."""
    for refusal, applies, text in CHECKS:
        if applies(me, boot_id, other):
            said = text.format(me=me, other=other, major=PROTOCOL_MAJOR)
            return Reject(refusal.value, said)
    return None


@define
class RefusalLog:
    """Says every refusal once, and then once an hour."""

    _told: dict[str, float] = field(factory=dict, init=False)

    def note(self, who: str, reject: Reject, now: float) -> list[object]:
        """A line about it, if it is time for one; ``who`` refused."""
        code = f"{who} {reject.code[:TEXT_CHARACTERS]}"
        if code not in self._told and len(self._told) >= CODES_MAX:
            code = OTHER
        if now - self._told.get(code, -REPEAT_INTERVAL) < REPEAT_INTERVAL:
            return []
        self._told[code] = now
        return [Log("warning", f"no pair, {code}: {reject.text[:TEXT_CHARACTERS]}")]
