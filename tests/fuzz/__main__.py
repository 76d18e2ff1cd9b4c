"""The command line of the fuzzer; see ``python -m tests.fuzz --help``."""

from __future__ import annotations

import json
import multiprocessing
import sys

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .running import Failure, some
from .targets import TARGETS

AT_ONCE = 2_000  # executions that a process does from one seed


@click.command()
@click.argument("targets", nargs=-1, type=click.Choice(sorted(TARGETS)))
@click.option("--executions", default=20_000, show_default=True, help="Of each target.")
@click.option("--seed", default=0, show_default=True, help="Where chance begins.")
@click.option("--processes", default=2, show_default=True, help="To do it in.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures for programs.")
def main(
    targets: tuple[str, ...], executions: int, seed: int, processes: int, as_json: bool
) -> None:
    """Feed what comes from outside with input that is almost right.

    Exits with 1 if anything but a declared error came of it; such inputs are added to
    tests/fuzz/corpus, from where make test takes them.
    """
    names = targets or tuple(TARGETS)
    jobs = [
        (name, seed + at, min(AT_ONCE, executions - at))
        for at in range(0, executions, AT_ONCE)
        for name in names
    ]
    done = dict.fromkeys(names, 0)
    failures: dict[str, list[Failure]] = {name: [] for name in names}
    console = Console(stderr=True)
    columns = (
        TextColumn("executions"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    context = multiprocessing.get_context("spawn")
    with (
        Progress(*columns, console=console, disable=as_json) as progress,
        context.Pool(processes) as pool,
    ):
        task = progress.add_task("", total=executions * len(names))
        for name, number, found in pool.imap_unordered(some, jobs):
            done[name] += number
            progress.update(task, advance=number)
            for failure in found:
                if not failures[name]:
                    failure.path.write_bytes(failure.data)
                    console.print(f"{name}: {failure.why}", markup=False, highlight=False)
                    console.print(f"  {failure.path}", markup=False, highlight=False)
                failures[name].append(failure)
    data = {n: {"executions": done[n], "undeclared": len(failures[n])} for n in names}
    if as_json:
        print(json.dumps(data, indent=1))
    else:
        for name, figures in data.items():
            print(f"{name:16} {figures['executions']:>10,} {figures['undeclared']:>3} undeclared")
    sys.exit(1 if any(failures.values()) else 0)


if __name__ == "__main__":
    main()
