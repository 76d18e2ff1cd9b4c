"""Mutation: input that is almost right, from input that is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

BYTES_MAX = 16 * 1024  # of one input
EXTREMES = (
    b"0", b"-1", b"1e308", b"1e400", b"-1e400", b"NaN", b"9223372036854775807",
    b"9223372036854775808", b"18446744073709551616", b"1" * 400, b"0.1", b"null", b"true", b"[]",
    b"{}", b'""', b"\xff\xfe", b"\x00", b"\xed\xa0\x80", "ß€😀".encode(), b"\\ud800", b"'", b'"',
)  # fmt: skip
NESTS = ((b"[", b"]"), (b"(", b")"), (b'{"a":', b"}"), (b"~", b""), (b"-", b""), (b"\x91", b""))

Mutation = Callable[[bytes, Random, Sequence[bytes], Sequence[bytes]], bytes]


def _slice(data: bytes, rng: Random) -> tuple[int, int]:
    first = rng.randrange(len(data) + 1)
    return first, min(len(data), first + int(rng.expovariate(1 / 8)))


def _flip(data: bytes, rng: Random, samples: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    if not data:
        return data
    at = rng.randrange(len(data))
    return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]


def _cut(data: bytes, rng: Random, samples: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    first, last = _slice(data, rng)
    return data[:first] + data[last:]


def _repeat(data: bytes, rng: Random, samples: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    first, last = _slice(data, rng)
    return data[:last] + data[first:last] * rng.choice((1, 2, 10, 100)) + data[last:]


def _word(data: bytes, rng: Random, samples: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    first, last = _slice(data, rng)
    if rng.random() < 0.5:
        last = first
    return data[:first] + rng.choice((*words, *EXTREMES)) + data[last:]


def _splice(data: bytes, rng: Random, samples: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    other = rng.choice(samples)
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]


def _nest(data: bytes, rng: Random, samples: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    opening, closing = rng.choice(NESTS)
    times = rng.choice((1, 10, 100, 1500))
    first, last = _slice(data, rng)
    return data[:first] + opening * times + data[first:last] + closing * times + data[last:]


def _swap(data: bytes, rng: Random, samples: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """A word of the language in another one's place, so that the grammar often still holds."""
    present = [word for word in words if word in data]
    if not present:
        return data
    return data.replace(rng.choice(present), rng.choice((*words, *EXTREMES)), rng.choice((1, -1)))


MUTATIONS: tuple[Mutation, ...] = (_flip, _cut, _repeat, _word, _splice, _nest, _swap, _swap, _swap)


def mutated(rng: Random, samples: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """A new input."""
    data = rng.choice(samples)
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3, 8))):
        data = rng.choice(MUTATIONS)(data, rng, samples, words)
    return data[:BYTES_MAX]
