"""Requests: what a client asks to be counted, before any name is looked up."""

from __future__ import annotations

from attrs import frozen

from .definitions import StatType
from .definitions.attributes import DEFAULT_TENANT as DEFAULT_TENANT
from .definitions.time_profiles import TimeProfile


class StatisticError(Exception):
    """A request that cannot be granted.

    Attributes:
        code: One of the codes of the client protocol: ``bad-request``,
            ``unknown-object``, ``unknown-stat-type``, ``unknown-filter``,
            ``unknown-time-profile``, ``unknown-time-range``, ``incompatible``,
            ``limit``, ``not-ready``.
        message: For a person: names the field and what is allowed.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class ExtensionMissing(StatisticError):
    """What was asked for comes from an extension that is not loaded here."""


@frozen
class StatisticRequest:
    """One statistic, as asked for.

    Attributes:
        object_type: Any spelling of :mod:`.object_types`.
        object_id: ``number@switch`` for DNs and queues, else a name.
        stat_type: A configured name, or a definition of the client's own.
        time_profile: A configured name, a profile of the client's own, or None
            for ``Default``.
        time_range: A configured name, or None for ``Default`` where one is needed.
        time_range2: Likewise the second one of ServiceFactor1, where None is none.
        extension: Where the stat type is an extension's, which one (``path:name``), so that
            whoever does not have it can say what is missing; else empty.
    """

    object_type: str
    object_id: str
    stat_type: str | StatType
    time_profile: str | TimeProfile | None = None
    time_range: str | None = None
    time_range2: str | None = None
    filter: str | None = None
    tenant: str = DEFAULT_TENANT
    extension: str = ""
