"""Events of interactions: e-mails, chats and tasks, in their queues and at agents' desks.

What Interaction Server says, with the names of its events. Their wire is not public either; as
with T-events the open form is ours, and so is every attribute that no public text names. An
interaction is named by ``InteractionID``, and needs no ``ThisDN``.
"""

from __future__ import annotations

from .base import KVList, TEvent


class ExternalServiceEvent(TEvent):
    """What the two events of an external service share."""

    user_data: KVList | None = None


class EventExternalServiceRequested(ExternalServiceEvent):
    """A strategy asks an external service."""


class EventExternalServiceResponded(ExternalServiceEvent):
    """The external service has answered."""
