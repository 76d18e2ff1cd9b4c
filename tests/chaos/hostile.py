"""Good clients among hostile ones, on one real server; ``python -m tests.chaos.hostile --help``."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import trio
from attrs import define, field

from statserver_trio.client import ConnectionLost, open_statserver
from statserver_trio.client.statserver import StatServer
from statserver_trio.commands.demo_members import Member

from .attackers import CLOSED, ON_CLIENTS, ON_OPERATORS, Attacker
from .processes import (
    LOOK_SECONDS,
    UP_SECONDS,
    Switch,
    TooLong,
    files_of,
    memory_of,
    standalone,
)

ASK_SECONDS = 0.1  # between two questions of a good client
GONE_SECONDS = 30.0  # until whoever has no business there must be gone
DELAY_MAX = 1.0  # seconds that 99 of 100 values of good clients may take
FILES_MORE_MAX = 3  # than before, when the others are gone
GOOD = "Queue:8001@sw1:CurrNumberWaitingCalls"


@define
class Outcome:
    """What came of it.

    Attributes:
        delays: Seconds that good clients waited for a value, each time.
        ends: Of the attackers, by kind: what they were told at the end; one that was never sent
            away is not here.
        memory: Bytes that the server has, before and after; files likewise.
    """

    attackers: dict[str, int] = field(factory=dict)
    delays: list[float] = field(factory=list)
    ends: dict[str, list[str]] = field(factory=dict)
    lost: list[str] = field(factory=list)
    memory: list[int] = field(factory=list)
    files: list[int] = field(factory=list)

    def complaints(self) -> list[str]:
        """What is not as it must be."""
        found = [f"a good client lost its connection: {each}" for each in self.lost]
        p99 = self.as_data()["delaySeconds"]["p99"]
        if p99 >= DELAY_MAX:
            found.append(f"good clients waited for {p99:g} s (99 of 100; at most {DELAY_MAX:g})")
        before, after = self.files[0], self.files[-1]
        if after > before + FILES_MORE_MAX:
            found.append(f"{before} files were open before, and {after} are afterwards")
        return found

    def as_data(self) -> dict[str, Any]:
        """For programs."""
        times = sorted(self.delays) or [0.0]
        shares = {"p50": 0.5, "p99": 0.99, "max": 1.0}
        return {
            "attackers": self.attackers,
            "sentAway": {kind: len(told) for kind, told in self.ends.items()},
            "goodClientsLost": self.lost,
            "values": len(self.delays),
            "delaySeconds": {
                name: round(times[min(len(times) - 1, int(share * len(times)))], 4)
                for name, share in shares.items()
            },
            "megabytes": [each // 2**20 for each in self.memory],
            "files": self.files,
        }


class House:
    """A server, its T-Server, and whoever comes.

    Attributes:
        member: The server.
    """

    def __init__(self, folder: Path) -> None:
        self.outcome = Outcome()
        self.switch = Switch(1, 10.0)
        self.member: Member = None  # type: ignore[assignment]
        self._folder = folder
        self._is_over = False

    async def start(self, nursery: trio.Nursery) -> None:
        """Start it, and wait until it serves.

        Raises:
            TooLong: It does not.
        """
        await nursery.start(self.switch.serve)
        self.switch.lives = True
        self.member = standalone(self._folder, self.switch.port)
        await self.member.start()
        for _ in range(round(UP_SECONDS / LOOK_SECONDS)):
            if await self.member.status():
                return
            await trio.sleep(LOOK_SECONDS)
        raise TooLong("the server does not come up")

    def look(self) -> None:
        """Note how much the server has now."""
        self.outcome.memory.append(memory_of(self.member))
        self.outcome.files.append(files_of(self.member))

    async def good_client(
        self, *, task_status: trio.TaskStatus[StatServer] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Ask for a value all the time; ends only when it loses its connection."""
        try:
            async with open_statserver(self.member.url) as server:
                statistic = await server.open(GOOD, mode="NoNotification")
                task_status.started(server)
                while True:
                    began = trio.current_time()
                    await server.peek(statistic)
                    self.outcome.delays.append(trio.current_time() - began)
                    await trio.sleep(ASK_SECONDS)
        except ConnectionLost as lost:
            if not self._is_over:
                self.outcome.lost.append(str(lost))

    async def attack(self, kind: str, attacker: Attacker, port: int) -> None:
        """Let somebody do what he does."""
        self.outcome.attackers[kind] = self.outcome.attackers.get(kind, 0) + 1
        try:
            told = await attacker(port)
        except CLOSED as refused:  # before it could do anything
            told = f"refused: {refused}"
        self.outcome.ends.setdefault(kind, []).append(told)

    async def files_settle(self, before: int, slack: int = FILES_MORE_MAX) -> bool:
        """Whether the server has given back all files but a few, within a while."""
        for _ in range(round(GONE_SECONDS / LOOK_SECONDS)):
            if files_of(self.member) <= before + slack:
                return True
            await trio.sleep(LOOK_SECONDS)
        return False

    async def stop(self) -> None:
        """End the server, which must not have ended before."""
        if self.member is None or self.member.process is None:
            return
        self._is_over = True
        if not self.member.runs:
            self.outcome.lost.append("the server has ended")
            return
        self.member.process.kill()
        await self.member.process.wait()


