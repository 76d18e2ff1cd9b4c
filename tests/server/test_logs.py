"""What is logged, by the vendor's debug categories."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from statserver_trio.server.logs import CATEGORIES, NO_CONNECTION, PACKAGE, set_up


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.getLogger(NO_CONNECTION).filters.clear()
    for loggers in CATEGORIES.values():
        for name in loggers:
            logging.getLogger(f"{PACKAGE}.{name}").setLevel(logging.NOTSET)


def said(category: str) -> set[bool]:
    names = CATEGORIES[category]
    return {logging.getLogger(f"{PACKAGE}.{name}").isEnabledFor(logging.INFO) for name in names}


@pytest.mark.parametrize(
    ("debug_level", "on"),
    [
        ("Init", {"Init"}),
        ("Init, HA", {"Init", "HA"}),
        ("all", {"Init", "Client", "Server", "Mngmnt", "Java"}),  # not HA
        ("all,HA", {"Init", "Client", "Server", "Mngmnt", "Java", "HA"}),
        ("", set()),
    ],
)
def test_categories(debug_level: str, on: set[str]) -> None:
    set_up(debug_level, "test")
    assert {category for category in CATEGORIES if said(category) == {True}} == on
    assert logging.getLogger(f"{PACKAGE}.anything").isEnabledFor(logging.WARNING)


def test_that_no_file_is_left_is_said_once_a_minute_and_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up("", "test")
    logger = logging.getLogger(NO_CONNECTION)
    for second in (0.0, 0.1, 59.0, 61.0):
        record = logger.makeRecord(
            logger.name, logging.ERROR, "f", 1, "accept returned %s (%s)",
            ("EMFILE", "Too many open files"), (OSError, OSError(24, "x"), None),
        )  # fmt: skip
        record.created = 1_000_000.0 + second
        logger.handle(record)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all("accepted; accept returned EMFILE (Too many open files)" in line for line in lines)
