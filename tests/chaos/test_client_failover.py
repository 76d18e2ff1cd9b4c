"""How long a client of both hears nothing when a member goes, and that it misses nothing."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from .failover import LIMITS, measure, measure_inside, why_not


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One pair lives through all of it: to start it takes longer than a fault."""
    folder = tmp_path_factory.mktemp("failover")
    if why_not():
        return trio.run(measure, folder, ["reset", "swallowed", "frozen", "killed"])
    return measure_inside(folder, ["reset", "dropped", "frozen", "killed"])


@pytest.mark.parametrize("kind", LIMITS)
def test_a_client_of_both_goes_on(measured: Any, kind: str) -> None:
    """The silence includes the time until something happens again."""
    if kind not in measured:
        pytest.skip(why_not() or "packets are dropped instead")
    result = measured[kind]
    assert result["silence"] <= LIMITS[kind]
    assert result["survivorOnly"], "it goes on with the other one"
    assert result["expected"] > 2, "there was something to lose"
    assert not result["lost"]


def test_nothing_is_told_twice_and_the_last_word_is_right(measured: Any) -> None:
    assert not measured["doubled"]
    assert not measured["wrong"]
