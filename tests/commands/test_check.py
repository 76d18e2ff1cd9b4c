"""``statserver check``: what it prints, and how it exits."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from statserver_trio.commands.main import main

WARNING = "[queue-groups]\nV = ['8001@sw1']\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("good.toml").write_text("[server]\nname = 'good'\n")
    Path("warned.toml").write_text(WARNING)
    Path("bad.toml").write_text("[server]\nname = 1\nrole = 2\n" + WARNING)


def check(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", *arguments])


def test_a_good_file() -> None:
    result = check("good.toml")
    assert (result.exit_code, result.output) == (0, "good.toml: no mistakes\n")


def test_what_the_environment_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATSERVER__HA__ADDP_TIMEOUT", "5")
    assert check("good.toml").output.splitlines() == [
        "STATSERVER__HA__ADDP_TIMEOUT: gives [ha] addp-timeout",
        "good.toml: no mistakes",
    ]
    printed = check("good.toml", "--print")
    assert tomllib.loads(printed.stdout)["ha"]["addp-timeout"] == 5
    monkeypatch.setenv("STATSERVER__HA__ADDP_TIMEOUT", "0")
    result = check("good.toml")
    assert result.exit_code == 78
    assert result.output.startswith("STATSERVER__HA__ADDP_TIMEOUT: must be a number from 1")


def test_every_mistake_of_every_file() -> None:
    result = check("good.toml", "bad.toml", "nowhere.toml")
    assert result.exit_code == 78
    assert result.stdout.splitlines() == [
        "bad.toml: [server] name: must be a text in quotes, not 1",
        "bad.toml: [server] role: must be 'primary', 'backup' or 'standalone', not 2",
        "bad.toml: [queue-groups] V: warning: "
        "8001@sw1 is not listed in [[dns]]; taken for a DN of type Queue",
        "nowhere.toml: cannot read it: No such file or directory",
    ]


def test_a_filter_is_wrong_at_a_column() -> None:
    Path("filter.toml").write_text("[filters]\nVip = 'ANI = \"5\" & (DNIS 800)'\n")
    result = check("filter.toml")
    assert result.exit_code == 78
    assert result.stdout.splitlines() == [
        "filter.toml: [filters] Vip: column 19: "
        "expected a comparison (=, <>, !=, <, <=, >, >=), not '800'"
    ]


def test_a_warning_is_no_mistake() -> None:
    result = check("warned.toml")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "warned.toml: [queue-groups] V: warning: "
        "8001@sw1 is not listed in [[dns]]; taken for a DN of type Queue",
        "warned.toml: no mistakes",
    ]


def test_what_files_share_is_reported_once() -> None:
    Path("one.toml").write_text("include = ['bad.toml']")
    Path("two.toml").write_text("include = ['bad.toml']")
    assert check("one.toml", "two.toml").stdout == check("one.toml").stdout


def test_json() -> None:
    result = check("--json", "bad.toml")
    assert result.exit_code == 78
    found = json.loads(result.stdout)
    assert found[0] == {
        "file": "bad.toml",
        "section": "server",
        "key": "name",
        "what": "must be a text in quotes, not 1",
        "warning": False,
    }
    assert [each["warning"] for each in found] == [False, False, True]
    assert json.loads(check("--json", "good.toml").stdout) == []


def test_the_effective_configuration() -> None:
    result = check("--print", "warned.toml")
    assert result.exit_code == 0
    printed = tomllib.loads(result.stdout)
    assert printed["ha"]["chunk-size"] == 5000
    assert printed["server"]["role"] == "standalone"
    assert "warning" in result.stderr
    assert "warning" not in result.stdout


def test_an_expression_is_wrong_in_a_column() -> None:
    Path("virtual.toml").write_text("[virtual-agent-groups]\nV = 'Skill(\"Spanish\") >'\n")
    result = check("virtual.toml")
    assert result.exit_code == 78
    assert result.stdout.splitlines() == [
        "virtual.toml: [virtual-agent-groups] V: column 19: expected a function "
        "(Skill, LoggedIn, LoggedInSwitch) or a whole number, not the end of the membership",
    ]


def test_usage() -> None:
    assert check().exit_code == 2


def test_effective_configurations_for_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATSERVER__HA__ADDP_TIMEOUT", "5")
    result = check("--json", "--print", "good.toml", "warned.toml", "bad.toml")
    assert result.exit_code == 78
    one, other = map(json.loads, result.stdout.splitlines())
    assert (one["file"], one["configuration"]["server"]["name"]) == ("good.toml", "good")
    assert other["file"] == "warned.toml"
    assert other["configuration"]["ha"]["addp-timeout"] == 5
    said = [json.loads(line) for line in result.stderr.splitlines()]
    assert [next(iter(each)) for each in said] == [
        "warning", "mistake", "mistake", "warning", "variable",
    ]  # fmt: skip
    assert said[1]["mistake"]["key"] == "name"
    assert said[-1] == {"variable": "STATSERVER__HA__ADDP_TIMEOUT", "gives": "[ha] addp-timeout"}
