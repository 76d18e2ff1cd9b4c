"""The page of the metrics: what Prometheus is told, from the table it is made of."""

from __future__ import annotations

from statserver_trio.server.metrics import names

from .markdown import code, head, table

TITLE = "Metrics"
SOURCE = "statserver_trio/server/metrics/names.py"
COLUMNS = ("metric", "type", "labels", "what it is")
GROUPS = {
    "The server": names.SERVER,
    "T-Servers": names.FEEDS,
    "The pair": names.PAIR,
    "Clients": names.CLIENTS,
    "Backup file and extensions": names.KEEPING,
    "Statistics of your choice": names.EXPORTED,
    "The process": names.PROCESS,
}


def page() -> str:
    """All of them, by what they are about."""
    parts = [
        head(
            TITLE,
            SOURCE,
            "`GET /metrics` of the management port. How they are used stands in "
            "[Read the metrics](../howto/metrics.md). What is not there, such as the pair of a "
            "server that stands alone, has no series.",
        )
    ]
    shown = [each for group in GROUPS.values() for each in group]
    assert len(shown) == len(names.METRICS), "a group of metrics is missing here"
    for title, group in GROUPS.items():
        rows = [(code(m.full_name), m.kind, ", ".join(map(code, m.labels)), m.help) for m in group]
        parts += [f"## {title}", table(COLUMNS, rows)]
    return "\n\n".join(parts) + "\n"
