"""A reader's machine: a folder with the files that come along, free ports, what was started there.

What a page says is done there letter by letter, but for the ports: each of those that are written
in ``conf/`` stands for a free one. A command that a page ends with ``&`` goes on, and another page
that begins with the same one finds it there; so few servers serve all pages.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections.abc import Callable
from pathlib import Path

from docs_blocks import ROOT, blocks, commands

PORTS = (7100, 7101, 7102, 7110, 7112, 7200)
PATIENCE = 40  # seconds, on a busy machine
ENDLESS = re.compile(
    r"(statserver (watch|top)\b(?!.*(--count|--once|--help))|sh \S+watch\.sh|node .*watch)"
)
BACKGROUND = re.compile(r"\s*&\s*(#.*)?$")
# A reader with an Asterisk has such a file; here it is the one that docs/howto/asterisk.md shows.
QUEUE_LOG = "/var/log/asterisk/queue_log"
KILL = re.compile(r"kill (-9 )?%(\d) && wait %\2")
BIN = Path(sys.executable).parent
SHELL = shutil.which("bash") or "sh"  # what a reader types into


# Programs that need not be there, by what is run with them.
TOOLS = {"watch.mjs": ("node",), "watch.sh": ("curl", "websocat"), "curl ": ("curl",)}
PATH = os.pathsep.join([str(BIN), os.environ.get("PATH", "")])


def missing(command: str) -> list[str]:
    """What a command needs and this machine does not have."""
    tools = [tool for word, needed in TOOLS.items() if word in command for tool in needed]
    return [tool for tool in tools if shutil.which(tool, path=PATH) is None]


def free_ports(count: int) -> list[int]:
    """Ports that nobody had a moment ago; open at the same time, so that no two are the same."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    found = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return found


class World:
    """One machine.

    Args:
        feed: The port that stands for 7200: one T-Server serves several worlds.
    """

    def __init__(self, folder: Path, feed: int) -> None:
        self.folder = folder
        self.ports = dict(zip(PORTS, [*free_ports(len(PORTS) - 1), feed], strict=True))
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self._starting: list[tuple[str, subprocess.Popen[bytes], Path]] = []
        folder.mkdir()
        for name in ("conf", "docs/examples"):
            shutil.copytree(
                ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        for path in folder.rglob("*.toml"):
            path.write_text(self.translated(path.read_text(encoding="utf-8")), encoding="utf-8")
        (folder / ".venv").symlink_to(BIN.parent)
        shown = next(b for b in blocks("docs/howto/asterisk.md") if b.title == "queue_log")
        (folder / "queue_log").write_text(shown.text, encoding="utf-8")
        self.environment = {**os.environ, "PATH": PATH, "PYTHONUNBUFFERED": "1"}

    def translated(self, text: str) -> str:
        """The same with the ports and the log of this world."""
        return re.sub(
            rf"\b({'|'.join(map(str, PORTS))})\b",
            lambda found: str(self.ports[int(found[1])]),
            text.replace(QUEUE_LOG, str(self.folder / "queue_log")),
        )

    def close(self) -> None:
        """End what still runs."""
        for process in self.running.values():
            process.kill()
            process.wait()

    # -- what a page says ---------------------------------------------------------------------

    def write(self, name: str, text: str) -> None:
        """A file of the page."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.translated(text), encoding="utf-8")

    def run(self, text: str, jobs: list[str]) -> None:
        """A shell block; ``jobs`` are those of the page, as a shell numbers them."""
        for command in commands(self.translated(text)):
            if not BACKGROUND.search(command):
                self.settle()
            killed = KILL.match(command)
            if killed:
                process = self.running.pop(jobs.pop(int(killed[2]) - 1))
                process.send_signal(signal.SIGKILL if killed[1] else signal.SIGTERM)
                process.wait(PATIENCE)
            elif BACKGROUND.search(command):
                self.start(BACKGROUND.sub("", command).strip(), jobs)
            elif command.startswith("make "):
                self._make(command)
            elif missing(command):
                continue  # the tests of the examples are skipped then, and say so
            elif ENDLESS.match(command):
                self.look_at([SHELL, "-c", f"exec {command}"])
            else:
                self._finish(command)
        self.settle()

    def start(self, command: str, jobs: list[str]) -> None:
        """Something that goes on, unless it does already."""
        if command.startswith("statserver tserver") and "--port" not in command:
            command += f" --port {self.ports[7200]}"
        jobs.append(command)
        process = self.running.get(command)
        if process is not None and process.poll() is None:
            return
        log = self.folder / f"{len(self.running)}.log"
        with log.open("wb") as out:
            self.running[command] = process = subprocess.Popen(
                [SHELL, "-c", f"exec {command}"],
                cwd=self.folder, env=self.environment, stdout=out, stderr=out,
            )  # fmt: skip
        self._starting.append((command, process, log))

    def settle(self) -> None:
        """Wait until everything is there; the members of a pair wait for each other, too."""
        deadline = time.monotonic() + PATIENCE
        for command, process, log in self._starting:
            is_there = self._sign(command)
            while not is_there():
                assert process.poll() is None, f"{command} ended: {log.read_text()}"
                assert time.monotonic() < deadline, f"{command} is not there: {log.read_text()}"
                time.sleep(0.02)
        self._starting.clear()

    def _sign(self, command: str) -> Callable[[], bool]:
        """What says whether it is there."""
        words = command.split()
        if words[1] == "run":
            with (self.folder / words[2]).open("rb") as file:
                listens = tomllib.load(file)["listen"]
            managed = [each["port"] for each in listens if each.get("id") == "management"]
            if managed:
                return lambda: _is_ready(managed[0])
            return lambda: _is_open(listens[0]["port"])
        assert words[1] == "tserver", f"nobody knows when this is there: {command}"
        return lambda: _is_open(self.ports[7200])

    def look_at(self, command: list[str], until: Callable[[str], bool] = bool) -> None:
        """Something that would go on for ever: until it says that, and no complaint beside it."""
        with subprocess.Popen(
            command, cwd=self.folder, env=self.environment, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            assert process.stderr is not None
            line = process.stdout.readline()
            while line and not until(line):
                line = process.stdout.readline()
            os.killpg(process.pid, signal.SIGTERM)
            process.stdout.read()
            complaint = process.stderr.read()
        assert line, f"{command} has ended: {complaint}"
        assert "Traceback" not in complaint, complaint

    def _finish(self, command: str) -> None:
        done = subprocess.run(
            [SHELL, "-c", command], cwd=self.folder, env=self.environment, timeout=PATIENCE,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        said = f"{command}\nexit code {done.returncode}\n{done.stdout}{done.stderr}"
        assert done.returncode == 0, said

    def _make(self, command: str) -> None:
        """Run the main job; of other targets see that they exist, for they take minutes."""
        words = command.split("#")[0].split()
        if words == ["make", "run"] and not _is_open(PORTS[0]):  # else somebody does already
            self.look_at(["make", "-C", str(ROOT), "run"])
            return
        done = subprocess.run(
            [*words, "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=PATIENCE) as answer:
            return answer.status == 200
    except OSError:
        return False
