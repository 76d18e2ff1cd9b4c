"""Describing: from what a client asks for to the statistic that would count it.

Every name of a request is looked up, and what does not go together is refused with a
sentence; nothing is counted yet.
"""

from __future__ import annotations

from ..model.world import WorldOptions
from .books.book import Book
from .books.rules import rules_of
from .categories import CATEGORIES, DEFAULT, EXPLICIT, Category
from .definitions import Definitions, StatType, object_types
from .definitions.filters import Filter
from .definitions.stat_types import SUBJECTS, UNFED
from .definitions.time_profiles import TimeProfile
from .definitions.time_ranges import TimeRange
from .extended.pushed import Pushed
from .extended.registry import Extended
from .refusals import refusal
from .requests import ExtensionMissing, StatisticError, StatisticRequest
from .statistic import Key, Statistic


def describe(
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
    stat_type = _stat_type(request, definitions, extended)
    object_type = _object_type(request, stat_type)
    offer = extended.offer_for(stat_type, object_type)
    if offer is None:
        _check_subject(object_type, stat_type)
    category = CATEGORIES[stat_type.category] if offer is None else offer.category
    profile = _profile(request, definitions) if category.is_historical else None
    time_range, time_range2 = _ranges(request, definitions, category)
    chosen = _filter(request, definitions)
    key = Key(
        request.tenant,
        object_type,
        request.object_id.strip(),
        stat_type.name or repr(sorted(stat_type.text.items())),
        "" if profile is None else f"{profile.name},{profile.kind},{profile.text}",
        "" if time_range is None else time_range.name,
        "" if time_range2 is None else time_range2.name,
        request.filter or "",
    )
    if why := refusal(category, stat_type, profile, object_type):
        raise StatisticError("incompatible", f"metric: {why}")
    ranges = time_range, time_range2
    rules = rules_of(category, stat_type, profile, ranges, definitions.children_max)
    return Statistic(
        key,
        stat_type,
        category,
        profile,
        time_range,
        time_range2,
        chosen,
        0,
        use_pseudo=options.queue_use_pseudo_actions,
        book=None if rules is None else Book(rules),
        pushed=None if offer is None else Pushed(offer),
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
