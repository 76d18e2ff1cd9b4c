"""A fresh checkout: for what a page has its reader do there, as far as it takes minutes.

What is run there is small, by the variables that the pages name: few simulated days, one cycle of
chaos, benchmarks in short. Nothing else differs from what a reader types.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from docs_blocks import ROOT, Block, commands
from docs_world import SHELL

PATIENCE = 900  # seconds for one command
SMALL = {
    "RUNS": "4",
    "CYCLES": "6",
    "EXECUTIONS": "100",
    "ROUNDS": "1",
    "PYTEST_ADDOPTS": "-k test_tidy",  # or a run of all tests would run this one
    "STATSERVER_BENCH": str(ROOT.parent / "shared" / "bench"),  # as seen from the real one
}
# Whoever runs these tests runs those as well (.ci/run), or is just doing so.
BY_THEMSELVES = ("make test", "make browser")
NOT_REACHED = "Error 3"  # what make says of a benchmark that was not fast enough: no mistake here


class Checkout:
    """One, with nothing but what git knows of, and a virtual environment of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        subprocess.run(["git", "init", "-q"], cwd=folder, check=True)  # some ask git for the commit

    def run(self, block: Block) -> None:
        """Every command of it; raises AssertionError with what it said where one fails."""
        for command in commands(block.text):
            if not command.startswith(BY_THEMSELVES):
                self._run(re.sub(r"-m benchmarks (?=\$)", "-m benchmarks --short ", command))

    def _run(self, command: str) -> None:
        own = {"PYTHONUNBUFFERED": "1"}
        done = subprocess.run(
            [SHELL, "-o", "pipefail", "-c", command], cwd=self.folder, timeout=PATIENCE,
            env={**os.environ, **own, **SMALL},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        said = f"{command}\nexit code {done.returncode}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
        assert "Traceback" not in said, said
        if done.returncode:
            assert NOT_REACHED in done.stderr or "benchmarks" in command, said
            assert done.returncode in (2, 3), said
