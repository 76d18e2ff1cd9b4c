"""States with a clock: since when an agent is what he is, and since when he says why."""

from __future__ import annotations

from typing import Any

import pytest
from reloads import MIDNIGHT, engine_of

from statserver_trio.stats.definitions.stat_types import parse_stat_type
from statserver_trio.stats.requests import StatisticRequest
from statserver_trio.tlib import events as e

# When, the work mode and reason of an EventAgentNotReady; None is an EventAgentReady.
STORY: list[tuple[int, tuple[str, str | None] | None]] = [
    (5, ("", None)),
    (10, ("", "Lunch")),
    (20, ("", "Meeting")),
    (30, None),
    (40, ("AfterCallWork", "Wrap")),
    (50, ("AfterCallWork", "Paper")),
]


def told(category: str, by_reason: str) -> list[tuple[Any, ...]]:
    """Status, its time, the reason's time if it is told, and the reason; after each event."""
    engine = engine_of()
    options = {
        "Objects": "Agent",
        "Category": category,
        "Subject": "AgentStatus",
        "MainMask": "*",
        "ReasonStartOverridesStatusStart": by_reason,
    }
    request = StatisticRequest("Agent", "a1", parse_stat_type("", options))
    statistic = engine.open(request, MIDNIGHT)
    found = []
    for at, what in STORY:
        whose: dict[str, Any] = {"this_dn": "7001", "agent_id": "a1"}
        whose["time"] = MIDNIGHT / 1000 + at
        event: e.TEvent = e.EventAgentReady(**whose)
        if what is not None:
            reasons = None if what[1] is None else {"Why": what[1]}
            event = e.EventAgentNotReady(**whose, work_mode=what[0], reasons=reasons)
        engine.apply("ts1", [event], MIDNIGHT + at * 1000)
        state = engine.value(statistic, MIDNIGHT + at * 1000).value
        times = (state["time"], state.get("reasonsTime"))
        clock = tuple(None if t is None else t - MIDNIGHT / 1000 for t in times)
        found.append((state["status"], *clock, state.get("reasons", {}).get("Why")))
    return found


PAUSE, WAIT, WORK = "NotReadyForNextCall", "WaitForNextCall", "AfterCallWork"


@pytest.mark.parametrize(
    ("category", "by_reason", "expected"),
    [
        (
            "CurrentState",
            "no",
            [
                (PAUSE, 5, None, None),
                (PAUSE, 5, None, "Lunch"),
                (PAUSE, 5, None, "Meeting"),
                (WAIT, 30, None, None),
                (WORK, 40, None, "Wrap"),
                (WORK, 40, None, "Paper"),
            ],
        ),
        (
            "CurrentStateReasons",
            "no",
            [
                (PAUSE, 5, None, None),
                (PAUSE, 5, 10, "Lunch"),
                (PAUSE, 5, 20, "Meeting"),
                (WAIT, 30, None, None),
                (WORK, 40, 40, "Wrap"),
                (WORK, 40, 50, "Paper"),
            ],
        ),
        (
            "CurrentStateReasons",
            "yes",
            [
                (PAUSE, 5, None, None),
                (PAUSE, 10, 10, "Lunch"),
                (PAUSE, 20, 20, "Meeting"),
                (WAIT, 30, None, None),
                (WORK, 40, 40, "Wrap"),
                (WORK, 50, 50, "Paper"),
            ],
        ),
    ],
)
def test_reasons_change_within_a_status(
    category: str, by_reason: str, expected: list[tuple[Any, ...]]
) -> None:
    assert told(category, by_reason) == expected
