"""States: CurrentState as a tree, from the object down to where the subject looks.

Root is the statistic's object, nodes are what it consists of. With an agent or
place status the tree ends at the DNs' statuses, with DNStatus too, with DNAction
it goes down to the actions; with GroupStatus it is the group's own status alone.
A logged-out agent has status 23 and no DNs, as in a real message of the vendor's.
Times are Unix seconds, of when a status began. CurrentStateReasons says besides since when
the reasons are given, where there are any: they may change while the status stays what it
is. ``ReasonStartOverridesStatusStart`` makes that the time of the status.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import frozen

from ...model.actions import NAMES, RANKS, STATUS_NAMES, STATUS_NUMBERS
from ...model.groups import GroupNode, joint_status
from ...model.interactions import InteractionPlace
from ...model.nodes import LOGGED_OUT, AgentNode, DNNode, MediationDN, Node, PlaceNode, RegularDN
from ...model.occurrences import Occurrence, Status
from ...model.tenant import TenantNode
from ..definitions.object_types import COMPOSED

State = dict[str, Any]


@frozen
class View:
    """What is shown of a state.

    Attributes:
        mask: Which actions, where the subject goes down to them.
        with_reasons: Since when the reasons are given.
        by_reason: A status begins with its latest reason.
    """

    subject: str
    mask: int
    with_reasons: bool = False
    by_reason: bool = False


def state_of(object_type: str, object_id: str, nodes: list[Node], view: View) -> Any:
    """The state of an object; of a group its members' states."""
    groups = [node for node in nodes if isinstance(node, GroupNode)]
    if groups:  # the group itself
        status = _status(joint_status(groups), view)
        return {"objectId": object_id, "objectType": object_type, **status}
    shown = [_node(node, view) for node in nodes if not isinstance(node, TenantNode)]
    if object_type in COMPOSED:
        return {"objectId": object_id, "objectType": object_type, "members": shown}
    return _foremost(nodes, shown) or {"objectId": object_id, "objectType": object_type}


def _foremost(nodes: list[Node], shown: list[State]) -> State | None:
    """Of an agent's or a place's nodes on several switches the one to show.

    Where he is logged in, and there where his status is the highest; of equals the first
    (our decision).
    """
    ranks = (
        -1 if node.status.action == LOGGED_OUT else RANKS[node.status.action]
        for node in nodes
        if not isinstance(node, TenantNode)
    )
    ranked = zip(ranks, shown, strict=True)
    return max(ranked, key=lambda each: each[0], default=(0, None))[1]


def _status(status: Status, view: View) -> State:
    name = STATUS_NAMES[status.action]
    shown: State = {
        "status": name,
        "code": STATUS_NUMBERS.get(name, -1),
        "time": status.since / 1000,
    }
    source = status.source
    if source is not None and source.reasons and source.call is None:
        shown["reasons"] = dict(source.reasons)
        if view.by_reason:
            shown["time"] = status.start / 1000
        if view.with_reasons:
            shown["reasonsTime"] = status.start / 1000
    return shown


def _node(node: Node, view: View) -> State:
    if isinstance(node, AgentNode):
        places = dict.fromkeys(dn.place.name for dn in node.dns if dn.place is not None)
        return {
            "agentId": node.id,
            **_status(node.status, view),
            "place": next(iter(places), None),
            "dns": _dns(node.dns, view),
        }
    if isinstance(node, PlaceNode):
        agents = dict.fromkeys(dn.agent.id for dn in node.dns if dn.agent is not None)
        return {
            "placeId": node.name,
            **_status(node.status, view),
            "agentId": next(iter(agents), None),
            "dns": _dns(node.dns, view),
        }
    assert isinstance(node, DNNode)
    return _dn(node, view)


def _dns(dns: Iterable[RegularDN], view: View) -> list[State]:
    return [_dn(dn, view) for dn in sorted(dns, key=lambda dn: dn.key)]


def _dn(dn: DNNode, view: View) -> State:
    shown: State = {
        "dn": dn.key.number,
        "switch": dn.key.switch,
        "type": dn.type,
        **_status(dn.status, view),
    }
    if isinstance(dn, MediationDN):
        shown["waiting"] = len(dn.calls)
    elif isinstance(dn, InteractionPlace):
        shown["waiting"] = len(dn.waiting)
    if view.subject == "DNAction":
        shown["actions"] = [
            _action(occurrence)
            for occurrence, _ in dn.going_on()
            if view.mask >> occurrence.action & 1
        ]
    return shown


def _action(occurrence: Occurrence) -> State:
    shown: State = {"name": NAMES[occurrence.action], "time": occurrence.start / 1000}
    if occurrence.call is not None:
        call = occurrence.call
        shown["connId"] = call.conn_id
        shown["callType"] = call.call_type
        shown["ANI"] = call.ani
        shown["DNIS"] = call.dnis
        shown["userData"] = dict(call.facts)
    if occurrence.reasons:
        shown["reasons"] = dict(occurrence.reasons)
    return shown
