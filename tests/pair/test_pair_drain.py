"""A member that is told to stop: nothing is left behind, and everybody knows where to go."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import trio
from pair_site import BACKUP, FAVOURITES, SOON, Server, Site

from statserver_trio.client import ConnectionLost

Build = Callable[..., Site]
URL = f"ws://{BACKUP}:7100/"
SLOW = "chunk-size = 1\nchunk-timeout = 0.3"


def stat_types(member: Server) -> int:
    """How many statistics it has open."""
    return len(member.open_statistics())


async def test_what_was_opened_last_reaches_the_other_member_first(build: Build) -> None:
    site = await build(ha=SLOW).up()
    site.primary.opens(*FAVOURITES)
    assert stat_types(site.backup) == 0
    began = trio.current_time()
    await site.primary.stop()
    assert 1 < trio.current_time() - began < 10
    assert stat_types(site.backup) == len(FAVOURITES)
    assert site.primary.log("have not reached") == []


async def test_but_no_longer_than_so(build: Build) -> None:
    site = build(ha=SLOW)
    site.primary.edit("[server]\n", "[server]\ndrain-timeout = 0.5\n")
    await site.up()
    site.primary.opens(*FAVOURITES)
    began = trio.current_time()
    await site.primary.stop()
    assert trio.current_time() - began < 5
    assert 0 < stat_types(site.backup) < len(FAVOURITES)
    assert len(site.primary.log("statistics have not reached the other member")) == 1


async def test_a_peer_that_is_gone_or_stands_still_is_not_waited_for_in_vain(build: Build) -> None:
    site = await build().up()
    site.backup.freeze()
    site.primary.opens(*FAVOURITES)
    with trio.fail_after(20):
        await site.primary.stop()


async def test_clients_are_told_where_to_go_before_anything_is_closed(build: Build) -> None:
    site = await build(ha=SLOW).up()
    async with site.primary.client() as stats:
        for name in FAVOURITES:
            await stats.open(name)
        site.primary._stop.set()
        await trio.sleep(SOON / 100)
        assert stats.mode.leaving
        assert stats.mode.peer == URL
        assert "the server is stopping" in site.primary.parts.management.not_ready()
        with pytest.raises(ConnectionLost) as lost:
            async for _ in stats:
                pass
    assert str(lost.value).endswith(f"the server is shutting down; its peer is at {URL}")
    async with site.backup.client() as stats:
        assert not (await stats.ask_mode()).leaving
