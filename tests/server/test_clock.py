"""The one clock."""

import time

import pytest
import trio

from statserver_trio.server.clock import Clock


async def test_it_moves_with_trio(autojump_clock):
    clock = Clock(1_700_000_000.0)
    await trio.sleep(1000.5)
    assert clock.now() == 1_700_001_000.5
    assert clock.now_ms() == 1_700_001_000_500
    assert clock.deadline(1_700_001_010.5) == trio.current_time() + 10


async def test_it_is_set_by_the_system():
    clock = Clock.system()
    assert clock.now() == pytest.approx(time.time(), abs=1)
    assert abs(clock.drift()) < 1


async def test_it_does_not_jump(monkeypatch):
    clock = Clock.system()
    before = clock.now()
    monkeypatch.setattr(time, "time", lambda: before - 3600)
    assert before <= clock.now() < before + 60
    assert clock.drift() < -3500
