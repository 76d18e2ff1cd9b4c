"""The registry: what extensions offer, which of it is open, and what clients are to hear.

Statistics of an extension have no rows and belong to no source: their clock is the
server's. Whoever runs the extensions tells the engine three things:

* what an extension offers (:meth:`Extended.offer`, :meth:`Extended.withdraw`);
* a value (:meth:`Extended.push`);
* whether a value can be relied upon (:meth:`Extended.trouble`);

and is told in return, by :meth:`Extended.take_actions`, what was opened, what was closed,
and whose interval begins anew. An event of a feed costs one look at the next reset point,
however many of these statistics are open, and nothing where there are none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

from ..definitions import StatType
from ..definitions.extension_types import split
from ..definitions.time_profiles import TimeProfile
from ..requests import ExtensionMissing, StatisticError
from ..telling.notifications import Mode, Notice, Value
from .offers import NOTHING, Offer

if TYPE_CHECKING:
    from ..statistic import Statistic


@frozen
class Opened:
    """Action: let the extension open this."""

    statistic: Statistic


@frozen
class Closed:
    """Action: nobody wants this any more."""

    statistic: Statistic


@frozen
class Reset:
    """Action: a reset point was passed; what the extension counts begins anew."""

    statistic: Statistic


Action = Opened | Closed | Reset


@define
class _Resets:
    """All statistics of a growing profile, and when it is reset next; ms, -1 is never."""

    next_at: int
    statistics: dict[Statistic, None] = field(factory=dict)


class Extended:
    """Everything about extensions that the engine has to know.

    Attributes:
        statistics: All that are open, by the path of their extension.
    """

    def __init__(self) -> None:
        self.statistics: dict[str, dict[Statistic, None]] = {}
        self._offers: dict[str, dict[str, Offer]] = {}  # by path, by name
        self._own: dict[str, StatType] = {}  # what clients may ask for by the offer's name
        self._resets: dict[TimeProfile, _Resets] = {}
        self._actions: list[Action] = []
        self._notices: list[Notice] = []
        self._moved: dict[Statistic, None] = {}  # those of other value than before
        self._now = 0

    # -- what is offered -------------------------------------------------------------

    def offer(self, path: str, offers: Iterable[Offer]) -> dict[Statistic, None]:
        """An extension was loaded; open statistics that it does not offer any more, or
        as something else, are returned: they are to be closed."""
        self._offers[path] = {offer.name: offer for offer in offers}
        self._name()
        mine = self._offers[path]
        gone: dict[Statistic, None] = {}
        for statistic in self.statistics.get(path, ()):
            pushed = statistic.pushed
            assert pushed is not None
            offer = mine.get(pushed.offer.name)
            if offer is None or _promise(offer) != _promise(pushed.offer):
                gone[statistic] = None
        return gone

    def withdraw(self, path: str) -> dict[Statistic, None]:
        """An extension was unloaded; its open statistics, which are to be closed."""
        self._offers.pop(path, None)
        self._name()
        return dict(self.statistics.get(path, ()))

    def _name(self) -> None:
        """Of two extensions that offer the same name the first path of the alphabet has it."""
        self._own = {}
        for path in sorted(self._offers):
            for name, offer in self._offers[path].items():
                self._own.setdefault(name, offer.stat_type)

    def stat_types(self, configured: Mapping[str, StatType]) -> dict[str, StatType]:
        """All that can be opened now: what is configured comes first, and hides the rest."""
        usable = {
            name: stat_type
            for name, stat_type in configured.items()
            if not stat_type.extension or self._find(stat_type.extension) is not None
        }
        return usable | {n: each for n, each in self._own.items() if n not in configured}

    def stat_type(self, name: str) -> StatType | None:
        """What an extension offers by that name."""
        return self._own.get(name)

    def _find(self, extension: str) -> Offer | None:
        path, name = split(extension)
        return self._offers.get(path, {}).get(name)

    def offer_for(self, stat_type: StatType, object_type: str) -> Offer | None:
        """What a stat type asks for; None where no extension is asked.

        Raises:
            ExtensionMissing: It is not loaded, or has no such statistic.
            StatisticError: It is not for that object.
        """
        if not stat_type.extension:
            return None
        offer = self._find(stat_type.extension)
        if offer is None:
            path, name = split(stat_type.extension)
            what = f"has no {name!r}" if path in self._offers else "is not loaded"
            raise ExtensionMissing(
                "unknown-stat-type",
                f"metric.statisticType: {stat_type.name} needs the extension {path}, which {what}",
            )
        if object_type not in offer.objects:
            raise StatisticError(
                "incompatible",
                f"object.objectType: the extension tells {stat_type.name} "
                f"of {', '.join(sorted(offer.objects))} only",
            )
        return offer

    # -- what is open ----------------------------------------------------------------

    def opened(self, statistic: Statistic, now: int) -> None:
        """A statistic was opened; if it is none of ours, nothing happens."""
        if statistic.pushed is None:
            return
        statistic.pushed.since = now
        self.look(now)
        self.statistics.setdefault(statistic.pushed.offer.path, {})[statistic] = None
        profile = statistic.profile
        if profile is not None and profile.kind == "Growing":
            if profile not in self._resets:
                following = profile.next_reset(now)
                self._resets[profile] = _Resets(-1 if following is None else following)
            self._resets[profile].statistics[statistic] = None
        self._actions.append(Opened(statistic))

    def closed(self, statistic: Statistic) -> None:
        """A statistic was closed."""
        if statistic.pushed is None:
            return
        path, profile = statistic.pushed.offer.path, statistic.profile
        del self.statistics[path][statistic]
        if not self.statistics[path]:
            del self.statistics[path]
        if profile in self._resets:
            del self._resets[profile].statistics[statistic]
            if not self._resets[profile].statistics:
                del self._resets[profile]
        self._moved.pop(statistic, None)
        self._actions.append(Closed(statistic))

    def take_actions(self) -> list[Action]:
        """What whoever runs the extensions has to do, in order."""
        actions, self._actions = self._actions, []
        return actions

    # -- what extensions tell --------------------------------------------------------

    def push(self, statistic: Statistic, value: Any) -> None:
        """The value of a statistic, which may have been closed meanwhile."""
        pushed = statistic.pushed
        if pushed is not None and statistic in self.statistics.get(pushed.offer.path, ()):
            pushed.value = value
            self._moved[statistic] = None

    def trouble(self, statistic: Statistic, reason: str, now: int) -> None:
        """A value cannot be relied upon any more, for that reason; or can be, without one."""
        pushed = statistic.pushed
        assert pushed is not None
        self.look(now)
        pushed.trouble = reason
        if statistic.valid == (not reason):
            return
        statistic.valid = not reason
        if reason:
            statistic.gap_at = now  # what happens from now on, nobody counts ...
        elif statistic.gap_at is not None:
            statistic.gap_at = now  # ... until now
        kind = "StatisticInvalid" if reason else "StatisticValid"
        why = reason or f"the extension {pushed.offer.path} tells it"
        self._notices += [Notice(each, kind, reason=why) for each in statistic.subscriptions]

    # -- what clients are told -------------------------------------------------------

    def look(self, now: int) -> None:
        """What time it is, ms."""
        self._now = max(self._now, now)

    def value(self, statistic: Statistic) -> Value:
        """What a statistic is worth, as of the last look."""
        pushed, now = statistic.pushed, self._now
        assert pushed is not None
        value, since = pushed.value, pushed.beginning(statistic.profile, now)
        if _grows(statistic) and since > pushed.since:  # nobody has passed the reset point yet
            value = NOTHING[pushed.offer.result]
        return self._told(statistic, value, since, now)

    def _told(self, statistic: Statistic, value: Any, since: int, until: int) -> Value:
        whole = statistic.valid and (statistic.gap_at is None or statistic.gap_at < since)
        complete = whole or statistic.profile is None
        return Value(value, until / 1000, (until - since) / 1000, complete)

    def due(self, now: int) -> tuple[list[Notice], dict[Statistic, None]]:
        """What to tell, and whose value may have changed."""
        self.look(now)
        if 0 <= self._next_at() <= now:
            self._pass_resets(now)
        notices, self._notices = self._notices, []
        moved, self._moved = self._moved, {}
        return notices, moved

    def _next_at(self) -> float:
        return min(
            (each.next_at for each in self._resets.values() if each.next_at >= 0), default=inf
        )

    def next_deadline(self) -> float:
        """When the next reset point is, ms; ``inf`` if there is none."""
        return self._next_at()

    def _pass_resets(self, now: int) -> None:
        """After a long silence the last reset point alone is told: of the others before it
        nobody knows what the value was (our decision)."""
        for profile, resets in self._resets.items():
            if not 0 <= resets.next_at <= now:
                continue
            at, following = profile.last_reset(now), profile.next_reset(now)
            assert at is not None
            resets.next_at = -1 if following is None else following
            for statistic in resets.statistics:
                self._reset(statistic, at)

    def _reset(self, statistic: Statistic, at: int) -> None:
        pushed = statistic.pushed
        assert pushed is not None
        closing = self._told(statistic, pushed.value, pushed.since, at)
        for subscription in statistic.subscriptions:
            if subscription.notification.mode is Mode.RESET_BASED and not subscription.suspended:
                self._notices.append(Notice(subscription, "Info", closing))
        pushed.since = at
        pushed.clear()
        self._moved[statistic] = None
        self._actions.append(Reset(statistic))


def _grows(statistic: Statistic) -> bool:
    return statistic.profile is not None and statistic.profile.kind == "Growing"


def _promise(offer: Offer) -> tuple[object, ...]:
    """What clients of an offer rely upon."""
    return offer.kind, offer.result, offer.objects
