"""The board of ``statserver top``: what it opens, what it knows, and what that amounts to.

Definitions are our own (``OpenStatisticEx``), so a site needs no stat types for it; they are those
of the wallboard, word for word, so both show the same statistic. What is shown is one object,
:meth:`Board.snapshot`: a screen draws it, and ``--json`` prints it.

Nothing here waits or reads a clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from attrs import define, field

from ..api import messages as m
from ..client import Reach, Update

QUEUES_MAX, AGENTS_MAX = 200, 1000  # shown at most; what is left out is counted
CAME_SECONDS = 1.0  # within which a statistic is told to be invalid that was when it was opened
RATE_SECONDS = 5.0  # that rates are averages over
GIVEN_UP = "CallAbandoned, CallAbandonedFromRinging"


def _of_calls(category: str, mask: str, rel_mask: str | None = None) -> m.MetricEx:
    return m.MetricEx(category=category, subject="DNAction", main_mask=mask, rel_mask=rel_mask)


QUEUE_METRICS = {
    "waiting": _of_calls("CurrentNumber", "CallWait"),
    "longestWait": _of_calls("CurrentMaxTime", "CallWait"),
    "serviceLevel": _of_calls(
        "TotalNumberInTimeRangePercentage", "CallAnswered", f"CallAnswered, {GIVEN_UP}"
    ),
    "answered": _of_calls("TotalNumber", "CallAnswered"),
    "abandoned": _of_calls("TotalNumber", GIVEN_UP),
}
AGENT_METRICS = {
    "state": m.MetricEx(category="CurrentState", subject="AgentStatus", main_mask="*"),
    "calls": _of_calls("TotalNumber", "CallInbound, CallOutbound, CallInternal"),
}
METRICS = {"Queue": QUEUE_METRICS, "Agent": AGENT_METRICS}
LIMITS = {"Queue": QUEUES_MAX, "Agent": AGENTS_MAX}


class Wish(NamedTuple):
    """A statistic that is to be opened."""

    whose: m.ObjectRef
    metric: m.MetricEx


@define(eq=False)
class Row:
    """One queue, or one agent.

    Attributes:
        ahead: How far the clock of its source is ahead of ours, in seconds.
        incomplete: Which values miss something that has happened.
        invalid: Why the server cannot vouch for a value, by its name.
        invalid_since: Since when that is so.
        first_at: When the first word about it came.
    """

    object_type: str
    object_id: str
    values: dict[str, Any] = field(factory=dict)
    ahead: float = 0.0
    incomplete: set[str] = field(factory=set)
    invalid: dict[str, str] = field(factory=dict)
    invalid_since: float = 0.0
    first_at: float | None = None

    def take(self, name: str, event: m.Event, now: float) -> bool:
        """Something was said about one of its values; whether it was a value."""
        self.first_at = now if self.first_at is None else self.first_at
        match event:
            case m.Info():
                self.values[name] = event.value
                self.ahead = event.time - now
                (self.incomplete.discard if event.complete else self.incomplete.add)(name)
                return True
            case m.StatisticInvalid():
                self.invalid_since = self.invalid_since if self.invalid else now
                self.invalid[name] = event.reason
            case m.StatisticValid():
                self.invalid.pop(name, None)
        return False

    def shown(self, now: float, lost_since: float | None) -> dict[str, Any]:
        """The row for a snapshot; ``age`` is None while its values are those of now."""
        since = self.invalid_since if self.invalid else lost_since
        age = None if since is None else max(0.0, now - since)
        reason = next(iter(self.invalid.values()), "")
        shown = {"objectId": self.object_id, **self._values(now if since is None else since)}
        return {
            **shown,
            "complete": not self.incomplete,
            "age": _tenths(age),
            "ageAtLeast": bool(self.invalid) and self._came_invalid(),
            "ageReason": reason,
        }

    def _came_invalid(self) -> bool:
        """It was invalid when we came: for how long already nobody tells."""
        return self.first_at is not None and self.invalid_since - self.first_at < CAME_SECONDS

    def _values(self, now: float) -> dict[str, Any]:
        if self.object_type == "Queue":
            shown = {name: self.values.get(name) for name in QUEUE_METRICS}
            if not (shown["answered"] or shown["abandoned"]):
                shown["serviceLevel"] = None  # there is nothing that it could be a part of
            return shown
        state = self.values.get("state") or {}
        began = state.get("time")
        return {
            "state": state.get("status"),
            "reason": _reason(state.get("reasons") or {}),
            "timeInState": None if began is None else _tenths(max(0.0, now + self.ahead - began)),
            "calls": self.values.get("calls"),
        }


def _reason(reasons: dict[str, Any]) -> str:
    """The code that says why, where there is one, or all that is said."""
    code = reasons.get("ReasonCode")
    return str(code) if code is not None else ", ".join(map(str, reasons.values()))


def _tenths(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


class Rate:
    """How often something happens, per second, over the last few seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque()  # when, and how often until then

    def count(self, total: float, now: float) -> float | None:
        """Note how often it has happened in all; None until there are two such looks."""
        if self._seen and total < self._seen[-1][1]:  # somebody else counts now
            self._seen.clear()
        self._seen.append((now, total))
        while len(self._seen) > 2 and self._seen[1][0] <= now - RATE_SECONDS:
            self._seen.popleft()
        (began, before), passed = self._seen[0], now - self._seen[0][0]
        return (total - before) / passed if passed > 0 and now > began else None


