"""Back-office tickets: how many are open, how old the oldest is, how many were solved.

An example of an extension, to be copied. It reads a small JSON file that some other program
writes, every few seconds:

    {"billing": {"open": 12, "solved": 103, "oldest": 3600.5, "by-priority": {"high": 2}}}

``solved`` only ever grows; how many were solved since the interval began is worked out here.
Parameters: ``tickets-file``, and ``tickets-interval`` in seconds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trio

from statserver_trio.extensions import Extension, Refused, Request, Sink, StatDef

OPEN = StatDef("Open_Tickets", ["Queue"], description="Tickets nobody has solved yet")
OLDEST = StatDef(
    "Oldest_Ticket", ["Queue"], result="float", description="Age of the oldest one in seconds"
)
BY_PRIORITY = StatDef(
    "Tickets_By_Priority", ["Queue"], result="object", description="Open tickets by priority"
)
SOLVED = StatDef(
    "Solved_Tickets", ["Queue"], kind="historical", description="Tickets solved in the interval"
)
READS = {OPEN.name: "open", OLDEST.name: "oldest", BY_PRIORITY.name: "by-priority"}


@dataclass(eq=False)
class Opened:
    """One statistic that somebody wants."""

    request: Request
    sink: Sink
    solved_before: int = 0  # by the queue, when the interval began


class Tickets(Extension):
    """All statistics of all queues, out of one file."""

    def __init__(self, path: Path, interval: float) -> None:
        self._path = path
        self._interval = interval
        self._queues: dict[str, dict[str, Any]] = {}
        self._opened: dict[Opened, None] = {}

    def stat_types(self) -> list[StatDef]:
        return [OPEN, OLDEST, BY_PRIORITY, SOLVED]

    async def open(self, request: Request, sink: Sink) -> Opened:
        if request.object_id not in self._queues:
            known = ", ".join(self._queues) or "none"
            raise Refused(f"there is no queue {request.object_id!r} of tickets; known: {known}")
        if request.profile is not None and request.profile.kind != "Growing":
            raise Refused("solved tickets are counted over Growing profiles only")
        opened = Opened(request, sink, self._solved(request.object_id))
        self._opened[opened] = None
        self._tell(opened)
        return opened

    async def reset(self, handle: Opened) -> None:
        handle.solved_before = self._solved(handle.request.object_id)
        self._tell(handle)

    async def close(self, handle: Opened) -> None:
        del self._opened[handle]

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        await self._read()
        task_status.started()
        while True:
            await trio.sleep(self._interval)
            await self._read()
            for opened in self._opened:
                self._tell(opened)

    async def _read(self) -> None:
        """A file that cannot be read is a failure: we are started again, a little later."""
        text = await trio.to_thread.run_sync(self._path.read_text)
        self._queues = json.loads(text)

    def _solved(self, queue: str) -> int:
        return int(self._queues.get(queue, {}).get("solved", 0))

    def _tell(self, opened: Opened) -> None:
        request = opened.request
        queue = self._queues.get(request.object_id, {})
        if request.stat == SOLVED.name:
            opened.sink.set(max(0, self._solved(request.object_id) - opened.solved_before))
        elif READS[request.stat] in queue:
            opened.sink.set(queue[READS[request.stat]])


def extension(params: dict[str, Any]) -> Extension:
    """Called by the server; what it raises keeps the extension from being loaded."""
    return Tickets(Path(params["tickets-file"]), float(params.get("tickets-interval", 5)))
