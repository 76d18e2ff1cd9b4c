"""Formulas: statistics of the category ``Formula`` (statistics.md §8.2).

::

    @COUNT(CallWait; duration > 10)
    SUM(CallInbound; duration) / COUNT(CallInbound)

    primary   := aggregate, or any of :mod:`.scalars`
    aggregate := ["@"] name "(" mask [";" [expression] [";" condition]] ")"
    mask      := item ("," item)*              item := "*" | action | "~" action

An aggregate is computed by whoever knows what happened: :class:`Aggregate` says of which
actions, what of each (``value``) and which of them (``condition``). With ``@`` it is about
those that go on now, without it about those that have ended. ``COUNT`` has no value: what
follows its mask is the condition.

Our decisions, where the vendor's pages are silent: without a value ``DCOUNT`` looks at
``connid``, the others at ``duration``. In a condition NULL is no. Of nothing at all COUNT,
DCOUNT, SUM and AVG are 0, the others NULL. A mask followed by ``,`` and something that is
no action is taken for a mask and an expression, with a warning: the vendor's own example
is written like that. MIN and MAX are aggregates where an action, ``*`` or ``~`` follows,
else functions; inside an aggregate there is no other. What is written twice is computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import field, frozen

from .reading import ExpressionError, Language, Token, squeezed
from .scalars import AGGREGATES, OF_ALL, OF_ONE, SIGNS, ScalarReader
from .values import TEXT_KEPT_MAX, Evaluate, Value, Variables, is_true, number_of

AGGREGATES_MAX = 32  # different ones in one formula (our decision)
LANGUAGE = Language("formula", SIGNS)

ParseMask = Callable[[str], tuple[int, list[str]]]
Result = float | int | str | None


@frozen
class Aggregate:
    """One thing to be counted; two are equal if they are written alike.

    Attributes:
        function: COUNT, SUM, AVG, MIN, MAX, DCOUNT, FIRST or LAST.
        mask: Of which actions, as the mask's reader encodes them.
        is_current: Of those that go on, not of those that have ended.
        value: What of each. SUM, AVG, MIN and MAX get a number, the others a number or
            a text of at most :data:`.values.TEXT_KEPT_MAX` characters; whatever else it
            may be is NULL, which they pass over. None for COUNT.
        condition: Which of them: true or false. None for all.
        text: As written, blanks squeezed out, with the defaults filled in.
    """

    function: str
    mask: int
    is_current: bool
    value: Evaluate | None = field(eq=False, repr=False)
    condition: Evaluate | None = field(eq=False, repr=False)
    text: str


@frozen
class Formula:
    """The expression of a stat type; two are equal if they are written alike.

    Attributes:
        text: As written, blanks squeezed out.
        aggregates: What has to be known to evaluate it, each once.
        warnings: What is odd about it, each with its column.
    """

    text: str
    aggregates: tuple[Aggregate, ...] = field(eq=False)
    warnings: tuple[str, ...] = field(eq=False)
    _evaluate: Evaluate = field(eq=False, repr=False)

    def evaluate(self, values: Sequence[Value], env: Mapping[str, Value]) -> Result:
        """What the formula is worth.

        Args:
            values: Those of the :attr:`aggregates`, in the same order.
            env: ``now`` and ``interval`` in seconds, and ``object``, a name.

        Returns:
            A finite number, a text, or None for NULL. True is 1, false is 0.

        Raises:
            ValueError: There are not as many values as aggregates.
            KeyError: The formula asks for something that is not in ``env``.
        """
        known = dict(env)
        known.update(zip(map(_slot, range(len(self.aggregates))), values, strict=True))
        result = self._evaluate(known)
        return result if isinstance(result, str) else number_of(result)


def parse_formula(text: str, parse_mask: ParseMask) -> Formula:
    """Read a formula.

    Args:
        parse_mask: Reads masks: the set of actions, and warnings; raises ValueError where
            nothing is left of a mask because of unknown names.

    Raises:
        ExpressionError: Where it goes wrong, and what was expected there.
    """
    reader = _Reader(text, parse_mask)
    evaluate = reader.expression()
    reader.take("end", "an operator or the end")
    return Formula(reader.squeezed(), tuple(reader.aggregates), tuple(reader.warnings), evaluate)


# An expression and how it is written.
_Argument = tuple[Evaluate | None, str]
NOTHING: _Argument = (None, "")
DURATION: _Argument = (lambda variables: variables["duration"], "duration")
DEFAULTS: dict[str, _Argument] = {"DCOUNT": (lambda variables: variables["connid"], "connid")}


def _number(value: Evaluate) -> Evaluate:
    return lambda variables: number_of(value(variables))


def _kept(value: Evaluate) -> Evaluate:
    def evaluate(variables: Variables) -> Value:
        found = value(variables)
        return found[:TEXT_KEPT_MAX] if isinstance(found, str) else number_of(found)

    return evaluate


def _decided(condition: Evaluate) -> Evaluate:
    return lambda variables: is_true(condition(variables))


_TYPED = dict.fromkeys(("SUM", "AVG", "MIN", "MAX"), _number)


def _slot(index: int) -> str:
    """Where the value of an aggregate is found: no variable has such a name."""
    return f"#{index}"


class _Reader(ScalarReader):
    """Reads a formula, and collects its aggregates."""

    variables: Sequence[str] = OF_ALL
    elsewhere: Mapping[str, str] = dict.fromkeys(OF_ONE, "only inside an aggregate")
    where_no_aggregate = "inside another one"

    def __init__(self, text: str, parse_mask: ParseMask) -> None:
        super().__init__(text, LANGUAGE)
        self.aggregates: list[Aggregate] = []
        self.warnings: list[str] = []
        self._parse_mask = parse_mask
        self._inside = False

    def primary(self) -> Evaluate:
        """As ever, or an aggregate of what goes on."""
        token = self.token
        if token.kind != "@":
            return super().primary()
        if self._inside:
            raise ExpressionError(token.column, "'@': no aggregate may stand inside another one")
        self.take("@", "")
        names = f"an aggregate ({', '.join(AGGREGATES)}) after '@'"
        if not self.is_word(*map(str.lower, AGGREGATES)):
            self.refuse(names)
        return self._aggregate(self.take("name", names), True)

    def what_may_begin(self) -> str:
        """What can stand where a value is expected, for messages."""
        others = super().what_may_begin()
        return others if self._inside else f"an aggregate ({', '.join(AGGREGATES)}), {others}"

    def named(self, token: Token) -> Evaluate:
        """As ever, or an aggregate of what has ended."""
        name = token.written.upper()
        if self._inside or name not in AGGREGATES or self.token.kind != "(":
            return super().named(token)
        if name in ("MIN", "MAX") and not self._begins_a_mask():
            return super().named(token)
        return self._aggregate(token, False)

    def _begins_a_mask(self) -> bool:
        following = self.ahead()
        return following.kind in ("*", "~") or self._is_action(following)

    def _is_action(self, token: Token) -> bool:
        if token.kind != "name":
            return False
        try:
            return self._parse_mask(token.written)[0] != 0
        except ValueError:
            return False

    # -- aggregates ------------------------------------------------------------------

    def _aggregate(self, token: Token, is_current: bool) -> Evaluate:
        """``"(" mask [";" [expression] [";" condition]] ")"``"""
        function = token.written.upper()
        self.take("(", f"'(' after {function}")
        mask, mask_text = self._mask()
        (value, value_text), (condition, condition_text) = self._arguments_of(function)
        self.take(")", f"')' after what {function} is about")
        texts = [text for text in (mask_text, value_text, condition_text) if text]
        text = f"{'@' * is_current}{function}({';'.join(texts)})"
        found = Aggregate(
            function,
            mask,
            is_current,
            None if value is None else _TYPED.get(function, _kept)(value),
            None if condition is None else _decided(condition),
            text,
        )
        if found not in self.aggregates:
            if len(self.aggregates) == AGGREGATES_MAX:
                what = f"too many aggregates, at most {AGGREGATES_MAX} different ones"
                raise ExpressionError(token.column, what)
            self.aggregates.append(found)
        slot = _slot(self.aggregates.index(found))
        return lambda variables: variables[slot]

    def _arguments_of(self, function: str) -> tuple[_Argument, _Argument]:
        """Value and condition, each with how it is written; what is left out has its default."""
        token = self.token
        given: list[_Argument] = []
        if self.token.kind == ",":  # see _mask
            given.append(self._argument())
        while self.token.kind == ";" and len(given) < 2:
            given.append(self._argument())
        given += [NOTHING] * (2 - len(given))
        value, condition = given
        if function != "COUNT":
            return (DEFAULTS.get(function, DURATION) if value == NOTHING else value), condition
        if condition == NOTHING:
            return NOTHING, value
        if value != NOTHING:
            raise ExpressionError(token.column, "COUNT takes a mask and a condition, and no value")
        return NOTHING, condition

    def _argument(self) -> _Argument:
        """What follows a ``;``, if anything does: in it other variables are known."""
        self.take(self.token.kind, "")
        if self.token.kind in (";", ")"):
            return NOTHING
        begin, outside = self._at, (self.variables, self.elsewhere)
        self.variables, self.elsewhere = ScalarReader.variables, ScalarReader.elsewhere
        self._inside = True
        evaluate = self.expression()
        self._inside = False
        self.variables, self.elsewhere = outside
        return evaluate, squeezed(self._tokens[begin : self._at])

    # -- masks -----------------------------------------------------------------------

    def _mask(self) -> tuple[int, str]:
        """``item ("," item)*``, and how it is written.

        Stops before the ``,`` that the vendor's own example has where a ``;`` belongs.
        """
        begin, separated = self._at, self._semicolon_follows()
        items = [self._item()]
        while self.token.kind == "," and (separated or not self._expression_follows()):
            self.take(",", "")
            items.append(self._item())
        text = squeezed(self._tokens[begin : self._at])
        column = self._tokens[begin].column
        try:
            mask, warnings = self._parse_mask(text)
        except ValueError as exc:
            unknown = (item for item in items if item.kind == "name" and not self._is_action(item))
            raise ExpressionError(next(unknown, items[0]).column, str(exc)) from None
        if self.token.kind == ",":
            comma = self.token.column
            self.warnings.append(f"column {comma}: ',' is read as ';': what follows is no action")
        self.warnings += [f"column {column}: {warning}" for warning in warnings]
        return mask, text

    def _item(self) -> Token:
        """``"*" | "~" ("*" | action) | action``"""
        self.accept("~")
        expected = "an action, '*' or '~'"
        return self.accept("*") or self.take("name", expected)

    def _semicolon_follows(self) -> bool:
        """Whether there is a ``;`` before the aggregate's own parenthesis ends."""
        depth = 0
        for token in self._tokens[self._at :]:
            if token.kind == ";" and not depth:
                return True
            depth += {"(": 1, ")": -1}.get(token.kind, 0)
            if depth < 0:
                break
        return False

    def _expression_follows(self) -> bool:
        """Whether what follows the ``,`` is an expression, and no item of the mask."""
        first, second = self.ahead(), self.ahead(2)
        if first.kind in ("~", "*"):
            return False
        if first.kind != "name" or second.kind not in (",", ")"):
            return True
        if second.kind == "," or self._is_action(first):
            return False
        if first.written.lower() not in OF_ONE:
            known = ", ".join(OF_ONE)
            what = f"{first.written} is neither an action nor a variable; variables: {known}"
            raise ExpressionError(first.column, what)
        return True
