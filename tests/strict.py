"""Strict: where tests look on, what cannot be computed or applied is an error at once.

A server keeps it to that statistic, or event (``statserver_trio/stats/failing.py``); a simulated
day would then compare nothing with nothing, and a fuzz target find nothing.
"""

from __future__ import annotations

from typing import Any, NoReturn

from statserver_trio.stats.failing import Failing, PassedOver

CONTAIN = {each: each.failed for each in (Failing, PassedOver)}  # as servers do


def _raise(self: Any, what: Any, error: Exception, number: int = 0) -> NoReturn:
    raise error


def be_strict() -> None:
    """From now on, in this process."""
    for each in CONTAIN:
        each.failed = _raise  # type: ignore[method-assign]
