"""Following: which open statistics an event may give other nodes.

Most objects are what they are until the next reload. The others follow what happens: whoever
asks about a tenant or a switch wants the agents and DNs that appear later, too; a virtual group
has the members for whom its expression holds; and of several switches, an agent may log in on
one that had never heard of him. Their statistics are looked up here by what may change, so that
an event pays for those it concerns and for no others.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..model.directory import Directory
from ..model.population import AGENTS, DNS, Topic, members_of
from .statistic import Statistic, campaign_of


class Following:
    """The open statistics that follow something."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._by_topic: dict[Topic, dict[Statistic, None]] = {}
        self._topics: dict[Statistic, frozenset[Topic]] = {}
        self._alone = 0

    @property
    def alone(self) -> bool:
        """Whether any of them follows what may happen where there is only one source."""
        return self._alone > 0

    def add(self, statistic: Statistic) -> None:
        """Look after a statistic from now on."""
        topics = self._of(statistic)
        if not topics:
            return
        self._topics[statistic] = topics
        self._alone += _follows_alone(statistic, topics)
        for topic in topics:
            self._by_topic.setdefault(topic, {})[statistic] = None

    def remove(self, statistic: Statistic) -> None:
        """It is closed."""
        topics = self._topics.pop(statistic, None)
        if topics is None:
            return
        self._alone -= _follows_alone(statistic, topics)
        for topic in topics:
            found = self._by_topic[topic]
            del found[statistic]
            if not found:
                del self._by_topic[topic]

    def configure(self, directory: Directory) -> None:
        """By another directory the same objects may follow something else."""
        self._directory = directory
        for statistic in list(self._topics):
            self.remove(statistic)

    def concerned(self, topics: Iterable[Topic]) -> list[Statistic]:
        """Those that follow any of these, in the order in which they were opened."""
        found: dict[Statistic, None] = {}
        for topic in topics:
            found.update(self._by_topic.get(topic, {}))
        return list(found)

    def _of(self, statistic: Statistic) -> frozenset[Topic]:
        key = statistic.key
        match key.object_type:
            case "Agent":
                return frozenset({AGENTS})
            case "GroupAgents":
                return frozenset({self._of_group(key.object_id)})
            case "Tenant":
                return frozenset({AGENTS if statistic.on_status else DNS})
            case "Switch":
                return frozenset({DNS})
            case "Campaign" | "CampaignGroup":
                campaign = campaign_of(key.object_type, key.object_id)
                groups: Iterable[str] = self._directory.campaigns.get(campaign, ())
                if key.object_type == "CampaignGroup":
                    groups = (key.object_id.rpartition("@")[2],)
                return frozenset(
                    self._of_group(g) for g in groups if g not in self._directory.place_groups
                )
        return frozenset()

    def _of_group(self, name: str) -> Topic:
        return members_of(name) if name in self._directory.virtual_agent_groups else AGENTS


def _follows_alone(statistic: Statistic, topics: frozenset[Topic]) -> bool:
    """With one source every agent has been in the only world from the start; DNs have not."""
    return statistic.key.object_type == "Tenant" or any(topic != AGENTS for topic in topics)
