"""The log's queue and its forms: nobody waits, nothing is lost without a word."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Iterator

import pytest

from statserver_trio.server.log_forms import JsonForm, TextForm
from statserver_trio.server.log_queue import LogQueue, descriptor

PATIENCE = 20.0


class Gate:
    """A disk that stops when told to."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.error: OSError | None = None
        self.lines: list[str] = []

    def write(self, data: bytes) -> None:
        assert self.open.wait(PATIENCE)
        if self.error is not None:
            raise self.error
        self.lines.append(data.decode())


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.set()


def logger_to(handler: logging.Handler) -> logging.Logger:
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.Logger("test")
    logger.addHandler(handler)
    return logger


def until(true: object) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_everything_is_written_in_order(gate: Gate) -> None:
    queue = LogQueue(gate.write)
    logger = logger_to(queue)
    for number in range(100):
        logger.info("line %d", number)
    assert queue.flush_and_close(PATIENCE)
    assert gate.lines == [f"line {number}\n" for number in range(100)]
    assert queue.dropped == 0


def test_a_disk_that_stands_still_stops_nobody_and_what_is_missing_is_said(gate: Gate) -> None:
    queue = LogQueue(gate.write, records_max=10)
    logger = logger_to(queue)
    gate.open.clear()
    logger.info("the first")
    until(lambda: queue.waiting == 0)  # the thread has it, and stands
    for number in range(25):
        logger.info("line %d", number)
    assert (queue.waiting, queue.dropped) == (10, 15)
    gate.open.set()
    assert queue.flush_and_close(PATIENCE)
    said = [line for line in gate.lines if "missing" in line]
    assert said == [
        "15 log records are missing here: they came faster than they could be written\n"
    ]
    assert len(gate.lines) == 1 + 10 + 1


def test_a_disk_that_refuses_is_counted_and_said_when_it_has_room(gate: Gate) -> None:
    queue = LogQueue(gate.write)
    logger = logger_to(queue)
    gate.error = OSError(28, "No space left on device")
    logger.info("one")
    logger.info("two")
    until(lambda: queue.dropped == 2)
    gate.error = None
    logger.info("three")
    assert queue.flush_and_close(PATIENCE)
    assert gate.lines[0] == "three\n"
    assert gate.lines[1].startswith("2 log records are missing here")
    assert len(gate.lines) == 2


def test_the_end_does_not_wait_for_a_disk_that_never_moves(gate: Gate) -> None:
    queue = LogQueue(gate.write, records_max=2)
    logger = logger_to(queue)
    gate.open.clear()
    for number in range(5):
        logger.info("line %d", number)
    began = time.monotonic()
    assert not queue.flush_and_close(0.05)
    assert time.monotonic() - began < PATIENCE / 2


def test_arguments_are_taken_as_they_were(gate: Gate) -> None:
    queue = LogQueue(gate.write)
    logger = logger_to(queue)
    gate.open.clear()
    names = ["a"]
    logger.info("names: %s", names)
    names.append("b")
    gate.open.set()
    assert queue.flush_and_close(PATIENCE)
    assert gate.lines == ["names: ['a']\n"]


def test_a_real_pipe_that_nobody_reads() -> None:
    reader, writer = os.pipe()
    queue = LogQueue(descriptor(writer), records_max=100)
    logger = logger_to(queue)
    for _ in range(1000):
        logger.info("%s", "x" * 1000)  # a pipe holds 64 KiB
    assert queue.dropped >= 1000 - 100 - 200
    taken: list[bytes] = []
    with os.fdopen(reader, "rb") as pipe:
        reading = threading.Thread(target=lambda: taken.append(pipe.read()))
        reading.start()
        assert queue.flush_and_close(PATIENCE)
        os.close(writer)
        reading.join(PATIENCE)
    assert b"records are missing here" in taken[0]


# -- forms -------------------------------------------------------------------------------------


def record(template: str, *args: object, level: int = logging.WARNING) -> logging.LogRecord:
    name = "statserver_trio.server.feed_task"
    made = logging.LogRecord(name, level, "f", 1, template, args, None)
    made.created, made.msecs = 1_700_000_000.125, 125.0
    return made


def test_for_programs() -> None:
    text = JsonForm("stat-primary").format(
        record("feed %s cannot be reached: %s", "Köln", "\udc80")
    )
    assert "\n" not in text
    assert json.loads(text.encode(errors="backslashreplace")) == {
        "time": "2023-11-14T22:13:20.125Z",
        "level": "warning",
        "id": "SST-2101",
        "application": "stat-primary",
        "logger": "statserver_trio.server.feed_task",
        "message": "feed Köln cannot be reached: \udc80",
    }
    plain = json.loads(JsonForm("x").format(record("hello", level=logging.INFO)))
    assert plain["id"] is None


def test_for_people() -> None:
    form = TextForm("stat-primary")
    text = form.format(record("feed %s cannot be reached: %s", "ts1", "refused"))
    said = "WARNING SST-2101 stat-primary statserver_trio.server.feed_task: feed ts1 cannot"
    assert f" {said} be reached: refused" in text
    plain = form.format(record("hello", level=logging.INFO))
    assert "INFO    stat-primary statserver_trio.server.feed_task: hello" in plain


@pytest.mark.parametrize("form", [TextForm("x"), JsonForm("x")])
def test_what_a_peer_sends_does_not_pass_for_a_line_of_ours(form: logging.Formatter) -> None:
    text = form.format(record("said %s", "a\n2026-01-01 ERROR x\x1b[2J\r\u2028b"))
    assert all(line.startswith("    ") for line in text.splitlines()[1:])
    assert "\x1b" not in text
    assert "\r" not in text


def test_a_traceback_is_in_both() -> None:
    form = JsonForm("x")
    try:
        raise ValueError("deep inside")
    except ValueError as error:
        failed = record("it failed")
        failed.exc_info = (ValueError, error, error.__traceback__)
    assert "deep inside" in json.loads(form.format(failed))["traceback"]
    lines = TextForm("x").format(failed).splitlines()
    assert lines[-1] == "    ValueError: deep inside"
