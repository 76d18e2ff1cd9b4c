"""The pair's link over the made-up network: what ``server/ha`` does with tasks, done at once.

``SimLink`` is what :class:`~statserver_trio.server.ha.member.Member` needs of a ``Link``;
``Dialler`` and ``Lobby`` do as dialling.py and accepting.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from statserver_trio.ha.addp import Heard
from statserver_trio.ha.codec import Decoder, Outbox, ProtocolError
from statserver_trio.ha.feed_words import PeerAbsent
from statserver_trio.ha.messages import Hello, Ignored, Message
from statserver_trio.ha.peer import Malformed
from statserver_trio.ha.session import GREETING_TIMEOUT
from statserver_trio.server.ha.accepting import LOBBY_MAX
from statserver_trio.server.ha.dialling import JITTER
from statserver_trio.server.ha.link import FIRST_WORDS_MAX

from .agenda import whole
from .network import End

if TYPE_CHECKING:
    from .process import Process


class Decided:
    """The flag that a newcomer waits for."""

    def __init__(self, link: SimLink) -> None:
        self._link = link

    def set(self) -> None:
        """Admitted or refused: whoever waited goes on, a moment later."""
        self._link.process.soon(self._link.go_on)


class SimLink:
    """One connection between the two members; see ``server/ha/link.py`` for the attributes.

    Args:
        is_newcomer: It has to say a greeting first.
    """

    def __init__(self, process: Process, end: End, is_newcomer: bool) -> None:
        self.process = process
        self.end = end
        self.address = end.other.host.name
        self.number = process.next_number()
        self.decoder = Decoder()
        self.reason = ""
        self.closing = False
        self.decided = Decided(self)
        self._outbox = Outbox()
        self._abruptly = False
        self._writes = False
        self._said: list[Message] | None = [] if is_newcomer else None
        self._waits = False  # for the decision about its greeting
        self._early: list[bytes] = []
        end.reader = self

    # -- what the member asks for ---------------------------------------------------------

    def put(self, message: Message) -> None:
        """Send this, as soon as what goes before it has been taken."""
        if not self.closing:
            self._outbox.put(message)
            self.process.day.watch.sent(self, message)
            self._write_soon()

    def close(self, reason: str, abruptly: bool = False) -> None:
        """Read no further; write what is urgent, or nothing, and close."""
        if self.closing:
            return
        self.reason, self.closing, self._abruptly = reason, True, abruptly
        if abruptly:
            self.end.reset()
        self._write_soon()

    @property
    def waiting_bytes(self) -> int:
        """Not written yet."""
        return self._outbox._waiting_bytes

    # -- the network ----------------------------------------------------------------------

    def data(self, data: bytes) -> None:
        """Bytes have arrived."""
        self.process.day.speaker = self.process.host.name
        if self._waits:
            self._early.append(data)
        elif self._said is not None:
            self._first_words(data)
        else:
            self._read(data)
        self.process.look()

    def ended(self, why: str) -> None:
        """The connection is gone."""
        self.process.day.speaker = self.process.host.name
        self.close(why)
        self.process.member.part(self)
        self.process.left(self)
        self.process.look()

    def room(self) -> None:
        """More can be written."""
        self._write_soon()

    # -- inside ---------------------------------------------------------------------------

    def _write_soon(self) -> None:
        if not self._writes:
            self._writes = True
            self.process.soon(self._write)

    def _write(self) -> None:
        self._writes = False
        while not self.end.is_full:
            frame = self._outbox.next_frame(urgent_only=self.closing)
            if frame is None:
                break
            self.end.send(frame)
        if self.closing:
            self.end.close()
            self.process.left(self)

    def _read(self, data: bytes) -> None:
        if self.closing:
            return
        member = self.process.member
        if data:
            member.hear(self, Heard(len(data)))
        try:
            for message in self.decoder.feed(data):
                self.process.day.watch.received(self, message)
                member.hear(self, message)
                if self.closing:
                    return
        except ProtocolError as error:
            member.hear(self, Malformed(str(error)))

    def _first_words(self, data: bytes) -> None:
        assert self._said is not None
        try:
            for message in self.decoder.feed(data):
                if isinstance(message, Ignored) or len(self._said) >= FIRST_WORDS_MAX:
                    self.give_up("no greeting")
                    return
                self._said.append(message)
                if isinstance(message, Hello):
                    self._waits = True
                    self.process.lobby.pop(self, None)
                    self.process.member.knock(self, self._said)
                    return
        except ProtocolError:
            self.give_up("it does not speak our protocol")

    def go_on(self) -> None:
        """It has been decided whether this is the link."""
        self._waits, self._said = False, None
        early, self._early = self._early, []
        for data in (b"", *early):
            self._read(data)
        self.process.look()

    def give_up(self, why: str) -> None:
        """It has not greeted."""
        self.process.lobby.pop(self, None)
        self.close(why, abruptly=True)


def accept(process: Process, end: End) -> None:
    """Somebody has connected."""
    if len(process.lobby) >= LOBBY_MAX:
        end.reset()
        return
    link = SimLink(process, end, is_newcomer=True)
    process.lobby[link] = None
    process.links[link] = None
    end.read_on()

    def too_late() -> None:
        if link in process.lobby:
            link.give_up("no greeting in time")

    process.after(GREETING_TIMEOUT, too_late)


class Dialler:
    """The backup's task: connect, lose the link, connect again."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._dialling = False
        self._again()

    def _again(self) -> None:
        process = self._process
        jitter = process.day.rng.uniform(-JITTER, JITTER)
        process.after(whole(process.config.ha.connect_timeout * (1 + jitter)), self._dial)

    def _dial(self) -> None:
        self._again()
        process = self._process
        if self._dialling or any(not link.closing for link in process.links):
            return
        self._dialling = True
        day, other = process.day, process.other_host
        there = day.network.path(process.host, other)
        back = day.network.path(other, process.host)
        answer = whole(there.delay[1] + back.delay[1])
        timeout = process.config.ha.connect_timeout
        if there.blocked or back.blocked or not other.up or answer > timeout:
            process.after(timeout, self._failed)
        else:
            process.after(answer, self._answered)

    def _failed(self) -> None:
        self._dialling = False

    def _answered(self) -> None:
        self._dialling = False
        process = self._process
        listener = process.day.listener(process)
        if listener is None:  # the host is there, and nobody listens
            process.member.tell(PeerAbsent())
            process.look()
            return
        here, there = process.day.network.connect(process.host, listener.host)
        link = SimLink(process, here, is_newcomer=False)
        process.links[link] = None
        process.member.connect(link)
        if not listener.host.frozen:
            accept(listener, there)
        else:  # the system has accepted it; the process will find it
            listener.knocking.append(there)
        process.look()
