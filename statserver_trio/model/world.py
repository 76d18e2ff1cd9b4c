"""The world: everything that goes on at one source, as a fold over its events.

The same events in the same order give the same world on any machine: nothing
here asks for the time, and nothing depends on the order in which other sources
speak. One world per source, so each keeps its own time.

Call :meth:`World.apply` with each event and the moment it happened (ms since the
epoch, never going backwards); what it returns is what began, ended and happened,
for the nodes somebody is interested in. Before that, :meth:`World.check` has to
be called for every ``next_check`` that is due.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from attrs import frozen

from ..tlib import events as e
from . import (
    agent_state,
    capacity,
    mediation_dn,
    monitoring,
    regular_dn,
    served_queues,
    supervision,
)
from .active_switching import CAMPAIGN
from .calls import Call, Leg, Phase, Visit
from .creation import ADDRESS_TYPES, CREATES
from .directory import Directory, DNKey
from .interactions import Interactions
from .legs import engage
from .media_channels import MediaChannel, remove
from .nodes import AgentNode, DNNode, MediationDN, Node, PlaceNode, RegularDN
from .occurrences import Record
from .population import Population, members_of
from .reflections import reflect
from .rules import WORLD_RULES
from .served_queues import Origination
from .tenant import TenantNode

CHECK_MS = 60_000  # how often calls are looked over for ones that got stuck


@frozen
class WorldOptions:
    """What a site may choose.

    Attributes:
        stuck_call_timeout_ms: A call without an event for so long is removed; 0 = never.
        vq_use_alt_enter_time: A virtual queue keeps the enter time of a call
            whose ConnID changes; by default that is a new call.
        dnd_means_not_ready: Do-not-disturb makes a waiting agent not ready.
        queue_use_pseudo_actions: The vendor's option: those of agents at a queue
            count only where numbers of now are asked for, and carry no AgentID.
    """

    stuck_call_timeout_ms: int = 4 * 3600 * 1000
    vq_use_alt_enter_time: bool = False
    dnd_means_not_ready: bool = False
    queue_use_pseudo_actions: bool = True


class World(Population):
    """What goes on at one switch.

    Attributes:
        has_capacity: There are media channels or capacity rules, so what may still be sent to an
            agent has to be followed.
    """

    def __init__(
        self, switch: str, directory: Directory, t: int, options: WorldOptions | None = None
    ) -> None:
        super().__init__(switch, directory, t)
        self.options = options or WorldOptions()
        self.calls: dict[str, Call] = {}
        self.interactions = Interactions(switch, t)
        self.channels: dict[str, MediaChannel] = {}
        self.refound: dict[Node, None] = {}  # DNs that were lost or found, and who went there
        self.ignored: Counter[str] = Counter()  # events nobody had a rule for, by name
        self.next_check = t - t % CHECK_MS + CHECK_MS
        self.has_capacity = not directory.capacities.is_empty
        self._unsettled: list[DNNode] = []
        self.origination = Origination(switch, directory)

    # -- the fold --------------------------------------------------------------------

    def apply(self, event: e.TEvent, t: int) -> Sequence[Record]:
        """Let ``event`` happen at ``t``."""
        self.now = t
        cls = type(event)
        dn = self._dns.get(event.this_dn)
        if dn is None:
            dn = self._newcomer(cls, event)
        if dn is not None:
            rule = dn.rules.get(cls)
            if rule is not None:
                unheard = "monitor" in dn.state
                if unheard and cls not in monitoring.DN_RULES:
                    monitoring.hear(self, dn, t)
                rule(self, dn, event, t)
                if unheard and "monitor" not in dn.state:
                    monitoring.heard(self, dn, t)
                if self.has_capacity and isinstance(dn, RegularDN):
                    self.settle_capacity(dn.agent, t)
                chronicle = self.chronicle
                chronicle.restatus(dn, t)
                if self._unsettled:
                    self._settle(t)
                return chronicle.take()
        world_rule = WORLD_RULES.get(cls)
        if world_rule is not None:
            world_rule(self, event, t)
        else:
            self.ignored[cls.__name__] += 1
            if dn is not None and "monitor" in dn.state:  # it means nothing, but it is a word
                monitoring.hear(self, dn, t)
                monitoring.heard(self, dn, t)
                self.chronicle.restatus(dn, t)
        return self.chronicle.take()

    def _settle(self, t: int) -> None:
        """Work out the statuses of other DNs at which the event changed something."""
        unsettled, self._unsettled = self._unsettled, []
        for dn in unsettled:
            self.chronicle.restatus(dn, t)
        for name, agent, joins in self.virtual.settle():
            self.groups.change(name, agent, joins, t)
            self.changed[members_of(name)] = None
            for telephone in agent.dns:  # his group's queues are his while he is in it
                served_queues.refresh(self, telephone, t)

    def logins_changed(self, dn: RegularDN, queue: str | None = None) -> None:
        """The agent at ``dn`` logs in or out, of a queue or of the switch."""
        agent = dn.agent
        if agent is None:
            return
        self.saw(agent)
        if self.virtual.follows and self.virtual.touch(agent, queue):
            self._unsettled.append(dn)

    def check(self) -> Sequence[Record]:
        """Remove the calls that are stuck at ``next_check``; call before later events."""
        t = self.now = self.next_check
        self.next_check += CHECK_MS
        for call in self._stuck(t):
            self._clean(call, t)
        return self.chronicle.take()

    def is_stuck(self, t: int) -> bool:
        """Whether a check up to ``t`` would find something."""
        return any(self._stuck(t - t % CHECK_MS))

    def _stuck(self, t: int) -> list[Call]:
        timeout = self.options.stuck_call_timeout_ms
        if not timeout:
            return []
        return [call for call in self.calls.values() if call.heard_at + timeout <= t]

    def skip_checks(self, t: int) -> None:
        """Pass over the checks up to ``t`` that cannot find anything: no call is stuck by then."""
        timeout = self.options.stuck_call_timeout_ms
        following = t - t % CHECK_MS + CHECK_MS
        if self.calls and timeout:
            earliest = min(call.heard_at for call in self.calls.values()) + timeout
            following = min(following, earliest - earliest % -CHECK_MS)  # the check that finds it
        self.next_check = max(self.next_check, following)

    def _clean(self, call: Call, t: int) -> None:
        for dn, leg in list(call.legs.items()):
            regular_dn.clean(self, dn, leg, t)
            self.settle_capacity(dn.agent, t)
            self.chronicle.restatus(dn, t)
        for visit in list(call.visits.values()):
            mediation_dn.clean(self, call, visit, t)
        self.forget_if_over(call)

    # -- another directory -----------------------------------------------------------

    def relist(self, directory: Directory) -> None:
        """Take over a changed directory: what is new in it comes into being.

        A place whose DNs are others now is another place: a new node, which nobody watches
        yet. What is no longer listed stays until :meth:`strike`. Members of groups come and
        go ``now``.
        """
        old, self.directory = self.directory, directory
        if directory.tenant != old.tenant:
            self.tenant = TenantNode(DNKey(directory.tenant, self.switch), self.began)
        self.origination = Origination(self.switch, directory)
        self.has_capacity = bool(self.channels) or not directory.capacities.is_empty
        self._place_of = directory.place_of()
        moved = [name for name in self._places if directory.places.get(name) != old.places[name]]
        for name in moved:
            for dn in self._places.pop(name).dns:
                dn.place = None
                dn.parents = () if dn.agent is None else (dn.agent,)
        for place in directory.places.values():
            here = [key for key in place.dns if key.switch == self.switch]
            if not here or place.name in self._places:
                continue
            self._places[place.name] = PlaceNode(place.name, self.began)
            for key in here:
                stands = self._dns.get(key.number)
                if isinstance(stands, RegularDN):
                    self._stand_on(stands, place.name)
        for key, listed in directory.dns.items():
            if key.switch == self.switch:
                dn_here = self._dns.get(key.number)
                if dn_here is None:
                    self._new_dn(key.number, listed.type)
                elif isinstance(dn_here, MediationDN) == listed.is_mediation:
                    dn_here.type = listed.type
        self.list_queues()
        self.list_groups(self.now)
        for each in self.dns():
            if isinstance(each, RegularDN):
                served_queues.refresh(self, each, self.now)
        for _, agent in self.agents():
            capacity.settle(self, agent, self.now)  # there may be another rule, or none

    def unlisted(self) -> tuple[list[DNNode], list[AgentNode]]:
        """DNs and agents that may not be: not listed, and nobody is who is not."""
        if self.directory.auto_create:
            return [], []
        dns, agents = self.directory.dns, self.directory.agents
        return (
            [dn for dn in self._dns.values() if dn.key not in dns],
            [agent for agent in self._agents.values() if agent.id not in agents],
        )

    def strike(self, t: int) -> None:
        """Forget the :meth:`unlisted`; what they do ends at ``t``, unheard."""
        self.now = t
        dns, agents = self.unlisted()
        for dn in dns:
            if isinstance(dn, RegularDN) and dn.agent is not None:
                agent_state.log_out(self, dn, t)
            monitoring.forget(self, dn, t)
            if isinstance(dn, RegularDN) and dn.place is not None:
                dn.place.dns = tuple([each for each in dn.place.dns if each is not dn])
            del self._dns[dn.key.number]
        for agent in agents:
            for dn in list(agent.dns):
                self.chronicle.unlink(agent, dn, t)
            for channel in list(agent.channels):
                remove(self, channel)
            del self._agents[agent.id]
        self._settle(t)

    def _newcomer(self, cls: type[e.TEvent], event: e.TEvent) -> DNNode | None:
        """A DN that an event speaks of for the first time."""
        if not event.this_dn:
            return None
        dn_type = CREATES.get(cls, "")
        if isinstance(event, e.Snapshot):
            dn_type = ADDRESS_TYPES.get(event.address_type, "Extension")
        return self.dn(event.this_dn, dn_type)

    # -- calls -----------------------------------------------------------------------

    def call(self, event: e.CallEvent, t: int) -> Call:
        """The call an event speaks of, with what it tells taken over."""
        call = self.call_by_id(event.conn_id, t)
        if call.learn(event, t):
            self.data_changed(call)
        return call

    def call_by_id(self, conn_id: str, t: int) -> Call:
        """The call of that ConnID; a new one where there is none."""
        call = self.calls.get(conn_id)
        if call is None:
            call = self.calls[conn_id] = Call(conn_id)
            call.heard_at = t
        return call

    def forget_if_over(self, call: Call) -> None:
        """Let go of a call that nobody has anything to do with any more."""
        if call.is_over:
            self.calls.pop(call.conn_id, None)

    def data_changed(self, call: Call) -> None:
        """The attached data of a call are others now: for filters, and for campaigns."""
        self.chronicle.facts_changed(call)
        of_campaign = CAMPAIGN in call.facts
        for dn, leg in call.legs.items():
            if leg.phase is Phase.TALKING and (of_campaign or leg.asm is not None):
                engage(self, dn, leg, leg.asm is not None, self.now)
                self._unsettled.append(dn)

    def parties_changed(self, call: Call) -> None:
        """Somebody came or went in a call that is observed."""
        supervision.refresh(self, call)

    def call_ended_at(self, dn: RegularDN, leg: Leg, t: int) -> None:
        """A leg is gone; the agent may have after-call work to begin."""
        agent_state.call_ended(self, dn, leg, t)

    def settle_capacity(self, agent: AgentNode | None, t: int) -> None:
        """What an agent has to do is more or less than before."""
        if agent is not None and self.has_capacity:
            capacity.settle(self, agent, t)

    def distributed(self, call: Call, visit: Visit, t: int) -> None:
        """A queue sent the call to a DN where it may already ring or talk."""
        target = self._dns.get(visit.target)
        if not isinstance(target, RegularDN):
            return
        leg = call.legs.get(target)
        if leg is None or visit in leg.visits:
            return
        leg.visits += (visit,)
        if leg.phase is Phase.TALKING:
            reflect(self, target, leg, "CallAnswered", t)

    def keeps_enter_time(self, queue: MediationDN) -> bool:
        """Whether a new ConnID leaves the enter time of a waiting call alone."""
        return self.options.vq_use_alt_enter_time and queue.type == "VirtualQueue"
