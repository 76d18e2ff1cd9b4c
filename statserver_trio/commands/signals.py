"""Ctrl-C: what ends commands that go on until somebody ends them."""

from __future__ import annotations

import signal

import trio


async def end_on_signal(
    scope: trio.CancelScope, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Cancel ``scope`` at SIGINT or SIGTERM; a task to be started before there is much to end."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            scope.cancel()
