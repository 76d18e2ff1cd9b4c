"""The T-Server's side of the feed: what was said lately, and one session per client.

A :class:`Feed` holds the last events as lines, so that every event is encoded
once, however many listen, and a client that comes back soon misses nothing. A
:class:`FeedServerSession` knows what its client has asked for and has been sent.

Rules: design/protocols.md section 1. Ours: events that come between the
registration and RegisterAll are sent before the snapshots, so that positions
have no hole; a request before RegisterClient is refused.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from attrs import define, field, frozen

from ..machine import Connected, Disconnect, Disconnected
from ..tlib.codec import (
    BadLine,
    PollReply,
    PollRequest,
    QueryAddress,
    RegisterAddress,
    RegisterAll,
    RegisterClient,
    Request,
    UnregisterAddress,
    encode,
)
from ..tlib.events import (
    EventAddressInfo,
    EventError,
    EventLinkConnected,
    EventRegistered,
    EventServerConnected,
    EventUnregistered,
    TEvent,
)

RECENT_EVENTS = 100_000  # kept for clients that come back; older ones cannot be resumed
OUTGOING_BYTES_MAX = 64 * 1024 * 1024  # unread by a client; one that has more is disconnected
BAD_LINES_MAX = 100  # answered with EventError each; after that the client is disconnected

# Error codes are T-Library's names where it has one (domain/t-events.md 8 leaves them open).
UNKNOWN_DN = "InvalidDN"
BAD_REQUEST = "UnsupportedOperation"
NOT_REGISTERED = "ClientNotRegistered"


@frozen
class _Line:
    """An event as it is sent."""

    position: int
    dn: str
    data: bytes


class Feed:
    """What all sessions of one T-Server share.

    Args:
        switch: The name of the switch.
        dns: Every DN, in the order of its snapshots.
        snapshot: What a DN is doing after the last event published; None if unknown.
        recent: How many events a client may have missed and still resume.
    """

    def __init__(
        self,
        switch: str,
        dns: Sequence[str],
        snapshot: Callable[[str], EventRegistered | None],
        recent: int = RECENT_EVENTS,
    ) -> None:
        self.switch = switch
        self.dns = dns
        self.snapshot = snapshot
        self.position = 0
        self._recent: deque[_Line] = deque(maxlen=recent)

    def publish(self, events: Sequence[TEvent]) -> None:
        """Take note of new events; positions go up by one each."""
        for event in events:
            assert event.position is not None
            self.position = event.position
            self._recent.append(_Line(event.position, event.this_dn, encode(event)))

    def can_resume(self, after: int) -> bool:
        """Whether everything after position ``after`` is still here."""
        if after >= self.position:
            return after == self.position
        return bool(self._recent) and self._recent[0].position <= after + 1

    def since(self, after: int) -> list[_Line]:
        """The lines after position ``after``, as far as they are still here."""
        missing = min(max(self.position - after, 0), len(self._recent))
        newest_first = reversed(self._recent)
        return [next(newest_first) for _ in range(missing)][::-1]


@define
class FeedServerSession:
    """One client's session: a machine that fills :attr:`outgoing`.

    Events: Connected, Disconnected, any decoded message, and :class:`Published`.
    The only action is Disconnect; what is to be sent waits in ``outgoing``
    until the owner calls :meth:`take`.
    """

    feed: Feed
    application: str | None = field(default=None, init=False)
    outgoing: bytearray = field(factory=bytearray, init=False)
    _everything: bool = field(default=False, init=False)
    _dns: set[str] = field(factory=set, init=False)
    _sent: int = field(default=0, init=False)  # the position up to which we are through
    _bad_lines: int = field(default=0, init=False)
    _open: bool = field(default=True, init=False)

    def handle_event(self, event: object, now: float) -> list[object]:
        """Do what ``event`` asks for; ``now`` does not matter here."""
        match event:
            case _ if not self._open:
                return []
            case Connected():
                pass
            case Disconnected():
                self._open = False
            case Published():
                self._catch_up()
            case PollRequest(n=n):
                self._send(PollReply(n=n))
            case RegisterClient():
                self._register_client(event)
            case Request() if self.application is None:
                self._refuse(event, NOT_REGISTERED, "RegisterClient comes first")
            case Request():
                RULES[type(event)](self, event)
            case PollReply():
                pass
            case _:
                return self._bad_line(event)
        if len(self.outgoing) > OUTGOING_BYTES_MAX:
            return self._disconnect(f"{len(self.outgoing)} bytes unread")
        return []

    def handle_timer(self, now: float) -> list[object]:
        """Nothing: a client that is silent is welcome."""
        return []

    def next_deadline(self) -> float:
        """Never."""
        return float("inf")

    def take(self) -> bytes:
        """What is to be sent; it is ours no more."""
        data = bytes(self.outgoing)
        self.outgoing.clear()
        return data

    # -- requests -----------------------------------------------------------------------

    def _register_client(self, request: RegisterClient) -> None:
        if self.application is not None:
            self._refuse(request, BAD_REQUEST, "registered already")
            return
        self.application = request.ApplicationName
        self._sent = self.feed.position
        if request.after is not None and self.feed.can_resume(request.after):
            for line in self.feed.since(request.after):
                self.outgoing += line.data
        switch, position = self.feed.switch, self.feed.position
        self._send(EventServerConnected(switch=switch, position=position))
        self._send(EventLinkConnected())

    def _register_all(self, request: Request) -> None:
        self._everything = True
        self._catch_up()
        for dn in self.feed.dns:
            self._send(self.feed.snapshot(dn))

    def _register_address(self, request: Request) -> None:
        assert isinstance(request, RegisterAddress)
        snapshot = self._find(request, request.ThisDN)
        if snapshot is not None:
            self._dns.add(request.ThisDN)
            self._catch_up()
            snapshot.reference_id = request.ReferenceID
            self._send(snapshot)

    def _query_address(self, request: Request) -> None:
        assert isinstance(request, QueryAddress)
        snapshot = self._find(request, request.ThisDN)
        if snapshot is not None:
            self._send(
                EventAddressInfo(
                    this_dn=snapshot.this_dn,
                    address_type=snapshot.address_type,
                    reference_id=request.ReferenceID,
                    agent_id=snapshot.agent_id,
                    place=snapshot.place,
                    extensions=snapshot.extensions,
                )
            )

    def _unregister_address(self, request: Request) -> None:
        assert isinstance(request, UnregisterAddress)
        if self._find(request, request.ThisDN) is not None:
            self._catch_up()
            self._dns.discard(request.ThisDN)
            reference = request.ReferenceID
            self._send(EventUnregistered(this_dn=request.ThisDN, reference_id=reference))

    # -- shared -------------------------------------------------------------------------

    def _find(self, request: Request, dn: str) -> EventRegistered | None:
        snapshot = self.feed.snapshot(dn)
        if snapshot is None:
            self._refuse(request, UNKNOWN_DN, f"there is no DN {dn[:100]}")
        return snapshot

    def _catch_up(self) -> None:
        """Send the events published since the last time that the client wants."""
        if self._sent < self.feed.position and (self._everything or self._dns):
            for line in self.feed.since(self._sent):
                if self._everything or line.dn in self._dns:
                    self.outgoing += line.data
            self._sent = self.feed.position

    def _refuse(self, request: object, code: str, message: str) -> None:
        self._send(
            EventError(
                this_dn=getattr(request, "ThisDN", ""),
                reference_id=getattr(request, "ReferenceID", None),
                error_code=code,
                error_message=message,
            )
        )

    def _bad_line(self, message: object) -> list[object]:
        self._bad_lines += 1
        if self._bad_lines > BAD_LINES_MAX:
            return self._disconnect(f"more than {BAD_LINES_MAX} lines that are no request")
        what = message.kind if isinstance(message, BadLine) else "that is no request"
        self._refuse(message, BAD_REQUEST, what)
        return []

    def _disconnect(self, reason: str) -> list[object]:
        self._open = False
        return [Disconnect(reason)]

    def _send(self, message: object) -> None:
        self.outgoing += encode(message)


@frozen
class Published:
    """Event: the feed has new events."""


RULES: dict[type[Request], Callable[[FeedServerSession, Request], None]] = {
    RegisterAll: FeedServerSession._register_all,
    RegisterAddress: FeedServerSession._register_address,
    QueryAddress: FeedServerSession._query_address,
    UnregisterAddress: FeedServerSession._unregister_address,
}
