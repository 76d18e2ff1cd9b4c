"""The simulated network: bytes come in order, each once, and no later than they would have."""

from __future__ import annotations

from math import inf
from random import Random

import pytest
from attrs import define, field

from .agenda import TICK, Agenda
from .network import End, Host, Network


@define
class Listener:
    """Remembers what arrived, and when."""

    agenda: Agenda
    came: list[tuple[float, bytes]] = field(factory=list)

    def data(self, data: bytes) -> None:
        self.came.append((self.agenda.now, data))

    def ended(self, why: str) -> None:
        raise AssertionError(why)

    def room(self) -> None:
        """Nobody waits."""

    @property
    def text(self) -> bytes:
        return b"".join(data for _, data in self.came)


def connected(seed: int = 0) -> tuple[Network, End, Listener]:
    network = Network(Agenda(), Random(seed))
    sender, receiver = network.connect(Host("A"), Host("B"))
    receiver.reader = listener = Listener(network.agenda)
    return network, sender, listener


def test_a_queue_leaves_a_thin_path_when_it_is_wide_again() -> None:
    network, sender, listener = connected()
    path = sender.out.path
    path.rate = 10.0
    for text in (b"a" * 10, b"b" * 10, b"c" * 100):
        sender.send(text)
    network.agenda.run(1.5)
    assert listener.text == b"a" * 10
    path.rate = inf
    network.quicken()
    sender.send(b"d")
    network.agenda.run(1.5 + 3 * TICK)
    assert listener.text == b"a" * 10 + b"b" * 10 + b"c" * 100 + b"d"
    network.agenda.run(60.0)
    assert len(listener.text) == 121, "nothing comes twice"


@pytest.mark.parametrize("seed", range(50))
def test_in_order_once_and_never_later(seed: int) -> None:
    """The same bytes on two networks, of which one is quickened whenever its path changes."""
    plain, quick = connected(seed), connected(seed)
    rng = Random(seed)
    sent = 0
    for _ in range(30):
        if rng.random() < 0.4:
            rate, delay = rng.choice((5.0, 100.0, inf)), rng.choice((TICK, 0.5, 2.0))
            for _, sender, _ in (plain, quick):
                sender.out.path.rate, sender.out.path.delay = rate, (delay, delay)
            quick[0].quicken()
        for _ in range(rng.randrange(3)):
            for _, sender, _ in (plain, quick):
                sender.send(bytes([sent]) * 7)
            sent += 1
        until = plain[0].agenda.now + rng.uniform(0.1, 1.0)
        for network, _, _ in (plain, quick):
            network.agenda.run(until)
    for network, _, _ in (plain, quick):
        network.agenda.run(network.agenda.now + 600)
    assert quick[2].text == plain[2].text == b"".join(bytes([n]) * 7 for n in range(sent))
    for (at, _), (then, _) in zip(quick[2].came, plain[2].came, strict=True):
        assert at <= then
