"""Spreading: a value that many clients are told is encoded once, and laid on their trays.

What an ``Info`` says differs between the clients that share a statistic only in whose it
is. So there are two pieces: the head is made when a client opens the statistic, the tail
when there is a value, and a client costs little more than putting one behind the other.
To make an event for each, to queue it and to encode it took six times as long.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..stats.telling.notifications import Mode, News, Notice, Subscription, Value
from .codec import info_tail
from .outbox import SMALL_BYTES, Outbox
from .session import Opened


def is_shared(told: Notice | News) -> bool:
    """Whether this is a value that everybody is told in the same words."""
    if isinstance(told, News):
        subscription = told.subscriptions[0]
    elif told.kind == "Info":
        subscription = told.subscription
        if subscription.notification.mode is Mode.RESET_BASED:
            return False
    else:
        return False
    return subscription.statistic.category.name != "CurrentTargetState"


def spread(told: Iterable[Notice | News]) -> tuple[list[Outbox], int]:
    """Lay values on the trays.

    Args:
        told: All of them such that :func:`is_shared`.

    Returns:
        The outboxes in which nothing waited before, and how many values were laid there.
    """
    woken: list[Outbox] = []
    count = 0
    tails: dict[int, tuple[Value, bytes]] = {}  # by the identity of the value, which is kept
    for each in told:
        value = each.value
        assert value is not None
        known = tails.get(id(value))
        if known is None:
            known = tails[id(value)] = value, info_tail(value)
        tail = known[1]
        subscriptions = each.subscriptions if isinstance(each, News) else [each.subscription]
        count += len(subscriptions)
        if len(tail) <= SMALL_BYTES:
            _lay(subscriptions, tail, woken)
        else:
            for subscription in subscriptions:
                _queue(subscription.owner, tail, woken)
    return woken, count


def _lay(subscriptions: list[Subscription], tail: bytes, woken: list[Outbox]) -> None:
    """Lay a small value on many trays. This is where the server is when it is busy."""
    for subscription in subscriptions:
        opened: Opened = subscription.owner
        outbox = opened.outbox
        tray = outbox.tray
        if tray:
            tray[opened.statistic_id] = opened.head + tail
        elif outbox.is_plain:
            tray[opened.statistic_id] = opened.head + tail
            woken.append(outbox)
        else:
            _queue(opened, tail, woken)


def _queue(opened: Opened, tail: bytes, woken: list[Outbox]) -> None:
    """The same where something else waits, or the value is large."""
    if opened.outbox.put_value(opened.statistic_id, opened.head, tail):
        woken.append(opened.outbox)
