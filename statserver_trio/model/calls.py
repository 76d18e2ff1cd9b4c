"""Calls: one per ConnID, its legs on regular DNs and its visits to mediation DNs.

A call outlives none of its parts: when its last leg is gone and no queue waits
for its fate, it is forgotten. Attached data belongs to the call, so a change
told on one DN is at once true on all of them.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .actions import CALL_TYPES
from .occurrences import NO_FACTS, VOICE, Facts, Occurrence

if TYPE_CHECKING:
    from ..tlib.events import CallEvent
    from .nodes import MediationDN, RegularDN


# How much is kept of what was told of a call before, for a filter that is opened while it
# goes on; of a call with more changes the oldest ones are forgotten.
FORMER_MAX = 32
NOBODY: Mapping[str, str] = {}


def call_type_of(name: str) -> str:
    """The call type of an event; whatever we do not know is ``Unknown``."""
    return name if name in CALL_TYPES else "Unknown"


class Told:
    """What was said of a call: what filters and expressions look at.

    The mappings are replaced as a whole and never edited, so that what was said before can be kept.

    Attributes:
        facts: The attached data.
        others: OtherDN, by the number of the DN it was told of.
        queues: ThisQueue likewise.
        agents: Where this was said before an agent came or went: who was there until then,
            by the number of the DN.
        media: The medium; telephony is voice.
    """

    __slots__ = (
        "agents", "ani", "call_type", "conn_id", "dnis", "facts", "media", "others", "queues"
    )  # fmt: skip

    def __init__(
        self,
        conn_id: str,
        call_type: str = "Unknown",
        ani: str = "",
        dnis: str = "",
        facts: Facts = NO_FACTS,
        others: Mapping[str, str] = NOBODY,
        queues: Mapping[str, str] = NOBODY,
        agents: Mapping[str, str] = NOBODY,
        media: str = VOICE,
    ) -> None:
        self.media = media
        self.conn_id = conn_id
        self.call_type = call_type
        self.ani = ani
        self.dnis = dnis
        self.facts = facts
        self.others = others
        self.queues = queues
        self.agents = agents

    def told_before(self) -> Sequence[tuple[int, Told]]:
        """What was said before, each until when, as far as it is known; the latest last."""
        return ()


class Call(Told):
    """What all parties of one ConnID share."""

    __slots__ = ("former", "heard_at", "legs", "observers", "visits")

    def __init__(self, conn_id: str) -> None:
        super().__init__(conn_id)
        self.former: list[tuple[int, Told]] = []  # what was said before, each until when
        self.legs: dict[RegularDN, Leg] = {}
        self.visits: dict[MediationDN, Visit] = {}
        self.observers: dict[str, Observer] = {}  # supervisors who listen, by DN number
        self.heard_at = 0  # the time of its last event, for the stuck-call check

    def told_before(self) -> Sequence[tuple[int, Told]]:
        """What was said before, each until when; the latest last."""
        return self.former

    def remember(self, t: int, agents: Mapping[str, str] = NOBODY) -> None:
        """Keep what is said now: from ``t`` on it is something else, or another agent is there."""
        said = (self.call_type, self.ani, self.dnis, self.facts, self.others, self.queues)
        self.former.append((t, Told(self.conn_id, *said, agents, self.media)))
        del self.former[:-FORMER_MAX]

    def learn(self, event: CallEvent, t: int) -> bool:
        """Take over what the event tells; true where filters have to look again.

        That a party begins with an OtherDN and a queue of its own is news to nobody else.
        """
        self.heard_at = t
        this, other, queue = event.this_dn, event.other_dn, event.this_queue
        data, call_type, ani, dnis = event.user_data, event.call_type, event.ani, event.dnis
        if call_type != self.call_type:
            call_type = self.call_type if call_type == "Unknown" else call_type_of(call_type)
        another_party = other and self.others.get(this) != other
        another_queue = queue and self.queues.get(this) != queue
        news = not (
            call_type == self.call_type
            and (ani == self.ani or not ani)
            and (dnis == self.dnis or not dnis)
            and (data is None or data == self.facts)
        )
        if not (news or another_party or another_queue):
            return False  # as most events do, it says nothing new
        if not news:
            news = self._takes_part(this)
        if news and (self.legs or self.visits):
            self.remember(t)
        self.call_type, self.ani, self.dnis = call_type, ani or self.ani, dnis or self.dnis
        if data is not None:
            self.facts = data
        if another_party:
            self.others = {**self.others, this: other}
        if another_queue:
            self.queues = {**self.queues, this: queue}
        return news

    def _takes_part(self, number: str) -> bool:
        """Whether a DN has anything to do with the call yet."""
        for leg in self.legs:
            if leg.key.number == number:
                return True
        return any(queue.key.number == number for queue in self.visits)

    @property
    def is_over(self) -> bool:
        """Nobody has anything to do with it any more."""
        return not self.legs and not self.visits

    def occurrences(self) -> list[Occurrence]:
        """Everything that goes on because of this call, on any DN."""
        found = [occurrence for leg in self.legs.values() for occurrence in leg.going_on]
        return found + [v.wait for v in self.visits.values() if v.wait is not None]


class Phase(enum.Enum):
    """What a party does in the call."""

    __hash__ = object.__hash__  # that of Enum takes a call in Python for every look-up

    DIALING = "dialing"
    RINGING = "ringing"
    TALKING = "talking"
    OBSERVING = "observing"  # listens, and belongs to the call as little as a fly on the wall


class Observer:
    """What a supervisor does in somebody else's call; see :mod:`.supervision`.

    Attributes:
        mode: One of :data:`.supervision.MODES`.
        watches: The number of the DN that is observed; empty where nobody said
            whom, then it is everybody who talks.
        seen: Whether somebody was observed yet. An observation that has not found
            its party goes on, one that has lost it is over.
        deaf: For the moment he does not hear the call.
        left: He is gone; remembered, for the others may be told so later.
    """

    __slots__ = ("deaf", "left", "mode", "seen", "watches")

    def __init__(self, mode: str, watches: str) -> None:
        self.mode = mode
        self.watches = watches
        self.seen = False
        self.deaf = False
        self.left = False


class Leg:
    """One party: a call on a regular DN.

    ``going_on`` holds its durable actions: the one of its phase first, then the
    variant by side (``CallInternalReceived``), then the hold and whatever else goes on.

    Attributes:
        asm: Where the agent was engaged for a campaign: ASM_Engaged or ASM_Outbound.
        customer: The number of the customer whom that is about, while there is one.
        joins: What is counted once the leg is answered, because somebody brought it
            here: CallTransferTaken or CallConferenceJoined, or nothing.
        reasons: Those of its latest event: what that begins, or is, has been done for them.
    """

    __slots__ = (
        "asm",
        "call",
        "call_type",
        "customer",
        "going_on",
        "hold",
        "joins",
        "originated",
        "phase",
        "reasons",
        "since",
        "started",
        "visits",
    )

    def __init__(self, call: Call, call_type: str, originated: bool, t: int) -> None:
        self.call = call
        self.call_type = call_type
        self.originated = originated
        self.phase = Phase.DIALING if originated else Phase.RINGING
        self.since = t  # when the phase began
        self.started = t  # when the leg began
        self.going_on: list[Occurrence] = []
        self.hold: Occurrence | None = None
        self.asm: Occurrence | None = None
        self.customer = ""
        self.joins = ""
        self.reasons: Facts = NO_FACTS
        self.visits: tuple[Visit, ...] = ()  # the queues that distributed it here


class Visit:
    """One stay of a call at a mediation DN, until its fate there is known.

    ``wait`` is the CallWait while it lasts; after the call was distributed the
    visit lives on, since what becomes of the call at its target is counted here
    too (the "reflecting" actions).
    """

    __slots__ = ("entered", "queue", "target", "treatment_since", "wait")

    def __init__(self, queue: MediationDN, t: int, wait: Occurrence | None) -> None:
        self.queue = queue
        self.entered = t
        self.wait = wait
        self.target = ""  # the DN it was distributed to
        self.treatment_since: int | None = None


def reason_facts(reasons: dict[str, Any] | None, extensions: dict[str, Any] | None) -> Facts:
    """What a filter sees on an agent's state: his reasons, and the hardware ReasonCode.

    Software reasons come in ``Reasons``, hardware ones as ``ReasonCode`` in
    ``Extensions`` (t-events.md §2.8); one mapping of both is our decision.
    """
    facts: dict[str, Any] = dict(reasons or ())
    hardware = (extensions or {}).get("ReasonCode")
    if hardware is not None:
        facts["ReasonCode"] = hardware
    return facts or NO_FACTS
