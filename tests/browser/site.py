"""A T-Server and a pair as processes, for a browser to look at; and the browser."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import define, field

from statserver_trio.commands.demo_members import LOOPBACK, Member, free_port, make_pair
from statserver_trio.config.load import load

ROOT = Path(__file__).parents[2]
UP_SECONDS = 60.0  # for anything that has to come, on a busy machine
LOOK_SECONDS = 0.05


def wait_until(
    what: Callable[[], Any], why: str | Callable[[], str], seconds: float = UP_SECONDS
) -> Any:
    """Look until it is so; what it was then.

    Playwright's own waiting needs ``eval``, which the page's policy forbids.
    """
    until = time.monotonic() + seconds
    while True:
        found = what()
        if found:
            return found
        if time.monotonic() >= until:
            raise AssertionError(f"after {seconds:g} s: {why if isinstance(why, str) else why()}")
        time.sleep(LOOK_SECONDS)


@define(eq=False)
class Site:
    """Three processes.

    Attributes:
        members: The configured primary, and the backup.
    """

    folder: Path
    agents: int = 20
    speed: float = 10.0
    occupancy: float = 0.9
    members: tuple[Member, ...] = ()
    _port: int = 0
    _processes: dict[str, subprocess.Popen[bytes]] = field(factory=dict)

    def start(self) -> None:
        """Start everything, and wait until the pair is in step."""
        self._port = free_port(0)
        primary, backup = (load(ROOT / "conf" / f"{name}.toml") for name in ("primary", "backup"))
        self.members = make_pair(primary, backup, self.folder, self._port, 0)
        self.start_tserver()
        for member in self.members:
            self.start_member(member)
        for member in self.members:
            wait_until(lambda of=member: self.is_in_step(of), f"{member.name} is not in step")

    def stop(self) -> None:
        """End all of them."""
        for name in list(self._processes):
            self.kill(name)

    def start_tserver(self) -> None:
        """Let things happen."""
        numbers = (self._port, self.agents, self.speed, self.occupancy)
        self._start("tserver", "tests.browser.busy_tserver", *map(str, numbers))

    def start_member(self, member: Member) -> None:
        """Start it, for the first time or again."""
        self._start(member.name, "statserver_trio", "run", str(member.conf))

    def _start(self, name: str, module: str, *arguments: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as out:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
            )

    def kill(self, name: str) -> float:
        """SIGKILL; when that was, in Unix seconds."""
        process = self._processes.pop(name)
        process.kill()
        moment = time.time()
        process.wait()
        return moment

    @contextmanager
    def frozen(self, name: str) -> Iterator[float]:
        """SIGSTOP for the length of a block; when that was, in Unix seconds."""
        process = self._processes[name]
        process.send_signal(signal.SIGSTOP)
        try:
            yield time.time()
        finally:
            process.send_signal(signal.SIGCONT)

    def page_of(self, member: Member) -> str:
        """Where its wallboard is."""
        return f"http://{LOOPBACK}:{member.operator_port}"

    def status(self, member: Member) -> dict[str, Any] | None:
        """What it says of itself; None if it says nothing."""
        try:
            with urllib.request.urlopen(f"{self.page_of(member)}/api/status", timeout=5) as answer:
                said: dict[str, Any] = json.load(answer)
        except OSError:
            return None
        return said

    def is_in_step(self, member: Member) -> bool:
        """Whether it hears the T-Server, and the pair is synchronised."""
        said = self.status(member)
        return (
            said is not None
            and all(source["connected"] for source in said["sources"])
            and bool((said["peer"] or {}).get("synchronised"))
        )


@contextmanager
def running(site: Site) -> Iterator[Site]:
    """A site for the length of a block."""
    try:
        site.start()
        yield site
    finally:
        site.stop()
