"""Logs: what is said, in the vendor's debug categories.

Warnings and errors are always said. What else is, is chosen by ``debug-level``,
a list of categories; ``all`` is every one of them but HA. A category is a set of
modules, so that whoever writes a log line need not think of it. Each has a number
(:mod:`.log_messages`), but those for debugging.
"""

from __future__ import annotations

import logging
import sys

from .log_forms import FORMS
from .log_messages import PACKAGE

# Category to the loggers that belong to it.
CATEGORIES: dict[str, tuple[str, ...]] = {
    "Init": (
        "server.serve", "server.reload", "server.backup.restoring", "server.systemd", "commands",
    ),
    "Client": ("server.client_task", "server.hub"),
    "Server": (
        "server.feed_task", "server.recorder", "server.supervisor", "server.tserver",
        "server.backup.task",
    ),
    "Mngmnt": ("server.management", "server.http"),
    "Java": ("server.extensions",),  # the vendor's name for what is Python here
    "HA": ("server.ha", "ha"),
}  # fmt: skip
NOT_IN_ALL = frozenset({"HA"})
ALWAYS = ("server.dump",)  # somebody has asked for it

NO_CONNECTION = "trio.serve_listeners"  # complains ten times a second while no file is left
NO_CONNECTION_SECONDS = 60.0


class Seldom(logging.Filter):
    """Lets a complaint through once in a while, in one line."""

    def __init__(self) -> None:
        super().__init__()
        self._next = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is said."""
        if record.created < self._next:
            return False
        self._next = record.created + NO_CONNECTION_SECONDS
        record.msg = f"no connection can be accepted; {record.getMessage()}"
        record.args, record.exc_info, record.exc_text = (), None, None
        return True


def set_up(
    debug_level: str,
    application: str,
    form: str = "text",
    handler: logging.Handler | None = None,
) -> None:
    """Log to standard error, the chosen categories in full.

    Args:
        form: ``text`` or ``json``; see :mod:`.log_forms`.
        handler: Writes instead; a :class:`~.log_queue.LogQueue` in a server that must not wait.
    """
    handler = handler or logging.StreamHandler(sys.stderr)
    handler.setFormatter(FORMS[form](application))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(NO_CONNECTION).filters[:] = [Seldom()]
    wanted = {name.strip().lower() for name in debug_level.split(",")}
    for category, loggers in CATEGORIES.items():
        everything = "all" in wanted and category not in NOT_IN_ALL
        level = logging.INFO if everything or category.lower() in wanted else logging.WARNING
        for name in loggers:
            logging.getLogger(f"{PACKAGE}.{name}").setLevel(level)
    for name in ALWAYS:
        logging.getLogger(f"{PACKAGE}.{name}").setLevel(logging.INFO)
