"""What is logged, by the vendor's debug categories."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from statserver_trio.server.logs import CATEGORIES, PACKAGE, set_up


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
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
