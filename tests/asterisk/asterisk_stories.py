"""How the tests of this floor are written: a story in, a story out.

A line of an AMI story is the time, the event and its fields::

    0.0 QueueCallerJoin Uniqueid=c1 Queue=support CallerIDNum=5551000

A line of the answer is the time, the DN, what happened there, and what is worth
telling about it::

    4.0 support Diverted to=SIP/1
"""

from __future__ import annotations

import shlex
from itertools import pairwise
from pathlib import Path

import pytest

from statserver_trio.asterisk.ami import AmiMessage
from statserver_trio.asterisk.ami_translator import AmiTranslator
from statserver_trio.asterisk.queue_log import QueueLogTranslator
from statserver_trio.tlib.events import EventLinkConnected, EventRegistered, TEvent

CAPTURES = Path(__file__).parents[3] / "shared" / "data" / "asterisk"
T0 = 1_800_000_000.0  # when all stories begin


def capture(name: str) -> bytes:
    """A real capture, read where it lies."""
    path = CAPTURES / name
    if not path.exists():
        pytest.skip(f"the capture {path} is not here")
    return path.read_bytes()


def lines_of(story: str) -> list[str]:
    """The lines of a text, without margins, empty lines and remarks."""
    bare = (line.partition("#")[0].strip() for line in story.splitlines())
    return [line for line in bare if line]


def message(line: str) -> AmiMessage:
    """The AMI message of one line of a story; ``-`` is an event without Timestamp."""
    when, event, *fields = shlex.split(line)
    pairs = [("Event", event)]
    if when != "-":
        pairs.append(("Timestamp", f"{T0 + float(when):.6f}"))
    pairs += [(key, value) for key, _, value in (field.partition("=") for field in fields)]
    return AmiMessage(tuple(pairs))


def told(story: str, translator: AmiTranslator | None = None, finish: bool = True) -> list[str]:
    """What an AMI story comes to."""
    translator = translator or AmiTranslator("sw1")
    events = [event for line in lines_of(story) for event in translator.translate(message(line), 0)]
    return shown(events + (translator.finish() if finish else []))


def logged(story: str) -> list[str]:
    """What a story in queue_log comes to; its times count from the beginning."""
    translator = QueueLogTranslator("sw1")
    events: list[TEvent] = []
    for line in lines_of(story):
        when, bar, rest = line.partition("|")
        events += translator.translate(f"{T0 + float(when):.0f}{bar}{rest}")
    return shown(events + translator.finish())


def shown(events: list[TEvent]) -> list[str]:
    """Events as the lines of a story; that the link is up goes without saying."""
    positions = [event.position for event in events]
    assert all(a < b for a, b in pairwise(positions))
    return [show(event) for event in events if not isinstance(event, EventLinkConnected)]


def show(event: TEvent) -> str:
    """One event as the line of a story."""
    name = type(event).__name__.removeprefix("Event")
    words = [f"{event.time - T0:.1f}", event.this_dn or "-", name]
    if getattr(event, "call_state", "Ok") != "Ok":
        words.append(event.call_state)
    if getattr(event, "third_party_dn", ""):
        words.append(f"to={event.third_party_dn}")
    if name in ("AgentLogin", "QueueLogout", "AgentLogout"):
        words.append(f"queue={event.this_queue}")
    reason = (getattr(event, "reasons", None) or {}).get("ReasonCode")
    if reason:
        words.append(f"reason={reason}")
    return " ".join(words + (seen(event) if isinstance(event, EventRegistered) else []))


def seen(snapshot: EventRegistered) -> list[str]:
    """What a snapshot tells."""
    facts = snapshot.extensions or {}
    words = [f"agent={snapshot.agent_id}", facts["AgentStatus"]] if snapshot.agent_id else []
    words += [f"reason={facts['ReasonCode']}"] if "ReasonCode" in facts else []
    return words + [f"{call['state'].lower()}={call['ConnID']}" for call in facts["calls"]]
