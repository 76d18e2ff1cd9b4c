"""States: CurrentState as a tree, from the object down to where the subject looks.

Root is the statistic's object, nodes are what it consists of. With an agent or
place status the tree ends at the DNs' statuses, with DNStatus too, with DNAction
it goes down to the actions; with GroupStatus it is the group's own status alone.
A logged-out agent has status 23 and no DNs, as in a real message of the vendor's.
Times are Unix seconds, of when a status began.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...model.actions import NAMES, STATUS_NAMES, STATUS_NUMBERS
from ...model.groups import GroupNode, joint_status
from ...model.interactions import InteractionPlace
from ...model.nodes import AgentNode, DNNode, MediationDN, Node, PlaceNode, RegularDN
from ...model.occurrences import Occurrence, Status
from ...model.tenant import TenantNode
from ..definitions.object_types import COMPOSED

State = dict[str, Any]


def state_of(object_type: str, object_id: str, nodes: list[Node], subject: str, mask: int) -> Any:
    """The state of an object; of a group its members' states.

    Args:
        mask: Which actions are shown, where the subject goes down to them.
    """
    groups = [node for node in nodes if isinstance(node, GroupNode)]
    if groups:  # the group itself
        status = _status(joint_status(groups))
        return {"objectId": object_id, "objectType": object_type, **status}
    shown = [_node(node, subject, mask) for node in nodes if not isinstance(node, TenantNode)]
    if object_type in COMPOSED:
        return {"objectId": object_id, "objectType": object_type, "members": shown}
    return shown[0] if shown else {"objectId": object_id, "objectType": object_type}


def _status(status: Status) -> State:
    name = STATUS_NAMES[status.action]
    shown: State = {
        "status": name,
        "code": STATUS_NUMBERS.get(name, -1),
        "time": status.start / 1000,
    }
    source = status.source
    if source is not None and source.reasons:
        shown["reasons"] = dict(source.reasons)
    return shown


def _node(node: Node, subject: str, mask: int) -> State:
    if isinstance(node, AgentNode):
        places = dict.fromkeys(dn.place.name for dn in node.dns if dn.place is not None)
        return {
            "agentId": node.id,
            **_status(node.status),
            "place": next(iter(places), None),
            "dns": _dns(node.dns, subject, mask),
        }
    if isinstance(node, PlaceNode):
        agents = dict.fromkeys(dn.agent.id for dn in node.dns if dn.agent is not None)
        return {
            "placeId": node.name,
            **_status(node.status),
            "agentId": next(iter(agents), None),
            "dns": _dns(node.dns, subject, mask),
        }
    assert isinstance(node, DNNode)
    return _dn(node, subject, mask)


def _dns(dns: Iterable[RegularDN], subject: str, mask: int) -> list[State]:
    return [_dn(dn, subject, mask) for dn in sorted(dns, key=lambda dn: dn.key)]


def _dn(dn: DNNode, subject: str, mask: int) -> State:
    shown: State = {
        "dn": dn.key.number,
        "switch": dn.key.switch,
        "type": dn.type,
        **_status(dn.status),
    }
    if isinstance(dn, MediationDN):
        shown["waiting"] = len(dn.calls)
    elif isinstance(dn, InteractionPlace):
        shown["waiting"] = len(dn.waiting)
    if subject == "DNAction":
        shown["actions"] = [
            _action(occurrence) for occurrence, _ in dn.going_on() if mask >> occurrence.action & 1
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
    elif occurrence.reasons:
        shown["reasons"] = dict(occurrence.reasons)
    return shown
