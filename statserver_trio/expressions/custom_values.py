"""Custom values: what the option ``Formula`` says of one action (statistics.md §8.1).

::

    option  := flag | [flag ","] sum              see :mod:`.arithmetic` for sum, with + - * /
    flag    := "DistByConnID" | "DCID"
    primary := number | "(" sum ")" | "Duration"
             | "GetNumber" "(" "text" ")" | "GetString" "(" "text" ")"

A custom value is always a number: what is missing or is none counts as 0, and so does a
division by 0. A text reads as the number that it looks like, ``GetString`` too (our
decision: there is nothing else that could be added up). ``Duration`` is seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from attrs import field, frozen

from .arithmetic import OPERATIONS, ArithmeticReader, Operation, constant
from .reading import ExpressionError, Language
from .values import Evaluate, Number, Value, Variables, number_of, number_read

FLAGS = ("distbyconnid", "dcid")
LANGUAGE = Language("custom value", ("+", "-", "*", "/", "(", ")", ","))


@frozen
class CustomValue:
    """The option ``Formula`` of a stat type; two are equal if they are written alike.

    Attributes:
        text: As written, blanks squeezed out.
        by_conn_id: Every call counts once, whoever takes part in it.
        value: What one action is worth, a finite number; looks at ``duration``
            (seconds) and ``udata``. None where only the flag is given.
    """

    text: str
    by_conn_id: bool = field(eq=False)
    value: Evaluate | None = field(eq=False, repr=False)


def parse_custom_value(text: str) -> CustomValue:
    """Read the option ``Formula``.

    Raises:
        ExpressionError: Where it goes wrong, and what was expected there.

    >>> revenue = parse_custom_value('DCID, GetNumber("Revenue") * 2')
    >>> revenue.text, revenue.by_conn_id
    ('DCID,GetNumber("Revenue")*2', True)
    >>> revenue.value({"udata": {"Revenue": "100"}})
    200
    """
    reader = _Reader(text, LANGUAGE)
    by_conn_id = reader.flag()
    value = None
    if not by_conn_id or reader.accept(","):
        value = _always_a_number(reader.sum())
        reader.take("end", "'+', '-', '*', '/' or the end")
    elif reader.token.kind != "end":
        reader.refuse("',' and what an action is worth, or the end")
    return CustomValue(reader.squeezed(), by_conn_id, value)


def _always_a_number(value: Evaluate) -> Evaluate:
    return lambda variables: number_of(value(variables)) or 0


def _or_zero(operation: Operation) -> Operation:
    def computed(left: Value, right: Value) -> Value:
        result = operation(left, right)
        return 0 if result is None else result

    return computed


def _attached(key: str) -> Evaluate:
    def value(variables: Variables) -> Number:
        data = variables["udata"]
        return (number_read(data.get(key)) if isinstance(data, Mapping) else None) or 0

    return value


def _duration(variables: Variables) -> Number:
    return number_of(variables["duration"]) or 0


FUNCTIONS: dict[str, tuple[str, Callable[[str], Evaluate]]] = {
    "getnumber": ("GetNumber", _attached),
    "getstring": ("GetString", _attached),
}
_KNOWN = "GetNumber, GetString, Duration"


class _Reader(ArithmeticReader):
    operations: ClassVar = {sign: _or_zero(OPERATIONS[sign]) for sign in "+-*/"}

    def flag(self) -> bool:
        """``DistByConnID`` or ``DCID``, where the option begins with it."""
        token = self.token
        if token.kind != "name" or token.written.lower() not in FLAGS:
            return False
        self.take("name", "")
        return True

    def primary(self) -> Evaluate:
        token = self.token
        if self.accept("number"):
            return constant(token.value)
        if self.accept("("):
            with self.nested():
                inner = self.sum()
            self.take(")", "'+', '-', '*', '/' or ')'")
            return inner
        self.take("name", f"a number, {_KNOWN}, '-' or '('")
        name = token.written.lower()
        if name == "duration":
            return _duration
        if name in FLAGS:
            raise ExpressionError(token.column, f"{token.written} stands first, before a ','")
        if name not in FUNCTIONS:
            what = f"no such function as {token.written}; known: {_KNOWN}"
            raise ExpressionError(token.column, what)
        known, build = FUNCTIONS[name]
        self.take("(", f"'(' after {known}")
        key = self.take("text", "the key of an attached pair in quotes")
        self.take(")", "')'")
        return build(str(key.value))
