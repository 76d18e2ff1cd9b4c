"""Scenarios 15, 20, 30 and 34: who knocks at the primary's port and is not the backup."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
import trio
from pair_network import End
from pair_site import BACKUP, EPOCH, FAVOURITES, HA, PRIMARY, SOON, Server, Site

from statserver_trio.ha.codec import Decoder, encode
from statserver_trio.ha.messages import (
    HOT_STANDBY,
    Chunk,
    Hello,
    JoinState,
    Memory,
    Message,
    Reject,
    Standing,
    Welcome,
)
from statserver_trio.ha.session import GREETING_TIMEOUT
from statserver_trio.server.ha.accepting import LOBBY_MAX

Build = Callable[..., Site]
LOST = "the link to the peer is lost"
REFUSED = "no pair, refused by us"


def hello(**changes: Any) -> Hello:
    """The greeting of a backup, or of somebody who is not quite it."""
    right = {
        "major": 1, "minor": 0, "product": "another one", "application": BACKUP,
        "other": PRIMARY, "redundancy": HOT_STANDBY, "boot_id": "another boot",
        "fingerprint": "", "wall": EPOCH, "mode": "backup", "joining": False,
        "standings": {}, "clients": "",
    }  # fmt: skip
    return Hello(**{**right, **changes})


class Stranger:
    """Somebody at the primary's port, by hand."""

    def __init__(self, stream: End) -> None:
        self.stream = stream
        self._decoder = Decoder()
        self._decoder.greeted()

    async def say(self, *messages: Message) -> None:
        await self.stream.send_all(b"".join(map(encode, messages)))

    async def hears(self, seconds: float = 60.0) -> list[object]:
        """Everything until the connection is closed, or that time has passed."""
        heard: list[object] = []
        with trio.move_on_after(seconds):
            try:
                while data := await self.stream.receive_some():
                    heard += self._decoder.feed(data)
            except trio.BrokenResourceError:
                pass
            heard.append("closed")
        return heard


@asynccontextmanager
async def stranger(site: Site) -> AsyncIterator[Stranger]:
    async with await site.network.connect("elsewhere", PRIMARY, HA) as stream:
        yield Stranger(stream)


async def undisturbed(site: Site) -> None:
    """The pair has not noticed anything."""
    await site.switch.day(20)
    for member in site.both:
        assert not member.log(LOST)
        assert not member.errors()
        assert (member["session.new"], member["session.restored"]) == (1, 0)
    site.agree()


# -- 15: not our pair ------------------------------------------------------------------------------

WRONG = [
    ("backup", f'name = "{BACKUP}"', 'name = "stat-other"', "not-my-peer"),
    ("backup", f'peer = "{PRIMARY}"', 'peer = "stat-other"', "not-your-peer"),
    ("primary", f'peer = "{BACKUP}"', 'peer = "stat-other"', "not-my-peer"),
    ("backup", '"hot-standby"', '"not-specified"', "redundancy-type"),
    ("primary", '"hot-standby"', '"not-specified"', "redundancy-type"),
]


@pytest.mark.parametrize(("who", "right", "wrong", "code"), WRONG)
async def test_scenario_15_a_wrong_pair_is_refused_and_may_try_again(
    build: Build, who: str, right: str, wrong: str, code: str
) -> None:
    site = build(ha="join-timeout = 1")
    wronged: Server = getattr(site, who)
    wronged.edit(right, wrong)
    await site.run_network()
    for server in (site.oracle, *site.both):
        await server.start()
    await trio.sleep(2)
    site.opens(site.primary, *FAVOURITES)
    await trio.sleep(60)
    rejects = site.messages(Reject)
    assert {reject.code for reject in rejects} == {code}
    assert 5 <= len(rejects) <= 7  # one per connect-timeout
    assert not site.messages(Chunk)
    assert not site.messages(Welcome)
    assert site.primary["session.refused"] == len(rejects)
    assert len(site.primary.log(f"{REFUSED} {code}", "WARNING")) == 1
    assert len(site.backup.log(f"no pair, refused by the peer {code}", "WARNING")) == 1
    assert site.backup.open_statistics() == {}
    await wronged.stop()
    wronged.edit(wrong, right)
    await wronged.start()
    site.opens(site.primary, *FAVOURITES)
    await site.quiet()


async def test_scenario_15_talking_to_oneself_is_noticed(build: Build) -> None:
    site = await build().up(*FAVOURITES)
    async with stranger(site) as somebody:
        await somebody.say(hello(boot_id=site.primary.peer.boot_id))
        rejected, closed = await somebody.hears()
    assert (rejected.code, closed) == ("self", "closed")
    await undisturbed(site)


