"""Virtual time, and no dice, for all tests of this folder.

Time jumps to whatever is due next, so a test of an hour takes no time, and whenever two
tasks are ready at once they run in the same order each time. (pytest-trio's clock fixture
would have to be named by every single test.) A module with real sockets says
``IN_REAL_TIME = True``: virtual time does not wait for the world outside.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import trio
from pair_site import Site, inline, listen_in
from trio._core import _run as trio_scheduler  # there is no public way to be repeatable
from trio.testing import MockClock


def run(
    test: Callable[[], Awaitable[Any]],
    clock: trio.abc.Clock | None = None,
    instruments: Sequence[trio.abc.Instrument] = (),
) -> Any:
    """``trio.run`` in virtual time; it begins at 0."""
    assert clock is None, "time is virtual already"
    patch = pytest.MonkeyPatch()
    patch.setattr(trio_scheduler, "_ALLOW_DETERMINISTIC_SCHEDULING", True)
    trio_scheduler._r.seed(0)
    try:
        return trio.run(test, clock=MockClock(autojump_threshold=0), instruments=instruments)
    finally:
        patch.undo()


@pytest.hookimpl(trylast=True)  # pytest-trio has marked them by then
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        here = item.path.parent == Path(__file__).parent
        is_real = getattr(item.module, "IN_REAL_TIME", False)  # type: ignore[attr-defined]
        if here and not is_real and item.get_closest_marker("trio") is not None:
            item.add_marker(pytest.mark.trio(run=run), append=False)


@pytest.fixture
async def build(
    nursery: trio.Nursery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[..., Site]]:
    """Makes a site; nothing of it runs yet."""
    inline(monkeypatch)
    sites: list[Site] = []
    logger = logging.getLogger("statserver_trio")
    level = logger.level
    logger.setLevel(logging.DEBUG)

    def make(**options: Any) -> Site:
        site = Site(nursery, tmp_path, **options)
        sites.append(site)
        listen_in(site, monkeypatch)
        logger.addHandler(site.journal)
        return site

    yield make
    logger.setLevel(level)
    for site in sites:
        logger.removeHandler(site.journal)
