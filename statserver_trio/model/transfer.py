"""The action table: a whole world as plain data, and a world made of it again.

What goes on, since when and with which attached data, travels to the other
member of a pair like this, together with the position of the last event it
contains; from there both worlds go on alike, whatever happens next. The data is
lists, dicts, strings and integers, so any codec can carry it.

An action is written by name, because the other member may run another release.
What only a listener needs (interest, watches) stays at home.
"""

from __future__ import annotations

from typing import Any

from . import transfer_interactions
from .actions import CODES, NAMES
from .calls import Call, Leg, Observer, Phase, Told, Visit, call_type_of
from .directory import MEDIATION_TYPES
from .nodes import DNNode, MediationDN, Node, RegularDN
from .occurrences import NO_FACTS, Facts, Occurrence, Status
from .quiet import Quiet, reasons_of
from .world import World

Data = dict[str, Any]
# Where the occurrence of a status is: DN, slot of its state or ConnID, index in the leg.
Reference = list[Any]


# -- writing ------------------------------------------------------------------------------


def export_world(world: World) -> Data:
    """Everything that goes on in ``world``, as of its last event."""
    return {
        "began": world.began,
        "now": world.now,
        "next_check": world.next_check,
        "calls": [_call(call) for call in world.calls.values()],
        "dns": [_dn(dn) for dn in world.dns()],
        "agents": [
            {
                "id": agent_id,
                "seen": node.seen,
                "status": _status(node.status),
                "dns": [d.key.number for d in node.dns],
            }
            for agent_id, node in world.agents()
        ],
        "places": [{"name": name, "status": _status(node.status)} for name, node in world.places()],
        "groups": [
            {"type": node.type, "name": node.name, "status": _status(node.status)}
            for node in world.groups
        ],
        **transfer_interactions.export(world),
    }


def _facts(facts: Facts) -> Data:
    return dict(facts)


def _occurrence(occurrence: Occurrence) -> list[Any]:
    return [NAMES[occurrence.action], occurrence.start, _facts(occurrence.reasons)]


def _pseudo(shown: Occurrence | Quiet) -> list[Any]:
    if isinstance(shown, Quiet):
        return [NAMES[shown.action], shown.start, _facts(reasons_of(shown.agent_id))]
    return _occurrence(shown)


def _reference(occurrence: Occurrence | None) -> Reference | None:
    """Where an occurrence is found; None for one that is nowhere."""
    if occurrence is None:
        return None
    dn = occurrence.dn
    for slot, found in dn.state.items():
        if found is occurrence:
            return [dn.key.number, "state", slot, 0]
    if isinstance(dn, RegularDN):
        for conn_id, leg in dn.legs.items():
            if occurrence in leg.going_on:
                return [dn.key.number, "leg", conn_id, leg.going_on.index(occurrence)]
    return None


def _status(status: Status) -> list[Any]:
    return [NAMES[status.action], status.start, _reference(status.source), status.since]


def _call(call: Call) -> Data:
    return {
        "id": call.conn_id,
        "type": call.call_type,
        "ani": call.ani,
        "dnis": call.dnis,
        "others": dict(call.others),
        "queues": dict(call.queues),
        "facts": _facts(call.facts),
        "former": [[until, *_told(told)] for until, told in call.former],
        "heard_at": call.heard_at,
        "observers": [
            [number, each.mode, each.watches, each.seen, each.deaf, each.left]
            for number, each in call.observers.items()
        ],
        "visits": [_visit(visit) for visit in call.visits.values()],
    }


def _told(told: Told) -> list[Any]:
    facts, others, queues = dict(told.facts), dict(told.others), dict(told.queues)
    return [told.call_type, told.ani, told.dnis, facts, others, queues, dict(told.agents)]


def _visit(visit: Visit) -> Data:
    wait = visit.wait
    return {
        "queue": visit.queue.key.number,
        "entered": visit.entered,
        "target": visit.target,
        "treatment_since": visit.treatment_since,
        "wait": None if wait is None else [NAMES[wait.action], wait.start],
    }


def _leg(leg: Leg) -> Data:
    visits = leg.call.visits
    return {
        "call": leg.call.conn_id,
        "type": leg.call_type,
        "originated": leg.originated,
        "phase": leg.phase.value,
        "since": leg.since,
        "started": leg.started,
        "going_on": [_occurrence(occurrence) for occurrence in leg.going_on],
        "hold": None if leg.hold is None else leg.going_on.index(leg.hold),
        "asm": None if leg.asm is None else leg.going_on.index(leg.asm),
        "customer": leg.customer,
        "joins": leg.joins,
        "reasons": _facts(leg.reasons),
        # A visit the call still has, by its queue; or one that only this leg remembers.
        "visits": [
            v.queue.key.number if visits.get(v.queue) is v else _visit(v) for v in leg.visits
        ],
    }


