"""One Stat Server as a process of a benchmark: it opens statistics, and watches its loop.

    python -m benchmarks.member CONF STATISTICS

Says ``ready`` on standard output, and at the end (SIGTERM) one line of JSON: how long its
event loop was held at most, and how often for more than 10 ms.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from math import inf
from pathlib import Path

import trio

from statserver_trio.api.codec import encode
from statserver_trio.api.messages import Metric, NotificationRef, ObjectRef, OpenStatistic
from statserver_trio.config.load import load
from statserver_trio.server.garbage import keep_short, tidy
from statserver_trio.server.hub import Hub
from statserver_trio.server.serve import serve

from . import workload

LONG_SECONDS = 0.010
AT_A_TIME = 500  # statistics opened between two turns of the loop


class Watch(trio.abc.Instrument):
    """How long single steps of tasks take; nothing else can hold the loop.

    In CPU seconds, since no step ever waits, and what else this machine does is not to count.
    """

    def __init__(self) -> None:
        self.steps: list[tuple[float, str]] = []
        self.longest = 0.0
        self._began = inf  # not yet

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self._began = time.thread_time()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        took = time.thread_time() - self._began
        self.longest = max(self.longest, took)
        if took > LONG_SECONDS:
            self.steps.append((took, task.name))

    def reset(self) -> None:
        self.steps.clear()
        self.longest = 0.0


async def open_statistics(hub: Hub, count: int) -> None:
    """As a client would: every one is wanted, none is notified."""
    client = hub.join(lambda: None, lambda reason: None)
    for number, (object_type, object_id, stat_type, profile) in enumerate(workload.names(count)):
        request = OpenStatistic(
            reference_id=number,
            object=ObjectRef(object_id=object_id, object_type=object_type),
            metric=Metric(statistic_type=stat_type, time_profile=profile),
            notification=NotificationRef(mode="NoNotification"),
        )
        hub.receive(client, encode(request))
        client.outbox.take()
        if number % AT_A_TIME == 0:
            await trio.lowlevel.checkpoint()


async def main(conf: Path, statistics: int) -> None:
    """Run the server until SIGTERM."""
    watch, stop = Watch(), trio.Event()
    with trio.open_signal_receiver(signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(keep_short)
            parts = await nursery.start(serve, load(conf), stop, conf)
            await open_statistics(parts.hub, statistics)
            tidy()  # as within the next ten seconds; a collection of all would be nobody's
            trio.lowlevel.add_instrument(watch)
            print("ready", flush=True)
            async for _ in signals:
                break
            trio.lowlevel.remove_instrument(watch)
            stop.set()
            nursery.cancel_scope.cancel()
    longest = sorted(watch.steps, reverse=True)[:5]
    print(
        json.dumps(
            {
                "longest_ms": round(watch.longest * 1000, 1),
                "over_10_ms": len(watch.steps),
                "where": [[round(took * 1000, 1), name] for took, name in longest],
            }
        ),
        flush=True,
    )


if __name__ == "__main__":
    trio.run(main, Path(sys.argv[1]), int(sys.argv[2]))
