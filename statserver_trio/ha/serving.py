"""What the peer asks of us: pieces of the journal, and our picture of the sources.

A request for what we are about to have waits until we have it, up to a moment that
is fixed when it comes in; then the peer gets what there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

from attrs import define, field

from ..machine import Send
from .messages import JoinRequest, Journal, JournalRequest
from .source_intake import SourceIntake, State
from .store import ServeJoin

REQUESTS_MAX = 100  # of the peer that wait; a further one is answered "not found"


@define
class Serving:
    """The requests that wait.

    Args:
        sources: Those of the intake, by name.
    """

    sources: Mapping[str, SourceIntake]
    _join: tuple[JoinRequest, float] | None = field(default=None, init=False)
    _journal: list[tuple[JournalRequest, float]] = field(factory=list, init=False)

    def forget(self) -> None:
        """The link is gone: nobody waits for an answer."""
        self._join = None
        self._journal.clear()

    def journal(self, request: JournalRequest, until: float) -> list[object]:
        """The peer missed something."""
        if len(self._journal) >= REQUESTS_MAX:
            return [Send(_not_found(request))]
        self._journal.append((request, until))
        return []

    def join(self, request: JoinRequest, until: float) -> None:
        """The peer wants our picture; the latest request counts."""
        self._join = request, until

    def next_deadline(self) -> float:
        """When the first request may wait no longer."""
        waits = [until for _, until in self._journal]
        if self._join is not None:
            waits.append(self._join[1])
        return min(waits, default=inf)

    def serve(self, is_fresh: bool, now: float) -> list[object]:
        """Answer what can be answered now; ``is_fresh``: we have no picture at all yet."""
        waiting, self._journal = self._journal, []
        actions: list[object] = []
        for request, until in waiting:
            answer = self._journal_answer(request, patient=now < until)
            if answer is None:
                self._journal.append((request, until))
            else:
                actions.append(Send(answer))
        return [*actions, *self._serve_join(is_fresh, now)]

    def _journal_answer(self, request: JournalRequest, patient: bool) -> Journal | None:
        """The answer; None as long as what was asked for may still come."""
        source = self.sources.get(request.source)
        if source is None:
            return _not_found(request)
        piece = source.journal.piece(request.first, request.last)
        if piece is not None:
            last, lines = piece
            return Journal(request.source, request.first, last, lines, True)
        behind = source.journal.last is None or source.journal.last < request.last
        return None if behind and patient else _not_found(request)

    def _serve_join(self, is_fresh: bool, now: float) -> list[object]:
        if self._join is None:
            return []
        request, until = self._join
        if is_fresh and now < until:
            return []  # perhaps we will have one soon
        ready = [name for name in request.positions if self._can_serve(name, request)]
        if len(ready) < len(request.positions) and now < until:
            return []
        self._join = None
        return [ServeJoin(request.number, ready)]

    def _can_serve(self, name: str, request: JoinRequest) -> bool:
        source = self.sources.get(name)
        if source is None:
            return False
        is_known = source.applied is not None and source.state is State.LIVE and source.is_whole
        return is_known and (source.applied or 0) >= request.positions[name]


def _not_found(request: JournalRequest) -> Journal:
    return Journal(request.source, request.first, request.last, [], False)
