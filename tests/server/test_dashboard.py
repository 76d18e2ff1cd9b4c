"""The Grafana dashboard: it asks for nothing that is not told, and everything has its place."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest

from statserver_trio.server.metrics.names import METRICS

FILE = Path(__file__).parents[2] / "conf" / "grafana-dashboard.json"
DASHBOARD: dict[str, Any] = json.loads(FILE.read_text())
PANELS: list[dict[str, Any]] = [each for each in DASHBOARD["panels"] if each["type"] != "row"]
OF_PROMETHEUS = {"job", "instance"}
PARTS = ("_bucket", "_sum", "_count")  # of a histogram
SELECTOR = re.compile(r"(statserver_\w+)(\{[^}]*\})?")
LABEL = re.compile(r'(\w+)\s*=~?\s*"')


def asked(panel: dict[str, Any]) -> list[str]:
    return [each["expr"] for each in panel["targets"]]


def variables() -> dict[str, str]:
    """By name, what fills it."""
    listed = DASHBOARD["templating"]["list"]
    return {each["name"]: each.get("definition", "") for each in listed}


def series(query: str) -> list[tuple[str, set[str]]]:
    """Names of metrics in a query, with the labels that are asked for."""
    return [(name, set(LABEL.findall(labels))) for name, labels in SELECTOR.findall(query)]


QUERIES = [*itertools.chain.from_iterable(map(asked, PANELS)), *filter(None, variables().values())]


@pytest.mark.parametrize("query", QUERIES)
def test_what_is_asked_for_is_told(query: str) -> None:
    assert series(query), "nothing of ours"
    for name, labels in series(query):
        whole = re.sub(rf"({'|'.join(PARTS)})$", "", name)
        is_part = whole in METRICS and METRICS[whole].kind == "histogram"
        metric = METRICS[whole if is_part else name]
        assert labels <= {*metric.labels, *OF_PROMETHEUS}, name
        assert labels >= OF_PROMETHEUS or query in variables().values(), "of which server?"
        is_rate = re.search(rf"(rate|increase)\({name}", query)
        assert bool(is_rate) == (metric.kind != "gauge"), "a counter is asked for its rate"
    assert query.count("(") == query.count(")")
    assert query.count("{") == query.count("}")


def test_legends_name_labels_that_are_there() -> None:
    for panel in PANELS:
        for target in panel["targets"]:
            [(name, _), *_] = series(target["expr"])
            known = {*METRICS.get(name, METRICS["statserver_loop_lag_seconds"]).labels}
            used = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            assert used <= known | OF_PROMETHEUS, (panel["title"], used)
            assert "instance" in used, "which of the two?"


def test_every_variable_is_there() -> None:
    used = set(re.findall(r"\$\{?([a-z]\w*)", FILE.read_text()))
    assert used == set(variables())


def test_panels_do_not_lie_over_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        rows = range(place["y"], place["y"] + place["h"])
        cells = set(itertools.product(range(place["x"], place["x"] + place["w"]), rows))
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)


def test_it_shows_what_an_operator_asks() -> None:
    rows = [each["title"] for each in DASHBOARD["panels"] if each["type"] == "row"]
    assert rows == ["The pair", "Feeds", "Clients", "Server", "Statistics"]
