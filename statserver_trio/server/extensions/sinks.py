"""Sinks: values of extensions, checked as they come, the latest one kept."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

import msgspec

INTEGER_MAX = 2**63 - 1
TEXT_CHARACTERS_MAX = 10_000
OBJECT_BYTES_MAX = 64 * 1024  # as JSON
OBJECT_DEPTH_MAX = 32


def checked(result: str, value: Any) -> Any:
    """The value as clients are told it, sharing nothing with the extension.

    Raises:
        TypeError: It is of another kind than the extension has promised.
        ValueError: It is too big, or cannot be written as JSON.
    """
    match result, value:
        case ("int", bool()) | ("float", bool()):
            pass
        case "int", int():
            if abs(value) > INTEGER_MAX:
                raise ValueError(f"an int must be within +-{INTEGER_MAX}")
            return int(value)
        case "float", int() | float():
            if not isfinite(value):
                raise ValueError(f"a float must be finite, not {value!r}")
            return float(value)
        case "str", str():
            if len(value) > TEXT_CHARACTERS_MAX:
                raise ValueError(f"a str may have {TEXT_CHARACTERS_MAX} characters")
            value.encode()
            return str(value)
        case "object", dict() | list():
            return _tree(value)
    wanted = "dict or list" if result == "object" else result
    raise TypeError(f"a value must be {wanted}, as promised, not {type(value).__name__}")


def _tree(value: Any) -> Any:
    _look_into(value, OBJECT_DEPTH_MAX)
    encoded = msgspec.json.encode(value)
    if len(encoded) > OBJECT_BYTES_MAX:
        raise ValueError(f"an object may take {OBJECT_BYTES_MAX} bytes as JSON, not {len(encoded)}")
    return msgspec.json.decode(encoded)


def _look_into(value: Any, depth: int) -> None:
    """Only what JSON can say, and not too deep (nor in a circle)."""
    if not depth:
        raise ValueError(f"an object may be {OBJECT_DEPTH_MAX} deep")
    match value:
        case dict():
            for key, each in value.items():
                if not isinstance(key, str):
                    raise TypeError(f"the keys of an object must be str, not {type(key).__name__}")
                _look_into(each, depth - 1)
        case list():
            for each in value:
                _look_into(each, depth - 1)
        case float() if not isfinite(value):
            raise ValueError(f"a float must be finite, not {value!r}")
        case int() if abs(value) > INTEGER_MAX:
            raise ValueError(f"an int must be within +-{INTEGER_MAX}")
        case None | bool() | int() | float() | str():
            pass
        case _:
            raise TypeError(f"an object may not hold a {type(value).__name__}")


class StatisticSink:
    """The sink of one statistic.

    Args:
        changed: Called when there is a value to be taken.

    Attributes:
        is_closed: What is set makes no difference any more.
        waits: A reset point was passed and the extension does not know yet.
    """

    def __init__(self, result: str, changed: Callable[[], None]) -> None:
        self.is_closed = self.waits = False
        self._result = result
        self._changed = changed
        self._values: list[Any] = []  # the latest, or nothing new

    def set(self, value: Any) -> None:
        """See :class:`~statserver_trio.extensions.Sink`."""
        made = checked(self._result, value)
        if not (self.is_closed or self.waits):
            self._values = [made]
            self._changed()

    def take(self) -> list[Any]:
        """The latest value, if there is a new one; nothing if there is none."""
        values, self._values = self._values, []
        return values

    def reset(self) -> None:
        """A reset point was passed: what was set before is over, what comes is too early."""
        self.waits, self._values = True, []

    def begin(self) -> None:
        """The extension is about to be told of the reset."""
        self.waits = False
