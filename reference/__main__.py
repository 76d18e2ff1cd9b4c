"""Write the reference pages: ``python -m reference``."""

from __future__ import annotations

from pathlib import Path

from . import commands, events, log, messages, metrics, options, statistics

PAGES = {
    "options.md": options.page,
    "statistics.md": statistics.page,
    "messages.md": messages.page,
    "events.md": events.page,
    "commands.md": commands.page,
    "metrics.md": metrics.page,
    "log.md": log.page,
}
FOLDER = Path(__file__).parent.parent / "docs" / "reference"


def main() -> None:
    """Write them all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