def _dn(dn: DNNode) -> Data:
    data: Data = {
        "number": dn.key.number,
        "type": dn.type,
        "state": {slot: _occurrence(occurrence) for slot, occurrence in dn.state.items()},
        "status": _status(dn.status),
    }
    if isinstance(dn, RegularDN):
        outage = dn.before_outage
        data |= {
            "legs": [_leg(leg) for leg in dn.legs.values()],
            "agent": None if dn.agent is None else dn.agent.id,
            "agent_since": dn.agent_since,
            "former_agents": [[until, agent_id] for until, agent_id in dn.former_agents],
            "login_queues": [queue.key.number for queue in dn.login_queues],
            "serves": [queue.key.number for queue in dn.serves],
            "acw_pending": None if dn.acw_pending is None else _facts(dn.acw_pending),
            "acw_call_type": dn.acw_call_type,
            "acw_visits": [queue.key.number for queue in dn.acw_visits],
            "before_outage": None if outage is None else _occurrence(outage),
            "before_dnd": None if dn.before_dnd is None else _facts(dn.before_dnd),
            "watching": dn.watching,
        }
    elif isinstance(dn, MediationDN):
        data |= {
            "waiting": [call.conn_id for call in dn.calls],
            "pseudo": [
                [member.key.number, {NAMES[each.action]: _pseudo(each) for each in found}]
                for member, found in dn.pseudo.items()
            ],
        }
    return data


# -- reading ------------------------------------------------------------------------------


def adopt_world(world: World, data: Data) -> None:
    """Let ``world``, in which nothing has happened yet, be what ``data`` says.

    What is counted there has to be counted anew afterwards: nothing is reported.

    Raises:
        KeyError, ValueError, TypeError: The data is no action table.
    """
    _Adoption(world).take(data)


