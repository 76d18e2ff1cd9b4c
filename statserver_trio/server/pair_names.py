"""What a statistic is called on the link of a pair, and the request that opens it there.

Names travel and not what they stand for: each member looks them up in its own configuration.
"""

from __future__ import annotations

from datetime import UTC

import msgspec
from attrs import evolve

from ..stats.definitions import StatType
from ..stats.requests import StatisticRequest
from ..stats.stat_types import parse_stat_type
from ..stats.statistic import Key
from ..stats.time_profiles import TimeProfile, parse_time_profile


def key_text(key: Key) -> str:
    """The key of a statistic on the link."""
    fields = (
        key.tenant,
        key.object_type,
        key.object_id,
        key.stat_type,
        key.time_profile,
        key.time_range,
        key.time_range2,
        key.filter,
    )
    return msgspec.json.encode(fields).decode()


def write_request(request: StatisticRequest) -> str:
    """A request as JSON: by names, and what a client brought along as it was made."""
    stat_type, profile = request.stat_type, request.time_profile
    data = {
        "object": [request.object_type, request.object_id, request.tenant],
        "stat_type": stat_type if isinstance(stat_type, str) else None,
        "inline": dict(stat_type.text) if isinstance(stat_type, StatType) else None,
        # A client can bring along only profiles that have no zone.
        "profile": [profile.kind, profile.text] if isinstance(profile, TimeProfile) else profile,
        "range": request.time_range,
        "range2": request.time_range2,
        "filter": request.filter,
    }
    return msgspec.json.encode(data).decode()


def read_request(text: str) -> StatisticRequest:
    """The request that was written.

    Raises:
        KeyError, ValueError, TypeError, msgspec.DecodeError: The text is none.
    """
    data = msgspec.json.decode(text)
    object_type, object_id, tenant = data["object"]
    stat_type, profile = data["stat_type"], data["profile"]
    if isinstance(profile, list):
        kind, value = profile
        profile = evolve(parse_time_profile(f"Inline,{kind}", value, UTC), name="")
    return StatisticRequest(
        object_type,
        object_id,
        parse_stat_type("", data["inline"]) if stat_type is None else stat_type,
        profile,
        data["range"],
        data["range2"],
        data["filter"],
        tenant,
    )
