"""Describing: from what a client asks for to the statistic that would count it.

Every name of a request is looked up, and what does not go together is refused with a
sentence; nothing is counted yet.
"""

from __future__ import annotations

from sys import intern
from weakref import WeakValueDictionary

from ..model.world import WorldOptions
from .books.rules import rules_of
from .categories import CATEGORIES, DEFAULT, EXPLICIT, Category
from .definitions import Definitions, StatType, object_types
from .definitions.filters import Filter
from .definitions.stat_types import SUBJECTS, UNFED
from .definitions.time_profiles import TimeProfile
from .definitions.time_ranges import TimeRange
from .extended.registry import Extended
from .meaning import Meaning, Names
from .refusals import refusal
from .requests import ExtensionMissing, StatisticError, StatisticRequest
from .statistic import Statistic


class Describer:
    """Finds out what requests mean.

    What was found out is remembered while something of that meaning is open, because a
    client that opens a stat type for every agent asks for the same meaning again and again.
    """

    def __init__(self) -> None:
        self._definitions: Definitions | None = None  # of which the meanings are remembered
        self._meanings: WeakValueDictionary[tuple[object, ...], Meaning] = WeakValueDictionary()

    def describe(
        self,
        request: StatisticRequest,
        definitions: Definitions,
        extended: Extended,
        options: WorldOptions,
    ) -> Statistic:
        """The statistic that is asked for, without anything counted yet.

        Args:
            extended: What extensions offer.

        Raises:
            StatisticError: With a code and a sentence that names the field.
        """
        if definitions is not self._definitions:
            self._definitions = definitions
            self._meanings.clear()
        asked = _asked(request, options)
        meaning = self._meanings.get(asked)
        if meaning is None:
            meaning = _meaning(request, definitions, extended, options)
            if meaning.offer is None:  # extensions come and go
                self._meanings[asked] = meaning
        # Every request brings the id along as a string of its own: 60 bytes, of most in vain.
        return Statistic(meaning, intern(request.object_id.strip()))


def _asked(request: StatisticRequest, options: WorldOptions) -> tuple[object, ...]:
    """All but the object. A definition of a client's own stands for itself alone.

    It is told by its id, which nothing else can have while a meaning made of it is remembered.
    """
    stat_type, profile = request.stat_type, request.time_profile
    return (
        request.tenant,
        request.object_type,
        stat_type if isinstance(stat_type, str) else id(stat_type),
        id(profile) if isinstance(profile, TimeProfile) else profile,
        request.time_range,
        request.time_range2,
        request.filter,
        options.queue_use_pseudo_actions,
    )


def _meaning(
    request: StatisticRequest,
    definitions: Definitions,
    extended: Extended,
    options: WorldOptions,
) -> Meaning:
    stat_type = _stat_type(request, definitions, extended)
    object_type = _object_type(request, stat_type)
    offer = extended.offer_for(stat_type, object_type)
    if offer is None:
        _check_subject(object_type, stat_type)
    category = CATEGORIES[stat_type.category] if offer is None else offer.category
    profile = _profile(request, definitions) if category.is_historical else None
    time_range, time_range2 = _ranges(request, definitions, category)
    chosen = _filter(request, definitions)
    names = Names(
        request.tenant,
        object_type,
        stat_type.name or repr(sorted(stat_type.text.items())),
        "" if profile is None else f"{profile.name},{profile.kind},{profile.text}",
        "" if time_range is None else time_range.name,
        "" if time_range2 is None else time_range2.name,
        request.filter or "",
    )
    if why := refusal(category, stat_type, profile, object_type):
        raise StatisticError("incompatible", f"metric: {why}")
    ranges = time_range, time_range2
    return Meaning(
        names,
        stat_type,
        category,
        profile,
        time_range,
        time_range2,
        chosen,
        options.queue_use_pseudo_actions,
        rules_of(category, stat_type, profile, ranges, definitions.children_max),
        offer,
    )


def _stat_type(request: StatisticRequest, definitions: Definitions, extended: Extended) -> StatType:
    name = request.stat_type
    if isinstance(name, StatType):
        return name
    found = definitions.stat_types.get(name) or extended.stat_type(name)
    if found is None:
        raise (ExtensionMissing if request.extension else StatisticError)(
            "unknown-stat-type",
            f"metric.statisticType: {request.stat_type!r} is not configured",
        )
    return found


def _object_type(request: StatisticRequest, stat_type: StatType) -> str:
    object_type = object_types.canonical(request.object_type)
    if object_type is None:
        allowed = ", ".join(object_types.OBJECT_TYPES)
        raise StatisticError(
            "bad-request",
            f"object.objectType: {request.object_type!r} is none; allowed: {allowed}",
        )
    if object_type not in stat_type.objects:
        allowed = ", ".join(sorted(stat_type.objects))
        raise StatisticError(
            "incompatible",
            f"metric.statisticType: {stat_type.name} is not for {object_type}; for: {allowed}",
        )
    return object_type


def _check_subject(object_type: str, stat_type: StatType) -> None:
    if object_type not in SUBJECTS[stat_type.subject]:
        raise StatisticError(
            "incompatible",
            f"object.objectType: {stat_type.subject} cannot be asked of {object_type}",
        )
    if stat_type.subject in UNFED:
        raise StatisticError(
            "incompatible",
            f"metric.statisticType: {stat_type.name or 'this'} counts {stat_type.subject}: "
            + UNFED[stat_type.subject],
        )


def _filter(request: StatisticRequest, definitions: Definitions) -> Filter | None:
    chosen = definitions.filters.get(request.filter) if request.filter else None
    if request.filter and chosen is None:
        raise StatisticError(
            "unknown-filter", f"metric.filter: {request.filter!r} is not configured"
        )
    return chosen


def _ranges(
    request: StatisticRequest, definitions: Definitions, category: Category
) -> tuple[TimeRange | None, TimeRange | None]:
    """The ranges that apply; those of categories that have none are passed over."""
    first, second = request.time_range, request.time_range2
    return (
        _range("timeRange", first, definitions)
        if category.time_range == DEFAULT or (category.time_range == EXPLICIT and first)
        else None,
        _range("timeRange2", second, definitions) if category.second_range and second else None,
    )


def _range(field: str, name: str | None, definitions: Definitions) -> TimeRange:
    found = definitions.time_range(name)
    if found is None:
        raise StatisticError("unknown-time-range", f"metric.{field}: {name!r} is not configured")
    return found


def _profile(request: StatisticRequest, definitions: Definitions) -> TimeProfile:
    asked = request.time_profile
    profile = asked if isinstance(asked, TimeProfile) else definitions.time_profile(asked)
    if profile is None:
        raise StatisticError(
            "unknown-time-profile", f"metric.timeProfile: {asked!r} is not configured"
        )
    return profile
