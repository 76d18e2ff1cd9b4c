"""A little of ``make fuzz``, and all that it has ever found."""

from __future__ import annotations

from random import Random

import pytest

from . import guided
from .running import CORPUS, attempt, run
from .targets import TARGETS, Target

EXECUTIONS = 150


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_but_declared_errors_comes_of_it(name: str) -> None:
    assert [(each.why, each.data) for each in run(name, 1, EXECUTIONS)] == []


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*-*")), ids=lambda path: path.name)
def test_what_broke_something_once_does_not_again(path) -> None:  # type: ignore[no-untyped-def]
    name = path.name.rpartition("-")[0]
    assert attempt(TARGETS[name], path.read_bytes()) == ""


def test_most_of_what_is_tried_is_refused_and_some_of_it_is_not() -> None:
    """Else it would be no test of what is behind the door."""
    for name in ("filters", "formulas", "toml", "masks"):
        target, rng, refused = TARGETS[name], Random(1), 0
        for _ in range(100):
            try:
                target.take(target.input(rng))
            except target.declared:
                refused += 1
        assert 20 < refused < 95, name


def test_an_error_that_is_not_declared_is_found() -> None:
    def take(data: bytes) -> None:
        if b"x" in data:
            raise KeyError(data)

    broken = Target(take, lambda: [b"abc"])
    assert attempt(broken, b"axc").startswith("KeyError")
    assert attempt(broken, b"abc") == ""


@pytest.mark.skipif(not guided.is_there(), reason="no atheris here: pip install atheris")
def test_what_is_led_by_what_it_reaches_gets_further_than_the_samples() -> None:
    found = guided.run(("filters", 400, 1))
    assert (found.failure, found.executions >= 400) == ("", True)
    assert found.reached > 100
