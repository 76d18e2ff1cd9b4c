"""Management: what an operator or a probe may ask of a running server, over HTTP.

    GET  /healthz                     "ok" while the loop turns
    GET  /readyz                      200, or 503 with the reasons, as JSON
    GET  /api/status                  everything that is counted (protocols.md §4)
    GET  /metrics                     the same for Prometheus, and chosen statistics
    POST /api/reload                  200 with what changed, 409 with every mistake
    POST /api/role/{primary|backup}   which of a pair we are; clients are told

and what :mod:`.wallboard` has for browsers.

Whoever reaches the port may do all of this: that is what ``host`` of the listener is for.
A browser is somebody's who may reach it, though, and any page can make it send a POST; so
a POST needs ``X-Requested-With`` or ``Content-Type: application/json``, which no page can
add without asking us first, and we never answer that question (our decision).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import trio

from .. import __version__
from ..config.mistakes import ConfigError
from ..config.schema import Config
from ..stats.reconfigure import Changes
from .backup.task import Backup
from .extensions.host import Host
from .feed_task import FeedTask
from .ha.pair import Pair
from .http import JSON, Handler, Request, Response, Routes, json_response, text_response
from .hub import Hub
from .log_queue import dropped_and_waiting
from .metrics.page import MetricsPage
from .recorder import Recorder
from .wallboard import Wallboard

log = logging.getLogger(__name__)

ROLES = ("primary", "backup")


def standalone() -> dict[str, Any]:
    """The pair's part of the status, of a server that has no peer."""
    return {
        "peer": None,
        "session": None,
        "replication": {
            "pending": 0, "inFlight": 0, "acknowledged": 0, "parked": [], "tombstones": 0,
            "chunksSent": 0, "chunksReceived": 0, "statisticsSent": 0, "statisticsReceived": 0,
            "inexact": 0,
        },
        "addp": {"pollsSent": 0, "pollsReceived": 0, "lost": 0, "roundTrip": None},
    }  # fmt: skip


