"""T-events of the agent at a DN, and of the telephone itself."""

from __future__ import annotations

from .base import KVList, TEvent


class AgentEvent(TEvent):
    """What the agent's own events share."""

    agent_id: str = ""
    place: str = ""
    this_queue: str = ""
    work_mode: str = ""
    reasons: KVList | None = None
    extensions: KVList | None = None


class EventAgentLogin(AgentEvent):
    """An agent logged in on the DN; repeated once per queue he serves."""


class EventAgentLogout(AgentEvent):
    """The agent left the DN for good."""


class EventQueueLogout(AgentEvent):
    """The agent no longer serves ``this_queue``, and is still logged in."""


class EventAgentReady(AgentEvent):
    """The agent waits for a call."""


class EventAgentNotReady(AgentEvent):
    """The agent does not want calls; work mode AfterCallWork means just that."""


class EventAgentAfterCallWork(AgentEvent):
    """Obsolete form of NotReady with work mode AfterCallWork."""


class EventAgentIdleReasonSet(AgentEvent):
    """Obsolete; carries a reason and changes no state."""


class EventAgentReserved(AgentEvent):
    """A router has reserved the agent; nothing for statistics."""


class EventOffHook(TEvent):
    """The receiver was lifted."""


class EventOnHook(TEvent):
    """The receiver was put down."""


class EventDNDOn(TEvent):
    """Do not disturb."""


class EventDNDOff(TEvent):
    """Do disturb."""


class EventForwardSet(TEvent):
    """Calls to the DN are forwarded."""


class EventForwardCancel(TEvent):
    """Calls to the DN are no longer forwarded."""


class EventMuteOn(TEvent):
    """The microphone is off."""


class EventMuteOff(TEvent):
    """The microphone is on."""


class EventMessageWaitingOn(TEvent):
    """There is voice mail."""


class EventMessageWaitingOff(TEvent):
    """There is no more voice mail."""
