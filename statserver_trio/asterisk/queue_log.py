"""queue_log: Asterisk's file of what its queues did, one line per fact.

A line is ``epoch|callid|queue|agent|verb|p1|p2|...``. The log names a member
only by MemberName, so that is both his DN and his agent id, and it names a call
by the Uniqueid of the caller's channel (AMI: Linkedid), so the two sources give
the same call different ConnIDs.

The log is more certain than AMI where AMI is not (each way out of the queue has
its own verb, see trap 1 in :mod:`.doubts`), and poorer elsewhere: a ring is
told when it is over, together with its length. EventRinging is then dated back
to where the ring began, though it comes after events that are younger;
:func:`.replay.queue_log_events` brings a whole file into order. Lengths are
milliseconds in RINGNOANSWER and RINGCANCELED, seconds in CONNECT.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from attrs import frozen

from ..tlib.events import EventLinkConnected, EventLinkDisconnected, TEvent
from .members import Members
from .positions import Emitter, as_time
from .queue_calls import Caller, QueueCalls

NOBODY = frozenset({"", "NONE", "ALL"})
LINE_CHARACTERS_MAX = 8192
PARAMETERS_SHORTEST = 5  # epoch, call, queue, agent, verb


@frozen
class Line:
    """One line of the log, taken apart."""

    at: float
    call: str
    queue: str
    agent: str
    verb: str
    parameters: tuple[str, ...]

    def text(self, index: int) -> str:
        """Parameter ``index``, counted from 1 as the log's documentation does."""
        return self.parameters[index - 1] if index <= len(self.parameters) else ""

    def seconds(self, index: int) -> float:
        """Parameter ``index`` as a length; 0 where none is written."""
        return as_time(self.text(index)) or 0.0


class QueueLogTranslator:
    """Lines of one switch's queue_log to T-events.

    Attributes:
        switch: The name of the switch, for whoever asks.
        bad: How often something made no sense, by kind.
    """

    def __init__(self, switch: str) -> None:
        self.switch = switch
        self.bad: Counter[str] = Counter()
        self._emitter = Emitter()
        self._members = Members(self._emitter)
        self._calls = QueueCalls(self._emitter, self.bad)
        self._is_linked = False

    def translate(self, line: str) -> list[TEvent]:
        """The T-events of one line; none for a line that means nothing to us."""
        parsed = self._parse(line)
        if parsed is None:
            return []
        if not self._is_linked:
            self._is_linked = True
            self._emitter.emit(EventLinkConnected, parsed.at)
        verb = VERBS.get(parsed.verb)
        if verb is None:
            self.bad["unknown verb"] += 1
        else:
            verb(self, parsed)
        return self._emitter.take()

    def finish(self) -> list[TEvent]:
        """Nothing more will come. The log leaves nothing undecided."""
        return []

    def _parse(self, text: str) -> Line | None:
        text = text.strip()
        if not text:
            return None
        parts = text[:LINE_CHARACTERS_MAX].split("|")
        if len(parts) < PARAMETERS_SHORTEST:
            self.bad["line too short"] += 1
            return None
        at = as_time(parts[0])
        if at is None:
            self.bad["line without time"] += 1
            return None
        call, queue, agent = ("" if part in NOBODY else part for part in parts[1:4])
        return Line(at, call, queue, agent, parts[4], tuple(parts[5:]))

    # -- calls -------------------------------------------------------------------------

    def _enter_queue(self, line: Line) -> None:
        if not (line.call and line.queue):
            self.bad["entry without call or queue"] += 1
            return
        self._calls.joined(Caller(line.call, line.call, line.queue, line.at, line.text(2)))

    def _connect(self, line: Line) -> None:
        if not (line.call and line.queue and line.agent):
            self.bad["answer without call, queue or agent"] += 1
            return
        ring = line.seconds(3)
        self._at_work(line, ring)
        stranger = Caller(line.call, line.call, line.queue, line.at - line.seconds(1))
        self._calls.connected(stranger, line.agent, line.at, ring)

    def _ring_no_answer(self, line: Line) -> None:
        ring = line.seconds(1) / 1000
        self._at_work(line, ring)
        self._calls.not_answered(line.call, line.agent, line.at, ring)

    def _ring_cancelled(self, line: Line) -> None:
        ring = line.seconds(1) / 1000
        self._at_work(line, ring)
        self._calls.cancelled(line.call, line.agent, line.at, ring)

    def _agent_dump(self, line: Line) -> None:
        """The member hung up during his announcement; the caller goes on waiting."""
        self._at_work(line, 0.0)
        self._calls.cancelled(line.call, line.agent, line.at, 0.0)

    def _complete(self, line: Line) -> None:
        self._calls.completed(line.call, line.agent, line.at)

    def _blind_transfer(self, line: Line) -> None:
        self._calls.completed(line.call, line.agent, line.at, "Transferred", line.text(1))

    def _attended_transfer(self, line: Line) -> None:
        self._calls.completed(line.call, line.agent, line.at, "Transferred")

    def _abandon(self, line: Line) -> None:
        self._calls.abandoned(line.call, line.at)

    def _exit(self, line: Line) -> None:
        self._calls.left(line.call, line.at, "Cleared")

    def _exit_overflowed(self, line: Line) -> None:
        self._calls.left(line.call, line.at, "Overflowed")

    # -- members -----------------------------------------------------------------------

    def _at_work(self, line: Line, ring: float) -> None:
        """A ring proves membership, from its beginning."""
        caller = self._calls.caller(line.call)
        begin = max(line.at - ring, caller.entered) if caller else line.at
        self._members.seen(line.agent, line.agent, line.queue, begin)

    def _add_member(self, line: Line) -> None:
        if not (line.queue and line.agent):
            self.bad["member without queue or name"] += 1
            return
        pause = line.text(2) if line.text(1) == "PAUSED" else None
        self._members.added(line.agent, line.agent, line.queue, line.at, pause)

    def _remove_member(self, line: Line) -> None:
        self._members.removed(line.agent, line.queue, line.at)

    def _pause(self, line: Line) -> None:
        reason = line.text(1)
        self._members.seen(line.agent, line.agent, line.queue, line.at, reason)
        self._members.paused(line.agent, line.queue, reason, line.at)

    def _unpause(self, line: Line) -> None:
        self._members.seen(line.agent, line.agent, line.queue, line.at)
        self._members.paused(line.agent, line.queue, None, line.at)

    def _agent_login(self, line: Line) -> None:
        """A login that names no queue (app_agent_pool, call-back agents)."""
        if line.agent and line.agent not in self._members:
            self._members.added(line.agent, line.agent, "", line.at)

    def _agent_logoff(self, line: Line) -> None:
        self._members.removed(line.agent, "", line.at)

    # -- the switch --------------------------------------------------------------------

    def _queue_start(self, line: Line) -> None:
        """Asterisk was started: its calls are gone, its members are kept.

        The first line of a log says so too; then there is nothing to lose.
        """
        if not any(True for _ in self._members) and self._calls.is_empty:
            return
        self._calls.forget()
        self._emitter.emit(EventLinkDisconnected, line.at)
        self._emitter.emit(EventLinkConnected, line.at)
        self._members.announce(line.at)

    def _nothing(self, line: Line) -> None:
        """A verb that we know and that changes neither call nor member."""


