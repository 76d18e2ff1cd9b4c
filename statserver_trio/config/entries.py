"""What there is at a site, a table of the configuration for each: DNs, agents and places."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from ..model.directory import DN_TYPES
from . import checks
from .keys import CHECK
from .keys import key as _key


@frozen(kw_only=True)
class DNEntry:
    """``[[dns]]``: a number on a switch, and what answers there."""

    number: str = _key(checks.text)
    switch: str = _key(checks.switch)
    type: str = _key(checks.one_of(*sorted(DN_TYPES)))


@frozen(kw_only=True)
class AgentEntry:
    """``[[agents]]``: somebody who takes calls.

    Attributes:
        capacity_rule: One of ``[capacity-rules]``; without, that of the place where he works
            counts, and then that of ``[objects]``.
    """

    id: str = _key(checks.text)
    skills: Mapping[str, int] = field(factory=dict, metadata={CHECK: checks.skills})
    capacity_rule: str | None = _key(checks.text, None)


@frozen(kw_only=True)
class PlaceEntry:
    """``[[places]]``: a desk, and the DNs on it as ``number@switch``."""

    name: str = _key(checks.text)
    dns: tuple[str, ...] = _key(checks.texts, ())
    capacity_rule: str | None = _key(checks.text, None)
