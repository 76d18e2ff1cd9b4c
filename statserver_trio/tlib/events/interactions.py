"""Events of interactions: e-mails, chats and tasks, in their queues and at agents' desks.

What Interaction Server says, with the names of its events. Their wire is not public either; as
with T-events the open form is ours, and so is every attribute that no public text names. An
interaction is named by ``InteractionID`` and needs no ``ThisDN``. Interaction Server calls who
joins and leaves an interaction EventPartyAdded and EventPartyRemoved; since T-Library has the
former for calls, they are EventInteractionPartyAdded and EventInteractionPartyRemoved here.
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


class InteractionEvent(TEvent):
    """What every event of an interaction has.

    ``interaction_type`` is Inbound, Internal or Outbound; ``user_data`` the whole list as it
    is now.
    """

    interaction_id: str
    media_type: str = ""
    interaction_type: str = ""
    user_data: KVList | None = None
    agent_id: str = ""


class EventSubmitted(InteractionEvent):
    """A new interaction; in state 0 it waits in ``queue`` from the start."""

    queue: str = ""
    interaction_state: int = 0


class EventPlacedInQueue(InteractionEvent):
    """The interaction waits in ``queue`` now; ``old_queue`` is where it was before."""

    queue: str = ""
    old_queue: str = ""


class EventTakenFromQueue(InteractionEvent):
    """Somebody took it out: an agent or a strategy (``party_type`` 2), or somebody else."""

    queue: str = ""
    party_type: int = 0
    strategy: str = ""


class EventPlacedInWorkbin(InteractionEvent):
    """The interaction lies in somebody's workbin now."""

    workbin: str = ""


class EventTakenFromWorkbin(InteractionEvent):
    """Somebody took it out of the workbin."""

    workbin: str = ""
    party_type: int = 0


class EventPropertiesChanged(InteractionEvent):
    """Other attached data."""


class EventProcessingStopped(InteractionEvent):
    """The interaction is over, wherever it was."""


# -- at the agents' desks -----------------------------------------------------------------


class EventInvite(InteractionEvent):
    """The agent is offered the interaction."""


class PartyEvent(InteractionEvent):
    """Somebody works on the interaction from now on.

    ``operation`` says how he came to it: Transfer, Conference (he was brought in by
    ``other_agent_id``), Intrusion (he came by himself), or nothing where it was offered to him.
    """

    operation: str = ""
    other_agent_id: str = ""


class EventAccepted(PartyEvent):
    """He took it."""


class EventRejected(InteractionEvent):
    """He did not."""


class EventRevoked(InteractionEvent):
    """The offer was taken back, for he did not answer."""


class EventInteractionPartyAdded(PartyEvent):
    """The agent works on the interaction now."""


class EventInteractionPartyRemoved(InteractionEvent):
    """The agent works on it no more."""


class EventInteractionPlaceInfo(TEvent):
    """All that waits in one place, told instead of its history; ``extensions`` lists it.

    The place is a queue, a workbin or a strategy. For what is listed, and how, see
    :mod:`statserver_trio.model.interaction_snapshots`.
    """

    queue: str = ""
    workbin: str = ""
    strategy: str = ""
    extensions: KVList | None = None


class EventAgentMediaInfo(TEvent):
    """All media of one agent and what he does with each, likewise."""

    agent_id: str
    place: str = ""
    extensions: KVList | None = None


class MediaEvent(TEvent):
    """What the events of an agent's media have in common."""

    agent_id: str
    media_type: str
    place: str = ""
    reasons: KVList | None = None


class EventMediaAdded(MediaEvent):
    """The agent has that medium from now on."""


class EventMediaRemoved(MediaEvent):
    """He has it no more."""


class EventReadyForMedia(MediaEvent):
    """He waits for interactions of that medium."""


class EventNotReadyForMedia(MediaEvent):
    """He does not."""
