"""The unit file, the image and the compose file: what can be said of them without their engines."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from test_run import CONF, PATIENCE, free_port

from statserver_trio.commands.main import main
from statserver_trio.config.load import load

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "conf" / "systemd" / "statserver@.service"
DOCKER = ROOT / "conf" / "docker"
SERVER = Path("/etc/statserver")


def parsed(arguments: list[str]) -> tuple[str | None, dict[str, Any]]:
    """A command line of ours, as the program understands it."""
    group = click.Context(main, **main.context_settings)
    name, command, rest = main.resolve_command(group, arguments)
    assert command is not None
    return name, command.make_context(name, rest, parent=group).params


# -- systemd -----------------------------------------------------------------------------------


def unit() -> dict[str, list[str]]:
    """Every key of the unit with its values, in order."""
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text().splitlines():
        if line and not line.startswith(("#", "[")):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def test_the_unit_goes_with_the_program(tmp_path: Path) -> None:
    keys = unit()
    assert keys["Type"] == ["notify"]
    assert float(keys["WatchdogSec"][0]) >= 10
    assert keys["Restart"] == ["on-failure"]
    assert keys["RestartPreventExitStatus"] == ["2 78"]  # usage and configuration, see --help
    program, *arguments = shlex.split(keys["ExecStart"][0])
    assert Path(program).name == "statserver"
    name, parameters = parsed(arguments)
    assert (name, parameters["conf"]) == ("run", SERVER / "%i.toml")
    variables = dict(each.split("=", 1) for each in keys["Environment"])
    (tmp_path / "x.toml").write_text(CONF.format(port=1, feed=2, data=tmp_path))
    config = load(tmp_path / "x.toml", variables)
    assert config.server.data_dir == f"%S/{keys['StateDirectory'][0]}"
    longest = config.server.drain_timeout + 10 + 2  # and the backup file, and clients
    assert float(keys["TimeoutStopSec"][0]) > longest


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_the_unit_is_right_for_systemd(tmp_path: Path) -> None:
    copy = tmp_path / "statserver@primary.service"
    text = UNIT.read_text().replace("/opt/statserver/bin/statserver", sys.executable)
    copy.write_text(text.replace("#LoadCredential", "LoadCredential").replace("#Env", "Env"))
    (tmp_path / "statserver@.service").write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)],
        capture_output=True, text=True, timeout=PATIENCE * 3, check=False,
    )  # fmt: skip
    mine = [line for line in done.stderr.splitlines() if "statserver" in line]
    assert not mine
    assert done.returncode == 0, done.stderr


# -- containers --------------------------------------------------------------------------------


def instructions() -> list[tuple[str, str]]:
    """Those of the Dockerfile, each on one line."""
    text = re.sub(r"^#.*\n", "", (DOCKER / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines if line)]


def variables() -> dict[str, str]:
    [text] = [rest for name, rest in instructions() if name == "ENV"]
    return dict(each.split("=", 1) for each in shlex.split(text))


def test_what_is_copied_is_there_and_not_ignored() -> None:
    let_through = (DOCKER / "Dockerfile.dockerignore").read_text().splitlines()
    assert let_through[0] == "*"
    copied = [rest.split()[:-1] for name, rest in instructions() if name == "COPY"]
    sources = [each for line in copied if not line[0].startswith("--from") for each in line]
    assert {"pyproject.toml", "statserver_trio", "conf"} < set(sources)
    for source in sources:
        assert (ROOT / source).exists()
        assert f"!{source}" in let_through


def test_the_image_is_run_by_nobody_in_particular() -> None:
    names = [name for name, _ in instructions()]
    said = dict(instructions())
    assert said["USER"] == "10001:10001"
    assert names.index("RUN") < names.index("USER") < names.index("ENTRYPOINT")
    assert json.loads(said["ENTRYPOINT"]) == ["statserver"]
    assert parsed(json.loads(said["CMD"]))[0] == "run"


def test_the_keys_that_the_image_gives_are_keys(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text(CONF.format(port=1, feed=2, data="x"))
    config = load(tmp_path / "x.toml", variables())
    assert config.server.data_dir == "/var/lib/statserver"
    assert config.server.log_format == "json"


def health_check(port: int) -> int:
    [text] = [rest for name, rest in instructions() if name == "HEALTHCHECK"]
    program, *arguments = json.loads(text.partition("CMD ")[2])
    assert program == "python"
    command = [sys.executable, *arguments]
    environment = {"MANAGEMENT_PORT": str(port)}
    done = subprocess.run(
        command, env=environment, stderr=subprocess.DEVNULL, timeout=PATIENCE, check=False
    )
    return done.returncode


def test_the_health_check(tmp_path: Path) -> None:
    port = free_port()
    assert health_check(port) != 0
    conf = tmp_path / "x.toml"
    listen = f'[[listen]]\nid = "management"\nport = {port}\n'
    conf.write_text(CONF.format(port=free_port(), feed=free_port(), data=tmp_path) + listen)
    program = [sys.executable, "-m", "statserver_trio", "run", str(conf)]
    with subprocess.Popen(program, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        while "operators look at" not in server.stderr.readline():
            assert server.poll() is None
        assert health_check(port) == 0
        server.terminate()
        server.communicate(timeout=PATIENCE)


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load((DOCKER / "compose.yaml").read_text())[
        "services"
    ]
    return found


@pytest.mark.parametrize("name", ["primary", "backup"])
def test_a_member_in_a_container(services: dict[str, dict[str, Any]], name: str) -> None:
    service = services[name]
    command, parameters = parsed(service["command"])
    assert command == "run"
    [mount] = [each.split(":") for each in service["volumes"] if each.startswith("..")]
    assert mount[1] == str(SERVER)
    file = (DOCKER / mount[0]).resolve() / parameters["conf"].relative_to(SERVER)
    config = load(file, {**variables(), **service["environment"]})
    assert config.server.role == name
    assert {each.host for each in config.listen} == {"0.0.0.0"}
    ports = {each.id: each.port for each in config.listen}
    inside = {int(each.split(":")[2]) for each in service["ports"]}
    assert inside == {ports["default"], ports["management"]}
    outside = {int(inside): host_port for host_port, _, inside in (
        each.rpartition(":") for each in service["ports"])}  # fmt: skip
    listen = next(each for each in config.listen if each.id == "default")
    assert listen.url == f"ws://{outside[ports['default']]}/"
    assert config.wallboard.url == f"http://{outside[ports['management']]}"
    seen = {**variables(), **service["environment"]}["MANAGEMENT_PORT"]
    assert int(seen) == ports["management"]
    assert config.tserver[0].host in services
    if name == "backup":
        assert config.ha.peer_host in services
    assert (DOCKER / service["build"]["context"]).resolve() == ROOT
    assert (ROOT / service["build"]["dockerfile"]).exists()


def test_their_t_server(services: dict[str, dict[str, Any]]) -> None:
    name, options = parsed(services["tserver"]["command"])
    assert name == "tserver"
    assert options["host"] == "0.0.0.0"
    assert options["port"] == load(ROOT / "conf" / "primary.toml").tserver[0].port
