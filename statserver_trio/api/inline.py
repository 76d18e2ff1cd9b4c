"""Requests of the wire as requests of the engine, inline definitions included.

A client may bring its own definition (``OpenStatisticEx``) instead of the name
of a configured stat type. It is read by the same parser as the configuration,
so it means the same and is refused with the same words.
"""

from __future__ import annotations

from datetime import UTC
from functools import lru_cache

from attrs import evolve

from ..stats.definitions import DefinitionError, StatType, object_types
from ..stats.definitions.masks import names_in
from ..stats.definitions.stat_types import parse_stat_type
from ..stats.definitions.time_profiles import TimeProfile, parse_time_profile
from ..stats.requests import DEFAULT_TENANT, StatisticError, StatisticRequest
from ..stats.telling.notifications import MODE_NAMES, Mode, Notification
from .messages import Interval, MetricEx, NotificationRef, OpenStatistic, OpenStatisticEx

_MODES_BY_LOWER = {name.lower(): mode for name, mode in MODE_NAMES.items()}

# The options of a stat type, and where a client writes them.
_FIELDS = {
    "Category": "metric.category",
    "Subject": "metric.subject",
    "MainMask": "metric.mainMask",
    "RelMask": "metric.relMask",
    "MediaType": "metric.mediaType",
    "Formula": "metric.formula",
    "Expression": "metric.expression",
    "GroupBy": "metric.groupBy",
    "Objects": "object.objectType",
    "PythonSubCategory": "metric.category",
}
# The intervals of the Platform SDK (t-events.md §5.1), as kinds of time profiles.
_INTERVALS = {
    "growingwindow": "Growing",
    "slidingwindow": "Sliding",
    "slidingselection": "Selection",
    "selectionwindow": "Selection",
    "sincelogin": "SinceLogin",
}
INTERVAL_NAMES = ("GrowingWindow", "SlidingWindow", "SlidingSelection", "SinceLogin")
DCID = "DistByConnID"  # where nothing else is computed
_INLINE = "Inline"  # stands in for a name where the parser of profiles wants one


def read_notification(wanted: NotificationRef) -> Notification:
    """When the client wants to be told.

    Raises:
        StatisticError: There is no such mode, or it needs a frequency.
    """
    mode = _MODES_BY_LOWER.get(wanted.mode.strip().lower())
    if mode is None:
        allowed = ", ".join(MODE_NAMES)
        raise StatisticError(
            "bad-request", f"notification.mode: {wanted.mode!r} is none; allowed: {allowed}"
        )
    if mode is Mode.TIME_BASED and wanted.frequency < 1:
        raise StatisticError(
            "bad-request", "notification.frequency: TimeBased needs seconds, 1 or more"
        )
    if 0 < wanted.frequency < 1:
        raise StatisticError(
            "bad-request",
            f"notification.frequency: {wanted.frequency:g} s is too often; allowed: 0 for every "
            "second, or 1 and more",
        )
    return _notification(mode, _tenths(wanted.frequency), wanted.insensitivity)


def _tenths(seconds: float) -> float:
    """Every period has rounds of its own, so there must not be thousands within a second."""
    return int(seconds) if seconds == int(seconds) else round(seconds, 1)


def tells_changes_only(wanted: NotificationRef) -> bool:
    """Whether a client that wants to be told so is told nothing but changes."""
    return _MODES_BY_LOWER.get(wanted.mode.strip().lower()) is Mode.CHANGES_BASED


@lru_cache(1000)
def _notification(mode: Mode, frequency: float, insensitivity: float) -> Notification:
    """One object for all who want to be told in the same way."""
    return Notification(mode, frequency, insensitivity)


def read_request(
    message: OpenStatistic | OpenStatisticEx, tenant: str = DEFAULT_TENANT
) -> StatisticRequest:
    """What the engine is to open.

    Args:
        tenant: The server's, the only one there is.

    Raises:
        StatisticError: ``bad-request``, naming every field that is wrong; ``unknown-object`` where
            the tenant is another one.
    """
    whose, metric = message.object, message.metric
    stat_type: str | StatType
    profile: str | TimeProfile | None = metric.time_profile
    if isinstance(metric, MetricEx):
        stat_type = _definition(metric, whose.object_type)
        profile = _interval(metric.interval, profile)
    else:
        stat_type = metric.statistic_type
    return StatisticRequest(
        object_type=whose.object_type,
        object_id=whose.object_id,
        stat_type=stat_type,
        time_profile=profile,
        time_range=metric.time_range,
        time_range2=metric.time_range2,
        filter=metric.filter,
        tenant=_tenant(whose.tenant_name or "", tenant),
    )


