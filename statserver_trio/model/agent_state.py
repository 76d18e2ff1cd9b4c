"""The agent at a DN: login, ready, not ready, after-call work, logout.

Each is a durable action in the DN's ``login`` or ``agent`` slot, and they survive
calls: an agent who talks still waits for the next call, only his status is a
higher one. The exception is after-call work asked for during a call, which
begins when the call ends (documented under ACWCompleted). Nobody logged in is a
durable action too, LoggedOut; only agents have it as a status.

A login is no change of state: the state event follows. Where its work mode says
already what that state is, it begins with the login (:data:`LOGIN_STATES`; our
reading of two pages, of which one asks for the former and one for the latter).

Do-not-disturb is the telephone's affair and means nothing, unless a site wants
it to (``dnd-means-not-ready``): then it makes an agent who waits not ready, for
as long as it is on. Whatever is said of the agent himself meanwhile counts more.

Whatever changes here shows at the queues that he serves, too (:mod:`.served_queues`).
Rules: statistics.md §4.3–4.4, t-events.md §2.3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..tlib import events as e
from . import actions, served_queues
from .actions import CODES
from .calls import Leg, Phase, reason_facts
from .nodes import LOGGED_OUT, RegularDN
from .occurrences import NO_FACTS, Facts, Occurrence
from .reflections import reflect_after_call_work

if TYPE_CHECKING:
    from .world import World

Rule = Callable[["World", RegularDN, Any, int], None]

WAIT = CODES["WaitForNextCall"]
NOT_READY = CODES["NotReadyForNextCall"]
LOGGED_IN = CODES["LoggedIn"]
ON_HOOK = CODES["OnHook"]
OFF_HOOK = CODES["OffHook"]
ACW_CODES = frozenset(actions.AFTER_CALL_WORK.values())
AFTER_CALL_WORK_MODE = "AfterCallWork"
# Work modes that are a state. ManualIn is none: such an agent asks for each call.
LOGIN_STATES = {
    "AutoIn": WAIT,
    "AutoIn(LegalGuard)": WAIT,  # two names of one number
    "AuxWork": NOT_READY,
    "WalkAway": NOT_READY,
}


# -- slots --------------------------------------------------------------------------------


def put(
    world: World, dn: RegularDN, slot: str, action: int, t: int, facts: Facts = NO_FACTS
) -> None:
    """Let ``action`` be what goes on in ``slot`` from ``t`` on."""
    clear(world, dn, slot, t)
    occurrence = Occurrence(action, t, dn, reasons=facts)
    dn.state[slot] = occurrence
    world.chronicle.began(occurrence)


def clear(world: World, dn: RegularDN, slot: str, t: int) -> None:
    """End what goes on in ``slot``, if anything does."""
    occurrence = dn.state.pop(slot, None)
    if occurrence is None:
        return
    world.chronicle.ended(occurrence)
    if occurrence.action in ACW_CODES:
        reflect_after_call_work(world, dn, t - occurrence.start, dn.acw_visits)


def set_agent_state(world: World, dn: RegularDN, action: int, t: int, facts: Facts) -> None:
    """Ready, not ready or after-call work; the same again with other reasons splits it."""
    dn.before_dnd = None
    present = dn.state.get("agent")
    if present is not None and present.action == action and present.reasons == facts:
        return
    put(world, dn, "agent", action, t, facts)
    served_queues.refresh(world, dn, t)


# -- login and logout ---------------------------------------------------------------------


def log_in(world: World, dn: RegularDN, agent_id: str, queue: str, t: int) -> None:
    """Associate agent and DN, and DN and queue; nothing happens where they are already."""
    agent = world.agent(agent_id)
    if agent is not None and dn.agent is not agent:
        if dn.agent is not None:  # only one agent per device: the former one is gone
            log_out(world, dn, t)
        clear(world, dn, "login", t)  # so that he sees nothing of a DN without agent
        world.chronicle.link(agent, dn, t)
        if not dn.is_monitored:
            world.refound[agent] = None
        world.logins_changed(dn)
    if "login" not in dn.state or dn.state["login"].action != LOGGED_IN:
        put(world, dn, "login", LOGGED_IN, t)
    served_queues.log_in_to(world, dn, queue)
    served_queues.refresh(world, dn, t)


def log_out(world: World, dn: RegularDN, t: int) -> None:
    """End everything the agent did here, and the association with him and his queues."""
    dn.acw_pending = dn.before_dnd = None
    clear(world, dn, "agent", t)
    clear(world, dn, "login", t)
    served_queues.leave_all(world, dn)
    agent = dn.agent
    if agent is not None:
        world.logins_changed(dn)
        world.chronicle.unlink(agent, dn, t)
        if not dn.is_monitored:
            world.refound[agent] = None
        world.settle_capacity(agent, t)
        world.chronicle.restatus_parent(agent, t)
    put(world, dn, "login", LOGGED_OUT, t)


# -- rules --------------------------------------------------------------------------------


def agent_login(world: World, dn: RegularDN, event: e.EventAgentLogin, t: int) -> None:
    """Repeated once per queue; only the first is a login of the agent."""
    first = dn.agent is None or dn.agent.id != event.agent_id
    log_in(world, dn, event.agent_id, event.this_queue, t)
    facts = reason_facts(event.reasons, event.extensions)
    if event.work_mode in LOGIN_STATES and "agent" not in dn.state and dn.acw_pending is None:
        set_agent_state(world, dn, LOGIN_STATES[event.work_mode], t, facts)
    if first:
        world.chronicle.happened(dn, CODES["AgentLogin"], 0, reasons=facts)


def agent_logout(world: World, dn: RegularDN, event: e.EventAgentLogout, t: int) -> None:
    """The final logout; what he did here ends with it."""
    facts = reason_facts(event.reasons, event.extensions)
    world.chronicle.happened(dn, CODES["AgentLogout"], 0, reasons=facts)
    log_out(world, dn, t)


def queue_logout(world: World, dn: RegularDN, event: e.EventQueueLogout, t: int) -> None:
    """The agent leaves one of his queues."""
    queue = world.mediation_dn(event.this_queue)
    if queue is not None:
        served_queues.log_out_of(world, dn, queue, t)


def agent_ready(world: World, dn: RegularDN, event: e.EventAgentReady, t: int) -> None:
    """The agent waits for a call. A Ready without a login is one: we missed the login."""
    _presume_login(world, dn, event, t)
    dn.acw_pending = None
    set_agent_state(world, dn, WAIT, t, reason_facts(event.reasons, event.extensions))
    if not dn.legs:
        dn.acw_visits, dn.acw_call_type = (), "Unknown"


def agent_not_ready(world: World, dn: RegularDN, event: e.AgentEvent, t: int) -> None:
    """Not ready, or after-call work, which waits for the end of a call in progress."""
    _presume_login(world, dn, event, t)
    facts = reason_facts(event.reasons, event.extensions)
    obsolete = isinstance(event, e.EventAgentAfterCallWork)
    if obsolete or event.work_mode == AFTER_CALL_WORK_MODE:
        if any(leg.phase is Phase.TALKING for leg in dn.legs.values()):
            dn.acw_pending, dn.before_dnd = facts, None
            clear(world, dn, "agent", t)
            served_queues.refresh(world, dn, t)
        else:
            set_agent_state(world, dn, actions.AFTER_CALL_WORK[dn.acw_call_type], t, facts)
        return
    dn.acw_pending = None
    set_agent_state(world, dn, NOT_READY, t, facts)


def _presume_login(world: World, dn: RegularDN, event: e.AgentEvent, t: int) -> None:
    if event.agent_id and (dn.agent is None or dn.agent.id != event.agent_id):
        log_in(world, dn, event.agent_id, event.this_queue, t)


def call_ended(world: World, dn: RegularDN, leg: Leg, t: int) -> None:
    """A leg at this DN is gone: remember it for the after-call work, and begin that if due."""
    if leg.phase is Phase.TALKING:
        dn.acw_call_type = leg.call_type
        dn.acw_visits = tuple(visit.queue for visit in leg.visits)
    if dn.acw_pending is not None and not any(
        other.phase is Phase.TALKING for other in dn.legs.values()
    ):
        facts, dn.acw_pending = dn.acw_pending, None
        set_agent_state(world, dn, actions.AFTER_CALL_WORK[dn.acw_call_type], t, facts)


def do_not_disturb(world: World, dn: RegularDN, event: e.EventDNDOn, t: int) -> None:
    """An agent who waits is not ready, where the site wants it so."""
    present = dn.state.get("agent")
    if world.options.dnd_means_not_ready and present is not None and present.action == WAIT:
        set_agent_state(world, dn, NOT_READY, t, NO_FACTS)
        dn.before_dnd = present.reasons


def disturb(world: World, dn: RegularDN, event: e.EventDNDOff, t: int) -> None:
    """He waits again, if nothing but the telephone kept him from it."""
    if dn.before_dnd is not None:
        set_agent_state(world, dn, WAIT, t, dn.before_dnd)


def off_hook(world: World, dn: RegularDN, event: e.EventOffHook, t: int) -> None:
    """The receiver was lifted."""
    _hook(world, dn, OFF_HOOK, t)


def on_hook(world: World, dn: RegularDN, event: e.EventOnHook, t: int) -> None:
    """The receiver was put down."""
    _hook(world, dn, ON_HOOK, t)


def _hook(world: World, dn: RegularDN, action: int, t: int) -> None:
    present = dn.state.get("hook")
    if present is None or present.action != action:
        put(world, dn, "hook", action, t)


RULES: dict[type[e.TEvent], Rule] = {
    e.EventAgentLogin: agent_login,
    e.EventAgentLogout: agent_logout,
    e.EventQueueLogout: queue_logout,
    e.EventAgentReady: agent_ready,
    e.EventAgentNotReady: agent_not_ready,
    e.EventAgentAfterCallWork: agent_not_ready,  # obsolete, and means after-call work
    e.EventDNDOn: do_not_disturb,
    e.EventDNDOff: disturb,
    e.EventOffHook: off_hook,
    e.EventOnHook: on_hook,
}
