"""What a shell may complete the name of a statistic with: what a configuration or a server knows.

A shell asks while somebody types, so nothing is imported before it is needed, a server that does
not answer at once is not waited for, and what is wrong is no place to complain.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

if TYPE_CHECKING:
    import ssl

    from ..client import StatServerPair

ANSWER_SECONDS = 1.0  # for everything: who types does not wait longer


@frozen
class Known:
    """Names.

    Attributes:
        objects: Ids by object type.
        stat_types: Object types by stat type.
        options: What an option of a statistic may be, by the option.
    """

    objects: dict[str, list[str]]
    stat_types: dict[str, Collection[str]]
    options: dict[str, list[str]]


NOTHING = Known({}, {}, {})


def _options(profiles: list[str], ranges: list[str], filters: list[str]) -> dict[str, list[str]]:
    return {"profile": profiles, "range": ranges, "range2": ranges, "filter": filters}


def configured(path: Path) -> Known:
    """What a configuration knows; nothing where it is wrong."""
    from ..api.profiles import object_type_of
    from ..config.load import load
    from ..config.mistakes import ConfigError
    from ..config.site import make_site

    try:
        site = make_site(load(path))
    except ConfigError:
        return NOTHING
    directory, definitions = site.directory, site.definitions
    objects: dict[str, list[str]] = {
        "Agent": list(directory.agents),
        "Place": list(directory.places),
        "GroupAgents": [*directory.agent_groups, *directory.virtual_agent_groups],
        "GroupPlaces": list(directory.place_groups),
        "GroupQueues": list(directory.queue_groups),
    }
    for key, dn in directory.dns.items():
        objects.setdefault(object_type_of(dn.type), []).append(str(key))
    return Known(
        objects,
        {name: stat_type.objects for name, stat_type in definitions.stat_types.items()},
        _options(
            list(definitions.time_profiles),
            list(definitions.time_ranges),
            list(definitions.filters),
        ),
    )


def served(urls: Sequence[str], authorities: ssl.SSLContext | None = None) -> Known:
    """What the first of these servers that answers knows; nothing where none does in time."""
    import trio

    from ..client import ConnectionLost, Refused, stay_connected

    found: list[Known] = []

    async def ask() -> None:
        with trio.move_on_after(ANSWER_SECONDS), suppress(ConnectionLost, Refused):
            async with stay_connected(*urls, ssl_context=authorities) as stats:
                found.append(await _names(stats))

    trio.run(ask)
    return found[0] if found else NOTHING


async def _names(stats: StatServerPair) -> Known:
    objects: dict[str, list[str]] = {}
    for item in await stats.profile("Objects"):
        objects.setdefault(item["objectType"], []).append(item["objectId"])
    stat_types = await stats.profile("StatTypes")
    names: list[list[Any]] = [
        [item["name"] for item in await stats.profile(profile)]
        for profile in ("TimeProfiles", "TimeRanges", "Filters")
    ]
    return Known(objects, {each["name"]: each["objects"] for each in stat_types}, _options(*names))
