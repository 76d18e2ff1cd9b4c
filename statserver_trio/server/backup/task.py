"""The backup file of a running server: read at the start, written now and then, and last.

    cut a slice (event loop) --> encode, write (one worker thread) --> cut the next one

A disk that is slow makes the file late, and one that is full or gone makes none; neither
ever stops the server, and both are said once, and in the status.
"""

from __future__ import annotations

import errno
import logging
import os
import time
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Any, TypeVar

import trio

from ... import __version__
from ...config.schema import Config
from ..hub import Hub
from ..tap import Tap
from .cutting import SLICE_SECONDS, Cut, Disturbed
from .files import Reader, Writer, clear_leftovers, path_for, previous
from .form import Head, Refused
from .owners import Owner
from .restoring import Restoration

log = logging.getLogger(__name__)

T = TypeVar("T")

ATTEMPTS = 5  # to cut without being disturbed
READ_SECONDS = 60.0  # for a look at the whole file, or for one piece; then it is not used
WRITE_SECONDS = 300.0  # for one file; then the disk is given up
STOP_SECONDS = 8.0  # for the last one: the whole exit is to take no more than 10
STOP_SLICE_SECONDS = 0.04  # nothing else is urgent then
DISCARD_SECONDS = 1.0


class Backup:
    """The file.

    Args:
        config: What is in effect at the moment; the path is that of the start.
        owner: Who keeps account of what is in it.

    Attributes:
        writes, failed: Files written, and attempts that came to nothing.
        error: Why there was none the last time; empty if there was.
    """

    def __init__(self, config: Callable[[], Config], hub: Hub, tap: Tap, owner: Owner) -> None:
        server = config().server
        self.path = path_for(server.data_dir, server.name)
        self.writes = self.failed = 0
        self.error = ""
        self._application = server.name
        self._config = config
        self._hub = hub
        self._tap = tap
        self._owner = owner
        self._limiter = trio.CapacityLimiter(1)  # a thread that hangs is not joined by others
        self._begun = -inf  # when the last file was, in Trio time
        self._pause = trio.CancelScope()
        self._written: dict[str, Any] | None = None
        self._restored: dict[str, Any] | None = None

    @property
    def interval(self) -> float:
        """Seconds from one file to the next; ``inf`` if there is none at all."""
        return self._config().server.auto_backup_interval * 60 or inf

    async def _in_thread(self, work: Callable[..., T], *arguments: object) -> T:
        return await trio.to_thread.run_sync(
            work, *arguments, abandon_on_cancel=True, limiter=self._limiter
        )

    async def _read(self, work: Callable[..., T], *arguments: object) -> T:
        try:
            with trio.fail_after(READ_SECONDS):
                return await self._in_thread(work, *arguments)
        except trio.TooSlowError:
            why = f"no answer from the disk in {READ_SECONDS:g} s"
            raise TimeoutError(errno.ETIMEDOUT, why) from None

    # -- reading -----------------------------------------------------------------------------

    async def restore(self) -> None:
        """Be where the newest file ends that can be used; before anything else runs."""
        self._begun = trio.current_time()
        if self.interval == inf:
            return
        try:
            await self._read(_prepare, self.path)
        except OSError as error:
            self._failed(error)
        for path in (self.path, previous(self.path)):
            if await self._restore(path):
                return

    async def _restore(self, path: Path) -> bool:
        """Whether this file was used."""
        reader: Reader | None = None
        aggregates = self._config().server.backup_file_aggregates_store
        play = Restoration(self._hub.engine, self._application, aggregates, self._owner.restored)
        try:
            reader = await self._read(Reader, path)
            play.take(reader.head)
        except FileNotFoundError:
            return False
        except (OSError, Refused) as error:
            log.error("backup file %s is not used: %s", path, _said(error))
            if reader is not None:
                reader.close()
            return False
        try:
            while (frame := await self._read(reader.next)) is not None:
                play.take(frame)
        except Exception as error:
            # Its checksum is right, so this is the disk or a mistake of ours, now or in the
            # version that wrote it. Even then a server that starts empty is better than one
            # that cannot start before somebody has removed the file.
            reader.close()
            play.abandon()
            self._owner.abandoned()
            log.exception("backup file %s is not used: %s", path, _said(error))
            return False
        self._go_on(play, path)
        return True

    def _go_on(self, play: Restoration, path: Path) -> None:
        self._owner.go_on(play)
        now = self._hub.clock.now_ms()
        for name, ending in play.sources.items():
            self._hub.engine.sources[name].lost_at = play.moment
            if ending.position is None:  # it cannot say what happened meanwhile
                self._tap.source_given_up(name, now)
        play.report(str(path), now)
        self._restored = {
            "path": str(path),
            "asOf": play.moment / 1000,
            "statistics": len(play.statistics),
            "dropped": play.dropped_count,
            "sources": sorted(play.sources),
        }

    # -- writing -----------------------------------------------------------------------------

    async def run(self) -> None:
        """Write a file per interval, until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._owner.run)
            while True:
                with trio.CancelScope(deadline=self._begun + self.interval) as self._pause:
                    await trio.sleep_forever()
                if trio.current_time() >= self._begun + self.interval:
                    await self.write(WRITE_SECONDS)

    def reloaded(self, config: Config) -> None:
        """Another configuration is in force; an interval that was changed runs at once."""
        self._pause.deadline = self._begun + self.interval

    async def write_last(self) -> None:
        """Write the last one: the feeds have been stopped, the clients are still there."""
        if self.interval != inf:
            await self.write(STOP_SECONDS, STOP_SLICE_SECONDS)

    async def write(self, patience: float, slice_seconds: float = SLICE_SECONDS) -> None:
        """Write a file, or say why not; in ``patience`` seconds at most."""
        self._begun = trio.current_time()
        error: Exception | None = None
        with trio.move_on_after(patience) as scope:
            for _ in range(ATTEMPTS):
                try:
                    await self._write(slice_seconds)
                except Disturbed as disturbed:
                    error = disturbed
                    log.info("backup file %s is begun again: %s", self.path, disturbed)
                except (OSError, ValueError) as reason:
                    error = reason
                    break
                else:
                    error = None
                    break
        if scope.cancelled_caught:
            error = TimeoutError(errno.ETIMEDOUT, f"not done in {patience:g} s")
        if error is None:
            self.error = ""
        else:
            self._failed(error)

    async def _write(self, slice_seconds: float) -> None:
        hub, server = self._hub, self._config().server
        numbers = server.backup_file_aggregates_store
        cut = Cut(
            hub.engine,
            self._owner.cut_item,
            self._owner.endings,
            hub.clock.now_ms,
            slice_seconds,
            numbers,
        )
        began, writer = time.perf_counter(), Writer(self.path)
        self._tap.witness = cut.applied
        whole = False
        try:
            head = Head(self._application, f"statserver-trio {__version__}", hub.clock.now_ms())
            await self._in_thread(writer.begin, head)
            for piece in cut.pieces():
                await self._in_thread(writer.put, piece)
            await self._in_thread(writer.finish)
            whole = True
        finally:
            self._tap.witness = None
            if not whole:
                writer.abandoned = True
                with trio.move_on_after(DISCARD_SECONDS, shield=True):
                    await self._in_thread(writer.discard)
        self.writes += 1
        seconds = time.perf_counter() - began
        self._written = {
            "at": hub.clock.now(),
            "statistics": cut.statistics,
            "bytes": writer.size,
            "seconds": round(seconds, 3),
        }
        told = (self.path, cut.statistics, writer.size, seconds)
        log.info("backup file %s: %d statistics, %d bytes in %.2f s", *told)

    def _failed(self, error: Exception) -> None:
        self.failed += 1
        if not self.error:
            log.error("backup file %s is not written: %s", self.path, _said(error))
        self.error = _said(error)

    # -- the status --------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """For the status page; times are Unix seconds and seconds."""
        return {
            "path": str(self.path),
            "interval": None if self.interval == inf else self.interval,
            "writes": self.writes,
            "failed": self.failed,
            "error": self.error or None,
            "written": self._written,
            "restored": self._restored,
        }


def _prepare(path: Path) -> None:
    """Make the folder, and find out now rather than in five minutes if it is no good."""
    path.parent.mkdir(parents=True, exist_ok=True)
    clear_leftovers(path)
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path.parent))


def _said(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
