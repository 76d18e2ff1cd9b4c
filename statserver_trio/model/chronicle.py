"""The chronicle: what began, ended and happened, told to whom it concerns.

The rules of regular and mediation DNs say *what* goes on; the chronicle keeps
the books of it and works out who sees it: the DN itself, its place, and the
agent who is logged in there, each for the time of their association. It writes
down only what a node is interested in; nobody's business costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .actions import BITS
from .calls import Call
from .groups import GroupNode
from .nodes import AgentNode, DNNode, MediationDN, Node, PlaceNode, RegularDN
from .occurrences import (
    BEGAN,
    DN_STATUS,
    ENDED,
    FACTS,
    HAPPENED,
    NO_FACTS,
    STATUS,
    Facts,
    Moment,
    Occurrence,
    Record,
    Status,
)

# Former agents of a DN that are kept, while something without a call goes on that they have seen.
AGENTS_MAX = 8


class Chronicle:
    """Collects records until :meth:`take` is called."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._regrouped: dict[GroupNode, int] = {}  # whose members changed, and when
        # At which DNs agents came or went, when, and who was there before.
        self._moved: dict[RegularDN, tuple[int, str]] = {}
        self._retold: dict[Call, None] = {}  # of which something else is known now

    def take(self) -> Sequence[Record]:
        """What was written since the last time, in order."""
        if self._moved:
            self._remember_agents()
        if self._retold:
            for call in self._retold:
                self._reconsider(call.occurrences())
            self._retold.clear()
        if self._regrouped:
            self._restatus_groups()
        records = self._records
        if not records:
            return ()
        self._records = []
        return records

    # -- durable actions -------------------------------------------------------------

    def began(self, occurrence: Occurrence) -> None:
        """A durable action began, for everybody who sees its DN."""
        dn = occurrence.dn
        bit = BITS[occurrence.action]
        if dn.interest & bit:
            self._records.append((BEGAN, dn, occurrence, occurrence.start))
        for parent in dn.parents:
            if parent.interest & bit:
                self._records.append((BEGAN, parent, occurrence, occurrence.start))

    def ended(self, occurrence: Occurrence) -> None:
        """A durable action ended; its copies began with the association at the earliest."""
        dn = occurrence.dn
        bit = BITS[occurrence.action]
        start = occurrence.start
        if dn.interest & bit:
            self._records.append((ENDED, dn, occurrence, start))
        for parent in dn.parents:
            if parent.interest & bit:
                since = dn.seen_from(parent)
                self._records.append((ENDED, parent, occurrence, start if start > since else since))

    # -- instantaneous actions -------------------------------------------------------

    def happened(
        self,
        dn: DNNode,
        action: int,
        duration: int,
        call: Call | None = None,
        reasons: Facts = NO_FACTS,
        agent_id: str = "",
    ) -> None:
        """Something happened at once; ``duration`` in ms, 0 for momentary actions.

        Args:
            agent_id: Whose doing it was, where that is not who is logged in at the DN.
        """
        bit = BITS[action]
        about = None  # made for whoever wants to know more than that it happened
        if dn.interest & bit:
            if dn.wants_moments:
                about = Moment(action, 0, dn, call, reasons, agent_id or dn.agent_id)
            self._records.append((HAPPENED, dn, action, duration, about))
        for parent in dn.parents:
            if parent.interest & bit:
                if about is None and parent.wants_moments:
                    about = Moment(action, 0, dn, call, reasons, agent_id or dn.agent_id)
                self._records.append((HAPPENED, parent, action, duration, about))

    # -- associations ----------------------------------------------------------------

    def link(self, agent: AgentNode, dn: RegularDN, t: int) -> None:
        """The agent sees the DN from now on, with what already goes on there."""
        self._moved.setdefault(dn, (t, dn.agent_id))
        dn.agent, dn.agent_since = agent, t
        agent.dns = (*agent.dns, dn)
        dn.parents = tuple(parent for parent in (dn.place, agent) if parent is not None)
        for occurrence, _ in dn.going_on():
            if agent.interest & BITS[occurrence.action]:
                self._records.append((BEGAN, agent, occurrence, t))
        if agent.wants_dn_statuses:
            self._records.append((DN_STATUS, agent, None, 0, dn.status, t))

    def unlink(self, agent: AgentNode, dn: RegularDN, t: int) -> None:
        """The agent sees the DN no more; what goes on there ends for him."""
        self._moved.setdefault(dn, (t, dn.agent_id))
        for occurrence, start in dn.going_on():
            if agent.interest & BITS[occurrence.action]:
                self._records.append((ENDED, agent, occurrence, max(start, dn.agent_since)))
        if agent.wants_dn_statuses:
            start = max(dn.status.start, dn.agent_since)
            self._records.append((DN_STATUS, agent, dn.status, start, None, 0))
        dn.agent = None
        agent.dns = tuple([each for each in agent.dns if each is not dn])
        dn.parents = () if dn.place is None else (dn.place,)

    def _remember_agents(self) -> None:
        """Whoever filters by agent has to look again at what goes on, and to know since when."""
        for dn, (t, before) in self._moved.items():
            if before == dn.agent_id:
                continue
            for leg in dn.legs.values():
                leg.call.remember(t, {dn.key.number: before})
            oldest = min((occurrence.start for occurrence in dn.state.values()), default=t)
            former = [*dn.former_agents, (t, before)][-AGENTS_MAX:]
            dn.former_agents = [one for one in former if one[0] > oldest]
            self._reconsider(occurrence for occurrence, _ in dn.going_on())
        self._moved.clear()

    # -- statuses --------------------------------------------------------------------

    def restatus(self, dn: DNNode, t: int) -> None:
        """Work out the statuses of a DN and its parents after something changed there.

        Called once per event, when everything is in place, so that the steps in
        between never show up as statuses of no duration.
        """
        if isinstance(dn, RegularDN):
            top = dn.top()
            old = dn.status
            if top is not old.source:
                new = Status(top.action, t, top)
                self._change(dn, new)
                for parent in dn.parents:
                    if parent.wants_dn_statuses:
                        self._dn_changed(parent, dn, old, new)
            elif dn not in self._moved:  # nor do they see anything else there than before
                return
        elif isinstance(dn, MediationDN):
            monitor = dn.state["monitor"]
            if monitor is not dn.status.source:
                self._change(dn, Status(monitor.action, t, monitor))
        for parent in dn.parents:
            self.restatus_parent(parent, t)

    def restatus_parent(self, parent: AgentNode | PlaceNode, t: int) -> None:
        """Work out the status of an agent or a place."""
        dns = parent.dns
        # With a single DN, as nearly always, that is a third of what this would cost.
        source = dns[0].status.source if len(dns) == 1 else parent.top()
        action = parent.without_dns if source is None else source.action
        old = parent.status
        if source is not old.source or action != old.action:
            self._change(parent, Status(action, t, source))
            for group in parent.groups:
                group.count(old.action, action)
                self._regrouped[group] = t

    def regrouped(self, group: GroupNode, t: int) -> None:
        """The members of a group are others now, or other than they were."""
        self._regrouped[group] = t

    def _restatus_groups(self) -> None:
        """Work out the statuses of groups, when every member's is in place."""
        for group, t in self._regrouped.items():
            action = group.top()
            if action != group.status.action:
                self._change(group, Status(action, t, None))
        self._regrouped.clear()

    def _dn_changed(self, parent: Node, dn: RegularDN, old: Status, new: Status) -> None:
        start = max(old.start, dn.seen_from(parent))
        self._records.append((DN_STATUS, parent, old, start, new, new.start))

    def _change(self, node: Node, new: Status) -> None:
        old, node.status = node.status, new
        if new.action == old.action:
            new.follow(old)
        if node.wants_status:
            self._records.append((STATUS, node, old, new))

    # -- facts -----------------------------------------------------------------------

    def facts_changed(self, call: Call) -> None:
        """What filters look at changed: they look again at what still goes on after the event.

        What ends with the event has ended before: it never was what it says now.
        """
        self._retold[call] = None

    def _reconsider(self, occurrences: Iterable[Occurrence]) -> None:
        for occurrence in occurrences:
            dn = occurrence.dn
            for node in (dn, *dn.parents):
                if node.wants_facts:
                    self._records.append((FACTS, node, occurrence))
