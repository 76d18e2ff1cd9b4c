"""A key of the configuration: its check, its default, and whether it is a secret."""

from __future__ import annotations

from typing import Any

from attrs import field

from . import checks

CHECK = "check"
SECRET_FILE = "secret-file"  # the attribute that names a file with this secret instead


def key(check: checks.Check, default: Any = ..., file: str = "") -> Any:
    """One key; without a default it must be given.

    Args:
        file: Of a secret: the attribute that names a file with it; see :mod:`.secret_files`.
    """
    metadata = {CHECK: check, SECRET_FILE: file} if file else {CHECK: check}
    return field(metadata=metadata) if default is ... else field(default=default, metadata=metadata)
