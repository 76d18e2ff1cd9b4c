"""Compound categories: how long a caller will have to wait (statistics.md §5.5).

They count fixed sets of actions of a queue or route point, whatever the mask says::

    AHT   time to talk and to wrap up, per call released; of the interval before where none
          has been released yet in this one
    NPOS  agents who serve the queue and are not away    (AgentActive)
    RDY   agents who wait for a call                      (AgentReady)
    PIQ   calls that wait                                 (CallWait)

The vendor's formulas are not public; these are our decision. An agent who serves two queues
of a group is two of its positions, as AgentActive counts him. Nobody there to take the calls
that wait is :data:`NEVER`, the vendor's very large number.
"""

from __future__ import annotations

from ...model.actions import mask_of
from ..definitions.object_types import MEDIATION
from .category import Category, Masks, Reading, ratio

NEVER = 10_000.0  # seconds

RELEASED, WRAPPED, ACTIVE, READY = "released", "wrapped", "active", "ready"
WAITING = Masks(
    mask_of("CallWait"),
    None,
    (
        (RELEASED, mask_of("CallReleased")),
        (WRAPPED, mask_of("ACWCompleted")),
        (ACTIVE, mask_of("AgentActive")),
        (READY, mask_of("AgentReady")),
    ),
)
LEAVING = Masks(mask_of("CallWait"), mask_of("CallDistributed"))


def _handle_time(r: Reading) -> float:
    """AHT, seconds."""
    released, wrapped = r.more[RELEASED], r.more[WRAPPED]
    if not released.number():
        released, wrapped = released.before(), wrapped.before()
    return ratio((released.time() + wrapped.time()) / 1000, released.number())


def _wait(r: Reading) -> float:
    waiting, positions = r.main.current_number(), r.more[ACTIVE].current_number()
    if not waiting and r.more[READY].current_number():
        return 0.0
    if positions:
        return waiting * _handle_time(r) / positions
    return NEVER if waiting else 0.0


def _wait_at_this_rate(r: Reading) -> float:
    """As many leave per second as have left so far."""
    assert r.rel is not None
    waiting, left = r.main.current_number(), r.rel.number()
    if not waiting:
        return 0.0
    return waiting * r.interval / 1000 / left if left else NEVER


def _load(r: Reading) -> float:
    ready = r.more[READY].current_number()
    return -float(ready) if ready and not r.main.current_number() else _wait(r)


COMPOUND = (
    Category(
        "EstimWaitTime",
        _wait,
        result="ratio",
        masks=WAITING,
        of="action",
        grows="never",
        objects=MEDIATION,
        looks_back=True,
    ),
    Category(
        "ExpectedWaitTime2",
        _wait_at_this_rate,
        result="ratio",
        masks=LEAVING,
        of="action",
        grows="always",
        objects=MEDIATION,
    ),
    Category(
        "LoadBalance",
        _load,
        result="ratio",
        masks=WAITING,
        of="action",
        grows="never",
        objects=MEDIATION,
        looks_back=True,
    ),
)
