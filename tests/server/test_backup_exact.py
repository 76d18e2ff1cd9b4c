"""What was restored from a backup file goes on as if the server had never been away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from attrs import evolve
from backups import SITE, START, Beating, an_engine, read, some_requests, values, write

from statserver_trio.server.backup import cutting
from statserver_trio.server.backup.cutting import Disturbed
from statserver_trio.server.backup.files import Writer
from statserver_trio.server.backup.form import Head
from statserver_trio.simulator.contact_centre import ContactCentre
from statserver_trio.stats.definitions.stat_types import parse_stat_type
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.statistic import Key
from statserver_trio.stats.transfer import request_of
from statserver_trio.tlib.events import EventServerConnected, EventServerDisconnected


@pytest.mark.parametrize("seed", range(6))
def test_a_file_that_was_cut_while_events_went_on(tmp_path: Path, seed: int) -> None:
    rng = Random(seed)
    resolution = rng.choice(["second", "millisecond"])
    events = ContactCentre(Random(seed), START, agents=6, queues=2, speed=3).take(2600)
    first = Beating(an_engine(resolution), int(START * 1000))
    requests = some_requests(rng)
    opened_at = sorted(rng.randrange(1200) for _ in requests)
    writer = Writer(tmp_path / "x.stat.bak")
    writer.begin(Head("app", "test", first.now))
    upcoming = iter(events)
    for number in range(1200):
        first.apply(next(upcoming))
        while opened_at and opened_at[0] <= number:
            first.engine.open(requests[len(opened_at) - 1], first.now)
            del opened_at[0]
    pieces = 0
    for piece in first.begin(seconds=0).pieces():  # one statistic at a time
        writer.put(piece)
        pieces += 1
        for _ in range(rng.randrange(6)):
            first.apply(next(upcoming))
    assert first.cut is not None
    assert pieces == first.cut.statistics + 2
    first.cut = None
    writer.finish()

    second = Beating(an_engine(resolution), 0)
    play = read(tmp_path / "x.stat.bak", second.engine)
    assert (play.dropped, play.lost_sources) == ({}, {})
    assert second.engine.statistics.keys() == first.engine.statistics.keys()
    after = play.sources["ts1"].position
    assert after == second.engine.sources["ts1"].position
    assert after is not None
    second.engine.sources["ts1"].lost_at = play.moment
    stands = first.engine.sources["ts1"].position
    assert stands is not None
    for event in events:  # what the feed has kept for us
        assert event.position is not None
        if after < event.position <= stands:
            second.apply(event)
    for number, event in enumerate(upcoming):
        first.apply(event)
        second.apply(event)
        if number % 200 == 0:
            assert values(first.engine, first.now) == values(second.engine, second.now)
    end = first.now + 3_600_000
    assert values(first.engine, end) == values(second.engine, end)


def test_what_is_closed_while_it_is_cut_is_not_in_it(tmp_path: Path) -> None:
    first = Beating(an_engine(), int(START * 1000))
    for request in some_requests(Random(1))[:6]:
        first.engine.open(request, first.now)
    last = list(first.engine.statistics.values())[-1]
    pieces = first.begin(seconds=0).pieces()
    next(pieces)
    next(pieces)
    first.engine.close_all([last], "")
    items = [item for piece in pieces for frame in piece for item in getattr(frame, "items", ())]
    assert len(items) == 4


def disturbances(first: Beating) -> dict[str, Callable[[], None]]:
    """What moves an engine and cannot be written down."""
    engine, source = first.engine, first.engine.sources["ts1"]

    def reload() -> None:
        engine.configure(evolve(engine.definitions, filters={}), engine.directory)

    def adopt() -> None:
        source.adopt(source.export(), first.now)

    def move() -> None:
        source.position = 77

    return {"configuration": reload, "picture": adopt, "does not stand": move}


@pytest.mark.parametrize("what", ["configuration", "picture", "does not stand"])
def test_a_cut_that_was_disturbed_is_no_good(what: str) -> None:
    first = Beating(an_engine(), int(START * 1000))
    pieces = first.begin().pieces()
    next(pieces)
    disturbances(first)[what]()
    with pytest.raises(Disturbed, match=what):
        list(pieces)


def test_too_much_that_happens_while_the_disk_sleeps_is_not_kept(monkeypatch: Any) -> None:
    monkeypatch.setattr(cutting, "EVENTS_MAX", 10)
    first = Beating(an_engine(), int(START * 1000))
    pieces = first.begin().pieces()
    next(pieces)
    for event in ContactCentre(Random(1), START, agents=6, queues=2).take(12):
        first.apply(event)
    assert first.cut is not None
    assert len(first.cut._happened) <= 10
    with pytest.raises(Disturbed, match="more than 10 events"):
        next(pieces)


def lived(seed: int = 3, events: int = 400) -> Beating:
    """An engine with every statistic there is, after a while."""
    first = Beating(an_engine(), int(START * 1000))
    for request in some_requests(Random(seed)):
        first.engine.open(request, first.now)
    for event in ContactCentre(Random(seed), START, agents=6, queues=2, speed=3).take(events):
        first.apply(event)
    return first


def test_a_statistic_whose_definition_has_changed_is_dropped_and_named(tmp_path: Path) -> None:
    first = lived()
    write(tmp_path / "x", first)
    second = an_engine()
    definitions = second.definitions
    text = dict(definitions.stat_types["Total_Talk_Time"].text) | {"MainMask": "CallInbound"}
    changed = {"Total_Talk_Time": parse_stat_type("Total_Talk_Time", text)}
    kept = {n: t for n, t in definitions.stat_types.items() if n != "Total_Login_Time"}
    second.configure(evolve(definitions, stat_types=kept | changed), second.directory)
    play = read(tmp_path / "x", second)
    why = {msgspec.json.decode(key)[3]: reason for key, reason in play.dropped.items()}
    assert why["Total_Talk_Time"] == "it means something else now"
    assert "Total_Login_Time" in why["Total_Login_Time"]
    assert why.keys() == {"Total_Talk_Time", "Total_Login_Time"}
    gone = {k for k in first.engine.statistics if k.stat_type in why}
    assert second.statistics.keys() == first.engine.statistics.keys() - gone
    assert play.dropped_count == len(gone)


def test_definitions_only_when_that_is_written_or_read(tmp_path: Path) -> None:
    first = lived()
    write(tmp_path / "with", first)
    write(tmp_path / "without", first, numbers=False)
    assert (tmp_path / "without").stat().st_size < (tmp_path / "with").stat().st_size / 2
    for name, aggregates in (("with", False), ("without", True)):
        second = an_engine()
        play = read(tmp_path / name, second, aggregates=aggregates)
        assert play.sources == {}
        assert second.sources["ts1"].position is None
        assert second.statistics.keys() == first.engine.statistics.keys()
        empty = an_engine()
        for statistic in first.engine.statistics.values():
            empty.open(request_of(statistic), play.moment)
        assert values(second, play.moment) == values(empty, play.moment)


@pytest.mark.parametrize("name", ["ts2", "ts1"])
def test_a_source_that_is_not_the_same_begins_from_nothing(tmp_path: Path, name: str) -> None:
    first = lived()
    write(tmp_path / "x", first)
    second = Engine(SITE.definitions, SITE.directory, SITE.world_options, "millisecond")
    second.add_source(name, "sw1" if name == "ts2" else "sw2")
    play = read(tmp_path / "x", second)
    assert play.lost_sources.keys() == {"ts1"}
    assert play.sources == {}
    # Half a sum is worse than none: nothing that was counted there is used.
    numbers = [v.value for k, v in values(second, play.moment).items() if "Total" in k.stat_type]
    assert set(numbers) == {0}


def test_what_was_begun_to_play_can_be_taken_back(tmp_path: Path) -> None:
    write(tmp_path / "x", lived())
    second = an_engine()
    play = read(tmp_path / "x", second)
    assert second.statistics
    play.abandon()
    assert not second.statistics
    assert second.sources["ts1"].export() == an_engine().sources["ts1"].export()
    assert read(tmp_path / "x", second).sources == play.sources


def test_a_reset_that_was_slept_through_is_a_reset(tmp_path: Path) -> None:
    """Growing and outdated is ignored, sliding moves on: by the time of the next event."""
    first = lived()
    write(tmp_path / "x", first)
    second = Beating(an_engine(), 0)
    read(tmp_path / "x", second.engine)
    later = first.now / 1000 + 6 * 3600
    for each in (first, second):
        each.apply(EventServerDisconnected(time=later))
        each.apply(EventServerConnected(time=later + 60, position=1))
    assert values(first.engine, first.now) == values(second.engine, second.now)
    growing = [v.value for k, v in values(second.engine, second.now).items() if is_growing_count(k)]
    assert growing
    assert set(growing) == {0}


def is_growing_count(key: Key) -> bool:
    return key.time_profile.startswith("QuarterHour") and key.stat_type.startswith("Total_Calls")
