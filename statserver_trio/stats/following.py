"""Following: which open statistics an event may give other nodes.

Most objects are what they are until the next reload. The others follow what happens: whoever
asks about a tenant or a switch wants the agents and DNs that appear later, too; a virtual group
has the members for whom its expression holds; and of several switches, an agent may log in on
one that had never heard of him. Their statistics are looked up here by what may change, so that
an event pays for those it concerns and for no others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sized

from ..model.directory import Directory
from ..model.population import AGENTS, DNS, Topic, members_of
from .statistic import Statistic, campaign_of


class Following:
    """The open statistics that follow something."""

    def __init__(self, directory: Directory, sources: Sized) -> None:
        self._directory = directory
        self._sources = sources
        self._by_topic: dict[Topic, dict[Statistic, None]] = {}
        self._alone = 0

    @property
    def alone(self) -> bool:
        """Whether any of them follows what may happen where there is only one source."""
        return self._alone > 0

    def add(self, statistic: Statistic) -> None:
        """Look after a statistic from now on."""
        topics = self._of(statistic)
        follows_alone = _follows_alone(statistic, topics)
        if not follows_alone and len(self._sources) < 2:
            return  # there is nothing to follow, and these are most of all statistics
        self._alone += follows_alone
        for topic in topics:
            self._by_topic.setdefault(topic, {})[statistic] = None

    def remove(self, statistic: Statistic) -> None:
        """It is closed."""
        topics = [t for t in self._of(statistic) if statistic in self._by_topic.get(t, ())]
        self._alone -= _follows_alone(statistic, topics)
        for topic in topics:
            found = self._by_topic[topic]
            del found[statistic]
            if not found:
                del self._by_topic[topic]

    def configure(self, directory: Directory) -> None:
        """By another directory the same objects may follow something else: nobody does yet."""
        self._directory = directory
        self._by_topic.clear()
        self._alone = 0

    def concerned(self, topics: Iterable[Topic]) -> list[Statistic]:
        """Those that follow any of these, in the order in which they were opened."""
        found: dict[Statistic, None] = {}
        for topic in topics:
            found.update(self._by_topic.get(topic, {}))
        return list(found)

    def _of(self, statistic: Statistic) -> Collection[Topic]:
        """What a statistic follows, by the present directory."""
        object_type, object_id = statistic.object_type, statistic.object_id
        match object_type:
            case "Agent":
                return (AGENTS,)
            case "GroupAgents":
                return (self._of_group(object_id),)
            case "Tenant":
                return (AGENTS if statistic.on_status else DNS,)
            case "Switch":
                return (DNS,)
            case "Campaign" | "CampaignGroup":
                campaign = campaign_of(object_type, object_id)
                groups: Iterable[str] = self._directory.campaigns.get(campaign, ())
                if object_type == "CampaignGroup":
                    groups = (object_id.rpartition("@")[2],)
                return frozenset(
                    self._of_group(g) for g in groups if g not in self._directory.place_groups
                )
        return ()

    def _of_group(self, name: str) -> Topic:
        return members_of(name) if name in self._directory.virtual_agent_groups else AGENTS


def _follows_alone(statistic: Statistic, topics: Collection[Topic]) -> bool:
    """With one source every agent has been in the only world from the start; DNs have not."""
    if statistic.object_type == "Tenant":
        return bool(topics)
    return any(topic != AGENTS for topic in topics)
