"""The log's queue: whoever says something never waits for the disk or pipe that it goes to.

    loggers --emit--> queue, bounded --one thread--> a file descriptor

A write to standard error blocks when nobody reads the other end of the pipe, and would stop every
statistic with it. So records are queued, and a thread of its own writes them. When the queue is
full, records are dropped and counted, and how many is said as soon as there is room again.

The thread writes to the descriptor and not to ``sys.stderr``: a thread that is stuck holding the
lock of that object makes the interpreter abort when it ends.
"""

from __future__ import annotations

import copy
import logging
import os
import queue
import select
import threading
import time
from collections.abc import Callable

from .log_messages import TEMPLATE

RECORDS_MAX = 10_000  # waiting; some megabytes (our decision)
CLOSE_SECONDS = 1.0  # for what still waits, at the end

DROPPED = "%d log records are missing here: they came faster than they could be written"

log = logging.getLogger(__name__)

Write = Callable[[bytes], None]


def descriptor(number: int) -> Write:
    """Writes to an open file descriptor, and waits as long as it takes.

    Raises:
        OSError: From the call; nobody reads the other end, or the disk is full.
    """

    def write(data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(number, rest) :]
            except BlockingIOError:  # whoever gave it to us has made it so
                select.select([], [number], [])

    return write


class LogQueue(logging.Handler):
    """A handler that never waits; see above.

    Args:
        write: Where lines go; may block, may raise OSError.
        records_max: Waiting at once.
    """

    def __init__(self, write: Write, records_max: int = RECORDS_MAX) -> None:
        super().__init__()
        self._write = write
        self._queue: queue.Queue[logging.LogRecord | None] = queue.Queue(records_max)
        self._full = self._failed = self._told = 0
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """How many records were not written, because of a full queue or a disk that refused."""
        return self._full + self._failed

    @property
    def waiting(self) -> int:
        """How many records have not been written yet."""
        return self._queue.qsize()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a record, or drop it."""
        try:
            self._queue.put_nowait(_settled(record))
        except queue.Full:
            self._full += 1
        except Exception:  # template and arguments do not fit: a bug, which must not end the server
            self.handleError(record)

    def flush_and_close(self, seconds: float = CLOSE_SECONDS) -> bool:
        """Write what waits, but no longer than so; whether all of it was written.

        Nothing is written after it has returned True; else the thread dies with the process.
        """
        deadline = time.monotonic() + seconds
        try:
            self._queue.put(None, timeout=seconds)
        except queue.Full:
            return False
        self._thread.join(max(deadline - time.monotonic(), 0))
        return not self._thread.is_alive()

    # -- the thread ----------------------------------------------------------------------------

    def _run(self) -> None:
        while (record := self._queue.get()) is not None:
            self._failed += not self._say(record)
            self._own_up()
        self._own_up()

    def _own_up(self) -> None:
        """Say how many are missing, once it will not be the next one to be."""
        missing = self.dropped - self._told
        if missing and self._queue.qsize() <= self._queue.maxsize // 2:
            note = log.makeRecord(log.name, logging.ERROR, __file__, 0, DROPPED, (missing,), None)
            if self._say(_settled(note)):
                self._told += missing

    def _say(self, record: logging.LogRecord) -> bool:
        line = f"{self.format(record)}\n".encode(errors="backslashreplace")
        try:
            self._write(line)
        except OSError:
            return False
        return True


def _settled(record: logging.LogRecord) -> logging.LogRecord:
    """As it is now: what its arguments stand for may change before it is written.

    The template, by which messages are numbered, stays in ``template``.
    """
    settled = copy.copy(record)
    settled.__dict__[TEMPLATE] = record.msg
    settled.msg, settled.args = record.getMessage(), None
    if record.exc_info:
        settled.exc_text = record.exc_text or _traceback(record)
        settled.exc_info = None
    return settled


def _traceback(record: logging.LogRecord) -> str:
    assert record.exc_info
    return logging.Formatter().formatException(record.exc_info)


def dropped_and_waiting() -> tuple[int, int]:
    """How many records all handlers of this kind have dropped, and how many wait."""
    found = [each for each in logging.getLogger().handlers if isinstance(each, LogQueue)]
    return sum(each.dropped for each in found), sum(each.waiting for each in found)
