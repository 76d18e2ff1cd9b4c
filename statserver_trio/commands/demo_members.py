"""The two members of the demo's pair: real processes, which may be killed and started again."""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from pathlib import Path
from subprocess import STDOUT
from typing import Any

import trio
from attrs import define, evolve, field

from ..config.dump import dump
from ..config.schema import Config
from .status import ask_status

LOOPBACK = "127.0.0.1"
STOP_SECONDS = 5.0  # for a member to drain at the end

# What the pair of a demo does differently: nobody wants to wait for ten seconds.
QUICK: dict[str, Any] = {
    "connect_timeout": 0.5,
    "join_timeout": 5.0,
    "addp_timeout": 2.0,
    "addp_remote_timeout": 2.0,
    "addp_trace": "off",
}


def free_port(wanted: int) -> int:
    """The wanted port if nobody has it, else any free one."""
    for port in (wanted, 0):
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                sock.bind((LOOPBACK, port))
                return int(sock.getsockname()[1])
    raise OSError("no free port on the loopback interface")


@define(eq=False)
class Member:
    """One process.

    Attributes:
        port, operator_port: For clients, and for the status.
        log: What it says, a file.
        kills: How often it was killed.
    """

    name: str
    port: int
    operator_port: int
    conf: Path
    log: Path
    kills: int = 0
    process: trio.Process | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"ws://{LOOPBACK}:{self.port}/"

    @property
    def board_url(self) -> str:
        """Where browsers find its wallboard."""
        return f"http://{LOOPBACK}:{self.operator_port}/"

    @property
    def runs(self) -> bool:
        """Whether there is a process."""
        return self.process is not None and self.process.returncode is None

    async def start(self) -> None:
        """Start the process; it takes a second or two to serve."""
        command = [sys.executable, "-m", "statserver_trio", "run", str(self.conf)]
        with self.log.open("ab") as out:
            self.process = await trio.lowlevel.open_process(command, stdout=out, stderr=STDOUT)

    def kill(self) -> None:
        """End it as a power failure would: SIGKILL, no goodbye."""
        if self.process is not None and self.runs:
            self.kills += 1
            self.process.kill()

    async def stop(self) -> None:
        """End it politely, or in the end not."""
        if self.process is None or not self.runs:
            return
        self.process.terminate()
        with trio.move_on_after(STOP_SECONDS, shield=True):
            await self.process.wait()
        if self.runs:
            self.process.kill()

    async def status(self) -> dict[str, Any] | None:
        """What it says of itself; None if it says nothing."""
        return await ask_status(LOOPBACK, self.operator_port)


def make_pair(
    primary: Config, backup: Config, folder: Path, tserver_port: int, port: int
) -> tuple[Member, Member]:
    """Write the configurations of a pair into ``folder``; nothing is started yet.

    Args:
        port: Where clients of the primary connect, if it is free; the others are near it.
    """
    ha_port = free_port(port and port + 1)
    ports = [free_port(port and port + n) for n in (0, 2, 10, 12)]

    def adapted(config: Config, ports: list[int], peer: int, **ha: Any) -> Config:
        numbers = {"default": ports[0], "management": ports[1], "ha": ha_port}
        return evolve(
            config,
            server=evolve(config.server, data_dir=str(folder / config.server.name)),
            listen=tuple(
                evolve(each, host=LOOPBACK, port=numbers[each.id]) for each in config.listen
            ),
            ha=evolve(config.ha, **QUICK, **ha),
            wallboard=evolve(config.wallboard, origins=(f"http://{LOOPBACK}:{peer}",)),
            tserver=(evolve(config.tserver[0], host=LOOPBACK, port=tserver_port),),
        )

    members = []
    plans: tuple[tuple[Config, list[int], int, dict[str, Any]], ...] = (
        (primary, ports[:2], ports[3], {}),
        (backup, ports[2:], ports[1], {"peer_host": LOOPBACK, "peer_port": ha_port}),
    )
    for config, some_ports, peer, ha in plans:
        name = config.server.name
        conf, log = folder / f"{name}.toml", folder / f"{name}.log"
        conf.write_text(dump(adapted(config, some_ports, peer, **ha)), encoding="utf-8")
        members.append(Member(name, some_ports[0], some_ports[1], conf, log))
    first, second = members
    return first, second
