"""A few cycles, with processes, sockets and signals that are real; ``make chaos`` does more."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from . import cycles, values
from .cycles import run_cycles
from .faults import FAULTS, Fault

KINDS = ("kill", "freeze", "blind", "stop")


def test_a_pair_that_is_hurt_has_the_values_of_a_server_that_never_was(tmp_path: Path) -> None:
    report = trio.run(lambda: run_cycles(tmp_path, 3, 4, KINDS, statistics=150))
    assert not report.violations
    assert report.cycles == 4
    assert report.compared == 4 * report.statistics > 500
    assert report.events > 100


def test_what_is_wrong_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member that never heard some events, and whose peer did not either, is not right."""

    async def deafen_both(site, rng):  # type: ignore[no-untyped-def]
        for member in site.members:
            site.switch.hang_up(member.name)
        for _ in range(10):
            site.switch.forget()
            await trio.sleep(0.2)

    fault: Fault = deafen_both
    monkeypatch.setattr(values, "READ_SECONDS", 2.0)
    monkeypatch.setattr(cycles, "LATE_EVENTS", 1)
    monkeypatch.setitem(FAULTS, "deafen_both", fault)
    report = trio.run(lambda: run_cycles(tmp_path, 1, 3, ["deafen_both"], statistics=150))
    assert report.violations
    assert "deafen_both" in report.violations[0]