# -- 20: other versions ----------------------------------------------------------------------------


async def test_scenario_20_another_major_version_is_refused(build: Build) -> None:
    site = await build().up(*FAVOURITES)
    async with stranger(site) as somebody:
        await somebody.say(hello(major=2))
        rejected, closed = await somebody.hears()
    assert (rejected.code, closed) == ("version", "closed")
    assert site.primary.log("protocol version 2.0, and we speak 1")
    await undisturbed(site)


@pytest.mark.parametrize("news", ["?weather", "weather"])
async def test_scenario_20_a_newer_minor_version_is_spoken_with(build: Build, news: str) -> None:
    """What it adds at the end of a message is passed over, and so is what it marks optional."""
    site = build()
    await site.run_network()
    for server in (site.oracle, site.primary):
        await server.start()
    async with stranger(site) as somebody:
        fields = msgspec.to_builtins(hello(minor=7))
        body = msgspec.msgpack.encode([*fields, None, "a field of version 1.7"])
        await somebody.stream.send_all(len(body).to_bytes(4, "big") + body)
        welcome = (await somebody.hears(1))[0]
        assert isinstance(welcome, Welcome)
        assert site.primary.peer.session.minor == 0
        body = msgspec.msgpack.encode([news, 42])
        await somebody.stream.send_all(len(body).to_bytes(4, "big") + body)
        heard = await somebody.hears(1)
    ignored = site.primary.log("the peer sent ?weather, which is newer than we are", "WARNING")
    if news.startswith("?"):
        assert "closed" not in heard
        assert len(ignored) == 1
    else:
        assert heard[-1] == "closed"
        assert site.primary["session.malformed"] == 1


# -- 11: nonsense from the peer itself -------------------------------------------------------------

PICTURE = {"switch": "sw1", "position": 5, "last_event": None, "last_gap": None, "world": None}
BROKEN_PICTURES = {
    "nothing": b"",
    "no map": msgspec.msgpack.encode([1, 2]),
    "of nobody": msgspec.msgpack.encode({}),
    "cut off": msgspec.msgpack.encode({"sw1": PICTURE})[:-1],
    "of another switch": msgspec.msgpack.encode({"sw1": {**PICTURE, "switch": "sw7"}}),
    "half a world": msgspec.msgpack.encode({"sw1": {**PICTURE, "world": {"now": 1}}}),
    "a time that is none": msgspec.msgpack.encode({"sw1": {**PICTURE, "last_event": "noon"}}),
}


@pytest.mark.parametrize("picture", BROKEN_PICTURES)
async def test_scenario_11_a_picture_that_makes_no_sense_ends_the_connection_and_nothing_else(
    build: Build, picture: str
) -> None:
    site = build()
    await site.run_network()
    for server in (site.oracle, site.primary):
        await server.start()
    better = {"sw1": Standing("another one", 1, 0.0)}
    await trio.sleep(SOON)
    async with stranger(site) as somebody:
        await somebody.say(
            hello(joining=False, standings=better),
            JoinState(1, {"sw1": 5}, BROKEN_PICTURES[picture], better),
        )
        assert (await somebody.hears(5))[-1] == "closed"
    (lost,) = site.primary.log(LOST)
    assert lost.startswith(f"{LOST}: protocol-error: a picture that makes no sense")
    assert site.primary["session.malformed"] == 1
    await site.backup.start()
    site.opens(site.primary, *FAVOURITES)
    await site.quiet()


# -- 30: another process of the same name ----------------------------------------------------------


async def test_scenario_30_a_duplicate_is_refused_while_the_first_one_lives(build: Build) -> None:
    site = await build().up(*FAVOURITES)
    start = trio.current_time()
    async with stranger(site) as somebody:
        await somebody.say(hello())
        rejected, closed = await somebody.hears()
    assert (rejected.code, closed) == ("duplicate", "closed")
    assert trio.current_time() - start <= 2
    assert site.primary["addp.pollsSent"] >= 1  # that is how it knows
    await undisturbed(site)


async def test_scenario_30_a_dead_one_is_superseded_after_two_seconds(build: Build) -> None:
    site = await build().up(*FAVOURITES)
    site.network.forget(PRIMARY, BACKUP)
    start = trio.current_time()
    async with stranger(site) as somebody:
        await somebody.say(hello())
        welcome = (await somebody.hears(2.1))[0]
        assert isinstance(welcome, Welcome)
        assert not welcome.restored
        (superseded,) = site.primary.logged_at(f"{LOST}: superseded")
        assert superseded - start == pytest.approx(2, abs=0.1)


