"""Reload: read the configuration file again, and let the running server go by it.

A file with mistakes changes nothing, and every mistake is logged. A good one replaces
definitions, objects and options at once (see :mod:`..stats.reconfigure`); what is wired up
at the start (ports, feeds, recordings, limits, names) waits for a restart, and is said so.

Of a pair whose ``config-reload-delay-if-primary`` is set, the primary takes a good file only
after the backup has, so that never both are busy with it; until then it is *postponed*.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import trio

from ..config.load import load
from ..config.mistakes import ConfigError, Mistake
from ..config.schema import Config
from ..config.site import make_site
from ..config.structure import SECTIONS, dashes
from ..stats.reconfigure import Changes, reconfigure
from .backup.task import Backup
from .extensions.host import Host
from .ha.pair import Pair
from .hub import Hub

log = logging.getLogger(__name__)

# What takes effect after a restart only: whole sections, and single keys of others.
AFTER_RESTART = {"server", "listen", "tserver", "record", "limits"}
AT_ONCE = {
    ("server", "time-zone"),  # of the time profiles, which are made anew
    ("server", "config-reload-delay-if-primary"),
    ("limits", "groupby-max-children"),  # of statistics opened from then on
    ("server", "auto-backup-interval"),
    ("server", "generate-stat-validity-events"),
    ("server", "backup-file-aggregates-store"),
}
NO_FILE = Mistake("", "", "", "this server was started without a configuration file")
KEYS_AFTER_RESTART = {
    ("wallboard", "enabled"),
    ("wallboard", "url"),
    ("objects", "queue-use-pseudo-actions"),
    *(
        ("ha", key)
        for key in (
            "peer-host", "peer-port", "protocol", "secured", "certificate", "certificate-key",
            "certificate-key-password", "certificate-key-password-file", "trusted-ca",
            "tls-target-name-check",
        )
    ),
}  # fmt: skip


class Reloader:
    """Reloads the configuration of one server.

    Args:
        path: The file; None where there is none, as in a demo: then nothing can be reloaded.
        config: What the server was started with.
        pair: Our half of the pair, which wants to know of changes.

    Attributes:
        config: What is in effect, but for what waits for a restart.
        postponed: What waits for the other member to reload first; None if nothing does.
        reloads, refused: How often the file was taken, and how often it had mistakes.
        backup: Our backup file, which wants to know of changes as well.
        extensions: Those of this server; likewise.
        after: Called when all that is done.
    """

    def __init__(
        self, path: Path | None, config: Config, hub: Hub, pair: Pair | None = None
    ) -> None:
        self.path = path
        self.config = config
        self.reloads = self.refused = 0
        self._started_with = config
        self.postponed: Config | None = None
        self._hub = hub
        self._pair = pair
        self.backup: Backup | None = None
        self.extensions: Host | None = None
        self.after: Callable[[], None] = lambda: None
        self._put_off = trio.Event()
        self._lock = trio.Lock()  # one after the other, and the newest file last

    async def reload(self) -> Changes | None:
        """Read the file, with what it includes, and do what it says.

        Returns:
            What changed; None if that is postponed.

        Raises:
            ConfigError: With every mistake in it; nothing was changed.
        """
        async with self._lock:
            config = await self._read()
            why = "" if self._pair is None else self._pair.waits_for_peer(config)
            if not why:
                return self._apply(config)
            log.warning("reload postponed: %s", why)
            self.postponed = config
            self._put_off.set()
            return None

    async def _read(self) -> Config:
        try:
            if self.path is None:
                raise ConfigError([NO_FILE])
            # In a thread: a disk that hangs must not hang the events.
            return await trio.to_thread.run_sync(load, self.path, self.config.environment)
        except ConfigError as error:
            self.refused += 1
            for finding in (*error.mistakes, *error.warnings):
                log.error("reload refused: %s", finding)
            raise

    async def run(self) -> None:
        """Take over what was postponed, when its time has come; until cancelled."""
        while True:
            await self._put_off.wait()
            self._put_off = trio.Event()
            while (config := self.postponed) is not None:
                assert self._pair is not None
                await self._pair.peer_reloaded(config)
                if self.postponed is config:  # else the file was changed once more
                    self._apply(config)

    def _apply(self, config: Config) -> Changes:
        site = make_site(config)
        hub = self._hub
        now = hub.clock.now_ms()
        hub.engine.tells_validity = config.server.generate_stat_validity_events
        # Waits for a restart: what is counted of queues must not change its meaning midway.
        options = attrs.evolve(
            site.world_options,
            queue_use_pseudo_actions=self._started_with.objects.queue_use_pseudo_actions,
        )
        changes = reconfigure(hub.engine, site.definitions, site.directory, now, options)
        changes.after_restart[:0] = _waiting(self._started_with, config)
        hub.deliver(changes.notices)
        self.config, self.postponed = config, None
        self.reloads += 1
        if self.extensions is not None:
            self.extensions.configure(config, changes)
        if self._pair is not None:
            self._pair.reloaded(config)
        if self.backup is not None:
            self.backup.reloaded(config)
        self.after()
        _log(changes, config)
        return changes


def _waiting(started_with: Config, config: Config) -> Iterator[str]:
    """What differs from the start and needs another one."""
    for section, attribute in SECTIONS.items():
        old, new = (getattr(each, attribute.name) for each in (started_with, config))
        if old == new:
            continue
        if not attrs.has(type(old)):
            if section in AFTER_RESTART:
                yield f"[[{section}]] takes effect after a restart"
            continue
        for key in attrs.fields(type(old)):
            where = (section, dashes(key.name))
            waits = section in AFTER_RESTART and where not in AT_ONCE
            differs = getattr(old, key.name) != getattr(new, key.name)
            if differs and (waits or where in KEYS_AFTER_RESTART):
                yield f"[{section}] {where[1]} takes effect after a restart"


def _log(changes: Changes, config: Config) -> None:
    for warning in config.warnings:
        log.warning("%s", warning)
    for section, difference in changes.sections.items():
        for what, names in attrs.asdict(difference).items():
            if names:
                log.info("reload: [%s] %s: %s", section, what, ", ".join(names))
    for reason, count in changes.closed.items():
        log.warning("reload: %d statistics closed: %s", count, reason)
    for what in changes.after_restart:
        log.warning("reload: %s", what)
    if changes.is_empty:
        log.info("reload: nothing has changed")
