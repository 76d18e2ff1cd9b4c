"""Every option of ``[ha]``, changed on the living pair; and how soon a dead peer is found."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import attrs
import pytest
import trio
from pair_site import BACKUP, FAVOURITES, PRIMARY, SOON, Site
from test_pair_values import many

from statserver_trio.config.load import load
from statserver_trio.config.mistakes import ConfigError
from statserver_trio.config.schema import Ha
from statserver_trio.config.structure import dashes
from statserver_trio.ha.messages import Chunk, Config, JournalRequest, Poll
from statserver_trio.server.reload import KEYS_AFTER_RESTART

Build = Callable[..., Site]
LOST = "the link to the peer is lost"

# option: default, the least and the most that is allowed, what is just not allowed any more
LIMITS = {
    "addp-timeout": (10.0, 1, 3600, 0.9, 3601),
    "addp-remote-timeout": (10.0, 1, 3600, 0, 3600.5),
    "chunk-size": (5000, 1, 100_000, 0, 100_001),
    "chunk-timeout": (0.1, 0, 3600, -0.1, 3601),
    "connect-timeout": (10.0, 0.1, 3600, 0.05, 3601),
    "session-expiration-timeout": (600.0, 1, 86_400, 0.5, 86_401),
    "session-expiration-period": (60.0, 1, 3600, 0.5, 3601),
    "journal-events": (200_000, 0, 100_000_000, -1, 100_000_001),
    "journal-seconds": (600.0, 0, 86_400, -1, 86_401),
    "gap-timeout": (5.0, 0, 3600, -1, 3601),
    "join-timeout": (30.0, 0, 3600, -1, 3601),
}
TRACES = {"local": "local", "remote": "remote", "both": "both", "off": "off", "full": "both"}


@pytest.mark.parametrize("option", LIMITS)
async def test_what_an_option_may_be(build: Build, option: str) -> None:
    default, least, most, less, more = LIMITS[option]
    site = build()
    name = option.replace("-", "_")
    assert getattr(load(site.backup.path).ha, name) == default
    text = site.backup.text
    for value in (least, most):
        site.backup.text = text.replace("[ha]\n", f"[ha]\n{option} = {value}\n")
        assert getattr(load(site.backup.path).ha, name) == value
    for value in (less, more, "true", "'ten'", "nan"):
        site.backup.text = text.replace("[ha]\n", f"[ha]\n{option} = {value}\n")
        with pytest.raises(ConfigError) as caught:
            load(site.backup.path)
        assert f"[ha] {option}: must be a" in str(caught.value.mistakes[0])


async def test_every_option_is_in_some_test_here() -> None:
    here = {*LIMITS, "addp-trace"}
    restart = {key for section, key in KEYS_AFTER_RESTART if section == "ha"}
    assert {dashes(each.name) for each in attrs.fields(Ha)} == here | restart


# -- changed on the living pair ------------------------------------------------------------------


async def test_addp_timeouts_of_the_backup_count_at_once_and_on_both_sides(build: Build) -> None:
    site = await build().up(*FAVOURITES)
    await site.backup.reload("[ha]\n", "[ha]\naddp-timeout = 2\naddp-remote-timeout = 3\n")
    await trio.sleep(SOON)
    assert site.messages(Config) == [Config(3000, True)]
    site.said.clear()
    await trio.sleep(60)
    polls = {m: site.messages(Poll, m_) for m, m_ in zip("pb", site.both, strict=True)}
    assert len(polls["b"]) == pytest.approx(60 / 2, abs=3)
    site.partition()
    start = trio.current_time()
    await trio.sleep(7)
    (backup,), (primary,) = (m.logged_at(LOST) for m in reversed(site.both))
    assert 2 <= backup - start <= 4.2
    assert 3 <= primary - start <= 6.2


async def test_addp_timeouts_of_the_primary_have_no_effect(build: Build) -> None:
    site = await build().up(*FAVOURITES)
    await site.primary.reload("[ha]\n", "[ha]\naddp-timeout = 1\naddp-remote-timeout = 1\n")
    site.said.clear()
    await trio.sleep(60)
    assert len(site.messages(Poll)) <= 2 * 60 / 10


@pytest.mark.parametrize("trace", TRACES)
async def test_addp_trace_says_where_it_is_logged(build: Build, trace: str) -> None:
    site = await build(ha="addp-trace = 'off'").up(*FAVOURITES)
    await trio.sleep(30)
    assert not any(member.log("ADDP") for member in site.both)
    assert site.backup["addp.pollsSent"] > 0  # the trace is off, and not ADDP
    await site.backup.reload("addp-trace = 'off'", f"addp-trace = '{trace}'")
    await trio.sleep(SOON)
    site.begin()
    await trio.sleep(30)
    logged = [bool(member.log("ADDP")) for member in reversed(site.both)]
    assert logged == [TRACES[trace] in ("local", "both"), TRACES[trace] in ("remote", "both")]


async def test_chunk_size_and_chunk_timeout(build: Build) -> None:
    site = await build(ha="chunk-size = 100\nchunk-timeout = 3600").up()
    site.opens(site.primary, *many(30))
    await trio.sleep(SOON)
    site.opens(site.primary, *many(60))
    await trio.sleep(10)
    assert len(site.messages(Chunk)) == 1
    await site.primary.reload(
        "chunk-size = 100\nchunk-timeout = 3600", "chunk-size = 10\nchunk-timeout = 0.5"
    )
    await trio.sleep(10)
    assert [len(chunk.items) for chunk in site.messages(Chunk)] == [30, 10, 10, 10]
    gaps = [b - a for a, b in itertools.pairwise(site.at(Chunk)[1:])]
    assert gaps == pytest.approx([0.5, 0.5])


async def test_connect_timeout(build: Build) -> None:
    site = await build(ha="connect-timeout = 3600").up(*FAVOURITES)
    site.partition()
    site.cut()
    await trio.sleep(100)
    assert not site.network.dialled
    await site.backup.reload("connect-timeout = 3600", "connect-timeout = 5")
    await trio.sleep(0.1)
    assert len(site.network.dialled) == 1  # that time is over already
    await trio.sleep(50)
    assert 10 <= len(site.network.dialled) <= 12


async def test_session_expiration_timeout_and_period(build: Build) -> None:
    site = await build(ha="session-expiration-period = 3600\nconnect-timeout = 1").up(*FAVOURITES)
    async with site.apart():
        await trio.sleep(100)
        assert site.backup.phase == "LOST"
        await site.backup.reload(
            "session-expiration-period = 3600",
            "session-expiration-timeout = 60\nsession-expiration-period = 7",
        )
        await trio.sleep(7.1)
        assert [m.phase for m in site.both] == ["LOST", "EXPIRED"]
    await site.quiet()
    assert site.backup["session.new"] == 2


async def test_journal_events_and_gap_timeout(build: Build) -> None:
    """What the journal does not hold any more cannot be filled; so one joins instead."""
    site = await build().up(*FAVOURITES)
    for member in site.both:
        await member.reload("[ha]\n", "[ha]\njournal-events = 5\ngap-timeout = 2\n")
    site.deafen(site.backup)
    await site.switch.day(20)
    site.switch.forget()
    await site.quiet()
    asked = site.messages(JournalRequest, site.backup)
    assert len(asked) == 1
    assert site.backup["sources"][0]["gaps"]["repaired"] == 0
    assert site.backup.log("joined: the picture of sw1 is the peer's")


async def test_journal_seconds(build: Build) -> None:
    site = await build().up(*FAVOURITES)
    site.deafen(site.backup)
    await site.switch.day(30)
    await site.primary.reload("[ha]\n", "[ha]\njournal-seconds = 10\n")
    site.switch.forget()
    await site.quiet()
    assert site.backup["sources"][0]["gaps"]["repaired"] == 0


async def test_gap_timeout_while_nobody_can_fill_it(build: Build) -> None:
    site = await build().up(*FAVOURITES)
    site.partition()
    site.cut()
    site.network.partition(BACKUP, site.switch.host)
    site.network.cut(BACKUP, site.switch.host)
    await site.switch.day(5)
    site.switch.forget()
    await site.backup.reload("[ha]\n", "[ha]\ngap-timeout = 30\n")
    site.network._severed -= {(BACKUP, site.switch.host), (site.switch.host, BACKUP)}
    await trio.sleep(29)
    assert site.backup["sources"][0]["gaps"] == {"repaired": 0, "left": 0, "open": 1}
    await trio.sleep(15)  # the feed may have been back a little later
    assert site.backup["sources"][0]["gaps"] == {"repaired": 0, "left": 1, "open": 0}
    assert site.backup.errors() == ["sw1: the events 1 to 5 are lost to us"]
    await site.quiet(90)


async def test_join_timeout(build: Build) -> None:
    site = build(ha="join-timeout = 3600")
    await site.run_network()
    await site.primary.start()
    await trio.sleep(100)
    assert site.primary["notReady"]
    await site.primary.reload("join-timeout = 3600", "join-timeout = 101")
    await trio.sleep(1.1)
    assert not site.primary["notReady"]


@pytest.mark.parametrize("member", ["primary", "backup"])
async def test_what_needs_a_restart_is_said(build: Build, member: str) -> None:
    site = await build().up(*FAVOURITES)
    changes = await getattr(site, member).reload("[ha]\n", "[ha]\ntls-target-name-check = true\n")
    assert changes.after_restart == ["[ha] tls-target-name-check takes effect after a restart"]
    assert not site.backup.log(LOST)


# -- detection (acceptance properties, 5) ----------------------------------------------------------


@pytest.mark.parametrize("silence", [1, 4, 10, 60])
@pytest.mark.parametrize("share", [0.0, 0.2, 0.45], ids=["near", "far", "very far"])
@pytest.mark.parametrize("moment", [0.0, 0.37, 0.99])
async def test_a_dead_peer_is_found_between_one_and_two_timeouts(
    build: Build, silence: float, share: float, moment: float
) -> None:
    """Whatever the round trip is, as long as it is less than half a timeout."""
    round_trip = share * silence
    site = await build(ha=f"addp-timeout = {silence}\naddp-remote-timeout = {silence}").up()
    site.network.distance(PRIMARY, BACKUP, round_trip)
    await trio.sleep(5 * silence + moment * silence)
    assert not any(member.log(LOST) for member in site.both)
    site.partition()
    start = trio.current_time()
    await trio.sleep(2 * silence + 0.2)
    for member in site.both:
        (when,) = member.logged_at(LOST)
        # The last byte may have left one way earlier.
        assert silence - round_trip <= when - start <= 2 * silence + 0.2


@pytest.mark.parametrize(("round_trip", "rate"), [(0.002, 1e9), (0.9, 1e9), (0.2, 60_000)])
async def test_no_false_loss_under_a_full_load_of_chunks(
    build: Build, round_trip: float, rate: float
) -> None:
    ha = "addp-timeout = 2\naddp-remote-timeout = 2\nchunk-timeout = 0\nchunk-size = 100"
    site = await build(ha=ha).up()
    site.network.distance(PRIMARY, BACKUP, round_trip)
    site.network.thin(PRIMARY, BACKUP, rate)
    statistics = many(400)
    site.opens(site.primary, *statistics[:200])
    site.opens(site.backup, *statistics[200:])
    await site.switch.day(40)
    assert [m.phase for m in site.both] == ["SYNCED", "SYNCED"]
    assert [m["addp.lost"] for m in site.both] == [0, 0]
    assert [m["session.lost"] for m in site.both] == [0, 0]
    assert len(site.backup.open_statistics()) == 400
    site.agree()


# -- restore economy (2) ---------------------------------------------------------------------------


@pytest.mark.parametrize("outage", [1, 30, 500])
@pytest.mark.parametrize(("here", "there"), [(0, 0), (1, 0), (3, 5)])
async def test_a_restore_sends_what_was_opened_in_the_outage_and_nothing_else(
    build: Build, outage: float, here: int, there: int
) -> None:
    site = await build(ha="connect-timeout = 1\naddp-timeout = 60").up(*FAVOURITES)
    before = site.sent()
    news = many(60)[50 : 50 + here + there]
    async with site.apart():
        site.opens(site.primary, *news[:here])
        site.opens(site.backup, *news[here:])
        await site.switch.day(20, between=outage / 20)
    await site.quiet()
    assert site.sent() == (before[0] + here, before[1] + there)