VERBS: dict[str, Callable[[QueueLogTranslator, Line], None]] = {
    "ENTERQUEUE": QueueLogTranslator._enter_queue,
    "CONNECT": QueueLogTranslator._connect,
    "RINGNOANSWER": QueueLogTranslator._ring_no_answer,
    "RINGCANCELED": QueueLogTranslator._ring_cancelled,
    "AGENTDUMP": QueueLogTranslator._agent_dump,
    "COMPLETEAGENT": QueueLogTranslator._complete,
    "COMPLETECALLER": QueueLogTranslator._complete,
    "BLINDTRANSFER": QueueLogTranslator._blind_transfer,
    "TRANSFER": QueueLogTranslator._blind_transfer,  # before Asterisk 12
    "ATTENDEDTRANSFER": QueueLogTranslator._attended_transfer,
    "ABANDON": QueueLogTranslator._abandon,
    "EXITEMPTY": QueueLogTranslator._exit,
    "EXITWITHKEY": QueueLogTranslator._exit,
    "EXITWITHTIMEOUT": QueueLogTranslator._exit_overflowed,
    "WITHDRAW": QueueLogTranslator._exit,
    "SYSCOMPAT": QueueLogTranslator._exit,
    "FULL": QueueLogTranslator._exit_overflowed,  # this and what follows are Wazo's;
    "CLOSED": QueueLogTranslator._exit,  # those who were never let in are unknown here,
    "JOINEMPTY": QueueLogTranslator._exit,  # and nothing is told of them
    "LEAVEEMPTY": QueueLogTranslator._exit,
    "ADDMEMBER": QueueLogTranslator._add_member,
    "REMOVEMEMBER": QueueLogTranslator._remove_member,
    "PAUSE": QueueLogTranslator._pause,
    "PAUSEALL": QueueLogTranslator._pause,
    "UNPAUSE": QueueLogTranslator._unpause,
    "UNPAUSEALL": QueueLogTranslator._unpause,
    "AGENTLOGIN": QueueLogTranslator._agent_login,
    "AGENTLOGOFF": QueueLogTranslator._agent_logoff,
    "AGENTCALLBACKLOGIN": QueueLogTranslator._agent_login,
    "AGENTCALLBACKLOGOFF": QueueLogTranslator._agent_logoff,
    "QUEUESTART": QueueLogTranslator._queue_start,
    "PENALTY": QueueLogTranslator._nothing,
    "RINGINUSE": QueueLogTranslator._nothing,
    "CONFIGRELOAD": QueueLogTranslator._nothing,
    "OUTCALL": QueueLogTranslator._nothing,
    "WRAPUPSTART": QueueLogTranslator._nothing,  # it tells no end
    "DID": QueueLogTranslator._nothing,
    "INFO": QueueLogTranslator._nothing,
}
