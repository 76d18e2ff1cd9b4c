"""One extension at work: loaded, run, and after a failure loaded again, later and later.

    hosted
    `- live            from loading to the failure, over and over (supervisor.py)
       |- run          whatever the extension does in the background
       |- departure    closes everything when it is to be unloaded
       `- workers      a few; each calls open, reset and close of one statistic at a time

What concerns one statistic is done in order, by one worker at a time; a statistic that
takes its time to open does not hold up the others. Every call has its time limit.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from math import inf
from typing import Any

import trio
from attrs import define, field

from ...config.extensions import OutsideError
from ...extensions import Extension, Profile, Refused, Request
from ...stats.extended.offers import Offer
from ...stats.extended.registry import Action, Closed, Opened, Reset
from ...stats.statistic import Statistic
from ..supervisor import Retry, keep_running
from . import loading
from .sinks import StatisticSink
from .watchdog import whose

log = logging.getLogger(__name__)

CALL_SECONDS = 10.0  # that any call of the contract may take
WORKERS = 8  # calls of one extension at the same time
RETRY = Retry(first=1.0, factor=2.0, limit=300.0, healthy_after=300.0)


@define(eq=False)
class HeldStatistic:
    """A statistic as its extension has it.

    Attributes:
        todo: ``open``, ``reset``, ``close``, in that order of time.
        is_queued: A worker will come for it, or is at it.
    """

    statistic: Statistic
    sink: StatisticSink
    handle: Any = None
    is_open: bool = False
    todo: deque[str] = field(factory=deque)
    is_queued: bool = False


class Hosted:
    """One extension.

    Args:
        path, folder, params: As they are configured.
        offered: Told what is offered, after every loading.
        news: Told of statistics that were opened, or that have a new value.
        refused: Told of a statistic that the extension does not want to open, and why.
        failed: Told that it does not run, and why.
        after: Set when the one that was loaded before under that path has ended.

    Attributes:
        state: ``loading``, ``running``, ``failed``, ``refused`` (a security violation), or
            ``unloaded``.
        restarts: How often it was loaded anew after a failure.
        last_error: Of the last failure; empty if there was none.
        tried: Set when it was loaded, or could not be, for the first time.
        ended: Set when nothing of it runs any more.
    """

    def __init__(
        self,
        path: str,
        folder: str | None,
        params: Mapping[str, Any],
        *,
        offered: Callable[[Hosted, tuple[Offer, ...]], None],
        news: Callable[[HeldStatistic], None],
        refused: Callable[[Statistic, str], None],
        failed: Callable[[Hosted, str], None],
        after: trio.Event | None = None,
    ) -> None:
        self.path = path
        self.state = "loading"
        self.restarts = 0
        self.last_error = ""
        self.tried = trio.Event()
        self.ended = trio.Event()
        self.held: dict[Statistic, HeldStatistic] = {}
        self.offers: tuple[Offer, ...] = ()
        self._folder, self._params = folder, dict(params)
        self._offered, self._news, self._refused, self._failed = offered, news, refused, failed
        self._instance: Extension | None = None
        self._after = after
        self._limiter = trio.CapacityLimiter(1)
        self._leave = trio.Event()
        self._quiet = trio.Event()  # replaced by whoever waits for the workers
        self._pending = 0  # statistics that wait for a worker, or have one
        self._life = trio.CancelScope()
        self._send, self._receive = trio.open_memory_channel[HeldStatistic](inf)

    # -- what the engine wants -------------------------------------------------------

    def do(self, action: Action) -> None:
        """A statistic was opened or closed, or begins anew."""
        statistic = action.statistic
        if isinstance(action, Opened):
            held = HeldStatistic(statistic, StatisticSink("", lambda: None))
            self.held[statistic] = held
            self._want_open(held)
            return
        known = self.held.get(statistic)
        if known is None:
            return
        if isinstance(action, Closed):
            del self.held[statistic]
            known.sink.is_closed = True
            self._want(known, "close")
        elif isinstance(action, Reset):
            known.sink.reset()
            self._want(known, "reset")

    def _want_open(self, held: HeldStatistic) -> None:
        assert held.statistic.pushed is not None
        held.sink.is_closed = True  # that of a former life, if there was one
        held.sink = StatisticSink(
            held.statistic.pushed.offer.result, lambda: self._news(held) if held.is_open else None
        )
        held.handle, held.is_open = None, False
        held.todo.clear()
        self._want(held, "open")

    def _want(self, held: HeldStatistic, what: str) -> None:
        if self._instance is None:
            return  # when it runs everything is opened
        held.todo.append(what)
        if not held.is_queued:
            held.is_queued = True
            self._pending += 1
            self._send.send_nowait(held)

    # -- its life --------------------------------------------------------------------

    async def run(self) -> None:
        """Keep it running until it is told to :meth:`leave`."""
        whose.set(self.path)
        everything = (Exception, SystemExit)
        what = f"extension {self.path}"
        try:
            with self._life:
                if self._after is not None:
                    await self._after.wait()
                await keep_running(
                    what, self._live, RETRY, caught=everything, failed=self._has_failed
                )
        finally:
            self.state = "unloaded"
            self.tried.set()
            self.ended.set()
        log.info("extension %s is unloaded", self.path)

    def leave(self) -> None:
        """Close everything, and come to an end; at once if it is not running."""
        self._leave.set()
        if self._instance is None:
            self._life.cancel()

    def _has_failed(self, error: BaseException) -> str:
        self.last_error = loading.said(error, self.path)
        outside = isinstance(error, BaseExceptionGroup) and error.subgroup(OutsideError)
        self.state = "refused" if outside else "failed"
        self.tried.set()
        self._failed(self, self.last_error)
        if self._leave.is_set():  # it was to end anyway
            self._life.cancel()
        return self.last_error

    async def _live(self) -> None:
        self.restarts += self.state != "loading"
        self.state = "loading"
        loaded = await loading.load(self.path, self._folder, self._params, self._limiter)
        self.offers = loaded.offers
        self._offered(self, loaded.offers)
        self.tried.set()
        try:
            async with trio.open_nursery() as nursery:
                with _in_time("run() did not call task_status.started()"):
                    await nursery.start(_run, loaded.instance)
                self._begin(loaded.instance)
                nursery.start_soon(self._depart, nursery.cancel_scope)
                for _ in range(WORKERS):
                    nursery.start_soon(self._work)
        finally:
            self._instance, self._pending = None, 0
            self._send, self._receive = trio.open_memory_channel[HeldStatistic](inf)
            for held in self.held.values():
                held.sink.is_closed, held.is_open, held.is_queued = True, False, False
                held.todo.clear()
        if self._leave.is_set():
            self._life.cancel()
            await trio.lowlevel.checkpoint()

    def _begin(self, instance: Extension) -> None:
        self._instance, self.state = instance, "running"
        log.info("extension %s is running: %d stat types", self.path, len(self.offers))
        for held in self.held.values():
            self._want_open(held)

    async def _depart(self, everything: trio.CancelScope) -> None:
        """When it is time, close what is open as far as there is time, and end."""
        await self._leave.wait()
        for held in self.held.values():
            held.sink.is_closed = True
            self._want(held, "close")
        with trio.move_on_after(CALL_SECONDS) as scope:
            while self._pending:
                self._quiet = trio.Event()
                await self._quiet.wait()
        if scope.cancelled_caught:
            log.warning("extension %s took too long to close everything", self.path)
        everything.cancel()

    # -- calls -----------------------------------------------------------------------

    async def _work(self) -> None:
        async for held in self._receive:
            while held.todo:
                await self._do(held, held.todo.popleft())
            held.is_queued = False
            self._pending -= 1
            self._quiet.set()

    async def _do(self, held: HeldStatistic, what: str) -> None:
        instance = self._instance
        assert instance is not None
        if what == "open":
            await self._open(instance, held)
        elif held.is_open and what == "reset":
            held.sink.begin()
            await self._call(what, partial(instance.reset, held.handle))
        elif held.is_open:
            held.is_open = False
            await self._call(what, partial(instance.close, held.handle))

    async def _open(self, instance: Extension, held: HeldStatistic) -> None:
        if held.todo and held.todo[-1] == "close":
            return  # nobody wants it any more
        held.sink.begin()
        request = request_for(held.statistic)
        try:
            held.handle = await self._call("open", partial(instance.open, request, held.sink))
        except Refused as exc:
            held.todo.clear()
            self._refused(held.statistic, f"the extension {self.path} refuses it: {exc}")
            return
        held.is_open = True
        self._news(held)

    async def _call(self, what: str, call: Callable[[], Awaitable[Any]]) -> Any:
        with _in_time(f"{what}() did not return"):
            return await call()

    def status(self) -> dict[str, Any]:
        """For the status page."""
        return {
            "path": self.path,
            "state": self.state,
            "restarts": self.restarts,
            "lastError": self.last_error,
            "openStatistics": len(self.held),
            "statTypes": [offer.name for offer in self.offers],
        }


@contextmanager
def _in_time(what: str) -> Iterator[None]:
    """A time limit; what was not in time is told by name."""
    with trio.move_on_after(CALL_SECONDS) as scope:
        yield
    if scope.cancelled_caught:
        raise trio.TooSlowError(f"{what} within {CALL_SECONDS:g} s")


async def _run(instance: Extension, *, task_status: trio.TaskStatus[None]) -> None:
    await instance.run(task_status)


def request_for(statistic: Statistic) -> Request:
    """What an extension is told of a statistic."""
    key, profile, chosen = statistic.key, statistic.profile, statistic.filter
    first, second = statistic.time_range, statistic.time_range2
    assert statistic.pushed is not None
    return Request(
        stat=statistic.pushed.offer.name,
        stat_type=statistic.stat_type.name,
        object_type=key.object_type,
        object_id=key.object_id,
        tenant=key.tenant,
        profile=None
        if profile is None
        else Profile(
            profile.name, profile.kind, profile.text, profile.length / 1000, profile.step / 1000
        ),
        filter=key.filter,
        filter_text="" if chosen is None else chosen.text,
        time_range="" if first is None else first.name,
        time_range_text="" if first is None else first.text,
        time_range2="" if second is None else second.name,
        options=dict(statistic.stat_type.text),
    )
