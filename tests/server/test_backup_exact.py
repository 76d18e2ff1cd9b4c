"""What was restored from a backup file goes on as if the server had never been away."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from backups import START, Beating, an_engine, read, some_requests, values

from statserver_trio.server.backup.files import Writer
from statserver_trio.server.backup.form import Head
from statserver_trio.simulator.contact_centre import ContactCentre


@pytest.mark.parametrize("seed", range(8))
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
        if number % 50 == 0:
            assert values(first.engine, first.now) == values(second.engine, second.now)
    end = first.now + 3_600_000
    assert values(first.engine, end) == values(second.engine, end)
