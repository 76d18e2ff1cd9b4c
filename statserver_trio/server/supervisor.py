"""Keep tasks running against a world that keeps breaking them.

What the world does to us is retried, later and later. A bug is not: it leaves
through the nursery and ends the server, so that it is seen and mended.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from ssl import SSLError

import trio
from attrs import field, frozen
from attrs.validators import ge, gt

log = logging.getLogger(__name__)

THE_WORLD = (OSError, SSLError, trio.BrokenResourceError, trio.TooSlowError)


@frozen
class Retry:
    """How long to wait before a task is tried again; all in seconds.

    Attributes:
        first: After the first failure.
        factor: How much longer after each further one.
        limit: The longest wait; from there on it stays the same.
        healthy_after: A run that lasted this long starts the counting afresh.
    """

    first: float = field(default=0.5, validator=gt(0))
    factor: float = field(default=2.0, validator=ge(1))
    limit: float = field(default=30.0, validator=gt(0))
    healthy_after: float = field(default=60.0, validator=ge(0))

    def delay(self, failures: int) -> float:
        """Seconds to wait after ``failures`` failures in a row."""
        wait = self.first
        for _ in range(failures - 1):
            if wait >= self.limit:
                break
            wait *= self.factor
        return min(wait, self.limit)


async def keep_running(
    what: str,
    run: Callable[[], Awaitable[object]],
    retry: Retry,
    *,
    caught: tuple[type[BaseException], ...] = THE_WORLD,
    failed: Callable[[BaseException], str] | None = None,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run ``run`` over and over until cancelled; only a bug gets out.

    Args:
        what: Its name in the log.
        caught: What is no bug of ours.
        failed: Told of every failure; what to call it in the log.
    """
    task_status.started()
    name = failed or causes
    failures = 0
    while True:
        began = trio.current_time()
        try:
            await run()
            log.info("%s has ended", what)
        except* caught as group:
            log.warning("%s has failed: %s", what, name(group))
        if trio.current_time() - began >= retry.healthy_after:
            failures = 0
        failures += 1
        await trio.sleep(retry.delay(failures))


def causes(error: BaseException) -> str:
    """What went wrong, in words, each once, out of whatever groups it is wrapped in."""
    return "; ".join(dict.fromkeys(_each_cause(error)))


def _each_cause(error: BaseException) -> Iterator[str]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _each_cause(inner)
    elif not str(error) and error.__cause__ is not None:  # as Trio wraps what TLS finds wrong
        yield from _each_cause(error.__cause__)
    elif not str(error) and isinstance(error, trio.TooSlowError):
        yield "no answer in time"
    else:
        yield str(error) or type(error).__name__
