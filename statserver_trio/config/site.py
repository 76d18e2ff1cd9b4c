"""Site: what the configuration means to the floors that count.

They know nothing about files and sections: they get definitions, a directory,
and a few plain options.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeVar

from attrs import frozen

from ..expressions.capacities import parse_capacity
from ..expressions.memberships import Membership, parse_membership
from ..model.directory import DN, Agent, Capacities, Directory, DNKey, Place
from ..model.world import WorldOptions
from ..stats.definitions import DefinitionError, Definitions, StatType
from ..stats.definitions.extension_types import SPELLINGS, SUB_CATEGORY
from ..stats.definitions.filters import parse_filter
from ..stats.definitions.pseudo_actions import CATEGORIES, never_counts
from ..stats.definitions.stat_types import KNOWN_OPTIONS, parse_stat_type, unknown_options
from ..stats.definitions.time_profiles import (
    TimeProfile,
    default_profile,
    parse_time_profile,
    parse_zone,
)
from ..stats.definitions.time_ranges import BUILT_IN_RANGE, parse_time_range
from .mistakes import Problem, TablePath, listed, meant
from .schema import Config

T = TypeVar("T")

_GROUPS = ("agent-groups", "virtual-agent-groups", "place-groups")


@frozen
class Site:
    """What is counted, of whom, and how.

    Attributes:
        resolution: ``second`` or ``millisecond``, see :mod:`..stats.source`.
    """

    definitions: Definitions
    directory: Directory
    world_options: WorldOptions
    resolution: str


def make_site(config: Config) -> Site:
    """What a configuration that was loaded without mistakes means."""
    return _Builder(config, ()).site


def site_problems(config: Config, broken: Iterable[str]) -> list[Problem]:
    """What keeps a configuration from having a meaning.

    Args:
        broken: Sections that could not be read in full, so that a name which
            is missing from them need not be missing from the file.
    """
    return _Builder(config, broken).problems


class _Builder:
    """Makes a site; mistakes are noted and what they concern is left out."""

    def __init__(self, config: Config, broken: Iterable[str]) -> None:
        self.problems: list[Problem] = []
        self._config = config
        self._broken = set(broken)
        self._zone = parse_zone(config.server.time_zone)
        objects = config.objects
        self._dns = self._listed_dns()
        self._agents = self._listed_agents()
        self._attributes = self._business_attributes()
        self.site = Site(
            Definitions(
                stat_types=self._stat_types(),
                time_profiles=self._time_profiles(),
                time_ranges={
                    BUILT_IN_RANGE.name: BUILT_IN_RANGE,
                    **self._each("time-ranges", parse_time_range, config.time_ranges),
                },
                filters=self._each(
                    "filters",
                    lambda name, text: parse_filter(name, text, objects.tenant),
                    config.filters,
                ),
                children_max=config.limits.groupby_max_children,
            ),
            self._directory(),
            WorldOptions(
                stuck_call_timeout_ms=round(objects.stuck_call_timeout * 1000),
                vq_use_alt_enter_time=objects.vq_use_alt_enter_time,
                dnd_means_not_ready=objects.dnd_means_not_ready,
                queue_use_pseudo_actions=objects.queue_use_pseudo_actions,
            ),
            config.server.time_resolution,
        )

    def _say(self, path: TablePath, what: str, *, warning: bool = False) -> None:
        self.problems.append(Problem(path, what, warning))

    # Definitions

    def _each(
        self, section: str, make: Callable[[str, str], T], values: Mapping[str, str]
    ) -> dict[str, T]:
        """Make one definition of each name."""
        made = {}
        for name, value in values.items():
            try:
                made[name] = make(name, value)
            except ValueError as exc:
                self._say((section, name), str(exc))
        return made

    def _stat_types(self) -> dict[str, StatType]:
        made = {}
        names = {alias.lower(): SUB_CATEGORY.lower() for alias in SPELLINGS}
        for name, options in self._config.stat_types.items():
            path = ("stat-types", name)
            written = {key.lower(): key for key in options}
            written = {names.get(key, key): name for key, name in written.items()}
            for said in unknown_options(options, self._attributes):
                key, _, what = said.partition(": ")
                self._say((*path, written.get(key.lower(), key)), what, warning=True)
            try:
                made[name] = parse_stat_type(name, options, self._attributes)
            except DefinitionError as exc:
                for key, what in exc.mistakes:
                    self._say((*path, written.get(key.lower(), key)) if key else path, what)
                continue
            self._unknown_values(path, written, made[name])
            if self._counts_nothing(made[name]):
                what = (
                    "counts nothing: pseudo-actions of queues count only in "
                    f"{listed(sorted(CATEGORIES))}, unless "
                    "[objects] queue-use-pseudo-actions = false"
                )
                self._say((*path, written["mainmask"]), what, warning=True)
        return made

    def _business_attributes(self) -> Mapping[str, tuple[str, ...]]:
        """Names and known values; none is called like an option that means something else."""
        made = {}
        for name, values in self._config.business_attributes.items():
            if name.lower() in KNOWN_OPTIONS:
                what = "stat types have an option of that name; call it something else"
                self._say(("business-attributes", name), what)
            made[name] = values
        return made

    def _unknown_values(
        self, path: TablePath, written: Mapping[str, str], stat_type: StatType
    ) -> None:
        for each in stat_type.attributes:
            known = self._attributes[each.name]
            for value in each.values:
                if known and value not in known:
                    what = f"{value!r} is not among the known values: {listed(known)}"
                    self._say((*path, written[each.name.lower()]), what, warning=True)

    def _counts_nothing(self, made: StatType) -> bool:
        use = self._config.objects.queue_use_pseudo_actions
        return never_counts(made.objects, made.category, made.main_mask, use)

    def _time_profiles(self) -> dict[str, TimeProfile]:
        """Those of the site; ``Default`` follows the server's zone if it is not among them."""
        built_in = default_profile(self._zone)
        made: dict[str, TimeProfile] = {}
        for option, value in self._config.time_profiles.items():
            path = ("time-profiles", option)
            try:
                profile = parse_time_profile(option, value, self._zone)
            except ValueError as exc:
                self._say(path, str(exc))
                continue
            if profile.name in made:
                self._say(path, f"there is a profile named {profile.name!r} already")
            made[profile.name] = profile
        return {built_in.name: built_in, **made}

    # Directory

    def _directory(self) -> Directory:
        config = self._config
        places = self._places()
        return Directory(
            agent_groups=self._groups("agent-groups", config.agent_groups, self._member_agent),
            queue_groups=self._groups("queue-groups", config.queue_groups, self._member_queue),
            origination_dns=self._origination_dns(),
            virtual_agent_groups=self._virtual_groups(),
            campaigns=self._groups("campaigns", config.campaigns, self._member_group),
            place_groups=self._groups(
                "place-groups",
                config.place_groups,
                lambda path, name: self._place(path, name, places),
            ),
            places=places,
            dns=self._dns,
            agents=self._agents,
            auto_create=config.objects.auto_create,
            interaction_queues=config.interactions.queues,
            workbins=config.interactions.workbins,
            routing_strategies=config.interactions.strategies,
            tenant=config.objects.tenant,
            capacities=self._capacities(),
        )

    def _listed_dns(self) -> dict[DNKey, DN]:
        made: dict[DNKey, DN] = {}
        for index, entry in enumerate(self._config.dns):
            key = DNKey(entry.number, entry.switch)
            if key in made:
                self._say(("dns", index, "number"), f"{key} is listed already")
            made[key] = DN(key, entry.type)
        return made

    def _listed_agents(self) -> dict[str, Agent]:
        made: dict[str, Agent] = {}
        for index, entry in enumerate(self._config.agents):
            if entry.id in made:
                self._say(("agents", index, "id"), f"{entry.id!r} is listed already")
            made[entry.id] = Agent(entry.id, entry.skills)
        return made

    def _places(self) -> dict[str, Place]:
        made: dict[str, Place] = {}
        taken: dict[DNKey, str] = {}
        for index, entry in enumerate(self._config.places):
            path = ("places", index, "dns")
            if entry.name in made:
                self._say(("places", index, "name"), f"{entry.name!r} is listed already")
            keys = [self._dn(path, text, "Extension") for text in entry.dns]
            dns = tuple(key for key in keys if key is not None)
            for key in dns:
                if key in taken:
                    self._say(path, f"{key} stands on the place {taken[key]!r} already")
                elif self._dns[key].is_mediation:
                    self._say(path, f"{key} is a {self._dns[key].type} and stands on no place")
                taken[key] = entry.name
            made[entry.name] = Place(entry.name, dns)
        return made

    def _groups(
        self,
        section: str,
        groups: Mapping[str, tuple[str, ...]],
        member: Callable[[TablePath, str], T | None],
    ) -> dict[str, tuple[T, ...]]:
        """The members of each group; each counts once."""
        made = {}
        for name, texts in groups.items():
            path = (section, name)
            members: dict[T, None] = {}
            for text in texts:
                found = member(path, text)
                if found in members:
                    self._say(path, f"{text!r} is listed twice")
                elif found is not None:
                    members[found] = None
            made[name] = tuple(members)
        return made

    def _origination_dns(self) -> dict[str, tuple[DNKey, ...]]:
        section, config = "origination-dns", self._config
        for name in config.origination_dns:
            self._member_group((section, name), name)
        return self._groups(section, config.origination_dns, self._member_queue)

    def _member_group(self, path: TablePath, name: str) -> str | None:
        """A group of agents or places, which nothing but the configuration brings into being."""
        known = [name for section in _GROUPS for name in self._group_names(section)]
        if name in known:
            if path[0] == "campaigns" and known.count(name) > 1:
                self._say(path, f"{name!r} is a group of agents and one of places; rename one")
            return name
        if not self._broken & set(_GROUPS):
            sections = "[agent-groups], [virtual-agent-groups] or [place-groups]"
            self._say(path, f"no such group as {name!r} in {sections}" + meant(name, known))
        return None

    def _group_names(self, section: str) -> Collection[str]:
        names: Collection[str] = getattr(self._config, section.replace("-", "_"))
        return names

    def _virtual_groups(self) -> dict[str, Membership]:
        """Each with its expression, of queues and switches that may be."""
        section, config = "virtual-agent-groups", self._config
        made = self._each(
            section, lambda name, text: parse_membership(text), config.virtual_agent_groups
        )
        switches = [each.switch for each in config.tserver]
        for name, membership in made.items():
            path = (section, name)
            if name in config.agent_groups:
                self._say(path, "there is a group of that name in [agent-groups] already")
            for queue in membership.queues:
                self._member_queue(path, queue)
            for switch in membership.switches:
                if switch not in switches and "tserver" not in self._broken:
                    what = f"no [[tserver]] has the switch {switch!r}{meant(switch, switches)}"
                    self._say(path, what, warning=True)
        return made

    def _capacities(self) -> Capacities:
        """The rules, and who has which."""
        section, config = "capacity-rules", self._config
        rules = self._each(section, lambda name, text: parse_capacity(text), config.capacity_rules)
        users: list[tuple[TablePath, str | None]] = [
            (("objects", "capacity-rule"), config.objects.capacity_rule)
        ]
        for index, agent in enumerate(config.agents):
            users.append((("agents", index, "capacity-rule"), agent.capacity_rule))
        for index, place in enumerate(config.places):
            users.append((("places", index, "capacity-rule"), place.capacity_rule))
        for path, name in users:
            if (
                name is not None
                and name not in config.capacity_rules
                and section not in self._broken
            ):
                what = (
                    f"no such rule as {name!r} in [{section}]{meant(name, config.capacity_rules)}"
                )
                self._say(path, what)
        return Capacities(
            rules,
            {each.id: each.capacity_rule for each in config.agents if each.capacity_rule},
            {each.name: each.capacity_rule for each in config.places if each.capacity_rule},
            config.objects.capacity_rule or "",
        )

    def _member_agent(self, path: TablePath, name: str) -> str | None:
        if name not in self._agents:
            if not self._may_create(path, "agents", repr(name), "an agent", self._agents):
                return None
            self._agents[name] = Agent(name)
        return name

    def _member_queue(self, path: TablePath, text: str) -> DNKey | None:
        key = self._dn(path, text, "Queue")
        if key and not self._dns[key].is_mediation:
            self._say(path, f"{key} is a {self._dns[key].type}, and no queue or route point")
        return key

    def _place(self, path: TablePath, name: str, places: Collection[str]) -> str | None:
        """A place, which nothing but the configuration can bring into being."""
        if name in places:
            return name
        if "places" not in self._broken:
            self._say(path, f"no such place as {name!r} in [[places]]{meant(name, places)}")
        return None

    def _dn(self, path: TablePath, text: str, kind: str) -> DNKey | None:
        """The DN that ``text`` names; one of that kind is made if it is not listed."""
        key = DNKey.parse(text)
        if key is None:
            self._say(path, f"{text!r} names no switch; write number@switch, as in 7001@sw1")
            return None
        if key not in self._dns:
            known = [str(each) for each in self._dns]
            if not self._may_create(path, "dns", str(key), f"a DN of type {kind}", known):
                return None
            self._dns[key] = DN(key, kind)
        return key

    def _may_create(
        self, path: TablePath, section: str, name: str, made: str, known: Collection[str]
    ) -> bool:
        """Whether a member that is not listed comes into being (our decision).

        With ``auto-create`` it does, as it would when an event named it; the
        warning is there because it may be a slip of the pen.
        """
        create = self._config.objects.auto_create
        if section not in self._broken:
            what = f"{name} is not listed in [[{section}]]"
            what += f"; taken for {made}" if create else meant(name.strip("'"), known)
            self._say(path, what, warning=create)
        return create
