"""What the peer asks of us: pieces of the journal, and our picture of the sources.

A request for what we are about to have waits until we have it, up to a moment that
is fixed when it comes in; then the peer gets what there is. While our feed is away we
are not about to have anything, and whoever has a picture is told so at once.

Where positions are not contiguous, and the last one asked for is not one of ours, the
event that would tell us that we have everything may be long in coming. If our feed is
there, and has said nothing for a moment, there was nothing (our decision).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

from attrs import define, evolve, field, frozen

from ..machine import Send
from .messages import JoinRequest, Journal, JournalRequest
from .source_intake import SourceIntake, State
from .store import ServeJoin

VOUCH_SECONDS = 1.0  # after the request; what happened before it has arrived by then
REQUESTS_MAX = 100  # of the peer that wait; a further one is answered "not found"


@frozen
class _Waiting:
    """A request for a piece of the journal."""

    request: JournalRequest
    vouch_at: float
    until: float


@define
class Serving:
    """The requests that wait.

    Args:
        sources: Those of the intake, by name.
    """

    sources: Mapping[str, SourceIntake]
    _join: tuple[JoinRequest, float] | None = field(default=None, init=False)
    _journal: list[_Waiting] = field(factory=list, init=False)

    def forget(self) -> None:
        """The link is gone: nobody waits for an answer."""
        self._join = None
        self._journal.clear()

    def journal(self, request: JournalRequest, now: float, patience: float) -> list[object]:
        """The peer missed something, and gives us so many seconds to help."""
        if len(self._journal) >= REQUESTS_MAX:
            return [Send(_not_found(request))]
        vouch_at = now + min(VOUCH_SECONDS, patience / 2)
        self._journal.append(_Waiting(request, vouch_at, now + patience))
        return []

    def join(self, request: JoinRequest, until: float) -> None:
        """The peer wants our picture; the latest request counts."""
        self._join = request, until

    def next_deadline(self) -> float:
        """When the first request may wait no longer."""
        waits = [min(waiting.vouch_at, waiting.until) for waiting in self._journal]
        if self._join is not None:
            waits.append(self._join[1])
        return min(waits, default=inf)

    def serve(self, is_fresh: bool, now: float) -> list[object]:
        """Answer what can be answered now; ``is_fresh``: we have no picture at all yet."""
        waiting, self._journal = self._journal, []
        actions: list[object] = []
        for each in waiting:
            answer = self._journal_answer(each, now)
            if answer is None:
                tried = now >= each.vouch_at
                self._journal.append(evolve(each, vouch_at=inf) if tried else each)
            else:
                actions.append(Send(answer))
        return [*actions, *self._serve_join(is_fresh, now)]

    def _journal_answer(self, waiting: _Waiting, now: float) -> Journal | None:
        """The answer; None as long as what was asked for may still come."""
        request = waiting.request
        source = self.sources.get(request.source)
        if source is None:
            return _not_found(request)
        if not source.contiguous and not source.away and now >= waiting.vouch_at:
            source.journal.vouch(request.first, request.last)
        piece = source.journal.piece(request.first, request.last)
        if piece is not None:
            last, lines = piece
            return Journal(request.source, request.first, last, lines, True)
        behind = source.journal.last is None or source.journal.last < request.last
        return None if behind and now < waiting.until else _not_found(request)

    def _serve_join(self, is_fresh: bool, now: float) -> list[object]:
        if self._join is None:
            return []
        request, until = self._join
        if is_fresh and now < until:
            return []  # perhaps we will have one soon
        ready = [name for name in request.positions if self._can_serve(name, request)]
        more = request.positions.keys() - ready
        if now < until and not all(map(self._is_deaf, more)):
            return []
        self._join = None
        return [ServeJoin(request.number, ready)]

    def _can_serve(self, name: str, request: JoinRequest) -> bool:
        source, theirs = self.sources.get(name), request.positions[name]
        # Who hears nothing may have old numbers: only who has nothing is better off with them.
        if source is None or (theirs and self._is_deaf(name)):
            return False
        is_known = source.applied is not None and source.state is State.LIVE and source.is_whole
        return is_known and (source.applied or 0) >= theirs

    def _is_deaf(self, name: str) -> bool:
        """Whether our picture stands still, because we do not hear the feed."""
        source = self.sources.get(name)
        return source is not None and source.state is State.LIVE and source.away


def _not_found(request: JournalRequest) -> Journal:
    return Journal(request.source, request.first, request.last, [], False)
