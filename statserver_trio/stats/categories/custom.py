"""Custom values and what else needs more than columns (statistics.md §5.2, §5.6, §8).

Their terms are written down in a book (:mod:`..books`).
"""

from __future__ import annotations

from attrs import evolve

from ..books.terms import Value
from .category import Category, Reading, ratio


def _total(r: Reading) -> float:
    return sum(_numbers(r))


def _numbers(r: Reading) -> list[float]:
    return [value for value in r.current_values if isinstance(value, int | float)]


def _number(value: Value) -> float:
    return value if isinstance(value, int | float) else 0


def _no_number(r: Reading) -> float:
    raise AssertionError("a formula is computed by its own rules")


_HISTORICAL = (
    Category("TotalCustomValue", lambda r: r.values.total, grows="never"),
    Category("AverageCustomValue", lambda r: ratio(r.values.total, r.values.count), grows="never"),
    Category("MaxCustomValue", lambda r: _number(r.values.greatest), grows="never"),
    Category("MinCustomValue", lambda r: _number(r.values.least), grows="never"),
)
# What is computed may contain the time so far, so these change although nothing happens.
_CURRENT = (
    Category("CurrentCustomValue", _total),
    Category("CurrentAverageCustomValue", lambda r: ratio(_total(r), len(_numbers(r)))),
    Category("CurrentMaxCustomValue", lambda r: max(_numbers(r), default=0)),
    Category("CurrentMinCustomValue", lambda r: min(_numbers(r), default=0)),
)

CUSTOM_VALUES = tuple(
    evolve(row, result="ratio", of="action", book="custom")
    for row in (*_HISTORICAL, *(evolve(c, kind="current", grows="always") for c in _CURRENT))
)

OF_CALLS = (
    Category(
        "TotalDistinctTime",
        lambda r: r.main.time(),
        result="time",
        of="action",
        grows="never",
        instants=False,
        book="union",
    ),
    Category(
        "CurrentDistinctNumber",
        lambda r: r.main.current_number(),
        kind="current",
        of="action",
        grows="never",
        instants=False,
        book="by call",
    ),
)

FORMULA = Category("Formula", _no_number, result="any", grows="always", book="formula")
