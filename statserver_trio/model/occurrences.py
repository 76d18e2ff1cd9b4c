"""Occurrences: one durable action while it goes on, and one status while it lasts.

Both have an action code, a start and the facts that filters look at; so whoever
counts can treat them alike. Times are milliseconds since the epoch.

What a world reports is a list of :data:`Record`, plain tuples whose first item
says what the rest is:

=============  =========================================================
``BEGAN``      node, occurrence, start
``ENDED``      node, occurrence, start
``HAPPENED``   node, action, duration in ms, occurrence
``STATUS``     node, status that ended, status that began
``FACTS``      node, occurrence whose facts have changed
``DN_STATUS``  node, status of one of its DNs that ended or None, its start,
               status that began or None, its start
=============  =========================================================

``start`` stands beside the occurrence because a parent sees its child's action
only for the time of their association: an agent who logs in on a ringing DN has
that ringing from his login on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .calls import Call
    from .nodes import DNNode

BEGAN, ENDED, HAPPENED, STATUS, FACTS, DN_STATUS = range(6)

Record = tuple[Any, ...]
Facts = Mapping[str, Any]
NO_FACTS: Facts = {}


class Occurrence:
    """One durable action on one DN, from its beginning to its end.

    Or what happened at once, to be looked at by filters; that has no start.

    Attributes:
        reasons: Of an agent's state; of what happens at once whatever else was told of it.
    """

    __slots__ = ("action", "call", "dn", "reasons", "start")

    def __init__(
        self,
        action: int,
        start: int,
        dn: DNNode,
        call: Call | None = None,
        reasons: Facts = NO_FACTS,
    ) -> None:
        self.action = action
        self.start = start
        self.dn = dn
        self.call = call
        self.reasons = reasons

    @property
    def facts(self) -> Facts:
        """The attached data that filters look at: the call's, or the agent's reasons."""
        return self.reasons if self.call is None else self.call.facts

    @property
    def former_facts(self) -> Sequence[tuple[int, Facts]]:
        """What the facts were before, each until when; some of it before the occurrence."""
        return () if self.call is None else self.call.former

    @property
    def media(self) -> str:
        """The medium it is about; telephony is voice."""
        return "voice" if self.call is None else self.call.media

    @property
    def conn_id(self) -> str:
        """The call it belongs to; empty where it belongs to none."""
        return self.call.conn_id if self.call is not None else ""


class Status:
    """One status of one object, from the moment it became the highest action.

    ``source`` is the occurrence it shows, None for a LoggedOut agent. The start
    is when it became the status, which may be long after the action began.
    """

    __slots__ = ("action", "source", "start")

    def __init__(self, action: int, start: int, source: Occurrence | None) -> None:
        self.action = action
        self.start = start
        self.source = source

    @property
    def facts(self) -> Facts:
        """The facts of the action it shows."""
        return NO_FACTS if self.source is None else self.source.facts

    @property
    def former_facts(self) -> Sequence[tuple[int, Facts]]:
        """What the facts of the action it shows were before, each until when."""
        return () if self.source is None else self.source.former_facts
