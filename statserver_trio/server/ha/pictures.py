"""Pictures of the peer: read when they come, and adopted when the machines say so.

Between the two nothing can go wrong any more. What makes no sense is a malformed message, of which
the machines never hear as a picture; so they never count on one that cannot be had.
"""

from __future__ import annotations

from ...ha.messages import JoinState, Positions
from ...ha.peer import Malformed
from ...model.action_table import read_tables
from ...stats.engine import Engine
from ...stats.source import Picture
from .chunk_work import BROKEN


class BrokenPicture(Exception):
    """What the peer told of its worlds makes no sense."""


class Pictures:
    """The ones that came last.

    Args:
        engine: Ours; its sources are those that pictures may be of.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._blob: bytes | None = None  # of which those are
        self._read: dict[str, tuple[Picture, int]] = {}

    def checked(self, event: object) -> object:
        """What came over the link, or that it is malformed; a picture is ready to be taken."""
        self._blob, self._read = None, {}  # of the event before; nobody wanted them
        if isinstance(event, JoinState) and event.as_of:
            try:
                self._read = self.read(event.as_of, event.blob)
                self._blob = event.blob
            except BrokenPicture as exc:
                return Malformed(str(exc))
        return event

    def take(self, as_of: Positions, blob: bytes) -> dict[str, tuple[Picture, int]]:
        """Those of these bytes, by source, and for how long, in ms, each had been silent.

        Raises:
            BrokenPicture: Nobody has checked them, and they make no sense.
        """
        read = self._read if self._blob is blob else self.read(as_of, blob)
        self._blob, self._read = None, {}
        return read

    def read(self, as_of: Positions, blob: bytes) -> dict[str, tuple[Picture, int]]:
        """Put the peer's action tables together; nothing has changed.

        Raises:
            BrokenPicture: They make no sense.
        """
        sources = self._engine.sources
        try:
            tables = read_tables(blob)
            return {
                name: (sources[name].read(tables[name]), max(0, tables[name].get("silent", 0)))
                for name in as_of
                if name in sources  # of others we have no picture
            }
        except BROKEN as exc:
            raise BrokenPicture(f"a picture that makes no sense: {exc!r}") from exc
