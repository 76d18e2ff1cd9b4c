"""The page of the options: what may be written in a configuration, from its schema.

What a key may be is asked of its own check, with something that no key may be: so the page says
what the server says to somebody who made a mistake.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from statserver_trio.config.schema import CHECK, Config
from statserver_trio.config.structure import dashes

from .markdown import attributes, code, head, summary, table
from .meanings import OPTIONS

TITLE = "Options"
SOURCE = "statserver_trio/config/"
NOTHING = object()  # that no key may be
PROBES = (NOTHING, "@?")  # a text that is no name of anything, for keys that may be texts
COLUMNS = ("key", "allowed", "default", "what it is")


def page() -> str:
    """All sections, in the order of the schema."""
    parts = [
        head(
            TITLE,
            SOURCE,
            'A configuration is a TOML file. `include = ["other.toml"]` at its top reads other '
            "files first. `statserver check FILE` says every mistake with file, section and key. "
            "A key without a default has to be given. How stat types are written stands in "
            "[Statistics](statistics.md).",
        )
    ]
    for each in attrs.fields(Config):
        if each.metadata:
            parts += _section(each)
    return "\n\n".join(parts) + "\n"


def _section(attribute: attrs.Attribute[Any]) -> Iterator[str]:
    name, metadata = dashes(attribute.name), attribute.metadata
    cls = metadata.get("section") or metadata.get("entries")
    if cls is None:
        yield f"## `[{name}]`"
        yield _meaning(name)
        if CHECK in metadata:
            yield f"Each value: {allowed(metadata[CHECK])}."
        return
    yield f"## `[[{name}]]`" if "entries" in metadata else f"## `[{name}]`"
    _, _, said = summary(cls).partition(": ")
    yield said[:1].upper() + said[1:]
    yield table(COLUMNS, _keys(name, cls))


def _keys(section: str, cls: type) -> Iterator[tuple[str, str, str, str]]:
    described = attributes(cls)
    for each in attrs.fields(cls):
        key = dashes(each.name)
        meaning = described.get(each.name) or _meaning(f"{section}.{key}")
        yield code(key), allowed(each.metadata[CHECK]), default(each), meaning


def _meaning(key: str) -> str:
    try:
        return OPTIONS[key]
    except KeyError:
        where = f"{SOURCE} and reference/meanings.py have no sentence about {key}"
        raise SystemExit(where) from None


def allowed(check: Any) -> str:
    """What a check says is allowed, in the words of its complaint."""
    said = ""
    for probe in PROBES:
        try:
            check(probe)
        except ValueError as complaint:
            said = _allowed_of(str(complaint)) or said
    return said


def _allowed_of(complaint: str) -> str:
    for begin, end in (("must be ", ", not "), ("may list ", None)):
        _, found, rest = complaint.partition(begin)
        if found:
            return rest.rpartition(end)[0] if end else f"some of {rest}, separated by commas"
    return ""


def default(attribute: attrs.Attribute[Any]) -> str:
    """As it would be written in a file."""
    value = attribute.default
    if isinstance(value, attrs.Factory):  # type: ignore[arg-type]
        value = value.factory()
    match value:
        case attrs.NOTHING:
            return "**required**"
        case None:
            return "none"
        case bool():
            return code(str(value).lower())
        case str():
            return code(f'"{value}"')
        case float():
            return code(f"{value:g}")
        case () | []:
            return code("[]")
        case dict():
            inside = ", ".join(f"{key} = {each:g}" for key, each in value.items())
            return code(f"{{ {inside} }}" if inside else "{}")
    return code(str(value))
