"""Scenarios 5, 10, 24 and 35: members are started, killed, stopped and started again."""

from __future__ import annotations

from collections.abc import Callable

import trio
from pair_site import FAVOURITES, SOON, Site

Build = Callable[..., Site]


async def test_both_are_started_while_the_switch_is_busy(build: Build) -> None:
    """The backup joins a primary that has only just begun itself: it gets all of it."""
    site = build()
    await site.run_network()
    await site.switch.day(200)
    for server in (site.oracle, *site.both):
        await server.start()
    await trio.sleep(SOON)
    site.opens(site.primary, *FAVOURITES)
    await trio.sleep(SOON)
    assert all(each.valid for each in site.backup.engine.statistics.values())
    site.agree()
    await site.switch.day(30)
    site.agree()
