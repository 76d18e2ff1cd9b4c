"""The wire of AMI: bytes in any pieces to messages.

A message is a block of ``Key: value`` lines that ends with an empty line. Lines
end with CRLF; captures often have LF, so both are read. Before the first block
stands one banner line. Keys may repeat (``ChanVariable``, ``Output``), so a
message keeps its pairs in order.

What arrives is not trusted: a block larger than :data:`BLOCK_BYTES_MAX` is
skipped up to its end, a line that is no pair is left out, and both are counted.
"""

from __future__ import annotations

from collections import Counter

from attrs import field, frozen

BLOCK_BYTES_MAX = 64 * 1024  # line ends not counted; Asterisk's own events stay below 8 KiB
BANNER = b"Asterisk Call Manager/"


def _first_values(pairs: tuple[tuple[str, str], ...]) -> dict[str, str]:
    return dict(reversed(pairs))


@frozen
class AmiMessage:
    """One block: an event, a response, or (in captures) an action.

    Attributes:
        pairs: Keys and values in the order of the wire.
    """

    pairs: tuple[tuple[str, str], ...]
    _first: dict[str, str] = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_first", _first_values(self.pairs))

    @property
    def event(self) -> str:
        """The name of the event; empty for anything else."""
        return self._first.get("Event", "")

    def get(self, key: str) -> str:
        """The first value of ``key``, empty where there is none."""
        return self._first.get(key, "")

    def all(self, key: str) -> list[str]:
        """Every value of a key that may repeat."""
        return [value for name, value in self.pairs if name == key]


class AmiParser:
    """Incremental parser. Call :meth:`feed` with what arrived, :meth:`end` at the end of a file.

    Attributes:
        banner: The greeting of the manager, once it has come.
        bad: How often something was skipped, by kind.
    """

    def __init__(self) -> None:
        self.banner = ""
        self.bad: Counter[str] = Counter()
        self._rest = b""  # a line whose end has not arrived
        self._pairs: list[tuple[str, str]] = []
        self._size = 0  # of the block so far
        self._skipping = False  # inside a block that is larger than is allowed

    def feed(self, data: bytes | bytearray) -> list[AmiMessage]:
        """The messages that ``data`` completes."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        messages: list[AmiMessage] = []
        for line in lines:
            line = line.removesuffix(b"\r")
            if line:
                self._take_line(line)
            else:
                messages += self._end_block()
        self._bound_rest()
        return messages

    def end(self) -> list[AmiMessage]:
        """The last message, where a file does not end with an empty line."""
        rest, self._rest = self._rest.removesuffix(b"\r"), b""
        if rest:
            self._take_line(rest)
        return self._end_block()

    def _take_line(self, line: bytes) -> None:
        self._grow(len(line))
        if self._skipping:
            return
        key, colon, value = line.partition(b":")
        if colon:
            self._pairs.append((_text(key), _text(value)))
        elif line.startswith(BANNER):
            self.banner = _text(line)
        else:
            self.bad["line without a key"] += 1

    def _end_block(self) -> list[AmiMessage]:
        pairs, self._pairs = self._pairs, []
        self._size, self._skipping = 0, False
        return [AmiMessage(tuple(pairs))] if pairs else []

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > BLOCK_BYTES_MAX and not self._skipping:
            self._skipping = True
            self._pairs = []
            self.bad["block too long"] += 1

    def _bound_rest(self) -> None:
        """Keep an unfinished line from growing for ever.

        Of a line that is skipped only one thing matters: that it was not empty.
        """
        rest = self._rest.removesuffix(b"\r")
        if rest and (self._skipping or self._size + len(rest) > BLOCK_BYTES_MAX):
            self._grow(len(rest))
            self._rest = b"x"


def _text(raw: bytes) -> str:
    return raw.strip().decode("utf-8", "replace")
