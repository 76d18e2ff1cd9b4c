"""What a running server says about itself to whoever is at the machine, without a port.

A line for the service manager, and on SIGUSR1 the tree of tasks and the status for the log.
Secrets of the configuration are in neither: see :mod:`..config.secrets`.
"""

from __future__ import annotations

import json
import logging
import time

from .assembly import Parts
from .task_tree import task_tree

log = logging.getLogger(__name__)

STATUS_CHARACTERS_MAX = 200_000


def status_line(parts: Parts) -> str:
    """Role, feeds and clients, in one line; why it is not ready, if it is not."""
    hub, feeds = parts.hub, parts.feeds.values()
    connected = sum(feed.connected for feed in feeds)
    said = [
        hub.mode.role if parts.pair is not None else "standalone",
        f"{connected} of {len(feeds)} feeds",
        f"{len(hub.clients)} clients",
        f"{len(hub.engine.statistics)} statistics",
    ]
    if parts.pair is not None:
        said.append("synchronised" if hub.mode.synchronised else "not synchronised")
    return "; ".join([", ".join(said), *parts.management.not_ready()])


def dump(parts: Parts | None) -> None:
    """Say in the log what every task waits for, and the status; takes some milliseconds.

    Args:
        parts: None while there are none yet: then there is no status.
    """
    began = time.perf_counter()
    tree = task_tree()
    status = "starting" if parts is None else json.dumps(parts.management.status())
    seconds = time.perf_counter() - began
    log.info("tasks (%.1f ms to find out):\n%s", 1000 * seconds, "\n".join(tree))
    log.info("status: %s", status[:STATUS_CHARACTERS_MAX])
