"""Capacities: how many interactions of which medium somebody can have at once.

::

    voice = 1 | chat = 3, email = 1

    rule  := load ("|" load)*
    load  := share ("," share)*
    share := (name | "text" | "*") "=" integer

Each load is one way to be fully occupied; ``*`` stands for every medium that the load does
not name, and without it those are not taken at all. So the rule above means: one call and
nothing else, or up to three chats and an e-mail. Whoever has one chat may get two more and
an e-mail, but no call.

The vendor's capacity rules are made with a wizard, and how they are written is not public;
this is our decision, for the same thing (docs.genesys.com, RTME 8.5.0, Capacity/CapacityRules).
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from .reading import ExpressionError, Language, Reader

MAX = 10_000  # interactions of one medium; nobody has more at once
ANY = "*"

LANGUAGE = Language("capacity rule", ("|", ",", "=", ANY))


@frozen
class Capacity:
    """A capacity rule; two are equal if they are written alike.

    Attributes:
        text: As written, blanks squeezed out.
    """

    text: str
    _loads: tuple[Mapping[str, int], ...] = field(eq=False, repr=False)

    def most(self, medium: str, present: Mapping[str, int]) -> int:
        """How many of one medium there may be, beside what there is of the others.

        Args:
            present: The number of interactions by medium; that of ``medium`` does not matter.

        Media are the same whatever their case.

        >>> blended = parse_capacity("voice = 1 | chat = 3, email = 1")
        >>> blended.most("chat", {}), blended.most("voice", {"chat": 1})
        (3, 0)
        """
        asked = medium.lower()
        others = [(name.lower(), count) for name, count in present.items()]
        possible = [
            _share(load, asked)
            for load in self._loads
            if all(count <= _share(load, other) for other, count in others if other != asked)
        ]
        return max(possible, default=0)


def _share(load: Mapping[str, int], medium: str) -> int:
    return load.get(medium, load.get(ANY, 0))


def parse_capacity(text: str) -> Capacity:
    """Read a capacity rule.

    Raises:
        ExpressionError: Where it goes wrong, and what was expected there.

    >>> parse_capacity("*=1").most("fax", {"chat": 1})
    1
    """
    reader = Reader(text, LANGUAGE)
    loads = [_load(reader)]
    while reader.accept("|"):
        loads.append(_load(reader))
    reader.take("end", "'|', ',' or the end of the rule")
    return Capacity(reader.squeezed(), tuple(loads))


def _load(reader: Reader) -> Mapping[str, int]:
    load: dict[str, int] = {}
    while True:
        token = reader.take_one_of(("name", "text", ANY), "a medium, in quotes perhaps, or '*'")
        medium = str(token.value).lower()
        if medium in load:
            raise ExpressionError(token.column, f"{token.written} is said twice, between two '|'")
        reader.take("=", f"'=' after {token.written}")
        number = reader.take("number", "a whole number")
        if not isinstance(number.value, int) or number.value > MAX:
            what = f"{number.written} is no whole number of at most {MAX}"
            raise ExpressionError(number.column, what)
        load[medium] = number.value
        if reader.accept(",") is None:
            return load


ONE_OF_EACH = parse_capacity("*=1")  # where no rule is configured (our decision)
