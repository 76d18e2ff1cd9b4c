"""Values: what expressions compute with, and how they are made of one another.

A value is a number, a text, true or false, a list of key-value pairs, or NULL (None): what
is missing, and what makes no sense. Nothing that is computed here raises anything:

* of a wrong type is NULL, and so is whatever is computed of NULL;
* numbers are finite and have at most 64 bits: greater whole ones become floating, greater
  floating ones NULL (our decision);
* true counts as 1 and false as 0; what is not a number other than 0 is not true;
* comparisons with NULL are false, all of them.

A text that came attached to a call and reads as a number counts as one beside a number: 5
is "5". Two texts are compared as texts, character by character: "5" is not "05", and "10"
comes before "9" (our decisions; statistics.md §6.4 says only: numeric comparison when both
sides are numeric). A number and a text that is none differ, and neither is the lesser.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, Protocol

from .logic import COMPARISONS

WHOLE_MAX = 2**63  # whole numbers stay below
TEXT_VALUE_MAX = 4096  # characters of a text that is computed; the rest is cut off
TEXT_KEPT_MAX = 255  # and of one that is kept: a key, or what an aggregate remembers

Number = int | float
Value = float | int | str | bool | None | Mapping[str, Any]


class Variables(Protocol):
    """What an expression may look at, by name."""

    def __getitem__(self, name: str, /) -> Value:
        """The value of one variable."""


Evaluate = Callable[[Variables], Value]

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_DIGITS_MAX = 100  # of a text, to be looked at as a number


def bounded(number: Number) -> Number | None:
    """A number that is neither too great nor no number at all."""
    if isinstance(number, int):
        if -WHOLE_MAX <= number < WHOLE_MAX:
            return number
        try:
            return float(number)
        except OverflowError:
            return None
    return number if isfinite(number) else None


def number_of(value: Value) -> Number | None:
    """The number that a value is; a text is none.

    >>> number_of(True), number_of(2.5), number_of("2.5"), number_of(float("inf"))
    (1, 2.5, None, None)
    """
    if isinstance(value, bool):
        return int(value)
    return bounded(value) if isinstance(value, int | float) else None


def number_read(value: Value) -> Number | None:
    """The number that a value is, or that a text reads as.

    >>> number_read(" 007 "), number_read("-1.50"), number_read("1e3"), number_read("1,5")
    (7, -1.5, 1000.0, None)
    """
    if not isinstance(value, str):
        return number_of(value)
    text = value.strip()
    if len(text) > _DIGITS_MAX or not _NUMBER.fullmatch(text):
        return None
    return bounded(int(text) if text.lstrip("+-").isdigit() else float(text))


def text_of(value: Value) -> str | None:
    """The text that a value is, or is written as; a list of pairs is none.

    >>> text_of("a"), text_of(5), text_of(5.0), text_of(0.1), text_of(True), text_of({})
    ('a', '5', '5', '0.1', '1', None)
    """
    if isinstance(value, str):
        return value
    number = number_of(value)
    if isinstance(number, float) and number.is_integer() and abs(number) < 1e15:
        number = int(number)
    return None if number is None else repr(number)


def is_true(value: Value) -> bool:
    """Whether a value stands for yes: true, or a number other than 0."""
    return bool(number_of(value))


Comparison = Callable[[Value, Value], bool]


def comparison(sign: str) -> Comparison:
    """What ``sign`` asks of two values; see above.

    >>> greater = comparison(">")
    >>> greater("10", 9), greater("10", "9"), greater("x", 9), greater(None, 9)
    (True, False, False, False)
    """
    compare, differ = COMPARISONS[sign], sign in ("<>", "!=")

    def compared(left: Value, right: Value) -> bool:
        if isinstance(left, str) and isinstance(right, str):
            return compare(left, right)
        if left is None or right is None:
            return False
        one, other = number_read(left), number_read(right)
        if one is not None and other is not None:
            return compare(one, other)
        return differ and text_of(left) is not None and text_of(right) is not None

    return compared