def _tenant(name: str, ours: str) -> str:
    """Ours, also for who names none or the default one, as clients do that know of no tenants.

    The tenant is part of what a statistic is: by another name it would be counted once more.
    """
    if name.strip() not in ("", DEFAULT_TENANT, ours):
        raise StatisticError(
            "unknown-object", f"object.tenantName: tenant {name!r} is none; known: {ours}"
        )
    return ours


def _definition(metric: MetricEx, object_type: str) -> StatType:
    if object_types.canonical(object_type) is None:
        allowed = ", ".join(object_types.OBJECT_TYPES)
        raise StatisticError(
            "bad-request", f"object.objectType: {object_type!r} is none; allowed: {allowed}"
        )
    written = {
        "Category": metric.category,
        "Subject": metric.subject,
        "MainMask": _mask(metric.main_mask),
        "RelMask": _mask(metric.rel_mask),
        "MediaType": metric.media_type,
        "Formula": metric.formula,
        "Expression": metric.expression,
        "GroupBy": metric.group_by,
        "Objects": object_type,
    }
    options = {key: text for key, text in written.items() if text}
    try:
        stat_type = parse_stat_type("", options)
    except DefinitionError as exc:
        said = "; ".join(f"{_FIELDS.get(key, key)}: {what}" for key, what in exc.mistakes)
        raise StatisticError("bad-request", said) from None
    return evolve(stat_type, text=_normal(stat_type))


def _mask(mask: str | list[str] | None) -> str | None:
    return ",".join(mask) if isinstance(mask, list) else mask


def _normal(stat_type: StatType) -> dict[str, str]:
    """The same text for the same definition: that is what identifies it (statistics.md §11.3)."""
    text = dict(stat_type.text)
    text.update(
        Category=stat_type.category,
        Subject=stat_type.subject,
        Objects=",".join(sorted(stat_type.objects)),
        MainMask=",".join(names_in(stat_type.main_mask)),
    )
    if stat_type.media_type:
        text["MediaType"] = stat_type.media_type
    if stat_type.rel_mask is not None:
        text["RelMask"] = ",".join(names_in(stat_type.rel_mask))
    if stat_type.by_call:
        text["Formula"] = DCID
    for option, read in (
        ("Formula", stat_type.custom_value),
        ("Expression", stat_type.formula),
        ("GroupBy", stat_type.group_by),
    ):
        if read is not None:
            text[option] = read.text
    return text


def _interval(
    interval: Interval | None, profile: str | TimeProfile | None
) -> str | TimeProfile | None:
    """The profile an inline interval stands for, or the named one.

    A growing window is reset by the named profile; its own length is passed
    over, as real clients send one along without meaning it (our decision). A
    sliding window or selection without a length is the named profile's.
    """
    if interval is None:
        return profile
    kind = _INTERVALS.get(interval.type.strip().lower())
    if kind is None:
        allowed = ", ".join(INTERVAL_NAMES)
        raise StatisticError(
            "bad-request", f"metric.interval.type: {interval.type!r} is none; allowed: {allowed}"
        )
    if kind == "Growing":
        return profile
    if kind != "SinceLogin" and not interval.length:
        if profile:
            return profile
        raise StatisticError(
            "bad-request", f"metric.interval.length: {interval.type} needs one, 1 or more"
        )
    length = _whole("length", interval.length or 0)
    text = {
        "Sliding": f"{length}:{_whole('step', interval.step or 1)}",
        "Selection": f"{length}",
        "SinceLogin": "",
    }[kind]
    try:
        return evolve(parse_time_profile(f"{_INLINE},{kind}", text, UTC), name="")
    except ValueError as exc:
        raise StatisticError("bad-request", f"metric.interval: {exc}") from None


def _whole(field: str, number: float) -> int:
    """Windows are made of whole seconds, selections of occurrences: 600.0 will do, 90.5 not."""
    if number != int(number):
        raise StatisticError(
            "bad-request", f"metric.interval.{field}: {number:g} is no whole number, as it must be"
        )
    return int(number)
