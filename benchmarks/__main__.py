"""Run benchmarks: a line of JSON and a line for people each.

    python -m benchmarks              all that are short
    python -m benchmarks NAME...      these, at full length; with --short as among all others

Exits with 3 when a ratio is worse than it may be, with 2 for a name that there is not.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from attrs import frozen

from . import fanout, flat, ingest, joining, latency, memory, refresh, replaying, replication, w1

Result = dict[str, Any]


@frozen
class Benchmark:
    """One of them; ``short`` is how it runs among all others, None where it is too long."""

    run: Callable[[], Result]
    short: Callable[[], Result] | None
    describe: Callable[[Result], str]
    # Most figures are those of a machine; a wrong value is an error wherever it is found.
    is_good: Callable[[Result], bool] = lambda result: True


BENCHMARKS = {
    "ingest": Benchmark(ingest.run, ingest.run, ingest.describe, ingest.is_good),
    "w1": Benchmark(w1.run, lambda: w1.run(*w1.SHORT), w1.describe),
    "replication": Benchmark(
        replication.run, lambda: replication.run(replication.SHORT), replication.describe
    ),
    "fanout": Benchmark(fanout.run, lambda: fanout.run(fanout.SHORT), fanout.describe),
    "latency": Benchmark(latency.run, lambda: latency.run(*latency.SHORT), latency.describe),
    "replaying": Benchmark(
        replaying.run, lambda: replaying.run(*replaying.SHORT), replaying.describe
    ),
    "memory": Benchmark(
        memory.run, lambda: memory.run(memory.SHORT), memory.describe, memory.is_good
    ),
    "flat": Benchmark(flat.run, lambda: flat.run(flat.SHORT), flat.describe, flat.is_good),
    "refresh": Benchmark(
        refresh.run, lambda: refresh.run(refresh.SHORT), refresh.describe, refresh.is_good
    ),
    "joining": Benchmark(joining.run, None, joining.describe),
}


SHORT = "--short"
NOT_REACHED = 3  # some figure is not what it should be; on a busy machine that proves nothing


def main(names: list[str]) -> int:
    """Run them; what to exit with."""
    if {"-h", "--help"} & set(names):
        print(__doc__, f"NAME is one of: {', '.join(BENCHMARKS)}", sep="\n")
        return 0
    is_short = not names or SHORT in names
    names = [name for name in names if name != SHORT]
    unknown = set(names) - BENCHMARKS.keys()
    if unknown:
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
        return 2
    good = True
    for name in names or BENCHMARKS:
        benchmark = BENCHMARKS[name]
        run = benchmark.short if is_short else benchmark.run
        if run is None:
            continue
        result = run()
        print(json.dumps(result))
        print(benchmark.describe(result), flush=True)
        good &= benchmark.is_good(result)
    return 0 if good else NOT_REACHED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
