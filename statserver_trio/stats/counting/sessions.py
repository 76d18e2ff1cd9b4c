"""Sessions: from a login to the logout, for statistics over a SinceLogin profile.

An agent's session begins when he is logged out no more, a place's when somebody logs in on
one of its DNs while nobody was (our decision; statistics.md §6.2 speaks of agents). A lost
link ends none. Each switch has its own: an agent who works on two of them has two (our
decision, for their clocks and events have nothing to do with each other).

The interval of a statistic begins with the event that is the login, before anything of that
event is counted, as at any reset; what the event of the logout brings about still belongs to
it. From then on the values stay as they are until the next login.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ...model.actions import mask_of
from ...model.nodes import LOGGED_OUT, AgentNode, Node, PlaceNode
from ...model.occurrences import Record
from .counters import ACTIONS, STATUSES, RowKind

if TYPE_CHECKING:
    from ..statistic import Statistic
    from .ledger import Ledger
    from .rows import Watch

# What has to be watched at a node for its logins to be seen, by object type.
WATCHED = {
    "Agent": RowKind(mask_of("LoggedOut"), STATUSES),
    "Place": RowKind(mask_of("LoggedIn"), ACTIONS),
}


def is_in(node: Node) -> bool:
    """Whether a session goes on there."""
    if isinstance(node, AgentNode):
        return node.status.action != LOGGED_OUT
    assert isinstance(node, PlaceNode)
    return any(dn.agent is not None for dn in node.dns)


class Session:
    """The present session of a node, or that there is none."""

    __slots__ = ("goes_on", "statistics")

    def __init__(self, node: Node) -> None:
        self.goes_on = is_in(node)
        self.statistics: dict[Statistic, None] = {}


def follow(ledger: Ledger, node: Node, statistic: Statistic) -> bool:
    """Let a statistic begin anew with every login there; whether somebody is logged in now."""
    watch: Watch = node.watch
    if watch.session is None:
        watch.session = Session(node)
        ledger.sessions += 1
    watch.session.statistics[statistic] = None
    return watch.session.goes_on


def leave(ledger: Ledger, watch: Watch, statistic: Statistic) -> None:
    """A statistic has nothing to do with the node any more."""
    session = watch.session
    if session is None or statistic not in session.statistics:
        return
    del session.statistics[statistic]
    if not session.statistics:
        watch.session = None
        ledger.sessions -= 1


def _watched(records: Iterable[Record]) -> Iterable[tuple[Node, Session]]:
    for node in {id(record[1]): record[1] for record in records}.values():
        session = node.watch.session
        if session is not None:
            yield node, session


def begin(records: Sequence[Record], t: int) -> None:
    """Before the records of one event are counted: those of a login begin anew."""
    for node, session in _watched(records):
        if not session.goes_on and is_in(node):
            session.goes_on = True
            for statistic in session.statistics:
                statistic.log_in(node, t)


def end(records: Sequence[Record], t: int) -> None:
    """After they were counted: those of a logout stay as they are."""
    for node, session in _watched(records):
        if session.goes_on and not is_in(node):
            session.goes_on = False
            for statistic in session.statistics:
                statistic.log_out(node, t)
