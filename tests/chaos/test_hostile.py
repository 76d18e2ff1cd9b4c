"""Everybody at once on one real server, and good clients beside them."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import pytest
import trio

from statserver_trio.client import ConnectionLost, open_statserver
from statserver_trio.commands import demo_members

from .attackers import ON_CLIENTS, ON_OPERATORS
from .hostile import House, siege
from .processes import Site

SIEGE_SECONDS = 7.0  # longer than anybody may take for a head
FILES = 60


def test_good_clients_notice_nothing_and_all_others_are_sent_away(tmp_path: Path) -> None:
    numbers = dict.fromkeys(ON_CLIENTS, 2) | {"slowloris": 30, "silent": 10}
    outcome = trio.run(siege, tmp_path, numbers, 3, SIEGE_SECONDS, 1)
    assert outcome.complaints() == []
    assert len(outcome.delays) > 3 * 20, "they were answered all the time"
    sent_away = {kind: len(told) for kind, told in outcome.ends.items()}
    sent_away.pop("slow_reader", None)  # may take longer: he is told as long as he reads a little
    operators = {f"operators/{kind}": 1 for kind in ON_OPERATORS}
    assert sent_away == {k: n for k, n in numbers.items() if k != "slow_reader"} | operators
    assert outcome.memory[1] < 3 * outcome.memory[0]


@pytest.fixture
def few_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers that are started may have few files open."""
    limited = tmp_path / "python"
    limited.write_text(f'#!/bin/sh\nulimit -n {FILES}\nexec "{sys.executable}" "$@"\n')
    limited.chmod(0o755)
    monkeypatch.setattr(demo_members.sys, "executable", str(limited))


async def _crowd(member: demo_members.Member) -> list[trio.SocketStream]:
    """More connections than it can have files."""
    return [await trio.open_tcp_stream("127.0.0.1", member.port) for _ in range(FILES * 2)]


@pytest.mark.usefixtures("few_files")
def test_a_server_without_a_file_left_goes_on_and_takes_clients_again_later(tmp_path: Path) -> None:
    async def story() -> None:
        house = House(tmp_path)
        async with trio.open_nursery() as nursery:
            try:
                await house.start(nursery)
                await nursery.start(house.good_client)
                streams = await _crowd(house.member)
                await trio.sleep(0.5)
                answered = len(house.outcome.delays)
                await trio.sleep(1)
                assert len(house.outcome.delays) > answered, "who is there goes on"
                for stream in streams:
                    await trio.aclose_forcefully(stream)
                await _comes_in(house)
            finally:
                with trio.CancelScope(shield=True):
                    await house.stop()
                nursery.cancel_scope.cancel()
        assert house.outcome.lost == []
        said = house.member.log.read_text(encoding="utf-8")
        assert said.count("SST-1105") == 1
        assert "Traceback" not in said

    trio.run(story)


async def _presses_in(member: demo_members.Member) -> None:
    """Come, and come again whenever the server has had enough of it."""
    while True:
        with suppress(OSError, trio.BrokenResourceError):
            async with await trio.open_tcp_stream("127.0.0.1", member.port) as stream:
                await stream.receive_some()
        await trio.sleep(0.05)


@pytest.mark.usefixtures("few_files")
def test_the_pair_finds_together_whatever_clients_leave_of_the_files(tmp_path: Path) -> None:
    async def story() -> None:
        site = Site(tmp_path, 1, 10.0)
        async with trio.open_nursery() as nursery:
            try:
                await site.start(nursery)
                for crowded, other in (site.members, site.members[::-1]):  # it accepts; it dials
                    async with trio.open_nursery() as crowd:
                        for _ in range(FILES * 2):
                            crowd.start_soon(_presses_in, crowded)
                        await trio.sleep(0.5)
                        await other.stop()
                        await other.start()
                        await site.in_step()
                        crowd.cancel_scope.cancel()
                    assert "SST-1105" in crowded.log.read_text(encoding="utf-8")
            finally:
                with trio.CancelScope(shield=True):
                    await site.stop()
                nursery.cancel_scope.cancel()

    trio.run(story)


async def _comes_in(house: House) -> None:
    """Another client does, when the others have gone."""
    for _ in range(50):
        try:
            async with open_statserver(house.member.url) as server:
                assert await server.profile("Objects") is not None
                return
        except ConnectionLost:
            await trio.sleep(0.2)
    raise AssertionError("nobody can come in")
