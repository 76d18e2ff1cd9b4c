"""The installer: what it does in slices outlives the link for which it began."""

from __future__ import annotations

from stores import a_store, an_event, opened

from statserver_trio.ha.holds import Wanted
from statserver_trio.server.clock import Clock
from statserver_trio.server.ha.installer import Installer
from statserver_trio.server.hub import Hub


async def test_what_the_peer_has_more_of_is_looked_for_although_the_link_is_lost() -> None:
    """Joined, the link is gone before all has been looked at, and the session goes on."""
    store, peer = a_store(), a_store()
    peer.begin_at("s", 0)
    peer.apply("s", [an_event(position) for position in range(1, 10)])
    store.begin_at("s", 5)
    keys = [opened(store, dn) for dn in ("7001", "7002", "7003")]
    store.adopt_world({"s": 9}, peer.world(["s"]), {"s": 5})
    told: list[object] = []
    installer = Installer(store, Hub(store.engine, Clock(0)), told.append)
    installer.slice_items = 1
    installer.look_for_holes(store.open_keys())
    installer.look_for_holes(store.open_keys())  # as after another adoption, at once
    assert installer.work()
    installer.forget()
    while installer.work():
        pass
    assert told == [Wanted((key,)) for key in keys]
