"""Definitions: what a site has configured to be counted, by name.

A stat type says what is counted (category, subject, masks), a time profile
since when, a time range which durations, a filter which calls. A request names
them; :class:`Definitions` is where names are looked up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import field, frozen

from ...model.actions import ALL_ACTIONS, OF_ALL_MEDIA, OF_INTERACTIONS
from .filters import Filter
from .restrictions import VOICE, Attribute, Condition, Medium
from .time_profiles import DEFAULT_PROFILE, TimeProfile
from .time_ranges import BUILT_IN_RANGE, TimeRange

if TYPE_CHECKING:
    from ...expressions.custom_values import CustomValue
    from ...expressions.formulas import Formula
    from ...expressions.keys import Key


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
        by_call: A call counts once (``DistByConnID``).
        custom_value: What is computed from each action, of the custom-value categories.
        formula: Of the category Formula.
        group_by: The key of the children of a GroupBy statistic.
        media_type: In lower case; empty is every medium.
        attributes: Business attributes that what is counted has to carry.
        aggregation_type: For clients only, never looked at.
        use_source_time_stamps: Durations are those of the source's times. Here they always
            are, so it is kept and changes nothing (our decision).
        reason_start_overrides_status_start: A state shows since when its reason is given.
        text: The options as they were written, for profiles and `explain`; two of equal text
            mean the same.
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
    by_call: bool = False
    custom_value: CustomValue | None = field(default=None, eq=False)
    formula: Formula | None = field(default=None, eq=False)
    group_by: Key | None = field(default=None, eq=False)
    text: Mapping[str, str] = field(factory=dict)
    media_type: str = ""
    attributes: tuple[Attribute, ...] = ()
    aggregation_type: str = ""
    use_source_time_stamps: bool = True
    reason_start_overrides_status_start: bool = False
    extension: str = ""

    @property
    def restrictions(self) -> tuple[Condition, ...]:
        """What has to hold of everything it counts, whatever is asked for."""
        masks = self.main_mask | (self.rel_mask or 0)
        by_mask = self.media_type == VOICE and not (
            self.subject == "DNAction" and masks & OF_ALL_MEDIA
        )
        if not self.media_type or by_mask:
            return self.attributes
        return (*self.attributes, Medium(self.media_type))

    @property
    def other_media(self) -> int:
        """Actions that are of another medium than its own, as a set."""
        if not self.media_type:
            return 0
        if self.media_type == VOICE:
            return OF_INTERACTIONS & ~OF_ALL_MEDIA
        return ALL_ACTIONS & ~OF_INTERACTIONS


@frozen
class Definitions:
    """All that a request may name.

    Attributes:
        children_max: How many keys of a GroupBy statistic are told apart.
    """

    stat_types: Mapping[str, StatType] = field(factory=dict)
    time_profiles: Mapping[str, TimeProfile] = field(factory=dict)
    time_ranges: Mapping[str, TimeRange] = field(factory=dict)
    filters: Mapping[str, Filter] = field(factory=dict)
    children_max: int = 1000

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
