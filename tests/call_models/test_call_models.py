"""The call models: what every step of a call is, on every DN that takes part.

Each ``.txt`` file tells one model in T-events (see :mod:`tables` for the words)
and says, per event and DN, which durable actions began, which ended after how
many seconds, and what happened at once, with its duration where it has one.

    REWRITE=1 python -m pytest tests/call_models

refills what our model says. And the numbers that were worked out by hand for the
same models (``shared/data/genesys/call-models.json``) are read from an engine.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "conformance"))

import tables  # noqa: E402 - it lives next door

from statserver_trio.model.actions import ALL_ACTIONS, NAMES, STATUS_NAMES  # noqa: E402
from statserver_trio.model.directory import Directory  # noqa: E402
from statserver_trio.model.nodes import DNNode  # noqa: E402
from statserver_trio.model.occurrences import BEGAN, ENDED, HAPPENED, STATUS  # noqa: E402
from statserver_trio.model.world import World  # noqa: E402
from statserver_trio.stats.definitions import Definitions  # noqa: E402
from statserver_trio.stats.definitions.filters import parse_filter  # noqa: E402
from statserver_trio.stats.definitions.stat_types import parse_stat_type  # noqa: E402
from statserver_trio.stats.definitions.time_profiles import UTC, parse_time_profile  # noqa: E402
from statserver_trio.stats.engine import Engine  # noqa: E402
from statserver_trio.stats.requests import StatisticRequest  # noqa: E402
from statserver_trio.stats.statistic import Statistic  # noqa: E402
from statserver_trio.tlib import events as e  # noqa: E402
from statserver_trio.tlib.codec import decode_line  # noqa: E402

TABLES = sorted(HERE.glob("*.txt"))
MODELS = HERE.parents[2] / "shared" / "data" / "genesys" / "call-models.json"
COLUMNS = ["at", "what", "where", "begins", "ends", "happens", "status"]
# How many scenarios the JSON has, one table for each; and those of our own.
SCENARIOS = 18
OURS = {
    "asm_campaign",
    "asm_moves_to_the_customers_call",
    "asm_not_every_campaign_call",
    "supervision_barge_in",
    "supervision_coaching",
    "supervision_coaching_on_request",
    "supervision_monitoring",
    "supervision_next_call",
    "supervision_of_a_transferred_call",
    "supervision_from_elsewhere",
    "conference_while_ringing",
}


# -- tables -------------------------------------------------------------------------------


class Watched(World):
    """A world in which somebody wants to know everything of every DN."""

    def _new_dn(self, number: str, dn_type: str) -> DNNode:
        dn = super()._new_dn(number, dn_type)
        dn.interest = ALL_ACTIONS
        dn.wants_status = True
        return dn


def steps(table: tables.Table) -> Iterator[list[str] | str]:
    """The rows as our model tells them."""
    assert table.columns == COLUMNS
    world = Watched(tables.SWITCH, tables.directory_of(table.settings), 0)
    teller = tables.Teller()
    for row in table.rows:
        if not row.cells:
            yield row.text
            continue
        at, what = row.cells[:2]
        if not at:  # more about the event above
            continue
        t = tables.Day().moment(at)
        seen: dict[str, list[list[str]]] = {}
        (phrase,) = tables.phrases(what)
        for record in world.apply(teller.event(phrase, t / 1000), t):
            began, ended, happened, status = seen.setdefault(record[1].key.number, [[], [], [], []])
            kind = record[0]
            if kind == BEGAN:
                began.append(NAMES[record[2].action])
            elif kind == ENDED:
                ended.append(f"{NAMES[record[2].action]} {(t - record[3]) // 1000}")
            elif kind == HAPPENED:
                seconds = f" {record[3] // 1000}" if record[3] else ""
                happened.append(NAMES[record[2]] + seconds)
            elif kind == STATUS:
                status[:] = [STATUS_NAMES[record[3].action]]
        for number, lists in seen.items() or [("", [[], [], [], []])]:
            yield [at, what, number, *(", ".join(names) for names in lists)]
            at = what = ""


def retell(text: str) -> str:
    table = tables.read(text)
    return table.rendered(steps(table))


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_table(path: Path) -> None:
    text = path.read_text()
    if "REWRITE" in os.environ:
        text = retell(text)
        path.write_text(text)
    assert retell(text).splitlines() == text.splitlines()


# -- the numbers worked out by hand -------------------------------------------------------

FILTERS = {
    "Lunch": 'PairExists("ReasonCode","Lunch")',
    "Gold": 'PairExists("Segment","gold")',
}
# What a name in ``expect`` is: category, main mask, filter. The rest is told by its ending.
OTHER_NUMBERS = {
    "login_s": ("TotalTime", "LoggedIn", None),
    "ready_s": ("TotalTime", "WaitForNextCall", None),
    "notready_s": ("TotalTime", "NotReadyForNextCall", None),
    "notready_reason_Lunch_s": ("TotalTime", "NotReadyForNextCall", "Lunch"),
    "answer_speed_s": ("TotalTime", "CallAnswered", None),
    "abandoned_after_distribution": ("TotalNumber", "CallAbandonedFromRinging", None),
}


def scenarios() -> list[Any]:
    if not MODELS.exists():
        return []
    found: list[Any] = json.loads(MODELS.read_text())["scenarios"]
    return found


class Told:
    """One scenario, told to an engine at which statistics are opened first."""

    def __init__(self, scenario: dict[str, Any]) -> None:
        definitions = Definitions(
            filters={name: parse_filter(name, text) for name, text in FILTERS.items()}
        )
        self.engine = Engine(definitions, Directory())
        self.engine.add_source("ts1", tables.SWITCH)
        self.scenario = scenario
        self.now = 1_700_000_000_000
        self.events = []
        for fields in scenario["events"]:
            fields = dict(fields)
            t = self.now // 1000 + fields.pop("t")
            fields.pop("note", None)
            event = decode_line(json.dumps({**fields, "time": t}).encode())
            assert isinstance(event, e.TEvent), event
            self.events.append(event)
        self.mediation = {
            event.this_dn
            for event in self.events
            if isinstance(event, e.EventQueued | e.EventRouteRequest)
        }

    def open(
        self, dn: str, category: str, mask: str, filter: str | None = None, subject: str = ""
    ) -> Statistic:
        object_type = "Queue" if dn in self.mediation else "RegDN"
        options = {
            "Objects": object_type,
            "Category": category,
            "MainMask": mask,
            "Subject": subject or "DNAction",
        }
        never = parse_time_profile("Ever,Growing", "never", UTC)
        stat_type = parse_stat_type("", options)
        return self.engine.open(
            StatisticRequest(object_type, dn, stat_type, never, filter=filter), self.now
        )

    def tell(self) -> Iterator[None]:
        """One event after the other."""
        for event in self.events:
            assert event.time is not None
            self.engine.apply("ts1", [event], round(event.time * 1000))
            yield

    def value(self, statistic: Statistic) -> Any:
        assert self.events[-1].time is not None
        return self.engine.value(statistic, round(self.events[-1].time * 1000)).value


@pytest.mark.skipif(not MODELS.exists(), reason="the call models of the domain notes are not here")
@pytest.mark.parametrize("scenario", scenarios(), ids=lambda scenario: scenario["name"])
def test_every_number_of_a_scenario(scenario: dict[str, Any]) -> None:
    told = Told(scenario)
    expect = scenario["expect"]
    per_dn = {dn: what for dn, what in expect.items() if isinstance(what, dict)}
    numbers = {key: number for key, number in expect.items() if isinstance(number, int)}
    if numbers:  # of the only DN
        per_dn["7001"] = numbers
    opened = {}
    for dn, names in per_dn.items():
        for name, number in names.items():
            if not isinstance(number, int):
                continue
            if name in OTHER_NUMBERS:
                asked = OTHER_NUMBERS[name]
            elif name.endswith("_s"):
                asked = ("TotalTime", name.removesuffix("_s"), None)
            else:
                asked = ("TotalNumber", name, None)
            opened[dn, name] = told.open(dn, *asked)
    state = {
        dn: told.open(dn, "CurrentState", "*", subject="DNStatus")
        for dn, names in per_dn.items()
        if "status_seen" in names
    }
    seen: dict[str, list[str]] = {dn: [] for dn in state}
    for _ in told.tell():
        for dn, statistic in state.items():
            status = told.engine.value(statistic, 0).value["status"]
            if seen[dn][-1:] != [status]:
                seen[dn].append(status)
    found = {key: told.value(statistic) for key, statistic in opened.items()}
    expected = {
        (dn, name): number
        for dn, names in per_dn.items()
        for name, number in names.items()
        if isinstance(number, int)
    }
    assert found == expected
    for dn in state:
        wanted = per_dn[dn]["status_seen"]
        assert seen[dn][: len(wanted)] == wanted
        # What is seen after that is the DN when all is over.
        assert seen[dn][len(wanted) :] in ([], ["OnHook"], ["WaitForNextCall"])


def named(name: str) -> Told:
    found = [scenario for scenario in scenarios() if scenario["name"] == name]
    if not found:
        pytest.skip("the call models of the domain notes are not here")
    return Told(found[0])


def test_data_attached_in_a_call_counts_from_then_on() -> None:
    """The note of userdata_update: 30 s of 40."""
    told = named("userdata_update")
    gold = told.open("7001", "TotalTime", "CallInbound", "Gold")
    every = told.open("7001", "TotalTime", "CallInbound")
    list(told.tell())
    assert (told.value(gold), told.value(every)) == (30, 40)


def test_a_call_over_a_lost_link_is_two_pieces() -> None:
    """The note of link_loss_mid_call: 17 s and 30 s."""
    told = named("link_loss_mid_call")
    time = told.open("7001", "TotalTime", "CallInbound")
    number = told.open("7001", "TotalNumber", "CallInbound")
    longest = told.open("7001", "MaxTime", "CallInbound")
    shortest = told.open("7001", "MinTime", "CallInbound")
    list(told.tell())
    values = [told.value(one) for one in (time, number, longest, shortest)]
    assert values == [17 + 30, 2, 30, 17]


def test_only_the_queue_whose_agent_took_the_call_was_answered() -> None:
    """The note of acd_multi_queue: both queues are told Diverted, one distributed it."""
    told = named("acd_multi_queue")
    answered = [told.open(dn, "TotalNumber", "CallAnswered") for dn in ("8001", "8002")]
    list(told.tell())
    assert [told.value(one) for one in answered] == [0, 1]


def test_the_consultation_is_gone_after_a_transfer() -> None:
    """The note of consult_two_step_transfer: the held call's ConnID survives."""
    told = named("consult_two_step_transfer")
    now = told.open("7002", "CurrentState", "CallInbound,CallConsult")
    for n, _ in enumerate(told.tell(), 1):
        if n == len(told.events) - 1:
            actions = told.engine.value(now, 0).value["actions"]
            assert [(a["name"], a["connId"][-1]) for a in actions] == [("CallInbound", "1")]


def test_there_is_a_table_for_every_scenario() -> None:
    if scenarios():
        assert {s["name"] for s in scenarios()} == {path.stem for path in TABLES} - OURS
    assert len(TABLES) == SCENARIOS + len(OURS)
