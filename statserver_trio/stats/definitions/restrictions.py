"""Restrictions: conditions besides the filter of a request, on what a statistic counts.

They come from the stat type or from the object that is asked about:

* a *business attribute*: an option of the stat type named like one of those that the site
  knows. Only what carries one of its values in the attached data counts;
* ``MediaType``: telephony is ``voice``; what goes on at media channels and interaction queues
  is of the medium its events name;
* a *campaign*: of the actions that belong to a call, only those whose call carries the
  campaign's name, as the dialler writes it (:mod:`..model.active_switching`). What belongs to
  no call (logged in, ready, after-call work) counts for every member: an agent works for the
  campaign as long as his group does (our decision).

Unlike the filter, they hold for both masks of every category: they say what the stat type
means, not which of it a client wants to see (statistics.md §5.3 has that of MediaType).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from attrs import frozen

from ...model.active_switching import CAMPAIGN
from ...model.occurrences import Occurrence

VOICE = "voice"


class Condition(Protocol):
    """What says of an action, or of a status, whether it counts; a filter is one, too."""

    @property
    def name(self) -> str:
        """What it is called, for people."""

    @property
    def text(self) -> str:
        """The condition in full. Two of equal name and text are the same."""

    def matches(self, data: Mapping[str, Any] | None, source: Occurrence | None = None) -> bool:
        """Whether what has this attached data passes; None is no data at all."""


@frozen
class Attribute:
    """The attached data have one of these values, compared as texts."""

    name: str
    values: tuple[str, ...]

    @property
    def text(self) -> str:
        """As the stat type has it."""
        return ", ".join(self.values)

    def matches(self, data: Mapping[str, Any] | None, source: Occurrence | None = None) -> bool:
        """Whether it is there, and one of those."""
        found = (data or {}).get(self.name)
        return isinstance(found, str | int | float) and str(found) in self.values


@frozen
class Medium:
    """It is about that medium, whatever the case of its name."""

    text: str

    @property
    def name(self) -> str:
        """The option's."""
        return "MediaType"

    def matches(self, data: Mapping[str, Any] | None, source: Occurrence | None = None) -> bool:
        """Whether it is; what has no source has no medium either."""
        return source is not None and source.media.lower() == self.text


@frozen
class OfCampaign:
    """The call, if there is one, is a call of that campaign."""

    text: str

    @property
    def name(self) -> str:
        """The key in the attached data."""
        return CAMPAIGN

    def matches(self, data: Mapping[str, Any] | None, source: Occurrence | None = None) -> bool:
        """Whether it is, or belongs to no call."""
        if source is None or source.call is None:
            return True
        return str((data or {}).get(CAMPAIGN, "")) == self.text


@frozen
class AllOf:
    """Several conditions at once."""

    conditions: tuple[Condition, ...]

    @property
    def name(self) -> str:
        """Their names."""
        return " & ".join(each.name for each in self.conditions)

    @property
    def text(self) -> str:
        """Their texts."""
        return " & ".join(f"({each.text})" for each in self.conditions)

    def matches(self, data: Mapping[str, Any] | None, source: Occurrence | None = None) -> bool:
        """Whether all of them hold."""
        return all(each.matches(data, source) for each in self.conditions)


def all_of(conditions: Sequence[Condition | None]) -> Condition | None:
    """One condition for all that are there; None where there is none."""
    found = tuple(each for each in conditions if each is not None)
    if len(found) < 2:
        return found[0] if found else None
    return AllOf(found)
