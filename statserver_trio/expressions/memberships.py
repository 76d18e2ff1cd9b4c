"""Memberships: who belongs to a virtual agent group (statistics.md §2.2).

::

    Skill("Spanish") > 5 & (LoggedIn("8001@sw1") | ~LoggedInSwitch("sw2"))

    condition := operand [comparison operand]      see :mod:`.logic` for the rest
    operand   := ["-"] integer | function "(" "text" ")"

``Skill("name")`` is the level of a person's skill; ``LoggedIn("queue@switch")`` and
``LoggedInSwitch("switch")`` are conditions already, and 1 or 0 where they are compared
(our decision). A skill that a person does not have compares as absent: every comparison
with it is false, ``<>`` too. Two numbers are not compared: that would be true of
everybody or of nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from attrs import field, frozen

from .logic import COMPARISONS, SIGNS, LogicReader
from .reading import ExpressionError, Language, Token


class Person(Protocol):
    """Somebody who may belong to a group."""

    def skill(self, name: str) -> int | None:
        """His level of a skill; None where he does not have it."""

    def is_logged_in(self, queue: str) -> bool:
        """Whether he is logged in to an ACD queue, ``number@switch``."""

    def is_logged_in_switch(self, switch: str) -> bool:
        """Whether he is logged in anywhere on a switch."""


Holds = Callable[[Person], bool]
Level = Callable[[Person], "int | None"]


@frozen
class Membership:
    """What makes a person a member; two are equal if they are written alike.

    Attributes:
        text: As written, blanks squeezed out.
        skills: Named in it, each once, in the order in which they are.
        queues: Likewise, each ``number@switch``.
        switches: Those of ``LoggedInSwitch``; not those where the queues are.
    """

    text: str
    skills: tuple[str, ...] = field(eq=False)
    queues: tuple[str, ...] = field(eq=False)
    switches: tuple[str, ...] = field(eq=False)
    _holds: Holds = field(eq=False, repr=False)

    def holds(self, person: Person) -> bool:
        """Whether ``person`` is a member, as things stand with him now."""
        return self._holds(person)


def parse_membership(text: str) -> Membership:
    """Read who belongs to a group.

    Raises:
        ExpressionError: Where it goes wrong, and what was expected there.

    >>> parse_membership('Skill( "Spanish" ) > 5').text
    'Skill("Spanish")>5'
    """
    reader = _Reader(text, LANGUAGE)
    holds = reader.whole()
    skills, queues, switches = map(tuple, reader.named.values())
    return Membership(reader.squeezed(), skills, queues, switches, holds)


class _Function(NamedTuple):
    name: str
    names: str  # what its argument is the name of
    is_condition: bool  # without a comparison
    build: Callable[[str], Level]


def _skill(name: str) -> Level:
    return lambda person: person.skill(name)


def _logged_in(queue: str) -> Level:
    return lambda person: int(person.is_logged_in(queue))


def _logged_in_switch(switch: str) -> Level:
    return lambda person: int(person.is_logged_in_switch(switch))


FUNCTIONS = {
    known.name.lower(): known
    for known in (
        _Function("Skill", "skill", False, _skill),
        _Function("LoggedIn", "queue", True, _logged_in),
        _Function("LoggedInSwitch", "switch", True, _logged_in_switch),
    )
}
_KNOWN = ", ".join(function.name for function in FUNCTIONS.values())
_COMPARISON = "a comparison (" + ", ".join(COMPARISONS) + ")"

LANGUAGE = Language("membership", SIGNS)


class _Reader(LogicReader[Holds]):
    """Reads conditions, and remembers whom and what they name."""

    def __init__(self, text: str, language: Language) -> None:
        super().__init__(text, language)
        self.named: dict[str, dict[str, None]] = {"skill": {}, "queue": {}, "switch": {}}

    def any_of(self, tests: list[Holds]) -> Holds:
        return lambda person: any(holds(person) for holds in tests)

    def all_of(self, tests: list[Holds]) -> Holds:
        return lambda person: all(holds(person) for holds in tests)

    def none_of(self, test: Holds) -> Holds:
        return lambda person: not test(person)

    def condition(self) -> Holds:
        function, left = self._operand(f"a condition ({_KNOWN}), a whole number, '~' or '('")
        sign = self.accept(*COMPARISONS)
        if sign is None:
            if function is None or not function.is_condition:
                self.refuse(_COMPARISON)
            return lambda person: bool(left(person))
        _, right = self._operand(f"a function ({_KNOWN}) or a whole number", function is None)
        return _compared(sign, left, right)

    def _operand(
        self, expected: str, only_a_function: bool = False
    ) -> tuple[_Function | None, Level]:
        """A function, or a number, which has none."""
        if self.token.kind in ("-", "number"):
            if only_a_function:
                self.refuse(f"a function ({_KNOWN}): two numbers are not compared")
            return None, self._number()
        token = self.take("name", expected)
        function = FUNCTIONS.get(token.written.lower())
        if function is None:
            what = f"no such function as {token.written}; known: {_KNOWN}"
            raise ExpressionError(token.column, what)
        self.take("(", f"'(' after {function.name}")
        name = self.take("text", f"the name of a {function.names} in quotes")
        self._check(function, name)
        self.take(")", "')'")
        self.named[function.names][str(name.value)] = None
        return function, function.build(str(name.value))

    def _number(self) -> Level:
        negative = self.accept("-") is not None
        token = self.token
        if not isinstance(token.value, int):
            self.refuse("a whole number")
        self.take("number", "a whole number")
        number = -token.value if negative else token.value
        return lambda person: number

    def _check(self, function: _Function, token: Token) -> None:
        name = str(token.value)
        if not name.strip():
            raise ExpressionError(token.column, f"the name of a {function.names} is empty")
        if function.names == "queue" and not all(name.rpartition("@")):
            what = f"expected a queue as 'number@switch', not {name!r}"
            raise ExpressionError(token.column, what)


def _compared(sign: Token, left: Level, right: Level) -> Holds:
    compare = COMPARISONS[sign.kind]

    def holds(person: Person) -> bool:
        one, other = left(person), right(person)
        return one is not None and other is not None and compare(one, other)

    return holds
