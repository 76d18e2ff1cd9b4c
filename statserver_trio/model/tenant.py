"""The tenant: what happens to nobody in particular.

Whoever asks about a tenant asks about all its DNs and agents. What belongs to none of them is
an external service that was asked, and has answered: two actions that happen at once, at the
world that was told so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ..tlib import events as e
from .actions import CODES
from .directory import DNKey
from .nodes import MONITORED, DNNode
from .occurrences import Occurrence, Status

if TYPE_CHECKING:
    from .world import World

WorldRule = Callable[["World", Any, int], None]


class TenantNode(DNNode):
    """The tenant, as one world sees it; its number is its name. Nothing lasts here."""

    def __init__(self, key: DNKey, t: int) -> None:
        super().__init__(key, "Tenant", t)
        self.state.clear()
        self.status = Status(MONITORED, t, Occurrence(MONITORED, t, self))

    @property
    def address(self) -> tuple[str, ...]:
        """By its name."""
        return ("tenant", self.key.number)

    def going_on(self) -> Iterator[tuple[Occurrence, int]]:
        """Nothing."""
        return iter(())


def _happens(action: int) -> WorldRule:
    def rule(world: World, event: e.ExternalServiceEvent, t: int) -> None:
        facts = event.user_data or {}
        world.chronicle.happened(world.tenant, action, 0, reasons=facts)

    return rule


RULES: dict[type[e.TEvent], WorldRule] = {
    e.EventExternalServiceRequested: _happens(CODES["ExternalServiceRequested"]),
    e.EventExternalServiceResponded: _happens(CODES["ExternalServiceResponded"]),
}
