"""Run every benchmark: a line of JSON and a line for people each.

Exits with 1 when a ratio is worse than it may be.
"""

from __future__ import annotations

import json
import sys

from . import ingest


def main() -> int:
    """Run them; what to exit with."""
    result = ingest.run()
    print(json.dumps(result))
    print(ingest.describe(result))
    ratio, limit = result["ratio_100k_to_10k"], result["ratio_max"]
    assert isinstance(ratio, float)
    assert isinstance(limit, float)
    return 0 if ratio <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
