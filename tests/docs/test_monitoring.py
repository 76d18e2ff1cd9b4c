"""Prometheus itself reads a pair's metrics, and answers what the dashboard and the page ask it.

Debian has it (``apt-get install prometheus``); without it these tests are skipped, and say so. It
is configured with the page's own snippet, and asked through its HTTP interface as Grafana does.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docs_blocks import ROOT, blocks
from docs_world import PATIENCE, World, free_ports

PAGE = "docs/howto/metrics.md"
DASHBOARD = json.loads((ROOT / "conf" / "grafana-dashboard.json").read_text(encoding="utf-8"))
PAIR = ("statserver tserver --speed 10", "statserver run conf/primary.toml",
        "statserver run conf/backup.toml")  # fmt: skip
# So that there is something to tell of the link and the backup file within seconds.
OFTEN = {
    "STATSERVER__HA__ADDP_TIMEOUT": "1",
    "STATSERVER__HA__ADDP_REMOTE_TIMEOUT": "1",
    "STATSERVER__SERVER__AUTO_BACKUP_INTERVAL": "0.02",  # minutes
}
INTERVAL = 0.25  # seconds between two looks
RATE_INTERVAL = "3s"  # what Grafana puts in for $__rate_interval: several of them
ALERT = re.compile(r"^\| ([^|]+) \| `(.+?)`", re.MULTILINE)

pytestmark = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="no Prometheus here: apt-get install prometheus"
)


class Prometheus:
    """A running one."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v1/"

    def get(self, path: str, **query: str) -> Any:
        """What it answers; raises where it refuses, with the reason."""
        url = f"{self._url}{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            said = json.load(answer)
        assert said["status"] == "success", said
        return said["data"]

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression finds now."""
        found: list[dict[str, Any]] = self.get("query", query=expression)["result"]
        return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("monitored") / "pair", free_ports(1)[0])
    world.environment |= OFTEN
    try:
        for command in PAIR:
            world.start(command, [])
        world.settle()
        yield world
    finally:
        world.close()


@pytest.fixture(scope="module")
def prometheus(world: World) -> Iterator[Prometheus]:
    [snippet] = [block.text for block in blocks(PAGE) if block.kind == "yaml"]
    head = f"global: {{scrape_interval: {INTERVAL * 1000:.0f}ms, scrape_timeout: 200ms}}\n"
    world.write("prometheus.yml", head + snippet)
    [port] = free_ports(1)
    data = world.folder / "prometheus"
    command = [
        "prometheus", f"--config.file={world.folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={data}", f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    log = world.folder / "prometheus.log"
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            running = Prometheus(port)
            _wait_until_it_knows_enough(running, log)
            yield running
        finally:
            process.terminate()


def _wait_until_it_knows_enough(prometheus: Prometheus, log: Path) -> None:
    """Both members have been looked at often enough to tell a rate, and have told everything."""
    deadline = time.monotonic() + PATIENCE
    looks = 'count_over_time(up{job="statserver"}[1m]) >= 8'
    last = ("statserver_addp_round_trip_seconds", "statserver_backup_file_age_seconds")
    while time.monotonic() < deadline:
        try:
            if all(len(prometheus.ask(each)) == 2 for each in (looks, *last)):
                return
        except OSError:  # it does not listen yet
            pass
        time.sleep(INTERVAL)
    raise AssertionError(log.read_text())


def test_it_finds_nothing_wrong_with_what_it_reads(world: World, prometheus: Prometheus) -> None:
    targets = prometheus.get("targets")["activeTargets"]
    members = {f"127.0.0.1:{world.ports[each]}" for each in (7102, 7112)}
    assert {each["labels"]["instance"] for each in targets} == members
    assert {(each["health"], each["lastError"]) for each in targets} == {("up", "")}


def panels() -> dict[str, list[str]]:
    """By title, what a panel asks with every variable at All."""
    found: dict[str, list[str]] = {}
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            expression = target["expr"].replace("$__rate_interval", RATE_INTERVAL)
            whole = re.sub(r"\$[a-z]\w*", ".*", expression)
            found.setdefault(panel["title"], []).append(whole)
    return found


# Where there is nothing to tell: conf/ has no such section.
EMPTY = {"Extensions"}


@pytest.mark.parametrize("title", panels())
def test_a_panel_of_the_dashboard_shows_both_members(
    world: World, prometheus: Prometheus, title: str
) -> None:
    members = {f"127.0.0.1:{world.ports[each]}" for each in (7102, 7112)}
    for expression in panels()[title]:
        found = {each["metric"].get("instance") for each in prometheus.ask(expression)}
        assert found == (set() if title in EMPTY else members), expression


@pytest.mark.parametrize("name", ["job", "instance", "statistic", "object"])
def test_a_variable_of_the_dashboard_has_values(prometheus: Prometheus, name: str) -> None:
    [asked] = [each["definition"] for each in DASHBOARD["templating"]["list"]
               if each["name"] == name]  # fmt: skip
    parts = re.fullmatch(r"label_values\((.+), (\w+)\)", asked)
    assert parts is not None
    series = {"match[]": re.sub(r"\$\w+", ".*", parts[1])}
    assert prometheus.get(f"label/{parts[2]}/values", **series)


def alerts() -> dict[str, str]:
    """By what they say, those of the page."""
    return dict(ALERT.findall((ROOT / PAGE).read_text(encoding="utf-8")))


@pytest.mark.parametrize("alert", alerts())
def test_nobody_is_woken_for_a_pair_that_is_well(prometheus: Prometheus, alert: str) -> None:
    expression = alerts()[alert]
    [condition, *_] = re.split(r" (?:==|>) [\d.]+$", expression)
    assert condition != expression, "something is compared with a number"
    assert prometheus.ask(condition), "there is something to look at"
    assert not prometheus.ask(expression)
