"""What a seed decides before the day begins: the place, the options, and which kinds of trouble."""

from __future__ import annotations

from datetime import UTC, datetime
from math import inf
from random import Random
from typing import Any

from attrs import evolve, frozen

from .agenda import TICK, whole
from .site import PLENTIFUL, WHOLES, Variant

# Moments at which a day is worth beginning near: midnights, and clocks set forward and back.
MOMENTS = {
    "UTC": ("2026-01-01T00:00", "2026-01-01T12:00", "2026-03-01T06:00"),
    "Europe/Berlin": ("2026-03-29T01:00", "2026-10-25T01:00", "2026-06-30T22:00"),
    "America/New_York": ("2026-03-08T07:00", "2026-11-01T06:00", "2026-07-04T04:00"),
    "Australia/Lord_Howe": ("2026-04-04T15:00", "2026-10-03T15:30", "2026-10-03T13:30"),
    "Asia/Kathmandu": ("2026-02-01T18:15",),
}
FAVOURITES = (
    "Total_Calls_Inbound", "Total_Calls_Offered", "Total_Talk_Time", "Total_Login_Time",
    "CurrentAgentState", "Total_Ready_Time", "Total_Calls_Entered", "Service_Level",
    "Average_Handling_Time", "Longest_Call", "CurrNumberWaitingCalls",
)  # fmt: skip
PLENTY = 100_000
# Of a machine; one that does less takes half a minute to catch up with a minute's events, whatever
# is promised (days 400575 and 704322).
STEPS_MIN = 100


@frozen
class Plan:
    """A day.

    Attributes:
        start: Unix seconds.
        length: Seconds of trouble.
        pace: Seconds between two troubles, on average.
        kinds: Which kinds of trouble there are, and how often each.
        recent: Events that a T-Server keeps for those who come back.
        work_delay: Seconds until a member gets to installing, or goes on with it ...
        slice_items: ... and how much it does at a time.
        options: Of ``[ha]``.
    """

    variant: Variant
    start: float
    length: float
    pace: float
    kinds: dict[str, float]
    agents: int
    speed: float
    recent: int
    source_ahead: float
    wall_ahead: float
    clients: int
    statistics: int
    favourites: tuple[str, ...]
    reader_delay: float
    work_delay: float
    slice_items: int
    feed_keepalive: float
    starts: dict[str, float]
    options: dict[str, Any]

    @property
    def steps_per_second(self) -> float:
        """How much the machines of this day get done."""
        return self.slice_items / self.work_delay if self.work_delay else inf


def some_options(rng: Random) -> dict[str, Any]:
    """Options of ``[ha]`` that make for a short and eventful day."""
    return {
        "addp_timeout": rng.choice((1.0, 2.0, 5.0)),
        "addp_remote_timeout": rng.choice((1.0, 2.0, 5.0)),
        "addp_trace": "off",
        "chunk_size": rng.choice((1, 2, 3, 10, 1000)),
        "chunk_timeout": rng.choice((0.0, 0.125, 0.5, 2.0)),
        "connect_timeout": rng.choice((1.0, 3.0)),
        "session_expiration_timeout": rng.choice((5.0, 20.0, 60.0)),
        "session_expiration_period": rng.choice((1.0, 5.0)),
        "journal_events": rng.choice((20, 200, 200_000)),
        "journal_seconds": rng.choice((10.0, 60.0, 600.0)),
        "gap_timeout": rng.choice((1.0, 5.0)),
        "join_timeout": rng.choice((3.0, 10.0, 30.0)),
    }


def make_plan(rng: Random, rough: bool) -> Plan:
    """A day by chance."""
    from .trouble import KINDS, ROUGH_KINDS

    zone = rng.choice(sorted(MOMENTS))
    moment = datetime.fromisoformat(rng.choice(MOMENTS[zone])).replace(tzinfo=UTC).timestamp()
    length = rng.choice((120.0, 240.0, 600.0))
    kinds = KINDS | ROUGH_KINDS if rough else KINDS
    chosen = {
        kind: rate * rng.choice((0.5, 1, 2)) for kind, rate in kinds.items() if rng.random() < 0.6
    }
    sources = ("ts1", "ts2") if rng.random() < 0.3 else ("ts1",)
    extras = frozenset(e for e in PLENTIFUL if rng.random() < 0.5)
    variant = Variant(zone, sources, rng.choice(("second", "millisecond")), extras, not rough)
    plan = Plan(
        variant=variant,
        start=moment - round(rng.uniform(0, length + 60)),
        length=length,
        pace=length / rng.choice((20, 40, 60)),
        kinds=chosen,
        agents=6,
        speed=rng.choice((2.0, 5.0, 10.0)) * (240.0 / length) ** 0.5,
        recent=rng.choice((3, 30, PLENTY)),
        source_ahead=rng.choice((0.0, -7.5, 3600.25)),
        wall_ahead=rng.choice((0.0, 0.0, 3.5, -120.0)),
        clients=rng.choice((1, 2, 4)),
        statistics=rng.choice((5, 20)),
        favourites=FAVOURITES if rough else (*FAVOURITES, *WHOLES),
        reader_delay=rng.choice((TICK, 0.5, 5.0)),
        work_delay=rng.choice((0.0, TICK, TICK, 0.0625)),
        slice_items=rng.choice((1, 10, 200)),
        feed_keepalive=rng.choice((5.0, 10.0)),
        starts=rng.choice(
            (
                {"A": 0.0, "B": 0.0},
                {"A": 0.0, "B": whole(1.3)},
                {"B": 0.0, "A": 2.0},
                {"A": 0.0, "B": 40.0},
                {"B": 0.0, "A": 40.0},
            )
        ),
        options=some_options(rng),
    )
    return plan if plan.steps_per_second >= STEPS_MIN else evolve(plan, slice_items=10)
