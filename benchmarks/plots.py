"""The pictures of docs/performance.md, from the results of a run, as PNG and SVG.

    pip install -e '.[plots]'
    python -m benchmarks.plots run.txt [--to FOLDER] [--note TEXT] [--into PAGE]

A picture whose results are not in the run is left as it is, and named. The page gets all that are
in the folder then.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from attrs import frozen

from .results import Results, put_between, read

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "performance"
OURS, OTHERS, LIMIT, BAR = "#1b6ca8", "#b9c3cc", "#5a6570", "#c0392b"
COLOURS = (OURS, "#e08e0b", "#4c9f70", "#8a63b8")
SIZE = (8.0, 4.2)
STYLE: Any = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "figure.constrained_layout.use": True,
    "svg.hashsalt": "statserver",  # the same run makes the same file
    "svg.fonttype": "none",
}


@frozen
class Picture:
    """How it is drawn (None where the results do not have it), and what is on it."""

    draw: Callable[[Results], Figure | None]
    words: str


def peers(results: Results) -> Figure | None:
    """Events per second of everything that does W1, the fastest on top."""
    found: dict[str, int] | None = results.at("peers", "events_per_s")
    if not found or "statserver" not in found:
        return None
    rows = sorted(found.items(), key=lambda row: row[1])
    names, rates = [name for name, _ in rows], [rate for _, rate in rows]
    limit = max(rates)
    figure, axes = plt.subplots(figsize=SIZE)
    colours = [
        OURS if name == "statserver" else LIMIT if rate == limit else OTHERS for name, rate in rows
    ]
    bars = axes.barh(names, rates, color=colours)
    labels = [f"{rate:,}  ({rate / limit:.3f})" for rate in rates]
    axes.bar_label(bars, labels, padding=4, fontsize=9)
    axes.set_xscale("log")
    axes.set_xlim(min(rates) / 3, limit * 8)
    axes.set_xlabel("events/s, logarithmic (in brackets: of the limit)")
    events, rounds = results.at("peers", "events"), results.at("peers", "rounds")
    axes.set_title(f"W1, {events:,} events with 26,400 statistics; median of {rounds}")
    return figure


def cost(results: Results) -> Figure | None:
    """What an event costs with more statistics, and with more objects."""
    flat = results.rows.get("flat")
    if flat is None:
        return _cost_of_ingest(results)
    figure, (left, right) = plt.subplots(1, 2, figsize=SIZE, sharey=True)
    _costs(left, flat["us_per_event_by_statistics"], 1.1, "open statistics")
    _costs(right, flat["us_per_event_by_objects"], 2.5, "agents and queues")
    left.set_ylabel("microseconds of CPU per event")
    left.set_title("more statistics of the same")
    right.set_title("more objects")
    return figure


def _cost_of_ingest(results: Results) -> Figure | None:
    """The same from the short benchmark, which has only statistics."""
    rates = results.at("ingest", "events_per_s")
    if rates is None:
        return None
    figure, axes = plt.subplots(figsize=SIZE)
    found = {count: 1e6 / rate for count, rate in rates.items()}
    _costs(axes, found, None, "open statistics")
    axes.set_ylabel("microseconds per event")
    axes.set_title("what an event costs (`benchmarks ingest`)")
    return figure


def _costs(axes: Axes, found: dict[str, float], limit: float | None, label: str) -> None:
    """A line over counts of which the first may be none; and how high it may go."""
    places = range(len(found))
    values = list(found.values())
    axes.plot(places, values, "o-", color=OURS)
    for place, value in zip(places, values, strict=True):
        axes.annotate(
            f"{value:.2f}", (place, value), textcoords="offset points", xytext=(0, -16), ha="center"
        )
    if limit is not None:
        axes.axhline(values[0] * limit, color=BAR, linestyle="--", linewidth=1)
        text = f"dashed: {limit}x of the first, the bar"
        axes.text(0.03, 0.95, text, color=BAR, fontsize=9, transform=axes.transAxes)
    axes.set_xticks(list(places), [f"{int(count):,}" for count in found])
    axes.margins(x=0.12)
    axes.set_xlabel(label)
    axes.set_ylim(0, max(*values, values[0] * (limit or 1)) * 1.25)


def memory(results: Results) -> Figure | None:
    """Bytes of each open statistic."""
    populations: dict[str, Any] | None = results.at("memory", "populations")
    if not populations:
        return None
    kinds = {
        "bytes": "open", "bytes_counting": "after events",
        "bytes_subscribed": "subscribed", "bytes_taken_over": "taken over",
    }  # fmt: skip
    figure, axes = plt.subplots(figsize=SIZE)
    width = 0.8 / len(kinds)
    for number, ((kind, label), colour) in enumerate(zip(kinds.items(), COLOURS, strict=False)):
        shift = (number - (len(kinds) - 1) / 2) * width
        places = [place + shift for place in range(len(populations))]
        values = [each.get(kind, 0) for each in populations.values()]
        bars = axes.bar(places, values, width * 0.95, label=label, color=colour)
        texts = [f"{value:g}" if value else "" for value in values]
        axes.bar_label(bars, texts, label_type="center", color="white", fontsize=9)
    most: float = results.at("memory", "bytes_max")
    axes.axhline(most, color=BAR, linestyle="--", linewidth=1, label=f"bar: {most:g} bytes")
    labels = [f"{name}\n{each['statistics']:,} statistics" for name, each in populations.items()]
    axes.set_xticks(range(len(populations)), labels)
    axes.set_ylabel("bytes of memory per open statistic")
    axes.margins(y=0.2)
    axes.legend(frameon=False, ncols=2, loc="upper left", fontsize=9)
    return figure


def latency(results: Results) -> Figure | None:
    """How late clients know: idle at two rates, and while a joiner is served."""
    row = results.rows.get("latency")
    if row is None:
        return None
    phases = [
        (f"idle, {int(rate):,} events/s", figures) for rate, figures in row["idle"]["rates"].items()
    ]
    rate = row["joining"]["events_per_s"]
    phases.append((f"a joiner is served, {rate:,} events/s", row["joining"]["delays"]))
    figure, axes = plt.subplots(figsize=SIZE)
    for (name, figures), colour in zip(phases, COLOURS, strict=False):
        if not figures["measured"]:
            continue
        label = f"{name}: p50 {figures['p50_ms']:,.2f}, p99 {figures['p99_ms']:,.2f} ms"
        starts, shares = _steps(figures["histogram"], figures["measured"])
        axes.step(starts, shares, where="post", color=colour, label=label)
        axes.axvline(figures["p99_ms"], color=colour, linestyle=":", linewidth=1)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("milliseconds from event to notification (dotted: 99th percentile)")
    axes.set_ylabel("% of notifications per tenth of a decade")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=9, loc="upper center", bbox_to_anchor=(0.5, 1.2))
    return figure


def _steps(histogram: list[list[float]], measured: int) -> tuple[list[float], list[float]]:
    """Where the bins begin, and their shares in %, with nothing where there is nothing."""
    counts = {round(start, 4): count for start, count in histogram}
    first, last = min(counts), max(counts)
    starts, shares = [first * 10**-0.1], [0.0]
    start, number = first, 0
    while start <= last * 1.01:
        near = min(counts, key=lambda other: abs(other - start))
        shares.append(100 * counts[near] / measured if abs(near / start - 1) < 0.01 else 0.0)
        starts.append(start)
        number += 1
        start = first * 10 ** (number / 10)
    return [*starts, start], [*shares, 0.0]


def save(figure: Figure, folder: Path, name: str) -> None:
    """As PNG and as SVG; the same results make the same files."""
    figure.savefig(folder / f"{name}.png", dpi=130)
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
    plt.close(figure)


PICTURES = {
    "peers": Picture(peers, "events per second, beside peers"),
    "cost": Picture(cost, "what an event costs"),
    "memory": Picture(memory, "memory per statistic"),
    "latency": Picture(latency, "how late clients know"),
}


def links(folder: Path) -> str:
    """Every picture that there is, with its words, in Markdown."""
    found = [
        f"![{picture.words}]({folder.name}/{name}.png)"
        for name, picture in PICTURES.items()
        if (folder / f"{name}.png").exists()
    ]
    return "\n\n".join(found)


def main() -> None:
    """Draw what the run has."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--to", type=Path, default=FOLDER)
    parser.add_argument("--note", default="", help="What stands in a corner of every picture.")
    parser.add_argument("--into", type=Path)
    options = parser.parse_args()
    options.to.mkdir(parents=True, exist_ok=True)
    results = read(options.runs)
    with plt.rc_context(STYLE):
        for name, picture in PICTURES.items():
            figure = picture.draw(results)
            if figure is not None:
                if options.note:
                    figure.supxlabel(options.note, x=0.99, ha="right", fontsize=8, color=BAR)
                save(figure, options.to, name)
            print(f"{name}: {'not in this run' if figure is None else 'drawn'}")
    if options.into is not None:
        put_between(options.into, "pictures", links(options.to))


if __name__ == "__main__":
    main()
