"""What is open is listed some at a time, while it changes."""

from __future__ import annotations

import pytest

from statserver_trio.ha.clock_offset import WallClock
from statserver_trio.ha.deletion import Deletion
from statserver_trio.ha.holds import Holds
from statserver_trio.ha.messages import ChunkAck, Item, Kind, Result
from statserver_trio.ha.replication import Replication
from statserver_trio.ha.replication_words import Closed, Opened
from statserver_trio.ha.session import Progress
from statserver_trio.ha.store import BuildChunk, ChunkBuilt, ListOpen, OpenKeys
from statserver_trio.server.ha import entry
from statserver_trio.server.ha.entry import Entries


def entries(*keys):
    found = Entries()
    found.update(dict.fromkeys(keys))
    return found


def pages(found, change=lambda: None):
    """Everything that is listed, with a change after the first page."""
    first, listed = 0, []
    while first is not None:
        page, first = found.listed(first)
        listed.append(page)
        change()
    return listed


def test_in_pages(monkeypatch):
    monkeypatch.setattr(entry, "LISTED_MAX", 2)
    assert pages(entries()) == [[]]
    assert pages(entries("a", "b")) == [["a", "b"]]
    assert pages(entries("a", "b", "c")) == [["a", "b"], ["c"]]


def test_what_goes_meanwhile_hides_nothing_else(monkeypatch):
    monkeypatch.setattr(entry, "LISTED_MAX", 2)
    found = entries("a", "b", "c", "d", "e")
    assert pages(found, lambda: [found.pop(key, None) for key in "ad"]) == [
        ["a", "b"],
        ["c"],
        ["e"],
    ]
    assert pages(found) == [["b", "c"], ["e"]], "and again from the beginning"


@pytest.fixture
def replication():
    """A session has begun; A is pending, and B is still to be listed."""
    wall = WallClock()
    found = Replication(Progress(), wall, Deletion(), Holds())
    assert found.start("s", 0.0) == [ListOpen(0)]
    found.handle_event(OpenKeys(["A"], following=1), 0.0)
    return found


def test_the_next_page_is_asked_for_at_once(replication):
    assert replication.next_deadline() <= 0.0
    assert not replication.is_done
    assert replication.handle_timer(0.0) == [ListOpen(1)]
    replication.handle_event(OpenKeys(["B"]), 0.0)
    assert [action.keys for action in replication.handle_timer(0.0)] == [["A", "B"]]


def test_what_is_still_to_be_listed_is_not_taken_for_known(replication):
    """The peer has pushed it, and has not heard that a client of ours wants it, too."""
    replication.holds.opened(["B"])
    replication.installed("B", Result.KEPT)
    replication.handle_timer(0.0)
    replication.handle_event(OpenKeys(["B"]), 0.0)
    assert replication.pending == 2


def test_what_was_taken_from_the_peer_meanwhile_is_not_pushed_back(replication):
    replication.installed("B", Result.ADOPTED)
    replication.handle_timer(0.0)
    replication.handle_event(OpenKeys(["B"]), 0.0)
    assert replication.knows("B")
    assert replication.handle_timer(0.0) == [BuildChunk(["A"], replication.options.max_chunk_bytes)]


def test_a_link_that_is_lost_between_two_pages_begins_anew(replication):
    replication.pause()
    assert replication.next_deadline() == float("inf")
    assert replication.resume("s", 1.0) == [ListOpen()]
    replication.handle_event(Opened(["C"]), 1.0)
    replication.handle_event(OpenKeys(["A", "B"]), 1.0)
    assert replication.pending == 3
    assert replication.next_deadline() <= 1.0


@pytest.mark.parametrize("result", [Result.LATE, Result.KEPT, Result.ADOPTED])
def test_what_was_closed_on_its_way_and_comes_from_the_peer_is_known_to_it(replication, result):
    """Whatever became of the peer's: it has it (rough day 9344)."""
    replication.handle_timer(0.0)
    replication.handle_event(OpenKeys([]), 0.0)
    replication.handle_timer(0.0)
    item = Item("A", "d", "h", Kind.DEF_ONLY, b"", {})
    replication.handle_event(ChunkBuilt([item], 1), 0.0)
    replication.handle_event(Closed(["A"]), 0.0)
    replication.installed("A", result)
    replication.handle_event(ChunkAck(1, [Result.OPENED], {}, 0.0, 0.0, 0.0), 0.0)
    assert replication.knows("A")
    assert replication.is_done
