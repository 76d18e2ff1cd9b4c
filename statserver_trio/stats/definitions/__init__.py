"""Definitions: what a site has configured to be counted, by name.

A stat type says what is counted (category, subject, masks), a time profile
since when, a time range which durations, a filter which calls. A request names
them; :class:`Definitions` is where names are looked up.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from .filters import Filter
from .time_profiles import DEFAULT_PROFILE, TimeProfile
from .time_ranges import BUILT_IN_RANGE, TimeRange


class DefinitionError(ValueError):
    """A definition that means nothing.

    Attributes:
        mistakes: (option, what is wrong and what is allowed), all of them.
    """

    def __init__(self, mistakes: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{key}: {what}" if key else what for key, what in mistakes))
        self.mistakes = mistakes


@frozen
class StatType:
    """What is counted, of whom.

    Attributes:
        objects: Canonical object types (see :mod:`.object_types`).
        main_mask, rel_mask: Sets of action codes as bit masks; ``rel_mask`` is
            None where the definition has none.
        text: The options as they were written, for profiles and `explain`.
        extension: ``path:name`` where an extension tells the value; else empty. Such a stat
            type has neither subject nor masks.
    """

    name: str
    objects: frozenset[str]
    category: str
    subject: str
    main_mask: int
    rel_mask: int | None = None
    description: str = ""
    text: Mapping[str, str] = field(factory=dict)
    extension: str = ""


@frozen
class Definitions:
    """All that a request may name."""

    stat_types: Mapping[str, StatType] = field(factory=dict)
    time_profiles: Mapping[str, TimeProfile] = field(factory=dict)
    time_ranges: Mapping[str, TimeRange] = field(factory=dict)
    filters: Mapping[str, Filter] = field(factory=dict)

    def time_profile(self, name: str | None) -> TimeProfile | None:
        """The profile of that name; the site's or the built-in one for none."""
        if name in (None, "", DEFAULT_PROFILE.name):
            return self.time_profiles.get(DEFAULT_PROFILE.name, DEFAULT_PROFILE)
        return self.time_profiles.get(str(name))

    def time_range(self, name: str | None) -> TimeRange | None:
        """The range of that name; the site's or the built-in one for none."""
        if name in (None, "", BUILT_IN_RANGE.name):
            return self.time_ranges.get(BUILT_IN_RANGE.name, BUILT_IN_RANGE)
        return self.time_ranges.get(str(name))
