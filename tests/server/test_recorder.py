"""Recording to real files through a worker thread: order, rotation, overflow, broken disks."""

import logging
import threading

import pytest
import trio

from statserver_trio.server import recorder as module
from statserver_trio.server.recorder import Recorder
from statserver_trio.tlib.events import EventOffHook
from statserver_trio.tlib.recording import Rotation, read

NOW_MS = 1_700_000_000_250


def at(position):
    return EventOffHook(position=position, time=1.0, this_dn="7001")


def positions(path):
    return [event.position for event in read([path.read_bytes()])]


async def record(recorder, *batches):
    """Record the batches in one run."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(recorder.run)
        for batch in batches:
            recorder.record([at(n) for n in batch], NOW_MS)
            await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()


async def test_everything_is_written_in_order(tmp_path):
    path = tmp_path / "x.jsonl"
    recorder = Recorder(path)
    await record(recorder, *([n, n + 1] for n in range(0, 200, 2)))
    assert positions(path) == list(range(200))
    assert (recorder.written, recorder.dropped) == (200, 0)


async def test_arrival_becomes_the_time(tmp_path):
    recorder = Recorder(tmp_path / "x.jsonl")
    recorder.record([EventOffHook(this_dn="1")], NOW_MS)
    await record(recorder)
    (event,) = read([(tmp_path / "x.jsonl").read_bytes()])
    assert event.time == 1_700_000_000.25


async def test_a_restart_goes_on_behind_a_line_that_was_cut_off(tmp_path):
    path = tmp_path / "x.jsonl"
    await record(Recorder(path), [1, 2])
    path.write_bytes(path.read_bytes()[:-5])
    await record(Recorder(path), [3])
    first, bad, last = read([path.read_bytes()])
    assert (first, last) == (at(1), at(3))
    assert bad.text.startswith('{"event":"EventOffHook"')


@pytest.mark.parametrize(("files", "kept"), [(1, [3]), (2, [2, 3]), (3, [1, 2, 3]), (9, [1, 2, 3])])
async def test_rotation(tmp_path, files, kept):
    path = tmp_path / "x.jsonl"
    for n in (1, 2, 3):
        await record(Recorder(path, Rotation(bytes_max=20, files_max=files)), [n])
    names = Rotation(files_max=9).names(str(path))
    found = [positions(tmp_path / name) for name in names if (tmp_path / name).exists()]
    assert found == [[n] for n in reversed(kept)]


async def test_what_does_not_fit_is_dropped_and_said_once(tmp_path, caplog):
    caplog.set_level(logging.ERROR)
    recorder = Recorder(tmp_path / "x.jsonl", pending_max=10)
    for n in range(5):
        recorder.record([at(n)] * 4, NOW_MS)
    await record(recorder)
    assert (recorder.written, recorder.dropped) == (8, 12)
    assert positions(tmp_path / "x.jsonl") == [0] * 4 + [1] * 4
    assert [r.message for r in caplog.records] == [
        f"recording {tmp_path / 'x.jsonl'}: the disk is too slow, dropping events"
    ]


async def test_a_slow_disk_does_not_hold_up_the_loop(tmp_path, monkeypatch):
    gate = threading.Event()
    write = Recorder._write

    def slow(self, batch):
        gate.wait(10)
        return write(self, batch)

    monkeypatch.setattr(Recorder, "_write", slow)
    recorder = Recorder(tmp_path / "x.jsonl")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(recorder.run)
        for n in range(100):
            recorder.record([at(n)], NOW_MS)
            await trio.lowlevel.checkpoint()
        assert recorder.written == 0
        gate.set()
        nursery.cancel_scope.cancel()
    assert positions(tmp_path / "x.jsonl") == list(range(100))


async def test_a_broken_disk_is_said_once_and_tried_again(tmp_path, caplog):
    caplog.set_level(logging.ERROR)
    path = tmp_path / "missing" / "x.jsonl"
    recorder = Recorder(path)
    await record(recorder, [1])
    await record(recorder, [2])
    assert recorder.dropped == 2
    assert len(caplog.records) == 1
    path.parent.mkdir()
    await record(recorder, [3])
    assert positions(path) == [3]
    assert recorder.written == 1


async def test_the_end_does_not_wait_for_ever(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(module, "FLUSH_SECONDS", 0)
    recorder = Recorder(tmp_path / "x.jsonl")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(recorder.run)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
        recorder.record([at(1)], NOW_MS)
    assert recorder.dropped == 1
    assert "1 events were not written" in caplog.text
