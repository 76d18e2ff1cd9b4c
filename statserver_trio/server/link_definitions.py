"""Statistics by name on the pair's link: their key, their definition, and its hash.

The key is the canonical JSON of a statistic's identity, the definition the request
that opens it anywhere. The hash says whether both members mean the same by it. All
three are the same as long as a statistic is open, and asked for again and again.
"""

from __future__ import annotations

from datetime import UTC

import msgspec
from attrs import define, evolve, field
from msgspec import Struct

from ..stats.definitions import StatType
from ..stats.definitions.stat_types import parse_stat_type
from ..stats.definitions.time_profiles import TimeProfile, parse_time_profile
from ..stats.requests import StatisticRequest
from ..stats.statistic import Key, Statistic
from ..stats.transfer import definition_hash, request_of

HASHES_MAX = 10_000  # of different combinations of stat type, profile, range and filter

_encode = msgspec.json.encode


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
    return _encode(fields).decode()


def definition_of(statistic: Statistic) -> str:
    """All that is needed to open the same statistic elsewhere."""
    request = request_of(statistic)
    stat_type, profile = request.stat_type, request.time_profile
    data = {
        "object": [request.object_type, request.object_id, request.tenant],
        "stat_type": stat_type if isinstance(stat_type, str) else None,
        "inline": dict(stat_type.text) if isinstance(stat_type, StatType) else None,
        # One that a client brought along; those have no zone.
        "profile": [profile.kind, profile.text] if isinstance(profile, TimeProfile) else profile,
        "range": request.time_range,
        "range2": request.time_range2,
        "filter": request.filter,
    }
    if request.extension:
        data["extension"] = request.extension
    return _encode(data).decode()


class _Definition(Struct):
    """What :func:`definition_of` writes; whoever does not know a field passes over it."""

    object: tuple[str, str, str]  # type, id and tenant
    stat_type: str | None
    inline: dict[str, str] | None
    profile: tuple[str, str] | str | None
    range: str | None
    range2: str | None
    filter: str | None
    extension: str = ""


_read = msgspec.json.Decoder(_Definition).decode


def request_from(definition: str) -> StatisticRequest:
    """The request that a definition stands for.

    Raises:
        msgspec.DecodeError, TypeError: It is no definition.
        StatisticError: It holds a stat type that makes no sense here.
    """
    told = _read(definition)
    object_type, object_id, tenant = told.object
    if told.stat_type is None and told.inline is None:
        raise TypeError("a definition without a stat type")
    profile: TimeProfile | str | None
    if isinstance(told.profile, tuple):
        kind, text = told.profile
        profile = evolve(parse_time_profile(f"Inline,{kind}", text, UTC), name="")
    else:
        profile = told.profile
    return StatisticRequest(
        object_type,
        object_id,
        parse_stat_type("", told.inline or {}) if told.stat_type is None else told.stat_type,
        profile,
        told.range,
        told.range2,
        told.filter,
        tenant,
        told.extension,
    )


@define
class Hashes:
    """The hashes of definitions; thousands of statistics share one."""

    # By the identities of the parts, which are kept beside so that those stay theirs.
    _known: dict[tuple[int, ...], tuple[tuple[object, ...], str]] = field(factory=dict, init=False)

    def of(self, statistic: Statistic) -> str:
        """The hash of a statistic's definition."""
        parts = (
            statistic.stat_type,
            statistic.profile,
            statistic.time_range,
            statistic.time_range2,
            statistic.filter,
        )
        ids = tuple(map(id, parts))
        found = self._known.get(ids)
        if found is None:
            if len(self._known) >= HASHES_MAX:
                self._known.clear()
            found = self._known[ids] = parts, definition_hash(statistic)
        return found[1]
