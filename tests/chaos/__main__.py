"""The command line of chaos; see ``python -m tests.chaos --help``."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp

import click
import trio
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .cycles import Report, run_cycles
from .faults import FAULTS, INSIDE, available

TOOLS = ("unshare", "ip", "nft", "tc", "ss", "mount")
# Loopback is down in a new namespace, and a file system of ours can be full.
ENTER = """
set -e
ip link set lo up
for name in stat-primary stat-backup; do
    mkdir -p "$0/$name"
    mount -t tmpfs -o size=4m none "$0/$name"
done
exec "$@"
"""


@click.command()
@click.option("--cycles", default=50, show_default=True, help="How many faults.")
@click.option("--seed", default=1, show_default=True, help="Where chance begins.")
@click.option("--only", multiple=True, type=click.Choice(sorted(FAULTS)), help="Only such faults.")
@click.option("--statistics", default=300, show_default=True, help="How many are held open.")
@click.option("--speed", default=20.0, show_default=True, help="Of the contact centre.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures for programs.")
@click.option("--folder", type=click.Path(path_type=Path), hidden=True)
def main(
    cycles: int,
    seed: int,
    only: tuple[str, ...],
    statistics: int,
    speed: float,
    as_json: bool,
    folder: Path | None,
) -> None:
    """Hurt a real pair of servers under load, and compare it with one that was never hurt.

    Where we are root, that happens in namespaces of our own, so that nothing else is touched;
    elsewhere the faults that need them are skipped. Exits with 1 if a value was wrong, or the
    pair not in step in time; the logs of all servers are kept then.
    """
    folder = folder or Path(mkdtemp(prefix="statserver-chaos-"))
    _enter(folder)
    console = Console(stderr=True)
    kinds, skipped = available()
    kinds = [kind for kind in kinds if not only or kind in only]
    for kind, why in skipped.items():
        console.print(f"skipped: {kind} ({why})", highlight=False)
    if not kinds:
        raise click.ClickException("none of these faults can be done here")
    columns = (
        TextColumn("cycles"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, disable=as_json) as progress:
        task = progress.add_task("", total=cycles)

        def told(report: Report) -> None:
            progress.update(task, completed=report.cycles)
            if not console.is_terminal and not as_json:
                console.print(f"cycle {report.cycles} of {cycles}", highlight=False)

        async def run() -> Report:
            return await run_cycles(
                folder, seed, cycles, kinds, statistics=statistics, speed=speed, told=told
            )

        report = trio.run(run)
    data = report.as_data() | {"skipped": skipped}
    print(json.dumps(data, indent=1) if as_json else _table(data))
    if report.violations:
        again = f"python -m tests.chaos --seed {seed} --cycles {report.cycles + 1}"
        console.print(f"the servers' logs are in {folder}; again: {again}", highlight=False)
        sys.exit(1)
    shutil.rmtree(folder, ignore_errors=True)


def _enter(folder: Path) -> None:
    """Go on in namespaces of our own, where that can be."""
    if INSIDE in os.environ:
        return
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if os.geteuid() != 0 or missing:
        why = f"needs {', '.join(missing)}" if missing else "needs root"
        os.environ["STATSERVER_CHAOS_WHY"] = why
        return
    command = ["unshare", "-n", "-m", "sh", "-c"]
    if subprocess.run([*command, "ip link set lo up"], capture_output=True, check=False).returncode:
        os.environ["STATSERVER_CHAOS_WHY"] = "namespaces are not allowed here"
        return
    arguments = [sys.executable, "-m", "tests.chaos", *sys.argv[1:], "--folder", str(folder)]
    os.environ[INSIDE] = "1"
    os.execvp(command[0], [*command, ENTER, str(folder), *arguments])


def _table(data: dict[str, object]) -> str:
    width = max(map(len, data))
    return "\n".join(f"{name:{width}}  {value}" for name, value in data.items())


if __name__ == "__main__":
    main()
