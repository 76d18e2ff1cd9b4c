"""Folding: the records of one event, added to the rows that they concern.

This is what every event pays for, so it is written for speed: plain rows are columns to
which numbers are added right here, the others have counters.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...model.nodes import Node
from ...model.occurrences import (
    BEGAN,
    DN_STATUS,
    ENDED,
    FACTS,
    HAPPENED,
    STATUS,
    Occurrence,
    Record,
    Status,
)
from . import sessions
from .ledger import Ledger
from .rows import Concerned, Watch


def fold(ledger: Ledger, records: Iterable[Record], t: int) -> None:
    """Count what happened at ``t``."""
    if ledger.sessions:
        records = list(records)
        sessions.begin(records, t)
        _count(ledger, records, t)
        sessions.end(records, t)
    else:
        _count(ledger, records, t)


def _count(ledger: Ledger, records: Iterable[Record], t: int) -> None:
    ended, elapsed, live, since = ledger.columns[:4]
    is_touched, touched = ledger.is_touched, ledger.touched
    for record in records:
        kind = record[0]
        watch: Watch = record[1].watch
        if kind == BEGAN:
            occurrence, start = record[2], record[3]
            rows, counters = watch.actions[occurrence.action]
            for row in rows:
                live[row] += 1
                since[row] += start
            for counter in counters:
                counter.begin(occurrence, start, t)
        elif kind == ENDED:
            occurrence, start = record[2], record[3]
            rows, counters = watch.actions[occurrence.action]
            for row in rows:
                live[row] -= 1
                since[row] -= start
                ended[row] += 1
                elapsed[row] += t - start
            for counter in counters:
                counter.end(occurrence, t)
        elif kind == HAPPENED:
            duration = record[3]
            rows, counters = watch.actions[record[2]]
            for row in rows:
                ended[row] += 1
                elapsed[row] += duration
            for counter in counters:
                counter.happen(record[4], duration, t)
        elif kind == STATUS:
            rows = _status(ledger, watch.statuses, record[2], record[2].start, record[3], t, t)
        elif kind == DN_STATUS:
            _, _, old, old_start, new, new_start = record
            rows = _status(ledger, watch.dn_statuses, old, old_start, new, new_start, t)
        else:
            assert kind == FACTS
            _look_again(watch, record[1], record[2], t)
            continue
        for row in rows:
            if not is_touched[row]:
                is_touched[row] = 1
                touched.append(row)


def _status(
    ledger: Ledger,
    concerned: Concerned,
    old: Status | None,
    old_start: int,
    new: Status | None,
    new_start: int,
    t: int,
) -> tuple[int, ...]:
    """One status period ends, or one begins, or both."""
    ended, elapsed, live, since = ledger.columns[:4]
    changed: tuple[int, ...] = ()
    if old is not None:
        rows, counters = concerned[old.action]
        # What lasted no time was no status: between the release of a call and the
        # after-call work of the same second an agent does not wait (our decision).
        lasted = 1 if t > old_start else 0
        for row in rows:
            live[row] -= 1
            since[row] -= old_start
            ended[row] += lasted
            elapsed[row] += t - old_start
        for counter in counters:
            counter.end(old, t)
        changed = rows
    if new is not None:
        rows, counters = concerned[new.action]
        for row in rows:
            live[row] += 1
            since[row] += new_start
        for counter in counters:
            counter.begin(new, new_start, t)
        changed += rows
    return changed


def _look_again(watch: Watch, node: Node, occurrence: Occurrence, t: int) -> None:
    """The facts of an occurrence changed: so did those of every status that shows it."""
    for counter in watch.actions[occurrence.action][1]:
        counter.look_again(occurrence, t)
    status = node.status
    if status.source is occurrence:
        for counter in watch.statuses[status.action][1]:
            counter.look_again(status, t)
    if node.wants_dn_statuses:
        for dn_status, _ in node.dn_statuses():
            if dn_status.source is occurrence:
                for counter in watch.dn_statuses[dn_status.action][1]:
                    counter.look_again(dn_status, t)