async def siege(
    folder: Path, numbers: Mapping[str, int], good: int, seconds: float, operators: int = 0
) -> Outcome:
    """Good clients among so many attackers of each kind, for so long.

    Args:
        operators: So many of each kind on the operators' port besides.
    """
    house = House(folder)
    async with trio.open_nursery() as nursery:
        try:
            await house.start(nursery)
            for _ in range(good):
                await nursery.start(house.good_client)
            house.look()
            async with trio.open_nursery() as attackers:
                for kind, number in numbers.items():
                    for _ in range(number):
                        attackers.start_soon(
                            house.attack, kind, ON_CLIENTS[kind], house.member.port
                        )
                for kind, attacker in ON_OPERATORS.items():
                    for _ in range(operators):
                        port = house.member.operator_port
                        attackers.start_soon(house.attack, f"operators/{kind}", attacker, port)
                await trio.sleep(seconds)
                attackers.cancel_scope.cancel()
            await house.files_settle(house.outcome.files[0])
            house.look()
        finally:
            with trio.CancelScope(shield=True):
                await house.stop()
            nursery.cancel_scope.cancel()
    return house.outcome


@click.command()
@click.option("--slowloris", default=1000, show_default=True, help="A byte now and then.")
@click.option("--silent", default=100, show_default=True, help="Not a word.")
@click.option("--slow-readers", default=10, show_default=True, help="Ask, and never read.")
@click.option("--others", default=2, show_default=True, help="Of every other kind.")
@click.option("--good", default=50, show_default=True, help="Good clients.")
@click.option("--seconds", default=20.0, show_default=True, help="For how long.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures for programs.")
def main(
    slowloris: int, silent: int, slow_readers: int, others: int, good: int, seconds: float,
    as_json: bool,
) -> None:  # fmt: skip
    """How long good clients wait for a value while others do their worst.

    Exits with 1 if one of them lost its connection, if one value in a hundred came after a second,
    or if the server has kept the files of those that it has sent away.
    """
    numbers = dict.fromkeys(ON_CLIENTS, others)
    numbers |= {"slowloris": slowloris, "silent": silent, "slow_reader": slow_readers}
    with TemporaryDirectory(prefix="statserver-hostile-") as folder:
        outcome = trio.run(siege, Path(folder), numbers, good, seconds, others)
    data = outcome.as_data()
    print(
        json.dumps(data, indent=1) if as_json else "\n".join(f"{k}: {v}" for k, v in data.items())
    )
    for complaint in (complaints := outcome.complaints()):
        print(complaint, file=sys.stderr)
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
