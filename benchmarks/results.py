"""Results: what benchmarks have printed, read again.

    make bench | tee run.txt
    make bench-peers | tee -a run.txt
    make bench-page RUN=run.txt             docs/performance.md: its table and its pictures

A file holds lines of JSON and, behind each, lines for people. Where there are several of a row
the last one counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from attrs import define, field


@define
class Results:
    """What was printed, by the name of the row.

    Attributes:
        rows: The JSON.
        told: The first line for people.
        skipped: Why a row has no figures.
    """

    rows: dict[str, dict[str, Any]] = field(factory=dict)
    told: dict[str, str] = field(factory=dict)
    skipped: dict[str, str] = field(factory=dict)

    def at(self, *path: str) -> Any:
        """What stands at a place in the JSON; None where nothing does."""
        found: Any = self.rows
        for name in path:
            if not isinstance(found, dict) or name not in found:
                return None
            found = found[name]
        return found


def read(paths: Iterable[Path]) -> Results:
    """Everything in these files."""
    found = Results()
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("{"):
                result = json.loads(line)
                row = result.get("row")
                if row and "skipped" in result:
                    found.skipped[row] = result["skipped"]
                elif row:
                    found.rows[row] = result
                    found.told.pop(row, None)
            else:
                row, _, text = line.partition(": ")
                if row in found.rows:
                    found.told.setdefault(row, text)
    return found


def put_between(page: Path, name: str, text: str) -> None:
    """Replace what stands between the two marks of that name in a page."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    assert found, f"{page} has no {begin}"
    _, found, after = rest.partition(end)
    assert found, f"{page} has no {end}"
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
