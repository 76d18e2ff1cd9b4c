"""What ``/api/status`` says of the pair (protocols.md section 4), and a word for it all."""

from __future__ import annotations

from typing import Any

from .peer import Peer
from .session import State
from .source_intake import SourceIntake

Json = dict[str, Any]


def phase(peer: Peer) -> str:
    """One word: CONNECTING, HANDSHAKE, SYNCING, SYNCED, LOST or EXPIRED."""
    state = peer.session.state
    if state is State.OPEN:
        return "SYNCED" if is_synchronised(peer) else "SYNCING"
    if state is State.OPENING:
        return "HANDSHAKE"
    if state is State.SUSPENDED:
        return "LOST"
    return "EXPIRED" if peer.session.expired else "CONNECTING"


def is_synchronised(peer: Peer) -> bool:
    """Whether the peer has everything of ours, and we do not wait for its picture."""
    is_open = peer.session.state is State.OPEN
    return is_open and peer.replication.is_done and not peer.intake.is_joining


def status(peer: Peer) -> Json:
    """The parts ``peer``, ``session``, ``replication``, ``addp`` and ``gaps`` by source.

    The owner adds what it alone knows: the address, and which feeds are connected.
    """
    session, replication, addp = peer.session, peer.replication, peer.addp
    installation, parked = peer.installation, replication.parking.reasons
    return {
        "peer": {
            "name": peer.identity.peer,
            "connected": session.state is State.OPEN,
            "mode": peer.roles.peer_mode,
            "clients": "" if session.peer is None else session.peer.clients,
            "management": "" if session.peer is None else session.peer.management,
            "synchronised": is_synchronised(peer),
            "clockOffset": session.offset.seconds,
        },
        "session": {
            "id": session.id,
            "state": session.state.value,
            "phase": phase(peer),
            "restored": session.restored,
            "new": session.new,
            "lost": session.lost,
            "refused": session.refused + peer.door.refused,
            "malformed": peer.malformed,
        },
        "replication": {
            "pending": replication.pending,
            "inFlight": replication.in_flight,
            "acknowledged": replication.acknowledged,
            "parked": [{"key": key, "reason": why.value} for key, why in parked.items()],
            "tombstones": len(peer.deletion.tombstones),
            "chunksSent": replication.chunks_sent,
            "chunksReceived": installation.chunks_received,
            "statisticsSent": replication.statistics_sent,
            "statisticsReceived": installation.statistics_received,
            "results": {result.value: n for result, n in installation.results.items()},
        },
        "addp": {
            "pollsSent": addp.polls_sent,
            "pollsReceived": addp.polls_received,
            "lost": addp.lost,
            "stalls": addp.stalls,
            "roundTrip": addp.round_trip,
        },
        "sources": [_source(each) for each in peer.intake.sources.values()],
    }


def _source(source: SourceIntake) -> Json:
    return {
        "name": source.name,
        "position": source.applied,
        "state": source.state.value,
        "duplicates": source.duplicates,
        "gaps": {
            "repaired": source.repaired,
            "left": source.left,
            "open": int(source.hole is not None),
        },
    }
