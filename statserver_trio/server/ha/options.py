"""Options of the pair: from the configuration to what the machines want to know."""

from __future__ import annotations

import socket

from ...config.schema import Config
from ...ha.addp import AddpOptions
from ...ha.greeting import Identity
from ...ha.intake_options import IntakeOptions
from ...ha.messages import HOT_STANDBY
from ...ha.peer import PeerOptions
from ...ha.replication_words import ReplicationOptions
from ...ha.session import SessionOptions

ANY_HOST = ("", "0.0.0.0", "::")


def is_pair(config: Config) -> bool:
    """Whether this server is one of two."""
    return config.server.role != "standalone"


def identity(config: Config, product: str) -> Identity:
    """Who we are, for the greeting."""
    server = config.server
    assert server.peer is not None  # the configuration was checked
    hot_standby = server.redundancy_type == "hot-standby"
    return Identity(
        server.name,
        server.peer,
        server.role == "backup",
        HOT_STANDBY if hot_standby else server.redundancy_type,
        product,
    )


def peer_options(config: Config) -> PeerOptions:
    """Everything of ``[ha]`` that concerns the machines."""
    ha = config.ha
    return PeerOptions(
        AddpOptions(ha.addp_timeout, ha.addp_remote_timeout, ha.addp_trace, is_watched(config)),
        SessionOptions(ha.session_expiration_timeout, ha.session_expiration_period),
        ReplicationOptions(ha.chunk_size, ha.chunk_timeout),
        IntakeOptions(ha.journal_events, ha.journal_seconds, ha.gap_timeout, ha.join_timeout),
    )


def is_watched(config: Config) -> bool:
    """Whether the link's protocol is ADDP: the port's at the primary, ours at the backup."""
    if config.server.role == "backup":
        return config.ha.protocol == "addp"
    return all(each.protocol == "addp" for each in config.listen if each.id == "ha")


def client_url(config: Config, addresses: list[tuple[str, int]]) -> str:
    """Where clients connect to us, for the other member to tell its own; empty if nowhere.

    Args:
        addresses: Of the open ports for clients.
    """
    named = next((each.url for each in config.listen if each.id == "default" and each.url), None)
    return named or _url("default", "ws", config, addresses)


def management_url(config: Config, addresses: list[tuple[str, int]]) -> str:
    """Where operators and wallboards reach us, without a path; empty if nowhere.

    Args:
        addresses: Of the open ports for them.
    """
    return config.wallboard.url or _url("management", "http", config, addresses).rstrip("/")


def _url(id: str, scheme: str, config: Config, addresses: list[tuple[str, int]]) -> str:
    ports = [each for each in config.listen if each.id == id]
    if not ports or not addresses:
        return ""
    host, port = addresses[0]
    if host in ANY_HOST:
        host = socket.gethostname()
    if ports[0].secured:
        scheme += "s"
    return f"{scheme}://[{host}]:{port}/" if ":" in host else f"{scheme}://{host}:{port}/"
