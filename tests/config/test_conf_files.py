"""The configurations that come with the project: all load, and hold what clients ask for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from statserver_trio.config.load import load
from statserver_trio.config.site import make_site
from statserver_trio.model.directory import DNKey
from statserver_trio.stats.definitions import Definitions
from statserver_trio.stats.definitions.object_types import canonical

ROOT = Path(__file__).parents[2]
CONF = ROOT / "conf"
CLIENTS = ROOT / "../shared/data/genesys/client-statistics.json"

# Names of predefined stat types that public clients open, beyond those of the data file
# (statistics.md §1.4); ExpectedWaitTime needs a category that is not there yet.
PREDEFINED = """
Average_Calls_Per_Hour CurrNumberWaitingCalls Total_Calls_Entered Total_Calls_Answered
Total_Calls_Answered_In_Threshold Total_Calls_Abandoned Service_Factor CurrentReadyAgents
CurrNumberNotReadyStatuses Total_Login_Time Average_Handle_Time CurrentAgentState
"""


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return make_site(load(CONF / "contact-center.toml")).definitions


@pytest.mark.parametrize("path", sorted(CONF.glob("*.toml")), ids=lambda path: path.name)
def test_it_loads_without_a_word(path: Path) -> None:
    config = load(path)
    assert not config.warnings
    make_site(config)


def test_the_pair_fits_together() -> None:
    primary, backup = load(CONF / "primary.toml"), load(CONF / "backup.toml")
    assert (primary.server.role, backup.server.role) == ("primary", "backup")
    assert primary.server.peer == backup.server.name
    assert backup.server.peer == primary.server.name
    assert primary.server.data_dir != backup.server.data_dir
    assert backup.ha.peer_port in {each.port for each in primary.listen if each.id == "ha"}
    assert "ha" not in {each.id for each in backup.listen}
    assert {each.port for each in primary.listen}.isdisjoint(each.port for each in backup.listen)
    assert primary.tserver == backup.tserver
    assert make_site(primary) == make_site(backup)


def test_the_objects_of_the_simulator() -> None:
    directory = make_site(load(CONF / "standalone.toml")).directory
    assert list(directory.agents) == [f"a{n}" for n in range(1, 21)]
    for n in range(1, 21):
        assert directory.places[f"P{n}"].dns == (DNKey(str(7000 + n), "sw1"),)
    mediation = {key.number: dn.type for key, dn in directory.dns.items() if dn.is_mediation}
    assert mediation == {
        **dict.fromkeys(["8001", "8002", "8003"], "Queue"),
        "9001": "RoutePoint",
        "VQ_Sales": "VirtualQueue",
    }
    groups = directory.agent_groups
    assert (len(groups["Sales"]), len(groups["Support"]), len(directory.dns)) == (10, 10, 25)
    assert not set(groups["Sales"]) & set(groups["Support"])


def opened_by_clients() -> list[Any]:
    if not CLIENTS.exists():
        why = f"{CLIENTS} is not there: it holds what real clients open"
        return [pytest.param({}, marks=pytest.mark.skip(reason=why), id="no data")]
    clients = json.loads(CLIENTS.read_text())["clients"]
    return [
        pytest.param(opened, id=opened["statistic"])
        for client in clients
        for opened in client["statistics"]
        if "(" not in opened["statistic"]  # definitions of their own, and descriptions
    ]


@pytest.mark.parametrize("opened", opened_by_clients())
def test_what_a_real_client_opens_is_defined(
    definitions: Definitions, opened: dict[str, str]
) -> None:
    stat_type = definitions.stat_types[opened["statistic"]]
    assert canonical(opened["object_type"]) in stat_type.objects
    assert definitions.time_profile(opened.get("time_profile")) is not None
    assert definitions.time_range(opened.get("time_range")) is not None
    if "filter" in opened:
        assert opened["filter"] in definitions.filters


@pytest.mark.parametrize("name", PREDEFINED.split())
def test_a_predefined_name_is_defined(definitions: Definitions, name: str) -> None:
    assert definitions.stat_types[name].description


def test_every_definition_says_what_it_means(definitions: Definitions) -> None:
    assert all(stat_type.description for stat_type in definitions.stat_types.values())
