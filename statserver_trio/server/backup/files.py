"""The files: written aside and put in place whole, the one before kept as ``.1``.

    name.stat.bak        the newest
    name.stat.bak.1      the one before
    name.stat.bak.new*   being written, or left over from a crash: never read

Everything here waits for the disk, so call it in a worker thread.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import BinaryIO

from .cutting import Piece
from .form import (
    DIGEST_BYTES,
    END_MARK,
    FILE_BYTES_MAX,
    Frame,
    Head,
    Refused,
    beginning,
    encoded,
    frames,
    verify,
)

SUFFIX = ".stat.bak"
_numbers = count(1)


def path_for(folder: str, application: str) -> Path:
    """Where the backup of an application is; what no file name may hold becomes ``_``."""
    return Path(folder) / (re.sub(r"[^\w.-]|^\.", "_", application) + SUFFIX)


def previous(path: Path) -> Path:
    """Where the one before is."""
    return path.with_name(f"{path.name}.1")


class Writer:
    """One file, from its head to its checksum.

    Every method may raise OSError, and ValueError where the file would be longer than
    any may be; call :meth:`discard` then.

    Attributes:
        abandoned: Set where nobody waits for the thread any more; it clears up by itself.
    """

    def __init__(self, path: Path) -> None:
        self.size = 0
        self.abandoned = False
        self._path = path
        self._aside = path.with_name(f"{path.name}.new{next(_numbers)}")
        self._digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
        self._file: BinaryIO | None = None

    def begin(self, head: Head) -> None:
        """Open the file, and the folder where there is none."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._aside.open("wb")
        self._write(beginning() + encoded(head))

    def put(self, pieces: Iterable[Piece]) -> None:
        """Encode and write what was cut."""
        for piece in pieces:
            self._write(encoded(piece if isinstance(piece, Frame) else piece.frame()))
        if self.abandoned:
            self.discard()

    def finish(self) -> None:
        """Put the file in place. Whenever a crash comes, one of the two is whole."""
        file = self._file
        assert file is not None
        self._write(END_MARK)
        file.write(self._digest.digest())
        file.flush()
        os.fsync(file.fileno())
        file.close()
        if self._path.exists():
            os.replace(self._path, previous(self._path))
        os.replace(self._aside, self._path)
        self._file = None
        _sync_folder(self._path.parent)

    def discard(self) -> None:
        """Nothing comes of it; raises nothing."""
        with suppress(OSError):
            if self._file is not None:
                self._file.close()
        with suppress(OSError):
            self._aside.unlink(missing_ok=True)

    def _write(self, data: bytes) -> None:
        assert self._file is not None
        self.size += len(data)
        if self.size > FILE_BYTES_MAX:
            raise ValueError(f"it would be longer than {FILE_BYTES_MAX} bytes")
        self._digest.update(data)
        self._file.write(data)


def _sync_folder(folder: Path) -> None:
    """So that the names survive a crash of the machine, where the system can do that."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class Reader:
    """One file, opened and found to be whole.

    Raises:
        Refused: It cannot be used; says why.
        OSError: There is none, or it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("rb")
        try:
            verify(self._file, os.fstat(self._file.fileno()).st_size)
            self._frames: Iterator[Frame] = frames(self._file)
            self.head = self._first()
        except BaseException:
            self._file.close()
            raise

    def _first(self) -> Head:
        head = next(self._frames, None)
        if not isinstance(head, Head):
            raise Refused("it does not say whose it is")
        return head

    def next(self) -> Frame | None:
        """The next frame; None after the last one, and the file is closed.

        Raises:
            Refused, OSError: As before.
        """
        frame = next(self._frames, None)
        if frame is None:
            self.close()
        return frame

    def close(self) -> None:
        """No more of it is wanted."""
        self._file.close()


def clear_leftovers(path: Path) -> None:
    """Remove what a crash has left; raises nothing."""
    with suppress(OSError):
        for each in path.parent.glob(f"{path.name}.new*"):
            with suppress(OSError):
                each.unlink()
