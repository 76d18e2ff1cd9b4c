"""Replay: whole files of AMI or queue_log to T-events in the order of their times.

Live, an event may be told after a younger one, because it could not be decided
or known earlier (:mod:`.doubts`, :mod:`.queue_log`). With the whole file at
hand that is put right: the events are sorted by time, those of one time stay in
the order in which they were told, and the positions are given anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from ..tlib.events import TEvent
from .ami import AmiParser
from .ami_translator import AmiTranslator
from .dating import dated
from .positions import Positions
from .queue_log import QueueLogTranslator


class Replayed(NamedTuple):
    """What a file held: its events, and how often something in it made no sense."""

    events: list[TEvent]
    bad: Counter[str]


def ami_events(pieces: Iterable[bytes], switch: str) -> Replayed:
    """The events of a captured AMI stream."""
    parser = AmiParser()
    messages = [message for piece in pieces for message in parser.feed(piece)]
    messages += parser.end()
    translator = AmiTranslator(switch)
    events: list[TEvent] = []
    for message, at in zip(messages, dated(messages), strict=True):
        events += translator.translate(message, at)
    events += translator.finish()
    return Replayed(in_order(events), parser.bad + translator.bad)


def queue_log_events(lines: Iterable[str], switch: str) -> Replayed:
    """The events of a queue_log."""
    translator = QueueLogTranslator(switch)
    events = [event for line in lines for event in translator.translate(line)]
    events += translator.finish()
    return Replayed(in_order(events), translator.bad)


def in_order(events: Iterable[TEvent]) -> list[TEvent]:
    """The same events sorted by time and numbered anew."""
    positions = Positions()
    ordered = sorted(events, key=lambda event: event.time or 0.0)
    for event in ordered:
        event.position = positions.at(event.time or 0.0)
    return ordered
