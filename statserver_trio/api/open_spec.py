"""Statistics on the command line: ``ObjectType:objectId:StatType[,option=value]...``.

The object id stands between the first colon and the last one, so it may hold
colons, commas and at signs itself: ``RegDN:Local/a1@agents@sw1:CurrentDNState``.
Options are ``profile``, ``range``, ``range2`` and ``filter``; they stand at the end
and are read from there.
"""

from __future__ import annotations

import re

from ..stats.definitions import object_types
from ..stats.requests import DEFAULT_TENANT, StatisticRequest
from .messages import MetricEx, ObjectRef

OPTIONS = {
    "profile": "time_profile",
    "range": "time_range",
    "range2": "time_range2",
    "filter": "filter",
}
SYNTAX = "ObjectType:objectId:StatType[,profile=P][,range=R][,range2=R][,filter=F]"

_LAST_OPTION = re.compile(rf",\s*({'|'.join(OPTIONS)})\s*=([^,]*)$", re.IGNORECASE)
_STRAY_OPTION = re.compile(r",\s*([^,=:]*)=")


def parse_open(text: str) -> StatisticRequest:
    """The statistic that is asked for.

    Raises:
        ValueError: What is wrong, and what is allowed.

    >>> parse_open("Queue:8001@sw1:Total_Calls_Entered,profile=QuarterHour").time_profile
    'QuarterHour'
    """
    rest, options = _options(text)
    object_type, colon, rest = rest.partition(":")
    object_id, second_colon, stat_type = rest.rpartition(":")
    if not (colon and second_colon):
        raise ValueError(f"{text!r} needs two colons: {SYNTAX}")
    canonical = object_types.canonical(object_type)
    if canonical is None:
        allowed = ", ".join(object_types.OBJECT_TYPES)
        raise ValueError(f"{text!r}: no such object type as {object_type!r}; allowed: {allowed}")
    stray = _STRAY_OPTION.search(stat_type)
    if stray:
        allowed = ", ".join(OPTIONS)
        raise ValueError(f"{text!r}: no such option as {stray[1]!r}; allowed: {allowed}")
    object_id, stat_type = object_id.strip(), stat_type.strip()
    if not object_id:
        raise ValueError(f"{text!r} names no object between the colons: {SYNTAX}")
    if not stat_type:
        raise ValueError(f"{text!r} names no stat type after the last colon: {SYNTAX}")
    if "," in stat_type:
        after = stat_type.partition(",")[2]
        allowed = ", ".join(f"{name}=" for name in OPTIONS)
        raise ValueError(f"{text!r}: {after!r} is no option; allowed: {allowed}")
    return StatisticRequest(canonical, object_id, stat_type, **options)


def _options(text: str) -> tuple[str, dict[str, str]]:
    """What is before the options, and the options by their fields."""
    found: dict[str, str] = {}
    while True:
        last = _LAST_OPTION.search(text)
        if last is None or text.count(":", 0, last.start()) < 2:  # else it is in the object id
            return text, found
        name, value = last[1].lower(), last[2].strip()
        if not value:
            raise ValueError(f"{text!r}: {name} has no value; leave it out or name one")
        if OPTIONS[name] in found:
            raise ValueError(f"{text!r}: {name} is there twice")
        found[OPTIONS[name]] = value
        text = text[: last.start()]


def format_open(request: StatisticRequest) -> str:
    """The text that :func:`parse_open` reads as this request, of a configured stat type."""
    text = f"{request.object_type}:{request.object_id}:{request.stat_type}"
    for name, attribute in OPTIONS.items():
        value = getattr(request, attribute)
        if value:
            text += f",{name}={value}"
    return text


def inline_request(whose: ObjectRef, metric: MetricEx) -> StatisticRequest:
    """What a definition of a client's own asks for, to be shown: what is counted is its stat type.

    >>> whose = ObjectRef(object_id="8001@sw1", object_type="Queue")
    >>> metric = MetricEx(category="TotalNumber", subject="DNAction", main_mask="CallAnswered")
    >>> format_open(inline_request(whose, metric))
    'Queue:8001@sw1:TotalNumber(CallAnswered)'
    """
    mask = metric.expression or metric.main_mask or ""
    counted = mask if isinstance(mask, str) else ",".join(mask)
    return StatisticRequest(
        object_type=whose.object_type,
        object_id=whose.object_id,
        stat_type=f"{metric.category}({counted})",
        time_profile=metric.time_profile,
        time_range=metric.time_range,
        time_range2=metric.time_range2,
        filter=metric.filter,
        tenant=whose.tenant_name or DEFAULT_TENANT,
    )