class Board:
    """Everything that is known.

    Attributes:
        statuses: What members say of themselves to operators, by URL; None where one is silent.
    """

    def __init__(self) -> None:
        self.statuses: dict[str, dict[str, Any] | None] = {}
        self._rows: dict[tuple[str, str], Row] = {}
        self._names = {
            (object_type, f"{metric.category}({metric.main_mask})"): name
            for object_type, metrics in METRICS.items()
            for name, metric in metrics.items()
        }
        self._left = dict.fromkeys(METRICS, 0)
        self._updates = 0
        self._update_rate = Rate()
        self._positions: dict[str, tuple[Rate, float | None]] = {}
        self._lost_since: float | None = None
        self._has_looked = False

    # -- what comes in -------------------------------------------------------------------

    def objects(self, items: Iterable[Mapping[str, Any]]) -> list[Wish]:
        """What is to be opened, as of the objects that there are (``GetStatisticProfile``)."""
        self._has_looked = True
        self._left = dict.fromkeys(METRICS, 0)
        wishes: list[Wish] = []
        for item in items:
            object_type, object_id = item["objectType"], item["objectId"]
            if object_type not in METRICS or (object_type, object_id) in self._rows:
                continue
            if sum(1 for kind, _ in self._rows if kind == object_type) >= LIMITS[object_type]:
                self._left[object_type] += 1
                continue
            self._rows[object_type, object_id] = Row(object_type, object_id)
            whose = m.ObjectRef(object_id=object_id, object_type=object_type)
            wishes += [Wish(whose, metric) for metric in METRICS[object_type].values()]
        return wishes

    def refused(self, wish: Wish) -> None:
        """It cannot be opened: there will be no value."""
        self._set(wish, None)

    def _set(self, wish: Wish, value: Any) -> None:
        whose, metric = wish
        row = self._rows.get((whose.object_type, whose.object_id))
        if row is not None:
            name = self._names[whose.object_type, f"{metric.category}({metric.main_mask})"]
            row.values.setdefault(name, value)

    def take(self, update: Update, now: float) -> None:
        """Something the servers say."""
        if update.statistic is None:
            return
        request = update.statistic.request
        row = self._rows.get((request.object_type, request.object_id))
        name = self._names.get((request.object_type, str(request.stat_type)))
        if row is None or name is None:
            return
        if isinstance(update.event, m.StatisticClosed):  # it is opened again if it still exists
            del self._rows[row.object_type, row.object_id]
        elif row.take(name, update.event, now):
            self._updates += 1

    def reached(self, members: Iterable[Reach], now: float) -> None:
        """Who can be reached: if nobody, everything grows old."""
        if any(each.is_there for each in members):
            self._lost_since = None
        elif self._lost_since is None:
            self._lost_since = now

    def positions(self, positions: Mapping[str, Any], now: float) -> None:
        """How far each source has been heard."""
        for source, position in positions.items():
            rate, _ = self._positions.get(source, (Rate(), None))
            at = position if isinstance(position, int | float) else None
            self._positions[source] = rate, None if at is None else rate.count(at, now)

    # -- what it amounts to ----------------------------------------------------------------

    @property
    def is_filled(self) -> bool:
        """Whether everything that was asked for has been answered."""
        return self._has_looked and all(
            len(row.values) == len(METRICS[row.object_type]) for row in self._rows.values()
        )

    def snapshot(self, pair: list[dict[str, Any]], now: float) -> dict[str, Any]:
        """All there is to show; ``pair`` is :func:`members_shown`'s."""
        known = [rate for _, rate in self._positions.values() if rate is not None]
        return {
            "time": _tenths(now),
            "pair": pair,
            "rates": {
                "valuesPerSecond": _tenths(self._update_rate.count(self._updates, now)),
                "eventsPerSecond": _tenths(sum(known)) if known else None,
            },
            "sources": list(self._sources()),
            "queues": [row.shown(now, self._lost_since) for row in self._of("Queue")],
            "agents": [row.shown(now, self._lost_since) for row in self._of("Agent")],
            "omitted": {"queues": self._left["Queue"], "agents": self._left["Agent"]},
        }

    def _of(self, object_type: str) -> list[Row]:
        return [row for (kind, _), row in self._rows.items() if kind == object_type]

    def _sources(self) -> Iterator[dict[str, Any]]:
        """What operators are told of the T-Servers, member by member."""
        for url, status in self.statuses.items():
            for source in (status or {}).get("sources", ()):
                yield {
                    "management": url,
                    "name": source["name"],
                    "connected": source["connected"],
                    "position": source["position"],
                    "clockOffset": source["clockOffset"],
                    "openGaps": source["gaps"]["open"],
                }


def members_shown(
    members: Iterable[Reach], modes: Mapping[str, m.ServerMode], leads: Mapping[str, int]
) -> list[dict[str, Any]]:
    """The pair for a snapshot; ``leads`` is of how many statistics each one's word is delivered."""
    shown = []
    for member in members:
        mode = modes.get(member.url)
        shown.append(
            {
                "url": member.url,
                "reachable": member.is_there,
                "reason": member.why,
                "role": None if mode is None else mode.role,
                "synchronised": None if mode is None else mode.synchronised,
                "peer": None if mode is None else mode.peer,
                "delivers": leads.get(member.url, 0),
            }
        )
    return shown
