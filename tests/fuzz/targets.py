"""Targets: what takes input in, and which errors it may raise (all others are bugs)."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from attrs import define, field

from statserver_trio.api.codec import decode_events
from statserver_trio.api.open_spec import parse_open
from statserver_trio.asterisk.replay import ami_events, queue_log_events
from statserver_trio.config.load import load
from statserver_trio.config.mistakes import ConfigError
from statserver_trio.config.site import Site, make_site
from statserver_trio.expressions.capacities import parse_capacity
from statserver_trio.expressions.formulas import parse_formula
from statserver_trio.expressions.memberships import parse_membership
from statserver_trio.expressions.reading import ExpressionError
from statserver_trio.ha import messages as ha
from statserver_trio.ha.codec import Decoder as HaDecoder
from statserver_trio.ha.codec import ProtocolError
from statserver_trio.ha.codec import encode as ha_encode
from statserver_trio.ha.messages import Item, Kind
from statserver_trio.ha.store import InstallItems
from statserver_trio.server.backup import form
from statserver_trio.server.clock import Clock
from statserver_trio.server.frame_guard import FrameMeter
from statserver_trio.server.ha.pair_store import PairStore
from statserver_trio.server.ha.pictures import BrokenPicture
from statserver_trio.server.hub import Hub
from statserver_trio.simulator.contact_centre import START, ContactCentre
from statserver_trio.stats.definitions.filters import parse_filter
from statserver_trio.stats.definitions.masks import parse_mask
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.requests import StatisticRequest
from statserver_trio.stats.transfer import export_statistic
from statserver_trio.tlib.codec import Decoder
from statserver_trio.tlib.events import TEvent

from . import samples as of
from .mutation import mutated
from .websocket import DECLARED, Connection, another_stream, streams

FRESH_AFTER = 500  # executions that share an engine
NOW = int(START * 1000)
OPENED = (
    ("Queue", "8001@sw1", "Total_Calls_Entered"),
    ("Queue", "8001@sw1", "CurrNumberWaitingCalls"),
    ("Agent", "a1", "Total_Login_Time"),
    ("Agent", "a1", "CurrentAgentState"),
    ("GroupAgents", "Sales", "Longest_Call"),
    ("Place", "P1", "Total_Talk_Time"),
)


@define
class Target:
    """One way in.

    Attributes:
        take: Takes an input in.
        declared: The errors that it may raise.
        make: Makes an input, where it takes more than a mutation of bytes.
    """

    take: Callable[[bytes], object]
    samples: Callable[[], Sequence[bytes]]
    declared: tuple[type[Exception], ...] = ()
    make: Callable[[Random], bytes] | None = None
    _words: list[bytes] = field(factory=list, init=False)

    def input(self, rng: Random) -> bytes:
        """One to try."""
        if self.make is not None:
            return self.make(rng)
        found = self.samples()
        if not self._words:
            self._words = of.words_of(list(found)) or [b"a"]
        return mutated(rng, found, self._words)


def text(take: Callable[[str], object]) -> Callable[[bytes], object]:
    """For what takes text: any bytes are some."""
    return lambda data: take(data.decode("utf-8", "replace"))


# -- a server without its tasks -----------------------------------------------------------------


@cache
def site() -> Site:
    """The ready-made configuration."""
    return make_site(load(of.ROOT / "conf" / "standalone.toml"))


def an_engine() -> Engine:
    """With a past, and a few statistics open."""
    here = site()
    engine = Engine(here.definitions, here.directory, here.world_options, here.resolution)
    engine.add_source("ts1", "sw1")
    engine.apply("ts1", ContactCentre(Random(1), START, agents=4, queues=2).take(100), NOW)
    for what in OPENED:
        engine.open(StatisticRequest(*what), NOW)
    return engine


class Shared:
    """An engine, and what stands on it, that is made anew from time to time."""

    def __init__(self) -> None:
        self._left = 0

    def fresh(self) -> bool:
        """Count an execution; whether everything is to be made anew."""
        self._left -= 1
        if self._left > 0:
            return False
        self._left = FRESH_AFTER
        return True


class Feed(Shared):
    """The T-Server's lines, down to the values."""

    def __call__(self, data: bytes) -> None:
        if self.fresh():
            self.engine = an_engine()
        decoder = Decoder()
        half = len(data) // 2
        messages = [*decoder.feed(data[:half]), *decoder.feed(data[half:]), *decoder.end()]
        self.engine.apply("ts1", messages, NOW + 1000)
        for statistic in self.engine.statistics.values():
            self.engine.value(statistic, NOW + 2000)


