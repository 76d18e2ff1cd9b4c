"""The host: all extensions of a server, between the engine and whoever tells its values.

    engine --actions--> host --open, reset, close--> extension
    engine <--values, troubles-- host <--sink.set-- extension

Values are handed on a few times a second, the latest of each statistic and all of them at
once: an extension that sets one a million times costs the clients nothing. Only the host's
own task touches the engine, so what the watchdog measures is the extension alone.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import trio

from ...config.extensions import parameters, switched_on
from ...config.schema import Config
from ...stats.extended.offers import Offer
from ...stats.extended.registry import Opened
from ...stats.reconfigure import Changes, Difference
from ...stats.statistic import Statistic
from ..hub import Hub
from .extension_task import CALL_SECONDS, HeldStatistic, Hosted
from .watchdog import Watchdog

log = logging.getLogger(__name__)

FLUSH_SECONDS = 0.1  # between two times that values are handed on
FLUSH_STATISTICS = 500  # handed on at once; then other tasks get their turn


class Host:
    """All extensions.

    Args:
        config: What is in effect at the start.

    Attributes:
        changed: Told when something else is offered than before, or statistics were closed
            by an extension; with a text that is the same wherever the same is offered.
    """

    def __init__(self, hub: Hub, config: Config) -> None:
        self.hosted: dict[str, Hosted] = {}
        self.changed: Callable[[str], None] = lambda offered: None
        self._hub = hub
        self._extended = hub.engine.extended
        self._folder = config.python_config.python_extensions_dir
        self._wanted, self._params = switched_on(config), parameters(config)
        self._offered: dict[str, tuple[Offer, ...]] = {}
        self._nursery: trio.Nursery | None = None
        self._leaving: dict[str, Hosted] = {}
        self._news: dict[HeldStatistic, None] = {}
        self._is_news = trio.Event()
        self._watchdog: Watchdog | None = None
        hub.after_engine = self._act

    # -- running ---------------------------------------------------------------------

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run all of them until cancelled; started when each was tried once."""
        try:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                for path in self._wanted:
                    self._load(path)
                nursery.start_soon(self._flush)
                for hosted in list(self.hosted.values()):
                    await hosted.tried.wait()
                task_status.started()
        finally:
            self._nursery = None
            self._watch()

    async def stop(self) -> None:
        """Let all of them close what they have open, and come to an end."""
        leaving = [*self.hosted.values(), *self._leaving.values()]
        for hosted in leaving:
            hosted.leave()
        with trio.move_on_after(CALL_SECONDS):
            for hosted in leaving:
                await hosted.ended.wait()
        self.hosted.clear()

    def configure(self, config: Config, changes: Changes) -> None:
        """Another configuration is in force: load what is new, unload what is gone.

        Args:
            changes: What else the reload did; what is closed here is added.
        """
        folder, params = config.python_config.python_extensions_dir, parameters(config)
        anew = (folder, params) != (self._folder, self._params)
        before, self._wanted = self._wanted, switched_on(config)
        self._folder, self._params = folder, params
        difference = Difference(
            added=[path for path in self._wanted if path not in before],
            changed=[path for path in self._wanted if path in before and anew],
            deleted=[path for path in before if path not in self._wanted],
        )
        if difference.is_empty:
            return
        changes.sections["python-extensions"] = difference
        for path in difference.deleted:
            reason = f"the extension {path} was unloaded"
            closed = self._withdraw(path, reason)
            if closed:
                changes.closed[reason] = closed
        for path in (*difference.deleted, *difference.changed):
            self._unload(path)
        for path in (*difference.added, *difference.changed):
            self._load(path)
        self._watch()
        self._hub.distribute()

    def _load(self, path: str) -> None:
        if self._nursery is None:
            return
        before = self._leaving.pop(path, None)
        self.hosted[path] = hosted = Hosted(
            path,
            self._folder,
            self._params,
            offered=self._offers,
            news=self._has_news,
            refused=self._refused,
            failed=self._failed,
            after=None if before is None else before.ended,
        )
        self._nursery.start_soon(hosted.run)
        self._watch()

    def _unload(self, path: str) -> None:
        hosted = self.hosted.pop(path, None)
        if hosted is None:
            return
        for held in hosted.held.values():  # the next one opens them again
            self._trouble(held.statistic, f"the extension {path} is loaded anew")
        hosted.leave()
        self._leaving[path] = hosted

    def _watch(self) -> None:
        """Watch steps as long as there is anybody to be watched."""
        wanted = bool(self.hosted) and self._nursery is not None
        if wanted and self._watchdog is None:
            self._watchdog = Watchdog()
            trio.lowlevel.add_instrument(self._watchdog)
        elif not wanted and self._watchdog is not None:
            trio.lowlevel.remove_instrument(self._watchdog)
            self._watchdog = None

    # -- from the engine to the extensions ---------------------------------------------

    def _act(self) -> None:
        for action in self._extended.take_actions():
            pushed = action.statistic.pushed
            assert pushed is not None
            hosted = self.hosted.get(pushed.offer.path)
            if hosted is not None:
                hosted.do(action)

    # -- from the extensions to the engine ---------------------------------------------

    def _offers(self, hosted: Hosted, offers: tuple[Offer, ...]) -> None:
        """An extension was loaded."""
        path = hosted.path
        if self.hosted.get(path) is not hosted:
            return  # it was unloaded meanwhile
        before = self._offered.get(path)
        self._offered[path] = offers
        gone = self._extended.offer(path, offers)
        self._hide(path, offers)
        self._close(gone, f"the extension {path} does not offer it any more")
        for statistic in self._extended.statistics.get(path, ()):
            if statistic not in hosted.held:  # opened by another one of that path
                hosted.do(Opened(statistic))
        if before != offers or gone:
            self._tell()

    def _hide(self, path: str, offers: Iterable[Offer]) -> None:
        """Say what cannot be asked for by its own name."""
        for offer in offers:
            if offer.name in self._hub.engine.definitions.stat_types:
                who = "the configuration"
            elif self._extended.stat_type(offer.name) != offer.stat_type:
                who = "another extension"
            else:
                continue
            log.warning("extension %s: %s has a stat type %s of its own", path, who, offer.name)

    def _withdraw(self, path: str, reason: str) -> int:
        """Offer nothing of it any more, close what is open; how many there were."""
        self._offered.pop(path, None)
        gone = self._extended.withdraw(path)
        self._close(gone, reason)
        self._tell()
        return len(gone)

    def _refused(self, statistic: Statistic, reason: str) -> None:
        if self._is_open(statistic):
            log.warning("statistic %s of %s: %s", *_named(statistic), reason)
            self._close([statistic], reason)
            self._tell()

    def _close(self, statistics: Iterable[Statistic], reason: str) -> None:
        self._hub.close_statistics(statistics, reason)

    def _tell(self) -> None:
        """Tell the pair what is offered now."""
        content = [
            [path, sorted(offer.name for offer in self._offered[path])]
            for path in sorted(self._offered)
        ]
        text = json.dumps(content).encode()
        self.changed(hashlib.blake2b(text, digest_size=8).hexdigest() if content else "")

    def _failed(self, hosted: Hosted, why: str) -> None:
        if self.hosted.get(hosted.path) is not hosted:
            return
        for statistic in list(self._extended.statistics.get(hosted.path, ())):
            self._trouble(statistic, f"the extension {hosted.path} has failed: {why}")
        self._hub.distribute()

    def _trouble(self, statistic: Statistic, reason: str) -> None:
        self._extended.trouble(statistic, reason, self._hub.clock.now_ms())

    def _is_open(self, statistic: Statistic) -> bool:
        return self._hub.engine.statistics.get(statistic.key) is statistic

    def _has_news(self, held: HeldStatistic) -> None:
        self._news[held] = None
        self._is_news.set()

    async def _flush(self) -> None:
        """Hand on what extensions have said, and rest a little."""
        while True:
            await self._is_news.wait()
            self._is_news = trio.Event()
            while self._news:
                for held in list(islice(self._news, FLUSH_STATISTICS)):
                    del self._news[held]
                    self._hand_on(held)
                self._hub.distribute()
                await trio.lowlevel.checkpoint()
            await trio.sleep(FLUSH_SECONDS)

    def _hand_on(self, held: HeldStatistic) -> None:
        if not held.is_open or not self._is_open(held.statistic):
            return
        for value in held.sink.take():
            self._extended.push(held.statistic, value)
        if not held.statistic.valid:
            self._trouble(held.statistic, "")

    # -- the status ------------------------------------------------------------------

    def status(self) -> list[dict[str, Any]]:
        """For the status page; as they are configured."""
        said = []
        for path in self._wanted:
            hosted = self.hosted.get(path)
            if hosted is not None:
                steps = {} if self._watchdog is None else self._watchdog.status(path)
                said.append(hosted.status() | steps)
        return said


def _named(statistic: Statistic) -> tuple[str, str]:
    return statistic.key.stat_type, f"{statistic.key.object_type} {statistic.key.object_id}"
