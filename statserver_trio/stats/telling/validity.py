"""Validity: whether what a statistic is worth can be relied upon, told when that changes.

It can while everything that contributes is heard (statistics.md §4.9). A DN that is lost or found
concerns whoever counts there, at its agent, its place and their groups; those are found by the
rows of these nodes, so that an event does not pay for what else is open. States show it
themselves and have no validity.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ...model.nodes import AgentNode, DNNode, Node, PlaceNode
from ..statistic import Statistic
from .notifications import Notice

if TYPE_CHECKING:
    from ..engine import Engine


class Validity:
    """Of the open statistics."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._unsure: dict[Statistic, None] = {}  # whose nodes are others now

    @property
    def doubts(self) -> bool:
        """Whether there is something to look at although no DN was lost or found."""
        return bool(self._unsure)

    def is_unsure(self, statistic: Statistic) -> None:
        """Look at it next time, whatever happens."""
        self._unsure[statistic] = None

    def look(self) -> Iterator[Notice]:
        """What those are to be told who count where DNs were lost or found."""
        concerned, self._unsure = self._unsure, {}
        for source in self._engine.sources.values():
            for node in source.take_refound():
                for each in _whom_it_concerns(node):
                    if each.watch is not None:
                        concerned.update(each.watch.told)
        return self._judge(concerned)

    def look_at_all(self) -> Iterator[Notice]:
        """The same of everything that is open, where a whole source was lost or found."""
        return self._judge(self._engine.statistics.values())

    def _judge(self, statistics: Iterable[Statistic]) -> Iterator[Notice]:
        for statistic in statistics:
            valid = self._engine.is_valid(statistic)
            if valid == statistic.valid or statistic.category.kind == "state":
                continue
            statistic.valid = valid
            if not self._engine.tells_validity:
                continue
            kind = "StatisticValid" if valid else "StatisticInvalid"
            reason = "" if valid else self._engine.why_invalid(statistic)
            for subscription in statistic.subscriptions:
                yield Notice(subscription, kind, reason=reason)


def _whom_it_concerns(node: Node) -> Iterator[Node]:
    yield node
    parents = node.parents if isinstance(node, DNNode) else (node,)
    for parent in parents:
        if isinstance(parent, AgentNode | PlaceNode):
            yield parent
            yield from parent.groups
