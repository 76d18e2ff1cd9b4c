"""Scalars: the expressions of the formula language that compute one value of others.

What stands inside the aggregates of a formula, around them, and in a GroupBy key::

    expression := both ("OR" both)*
    both       := negated ("AND" negated)*
    negated    := "NOT" negated | sum [comparison sum]     see :mod:`.arithmetic` for sum
    primary    := number | text | variable | "NULL" | "(" expression ")"
                | function "(" expression ("," expression)* ")"
                | ("kvnum" | "kvstr" | "kvexists") "(" list "," expression ")"
                | "IF" "(" expression "," expression "," expression ")"
                | "CASE" ("WHEN" expression "THEN" expression)+ ["ELSE" expression] "END"

Words are matched whatever their case. Logic has two values: NULL is not true, so ``NOT`` of
it is. ``NULL`` as a word, and a CASE without ELSE that gives it, are our decisions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from .arithmetic import ArithmeticReader, constant
from .functions import FUNCTIONS, RANKING
from .logic import COMPARISONS
from .reading import ExpressionError, Token
from .values import Evaluate, Value, Variables, comparison, is_true, number_read, text_of

# What an expression may look at inside an aggregate or a key: of one action or status.
LISTS: Final = ("udata", "reasons", "ext")
OF_ONE: Final = (
    "duration", *LISTS, "connid", "ani", "dnis", "thisdn", "otherdn", "calltype", "mediatype",
    "action", "start", "end",
)  # fmt: skip
# And outside of them: of the whole statistic.
OF_ALL: Final = ("now", "interval", "object")

AGGREGATES: Final = ("COUNT", "SUM", "AVG", "MIN", "MAX", "DCOUNT", "FIRST", "LAST")

SIGNS = ("+", "-", "*", "/", "%", "(", ")", ",", ";", "@", "~", *COMPARISONS)


def _pair(found: Value, key: Value) -> Value:
    name = text_of(key)
    return found.get(name) if isinstance(found, Mapping) and name is not None else None


def _kvexists(found: Value, key: Value) -> Value:
    return isinstance(found, Mapping) and text_of(key) in found


# On a list of pairs and a key. What is attached may be of any type.
PAIRS: dict[str, Callable[[Value, Value], Value]] = {
    "kvnum": lambda found, key: number_read(_pair(found, key)),
    "kvstr": lambda found, key: text_of(_pair(found, key)),
    "kvexists": _kvexists,
}


class ScalarReader(ArithmeticReader):
    """Reads an expression without aggregates."""

    variables: Sequence[str] = OF_ONE
    elsewhere: Mapping[str, str] = dict.fromkeys(OF_ALL, "only in a formula, outside an aggregate")

    where_no_aggregate: str = "in a key"

    # -- words -----------------------------------------------------------------------

    def is_word(self, *words: str) -> bool:
        """Whether the present token is one of these words, whatever its case."""
        return self.token.kind == "name" and self.token.written.lower() in words

    def accept_word(self, word: str) -> bool:
        """Moves on if the present token is this word."""
        found = self.is_word(word)
        if found:
            self.take("name", word)
        return found

    def take_word(self, word: str) -> None:
        """The present token, which must be this word."""
        if not self.accept_word(word):
            self.refuse(f"an operator or {word.upper()}")

    # -- logic -----------------------------------------------------------------------

    def expression(self) -> Evaluate:
        """``both ("OR" both)*``"""
        parts = [self._both()]
        while self.accept_word("or"):
            parts.append(self._both())
        if len(parts) == 1:
            return parts[0]
        return lambda variables: any(is_true(part(variables)) for part in parts)

    def _both(self) -> Evaluate:
        """``negated ("AND" negated)*``"""
        parts = [self._negated()]
        while self.accept_word("and"):
            parts.append(self._negated())
        if len(parts) == 1:
            return parts[0]
        return lambda variables: all(is_true(part(variables)) for part in parts)

    def _negated(self) -> Evaluate:
        """``"NOT" negated | sum [comparison sum]``"""
        if self.accept_word("not"):
            with self.nested():
                inner = self._negated()
            return lambda variables: not is_true(inner(variables))
        left = self.sum()
        sign = self.accept(*COMPARISONS)
        if sign is None:
            return left
        compared, right = comparison(sign.kind), self.sum()
        return lambda variables: compared(left(variables), right(variables))

    # -- primaries -------------------------------------------------------------------

    def primary(self) -> Evaluate:
        """A number, a text, something in parentheses, or what begins with a name."""
        token = self.token
        if self.accept("number", "text"):
            return constant(token.value)
        if self.accept("("):
            with self.nested():
                inner = self.expression()
            self.take(")", "an operator or ')'")
            return inner
        if self.is_word("and", "or", "when", "then", "else"):  # "end" is a variable here
            self.refuse(self.what_may_begin())
        self.take("name", self.what_may_begin())
        return self.named(token)

    def what_may_begin(self) -> str:
        """What can stand where a value is expected, for messages."""
        return f"a number, a text in quotes, a variable ({', '.join(self.variables)}), \
a function, '-' or '('"

    def named(self, token: Token) -> Evaluate:
        """What a name stands for that was just read."""
        name = token.written.lower()
        if name == "null":
            return constant(None)
        if name == "if":
            return self._if()
        if name == "case":
            return self._case()
        if self.token.kind == "(":
            return self._function(token, name)
        if name not in self.variables:
            raise ExpressionError(token.column, self._no_such_variable(token.written))
        return lambda variables: variables[name]

    def _no_such_variable(self, written: str) -> str:
        name = written.lower()
        known = ", ".join(self.variables)
        if name in self.elsewhere:
            return f"{written} is known {self.elsewhere[name]}; here: {known}"
        if name in FUNCTIONS or name in PAIRS:
            return f"{written} is a function: '(' expected after it"
        if name.upper() in AGGREGATES:
            return f"{written} is an aggregate: '(' expected after it"
        return f"no such variable as {written}; known here: {known}"

    def _if(self) -> Evaluate:
        """``"IF" "(" expression "," expression "," expression ")"``"""
        condition, then, otherwise = self._arguments("IF", 3, 3)
        return lambda variables: (
            then(variables) if is_true(condition(variables)) else otherwise(variables)
        )

    def _case(self) -> Evaluate:
        """``"CASE" ("WHEN" expression "THEN" expression)+ ["ELSE" expression] "END"``"""
        branches: list[tuple[Evaluate, Evaluate]] = []
        if not self.is_word("when"):
            self.refuse("WHEN after CASE")
        with self.nested():
            while self.accept_word("when"):
                condition = self.expression()
                self.take_word("then")
                branches.append((condition, self.expression()))
            otherwise = self.expression() if self.accept_word("else") else constant(None)
        if not self.accept_word("end"):
            self.refuse("an operator, WHEN, ELSE or END")

        def evaluate(variables: Variables) -> Value:
            for condition, then in branches:
                if is_true(condition(variables)):
                    return then(variables)
            return otherwise(variables)

        return evaluate

    # -- functions -------------------------------------------------------------------

    def _function(self, token: Token, name: str) -> Evaluate:
        if name in PAIRS:
            return self._pairs(name)
        if name.startswith(RANKING):
            what = f"{token.written}: functions that rank or sort are not supported"
            raise ExpressionError(token.column, what)
        function = FUNCTIONS.get(name)
        if function is None and name.upper() in AGGREGATES:
            what = f"{token.written}: no aggregate may stand {self.where_no_aggregate}"
            raise ExpressionError(token.column, what)
        if function is None:
            known = ", ".join([*FUNCTIONS, *PAIRS, "IF"])
            what = f"no such function as {token.written}; known: {known}"
            raise ExpressionError(token.column, what)
        arguments = self._arguments(function.name, function.fewest, function.most)
        compute = function.compute
        if len(arguments) == 1:
            only = arguments[0]
            return lambda variables: compute((only(variables),))
        return lambda variables: compute([argument(variables) for argument in arguments])

    def _arguments(self, name: str, fewest: int, most: int) -> list[Evaluate]:
        """``"(" expression ("," expression)* ")"``, so many as the function takes."""
        takes = f"{name} takes {fewest if fewest == most else f'{fewest} to {most}'} argument"
        takes += "" if fewest == most == 1 else "s"
        self.take("(", f"'(' after {name}")
        with self.nested():
            arguments = [self.expression()]
            while len(arguments) < most and self.accept(","):
                arguments.append(self.expression())
            if len(arguments) < fewest:
                self.take(",", f"',': {takes}")
        self.take(")", f"an operator or ')': {takes}")
        return arguments

    def _pairs(self, name: str) -> Evaluate:
        """``name "(" list "," expression ")"``"""
        look = PAIRS[name]
        self.take("(", f"'(' after {name}")
        if not self.is_word(*LISTS):
            self.refuse(f"a list of pairs ({', '.join(LISTS)})")
        which = self.named(self.take("name", ""))
        self.take(",", f"',': {name} takes 2 arguments")
        with self.nested():
            key = self.expression()
        self.take(")", f"an operator or ')': {name} takes 2 arguments")
        return lambda variables: look(which(variables), key(variables))
