"""The extensions that come with the project: the example, and the one in the documentation."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import trio
from extension_house import SOON, House

from statserver_trio.config.load import load

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "extensions.md").read_text(encoding="utf-8")


def code(language: str) -> str:
    found = re.search(rf"```{language}[^\n]*\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


async def test_the_extension_of_the_documentation(house: House) -> None:
    house.write("orders.py", code("python"))
    switched_on = code("toml").partition("[python-extensions]\n")[2].splitlines()
    await house.up(*switched_on)
    house.opens("Waiting_Orders", "north")
    house.opens("Shipped_Orders", "south", timeProfile="Hour")
    house.opens("Waiting_Orders", "west")
    await trio.sleep(SOON)
    told = house.hears()
    refused = [e for e in told if e["event"] == "StatisticClosed"]
    assert [e["reason"] for e in refused] == [
        "the extension orders.py refuses it: there is no shop 'west'"
    ]
    await trio.sleep(40)
    values = {e["statisticId"]: e["value"] for e in house.hears()}
    assert values == {1: 10, 2: 10}
    await trio.sleep(3600 - 42)
    before = house.asks("PeekStatistic", statisticId=2)[-1]
    assert before["value"] == 899
    await trio.sleep(10)
    assert house.asks("PeekStatistic", statisticId=2)[-1]["value"] in (2, 3)
    house.asks("CloseStatistic", statisticId=2)
    await trio.sleep(SOON)
    assert house.status("orders.py")["lastError"] == ""
    assert house.status("orders.py")["openStatistics"] == 1


async def test_the_example_reads_its_file(house: House) -> None:
    tickets = house.folder / "tickets.json"
    house.write("tickets.py", (ROOT / "conf/extensions/tickets.py").read_text())
    tickets.write_text((ROOT / "conf/extensions/tickets.json").read_text())
    await house.up('"tickets.py" = true', f'tickets-file = "{tickets}"', "tickets-interval = 5")
    house.opens("Open_Tickets", "billing")
    house.opens("Solved_Tickets", "billing", timeProfile="Hour")
    house.opens("Oldest_Ticket", "returns")
    house.opens("Tickets_By_Priority", "billing")
    house.opens("Solved_Tickets", "billing", timeProfile="Window")
    await trio.sleep(SOON)
    told = house.hears()
    values = {e["statisticId"]: e["value"] for e in told if e["event"] == "Info"}
    assert values == {1: 12, 2: 0, 3: 620.0, 4: {"high": 2, "low": 10}}
    assert [e["statisticId"] for e in told if e["event"] == "StatisticClosed"] == [5]
    queues = json.loads(tickets.read_text())
    queues["billing"] |= {"open": 10, "solved": 106}
    tickets.write_text(json.dumps(queues))
    await trio.sleep(6)
    assert {e["statisticId"]: e["value"] for e in house.hears()} == {1: 10, 2: 3}
    await trio.sleep(3600)
    assert house.asks("PeekStatistic", statisticId=2)[-1]["value"] == 0
    tickets.write_text("{")
    await trio.sleep(6)
    reasons = {e["reason"] for e in house.hears() if e["event"] == "StatisticInvalid"}
    assert "JSONDecodeError" in reasons.pop()
    tickets.write_text(json.dumps(queues))
    await trio.sleep(10)
    assert house.told().count("StatisticValid") == 4


def test_its_configuration_can_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    config = load(ROOT / "conf" / "extensions.toml")
    assert not config.warnings
    folder: Any = config.python_config.python_extensions_dir
    assert (ROOT / folder / "tickets.py").is_file()
    assert (ROOT / str(config.python_extensions["tickets-file"])).is_file()
