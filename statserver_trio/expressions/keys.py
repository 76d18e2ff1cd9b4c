"""Keys: what ``GroupBy`` groups by (statistics.md §9).

A key is one expression of the formula language without aggregates (:mod:`.scalars`),
usually ``kvstr(udata,"Language")``. What comes out is made a text, because it names a
child: NULL is ``""``, as of a call without such data; a number is written as short as
it can be, so that 5 and 5.0 are one child; true is ``"1"`` and false ``"0"``. What is
longer than :data:`.values.TEXT_KEPT_MAX` characters is cut off (our decisions).
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import field, frozen

from .reading import Language
from .scalars import SIGNS, ScalarReader
from .values import TEXT_KEPT_MAX, Evaluate, Variables, text_of

LANGUAGE = Language("key", SIGNS)


@frozen
class Key:
    """What to group by; two are equal if they are written alike.

    Attributes:
        text: As written, blanks squeezed out.
        value: The name of the child that an action or status belongs to: a text of
            at most :data:`.values.TEXT_KEPT_MAX` characters.
    """

    text: str
    value: Callable[[Variables], str] = field(eq=False, repr=False)


def parse_key(text: str) -> Key:
    """Read what to group by.

    Raises:
        ExpressionError: Where it goes wrong, and what was expected there.

    >>> language = parse_key('kvstr( udata, "Language" )')
    >>> language.text, language.value({"udata": {"Language": "Spanish"}})
    ('kvstr(udata,"Language")', 'Spanish')
    """
    reader = ScalarReader(text, LANGUAGE)
    evaluate = reader.expression()
    reader.take("end", "an operator or the end")
    return Key(reader.squeezed(), _as_text(evaluate))


def _as_text(evaluate: Evaluate) -> Callable[[Variables], str]:
    return lambda variables: (text_of(evaluate(variables)) or "")[:TEXT_KEPT_MAX]
