"""Validity is looked at where DNs were lost or found, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from reloads import at, engine_of, happens, opened

from statserver_trio.stats.engine import Engine
from statserver_trio.stats.telling.notifications import Mode, Notification
from statserver_trio.tlib import events as e

MODES = [Mode.CHANGES_BASED, Mode.TIME_BASED, Mode.NO_NOTIFICATION]


def told(engine: Engine, seconds: float) -> list[tuple[str, str, str]]:
    """Who was told what about validity: object, mode, event."""
    notices = engine.notices(round(1_700_006_400_000 + seconds * 1000))
    return sorted(
        (n.subscription.statistic.object_id, n.subscription.notification.mode.name, n.kind)
        for n in notices
        if n.kind != "Info"
    )


def subscribed(engine: Engine, name: str, whose: str, mode: Mode) -> Any:
    statistic = opened(engine, name, whose)
    now = 1_700_006_400_000
    return engine.subscribe(statistic, Notification(mode, frequency=1), object(), now)


@pytest.mark.parametrize("mode", MODES)
def test_whoever_counts_there_is_told_in_every_mode(mode: Mode) -> None:
    engine = engine_of()
    for whose in ("RegDN:7001@sw1", "Agent:a1", "Place:P1", "GroupAgents:Sales", "Agent:a2"):
        subscribed(engine, "Calls", whose, mode)
    subscribed(engine, "Manned", "GroupAgents:Sales", mode)
    told(engine, 0)
    happens(engine, 1, at(e.EventLinkDisconnected, 1))
    everybody = ["7001@sw1", "P1", "Sales", "Sales", "a1", "a2"]
    assert told(engine, 1) == [(who, mode.name, "StatisticInvalid") for who in everybody]
    happens(engine, 2, at(e.EventLinkConnected, 2), at(e.EventRinging, 2))
    alone = ["7001@sw1", "P1", "a1"]  # the group has somebody else who is not heard yet
    assert told(engine, 2) == [(who, mode.name, "StatisticValid") for who in alone]
    happens(engine, 3, at(e.EventRinging, 3, "7002"))
    rest = ["Sales", "Sales", "a2"]
    assert told(engine, 3) == [(who, mode.name, "StatisticValid") for who in rest]


def test_an_event_does_not_pay_for_what_is_open_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_of()
    for whose in ("Agent:a1", "Agent:a2", "Agent:a3", "RegDN:7002@sw1"):
        for name in ("Calls", "Time", "Whole"):
            subscribed(engine, name, whose, Mode.CHANGES_BASED)
    told(engine, 0)
    asked: list[str] = []
    judge = Engine.is_valid

    def is_valid(self: Engine, statistic: Any) -> bool:
        asked.append(statistic.object_id)
        return judge(self, statistic)

    monkeypatch.setattr(Engine, "is_valid", is_valid)
    happens(engine, 1, at(e.EventLinkDisconnected, 1))
    told(engine, 1)
    asked.clear()
    happens(engine, 2, at(e.EventLinkConnected, 2))
    told(engine, 2)
    asked.clear()
    happens(engine, 3, at(e.EventRinging, 3, "7003"))
    assert told(engine, 3) == [("a3", "CHANGES_BASED", "StatisticValid")] * 3
    assert asked == ["a3"] * 3


def test_who_subscribes_after_a_while_hears_how_it_is_now() -> None:
    engine = engine_of()
    statistic = opened(engine, "Calls", "Agent:a1")
    happens(engine, 1, at(e.EventLinkDisconnected, 1))
    assert engine.is_valid(statistic) is False
    subscribed(engine, "Calls", "Agent:a1", Mode.CHANGES_BASED)
    assert statistic.valid is False
