"""ADDP: is the other one dead, or has it only nothing to say?

Two people share an office with a screen between them. Typing proves that the
other is there. After a while without a sound one asks; if the same while passes
again without any sound, one concludes that the chair is empty.

Each direction is watched by itself, with its own timeout T. The side that dials
knows both timeouts and hands the other its own in-band (hot-standby.md 3.2):

    dials                                      accepts
      | -- Config(timeout_ms=remote, trace) -->  |   polls from now on
      | <------------------- ConfigAck(0) ----   |   0: "keep yours"

    HEARD --T of silence--> POLLED --T of silence--> LOST
      ^------- any byte --------'                     nothing leads out of here

Whatever arrives is life, half a frame as well. Only what is *received* counts,
which is how a line that has died in one direction is found. A timer that comes
more than T/2 late proves that we were asleep ourselves, and what the other said
meanwhile may be unread in the socket: then we ask once more instead of giving
up, once per silence.

With the protocol ``default`` on the port nothing is sent and nothing watched
(:attr:`AddpOptions.enabled`), and the keepalive of TCP is all there is.
"""

from __future__ import annotations

import enum
from math import inf

from attrs import define, field, frozen

from ..machine import Connected, Disconnect, Disconnected, Send
from .messages import Config, ConfigAck, Poll, Reply
from .store import Abort, Log, Trace

STALL_SHARE = 0.5  # of the timeout: a timer later than this means that we were asleep
REASON = "addp-timeout"
TRACES_HERE = ("local", "both")  # values of addp-trace for which the dialling side logs ...
TRACES_THERE = ("remote", "both")  # ... and for which it asks the other side to


@frozen
class AddpOptions:
    """The options of the dialling side; the other one's have no effect. Seconds.

    Attributes:
        timeout: Of silence before we poll; 0 = never.
        remote_timeout: What the other side is told to use; 0 = never.
        trace: ``local``, ``remote``, ``both`` or ``off``: logging only.
        enabled: Whether the protocol of the port is ``addp``.
    """

    timeout: float = 10.0
    remote_timeout: float = 10.0
    trace: str = "both"
    enabled: bool = True

    @property
    def config(self) -> Config:
        """The same, in the words of the wire."""
        return Config(round(self.remote_timeout * 1000), self.trace in TRACES_THERE)


@frozen
class Heard:
    """Event: bytes arrived. Tell it before the messages that they complete."""

    size: int = 1


@frozen
class AddpOptionsChanged:
    """Event: the options were changed; in effect at once, on the living link."""

    options: AddpOptions


class State(enum.Enum):
    """What we believe about the other side."""

    DOWN = "down"  # there is no link
    HEARD = "heard"  # it spoke less than one timeout ago
    POLLED = "polled"  # it is silent, and our poll is on its way
    LOST = "lost"  # given up; waits for the owner to say that the link is down


