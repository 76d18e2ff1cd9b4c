"""Strict: where tests look on, a statistic that cannot be computed is an error at once.

A server keeps it to that statistic (``statserver_trio/stats/failing.py``); a simulated day would
then compare nothing with nothing, and a fuzz target find nothing.
"""

from __future__ import annotations

from typing import NoReturn

from statserver_trio.stats.failing import Failing
from statserver_trio.stats.statistic import Statistic

contain = Failing.failed  # as servers do


def _raise(self: Failing, statistic: Statistic, error: Exception) -> NoReturn:
    raise error


def be_strict() -> None:
    """From now on, in this process."""
    Failing.failed = _raise  # type: ignore[method-assign]
