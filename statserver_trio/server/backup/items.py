"""Items of a server without a peer: those of the pair, for nobody's account but its own."""

from __future__ import annotations

import msgspec

from ...ha.messages import Item, Kind
from ...stats.statistic import Statistic
from ...stats.transfer import export_statistic
from ..link_definitions import Hashes, definition_of, key_text


def item_of(statistic: Statistic, hashes: Hashes) -> Item:
    """A statistic as it is now."""
    counts = statistic.counts
    return Item(
        key_text(statistic.key),
        definition_of(statistic),
        hashes.of(statistic),
        Kind.OPEN if counts else Kind.DEF_ONLY,
        msgspec.msgpack.encode(export_statistic(statistic)) if counts else b"",
    )


def without_numbers(item: Item) -> Item:
    """The same without what was counted."""
    return msgspec.structs.replace(item, kind=Kind.DEF_ONLY, payload=b"", coverage={})
