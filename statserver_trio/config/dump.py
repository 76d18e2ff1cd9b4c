"""Dump: the effective configuration, defaults and all, as TOML.

What it prints can be loaded again and means the same; ``include`` is gone,
because everything included is in it, and so is every secret that is not in a file of its own.
"""

from __future__ import annotations

from typing import Any

import attrs
import tomli_w

from .schema import Config
from .secret import Secret
from .structure import SECTIONS, dashes


def dump(config: Config) -> str:
    """The configuration as TOML."""
    return tomli_w.dumps(tables(config), multiline_strings=False)


def tables(config: Config) -> dict[str, Any]:
    """The configuration as the tables of a file; keys without a value are left out."""
    found = {key: _plain(getattr(config, each.name)) for key, each in SECTIONS.items()}
    return {key: table for key, table in found.items() if table}


def _plain(value: Any) -> Any:
    if attrs.has(type(value)):
        keys = {dashes(each.name): getattr(value, each.name) for each in attrs.fields(type(value))}
        shown = {k: v for k, v in keys.items() if v is not None and not isinstance(v, Secret)}
        return {key: _plain(each) for key, each in shown.items()}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return value