@define
class Addp:
    """One side's watch over the link, for link after link.

    Args:
        dials: Whether this is the side that opens connections.

    Attributes:
        timeout: The one in force here; 0 = none.
        round_trip: Seconds from the last answered poll to its reply.
    """

    dials: bool
    options: AddpOptions = field(factory=AddpOptions)
    state: State = field(default=State.DOWN, init=False)
    timeout: float = field(default=0.0, init=False)
    polls_sent: int = field(default=0, init=False)
    polls_received: int = field(default=0, init=False)
    lost: int = field(default=0, init=False)
    stalls: int = field(default=0, init=False)
    round_trip: float | None = field(default=None, init=False)
    _traces: bool = field(default=False, init=False)
    _since: float = field(default=0.0, init=False)  # the last byte, or the poll if later
    _polled_at: float | None = field(default=None, init=False)  # for the round trip
    _excused: bool = field(default=False, init=False)  # we were asleep in this silence

    def handle_event(self, event: object, now: float) -> list[object]:
        """Take note of anything that happened on the link.

        A message is never life by itself: its bytes were, see :class:`Heard`.
        """
        match event:
            case Connected():
                return self._connected(now)
            case Disconnected():
                self.state = State.DOWN
                return []
            case AddpOptionsChanged(options):
                return self._change(options)
            case _ if self.state in (State.DOWN, State.LOST):
                return []  # a straggler; the link is as good as closed
            case Heard():
                self.state, self._since, self._excused = State.HEARD, now, False
                return []
            case Config():
                return self._configure(event)
            case ConfigAck():
                if event.timeout_ms:
                    self.timeout = event.timeout_ms / 1000
                return self._trace("<", f"CONFIG_ACK timeout={event.timeout_ms}ms")
            case Poll():
                self.polls_received += 1
                return [
                    *self._trace("<", f"POLL seq={event.seq}"),
                    *self._say(Reply(event.seq), f"REPLY seq={event.seq}"),
                ]
            case Reply():
                return self._replied(event.seq, now)
        return [Disconnect(f"ADDP cannot make sense of {type(event).__name__}")]

    def handle_timer(self, now: float) -> list[object]:
        """Ask after one timeout of silence, give up after the second."""
        alarm = self.next_deadline()
        if now < alarm:
            return []
        if self.state is State.HEARD:
            return self._poll(now)
        if now - alarm > self.timeout * STALL_SHARE and not self._excused:
            self._excused = True
            self.stalls += 1
            late = f"ADDP: our own timer came {now - alarm:.1f} s late; asking again"
            return [Log("warning", late), *self._poll(now)]
        self.state = State.LOST
        self.lost += 1
        return [*self._trace("<", f"nothing for {2 * self.timeout:g} s: lost"), Abort(REASON)]

    def next_deadline(self) -> float:
        """When to ask or to give up; ``inf`` if nothing is watched."""
        watched = self.timeout > 0 and self.state in (State.HEARD, State.POLLED)
        return self._since + self.timeout if watched else inf

    def ask(self, now: float) -> list[object]:
        """Poll at once, because somebody needs to know; the watch goes on as before."""
        if self.state is not State.HEARD:
            return []  # down, or asked already
        since, self_state = self._since, self.state
        actions = self._poll(now)
        self._since, self.state = since, self_state
        return actions

    def _connected(self, now: float) -> list[object]:
        self.state, self._since = State.HEARD, now
        self._excused, self._polled_at = False, None
        self.timeout, self._traces = 0.0, False
        if not (self.dials and self.options.enabled):
            return []  # the accepting side waits to be told
        self.timeout = self.options.timeout
        self._traces = self.options.trace in TRACES_HERE
        return self._say_config()

    def _say_config(self) -> list[object]:
        config = self.options.config
        return self._say(config, f"CONFIG timeout={config.timeout_ms}ms trace={config.trace}")

    def _change(self, options: AddpOptions) -> list[object]:
        before, self.options = self.options, options
        if self.state in (State.DOWN, State.LOST):
            return []
        if not self.dials or before.enabled != options.enabled:
            return [Log("debug", "ADDP: the change takes effect with the next connection")]
        if not options.enabled:
            return []
        self.timeout = options.timeout
        self._traces = options.trace in TRACES_HERE
        return self._say_config() if options.config != before.config else []

    def _configure(self, config: Config) -> list[object]:
        """Do as the dialling side wishes; it may wish again, on the same link."""
        if self.dials:
            return [Disconnect("ADDP: the accepting side may not configure us")]
        if not self.options.enabled:
            return [Log("warning", "the peer wants ADDP, and the protocol of our port is default")]
        self.timeout, self._traces = config.timeout_ms / 1000, config.trace
        return [
            *self._trace("<", f"CONFIG timeout={config.timeout_ms}ms trace={config.trace}"),
            *self._say(ConfigAck(), "CONFIG_ACK timeout=0ms"),
        ]

    def _poll(self, now: float) -> list[object]:
        self.state, self._since, self._polled_at = State.POLLED, now, now
        self.polls_sent += 1
        return self._say(Poll(self.polls_sent), f"POLL seq={self.polls_sent}")

    def _replied(self, seq: int, now: float) -> list[object]:
        if seq != self.polls_sent or self._polled_at is None:
            return self._trace("<", f"REPLY seq={seq} (late)")
        self.round_trip, self._polled_at = now - self._polled_at, None
        return self._trace("<", f"REPLY seq={seq} rtt={self.round_trip * 1000:.0f}ms")

    def _say(self, message: Config | ConfigAck | Poll | Reply, text: str) -> list[object]:
        return [Send(message), *self._trace(">", text)]

    def _trace(self, direction: str, text: str) -> list[object]:
        return [Trace(direction, text)] if self._traces else []
