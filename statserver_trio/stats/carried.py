"""Carried: what a statistic is told as, from one server to another or to its next start.

Whoever wrote it may have been another version of ours, or broken; so its shape is checked
before anything is taken from it (:func:`checked`). What the members mean is said where they are
written, in :mod:`.transfer`.
"""

from __future__ import annotations

from typing import Annotated, Any, NotRequired, TypedDict

import msgspec
from msgspec import Meta, Struct

LARGEST = 2**62  # of what is added to columns of 64 bits: there has to be some room

Number = Annotated[int, Meta(ge=-LARGEST, le=LARGEST)]
# Squares outgrow the integers of most codecs, and in a year they have no more digits than this.
Digits = Annotated[str, Meta(pattern=r"^-?[0-9]{1,40}$")]
DurationsData = dict[str, list[list[Number]]]


class SumsData(Struct, array_like=True, frozen=True):
    """Differences of sums up to some moment: what is over, and what went on at their beginning."""

    ended: Number
    elapsed: Number
    live: Number
    since: Number
    squares: Digits = "0"
    since_squares: Digits = "0"


class FormerData(TypedDict):
    """A part of somebody who has left, or what all parts have."""

    source: str
    node: list[str]
    opened_at: Number
    base: SumsData
    last: SumsData
    marks: list[tuple[Number, SumsData]]
    epoch: Number
    starts: list[Number]
    durations: NotRequired[DurationsData | None]


class LeftData(FormerData):
    """A part of somebody who has left."""

    at: Number


class PartData(FormerData):
    """A part."""

    frozen: LeftData | None
    counter: NotRequired[dict[str, Any] | None]


class PageData(TypedDict):
    """A page of a book."""

    opened_at: Number
    start: Number
    since: Number
    left_at: Number | None
    paused_at: Number | None
    stores: dict[str, dict[str, Any]]


class StatisticData(TypedDict):
    """A statistic."""

    opened_at: Number
    parts: dict[str, list[PartData]]
    former: dict[str, list[LeftData]]
    tally: dict[str, Any] | None
    book: dict[str, PageData] | None


_decoder = msgspec.msgpack.Decoder(StatisticData)


def read(data: bytes) -> StatisticData:
    """What was told, as it came over the link.

    Raises:
        msgspec.DecodeError, RecursionError: It makes no sense.
    """
    return _decoder.decode(data)


def checked(data: Any) -> Any:
    """The same, of the right shape.

    Raises:
        ValueError: It is not.
    """
    try:
        return msgspec.convert(data, StatisticData)
    except msgspec.ValidationError as wrong:
        raise ValueError(str(wrong)) from None
