"""Keys: a terminal that does not wait for Enter."""

from __future__ import annotations

import os
import sys
import termios
import tty
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import trio

READ_BYTES = 64
# What terminals send for keys that are no characters (ECMA-48, xterm).
SEQUENCES = {
    "\x1b[A": "up",
    "\x1b[B": "down",
    "\x1b[5~": "page up",
    "\x1b[6~": "page down",
    "\x1b": "escape",
    "\r": "enter",
    "\n": "enter",
    "\x7f": "backspace",
    "\x08": "backspace",
}


@contextmanager
def one_key_at_a_time(fd: int) -> Iterator[None]:
    """A terminal that does not wait for Enter, for the length of a block."""
    before = termios.tcgetattr(fd)
    tty.setcbreak(fd)
    try:
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


def keys_in(text: str) -> Iterator[str]:
    """The keys that were pressed; a character is its own name, unknown sequences are passed over.

    >>> list(keys_in("a\\x1b[5~b"))
    ['a', 'page up', 'b']
    """
    while text:
        if text.startswith("\x1b["):
            end = next((i for i, c in enumerate(text[2:], 3) if "@" <= c <= "~"), len(text))
            sequence, text = text[:end], text[end:]
        else:
            sequence, text = text[0], text[1:]
        key = SEQUENCES.get(sequence, sequence if sequence.isprintable() else "")
        if key:
            yield key


async def pressed_keys() -> AsyncIterator[str]:
    """Every key, until standard input ends; use it inside of :func:`one_key_at_a_time`."""
    while True:
        await trio.lowlevel.wait_readable(sys.stdin)
        data = os.read(sys.stdin.fileno(), READ_BYTES)
        if not data:
            return
        for key in keys_in(data.decode(errors="replace")):
            yield key