class _Adoption:
    """Puts the pieces together: first what exists, then what points at it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def take(self, data: Data) -> None:
        world = self._world
        world.began = data["began"]
        world.now, world.next_check = data["now"], data["next_check"]
        for each in data["dns"]:
            world.dn_for_sure(each["number"], each["type"])
        for each in data["agents"]:
            world.agent_for_sure(each["id"])
        for each in data["calls"]:
            self._call(each)
        for each in data["dns"]:
            self._fill(self._known(each["number"]), each)
        for call in world.calls.values():
            self._check_waits(call)
        for each in data["agents"]:
            agent = world.agent_for_sure(each["id"])
            agent.dns = tuple([self._regular(number) for number in each["dns"]])
            agent.seen = each.get("seen", bool(agent.dns))  # earlier releases do not say
        for each in data["dns"]:
            self._restore_status(self._known(each["number"]), each["status"])
        for each in data["agents"]:
            self._restore_status(world.agent_for_sure(each["id"]), each["status"])
        for each in data["places"]:
            place = world.place(each["name"])
            if place is not None:
                self._restore_status(place, each["status"])
        transfer_interactions.adopt(world, data)
        self._groups(data["groups"])
        world.chronicle.take()

    def _groups(self, data: list[Data]) -> None:
        """Since when a group has had its status is told; what it is follows from its members.

        They may be others here: then it has had it since now.
        """
        world = self._world
        world.list_groups(world.now)
        told = {(each["type"], each["name"]): each["status"] for each in data}
        for group in world.groups:
            name, start, _, since = told.get((group.type, group.name), ("", 0, None, 0))
            action = group.top()
            if CODES.get(name) != action:
                start = since = world.now
            group.status = Status(action, start, None, since)

    # -- finding ---------------------------------------------------------------------

    def _known(self, number: str) -> DNNode:
        dn = self._world.dn(number)
        if dn is None:
            raise ValueError(f"the action table speaks of DN {number!r} and does not list it")
        return dn

    def _regular(self, number: str) -> RegularDN:
        dn = self._known(number)
        if not isinstance(dn, RegularDN):
            raise ValueError(f"DN {number!r} is a {dn.type} here")
        return dn

    def _queue(self, number: str) -> MediationDN:
        dn = self._known(number)
        if not isinstance(dn, MediationDN):
            raise ValueError(f"DN {number!r} is a {dn.type} here")
        return dn

    def _occurrence(self, dn: DNNode, data: list[Any], call: Call | None = None) -> Occurrence:
        name, start, reasons = data
        return Occurrence(CODES[name], start, dn, call, reasons or NO_FACTS)

    # -- filling ---------------------------------------------------------------------

    def _call(self, data: Data) -> None:
        call = self._world.call_by_id(data["id"], data["heard_at"])
        call.call_type, call.ani, call.dnis = call_type_of(data["type"]), data["ani"], data["dnis"]
        call.others, call.queues = dict(data["others"]), dict(data["queues"])
        call.facts = data["facts"] or NO_FACTS
        call.former = [(until, Told(call.conn_id, *told)) for until, *told in data["former"]]
        for number, mode, watches, seen, deaf, left in data["observers"]:
            observer = call.observers[number] = Observer(mode, watches)
            observer.seen, observer.deaf, observer.left = seen, deaf, left
        for each in data["visits"]:
            visit = self._visit(call, each)
            call.visits[visit.queue] = visit

    @staticmethod
    def _check_waits(call: Call) -> None:
        for queue, visit in call.visits.items():
            if visit.wait is not None and call not in queue.calls:
                raise ValueError(f"call {call.conn_id} waits in {queue.key.number}, unknown there")

    def _visit(self, call: Call, data: Data) -> Visit:
        queue = self._queue(data["queue"])
        wait = None
        if data["wait"] is not None:
            wait = self._occurrence(queue, [*data["wait"], None], call)
        visit = Visit(queue, data["entered"], wait)
        visit.target, visit.treatment_since = data["target"], data["treatment_since"]
        return visit

    def _fill(self, dn: DNNode, data: Data) -> None:
        if (dn.type in MEDIATION_TYPES) != (data["type"] in MEDIATION_TYPES):
            raise ValueError(f"DN {dn.key.number!r} is a {dn.type} here, a {data['type']} there")
        dn.state = {slot: self._occurrence(dn, each) for slot, each in data["state"].items()}
        if isinstance(dn, RegularDN):
            self._fill_regular(dn, data)
        elif isinstance(dn, MediationDN):
            self._fill_queue(dn, data)

    def _fill_regular(self, dn: RegularDN, data: Data) -> None:
        for each in data["legs"]:
            self._leg(dn, each)
        agent_id = data["agent"]
        dn.agent = None if agent_id is None else self._world.agent_for_sure(agent_id)
        dn.agent_since = data["agent_since"]
        dn.former_agents = [(until, former) for until, former in data["former_agents"]]
        dn.parents = tuple(parent for parent in (dn.place, dn.agent) if parent is not None)
        dn.login_queues = tuple(map(self._queue, data["login_queues"]))
        dn.serves = tuple(map(self._queue, data["serves"]))
        for queue in dn.serves:
            queue.members[dn] = None
        pending = data["acw_pending"]
        dn.acw_pending = None if pending is None else (pending or NO_FACTS)
        dn.acw_call_type = call_type_of(data["acw_call_type"])
        dn.acw_visits = tuple(self._queue(number) for number in data["acw_visits"])
        outage = data["before_outage"]
        dn.before_outage = None if outage is None else self._occurrence(dn, outage)
        dnd = data["before_dnd"]
        dn.before_dnd = None if dnd is None else (dnd or NO_FACTS)
        dn.watching = data["watching"]

    def _leg(self, dn: RegularDN, data: Data) -> None:
        call = self._world.calls[data["call"]]
        leg = Leg(call, call_type_of(data["type"]), data["originated"], data["started"])
        leg.phase, leg.since = Phase(data["phase"]), data["since"]
        leg.going_on = [self._occurrence(dn, each, call) for each in data["going_on"]]
        leg.hold = None if data["hold"] is None else leg.going_on[data["hold"]]
        leg.asm = None if data["asm"] is None else leg.going_on[data["asm"]]
        leg.customer, leg.joins = data["customer"], data["joins"]
        leg.reasons = data.get("reasons") or NO_FACTS  # earlier releases do not say
        leg.visits = tuple(
            call.visits[self._queue(each)] if isinstance(each, str) else self._visit(call, each)
            for each in data["visits"]
        )
        dn.legs[call.conn_id] = leg
        call.legs[dn] = leg

    def _fill_queue(self, queue: MediationDN, data: Data) -> None:
        for conn_id in data["waiting"]:
            call = self._world.calls[conn_id]
            wait = call.visits[queue].wait
            if wait is None:
                raise ValueError(f"call {conn_id} waits in {queue.key.number} and does not")
            queue.calls[call] = wait
        for number, found in data["pseudo"]:
            queue.pseudo[self._regular(number)] = tuple(
                [
                    Quiet(CODES[name], start, (reasons or NO_FACTS).get("AgentID", ""))
                    for name, start, reasons in found.values()
                ]
            )

    def _restore_status(self, node: Node, data: list[Any]) -> None:
        name, start, reference, since = data
        node.status = Status(CODES[name], start, self._referred(reference), since)

    def _referred(self, reference: Reference | None) -> Occurrence | None:
        if reference is None:
            return None
        number, kind, key, index = reference
        dn = self._known(number)
        if kind == "state":
            return dn.state[key]
        return self._regular(number).legs[key].going_on[index]
