"""What all commands have in common: help with an example, ``--json``, errors as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from statserver_trio import __version__
from statserver_trio.commands.main import COMMANDS, main

PRINTS_NO_DATA = {"completion"}  # but a script


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def error_of(result: Result) -> Any:
    """The one error, which is all there is."""
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return json.loads(line)["error"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    help_text = run(name, "--help").output
    assert "Example:\n" in help_text
    assert f"statserver {name}" in help_text.partition("Example:")[2]


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in PRINTS_NO_DATA])
def test_every_command_that_prints_has_json(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    (option,) = (each for each in command.params if each.name == "as_json")
    assert isinstance(option, click.Option)
    assert "JSON lines on standard error" in (option.help or "")


def test_the_version() -> None:
    assert run("--version").output == f"statserver, version {__version__}\n"
    said = json.loads(run("--version", "--json").stdout)
    assert (said["name"], said["version"]) == ("statserver", __version__)
    assert json.loads(run("--json", "--version").stdout) == said
    assert run("--json", "check", "x.toml").exit_code == 2


def test_wrong_usage() -> None:
    error = error_of(run("watch", "--json", "http://h", "--open", "Queue:8001@sw1:Waiting"))
    assert (error["code"], error["exitCode"]) == ("usage", 2)
    assert "'http://h' is no address" in error["message"]
    assert error_of(run("wathc", "--json"))["exitCode"] == 2
    assert error_of(run("top", "h:1", "--json", "--management", "h"))["code"] == "usage"


def test_a_bad_configuration(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text('[server]\nrole = "boss"\n')
    result = run("replay", "-", "--config", str(path), "--open-all", "--json")
    assert result.exit_code == 78
    error = error_of(result)
    assert error["code"] == "configuration"
    assert error["mistakes"][0]["section"] == "server"
    plain = run("replay", "-", "--config", str(path), "--open-all")
    assert plain.stderr == f"{error['message']}\n"


def test_what_replay_notes(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("nonsense\n")
    conf = str(Path(__file__).parent.parent.parent / "conf" / "standalone.toml")
    result = run("replay", str(path), "--config", conf, "--open-all", "--json")
    assert result.exit_code == 1
    note, error = map(json.loads, result.stderr.splitlines())
    assert note["skipped"] == 1
    assert error["error"]["message"] == "no events: is the format right?"


def test_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl"
    result = run("tserver", "--out", str(path), "--events", "50", "--json")
    assert json.loads(result.stdout) == {"event": "Recorded", "file": str(path), "events": 50}
    assert len(path.read_text().splitlines()) == 50
    plain = run("tserver", "--out", "-", "--events", "50", "--json")
    assert plain.stdout == path.read_text()
