"""Replication, the receiving half: install a chunk once, however often it comes.

Chunks are numbered from 1 in each session and direction:

    number        what it is                        what is done
    the next one  news                              InstallItems, then the acknowledgement
    the last one  our acknowledgement was lost      the same acknowledgement again
    an older one  a peer that repeats itself        passed over, and counted
    any other     something was lost on the way     the link is closed, and restored

Acknowledged is what has been installed, never what has only arrived. While our
picture is about to be replaced by the peer's, nothing is installed: what we would
add of our own belongs to the old picture, and would not fit (our decision; found
by the random schedules of the tests).
"""

from __future__ import annotations

import msgspec
from attrs import define, field

from ..machine import Disconnect, Send
from .clock_offset import WallClock
from .deletion import Deletion
from .messages import Chunk, ChunkAck, Item, Positions, Result
from .session import Progress
from .store import Installed, InstallItems


@define
class Installation:
    """What came from the peer in this session.

    Attributes:
        results: Items so far, by result.
        held: Nothing may be installed now.
        positions: Where we stand.
    """

    progress: Progress
    wall: WallClock
    deletion: Deletion
    chunks_received: int = field(default=0, init=False)
    statistics_received: int = field(default=0, init=False)
    repeated: int = field(default=0, init=False)
    results: dict[Result, int] = field(factory=lambda: dict.fromkeys(Result, 0), init=False)
    held: bool = field(default=False, init=False)
    positions: Positions = field(factory=dict, init=False)
    _waiting: bool = field(default=False, init=False)  # for it not to be held any more
    _session: str | None = field(default=None, init=False)
    _linked: bool = field(default=False, init=False)
    _installing: Chunk | None = field(default=None, init=False)
    _received_wall: float = field(default=0.0, init=False)
    _last_ack: ChunkAck | None = field(default=None, init=False)

    def open(self, session: str, restored: bool) -> list[object]:
        """A session is open; if restored, the last acknowledgement may have been lost."""
        self._linked = True
        if not restored or session != self._session:
            self._session, self._last_ack, self._installing = session, None, None
        return [] if self._last_ack is None else [Send(self._last_ack)]

    def pause(self) -> None:
        """The link is gone: whatever was not acknowledged comes again.

        Perhaps in another chunk of the same number, so an answer that comes now must
        not be taken for the answer to that; the owner is to forget what it has not
        begun to install.
        """
        self._linked = False
        self._installing, self._waiting = None, False

    def handle_event(self, event: object, now: float) -> list[object]:
        """A chunk, or the owner's word that it has been installed."""
        match event:
            case Chunk():
                return self._received(event, now)
            case Installed():
                return self._installed(event, now)
        return [Disconnect(f"installation cannot make sense of {type(event).__name__}")]

    def _received(self, chunk: Chunk, now: float) -> list[object]:
        if chunk.session != self._session:
            return [Disconnect("protocol-error: a chunk of another session")]
        last = self.progress.received
        if self._installing is not None and chunk.seq == self._installing.seq:
            self.repeated += 1
            return []  # it will be acknowledged when it is done
        if chunk.seq <= last:
            self.repeated += 1
            ack = self._last_ack
            return [Send(ack)] if ack is not None and ack.seq == chunk.seq else []
        if chunk.seq != last + 1 or self._installing is not None:
            return [Disconnect(f"protocol-error: chunk {chunk.seq} after {last}")]
        self._installing, self._received_wall = chunk, self.wall.at(now)
        self._waiting = True
        return self.go_on()

    def go_on(self) -> list[object]:
        """Install what has been waiting, if anything has and it may be."""
        chunk = self._installing
        if self.held or not self._waiting or chunk is None:
            return []
        self._waiting = False
        deleted = frozenset(item.key for item in chunk.items if self.deletion.refuses(item))
        anew = frozenset(
            item.key
            for item in chunk.items
            if item.key not in deleted and self.deletion.renews(item)
        )
        return [InstallItems(chunk.seq, chunk.as_of, chunk.items, deleted, anew)]

    def _installed(self, done: Installed, now: float) -> list[object]:
        chunk = self._installing
        if chunk is None or chunk.seq != done.seq:
            return []  # of a session that has ended meanwhile
        assert len(done.results) == len(chunk.items)
        self._installing = None
        self.progress.received = chunk.seq
        self.chunks_received += 1
        self.statistics_received += len(chunk.items)
        for item, result in zip(chunk.items, done.results, strict=True):
            self.results[result] += 1
            if result in (Result.OPENED, Result.ADOPTED, Result.LATE):
                self.deletion.opened([item.key])
        walls = chunk.wall, self._received_wall, self.wall.at(now)
        self._last_ack = ChunkAck(chunk.seq, list(done.results), dict(self.positions), *walls)
        return [Send(self._last_ack)] if self._linked else []

    def reconfigured(self) -> None:
        """Our configuration is another one: what could not be opened may be by now.

        The peer need not have heard our last answer; when it does, it is to try again at once.
        """
        ack = self._last_ack
        if ack is not None and Result.UNRESOLVED in ack.results:
            again = [Result.LATE if r is Result.UNRESOLVED else r for r in ack.results]
            self._last_ack = msgspec.structs.replace(ack, results=again)

    def under_way(self) -> set[str]:
        """The keys of the chunk that is being installed."""
        return {item.key for item in self._installing.items} if self._installing else set()

    def items_of(self, done: Installed) -> list[tuple[Item, Result]]:
        """Items and results of the chunk that is being installed; ask before telling it."""
        chunk = self._installing
        if chunk is None or chunk.seq != done.seq:
            return []
        return list(zip(chunk.items, done.results, strict=True))
