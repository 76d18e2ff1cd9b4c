"""The command line of the fuzzer; see ``python -m tests.fuzz --help``."""

from __future__ import annotations

import json
import multiprocessing
import sys
from collections.abc import Sequence
from multiprocessing.pool import ThreadPool

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from . import guided
from .running import Failure, some
from .targets import TARGETS

Figures = dict[str, int]
AT_ONCE = 2_000  # executions that a process does from one seed


@click.command()
@click.argument("targets", nargs=-1, type=click.Choice(sorted(TARGETS)))
@click.option("--executions", default=20_000, show_default=True, help="Of each target.")
@click.option("--seed", default=0, show_default=True, help="Where chance begins.")
@click.option("--processes", default=2, show_default=True, help="To do it in.")
@click.option("--guided", "is_guided", is_flag=True, help="Led by what it reaches, with atheris.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures for programs.")
def main(
    targets: tuple[str, ...],
    executions: int,
    seed: int,
    processes: int,
    is_guided: bool,
    as_json: bool,
) -> None:
    """Feed what comes from outside with input that is almost right.

    Exits with 1 if anything but a declared error came of it; such inputs are added to
    tests/fuzz/corpus, from where make test takes them.
    """
    names = targets or tuple(TARGETS)
    if is_guided and not guided.is_there():
        raise click.ClickException("atheris is not installed: pip install atheris")
    columns = (
        TextColumn("executions"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=as_json) as progress:
        progress.add_task("", total=executions * len(names))
        fuzz = _guided if is_guided else _by_chance
        data = fuzz(names, executions, seed, processes, progress)
    if as_json:
        print(json.dumps(data, indent=1))
    else:
        for name, figures in data.items():
            reached = f"{figures['reached']:>8,} places reached" if is_guided else ""
            count, undeclared = figures["executions"], figures["undeclared"]
            print(f"{name:16} {count:>10,} {undeclared:>3} undeclared{reached}")
    sys.exit(1 if any(each["undeclared"] for each in data.values()) else 0)


def _by_chance(
    names: Sequence[str], executions: int, seed: int, processes: int, progress: Progress
) -> dict[str, Figures]:
    jobs = [
        (name, seed + at, min(AT_ONCE, executions - at))
        for at in range(0, executions, AT_ONCE)
        for name in names
    ]
    done = dict.fromkeys(names, 0)
    failures: dict[str, list[Failure]] = {name: [] for name in names}
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for name, number, found in pool.imap_unordered(some, jobs):
            done[name] += number
            progress.update(progress.task_ids[0], advance=number)
            for failure in found:
                if not failures[name]:
                    failure.path.write_bytes(failure.data)
                    _tell(progress, f"{name}: {failure.why}\n  {failure.path}")
                failures[name].append(failure)
    return {n: {"executions": done[n], "undeclared": len(failures[n])} for n in names}


def _guided(
    names: Sequence[str], executions: int, seed: int, processes: int, progress: Progress
) -> dict[str, Figures]:
    found: dict[str, Figures] = {}
    with ThreadPool(processes) as pool:  # each waits for a process of its own
        for each in pool.imap(guided.run, [(name, executions, seed) for name in names]):
            progress.update(progress.task_ids[0], advance=executions)
            if each.failure:
                _tell(progress, f"{each.target}: {each.failure}")
            found[each.target] = {
                "executions": each.executions,
                "undeclared": int(bool(each.failure)),
                "reached": each.reached,
            }
    return found


def _tell(progress: Progress, text: str) -> None:
    progress.console.print(text, markup=False, highlight=False)


if __name__ == "__main__":
    main()
