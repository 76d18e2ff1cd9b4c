"""Reading: a text as tokens, each with its column, and a reader that walks along them.

The languages differ in their grammar and in the signs they know; blanks, texts in
quotes, numbers and names are the same in all of them:

* blanks may stand anywhere between tokens and mean nothing;
* a text stands in ``"…"`` or ``'…'``, ends at the quote it began with and has no escapes;
* a number is decimal, without a sign of its own, with at most :data:`DIGITS_MAX` digits;
* a name is of letters, digits and ``_``, and is matched whatever its case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, NoReturn

from attrs import field, frozen

TEXT_MAX = 4096  # characters of one expression (our decision)
DEPTH_MAX = 50  # parentheses, negations, functions inside each other (our decision)
DIGITS_MAX = 18  # of a number: it stays exact in 64 bits (our decision)


class ExpressionError(ValueError):
    """An expression that cannot be read.

    Attributes:
        column: Where, counted from one.
    """

    def __init__(self, column: int, what: str) -> None:
        super().__init__(f"column {column}: {what}")
        self.column = column


class Token(NamedTuple):
    """One word of an expression.

    Attributes:
        kind: A sign itself, or ``name``, ``text``, ``number``, ``end``, ``bad``.
        value: What it stands for: a text without its quotes, a number as one.
        column: Where it begins, counted from one.
        written: As it stands in the expression.
    """

    kind: str
    value: str | int | float
    column: int
    written: str


def _scanner(signs: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(signs, key=len, reverse=True)
    return re.compile(
        rf"""\s*(?:
            (?P<number> (?: [0-9]+ (?:\.[0-9]+)? | \.[0-9]+ ) (?![0-9A-Za-z_.]) )
          | (?P<misspelt> [0-9] [0-9A-Za-z_.]* )
          | (?P<name> [A-Za-z_][A-Za-z_0-9]* )
          | (?P<sign> {"|".join(map(re.escape, longest_first))} )
          | (?P<text> "[^"]*" | '[^']*' )
          | (?P<bad> \S )
          | (?P<end> \Z )
        )""",
        re.VERBOSE,
    )


@frozen
class Language:
    """What a reader has to know besides the grammar.

    Attributes:
        name: What a text in it is called in messages: ``filter``.
        signs: Everything that is neither name, text nor number.
    """

    name: str
    signs: tuple[str, ...]
    scanner: re.Pattern[str] = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "scanner", _scanner(self.signs))

    def tokens(self, text: str) -> Iterator[Token]:
        """The words of ``text``, the last one of kind ``end``; what is none is ``bad``."""
        at, kind = 0, ""
        while kind != "end":
            found = self.scanner.match(text, at)
            assert found is not None, "the last two branches match anything"
            kind, at = str(found.lastgroup), found.end()
            written, column = found[kind], found.start(kind) + 1
            match kind:
                case "sign":
                    yield Token(written, written, column, written)
                case "text":
                    yield Token(kind, written[1:-1], column, written)
                case "number" if sum(map(str.isdigit, written)) <= DIGITS_MAX:
                    value = float(written) if "." in written else int(written)
                    yield Token(kind, value, column, written)
                case "number" | "misspelt":
                    yield Token("bad", written, column, written)
                case _:
                    yield Token(kind, written, column, written)


class Reader:
    """Reads an expression from left to right; languages are subclasses.

    Raises:
        ExpressionError: The text is too long.
    """

    def __init__(self, text: str, language: Language) -> None:
        if len(text) > TEXT_MAX:
            what = f"too long, at most {TEXT_MAX} characters are allowed"
            raise ExpressionError(TEXT_MAX + 1, what)
        self._language = language
        self._tokens = list(language.tokens(text))
        self._at = 0
        self._depth = 0

    @property
    def token(self) -> Token:
        """The one that is read next."""
        return self._tokens[self._at]

    def ahead(self, count: int = 1) -> Token:
        """The one that comes so many later; the end where there are no more."""
        return self._tokens[min(self._at + count, len(self._tokens) - 1)]

    def take(self, kind: str, expected: str) -> Token:
        """The present token, which must be of this kind; moves on to the next."""
        token = self.token
        if token.kind != kind:
            self.refuse(expected)
        if kind != "end":
            self._at += 1
        return token

    def accept(self, *kinds: str) -> Token | None:
        """The present token if it is of one of these kinds; moves on then."""
        token = self.token
        if token.kind not in kinds:
            return None
        self._at += 1
        return token

    def refuse(self, expected: str) -> NoReturn:
        """The present token is not what may stand here."""
        token = self.token
        match token.kind:
            case "end":
                found = f"the end of the {self._language.name}"
            case "bad" if token.written in "\"'":
                what = f"a text that begins with {token.written} never ends"
                raise ExpressionError(token.column, what)
            case "bad" if token.written[0].isdigit() or token.written[0] == ".":
                what = f"{token.written!r} is no number of at most {DIGITS_MAX} decimal digits"
                raise ExpressionError(token.column, what)
            case "text":
                found = repr(token.value)
            case _:
                found = repr(token.written)
        raise ExpressionError(token.column, f"expected {expected}, not {found}")

    @contextmanager
    def nested(self) -> Iterator[None]:
        """One level deeper, for as long as the block lasts."""
        if self._depth >= DEPTH_MAX:
            what = f"nested too deeply, at most {DEPTH_MAX} levels"
            raise ExpressionError(self.token.column, what)
        self._depth += 1
        yield
        self._depth -= 1

    def squeezed(self) -> str:
        """The expression without blanks, but where they keep two words apart.

        Two expressions are the same if they are this way (statistics.md §11.3).
        """
        return squeezed(self._tokens)


def squeezed(tokens: Iterable[Token]) -> str:
    """Tokens as text, without blanks but where they keep two words apart."""
    parts: list[str] = []
    former = ""
    for token in tokens:
        is_word = token.kind in ("name", "number", "bad")
        if is_word and former in ("name", "number", "bad"):
            parts.append(" ")
        parts.append(token.written)
        former = token.kind
    return "".join(parts)
