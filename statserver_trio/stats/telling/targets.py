"""Targets: CurrentTargetState, which is what a router wants to know (statistics.md §5.7).

Of an agent, a place or each member of a group: may a call be sent there now? Per medium that
is a state and a capacity::

    current   what is being worked on, offers included
    max       what may be at most
    margin    what may still be sent there, 0 where the state is not Ready

A telephone takes one call, and whoever waits for one is ready for it. A media channel says
itself whether it may be routed to; without capacity rules it takes one interaction at a time
(our decision: those rules are not known here).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...model.actions import CODES, STATUS_NAMES
from ...model.media_channels import ROUTABLE, MediaChannel
from ...model.nodes import AgentNode, Node, PlaceNode
from ...model.occurrences import VOICE

Target = dict[str, Any]

READY, NOT_READY, BUSY = "Ready", "NotReady", "Busy"
WAIT = CODES["WaitForNextCall"]
# Statuses in which nobody can be reached there.
AWAY = {CODES[name]: name for name in ("LoggedOut", "NotMonitored", "Monitored", "LoggedIn")}


def targets_of(
    object_type: str, object_id: str, nodes: Iterable[tuple[str, Node]]
) -> dict[str, Any]:
    """The state of every target; somebody who is known at two switches is two.

    Args:
        nodes: Each with its switch.
    """
    found = [
        _target(switch, node) for switch, node in nodes if isinstance(node, AgentNode | PlaceNode)
    ]
    return {"objectId": object_id, "objectType": object_type, "targets": found}


def _target(switch: str, node: AgentNode | PlaceNode) -> Target:
    status = STATUS_NAMES[node.status.action]
    media = [_voice(node), *(_channel(channel) for channel in node.channels)]
    shown: Target = {
        "target": _name(node),
        "type": "Agent" if isinstance(node, AgentNode) else "Place",
        "switch": switch,
        "status": status,
        "time": node.status.since / 1000,
        "dns": sorted(str(dn.key) for dn in node.dns),
        "media": media,
    }
    if isinstance(node, AgentNode):
        places = sorted({dn.place.name for dn in node.dns if dn.place is not None})
        shown["place"] = places[0] if places else None
    else:
        agents = sorted({dn.agent.id for dn in node.dns if dn.agent is not None})
        shown["agent"] = agents[0] if agents else None
    return shown


def _name(node: AgentNode | PlaceNode) -> str:
    return node.id if isinstance(node, AgentNode) else node.name


def _voice(node: AgentNode | PlaceNode) -> Target:
    calls = sum(len(dn.legs) for dn in node.dns)
    action = node.status.action
    if action in AWAY or not node.dns:
        state = AWAY.get(action, NOT_READY)
    elif calls:
        state = BUSY
    else:
        state = READY if action == WAIT else NOT_READY
    return _capacity(VOICE, state, calls)


def _channel(channel: MediaChannel) -> Target:
    going_on = len(channel.handled)
    is_routable = any(each.action == ROUTABLE for each in channel.state.values())
    state = READY if is_routable and not going_on else BUSY if going_on else NOT_READY
    return _capacity(channel.media, state, going_on)


def _capacity(media: str, state: str, current: int) -> Target:
    margin = 1 if state == READY else 0
    return {"media": media, "state": state, "current": current, "max": 1, "margin": margin}
