"""The file itself: whole or refused, in place or not at all, the one before kept."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from backups import START, Beating, an_engine, some_requests, write

from statserver_trio.ha.messages import Item, Kind, Standing
from statserver_trio.server.backup import files, form
from statserver_trio.server.backup.cutting import Applied
from statserver_trio.server.backup.files import (
    Reader,
    Writer,
    clear_leftovers,
    path_for,
    previous,
)
from statserver_trio.server.backup.form import (
    End,
    Ending,
    Happened,
    Head,
    Picture,
    Refused,
    Slice,
)
from statserver_trio.tlib.codec import Decoder
from statserver_trio.tlib.events import EventLinkConnected, Unhandled
from statserver_trio.tlib.registration_words import Memory

HEAD = Head("app", "test 1", 5)
ITEM = Item("k", "{}", "h", Kind.OPEN, b"123", {"s": [(1, 4)]})
FRAMES = [
    Picture("s", 7, b"world"),
    Slice(8, [ITEM]),
    Happened("s", 9, b'{"event":"EventLinkConnected"}\n'),
    End(10, 1, {"s": Ending(4, Memory(4, ("7001",), True), Standing("l", 1, 2.0), [(1, 4)], True)}),
]


def a_file(path: Path, frames: Any = FRAMES, head: Head = HEAD) -> bytes:
    writer = Writer(path)
    writer.begin(head)
    writer.put(frames)
    writer.finish()
    assert writer.size == path.stat().st_size - form.DIGEST_BYTES
    return path.read_bytes()


def the_rest(writer: Writer, frames: Any) -> None:
    writer.put(frames)
    writer.finish()


def all_of(path: Path) -> list[Any]:
    reader = Reader(path)
    found = [reader.head]
    while (frame := reader.next()) is not None:
        found.append(frame)
    return found


def test_what_was_written_is_read(tmp_path: Path) -> None:
    a_file(tmp_path / "x")
    assert all_of(tmp_path / "x") == [HEAD, *FRAMES]
    assert [each.name for each in tmp_path.iterdir()] == ["x"]


def test_events_become_lines_when_they_are_written(tmp_path: Path) -> None:
    events = [
        EventLinkConnected(position=3, time=4.5),
        Unhandled(name="EventNew", position=4, time=4.5),
    ]
    a_file(tmp_path / "x", [Applied("s", 9, events)])
    [_, happened] = all_of(tmp_path / "x")
    assert (happened.source, happened.moment) == ("s", 9)
    assert Decoder().feed(happened.lines) == events


def test_no_byte_can_be_changed_unnoticed(tmp_path: Path) -> None:
    path = tmp_path / "x"
    data = a_file(path)
    for index in range(len(data)):
        for bit in (1, 128):
            damaged = bytearray(data)
            damaged[index] ^= bit
            path.write_bytes(damaged)
            with pytest.raises(Refused):
                Reader(path)


def test_no_part_of_a_file_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    data = a_file(path)
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(Refused):
            Reader(path)
    path.write_bytes(data + b"\0")
    with pytest.raises(Refused, match="checksum"):
        Reader(path)


def test_the_reason_is_given(tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "x"
    data = a_file(path)
    for damaged, reason in (
        (b"", "it is empty"),
        (b"[server]\nname = 1\n", "no backup file"),
        (data[:9], "cut off or damaged"),
        (data[:-1], "cut off or damaged"),
        (data[:8] + b"\0\7" + data[10:], "of format 7, and we read format 1"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(Refused, match=reason):
            Reader(path)
    a_file(path, [], head=Slice(1, []))  # type: ignore[arg-type]
    with pytest.raises(Refused, match="whose"):
        Reader(path)
    a_file(path)
    monkeypatch.setattr(form, "FILE_BYTES_MAX", 20)
    with pytest.raises(Refused, match="more than 20"):
        Reader(path)
    with pytest.raises(FileNotFoundError):
        Reader(tmp_path / "y")


def test_what_we_cannot_read_ourselves_is_refused(tmp_path: Path, monkeypatch: Any) -> None:
    """A frame that a later version writes under the same number: not to be expected."""
    path = tmp_path / "x"
    body = msgspec.msgpack.encode(["news", 1])
    monkeypatch.setattr(files, "encoded", lambda frame: len(body).to_bytes(4, "big") + body)
    a_file(path)
    with pytest.raises(Refused, match="makes no sense"):
        Reader(path)


def test_the_one_before_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for number in range(4):
        a_file(path, [], Head("app", f"{number}", 0))
    assert all_of(path)[0].product == "3"
    assert all_of(previous(path))[0].product == "2"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("failing", ["first rename", "second rename", "fsync", "write"])
def test_a_crash_before_the_end_leaves_a_whole_file(
    tmp_path: Path, monkeypatch: Any, failing: str
) -> None:
    path = tmp_path / "x"
    a_file(path, [], Head("app", "old", 0))
    renames: list[Any] = []
    replace = os.replace

    def crash(*arguments: Any) -> None:
        raise KeyboardInterrupt

    def one_more(*arguments: Any) -> None:
        renames.append(arguments)
        if len(renames) == (1 if failing == "first rename" else 2):
            crash()
        replace(*arguments)

    writer = Writer(path)
    writer.begin(Head("app", "new", 0))
    if failing == "fsync":
        monkeypatch.setattr(os, "fsync", crash)
    elif failing == "write":
        monkeypatch.setattr(files, "encoded", crash)
    else:
        monkeypatch.setattr(os, "replace", one_more)
    with pytest.raises(KeyboardInterrupt):
        the_rest(writer, FRAMES)
    monkeypatch.undo()
    if writer._file is not None:
        writer._file.close()  # so does the end of the process
    usable = path if path.exists() else previous(path)
    assert all_of(usable)[0].product == "old"
    clear_leftovers(path)
    assert [each.name for each in tmp_path.iterdir()] == [usable.name]


def test_what_would_be_too_long_is_not_written(tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "x"
    a_file(path)
    monkeypatch.setattr(files, "FILE_BYTES_MAX", 100)
    writer = Writer(path)
    writer.begin(HEAD)
    with pytest.raises(ValueError, match="longer than 100 bytes"):
        writer.put(FRAMES)
    writer.discard()
    monkeypatch.setattr(form, "FRAME_BYTES_MAX", 100)
    with pytest.raises(ValueError, match="no more than 100"):
        form.encoded(Picture("s", 0, bytes(101)))
    assert [each.name for each in tmp_path.iterdir()] == ["x"]
    assert all_of(path) == [HEAD, *FRAMES]


def test_discarding_twice_or_nothing_is_no_mistake(tmp_path: Path) -> None:
    Writer(tmp_path / "x").discard()
    writer = Writer(tmp_path / "no" / "x")
    writer.begin(HEAD)
    writer.discard()
    writer.discard()
    assert list((tmp_path / "no").iterdir()) == []


def test_a_name_is_a_name_and_no_way_to_elsewhere() -> None:
    assert path_for("var", "stat-primary") == Path("var/stat-primary.stat.bak")
    assert path_for("var", "../../etc/x y*") == Path("var/_._.._etc_x_y_.stat.bak")
    assert path_for("var", "Zürich") == Path("var/Zürich.stat.bak")


def mounted_full(folder: Path) -> bool:
    """Whether there is a disk of 64 KiB there now."""
    return os.geteuid() == 0 and not os.system(
        f"mount -t tmpfs -o size=64k tmpfs '{folder}' 2>/dev/null"
    )


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    folder = tmp_path / "full"
    folder.mkdir()
    if not mounted_full(folder):
        pytest.skip("no right to mount a small disk")
    try:
        path = folder / "x"
        a_file(path)
        writer = Writer(path)
        writer.begin(HEAD)
        with pytest.raises(OSError, match="No space left") as caught:
            the_rest(writer, [Picture("s", 0, os.urandom(200_000))])
        assert caught.value.errno == errno.ENOSPC
        writer.discard()
        assert [each.name for each in folder.iterdir()] == ["x"]
        assert all_of(path) == [HEAD, *FRAMES]
    finally:
        os.system(f"umount '{folder}'")


def test_a_real_one_is_refused_when_it_is_damaged_anywhere(tmp_path: Path) -> None:
    first = Beating(an_engine(), int(START * 1000))
    for request in some_requests(Random(1)):
        first.engine.open(request, first.now)
    path = tmp_path / "x"
    write(path, first)
    data = path.read_bytes()
    rng = Random(5)
    for _ in range(200):
        damaged = bytearray(data)
        begin = rng.randrange(len(data))
        damaged[begin : begin + rng.randrange(1, 50)] = rng.randbytes(rng.randrange(0, 50))
        if damaged != data:
            path.write_bytes(damaged)
            with pytest.raises(Refused):
                Reader(path)