async def test_scenario_30_who_knows_the_session_and_was_not_in_it_gets_a_new_one(
    build: Build,
) -> None:
    site = await build().up(*FAVOURITES)
    peer = site.primary.peer
    memory = Memory(peer.session.id, peer.boot_id, peer.progress.acknowledged, 0)
    await site.backup.kill()
    async with stranger(site) as somebody:
        await somebody.say(hello(memory=memory))
        welcome = (await somebody.hears(1))[0]
    assert isinstance(welcome, Welcome)
    assert (welcome.restored, welcome.session == memory.id) == (False, False)


async def test_scenario_30_a_whole_second_backup_is_refused_for_as_long_as_it_runs(
    build: Build,
) -> None:
    site = await build(ha="join-timeout = 1").up(*FAVOURITES)
    double = Server(site, "elsewhere", site.backup.text)
    await double.start()
    await site.switch.day(40)
    assert double["session.new"] == 0
    assert len(double.log("refused by the peer duplicate")) == 1
    assert 3 <= site.primary["session.refused"] <= 5
    await undisturbed(site)
    await site.backup.kill()
    await trio.sleep(11 + SOON)
    assert double.phase == "SYNCED"  # the name is free
    assert len(double.open_statistics()) == len(FAVOURITES)


# -- 34: garbage -----------------------------------------------------------------------------------

GARBAGE = {
    "bytes": bytes(range(256)),
    "http": b"GET / HTTP/1.1\r\nHost: here\r\n\r\n",
    "tls": bytes.fromhex("16030100c8010000c40303") + bytes(200),
    "a huge frame": (2**31).to_bytes(4, "big") + bytes(1000),
    "a frame over 64 KiB": (70_000).to_bytes(4, "big") + bytes(70_000),
    "msgpack of something else": b"\x00\x00\x00\x03\x93\x01\x02",
    "deep nesting": b"\x00\x00\xc0\x00" + b"\x91" * 0xC000,
    "a message too early": encode(Chunk("s", 1, {}, 0.0, [])),
    "a welcome": encode(Welcome(**{f: getattr(hello(), f) for f in hello().__struct_fields__
                                   if f != "memory"}, session="s", restored=True, received=0,
                                hello_wall=0.0)),
}  # fmt: skip


@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE)
async def test_scenario_34_garbage_is_hung_up_on_and_a_good_peer_is_not_disturbed(
    build: Build, data: bytes
) -> None:
    site = await build().up(*FAVOURITES)
    start = trio.current_time()
    async with stranger(site) as somebody:
        await somebody.stream.send_all(data)
        heard = await somebody.hears()
    assert heard == ["closed"]
    assert trio.current_time() - start <= GREETING_TIMEOUT + 0.1
    assert site.primary["session.strangers"] == 1
    await undisturbed(site)


async def test_scenario_34_who_says_nothing_or_is_slow_has_five_seconds(build: Build) -> None:
    site = await build().up(*FAVOURITES)
    start = trio.current_time()
    greeting = encode(hello())
    async with stranger(site) as silent, stranger(site) as slow:
        for byte in greeting:
            try:
                await slow.stream.send_all(bytes([byte]))
            except trio.BrokenResourceError:
                break
            await trio.sleep(0.1)
        assert trio.current_time() - start == pytest.approx(GREETING_TIMEOUT, abs=0.2)
        assert await silent.hears() == ["closed"]
    assert len(site.primary.log("the greeting failed: no answer in time", "WARNING")) == 1
    await undisturbed(site)


async def test_scenario_34_a_crowd_in_the_lobby_does_not_keep_the_backup_out(build: Build) -> None:
    site = await build(ha="connect-timeout = 2").up(*FAVOURITES)
    site.begin()
    streams = [await site.network.connect("elsewhere", PRIMARY, HA) for _ in range(3 * LOBBY_MAX)]
    await trio.sleep(0.1)
    assert site.primary.parts.pair._acceptor._waiting == LOBBY_MAX
    site.cut()
    await trio.sleep(GREETING_TIMEOUT + 2.2 + SOON)
    assert [m.phase for m in site.both] == ["SYNCED", "SYNCED"]
    assert site.primary["session.strangers"] >= LOBBY_MAX
    for stream in streams:
        await stream.aclose()
    await site.quiet()


async def test_scenario_34_garbage_on_the_link_itself_costs_the_link_only(build: Build) -> None:
    site = await build(ha="connect-timeout = 2").up(*FAVOURITES)
    await site.backup.member.link.stream.send_all(b"\x00\x00\x00\x05\xff\xff\xff\xff\xff")
    await trio.sleep(0.1)
    assert site.primary.log(LOST)[0].startswith(f"{LOST}: protocol-error")
    assert site.primary["session.malformed"] == 1
    await site.quiet()
    assert site.primary["session.restored"] == 1
