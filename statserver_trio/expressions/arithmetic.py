"""Arithmetic: ``+ - * /``, which custom values and formulas share.

::

    sum     := product (("+" | "-") product)*
    product := signed (("*" | "/" | "%") signed)*
    signed  := "-" signed | primary

What a primary is, and what becomes of a division by 0, is a language's own business.
``/`` divides exactly, whole numbers too; ``%`` has the sign of what is divided (our decisions).
"""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from math import fmod
from typing import ClassVar

from .reading import Reader
from .values import Evaluate, Number, Value, Variables, bounded, number_of

Operation = Callable[[Value, Value], Value]


def _of_numbers(compute: Callable[[Number, Number], Number]) -> Operation:
    """NULL unless both are numbers and so is what comes out."""

    def operation(left: Value, right: Value) -> Value:
        one, other = number_of(left), number_of(right)
        if one is None or other is None:
            return None
        try:
            return bounded(compute(one, other))
        except (ZeroDivisionError, OverflowError):
            return None

    return operation


def _remainder(one: Number, other: Number) -> Number:
    if isinstance(one, int) and isinstance(other, int):
        rest = abs(one) % abs(other)
        return -rest if one < 0 else rest
    if not other:
        raise ZeroDivisionError
    return fmod(one, other)


OPERATIONS: dict[str, Operation] = {
    "+": _of_numbers(operator.add),
    "-": _of_numbers(operator.sub),
    "*": _of_numbers(operator.mul),
    "/": _of_numbers(operator.truediv),
    "%": _of_numbers(_remainder),
}


class ArithmeticReader(Reader, ABC):
    """Reads what is made of numbers and signs; a language says what else a number may be."""

    operations: ClassVar[Mapping[str, Operation]] = OPERATIONS

    @abstractmethod
    def primary(self) -> Evaluate:
        """Read one value."""

    def sum(self) -> Evaluate:
        """``product (("+" | "-") product)*``"""
        return self._chain(("+", "-"), self._product)

    def _product(self) -> Evaluate:
        """``signed (("*" | "/" | "%") signed)*``"""
        signs = tuple(sign for sign in ("*", "/", "%") if sign in self.operations)
        return self._chain(signs, self._signed)

    def _chain(self, signs: tuple[str, ...], operand: Callable[[], Evaluate]) -> Evaluate:
        """Operands from left to right, however many: not one inside the other."""
        first = operand()
        rest: list[tuple[Operation, Evaluate]] = []
        while sign := self.accept(*signs):
            rest.append((self.operations[sign.kind], operand()))
        if not rest:
            return first

        def evaluate(variables: Variables) -> Value:
            value = first(variables)
            for operation, right in rest:
                value = operation(value, right(variables))
            return value

        return evaluate

    def _signed(self) -> Evaluate:
        """``"-" signed | primary``"""
        if not self.accept("-"):
            return self.primary()
        with self.nested():
            inner = self._signed()
        negate = self.operations["-"]
        return lambda variables: negate(0, inner(variables))


def constant(value: Value) -> Evaluate:
    """What is the same whatever it is asked about."""
    return lambda variables: value
