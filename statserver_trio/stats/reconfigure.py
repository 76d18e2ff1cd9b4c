"""Reconfigure: other definitions, another directory, and everything that stays goes on.

A reload must not be felt by a statistic that it does not concern: it keeps its rows, its
numbers and its subscriptions. What it does concern is one of

* *closed*, and its clients told why: its stat type, time profile, time range, filter or
  object was deleted, or means something else now under the same name. The latter is
  deletion and re-creation in one (our decision, after hot-standby.md §5.4): a number of
  which one half was counted one way and the rest another means nothing;
* *regrouped*: members came to its group or left it. Who comes counts from that moment,
  just as if the statistic had been opened for him then; what goes on at that moment is
  projected on the time since. What a leaving member has contributed stays as it is, until
  the interval in which he left is over (see :func:`.parts.freeze`): historical values
  never jump because somebody leaves, current ones are those of the present members.

A place with other DNs than before is another place: what is open on it, or on a group
that has it, is closed (our decision: a place sees its DNs "since ever", and there is no
exact way to tell what it would have seen of one that joins in the middle of a call).

With ``auto-create``, DNs and agents exist as soon as anybody names them; so not to list
them any more deletes nothing. Without it they are forgotten (our decision).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from attrs import field, frozen

from ..model.directory import Directory
from ..model.nodes import DNNode
from ..model.world import WorldOptions
from .definitions import Definitions, StatType
from .definitions.object_types import COMPOSED
from .engine import Engine
from .requests import StatisticError
from .statistic import Statistic, campaign_of
from .telling.notifications import Notice


@frozen
class Difference:
    """What became of the names of one section, each list in the order of the file."""

    added: list[str] = field(factory=list)
    changed: list[str] = field(factory=list)
    deleted: list[str] = field(factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether all is as it was."""
        return not (self.added or self.changed or self.deleted)


