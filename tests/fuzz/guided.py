"""Executions led by what they reach: atheris changes an input again that came to new code.

Atheris (libFuzzer for Python) ends the process when it is done, so each target has one of its own::

    python -m tests.fuzz.guided TARGET EXECUTIONS SEED

The chance of :mod:`tests.fuzz.mutation` makes what it begins with. Where atheris cannot be
installed (it comes for Linux and few versions of Python), that chance alone has to do.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from attrs import frozen

BEGUN_WITH = 300  # inputs
STEP_SECONDS = 10.0  # each line that is run is noted; so everything takes longer
ROOT = Path(__file__).parents[2]
_EXECUTED = re.compile(r"stat::number_of_executed_units: (\d+)")
_REACHED = re.compile(r"cov: (\d+)")


def is_there() -> bool:
    """Whether atheris is installed."""
    return find_spec("atheris") is not None


@frozen
class Guided:
    """What became of a target.

    Attributes:
        reached: Places in the code that were reached.
        failure: What broke, and the file with the input; empty if nothing did.
    """

    target: str
    executions: int
    reached: int
    failure: str


def run(job: tuple[str, int, int]) -> Guided:
    """A target, how often, and a seed; in a process of its own."""
    name, executions, seed = job
    command = [sys.executable, "-m", "tests.fuzz.guided", name, str(executions), str(seed)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    executed = _EXECUTED.findall(done.stderr)
    reached = [int(each) for each in _REACHED.findall(done.stderr)]
    failure = done.stdout.strip()
    if done.returncode and not failure:  # no time, no memory, or a crash of the interpreter
        failure = f"exit code {done.returncode}: {done.stderr[-2000:]}"
    return Guided(name, int(executed[-1]) if executed else 0, max(reached, default=0), failure)


def main(name: str, executions: int, seed: int) -> None:
    """Do it here; the process ends with it, and with 1 if something broke."""
    import atheris

    with atheris.instrument_imports(include=["statserver_trio"], enable_loader_override=False):
        from .mutation import BYTES_MAX
        from .running import CORPUS, Failure, attempt, shorter, silence
        from .targets import TARGETS

    target, rng = TARGETS[name], Random(f"{name}/{seed}")

    def take(data: bytes) -> None:
        why = attempt(target, data, STEP_SECONDS)
        if why:
            failure = Failure(name, shorter(target, data, why), why)
            failure.path.write_bytes(failure.data)
            print(f"{why}\n  {failure.path}", flush=True)
            os._exit(1)

    with silence(), TemporaryDirectory() as folder:
        for number in range(BEGUN_WITH):
            Path(folder, f"{number}").write_bytes(target.input(rng))
        for path in CORPUS.glob(f"{name}-*"):
            Path(folder, path.name).write_bytes(path.read_bytes())
        options = {
            "runs": executions, "seed": seed + 1, "max_len": BYTES_MAX, "print_final_stats": 1,
            "timeout": 120, "rss_limit_mb": 4096, "artifact_prefix": f"{folder}/",
        }  # fmt: skip
        atheris.Setup([sys.argv[0], *(f"-{k}={v}" for k, v in options.items()), folder], take)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