class ClientMessages(Shared):
    """What a client sends, down to the answers."""

    def __call__(self, data: str | bytes) -> None:
        if self.fresh():
            self.hub = Hub(an_engine(), Clock(START, monotonic=lambda: 0.0))
            self.client = self.hub.join(lambda: None, lambda reason: None)
        self.hub.receive(self.client, data)
        while taken := self.client.outbox.take():
            decode_events(taken)


class WebSocketClients(ClientMessages):
    """The same, from the first byte of a connection."""

    def __call__(self, data: bytes) -> None:
        Connection(super().__call__).feed(data)


class HaItems(Shared):
    """What the other member pushes, down to the statistics."""

    def __call__(self, data: bytes) -> None:
        if self.fresh():
            engine = an_engine()
            self.store = PairStore(engine, an_engine, lambda: NOW, lambda *_: None)
            self.items = items(self.store)
        name = data[:1]
        item = self.items[name[0] % len(self.items)] if name else self.items[0]
        item = msgspec.structs.replace(item, payload=data[1:], kind=Kind.OPEN)
        item = msgspec.structs.replace(item, coverage={"ts1": [(0, 10**9)]})
        self.store.begin_install(InstallItems(1, self.store.positions(), [item]))
        for _ in range(10):
            if self.store.go_on(100):
                break
        else:
            self.store.forget_waiting()
        for statistic in self.store.engine.statistics.values():
            self.store.engine.value(statistic, NOW + 2000)


class HaWorlds(Shared):
    """The other member's picture, and how it goes on from there."""

    def __call__(self, data: bytes) -> None:
        if self.fresh():
            self.store = PairStore(an_engine(), an_engine, lambda: NOW, lambda *_: None)
        store, engine = self.store, self.store.engine
        store.adopt_world({"ts1": 5}, data, {})
        engine.apply("ts1", afterwards(), NOW + 2000)
        for statistic in engine.statistics.values():
            engine.value(statistic, NOW + 20_000)
        store.world(["ts1"])


@cache
def afterwards() -> list[TEvent]:
    """What happens after :func:`worlds`."""
    return ContactCentre(Random(1), START, agents=4, queues=2).take(160)[100:]


@cache
def worlds() -> list[bytes]:
    """What it would tell itself, at several moments of a morning."""
    store = PairStore(an_engine(), an_engine, lambda: NOW, lambda *_: None)
    found = [store.world(["ts1"])]
    for at in range(0, 60, 10):
        store.engine.apply("ts1", afterwards()[at : at + 10], NOW + 1000 + at)
        found.append(store.world(["ts1"]))
    return found


def another_world(rng: Random) -> bytes:
    """One of them with a leaf or a branch that is another one."""
    if rng.random() < 0.1:
        return mutated(rng, worlds(), [b"\x00", b"\xc0", b"\x90", b"\x80"])
    data = msgspec.msgpack.decode(rng.choice(worlds()))
    for _ in range(rng.choice((1, 1, 2, 4))):
        _change(data, rng)
    return msgspec.msgpack.encode(data)


def items(store: PairStore) -> list[Item]:
    """What it would push itself."""
    keys = [store.opened(statistic) for statistic in store.engine.statistics.values()]
    return [item for key in keys if (item := store.cut(key)) is not None]


@cache
def payloads() -> list[bytes]:
    """Of statistics, each behind a byte that says which."""
    engine = an_engine()
    found = [s for s in engine.statistics.values() if s.counts]
    return [
        bytes([number]) + msgspec.msgpack.encode(export_statistic(statistic))
        for number, statistic in enumerate(found)
    ]


def another_payload(rng: Random) -> bytes:
    """Its structure kept, or not: a leaf or a branch is another one."""
    sample = rng.choice(payloads())
    if rng.random() < 0.3:
        return mutated(rng, payloads(), [b"\x00", b"\xc0", b"\x90", b"\x80"])
    data = msgspec.msgpack.decode(sample[1:])
    for _ in range(rng.choice((1, 1, 2, 4))):
        _change(data, rng)
    return sample[:1] + msgspec.msgpack.encode(data)


LEAVES: tuple[Any, ...] = (
    None, 0, -1, 1, 2**63 - 1, 1.5, "", "x", "ts1", "1" * 50, [], {}, [0], [[]], True, b"x",
    {"ts1": []}, [[0, [0, 0, 0, 0]]], [1, 2, 3, 4],
)  # fmt: skip


def _change(data: Any, rng: Random) -> None:
    while isinstance(data, dict | list) and data:
        key = rng.choice(list(data)) if isinstance(data, dict) else rng.randrange(len(data))
        inner = data[key]
        if isinstance(inner, dict | list) and inner and rng.random() < 0.8:
            data = inner
            continue
        if rng.random() < 0.2:
            del data[key]
        else:
            data[key] = deepcopy(rng.choice(LEAVES))
        return


