"""Targets: CurrentTargetState, which is what a router wants to know (statistics.md §5.7).

Of an agent, a place or each member of a group: may a call be sent there now? Per medium that
is a state and a capacity::

    current   what is being worked on, offers included
    max       what may be at most
    margin    what may still be sent there, 0 where the state is not Ready

Who is Ready waits for calls, or for interactions of the medium, and has not all that he can have
at once by the capacity rule for him; who has is Busy (:mod:`...model.capacity`). Somebody who is
known at two switches is two targets, and each counts what its own switch tells.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...model.actions import CODES, STATUS_NAMES
from ...model.capacity import Room, loads, room, rule_of, waits_for_calls
from ...model.directory import Directory
from ...model.nodes import AgentNode, Node, PlaceNode
from ...model.occurrences import VOICE

Target = dict[str, Any]

READY, NOT_READY, BUSY = "Ready", "NotReady", "Busy"
# Statuses in which nobody can be reached there.
AWAY = {CODES[name]: name for name in ("LoggedOut", "NotMonitored", "Monitored", "LoggedIn")}


def targets_of(
    object_type: str, object_id: str, nodes: Iterable[tuple[str, Node]], directory: Directory
) -> dict[str, Any]:
    """The state of every target; somebody who is known at two switches is two.

    Args:
        nodes: Each with its switch.
    """
    found = [
        _target(switch, node, directory)
        for switch, node in nodes
        if isinstance(node, AgentNode | PlaceNode)
    ]
    return {"objectId": object_id, "objectType": object_type, "targets": found}


def _target(switch: str, node: AgentNode | PlaceNode, directory: Directory) -> Target:
    status = STATUS_NAMES[node.status.action]
    rule, present = rule_of(directory, node), loads(node)
    media = [_voice(node, room(rule, present, VOICE))]
    for channel in node.channels:
        if channel.media != VOICE:
            is_waiting = "available" in channel.state
            media.append(_capacity(channel.media, is_waiting, room(rule, present, channel.media)))
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


def _voice(node: AgentNode | PlaceNode, room: Room) -> Target:
    away = AWAY.get(node.status.action)
    if away is not None or not node.dns:
        nobody = away or NOT_READY
        return {**_capacity(VOICE, False, room), "state": nobody}
    return _capacity(VOICE, waits_for_calls(node), room)


def _capacity(media: str, is_waiting: bool, room: Room) -> Target:
    is_ready = is_waiting and room.is_left
    state = READY if is_ready else BUSY if is_waiting or room.current else NOT_READY
    margin = room.most - room.current if is_ready else 0
    return {
        "media": media, "state": state, "current": room.current, "max": room.most, "margin": margin
    }  # fmt: skip
