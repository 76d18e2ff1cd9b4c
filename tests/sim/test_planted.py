"""Planted bugs in the real engine's half of the pair: days must find them, or they prove nothing.

Those in the machines are planted in ``tests/ha/test_ha_planted.py``.
"""

from __future__ import annotations

from typing import Any

import pytest

from statserver_trio.ha.coverage import Choice
from statserver_trio.server.ha import chunk_work
from statserver_trio.server.ha.chunk_work import ChunkWork
from statserver_trio.server.ha.pair_store import PairStore
from statserver_trio.server.ha.pins import Pin
from statserver_trio.server.ha.shadow import Shadow
from statserver_trio.stats import plain, transfer
from statserver_trio.stats.carried import SumsData
from statserver_trio.stats.counting.ledger import Ledger, Sums
from statserver_trio.stats.plain import Then

from .day import live

SEEDS = 120  # at most; most bugs show within a few days

Patch = pytest.MonkeyPatch


def adding_instead_of_adopting(patch: Patch) -> None:
    back = plain.back_from

    def add(now: Sums, told: SumsData) -> Sums:
        base = back(now, told)
        return base._replace(ended=min(base.ended, 0) - 1 if told.ended else base.ended)

    for module in (plain, transfer):
        patch.setattr(module, "back_from", add)


def forgetting_the_tail(patch: Patch) -> None:
    patch.setattr(Shadow, "catch_up", lambda self: iter(()))


def forgetting_what_rows_have_grown_by(patch: Patch) -> None:
    patch.setattr(Pin, "then", lambda self, part: Then(self.t, part.row.sums, [], None))


def taking_what_is_ahead_as_it_is(patch: Patch) -> None:
    patch.setattr(ChunkWork, "can_go_on", property(lambda self: bool(self._waiting)))
    patch.setattr(PairStore, "is_at", lambda self, positions: True)


def taking_whatever_comes(patch: Patch) -> None:
    patch.setattr(chunk_work, "choose", lambda *args: Choice.TAKE)


def believing_the_replaced_picture(patch: Patch) -> None:
    adopt = PairStore.adopt_world

    def believe(self: PairStore, as_of: Any, blob: bytes, since: Any) -> None:
        adopt(self, as_of, blob, {})

    patch.setattr(PairStore, "adopt_world", believe)


def rolling_by_the_clock_of_arrival(patch: Patch) -> None:
    patch.setattr(Ledger, "roll", lambda self, t: setattr(self, "next_boundary", t + 60_000))


BUGS = [
    adding_instead_of_adopting,
    forgetting_the_tail,
    forgetting_what_rows_have_grown_by,
    taking_what_is_ahead_as_it_is,
    taking_whatever_comes,
    believing_the_replaced_picture,
    rolling_by_the_clock_of_arrival,
]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_a_planted_bug_is_found(bug: Any, monkeypatch: Patch) -> None:
    bug(monkeypatch)
    assert any(live(seed).violations for seed in range(SEEDS))
