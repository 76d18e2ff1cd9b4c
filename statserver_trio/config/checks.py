"""Checks: which values a key may have.

A check takes what stands in the file and returns what it means, or raises a
ValueError that says what is allowed and what was found instead. TOML is typed,
so ``"7"`` is no number and ``1`` is not ``true``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from ..stats.definitions.time_profiles import parse_zone
from .mistakes import listed, meant
from .secret import Secret

Check = Callable[[Any], Any]

_PLACE = r"://(\[[0-9a-f:.]+\]|[\w.-]+)(:\d{1,5})?"  # host, perhaps with a port
_ORIGIN = re.compile(rf"https?{_PLACE}", re.IGNORECASE | re.ASCII)
_CLIENT_URL = re.compile(rf"wss?{_PLACE}(/\S*)?", re.IGNORECASE | re.ASCII)


def _refuse(allowed: str, value: Any) -> NoReturn:
    found = {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)
    raise ValueError(f"must be {allowed}, not {found if len(found) < 80 else found[:76] + '...'}")


def text(value: Any) -> str:
    """Any text but an empty one."""
    if not isinstance(value, str) or not value.strip():
        _refuse("a text in quotes", value)
    return value


def secret(value: Any) -> Secret:
    """A text that is not shown, not even where it is wrong."""
    if not isinstance(value, str) or not value:
        raise ValueError("must be a text in quotes; what was found is not shown")
    return Secret(value)


def anything(value: Any) -> str:
    """Any text, the empty one too."""
    return value if isinstance(value, str) else _refuse("a text in quotes", value)


def truth(value: Any) -> bool:
    """``true`` or ``false``."""
    return value if isinstance(value, bool) else _refuse("true or false", value)


def parameter(value: Any) -> str | bool | int | float:
    """Anything but a table, a list or a date."""
    if isinstance(value, dict):
        raise ValueError('must be a single value; a name with a dot needs quotes: "tickets.py"')
    if not isinstance(value, str | bool | int | float):
        _refuse("a text in quotes, a number, true or false", value)
    return value


def number(low: float, high: float) -> Check:
    """A number of that range, with or without decimals."""

    def check(value: Any) -> float:
        right = isinstance(value, int | float) and not isinstance(value, bool)
        if not right or not low <= value <= high:
            _refuse(f"a number from {low:g} to {high:g}", value)
        return float(value)

    return check


def integer(low: int, high: int) -> Check:
    """A whole number of that range."""

    def check(value: Any) -> int:
        right = isinstance(value, int) and not isinstance(value, bool)
        if not right or not low <= value <= high:
            _refuse(f"a whole number from {low} to {high}", value)
        return int(value)

    return check


def one_of(*names: str, aliases: Mapping[Any, str] | None = None) -> Check:
    """One of these texts; ``aliases`` are understood and not advertised."""
    known: dict[Any, str] = {**(aliases or {}), **{name: name for name in names}}

    def check(value: Any) -> str:
        if not isinstance(value, str | bool) or value not in known:
            _refuse(listed(map(repr, names)), value)
        return known[value]

    return check


def some_of(*names: str) -> Check:
    """A text that lists some of these names, separated by commas."""

    def check(value: Any) -> str:
        parts = [part.strip() for part in anything(value).split(",")]
        unknown = [part for part in parts if part and part not in names]
        if unknown:
            raise ValueError(f"no such name as {unknown[0]!r}; may list {', '.join(names)}")
        return str(value)

    return check


def texts(value: Any) -> tuple[str, ...]:
    """A list of texts."""
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        _refuse("a list of texts in quotes", value)
    return tuple(value)


def origin(value: Any) -> str:
    """A web origin: scheme, host and perhaps a port, as browsers name them."""
    if not isinstance(value, str) or not _ORIGIN.fullmatch(value):
        _refuse("a web origin such as 'https://board.example.com:8443'", value)
    return value.lower()


def client_url(value: Any) -> str:
    """A WebSocket URL: scheme, host, perhaps a port and a path."""
    if not isinstance(value, str) or not _CLIENT_URL.fullmatch(value):
        _refuse("a WebSocket URL such as 'wss://stat-a.example.com:7100/'", value)
    return value


def origins(value: Any) -> tuple[str, ...]:
    """A list of them."""
    for each in texts(value):
        if each != "*" and not _ORIGIN.fullmatch(each):
            _refuse("a list of origins such as 'https://board.example.com:8443', or '*'", each)
    return tuple(each.lower() for each in value)


def numbers(known: Mapping[str, tuple[float, float, float]]) -> Check:
    """A table of numbers.

    Args:
        known: By name the least, the greatest, and what it is if it is not given.
    """

    def check(value: Any) -> dict[str, float]:
        if not isinstance(value, dict):
            _refuse(f"a table such as {{ {next(iter(known))} = 1 }}", value)
        found = {name: default for name, (_, _, default) in known.items()}
        for name, each in value.items():
            if name not in known:
                raise ValueError(f"no such name as {name!r}{meant(name, known)}")
            low, high, _ = known[name]
            try:
                found[name] = number(low, high)(each)
            except ValueError as exc:
                raise ValueError(f"{name}: {exc}") from None
        return found

    return check


def skills(value: Any) -> dict[str, int]:
    """A table of skill levels."""
    level = integer(0, 2**31 - 1)
    if not isinstance(value, dict):
        _refuse("a table such as { Spanish = 7 }", value)
    found = {}
    for name, each in value.items():
        try:
            found[name] = level(each)
        except ValueError as exc:
            raise ValueError(f"{name}: {exc}") from None
    return found


def zone(value: Any) -> str:
    """The name of a time zone."""
    parse_zone(text(value))
    return str(value)


def switch(value: Any) -> str:
    """The name of a switch. What follows the last ``@`` of an object id is one."""
    if "@" in text(value):
        _refuse("a name without '@'", value)
    return str(value)


def option(value: Any) -> str:
    """One option of a stat type, in the vendor's spelling, where all are texts."""
    match value:
        case bool():
            return "yes" if value else "no"
        case int() | str():
            return str(value)
    _refuse("a text in quotes", value)
