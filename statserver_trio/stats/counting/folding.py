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
from .layouts import Concerned
from .ledger import Ledger
from .rows import Watch


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
        if kind == STATUS:
            old = record[2]
            _status(ledger, watch, watch.layout.statuses, old, old.start, record[3], t, t)
            continue
        if kind == DN_STATUS:
            _, _, old, old_start, new, new_start = record
            _status(ledger, watch, watch.layout.dn_statuses, old, old_start, new, new_start, t)
            continue
        rows = watch.indexes
        if kind == BEGAN:
            occurrence, start = record[2], record[3]
            places, counted = watch.layout.actions[occurrence.action]
            for place in places:
                row = rows[place]
                live[row] += 1
                since[row] += start
                if not is_touched[row]:
                    is_touched[row] = 1
                    touched.append(row)
            for place in counted:
                watch.counter(place).begin(occurrence, start, t)
        elif kind == ENDED:
            occurrence, start = record[2], record[3]
            places, counted = watch.layout.actions[occurrence.action]
            for place in places:
                row = rows[place]
                live[row] -= 1
                since[row] -= start
                ended[row] += 1
                elapsed[row] += t - start
                if not is_touched[row]:
                    is_touched[row] = 1
                    touched.append(row)
            for place in counted:
                watch.counter(place).end(occurrence, t)
        elif kind == HAPPENED:
            duration = record[3]
            places, counted = watch.layout.actions[record[2]]
            for place in places:
                row = rows[place]
                ended[row] += 1
                elapsed[row] += duration
                if not is_touched[row]:
                    is_touched[row] = 1
                    touched.append(row)
            for place in counted:
                watch.counter(place).happen(record[4], duration, t)
        else:
            assert kind == FACTS
            _look_again(watch, record[1], record[2], t)


def _status(
    ledger: Ledger,
    watch: Watch,
    concerned: Concerned,
    old: Status | None,
    old_start: int,
    new: Status | None,
    new_start: int,
    t: int,
) -> None:
    """One status period ends, or one begins, or both."""
    ended, elapsed, live, since = ledger.columns[:4]
    is_touched, touched = ledger.is_touched, ledger.touched
    rows = watch.indexes
    if old is not None:
        places, counted = concerned[old.action]
        # What lasted no time was no status: between the release of a call and the
        # after-call work of the same second an agent does not wait (our decision).
        lasted = 1 if t > old_start else 0
        for place in places:
            row = rows[place]
            live[row] -= 1
            since[row] -= old_start
            ended[row] += lasted
            elapsed[row] += t - old_start
            if not is_touched[row]:
                is_touched[row] = 1
                touched.append(row)
        for place in counted:
            watch.counter(place).end(old, t)
    if new is not None:
        places, counted = concerned[new.action]
        for place in places:
            row = rows[place]
            live[row] += 1
            since[row] += new_start
            if not is_touched[row]:
                is_touched[row] = 1
                touched.append(row)
        for place in counted:
            watch.counter(place).begin(new, new_start, t)


def _look_again(watch: Watch, node: Node, occurrence: Occurrence, t: int) -> None:
    """The facts of an occurrence changed: so did those of every status that shows it."""
    layout = watch.layout
    for place in layout.actions[occurrence.action][1]:
        watch.counter(place).look_again(occurrence, t)
    status = node.status
    if status.source is occurrence:
        for place in layout.statuses[status.action][1]:
            watch.counter(place).look_again(status, t)
    if node.wants_dn_statuses:
        for dn_status, _ in node.dn_statuses():
            if dn_status.source is occurrence:
                for place in layout.dn_statuses[dn_status.action][1]:
                    watch.counter(place).look_again(dn_status, t)
