"""The codec of the client protocol: JSON texts to requests, events to frames.

A message that cannot be read becomes a :class:`RequestError` that names the
field and what would have been allowed, and repeats the ``referenceId`` wherever
that could be read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Union

import msgspec
from msgspec import Struct

from ..stats.telling.notifications import Value
from .messages import EVENTS, REQUEST_NAMES, REQUESTS, Event, Reference, Request


class RequestError(Exception):
    """A message that is no request.

    Attributes:
        code: One of the codes of an ``Error`` event.
        message: Names the field and what is allowed.
        reference_id: Of the message, where it could be read.
    """

    def __init__(self, code: str, message: str, reference_id: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reference_id = reference_id


# -- bytes and texts to requests ---------------------------------------------------------


class _Head(Struct, rename="camel"):
    """What can be read of a request that is wrong elsewhere."""

    reference_id: Reference | None = None


_request = msgspec.json.Decoder(Union[REQUESTS])  # noqa: UP007 - it is made of a tuple
_head = msgspec.json.Decoder(_Head)

# What the decoders raise for what a client sent; deep nesting is a RecursionError.
UNREADABLE = (msgspec.DecodeError, UnicodeError, RecursionError)


def decode_request(data: str | bytes) -> Request:
    """The request in one frame.

    Raises:
        RequestError: There is none, or it is wrong.
    """
    try:
        request: Request = _request.decode(data)
    except UNREADABLE as exc:
        raise RequestError("bad-request", _complaint(exc), _reference(data)) from None
    return request


def _reference(data: str | bytes) -> int | None:
    try:
        return _head.decode(data).reference_id
    except UNREADABLE:
        return None


_WHERE = re.compile(r" - at `(?:key in )?\$\.?([^`]*)`$")
_MISSING = re.compile(r"Object missing required field `([^`]*)`")
_EXPECTED = re.compile(r"Expected `([^`]*)`(?:, got `([^`]*)`)?$")
_AT_MOST = re.compile(r"Expected `\w+` (?:of length )?(<=|>=) (\S+)$")

_WORDS = {
    "int": "an integer",
    "float": "a number",
    "str": "a string",
    "bool": "true or false",
    "null": "null",
    "object": "an object",
    "array": "an array",
}


def _complaint(exc: Exception) -> str:
    """What is wrong, naming the field and what is allowed."""
    if not isinstance(exc, msgspec.ValidationError):
        # msgspec 0.23 says it in words of its own; before, it let a UnicodeDecodeError through.
        is_text = isinstance(exc, msgspec.DecodeError) and "UTF-8" not in str(exc)
        what = str(exc) if is_text else "JSON is not UTF-8"
        return f"message: {what}; allowed is one JSON object per message, in UTF-8"
    text = str(exc)
    found = _WHERE.search(text)
    path = found[1] if found else ""
    text = text[: found.start()] if found else text
    missing = _MISSING.match(text)
    if missing:
        field = f"{path}.{missing[1]}" if path else missing[1]
        return f"{field}: required, but missing{_allowed(field)}"
    return f"{path or 'message'}: {_reworded(text)}{_allowed(path)}"


def _allowed(field: str) -> str:
    return f"; allowed: {', '.join(REQUEST_NAMES)}" if field == "request" else ""


def _reworded(text: str) -> str:
    """msgspec's words in JSON's."""
    bound = _AT_MOST.match(text)
    if bound:
        side = "at most" if bound[1] == "<=" else "at least"
        what = f"must be {side} {bound[2].removesuffix('.0')}"
        return what + " characters long" if "length" in text else what
    expected = _EXPECTED.match(text)
    if expected is None:
        return text[:1].lower() + text[1:]
    wanted = " or ".join(_WORDS.get(word, word) for word in expected[1].split(" | "))
    got = f", not {_WORDS.get(expected[2], expected[2])}" if expected[2] else ""
    return f"must be {wanted}{got}"


# -- events to frames and back -----------------------------------------------------------

_encode = msgspec.json.Encoder().encode

_AnyEvent: Any = Union[EVENTS]  # noqa: UP007 - it is made of a tuple
_events = msgspec.json.Decoder(list[_AnyEvent])
_event = msgspec.json.Decoder(_AnyEvent)


def encode(event: Event | Request) -> bytes:
    """One event or request as JSON."""
    return _encode(event)


class _Rest(Struct):
    """What an ``Info`` says besides whose it is, in the same order."""

    value: Any
    time: float
    interval: float
    complete: bool


def info_head(reference_id: int, statistic_id: int) -> bytes:
    """What an ``Info`` begins with: whose it is. Behind it comes an :func:`info_tail`."""
    return b'{"event":"Info","referenceId":%d,"statisticId":%d,' % (reference_id, statistic_id)


def info_tail(value: Value) -> bytes:
    """The rest of an ``Info``: the value, which is the same for all who are told it."""
    rest = _Rest(value.value, value.time, value.interval, value.complete)
    return _encode(rest)[1:]  # without the brace; the head has it


def frame(encoded: Sequence[bytes]) -> bytes:
    """Encoded events as one frame: an array, or a single event as it is."""
    if len(encoded) == 1:
        return encoded[0]
    return b"[" + b",".join(encoded) + b"]"


def decode_events(data: str | bytes) -> list[Event]:
    """The events of one frame, for clients; kinds we do not know are passed over.

    Raises:
        ValueError: This is no frame of events.
    """
    is_array = data.lstrip()[:1] in ("[", b"[")
    try:
        if is_array:
            events: list[Event] = _events.decode(data)
            return events
        return [_event.decode(data)]
    except msgspec.ValidationError:
        raw = msgspec.json.decode(data)
    known = []
    for each in raw if isinstance(raw, list) else [raw]:
        try:
            known.append(msgspec.convert(each, _AnyEvent))
        except msgspec.ValidationError:
            continue
    return known
