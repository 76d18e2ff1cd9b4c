"""The command line of the simulation; see ``python -m tests.sim --help``."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .day import Outcome, live
from .runs import Total, command, run_days

STOPPED = 130  # as a shell calls it
ROOT = Path(__file__).parent.parent.parent


@click.command()
@click.option("--runs", default=100, show_default=True, help="How many days.")
@click.option("--first", default=0, show_default=True, help="The seed of the first one.")
@click.option("--seed", type=int, help="Only this one.")
@click.option("--rough", is_flag=True, help="Anything may happen, and weaker promises are checked.")
@click.option("--trace", is_flag=True, help="With --seed: show everything that happens.")
@click.option("--processes", default=2, show_default=True, help="To run the days in.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures for programs.")
def main(
    runs: int,
    first: int,
    seed: int | None,
    rough: bool,
    trace: bool,
    processes: int,
    as_json: bool,
) -> None:
    """Let pairs of servers live through bad days, each made from a seed.

    Exits with 1 if one of them did not hold its promises, and says how to replay it. Ctrl-C
    ends it early, with the figures of the days until then, and 130.
    """
    if seed is not None:
        sys.exit(_one(seed, rough, trace, as_json))
    total, commit = Total(), _commit()  # as it is now: the tree may be another one in an hour
    console = Console(stderr=True)
    columns = (
        TextColumn("days"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        TextColumn("{task.fields[failed]} failed"),
    )  # fmt: skip
    with Progress(*columns, console=console, disable=as_json) as progress:
        task = progress.add_task("", total=runs, failed=0)
        with suppress(KeyboardInterrupt):  # what was lived until then counts
            for outcome in run_days(range(first, first + runs), rough, processes):
                total.add(outcome)
                if outcome.violations:
                    said = _failure(outcome, commit)
                    console.print(said, markup=False, highlight=False, soft_wrap=True)
                progress.update(task, advance=1, failed=len(total.failed))
    print(json.dumps(total.as_data(), indent=1) if as_json else _table(total))
    sys.exit(1 if total.failed else 0 if total.days == runs else STOPPED)


def _one(seed: int, rough: bool, trace: bool, as_json: bool) -> int:
    outcome = live(seed, rough, tracing=True)
    if trace:
        print("\n".join(outcome.lines))
    total = Total()
    total.add(outcome)
    if as_json:
        print(json.dumps(total.as_data() | {"digest": outcome.digest}, indent=1))
    else:
        print(_table(total), f"digest {outcome.digest}", *outcome.violations, sep="\n")
    return 1 if outcome.violations else 0


def _failure(outcome: Outcome, commit: str) -> str:
    said = "\n".join(f"  {each[:500]}" for each in outcome.violations[:3])
    return f"seed {outcome.seed} at {commit}:\n{said}\n  {command(outcome)}"


def _commit() -> str:
    described = ["git", "describe", "--always", "--dirty"]
    found = subprocess.run(described, cwd=ROOT, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "an unknown commit"


def _table(total: Total) -> str:
    data = total.as_data()
    rows = [
        ("days", f"{total.days}, {len(total.failed)} failed"),
        ("pair-hours", f"{data['pairHours']:,}"),
        *((name, f"{number:,}") for name, number in data["figures"].items()),
        ("seconds to be equal again", _shares(data["convergence"])),
        ("... besides the chunks' pace", _shares(data["besidesThePaceOfChunks"])),
        ("... that, on a quick link", _shares(data["onAQuickLink"])),
        ("longer than promised", ", ".join(map(str, data["slow"])) or "none"),
        ("faults", _kinds(data["faults"])),
        ("and no faults", _kinds(data["besides"])),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:{width}}  {value}" for name, value in rows)


def _kinds(numbers: dict[str, int]) -> str:
    kinds = ", ".join(f"{kind} {number:,}" for kind, number in numbers.items())
    return f"{sum(numbers.values()):,}: {kinds}"


def _shares(seconds: dict[str, float | None]) -> str:
    return ", ".join(f"{name} {'-' if t is None else f'{t:.1f}'}" for name, t in seconds.items())


if __name__ == "__main__":
    main()
