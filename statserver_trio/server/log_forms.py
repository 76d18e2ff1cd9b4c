"""The forms of a log line: for people, or for programs that read logs.

    2026-11-30 22:15:07,125 WARNING SST-2101 stat-primary statserver_trio.server.feed_task: feed ts1
        cannot be reached: Connection refused

    {"time": "2026-11-30T22:15:07.125Z", "level": "warning", "id": "SST-2101", "application": ...}

One record is one line. Of a text that has several, in the form for people, the others are indented,
and control characters are escaped in both: what a client or feed has sent cannot pass for a
record of ours, nor move the cursor of the terminal that shows it.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime

from .log_messages import find

_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")
INDENT = "\n    "


class TextForm(logging.Formatter):
    """For people."""

    def __init__(self, application: str) -> None:
        super().__init__()
        self._application = application

    def format(self, record: logging.LogRecord) -> str:
        """See the module."""
        message = find(record)
        id = f"{message.id} " if message is not None else ""
        when = self.formatTime(record)
        said = f"{record.levelname:7} {id}{self._application} {record.name}: {_text(record)}"
        return f"{when} {_CONTROL.sub(_escaped, said).replace(chr(10), INDENT)}"


class JsonForm(logging.Formatter):
    """For programs: one JSON object, always with the same members up to ``message``."""

    def __init__(self, application: str) -> None:
        super().__init__()
        self._application = application

    def format(self, record: logging.LogRecord) -> str:
        """See the module; ``id`` is null for what is not of ours, or for debugging."""
        message = find(record)
        when = datetime.fromtimestamp(record.created, UTC)
        said = {
            "time": when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "id": None if message is None else message.id,
            "application": self._application,
            "logger": record.name,
            "message": record.getMessage(),
        }
        traceback = _traceback(record)
        if traceback:
            said["traceback"] = traceback
        return _CONTROL.sub(_escaped, json.dumps(said, ensure_ascii=False))


def _traceback(record: logging.LogRecord) -> str:
    if record.exc_info and not record.exc_text:
        return logging.Formatter().formatException(record.exc_info)
    return record.exc_text or ""


def _text(record: logging.LogRecord) -> str:
    traceback = _traceback(record)
    return f"{record.getMessage()}\n{traceback}" if traceback else record.getMessage()


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


FORMS = {"text": TextForm, "json": JsonForm}
