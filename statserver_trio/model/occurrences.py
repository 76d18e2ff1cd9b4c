"""Occurrences: one durable action while it goes on, and one status while it lasts.

Both have an action code, a start and the facts that filters look at; so whoever
counts can treat them alike. Times are milliseconds since the epoch.

What a world reports is a list of :data:`Record`, plain tuples whose first item
says what the rest is:

=============  =========================================================
``BEGAN``      node, occurrence, start
``ENDED``      node, occurrence, start
``HAPPENED``   node, action, duration in ms, occurrence or None (``wants_moments``)
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

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .calls import Told
    from .nodes import DNNode

BEGAN, ENDED, HAPPENED, STATUS, FACTS, DN_STATUS = range(6)

Record = tuple[Any, ...]
Facts = Mapping[str, Any]
NO_FACTS: Facts = {}
VOICE = "voice"  # the medium of telephony


class Occurrence:
    """One durable action on one DN, from its beginning to its end.

    Attributes:
        call: The call it belongs to; of what is over perhaps only what was told of that.
        reasons: Of an agent's state; of what happens at once whatever else was told of it.
    """

    __slots__ = ("action", "call", "dn", "reasons", "start")

    def __init__(
        self,
        action: int,
        start: int,
        dn: DNNode,
        call: Told | None = None,
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
    def agent_id(self) -> str:
        """Who is logged in at the DN, or whom a queue's pseudo-action is about; or nobody."""
        return self.dn.agent_id or self.reasons.get("AgentID", "")

    def formerly(self) -> Iterator[tuple[int, Occurrence]]:
        """How it was before something that filters look at changed, each until when.

        The latest first; some of it may be of a time before the occurrence began.
        """
        dn, call, agent_id = self.dn, self.call, self.agent_id
        if call is None:
            for until, agent_id in reversed(dn.former_agents):
                yield until, Moment(self.action, self.start, dn, None, self.reasons, agent_id)
            return
        for until, told in reversed(call.told_before()):
            agent_id = told.agents.get(dn.key.number, agent_id)
            yield until, Moment(self.action, self.start, dn, told, self.reasons, agent_id)

    @property
    def media(self) -> str:
        """The medium it is about; telephony is voice."""
        return VOICE if self.call is None else self.call.media

    @property
    def conn_id(self) -> str:
        """The call it belongs to; empty where it belongs to none."""
        return self.call.conn_id if self.call is not None else ""


class Moment(Occurrence):
    """An occurrence as it was at one moment: what happens at once, or how another one was."""

    __slots__ = ("_agent_id",)

    def __init__(
        self,
        action: int,
        start: int,
        dn: DNNode,
        call: Told | None,
        reasons: Facts,
        agent_id: str,
    ) -> None:
        self.action = action
        self.start = start
        self.dn = dn
        self.call = call
        self.reasons = reasons
        self._agent_id = agent_id

    @property
    def agent_id(self) -> str:
        """Who was logged in at the DN then, or whom a queue's pseudo-action was about."""
        return self._agent_id


class Status:
    """One status of one object, from the moment it became the highest action.

    ``source`` is the occurrence it shows, None for a LoggedOut agent. The start
    is when it became the status, which may be long after the action began.

    Attributes:
        since: When the object came to that status, whatever reasons for it were given
            since then: each of them is a status of its own, with a start of its own.
    """

    __slots__ = ("action", "since", "source", "start")

    def __init__(
        self, action: int, start: int, source: Occurrence | None, since: int | None = None
    ) -> None:
        self.action = action
        self.start = start
        self.since = start if since is None else since
        self.source = source

    def follow(self, former: Status) -> None:
        """It comes after another one of the same action: perhaps only the reasons are others."""
        for each in (self.source, former.source):
            if each is not None and each.call is not None:
                return
        self.since = former.since

    @property
    def facts(self) -> Facts:
        """The facts of the action it shows."""
        return NO_FACTS if self.source is None else self.source.facts
