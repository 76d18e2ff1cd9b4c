"""The fingerprint: whether the two members of a pair count by the same configuration.

It covers what decides how something is counted: objects, stat types, profiles, ranges,
filters. Names, ports and timers of the two members differ by nature, and are not in it.
"""

from __future__ import annotations

import hashlib
import json

from .dump import tables
from .schema import Config

COUNTS = (
    "objects", "dns", "agents", "places", "agent-groups", "place-groups",
    "virtual-agent-groups", "queue-groups", "origination-dns", "time-profiles", "time-ranges",
    "filters", "stat-types", "campaigns", "business-attributes", "interactions",
    "capacity-rules",
)  # fmt: skip
COUNTS_IN_SERVER = ("time-zone", "time-resolution")


def fingerprint(config: Config) -> str:
    """The same for configurations by which everything is counted in the same way."""
    found = tables(config)
    content = {section: found.get(section) for section in COUNTS}
    server = {key: found["server"].get(key) for key in COUNTS_IN_SERVER}
    text = json.dumps([content, server], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
