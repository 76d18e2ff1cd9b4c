"""Names that pages take from the code exist there: metrics, log ids, options of commands."""

from __future__ import annotations

import re

import pytest
from docs_blocks import ROOT, pages

from statserver_trio.commands.main import COMMANDS
from statserver_trio.server.log_messages import MESSAGES
from statserver_trio.server.metrics.names import METRICS

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
