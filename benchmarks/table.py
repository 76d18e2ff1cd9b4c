"""The table of docs/performance.md, from the results of a run, in Markdown.

    python -m benchmarks.table run.txt                prints it
    python -m benchmarks.table run.txt --into PAGE    puts it in the place of the one in the page

A row is what was asked for, the command that measures it, the bar, and what this run found. What
the run does not hold is said to be missing, never guessed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from attrs import frozen

from .results import Results, put_between, read

MISSING = "not in this run"
NAME = "table"  # of its marks in the page
# Rows whose bars are of a size, and what it is.
FULL = {
    "w1": ("events", 1_000_000), "peers": ("events", 1_000_000), "fanout": ("clients", 1_000),
    "replaying": ("hours", 24),
}  # fmt: skip
HEAD = ("| | what | command | bar | this run | reached |", "|---|---|---|---|---|---|")


@frozen
class Found:
    """One cell: the figure in words, and whether it is what it has to be (None: nobody can say)."""

    text: str
    reached: bool | None = None


@frozen
class Row:
    """One line of the table; ``find`` gives None where the run does not have it."""

    number: str
    what: str
    command: str
    bar: str
    find: Callable[[Results], Found | None]


def number(*path: str, least: float | None = None, most: float | None = None, unit: str = "x",
           digits: int = 2) -> Callable[[Results], Found | None]:  # fmt: skip
    """One number of the results, and the bound that it has to keep.

    What was measured in small (:data:`FULL`) is shown with its size, and proves nothing.
    """

    def find(results: Results) -> Found | None:
        value = results.at(*path)
        if value is None:
            return None
        text = f"{value:,.{digits}f}{unit}"
        of_what, full = FULL.get(path[0], ("", 0))
        size = results.at(path[0], of_what) if of_what else full
        if size < full:
            return Found(f"{text}, with {size:,} {of_what} only")
        reached = (least is None or value >= least) and (most is None or value <= most)
        return Found(text, reached)

    return find


def told(row: str) -> Callable[[Results], Found | None]:
    """What the benchmark says of itself, where more than one number has to be read."""

    def find(results: Results) -> Found | None:
        return Found(results.told[row]) if row in results.told else None

    return find


def flat(
    ratio: str, sizes: str, of_what: str, full: int, most: float
) -> Callable[[Results], Found | None]:
    """What the largest size costs, of the smallest; of a smaller one it proves nothing."""

    def find(results: Results) -> Found | None:
        value, found = results.at("flat", ratio), results.at("flat", sizes)
        if value is None or not found:
            return None
        largest = max(map(int, found))
        if largest < full:
            return Found(f"{value:.2f}x, with {largest:,} {of_what} only")
        return Found(f"{value:.2f}x", value <= most)

    return find


def memory(results: Results) -> Found | None:
    """Of its large populations, or of the largest, the one that takes the most."""
    populations = results.at("memory", "populations")
    if not populations:
        return None
    largest = max(each["statistics"] for each in populations.values())
    large = [each for each in populations.values() if each["statistics"] >= min(largest, 1_000_000)]
    each = max(large, key=lambda each: each["bytes_counting"])
    opened, counting = each["bytes"], each["bytes_counting"]
    text = f"{opened:g} B opened, {counting:g} B after events, with {each['statistics']:,}"
    return Found(text, max(opened, counting) <= 300)


def served(results: Results) -> Found | None:
    """Delays while a joiner is served."""
    delays = results.at("latency", "joining", "delays")
    if not delays or not delays["measured"]:
        return None
    machine = results.at("latency", "joining", "machine_p99_ms")
    text = f"p99 {delays['p99_ms']} ms (the machine alone: {machine})"
    return Found(text, delays["p99_ms"] <= 3)


def idle(results: Results) -> Found | None:
    """Delays at 10,000 events/s when nothing else happens."""
    delays = results.at("latency", "idle", "rates", "10000")
    if not delays or not delays["measured"]:
        return None
    machine = results.at("latency", "idle", "machine_p99_ms")
    return Found(f"p99 {delays['p99_ms']} ms (the machine alone: {machine})", delays["p99_ms"] <= 1)


def held(results: Results) -> Found | None:
    """The longest step of any task, with and without a joiner."""
    found = [results.at("latency", phase, "loop", "longest_ms") for phase in ("idle", "joining")]
    if None in found:
        return None
    return Found(f"{found[0]} ms idle, {found[1]} with a joiner", max(found) <= 10)


PEERS = "`make bench-peers`"
ROWS = (
    Row("P1", "W1 in memory, of the C limit", "`benchmarks w1`", ">= 0.15, aim for 0.20",
        number("w1", "p1_of_limit", least=0.15, unit="", digits=3)),
    Row("P1", "W1 beside bytewax", PEERS, ">= 5x",
        number("peers", "ratios", "bytewax stateful", least=5)),
    Row("P1", "W1 beside Node.js", PEERS, ">= 1.5x",
        number("peers", "ratios", "Node.js", least=1.5)),
    Row("P1", "W1 beside SQLite", PEERS, ">= 2.5x",
        number("peers", "ratios", "SQLite upsert", least=2.5)),
    Row("P2", "W1 through a socket, of P1", "`benchmarks w1`", ">= 0.8x",
        number("w1", "p2_of_p1", least=0.8)),
    Row("P3", "an event with a million statistics open, of none", "`benchmarks flat`", "<= 1.1x",
        flat("ratio_most_to_none", "us_per_event_by_statistics", "statistics", 950_000, 1.1)),
    Row("P3b", "an event with 110,000 objects, of 2,000", "`benchmarks flat`", "<= 2.5x",
        flat("ratio_objects", "us_per_event_by_objects", "objects", 100_000, 2.5)),
    Row("P4", "memory per open statistic", "`benchmarks memory`", "<= 300 B", memory),
    Row("P5", "refresh of 1.2 million every 10 s", "`benchmarks refresh`", "<= 3 % of a core",
        told("refresh")),
    Row("P6", "1,000 clients, of `send_message`", "`benchmarks fanout`", ">= 4x",
        number("fanout", "ratio", least=4)),
    Row("P6", "1,000 clients, many values a frame", "`benchmarks fanout`", ">= 900,000/s",
        number("fanout", "coalesced_per_cpu_s", least=900_000, unit="/CPU s", digits=0)),
    Row("P7", "full synchronisation", "`benchmarks replication`",
        ">= 3x Redis, >= 0.8x a raw socket, a delta in < 10 ms", told("replication")),
    Row("P8", "event to notification at 10,000 events/s", "`benchmarks latency`", "p99 <= 1 ms",
        idle),
    Row("P8", "the same while a joiner is served (1,000 events/s)", "`benchmarks latency`",
        "p99 <= 3 ms", served),
    Row("P8", "the event loop held", "`benchmarks latency`", "<= 10 ms", held),
    Row("P9", "replay of a day, of the time of P1's rate", "`benchmarks replaying`", "< 3x",
        number("replaying", "ratio", most=3)),
)  # fmt: skip

WORDS = {True: "yes", False: "**no**", None: ""}


def table(results: Results) -> str:
    """All rows, in Markdown."""
    lines = [*HEAD]
    for row in ROWS:
        found = row.find(results) or Found(MISSING)
        cells = (row.number, row.what, row.command, row.bar, found.text, WORDS[found.reached])
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Print it, or put it where it belongs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--into", type=Path)
    options = parser.parse_args()
    text = table(read(options.runs))
    if options.into is None:
        print(text)
    else:
        put_between(options.into, NAME, text)


if __name__ == "__main__":
    main()
