"""The contract every state machine of this project honours.

A machine is told what happened and when, answers with the actions its owner
must perform, in that order, and says when it wants to be woken up:

    event, now  ->  [action, ...]        next_deadline()  ->  time

It never reads a clock, draws a random number, sleeps, or touches a stream.
The same calls give the same answers, which is what lets a test tell its story
as a table and lets a whole pair of servers be replayed from a seed.
"""

from __future__ import annotations

from typing import Protocol

from attrs import frozen


@frozen
class Connected:
    """Event: a fresh stream to the other side is ready for use."""


@frozen
class Disconnected:
    """Event: the stream to the other side is gone, whoever closed it."""


@frozen
class Send:
    """Action: put this message on the wire.

    ``message`` is whatever the codec of that wire encodes.
    """

    message: object


@frozen
class Disconnect:
    """Action: close the stream; ``reason`` is for the log and the operator."""

    reason: str


class Machine(Protocol):
    """What the server floor can drive."""

    def handle_event(self, event: object, now: float) -> list[object]:
        """Report that ``event`` happened; get the actions it calls for."""

    def handle_timer(self, now: float) -> list[object]:
        """Report that time has passed. Harmless when called early."""

    def next_deadline(self) -> float:
        """When to call :meth:`handle_timer` next; ``inf`` if never.

        Always later than the ``now`` of the latest :meth:`handle_timer`.
        """
