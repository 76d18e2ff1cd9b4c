"""Names that pages take from the code exist there: metrics, log ids, options of commands."""

from __future__ import annotations

import re

import pytest
from docs_blocks import ROOT, pages

from statserver_trio.commands.main import COMMANDS
from statserver_trio.server.log_messages import MESSAGES
from statserver_trio.server.metrics.names import METRICS
from tests.chaos.faults import FAULTS
from tests.sim.trouble import KINDS, NO_FAULTS, ROUGH_KINDS

METRIC = re.compile(r"\bstatserver_(?!trio\b)[a-z_]+")
OF_HISTOGRAMS = re.compile(r"_(bucket|count|sum)$")
LOG_ID = re.compile(r"\bSST-\d{4}\b")
COMMAND = re.compile(r"`statserver ([a-z]+)")


@pytest.mark.parametrize("page", pages())
def test_what_a_page_names_is_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    metrics = {name for name in METRIC.findall(text) if name not in METRICS}
    unknown = {name for name in metrics if OF_HISTOGRAMS.sub("", name) not in METRICS}
    assert not unknown, "no such metric"
    assert set(LOG_ID.findall(text)) <= {each.id for each in MESSAGES}, "no such message"
    assert set(COMMAND.findall(text)) <= set(COMMANDS), "no such command"


NAMED = re.compile(r"`([a-z_]+)`")
PATH = re.compile(r"`(tests/[\w/]+\.py)`")


def test_the_table_of_faults_names_all_there_are_and_no_others() -> None:
    text = (ROOT / "RELIABILITY.md").read_text(encoding="utf-8")
    [section] = re.findall(r"^## The faults.+?^## ", text, re.MULTILINE | re.DOTALL)
    rows = [row.split("|")[1:-1] for row in section.splitlines() if row.startswith("| ")][1:]
    days, processes = ({name for row in rows for name in NAMED.findall(row[at])} for at in (1, 2))
    assert days - NO_FAULTS == (KINDS.keys() - NO_FAULTS) | ROUGH_KINDS.keys()
    assert processes == FAULTS.keys() - {"stop"}, "an operator's stop is no fault"
    assert not [path for row in rows for path in PATH.findall(row[3]) if not (ROOT / path).exists()]
