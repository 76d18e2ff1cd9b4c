"""Time profiles: since when a historical statistic counts.

* *Growing*: from the last reset point on. Reset points are times of day on the
  wall clock of a zone.
* *Sliding*: over the last ``length``, in steps: the window stays where it is
  for one ``step`` and then moves by one.
* *Selection*: over the last ``count`` occurrences that are over.
* *SinceLogin*: since an agent has logged in (:mod:`..counting.sessions`).

All times are integer milliseconds since the epoch. The grammar is that of
statistics.md §6.1; what it leaves open is decided here and marked so.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import NoReturn
from zoneinfo import ZoneInfo

from attrs import field, frozen

KINDS = ("Growing", "Sliding", "Selection", "SinceLogin")
STEPS_MAX = 86_400  # columns kept for one sliding window: a day in seconds (our decision)

_SECOND, _DAY = 1000, 1440  # ms; minutes
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
# Where the calendar of datetime ends, with room for the days around a moment.
_FIRST, _LAST = -62_000_000_000_000, 253_000_000_000_000
_DAYS_KEPT = 16

_NAME = re.compile(r"[A-Za-z0-9_]+")
_NUMBER = re.compile(r"[0-9]{1,9}")
_ZONE = re.compile(r"(?:^|(?<=[\s,]))tz\s*=\s*(\S*)\s*$", re.IGNORECASE)
_OFFSET = re.compile(r"([+-])([0-9]{1,2}):([0-9]{2})")
_POINT = re.compile(r"\s*([0-9]{1,3}:[0-9]{1,3})(?:\s*\+\s*([0-9]{1,3}:[0-9]{1,3}))?(?=[\s,]|$)")
_SEPARATOR = re.compile(r"\s*,?\s*")
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})")


@frozen(cache_hash=True)  # looked up whenever anything is opened
class TimeProfile:
    """One configured time profile.

    Attributes:
        kind: One of :data:`KINDS`.
        text: The value as it was written.
        points: Growing: minutes of the day at which it resets, ascending;
            empty for a profile that never resets.
        zone: Growing: whose wall clock.
        length, step: Sliding: ms.
        count: Selection: how many occurrences are looked at.
    """

    name: str
    kind: str
    text: str = ""
    points: tuple[int, ...] = ()
    zone: tzinfo = UTC
    length: int = 0
    step: int = 0
    count: int = 0
    # Answers worth remembering: events come in order, so almost every question
    # falls between the same two resets as the one before it.
    _between: list[int] = field(factory=list, eq=False, repr=False, init=False)
    _days: dict[date, list[int]] = field(factory=dict, eq=False, repr=False, init=False)

    def last_reset(self, t_ms: int) -> int | None:
        """The latest reset point at or before ``t_ms``; None for a profile without any."""
        around = self._around(t_ms)
        return around[0] if around else None

    def next_reset(self, t_ms: int) -> int | None:
        """The first reset point after ``t_ms``; None for a profile without any."""
        around = self._around(t_ms)
        return around[1] if around else None

    def edge(self, t_ms: int) -> int:
        """Sliding: where the window reported at ``t_ms`` begins; it covers ``[edge, t_ms]``.

        Windows are made of whole steps counted from the epoch. The step that
        ``t_ms`` is in belongs to the window, so it is more than ``length -
        step`` and at most ``length`` long::

            edge = (t // step + 1) * step - length

        With a step of one second and times in whole seconds, that is exactly
        the vendor's ``(t - length, t]``: what ended at t=35 is in the window of
        60 s at t=90 and out of it at t=95 (vector V9).
        """
        if not self.step:
            raise ValueError(f"{self.name!r} is {self.kind} and has no window")
        return (t_ms // self.step + 1) * self.step - self.length

    def _around(self, t_ms: int) -> list[int]:
        """The reset points before and after a moment; empty where there are none.

        There are none either where the calendar ends (years 5 and 9987).
        """
        known = self._between
        if known and known[0] <= t_ms < known[1]:
            return known
        if not self.points or not _FIRST <= t_ms <= _LAST:
            return []
        today = (_EPOCH + t_ms * _MILLISECOND).astimezone(self.zone).date()
        # A clock that is set back over midnight makes yesterday come after today.
        near = sorted({at for shift in (-1, 0, 1) for at in self._resets_on(today, shift)})
        found = bisect_right(near, t_ms)
        if found == len(near):  # a day that never was: its points fire with tomorrow's first
            near += self._resets_on(today, 2)
        known[:] = near[found - 1 : found + 1]
        return known

    def _resets_on(self, today: date, shift: int) -> list[int]:
        """The moments of one day's reset points."""
        day = today + timedelta(days=shift)
        if day not in self._days:
            if len(self._days) >= _DAYS_KEPT:
                self._days.clear()
            midnight = datetime(day.year, day.month, day.day)
            self._days[day] = [
                _moment(midnight + timedelta(minutes=point), self.zone) for point in self.points
            ]
        return self._days[day]


def _moment(wall: datetime, zone: tzinfo) -> int:
    """When clocks in ``zone`` first show ``wall`` or later, ms.

    A time that is skipped when clocks are set forward comes when they are set;
    one that comes twice counts the first time.
    """
    first = wall.replace(tzinfo=zone)  # fold=0: the first pass, or the offset before a gap
    after = (first - _EPOCH) // _MILLISECOND
    if _shown(after, zone) == wall:
        return after
    # In a gap: read with the offset before it, the moment lies after the jump;
    # with the offset after it, before. The jump is the first second in between
    # at which clocks show a later time.
    before = (first.replace(fold=1) - _EPOCH) // _MILLISECOND
    low, high = before // _SECOND, after // _SECOND
    while high - low > 1:
        middle = (low + high) // 2
        if _shown(middle * _SECOND, zone) > wall:
            high = middle
        else:
            low = middle
    return high * _SECOND


def _shown(t_ms: int, zone: tzinfo) -> datetime:
    """What clocks in ``zone`` show."""
    return (_EPOCH + t_ms * _MILLISECOND).astimezone(zone).replace(tzinfo=None, fold=0)


def default_profile(zone: tzinfo) -> TimeProfile:
    """``Default``: reset at midnight in ``zone``, unless a site says otherwise."""
    return TimeProfile("Default", "Growing", "0:00", points=(0,), zone=zone)


DEFAULT_PROFILE = default_profile(UTC)


def parse_time_profile(option: str, value: str, zone: tzinfo) -> TimeProfile:
    """The profile written as ``option`` (``Name,Type``) ``= value``.

    Args:
        zone: Whose wall clock a Growing profile without ``tz=`` follows.

    Raises:
        ValueError: What is wrong, and what is allowed.

    >>> from datetime import UTC
    >>> parse_time_profile("Shift,Growing", "7:00, 15:00 +4:00", UTC).points
    (180, 420, 900, 1140, 1380)
    """
    name, comma, kind = (part.strip() for part in option.partition(","))
    if not comma:
        raise ValueError(f"{option!r} names no type; write Name,Type with a type of {_either()}")
    if not _NAME.fullmatch(name):
        raise ValueError(f"the name {name!r} must consist of letters, digits and underscores")
    match kind.lower():
        case "growing":
            return _growing(name, value, zone)
        case "sliding":
            return _sliding(name, value)
        case "selection":
            if not _NUMBER.fullmatch(value.strip()) or not int(value):
                raise ValueError(f"{value!r} must be a whole number of occurrences, 1 or more")
            return TimeProfile(name, "Selection", value, count=int(value))
        case "sincelogin":
            if value.strip():
                raise ValueError(f"a SinceLogin profile takes no value, not {value!r}")
            return TimeProfile(name, "SinceLogin", value)
    raise ValueError(f"no such type as {kind!r}; it must be {_either()}")


def _either() -> str:
    return ", ".join(KINDS[:-1]) + f" or {KINDS[-1]}"


def _sliding(name: str, value: str) -> TimeProfile:
    """``length[:step]`` in seconds."""
    length_text, _, step_text = (part.strip() for part in value.partition(":"))
    step_text = step_text if ":" in value else "1"
    if not (_NUMBER.fullmatch(length_text) and _NUMBER.fullmatch(step_text)):
        raise ValueError(
            f"{value!r} is no window; write seconds as length:step, for example 3600:60"
        )
    length, step = int(length_text), int(step_text)
    if not length or not step:
        raise ValueError(f"{value!r}: length and step must be 1 s or more")
    if length % step:
        raise ValueError(f"{value!r}: the step must divide the length, as in 3600:60")
    if length // step > STEPS_MAX:
        raise ValueError(f"{value!r}: {length // step} steps are too many, at most {STEPS_MAX}")
    return TimeProfile(name, "Sliding", value, length=length * _SECOND, step=step * _SECOND)


def _growing(name: str, value: str, zone: tzinfo) -> TimeProfile:
    """``point (sep point)* [tz=zone]``, or nothing at all for never."""
    if value.strip().lower() in ("", "never"):
        return TimeProfile(name, "Growing", value, zone=zone)
    found = _ZONE.search(value)
    if found:
        zone = parse_zone(found[1])
    starts = _starts(value[: found.start()] if found else value)
    return TimeProfile(name, "Growing", value, points=_points(starts), zone=zone)


def _starts(text: str) -> dict[int, int]:
    """The points of a Growing profile: minute of the day, and increment (0 for none)."""

    def refuse(what: str) -> NoReturn:
        raise ValueError(
            f"{what}; write reset times as 0:00 or 7:00, 15:00 or 9:00 +1:00, 18:00, or never"
        )

    starts: dict[int, int] = {}
    at, end = 0, len(text.rstrip())
    while at < end or not starts:
        found = _POINT.match(text, at)
        if found is None:
            refuse(
                f"{text[at:].strip()!r} is no time of day" if text[at:].strip() else "no reset time"
            )
        start, increment = _minutes(found[1]), _minutes(found[2] or "24:00")
        if start is None or start >= _DAY:
            refuse(f"{found[1]!r} is no time of day")
        if start in starts:
            refuse(f"{found[1]} is listed twice")
        if not increment or (found[2] and increment >= _DAY):
            refuse(f"{found[2]!r} is no increment between 0:01 and 23:59")
        starts[start] = increment
        comma = _SEPARATOR.match(text, found.end())
        at = comma.end() if comma else end
        if comma and comma[0].strip() and at >= end:
            refuse("nothing follows the last comma")
    return starts


def _minutes(clock: str) -> int | None:
    """``hh:mm`` as minutes."""
    found = _CLOCK.fullmatch(clock)
    return int(found[1]) * 60 + int(found[2]) if found and int(found[2]) < 60 else None


def _points(starts: dict[int, int]) -> tuple[int, ...]:
    """All minutes of the day at which a profile resets.

    An increment runs until the next point of the list, in the order of the day
    and round midnight: ``22:00 +1:00`` alone resets at every full hour (our
    decision, the literal reading of §6.1).
    """
    order = sorted(starts)
    points: set[int] = set()
    for start, until in zip(order, [*order[1:], order[0] + _DAY], strict=True):
        points.update(at % _DAY for at in range(start, until, starts[start]))
    return tuple(sorted(points))


def parse_zone(text: str) -> tzinfo:
    """A zone by its IANA name, or ``+hh:mm`` or ``-hh:mm`` east or west of UTC.

    Raises:
        ValueError: What is wrong, and what is allowed.
    """
    found = _OFFSET.fullmatch(text)
    minutes = _minutes(f"{found[2]}:{found[3]}") if found else None
    if found and minutes is not None and minutes < _DAY:
        return timezone(timedelta(minutes=minutes if found[1] == "+" else -minutes))
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):  # no such key; no key at all; a folder
        raise ValueError(
            f"no such time zone as {text!r}; name one like Europe/Berlin or UTC, or +hh:mm"
        ) from None
