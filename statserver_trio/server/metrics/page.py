"""``GET /metrics``: the facts of one moment, as text, at most once a second.

    status, traffic, ... --facts--+
    exported statistics ----------+--> Scrape --thread--> text, kept for a second
    loop lag ---------------------+

Only reading the numbers takes place in the event loop, statistics a hundred at a time; to make
text of some thousand series takes longer than a client may wait, so that is a thread's. Several
who scrape at once get the same text.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import trio

from ..client_task import ClientServer
from ..http import HttpServer, Request, Response
from ..hub import Hub
from ..reload import Reloader
from .exported import Exported
from .exposition import CONTENT_TYPE, Scrape
from .loop_lag import LoopLag
from .names import Facts

KEPT_SECONDS = 1.0


class MetricsPage:
    """The page, and the tasks behind it.

    Args:
        status: Makes the content of the status page.

    Attributes:
        exported, lag: Whose tasks are to be run.
        http: The server that serves this page, once it is there.
    """

    def __init__(
        self,
        status: Callable[[], dict[str, Any]],
        hub: Hub,
        clients: ClientServer,
        reloader: Reloader,
    ) -> None:
        self.exported = Exported(hub, lambda: reloader.config)
        self.lag = LoopLag()
        self.http: HttpServer | None = None
        self._status = status
        self._hub = hub
        self._clients = clients
        self._reloader = reloader
        self._lock = trio.Lock()
        self._text = b""
        self._made_at = -inf

    async def page(self, request: Request) -> Response:
        """What Prometheus asks for."""
        self.lag.want()
        async with self._lock:
            if trio.current_time() - self._made_at >= KEPT_SECONDS:
                scrape = await self.scrape()
                self._text = await trio.to_thread.run_sync(scrape.text)
                self._made_at = trio.current_time()
        return Response(200, self._text, CONTENT_TYPE)

    async def scrape(self) -> Scrape:
        """Everything as it is now."""
        values = await self.exported.read()
        return Scrape(self.facts(), values, self.lag.buckets(), self.lag.total)

    def facts(self) -> Facts:
        """What the table in :mod:`.names` finds its numbers in: the status, and more."""
        hub, clients, http, facts = self._hub, self._clients, self.http, self._status()
        traffic, now = hub.traffic(), hub.clock.now_ms()
        for source in facts["sources"]:
            found = hub.engine.sources[source["name"]]
            heard = found.clock_offset is not None
            source["lastEventAge"] = (now - found.heard_at) / 1000 if heard else None
        for extension in facts["extensions"]:
            extension["running"] = extension["state"] == "running"
        if facts["peer"] is None:  # a server that stands alone: its zeros would mean nothing
            facts |= dict.fromkeys(("session", "replication", "addp"))
        file = facts["backupFile"]
        if file is not None and file["interval"] is not None:
            written = file["written"]
            file["ok"] = file["error"] is None
            file["age"] = None if written is None else hub.clock.now() - written["at"]
        else:
            facts["backupFile"] = None
        return facts | {
            "ready": not facts["notReady"],
            "reloads": {"taken": self._reloader.reloads, "refused": self._reloader.refused},
            "http": None
            if http is None
            else {
                "connections": http.connections,
                "requests": http.requests,
                "refused": http.refused,
            },
            "traffic": {
                "connections": clients.connections,
                "served": clients.served,
                "turnedAway": clients.turned_away,
                "failed": clients.failed,
                "tooSlow": clients.too_slow,
                "overflowed": hub.overflowed,
                "requests": traffic.requests,
                "told": traffic.told,
                "sent": traffic.sent,
                "superseded": traffic.superseded,
                "waiting": traffic.waiting,
                "eventsSent": traffic.events_sent,
            },
            "exported": {
                "held": len(self.exported),
                "refused": len(self.exported.refused),
                "omitted": self.exported.omitted,
            },
        }
