"""Functions of the formula language, on numbers and on texts (statistics.md §8.2).

Each is a line of :data:`FUNCTIONS`. An argument that is NULL, or of a type that the
function cannot use, makes the result NULL; nothing raises. Where a text is wanted a
number is written as one, since what is attached to a call may be either; where a number
is wanted a text is none: ``kvnum`` reads numbers (our decisions).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from math import ceil, floor, sqrt
from typing import NamedTuple

from .values import TEXT_VALUE_MAX, Number, Value, bounded, number_of, text_of

ROUND_DIGITS_MAX = 15  # after the point; to either side of it
ARGUMENTS_MAX = 100  # of functions that take any number
WHOLE_TEXT = 2**31  # characters


class Function(NamedTuple):
    """A function by name.

    Attributes:
        name: As it is told in messages; matched whatever its case.
        fewest: Arguments, at least.
        most: Arguments, at most.
        compute: From the values of the arguments to the result.
    """

    name: str
    fewest: int
    most: int
    compute: Callable[[Sequence[Value]], Value]


def _on_numbers(compute: Callable[..., Number | None]) -> Callable[[Sequence[Value]], Value]:
    def computed(arguments: Sequence[Value]) -> Value:
        numbers = [number_of(argument) for argument in arguments]
        if None in numbers:
            return None
        result = compute(*numbers)
        return None if result is None else bounded(result)

    return computed


def _on_texts(compute: Callable[..., Value]) -> Callable[[Sequence[Value]], Value]:
    def computed(arguments: Sequence[Value]) -> Value:
        texts = [text_of(argument) for argument in arguments]
        if None in texts:
            return None
        result = compute(*texts)
        return result[:TEXT_VALUE_MAX] if isinstance(result, str) else result

    return computed


def _extreme(choose: Callable[[Sequence[Number | str]], Value]) -> Callable[..., Value]:
    """Of numbers, or of texts, but not of both."""

    def computed(arguments: Sequence[Value]) -> Value:
        texts = [argument for argument in arguments if isinstance(argument, str)]
        if len(texts) == len(arguments):
            return choose(texts)
        numbers = [n for n in map(number_of, arguments) if n is not None]
        return choose(numbers) if len(numbers) == len(arguments) else None

    return computed


def _root(number: Number) -> Number | None:
    return sqrt(number) if number >= 0 else None


def _round(number: Number, digits: Number = 0) -> Number | None:
    """Half away from zero, as the values that clients get (statistics.md §7.3)."""
    if digits != int(digits) or abs(digits) > ROUND_DIGITS_MAX:
        return None
    exact, places = Decimal(repr(number)), int(digits)
    if int(exact.as_tuple().exponent) >= -places:
        return number  # so many digits it does not even have
    rounded = exact.scaleb(places).quantize(Decimal(1), ROUND_HALF_UP).scaleb(-places)
    return int(rounded) if places <= 0 else float(rounded)


def _substr(arguments: Sequence[Value]) -> Value:
    """Counted from one; from the end where it is negative. Without a length all the rest."""
    text, start = text_of(arguments[0]), number_of(arguments[1])
    length = number_of(arguments[2]) if len(arguments) > 2 else WHOLE_TEXT
    if text is None or start is None or length is None:
        return None
    first = int(start) - 1 if start > 0 else max(0, len(text) + int(start)) if start else 0
    return text[first : first + max(0, int(length))][:TEXT_VALUE_MAX]


FUNCTIONS = {
    known.name: known
    for known in (
        Function("abs", 1, 1, _on_numbers(abs)),
        Function("min", 1, ARGUMENTS_MAX, _extreme(min)),
        Function("max", 1, ARGUMENTS_MAX, _extreme(max)),
        Function("floor", 1, 1, _on_numbers(floor)),
        Function("ceil", 1, 1, _on_numbers(ceil)),
        Function("round", 1, 2, _on_numbers(_round)),
        Function("sqrt", 1, 1, _on_numbers(_root)),
        Function("len", 1, 1, _on_texts(len)),
        Function("upper", 1, 1, _on_texts(str.upper)),
        Function("lower", 1, 1, _on_texts(str.lower)),
        Function("substr", 2, 3, _substr),
        Function("concat", 1, ARGUMENTS_MAX, _on_texts(lambda *texts: "".join(texts))),
        Function("contains", 2, 2, _on_texts(lambda text, part: part in text)),
    )
}

# What the vendor's own begin with, as far as anybody has seen them.
RANKING = ("rank", "sort", "order", "top")
