"""The page of the messages: requests and events of the client protocol, from their structs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from statserver_trio.api import messages as m

from .markdown import code, head, summary, table

TITLE = "Messages"
SOURCE = "statserver_trio/api/messages.py"
PARTS = (m.ObjectRef, m.Metric, m.MetricEx, m.Interval, m.NotificationRef)
OWN = ("request", "event")


def page() -> str:
    """Requests, their parts, events."""
    parts = [
        head(
            TITLE,
            SOURCE,
            "Fields of every message of the [client protocol](../protocol.md). A field without a "
            "default has to be there; unknown fields are passed over. Events leave out what has "
            "its default.",
        )
    ]
    for title, structs in (
        ("Requests", m.REQUESTS),
        ("Parts of requests", PARTS),
        ("Events", m.EVENTS),
    ):
        parts.append(f"## {title}")
        parts += _described(structs)
    return "\n\n".join(parts) + "\n"


def _described(structs: Iterable[type[Struct]]) -> Iterable[str]:
    for struct in structs:
        yield f"### {struct.__name__}"
        yield summary(struct)
        yield table(("field", "type", "default"), _fields(struct))


def _fields(struct: type[Struct]) -> list[tuple[str, str, str]]:
    info = msgspec.inspect.type_info(struct)
    assert isinstance(info, msgspec.inspect.StructType)
    return [
        (code(each.encode_name), _type(each.type), "" if each.required else _default(each))
        for each in info.fields
    ]


def _default(field: msgspec.inspect.Field) -> str:
    value = field.default
    if value is msgspec.UNSET or value is msgspec.NODEFAULT:
        made: Any = field.default_factory
        return "its defaults" if isinstance(made, type) else code("{}")
    return code(msgspec.json.encode(value).decode())


def _type(kind: Any) -> str:
    """A type in JSON's words, with its limits."""
    match kind:
        case msgspec.inspect.UnionType():
            return " or ".join(_type(each) for each in kind.types)
        case msgspec.inspect.IntType():
            return "integer" + _limits(kind)
        case msgspec.inspect.FloatType():
            return "number" + _limits(kind)
        case msgspec.inspect.StrType():
            most = "" if kind.max_length is None else f", at most {kind.max_length:,} characters"
            return f"string{most}"
        case msgspec.inspect.BoolType():
            return "true or false"
        case msgspec.inspect.NoneType():
            return "null"
        case msgspec.inspect.ListType():
            return f"array of {_type(kind.item_type)}"
        case msgspec.inspect.StructType():
            return f"[{kind.cls.__name__}](#{kind.cls.__name__.lower()})"
        case msgspec.inspect.DictType():
            return "object"
    return "anything"


def _limits(kind: msgspec.inspect.IntType | msgspec.inspect.FloatType) -> str:
    low, high = kind.ge, kind.le
    if high == m.REFERENCE_MAX:
        return " of 64 bits"
    if low is not None and high is not None:
        return f", {low:,} to {high:,}"
    return "" if low is None else f", {low:g} or more"
