"""The page of the log: every warning and error with its number, and what to do about it."""

from __future__ import annotations

from itertools import groupby

from statserver_trio.server.log_messages import MESSAGES, LogMessage

from .markdown import code, head, table

TITLE = "Log messages"
SOURCE = "statserver_trio/server/log_messages.py"
COLUMNS = ("id", "level", "it says", "what has happened", "what to do")
TITLES = {
    "1": "Process, log, configuration",
    "2": "T-Servers and recordings",
    "3": "The pair",
    "4": "Clients and operators",
    "5": "The backup file",
    "6": "Extensions",
}


def page() -> str:
    """All of them, in the order of their numbers."""
    parts = [
        head(
            TITLE,
            SOURCE,
            "Everything that is logged has a number, but for what is there for debugging. "
            "SST-x0xx are news, of level info; the others call for a look. A number stays what "
            "it is when the words change. `%s` and its like stand for what differs from line to "
            "line.",
        )
    ]
    for thousand, group in groupby(sorted(MESSAGES), key=_thousand):
        parts += [f"## {TITLES[thousand]}", table(COLUMNS, map(_row, group))]
    return "\n\n".join(parts) + "\n"


def _thousand(message: LogMessage) -> str:
    return message.id.partition("-")[2][0]


def _row(message: LogMessage) -> tuple[str, ...]:
    said = code(message.template)
    return message.id, message.level, said, message.meaning, message.remedy
