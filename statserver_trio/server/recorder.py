"""Write what is applied to a file, without ever waiting for the disk.

    record() -> queue, bounded -> one task -> worker thread -> file, rotated

``record`` only puts a list into a queue; encoding and writing happen in a worker
thread, one batch at a time. A disk that is slower than the events fills the
queue; what does not fit is dropped and counted, and the log says so once, until
the queue has been empty again. A full or missing disk never stops the server.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from math import inf
from pathlib import Path
from typing import BinaryIO

import trio

from ..tlib.events import TEvent, Unhandled
from ..tlib.recording import Rotation, lines

log = logging.getLogger(__name__)

PENDING_EVENTS_MAX = 200_000  # not yet written, about 100 MB; further ones are dropped
BATCH_EVENTS_MAX = 20_000  # encoded and written in one go
FLUSH_SECONDS = 5.0  # for the rest, at the end; no batch is begun after that, and the log says so

Batch = list[tuple[list[TEvent | Unhandled], float]]


class Recorder:
    """A recording under way.

    Args:
        path: The newest file. One that exists is continued.
        rotation: When to begin another one.
        pending_max: Events that may wait to be written.

    Attributes:
        written: Events that have reached the file.
        dropped: Events that have not, and never will.
    """

    def __init__(
        self,
        path: Path | str,
        rotation: Rotation | None = None,
        pending_max: int = PENDING_EVENTS_MAX,
    ) -> None:
        self.written = 0
        self.dropped = 0
        self._path = Path(path)
        self._rotation = rotation or Rotation()
        self._pending_max = pending_max
        self._queue: deque[tuple[list[TEvent | Unhandled], float]] = deque()
        self._pending = 0
        self._more = trio.Event()
        self._overflowing = False
        self._failing = False
        self._file: BinaryIO | None = None
        self._size = 0

    def record(self, events: list[TEvent | Unhandled], now_ms: int) -> None:
        """Write these events, which arrived at ``now_ms`` (Unix ms), sooner or later.

        The list and its events belong to the recorder from now on: nobody may
        change them.
        """
        if self._pending + len(events) > self._pending_max:
            self.dropped += len(events)
            if not self._overflowing:
                self._overflowing = True
                log.error("recording %s: the disk is too slow, dropping events", self._path)
            return
        self._queue.append((events, now_ms / 1000))
        self._pending += len(events)
        self._more.set()

    async def run(self) -> None:
        """Write until cancelled, and then what is left."""
        try:
            while True:
                await self._more.wait()
                self._more = trio.Event()
                await self._write_pending()
        finally:
            await self._write_pending(until=trio.current_time() + FLUSH_SECONDS)
            if self._pending:
                self.dropped += self._pending
                log.error("recording %s: %d events were not written", self._path, self._pending)
            self._close()

    async def _write_pending(self, until: float = inf) -> None:
        while self._queue and trio.current_time() < until:
            batch, count = self._take()
            # Shielded: a batch that was taken is written, and by one thread only.
            with trio.CancelScope(shield=True):
                error = await trio.to_thread.run_sync(self._write, batch)
            self._pending -= count
            if error is None:
                self.written += count
                self._failing = False
            else:
                self.dropped += count
                if not self._failing:
                    self._failing = True
                    log.error("recording %s: %s; dropping events", self._path, error)
        self._overflowing = False

    def _take(self) -> tuple[Batch, int]:
        batch: Batch = []
        count = 0
        while self._queue and count < BATCH_EVENTS_MAX:
            batch.append(self._queue.popleft())
            count += len(batch[-1][0])
        return batch, count

    # -- in the worker thread -----------------------------------------------------------

    def _write(self, batch: Batch) -> OSError | None:
        """Write the batch; what the disk had to say if it could not."""
        data = b"".join(lines(events, now) for events, now in batch)
        try:
            file = self._file_for(len(data))
            file.write(data)
            file.flush()
        except OSError as error:
            self._close()
            return error
        self._size += len(data)
        return None

    def _file_for(self, more: int) -> BinaryIO:
        if self._file is None:
            self._file = self._open()
        if self._rotation.due(self._size, more):
            self._close()
            renames = self._rotation.renames(str(self._path))
            for old, new in renames:
                if Path(old).exists():
                    os.replace(old, new)
            if not renames:
                self._path.unlink()
            self._file = self._open()
        return self._file

    def _open(self) -> BinaryIO:
        """Continue the file; a line that a crash cut off is ended first."""
        file = self._path.open("a+b")
        self._size = file.seek(0, os.SEEK_END)
        if self._size:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                self._size += file.write(b"\n")
        return file

    def _close(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            try:
                file.close()
            except OSError as error:
                log.error("recording %s: %s", self._path, error)
