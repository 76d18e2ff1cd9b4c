"""Tables of the fields of msgspec structs, in JSON's words."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from .markdown import code, table

COLUMNS = ("field", "type", "default")
WORD_MAX = 2**63 - 1  # the greatest integer of 64 bits


def fields(struct: type[Struct], without: frozenset[str] = frozenset()) -> str:
    """The fields of one, but for those; nothing where there are no others."""
    info = msgspec.inspect.type_info(struct)
    assert isinstance(info, msgspec.inspect.StructType)
    rows = [
        (code(each.encode_name), _type(each.type), "" if each.required else _default(each))
        for each in info.fields
        if each.encode_name not in without
    ]
    return table(COLUMNS, rows) if rows else ""


def names(struct: type[Struct]) -> list[str]:
    """Of its fields, as they are written."""
    return list(struct.__struct_encode_fields__)


def _default(field: msgspec.inspect.Field) -> str:
    if field.default is msgspec.NODEFAULT:
        made: Any = field.default_factory
        return "its defaults" if isinstance(made, type) else code("{}")
    return code(msgspec.json.encode(field.default).decode())


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
    if high == WORD_MAX:
        return " of 64 bits" if low else " of 64 bits, 0 or more"
    if low is not None and high is not None:
        return f", {low:,.0f} to {high:,.0f}"
    return "" if low is None else f", {low:g} or more"