class Management:
    """The pages, and what they know.

    Args:
        config: What is in effect at the moment.
        reload: Reads the configuration again; raises ConfigError.
        path: Of the configuration, for the status page.
        pair: Our half of the pair, if we are one of two.
        backup: Our backup file.

    Attributes:
        extensions: All of them.
        wallboard: What is there for browsers, if anything is.
        metrics: What is there for Prometheus; likewise.
    """

    def __init__(
        self,
        hub: Hub,
        feeds: Mapping[str, FeedTask],
        recorders: Mapping[str, Recorder],
        config: Callable[[], Config],
        reload: Callable[[], Awaitable[Changes | None]],
        path: Path | None = None,
        pair: Pair | None = None,
        backup: Backup | None = None,
    ) -> None:
        self._hub = hub
        self._feeds = feeds
        self._recorders = recorders
        self._config = config
        self._reload = reload
        self._path = path
        self._pair = pair
        self._backup = backup
        self.extensions: Host | None = None
        self.wallboard: Wallboard | None = None
        self.metrics: MetricsPage | None = None
        self._started = trio.current_time()
        self._name, self._role = config().server.name, config().server.role

    def routes(self) -> Routes:
        """What is served."""
        routes = {
            ("GET", "/healthz"): self._healthz,
            ("GET", "/readyz"): self._readyz,
            ("GET", "/api/status"): self._status,
            ("POST", "/api/reload"): _guarded(self._do_reload),
            **{("POST", f"/api/role/{r}"): _guarded(self._do_role) for r in ROLES},
        }
        if self.metrics is not None:
            routes["GET", "/metrics"] = self.metrics.page
        board = self.wallboard
        if board is None:
            return Routes(routes)
        routes["GET", "/api/status"] = board.shared(self._status)
        return Routes({**routes, **board.routes()}, board.takeovers())

    # -- probes ------------------------------------------------------------------------------

    async def _healthz(self, request: Request) -> Response:
        return text_response("ok")

    async def _readyz(self, request: Request) -> Response:
        reasons = self.not_ready()
        status = 503 if reasons else 200
        said = {"ready": not reasons, "reasons": reasons, "degraded": self.degraded()}
        return json_response(said, status)

    def not_ready(self) -> list[str]:
        """Why clients would not get what they come for; nothing if they would."""
        away = [name for name, feed in self._feeds.items() if not feed.connected]
        reasons = [f"T-Server {name} is not connected" for name in away]
        reasons += [] if self._pair is None else self._pair.not_ready()
        return [*reasons, self._hub.not_ready] if self._hub.not_ready else reasons

    def degraded(self) -> list[str]:
        """What clients do not notice yet, and somebody should look at."""
        found = [] if self._pair is None else self._pair.degraded()
        if self._backup is not None and self._backup.error:
            found = [*found, f"the backup file is not written: {self._backup.error}"]
        if failing := len(self._hub.engine.failing):
            found = [*found, f"statistics that cannot be computed: {failing}; see the log"]
        if passed_over := sum(each.passed_over.total for each in self._hub.engine.sources.values()):
            found = [*found, f"events that could not be applied: {passed_over}; see the log"]
        return found

    # -- the status --------------------------------------------------------------------------

    async def _status(self, request: Request) -> Response:
        return json_response(self.status())

    def status(self) -> dict[str, Any]:
        """Everything, as plain data; counters count since the start, times are seconds."""
        hub, config = self._hub, self._config()
        pair = standalone() if self._pair is None else self._pair.status()
        gaps = {each["name"]: each for each in pair.get("sources", ())}
        return {
            "name": self._name,
            "role": self._role,
            "mode": hub.mode.role,
            "uptime": trio.current_time() - self._started,
            "clients": len(hub.clients),
            "statistics": len(hub.engine.statistics),
            "failing": len(hub.engine.failing),
            **{name: part for name, part in pair.items() if name != "sources"},
            "sources": [self._source(name, gaps.get(name)) for name in hub.engine.sources],
            "version": __version__,
            "configuration": None if self._path is None else str(self._path),
            "notReady": self.not_ready(),
            "degraded": self.degraded(),
            "clockDrift": hub.clock.drift(),
            "limits": {
                "clients": config.limits.clients,
                "statisticsPerClient": config.limits.statistics_per_client,
                "messageBytes": config.limits.message_bytes,
            },
            "recorders": {
                name: {"written": recorder.written, "dropped": recorder.dropped}
                for name, recorder in self._recorders.items()
            },
            "extensions": [] if self.extensions is None else self.extensions.status(),
            "backupFile": None if self._backup is None else self._backup.status(),
            "log": dict(zip(("dropped", "waiting"), dropped_and_waiting(), strict=True)),
        }

    def _source(self, name: str, intake: dict[str, Any] | None) -> dict[str, Any]:
        source, feed = self._hub.engine.sources[name], self._feeds.get(name)
        session = None if feed is None else feed.session
        return {
            "name": name,
            "connected": source.is_connected if feed is None else feed.connected,
            "lastConnected": None if feed is None else feed.last_connected(),
            "position": source.position,
            "clockOffset": source.clock_offset,
            # Nothing fills a hole but a peer: without one, all of them stay open.
            "gaps": {"repaired": 0, "open": 0 if session is None else session.gaps}
            if intake is None
            else intake["gaps"],
            "state": "live" if intake is None else intake["state"],
            "switch": source.switch,
            "events": source.events,
            "duplicates": source.duplicates
            + (0 if session is None else session.duplicates)
            + (0 if intake is None else intake["duplicates"]),
            "ignored": source.ignored + (0 if session is None else session.unhandled),
            "badLines": 0 if session is None else session.skipped.total(),
            "passedOver": source.passed_over.total,
        }

    # -- orders ------------------------------------------------------------------------------

    async def _do_reload(self, request: Request) -> Response:
        try:
            changes = await self._reload()
        except ConfigError as error:
            found = {"mistakes": error.mistakes, "warnings": error.warnings}
            said = {key: [str(each) for each in value] for key, value in found.items()}
            return json_response(said, 409)
        if changes is None:
            return json_response({"postponed": "the other member of the pair reloads first"}, 202)
        return json_response(
            {
                "changed": {key: attrs.asdict(d) for key, d in changes.sections.items()},
                "closed": changes.closed,
                "joined": changes.joined,
                "left": changes.left,
                "afterRestart": changes.after_restart,
            }
        )

    async def _do_role(self, request: Request) -> Response:
        role = request.path.rpartition("/")[2]
        before = self._hub.mode
        if role != before.role:
            log.warning("mode: %s, as ordered", role)
            if self._pair is None:
                self._hub.set_mode(attrs.evolve(before, role=role))
            else:
                self._pair.set_mode(role)
        return json_response({"mode": role})


def _guarded(handler: Handler) -> Handler:
    """Only for requests that no web page of somebody else's can make a browser send."""

    async def guarded(request: Request) -> Response:
        kind = request.header("content-type").partition(";")[0].strip().lower()
        if kind != JSON and not request.header("x-requested-with"):
            why = f"a POST needs the header X-Requested-With, or Content-Type: {JSON}"
            return text_response(why, 403)
        return await handler(request)

    return guarded