# -- the other ways in --------------------------------------------------------------------------


@cache
def frames() -> list[bytes]:
    """Messages of the pair's link."""
    standing = {"ts1": ha.Standing("a", 1, 2.0)}
    some = items(PairStore(an_engine(), an_engine, lambda: NOW, lambda *_: None))[:2]
    messages = [
        ha.Config(5000), ha.ConfigAck(), ha.Poll(1), ha.Reply(1), ha.Bye("shutdown"),
        ha.Chunk("s", 1, {"ts1": 5}, 1.0, some), ha.JoinRequest(1, {"ts1": 5}, standing),
        ha.JoinState(1, {"ts1": 5}, b"blob", standing), ha.JournalRequest("ts1", 1, 5),
        ha.Journal("ts1", 1, 5, [(1, b"{}")], True), ha.Mode("primary", "f"),
        ha.Delete([("k", 0)]), ha.Want(["k"]), ha.Release(1, ["k"]),
    ]  # fmt: skip
    return [ha_encode(message) for message in messages]


def take_frames(data: bytes) -> None:
    """As they come, before and after the greeting."""
    for greeted in (False, True):
        decoder = HaDecoder()
        if greeted:
            decoder.greeted()
        list(decoder.feed(data))


def take_websocket(data: bytes) -> None:
    """Whatever arrives before the WebSocket library sees it."""
    meter = FrameMeter()
    for at in range(0, len(data), 7):
        meter.feed(data[at : at + 7])


def take_toml(data: bytes) -> None:
    """A configuration file."""
    path = Path(_folder().name) / "fuzz.toml"
    path.write_bytes(data)
    load(path)


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="statserver-fuzz-")


@cache
def backup_frames() -> list[bytes]:
    """What is between the beginning of a backup file and its end."""
    store = PairStore(an_engine(), an_engine, lambda: NOW, lambda *_: None)
    frames: list[form.Frame] = [
        form.Head("stat", "statserver-trio", NOW),
        form.Picture("ts1", NOW, msgspec.msgpack.encode(store.engine.sources["ts1"].export())),
        form.Slice(NOW, items(store)),
        form.Happened("ts1", NOW, of.feed_lines()[0]),
        form.End(NOW, 6, {"ts1": form.Ending(100, None)}),
    ]
    return [b"".join(map(form.encoded, frames)), *map(form.encoded, frames)]


def take_backup(frames_of: bytes) -> None:
    """A backup file that is sound, from its first byte to its last."""
    data = form.beginning() + frames_of + form.END_MARK
    data += hashlib.blake2b(data, digest_size=form.DIGEST_BYTES).digest()
    form.verify(io.BytesIO(data), len(data))
    list(form.frames(io.BytesIO(data)))


def _head(data: bytes) -> bytes:
    return b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" + data


TARGETS: dict[str, Target] = {
    "feed-lines": Target(Feed(), of.feed_lines),
    "client-json": Target(ClientMessages(), lambda: of.CLIENT_JSON),
    "websocket-bytes": Target(
        take_websocket,
        lambda: [
            _head(b"\x81\x85abcdefghi"),
            _head(b"\x01\xfe\x01\x00abcd"),
            _head(b"\x89\x80abcd"),
        ],
    ),
    "websocket": Target(WebSocketClients(), streams, DECLARED, another_stream),
    "ha-frames": Target(take_frames, frames, (ProtocolError,)),
    "ha-items": Target(HaItems(), payloads, make=another_payload),
    "ha-worlds": Target(HaWorlds(), worlds, (BrokenPicture,), another_world),
    "toml": Target(take_toml, of.tomls, (ConfigError,)),
    "filters": Target(text(lambda t: parse_filter("f", t)), lambda: of.FILTERS, (ExpressionError,)),
    "formulas": Target(
        text(lambda t: parse_formula(t, lambda m: parse_mask(m, in_formula=True))),
        lambda: of.FORMULAS,
        (ExpressionError,),
    ),
    "capacities": Target(text(parse_capacity), lambda: of.CAPACITIES, (ExpressionError,)),
    "memberships": Target(text(parse_membership), lambda: of.MEMBERSHIPS, (ExpressionError,)),
    "masks": Target(text(parse_mask), lambda: of.MASKS, (ValueError,)),
    "openings": Target(text(parse_open), lambda: of.OPENINGS, (ValueError,)),
    "ami": Target(lambda data: ami_events([data], "sw1"), lambda: of.AMI),
    "queue-log": Target(
        text(lambda t: queue_log_events(t.splitlines(), "sw1")), lambda: of.QUEUE_LOG
    ),
    "backup-file": Target(take_backup, backup_frames, (form.Refused,)),
}
