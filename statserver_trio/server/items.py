"""Statistics as items: how one travels to the other member of a pair, or into a file.

The key is the canonical JSON of what identifies it, the definition the request that
opens it, the payload what it has counted as of the moment of writing.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ..ha.coverage import Coverage
from ..ha.messages import Item, Kind
from ..stats.definitions import StatType
from ..stats.requests import StatisticRequest
from ..stats.stat_types import parse_stat_type
from ..stats.statistic import Key, Statistic
from ..stats.transfer import definition_hash, export_statistic, request_of

# What reading an item raises that makes no sense here.
BROKEN = (KeyError, ValueError, TypeError, IndexError, AttributeError, msgspec.DecodeError)


def key_text(key: Key) -> str:
    """The key of a statistic on the link."""
    fields = (
        key.tenant,
        key.object_type,
        key.object_id,
        key.stat_type,
        key.time_profile,
        key.time_range,
        key.filter,
    )
    return msgspec.json.encode(fields).decode()


def item_of(
    statistic: Statistic, text: str, coverage: Coverage | None = None, held: bool = True
) -> Item:
    """A statistic as it is now.

    Args:
        text: Its key, from :func:`key_text`.
        coverage: What it contains, where somebody keeps account of that.
        held: See :class:`~.ha.messages.Item`.
    """
    # A state is read from the world; any other value, current ones included, may depend on
    # what a row remembers (since when a filter has been true, or a status in the mask).
    counts = statistic.category.kind != "state"
    return Item(
        text,
        msgspec.json.encode(_written(request_of(statistic))).decode(),
        definition_hash(statistic),
        Kind.OPEN if counts else Kind.DEF_ONLY,
        msgspec.msgpack.encode(export_statistic(statistic)) if counts else b"",
        dict(coverage or {}),
        held=held,
    )


def definition_of(item: Item) -> Item:
    """The same without what was counted."""
    return msgspec.structs.replace(item, kind=Kind.DEF_ONLY, payload=b"", coverage={})


def request_in(item: Item) -> StatisticRequest:
    """The request that opens the statistic.

    Raises:
        StatisticError: It has a stat type of its own, and that is none.
        KeyError, ValueError, TypeError: It is no definition.
    """
    return _read(msgspec.json.decode(item.definition))


def _written(request: StatisticRequest) -> dict[str, Any]:
    stat_type = request.stat_type
    return {
        "object": [request.object_type, request.object_id, request.tenant],
        "stat_type": stat_type if isinstance(stat_type, str) else None,
        "inline": dict(stat_type.text) if isinstance(stat_type, StatType) else None,
        "profile": request.time_profile,
        "range": request.time_range,
        "filter": request.filter,
    }


def _read(data: dict[str, Any]) -> StatisticRequest:
    object_type, object_id, tenant = data["object"]
    stat_type = data["stat_type"]
    return StatisticRequest(
        object_type,
        object_id,
        parse_stat_type("", data["inline"]) if stat_type is None else stat_type,
        data["profile"],
        data["range"],
        None,
        data["filter"],
        tenant,
    )