@frozen
class Changes:
    """What a reload did.

    Attributes:
        sections: By section, as they are called in a file; those without changes are not in it.
        closed: How many statistics were closed, by reason.
        joined, left: How many members came to statistics of groups, and left them.
        after_restart: What was asked for and cannot be had while the server runs.
        notices: What clients are to be told.
    """

    sections: dict[str, Difference] = field(factory=dict)
    closed: dict[str, int] = field(factory=dict)
    joined: int = 0
    left: int = 0
    after_restart: list[str] = field(factory=list)
    notices: list[Notice] = field(factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing has changed."""
        return not (self.sections or self.closed or self.joined or self.left)


def reconfigure(
    engine: Engine,
    definitions: Definitions,
    directory: Directory,
    now: int,
    options: WorldOptions | None = None,
) -> Changes:
    """Let an engine go on with other definitions and another directory.

    Args:
        now: Milliseconds, as everywhere at the engine.
        options: Of the worlds; they apply to whatever happens from now on.

    Returns:
        What changed; it is the caller's to deliver the notices.
    """
    notices = engine.notices(now)  # what was due before is told before
    before = _State(engine.definitions, engine.directory)
    after = _State(definitions, directory)
    doomed = _doomed(engine, before, after)
    closed: dict[str, int] = {}
    for reason, statistics in doomed.items():
        closed[reason] = len(statistics)
        notices += engine.close_all(statistics, reason)
    for statistic in engine.statistics.values():
        _rename(statistic, before, after)
    engine.configure(definitions, directory)
    for source in engine.sources.values():
        source.relist(directory, now, options)
    joined, left = _regroup(engine, now, closed, notices)
    for source in engine.sources.values():
        source.strike(now)
    notices += engine.notices(now)
    sections = _differences(before, after)
    return Changes(sections, closed, joined, left, _kinds_kept(engine, directory, now), notices)


@frozen
class _State:
    definitions: Definitions
    directory: Directory


# -- what is closed -----------------------------------------------------------------------


def _meaning(stat_type: StatType) -> tuple[Any, ...]:
    """What makes a stat type count as it does; descriptions may change."""
    languages = (stat_type.custom_value, stat_type.formula, stat_type.group_by)
    return (
        stat_type.category,
        stat_type.subject,
        stat_type.main_mask,
        stat_type.rel_mask,
        stat_type.by_call,
        *(each and each.text for each in languages),
        stat_type.media_type,
        stat_type.attributes,
        stat_type.reason_start_overrides_status_start,
        stat_type.extension,
    )


def _fate(kind: str, name: str, mine: object, old: object, new: object) -> str:
    """Why a statistic has to go that uses ``mine`` by that name; empty if it may stay.

    What a client brought along itself, instead of a name, is not in the configuration.
    """
    if mine != old or mine == new:
        return ""
    return f"{kind} {name!r} was {'deleted' if new is None else 'changed'}"


def _stat_type_gone(s: Statistic, before: _State, after: _State) -> str:
    mine = s.stat_type
    old = before.definitions.stat_types.get(mine.name)
    new = after.definitions.stat_types.get(mine.name)
    if s.pushed is not None and old is None and new is not None:  # the extension offered it
        return f"stat type {mine.name!r} is configured now"
    if new is None or old != mine:
        return _fate("stat type", mine.name, mine, old, new)
    if s.key.object_type not in new.objects:
        return f"stat type {mine.name!r} is no longer for {s.key.object_type}"
    return _fate("stat type", mine.name, _meaning(mine), _meaning(old), _meaning(new))


def _named_gone(
    kind: str,
    used: Callable[[Statistic], tuple[Any, ...]],
    known: Callable[[Definitions, str], object],
) -> Rule:
    """The rule for what a request names and the definitions explain.

    Args:
        used: What of that kind a statistic uses; None for what it could and does not.
        known: What a name of that kind stands for; None where it is not configured.
    """

    def rule(s: Statistic, before: _State, after: _State) -> str:
        for mine in used(s):
            if mine is not None:
                old, new = (known(state.definitions, mine.name) for state in (before, after))
                if reason := _fate(kind, mine.name, mine, old, new):
                    return reason
        return ""

    return rule


def _dn_gone(s: Statistic, before: _State, after: _State) -> str:
    for node in s.nodes:
        assert isinstance(node, DNNode)
        if not after.directory.auto_create and node.key not in after.directory.dns:
            return f"DN {str(node.key)!r} was deleted"
    return ""


def _agent_gone(s: Statistic, before: _State, after: _State) -> str:
    listed = after.directory.auto_create or s.key.object_id in after.directory.agents
    return "" if listed else f"agent {s.key.object_id!r} was deleted"


def _place_gone(s: Statistic, before: _State, after: _State) -> str:
    name = s.key.object_id
    old, new = before.directory.places.get(name), after.directory.places.get(name)
    if new is None:
        return f"place {name!r} was deleted"
    return "" if old == new else f"the DNs of place {name!r} were changed"


def _group_gone(what: str, groups: Callable[[Directory], Mapping[str, Any]]) -> Rule:
    def rule(s: Statistic, before: _State, after: _State) -> str:
        name = s.key.object_id
        return "" if name in groups(after.directory) else f"{what} {name!r} was deleted"

    return rule


def _place_of_group_gone(s: Statistic, before: _State, after: _State) -> str:
    return _place_changed(s.key.object_id, before, after)


def _place_changed(group: str, before: _State, after: _State) -> str:
    """A place that is in the group before and after, and is another one now."""
    old, new = (state.directory.place_groups.get(group, ()) for state in (before, after))
    for name in old:
        if name in new and before.directory.places.get(name) != after.directory.places.get(name):
            return f"the DNs of place {name!r} were changed"
    return ""


def _tenant_gone(s: Statistic, before: _State, after: _State) -> str:
    name = s.key.object_id
    return "" if name == after.directory.tenant else f"tenant {name!r} was deleted"


def _campaign_gone(s: Statistic, before: _State, after: _State) -> str:
    """The campaign, the group's work for it, or one of the places that work for it."""
    kind, object_id = s.key.object_type, s.key.object_id
    name = campaign_of(kind, object_id)
    groups = after.directory.campaigns.get(name)
    if groups is None:
        return f"campaign {name!r} was deleted"
    if kind == "CampaignGroup":
        group = object_id.rpartition("@")[2]
        if group not in groups:
            return f"group {group!r} works for campaign {name!r} no more"
        groups = (group,)
    return next(filter(None, (_place_changed(group, before, after) for group in groups)), "")


def _listed_no_more(what: str, names: Callable[[Directory], Collection[str]]) -> Rule:
    def rule(s: Statistic, before: _State, after: _State) -> str:
        name, directory = s.key.object_id, after.directory
        may_be = directory.auto_create or name in names(directory)
        return "" if may_be else f"{what} {name!r} was deleted"

    return rule


Rule = Callable[[Statistic, _State, _State], str]  # the reason to close, or nothing

DEFINITION_RULES: tuple[Rule, ...] = (
    _stat_type_gone,
    _named_gone("time profile", lambda s: (s.profile,), Definitions.time_profile),
    _named_gone("time range", lambda s: (s.time_range, s.time_range2), Definitions.time_range),
    _named_gone("filter", lambda s: (s.filter,), lambda d, name: d.filters.get(name)),
)
OBJECT_RULES: dict[str, tuple[Rule, ...]] = {
    "RegDN": (_dn_gone,),
    "Queue": (_dn_gone,),
    "RoutePoint": (_dn_gone,),
    "GroupQueues": (_group_gone("queue group", lambda d: d.queue_groups),),
    "Agent": (_agent_gone,),
    "GroupAgents": (
        _group_gone("agent group", lambda d: {**d.agent_groups, **d.virtual_agent_groups}),
    ),
    "Place": (_place_gone,),
    "GroupPlaces": (
        _group_gone("place group", lambda d: d.place_groups),
        _place_of_group_gone,
    ),
    "Tenant": (_tenant_gone,),
    "Switch": (),  # those are there until a restart
    "Campaign": (_campaign_gone,),
    "CampaignGroup": (_campaign_gone,),
    "StagingArea": (_listed_no_more("interaction queue", lambda d: d.interaction_queues),),
    "Workbin": (_listed_no_more("workbin", lambda d: d.workbins),),
    "RoutingStrategy": (_listed_no_more("strategy", lambda d: d.routing_strategies),),
}


def _doomed(engine: Engine, before: _State, after: _State) -> dict[str, list[Statistic]]:
    """The statistics that cannot go on, by reason."""
    doomed: dict[str, list[Statistic]] = {}
    for statistic in engine.statistics.values():
        rules = DEFINITION_RULES  # what an extension counts need not be an object of ours
        if statistic.pushed is None:
            rules = (*rules, *OBJECT_RULES[statistic.key.object_type])
        reason = next(filter(None, (rule(statistic, before, after) for rule in rules)), "")
        if reason:
            doomed.setdefault(reason, []).append(statistic)
    return doomed


# -- what goes on -------------------------------------------------------------------------


def _rename(statistic: Statistic, before: _State, after: _State) -> None:
    """Show the new wording of a stat type that means the same."""
    name = statistic.stat_type.name
    if before.definitions.stat_types.get(name) == statistic.stat_type:
        statistic.stat_type = after.definitions.stat_types[name]


def _regroup(
    engine: Engine, now: int, closed: dict[str, int], notices: list[Notice]
) -> tuple[int, int]:
    """Let the statistics of groups have the members of today; how many came and left."""
    joined = left = 0
    for statistic in list(engine.statistics.values()):
        if statistic.key.object_type not in COMPOSED:
            continue
        try:
            came, went = engine.regroup(statistic, now)
        except StatisticError as error:  # a member that the directory itself does not know
            closed[str(error)] = closed.get(str(error), 0) + 1
            notices += engine.close_all([statistic], str(error))
            continue
        joined, left = joined + came, left + went
    return joined, left


def _kinds_kept(engine: Engine, directory: Directory, now: int) -> list[str]:
    """DNs that are to be something else altogether: there are calls and agents on them."""
    kept = []
    for source in engine.sources.values():
        for dn in source.world(now).dns():
            listed = directory.dns.get(dn.key)
            if listed is not None and listed.type != dn.type:
                kept.append(f"[[dns]] {dn.key} stays a {dn.type}, and is no {listed.type} yet")
    return kept


# -- what is told -------------------------------------------------------------------------

SECTIONS: dict[str, Callable[[_State], Mapping[Any, Any]]] = {
    "stat-types": lambda state: state.definitions.stat_types,
    "time-profiles": lambda state: state.definitions.time_profiles,
    "time-ranges": lambda state: state.definitions.time_ranges,
    "filters": lambda state: state.definitions.filters,
    "dns": lambda state: state.directory.dns,
    "agents": lambda state: state.directory.agents,
    "places": lambda state: state.directory.places,
    "agent-groups": lambda state: state.directory.agent_groups,
    "virtual-agent-groups": lambda state: {
        name: each.text for name, each in state.directory.virtual_agent_groups.items()
    },
    "place-groups": lambda state: state.directory.place_groups,
    "queue-groups": lambda state: state.directory.queue_groups,
    "origination-dns": lambda state: state.directory.origination_dns,
    "campaigns": lambda state: state.directory.campaigns,
    "capacity-rules": lambda state: {
        name: (rule, state.directory.capacities.users(name))
        for name, rule in state.directory.capacities.rules.items()
    },
}


def _differences(before: _State, after: _State) -> dict[str, Difference]:
    found = {}
    for section, names in SECTIONS.items():
        old, new = names(before), names(after)
        difference = Difference(
            added=[str(name) for name in new if name not in old],
            changed=[str(name) for name in new if name in old and old[name] != new[name]],
            deleted=[str(name) for name in old if name not in new],
        )
        if not difference.is_empty:
            found[section] = difference
    return found
