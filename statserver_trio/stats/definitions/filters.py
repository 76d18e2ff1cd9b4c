"""Filters: which actions and statuses count, as a condition on what is known of them.

The language is read in :mod:`...expressions.conditions`; what its attributes mean
of an action or a status is told in :mod:`.attributes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from ...expressions import ExpressionError
from ...expressions.conditions import Test, parse_condition
from ...model.occurrences import NO_FACTS, Occurrence
from .attributes import DEFAULT_TENANT, scope_of

FilterError = ExpressionError  # a filter that cannot be read


@frozen
class Filter:
    """One configured filter; two are equal if they are named and written alike."""

    name: str
    text: str
    _test: Test = field(eq=False, repr=False)

    def matches(self, data: Mapping[str, Any] | None, source: Occurrence | None = None) -> bool:
        """Whether what has this attached data passes; None is no data at all.

        Args:
            source: What has it: an action that goes on or happened at once; None for a status
                that shows none.
        """
        return self._test(data if data is not None else NO_FACTS, source)


def parse_filter(name: str, text: str, tenant: str = DEFAULT_TENANT) -> Filter:
    """Read a filter.

    Args:
        tenant: The site's.

    Raises:
        FilterError: Where it goes wrong, and what was expected there.

    >>> spanish = parse_filter("Spanish", 'PairExists("Language", "Spanish")')
    >>> spanish.matches({"Language": "Spanish"}), spanish.matches(None)
    (True, False)
    """
    return Filter(name, text, parse_condition(text, scope_of(tenant)))
