"""Executions: so many inputs for a target, from a seed."""

from __future__ import annotations

import hashlib
import logging
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from random import Random

from attrs import frozen

from tests.strict import be_strict

from .targets import TARGETS, Target

be_strict()

CORPUS = Path(__file__).parent / "corpus"
FAILURES_MAX = 5  # from one seed; there are always more of the same
STEP_SECONDS = 1.0  # an execution that takes longer has hung, as good as


@frozen
class Failure:
    """An input that broke something."""

    target: str
    data: bytes
    why: str

    @property
    def path(self) -> Path:
        """Where it is kept."""
        return CORPUS / f"{self.target}-{hashlib.blake2b(self.data, digest_size=6).hexdigest()}"


def attempt(target: Target, data: bytes, seconds: float = STEP_SECONDS) -> str:
    """What is wrong with how it takes this in; empty if nothing."""
    began = time.process_time()  # others may keep the machine busy
    try:
        target.take(data)
    except target.declared:
        pass
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})"
    took = time.process_time() - began
    return f"took {took:.1f} s" if took > seconds else ""


def run(name: str, seed: int, executions: int) -> Iterator[Failure]:
    """Every input that breaks something."""
    target, rng = TARGETS[name], Random(f"{name}/{seed}")
    with silence():
        for _ in range(executions):
            data = target.input(rng)
            why = attempt(target, data)
            if why:
                yield Failure(name, shorter(target, data, why), why)


@contextmanager
def silence() -> Iterator[None]:
    """What is logged about such input is not worth reading."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def some(job: tuple[str, int, int]) -> tuple[str, int, list[Failure]]:
    """For a pool: a target, a seed, and how many; what broke something, or the first of it."""
    name, seed, executions = job
    return name, executions, list(islice(run(name, seed, executions), FAILURES_MAX))


def shorter(target: Target, data: bytes, why: str) -> bytes:
    """A part of the input that breaks the same, as far as that is quickly found."""
    kind = why.partition(":")[0]
    for size in (len(data) // 2, len(data) // 4, len(data) // 16, 1):
        at = 0
        while size and at < len(data) and len(data) < 4096:
            less = data[:at] + data[at + size :]
            if attempt(target, less).partition(":")[0] == kind:
                data = less
            else:
                at += size
    return data
