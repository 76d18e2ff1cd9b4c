"""Ingest: decode + model + statistics, and what open statistics cost.

Prints events/s without statistics, with 10,000 and with 100,000 of them open on
the same recording. What counts is the ratio of the last two, taken in one run;
the absolute figures are this machine's.
"""

from __future__ import annotations

import gc
import time
from statistics import median

from statserver_trio.tlib.codec import Decoder

from . import workload

ROUNDS = 3
OPEN = (0, 10_000, 100_000)
RATIO_MAX = 1.5


def decode_only(pieces: list[bytes]) -> float:
    """Seconds to decode everything."""
    decoder = Decoder()
    began = time.perf_counter()
    for piece in pieces:
        decoder.feed(piece)
    return time.perf_counter() - began


def ingest(pieces: list[bytes], statistics: int) -> tuple[float, int]:
    """Seconds to decode and apply everything, and how many statistics were open."""
    engine = workload.engine_with(statistics)
    decoder = Decoder()
    now = workload.START * 1000
    gc.collect()
    gc.freeze()
    began = time.perf_counter()
    for piece in pieces:
        engine.apply(workload.SOURCE, decoder.feed(piece), now)
    seconds = time.perf_counter() - began
    gc.unfreeze()
    return seconds, len(engine.statistics)


def run() -> dict[str, object]:
    """Measure; what is returned is what is printed as JSON."""
    pieces = workload.pieces(workload.recording())
    decode = median(decode_only(pieces) for _ in range(ROUNDS))
    seconds: dict[int, list[float]] = {count: [] for count in OPEN}
    really = dict.fromkeys(OPEN, 0)
    for _ in range(ROUNDS):  # in turns, so that what disturbs the machine disturbs all
        for count in OPEN:
            took, really[count] = ingest(pieces, count)
            seconds[count].append(took)
    rates = {count: workload.EVENTS / median(seconds[count]) for count in OPEN}
    return {
        "row": "ingest",
        "events": workload.EVENTS,
        "decode_events_per_s": round(workload.EVENTS / decode),
        "events_per_s": {str(really[count]): round(rates[count]) for count in OPEN},
        "ratio_100k_to_10k": round(rates[10_000] / rates[100_000], 3),
        "ratio_max": RATIO_MAX,
    }


def describe(result: dict[str, object]) -> str:
    """One line for people."""
    rates = result["events_per_s"]
    assert isinstance(rates, dict)
    shown = ", ".join(f"{rate:,} with {int(count):,} open" for count, rate in rates.items())
    return (
        f"ingest: {shown} (events/s; decoding alone {result['decode_events_per_s']:,}); "
        f"100,000 against 10,000 cost {result['ratio_100k_to_10k']}x "
        f"(at most {result['ratio_max']}x)"
    )


def is_good(result: dict[str, object]) -> bool:
    """Whether the ratio is what it may be."""
    ratio, limit = result["ratio_100k_to_10k"], result["ratio_max"]
    assert isinstance(ratio, float)
    assert isinstance(limit, float)
    return ratio <= limit
