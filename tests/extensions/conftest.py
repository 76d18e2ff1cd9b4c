"""Extensions in virtual time; what a server does in a thread is done at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trio
from extension_house import House
from trio.testing import MockClock


def run(test: Callable[[], Awaitable[Any]], **options: Any) -> Any:
    """``trio.run`` in time that jumps to whatever is due next."""
    return trio.run(test, **{**options, "clock": MockClock(autojump_threshold=0)})


@pytest.hookimpl(trylast=True)  # pytest-trio has marked them by then
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        is_trio = item.get_closest_marker("trio") is not None
        if is_trio and item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.trio(run=run), append=False)


@pytest.fixture(autouse=True)
def unthreaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Virtual time waits for no thread."""

    async def run_sync(work: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        await trio.lowlevel.checkpoint()
        return work(*arguments)

    monkeypatch.setattr(trio.to_thread, "run_sync", run_sync)


@pytest.fixture
async def house(nursery: trio.Nursery, tmp_path: Path) -> House:
    return House(nursery, tmp_path)
