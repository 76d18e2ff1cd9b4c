"""Origins: which web pages may read what we tell.

A browser lets any page open a WebSocket to anybody, and says only where that page is from
(RFC 6454). So who comes from a page is let in if it is our own one, one of the other member
of the pair, or one that the site has named; other clients name no origin, and are no page.
A site may name ``*``, any page: that is for a network that it trusts.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}
THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}  # three names, and people type any of them

ANY = "*"

Place = tuple[str, int]


def place_of(url: str) -> Place | None:
    """Host and port of an http(s) URL or origin; None for anything else."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # a port that is no number
        return None
    if host is None or parts.scheme not in DEFAULT_PORTS:
        return None
    return _named(host), port or DEFAULT_PORTS[parts.scheme]


def _named(host: str) -> str:
    return "localhost" if host in THIS_MACHINE else host


def is_allowed(origin: str, host: str, others: Iterable[str]) -> bool:
    """Whether a page of that origin may open a WebSocket.

    Args:
        host: As the request says it: our own, by the name that the browser knows.
        others: Origins besides our own.
    """
    place = place_of(origin)
    if place is None:  # a file, or a page that hides where it is from
        return is_friend(origin, others)
    scheme = origin.partition(":")[0].lower()
    # The scheme is not compared: a proxy in front of us may have added the TLS.
    return place == place_of(f"{scheme}://{host}") or is_friend(origin, others)


def is_friend(origin: str, others: Iterable[str]) -> bool:
    """Whether an origin, which is not our own, is one of these."""
    place, others = place_of(origin), tuple(others)
    return ANY in others or (place is not None and place in map(place_of, others))


def why_not(origin: str) -> str:
    """What a browser is told whose page may not come."""
    return (
        f"a page from {origin} may not open a WebSocket here; "
        "[wallboard] origins lists pages that may"
    )
