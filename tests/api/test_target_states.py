"""CurrentTargetState over the wire: a snapshot, then who came, changed and left."""

from __future__ import annotations

import json
from typing import Any

from attrs import evolve

from statserver_trio.api import messages as m
from statserver_trio.api.session import ClientSession
from statserver_trio.client.targets import TARGET_EVENTS, applied
from statserver_trio.model.directory import Directory
from statserver_trio.stats.definitions import Definitions
from statserver_trio.stats.definitions.stat_types import parse_stat_type
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.reconfigure import reconfigure
from statserver_trio.tlib import events as e

T0 = 1_700_000_000
TARGETS = parse_stat_type(
    "Targets",
    {
        "Objects": "GroupAgents",
        "Category": "CurrentTargetState",
        "Subject": "AgentStatus",
        "MainMask": "*",
    },
)


class Router:
    """A client that wants to know to whom it may send a call."""

    def __init__(self) -> None:
        self.directory = Directory(agent_groups={"Sales": ("a1", "a2")})
        self.definitions = Definitions({"Targets": TARGETS})
        self.engine = Engine(self.definitions, self.directory)
        for number in ("1", "2"):
            self.engine.add_source(f"ts{number}", f"sw{number}")
        self.session = ClientSession(self.engine)
        self.now = T0 * 1000
        self.known: Any = None

    def asks(self, **request: Any) -> list[str]:
        return self.hears(self.session.handle_message(json.dumps(request), self.now))

    def opens(self, **notification: Any) -> list[str]:
        return self.asks(
            request="OpenStatistic",
            referenceId=1,
            object={"objectType": "GroupAgents", "objectId": "Sales"},
            metric={"statisticType": "Targets"},
            notification=notification,
        )

    def happens(self, seconds: int, *events: e.TEvent, source: str = "ts1") -> list[str]:
        self.now = (T0 + seconds) * 1000
        self.engine.apply(source, list(events), self.now)
        return self.looks()

    def looks(self) -> list[str]:
        notices = self.engine.notices(self.now)
        return self.hears(self.session.notify(notices, self.now))

    def hears(self, events: list[m.Event]) -> list[str]:
        """Each event in a word, and what is known afterwards is what the engine says."""
        said = []
        for event in events:
            name = type(event).__name__.removeprefix("CurrentTargetState")
            if isinstance(event, m.CurrentTargetStateSnapshot):
                name += " " + " ".join(map(word, event.targets))
            elif isinstance(event, TARGET_EVENTS):
                name += f" {word(event.target)}"
            if isinstance(event, TARGET_EVENTS):
                self.known = applied(self.known, event)
            said.append(name)
        return said

    def is_right(self) -> bool:
        (statistic,) = self.engine.statistics.values()
        value = self.engine.value(statistic, self.now).value
        return named(self.known) == named(value)


def named(value: dict[str, Any]) -> dict[str, Any]:
    return {f"{target['target']}@{target['switch']}": target for target in value["targets"]}


def word(target: dict[str, Any]) -> str:
    media = target.get("media", [])
    return "/".join([target["target"], *(each["state"] for each in media)])


def login(agent: str, dn: str) -> e.TEvent:
    return e.EventAgentLogin(this_dn=dn, agent_id=agent, work_mode="AutoIn")


def test_first_all_of_them_and_then_what_is_new() -> None:
    router = Router()
    assert router.opens() == ["StatisticOpened", "Snapshot a1/LoggedOut a2/LoggedOut"]
    assert router.happens(1, login("a1", "7001")) == ["TargetUpdated a1/Ready"]
    ringing = e.EventRinging(this_dn="7001", conn_id="c1", call_type="Inbound")
    assert router.happens(2, ringing) == ["TargetUpdated a1/Busy"]
    assert router.happens(3, e.EventQueued(this_dn="8001", conn_id="c2")) == []
    assert router.is_right()


def test_members_come_and_go() -> None:
    router = Router()
    router.opens()
    router.happens(1, login("a1", "7001"), login("a3", "7003"))
    listed = evolve(router.directory, agent_groups={"Sales": ("a1", "a3")})
    changes = reconfigure(router.engine, router.definitions, listed, router.now)
    said = router.hears(router.session.notify(changes.notices, router.now))
    assert said == ["TargetRemoved a2", "TargetAdded a3/Ready"]
    assert router.is_right()


def test_a_media_channel_has_a_capacity_of_its_own() -> None:
    router = Router()
    router.opens()
    router.happens(1, login("a1", "7001"))
    added = e.EventMediaAdded(agent_id="a1", media_type="email")
    assert router.happens(2, added) == ["TargetUpdated a1/Ready/NotReady"]
    ready = e.EventReadyForMedia(agent_id="a1", media_type="email")
    assert router.happens(3, ready) == ["TargetUpdated a1/Ready/Ready"]
    invited = e.EventInvite(agent_id="a1", media_type="email", interaction_id="i1")
    assert router.happens(4, invited) == ["TargetUpdated a1/Ready/Busy"]
    assert router.is_right()


def test_who_resumes_is_told_everything_once_more_and_who_peeks_too() -> None:
    router = Router()
    router.opens()
    router.asks(request="SuspendNotification", referenceId=2, statisticId=1)
    assert router.happens(1, login("a1", "7001")) == []
    said = router.asks(request="ResumeNotification", referenceId=3, statisticId=1)
    assert said == ["Ack", "Snapshot a1/Ready a2/LoggedOut"]
    [peeked] = router.session.handle_message(
        json.dumps({"request": "PeekStatistic", "referenceId": 4, "statisticId": 1}), router.now
    )
    assert isinstance(peeked, m.Info)
    assert [word(target) for target in peeked.value["targets"]] == ["a1/Ready", "a2/LoggedOut"]


def test_by_the_clock_everything_is_told_every_time() -> None:
    router = Router()
    router.opens(mode="TimeBased", frequency=5)
    assert router.happens(1, login("a1", "7001")) == []
    router.now = (T0 + 5) * 1000
    assert router.looks() == ["Snapshot a1/Ready a2/LoggedOut"]


def test_who_works_at_two_switches_is_two_targets() -> None:
    router = Router()
    router.opens()
    assert router.happens(1, login("a1", "7001")) == ["TargetUpdated a1/Ready"]
    assert router.happens(2, login("a1", "7101"), source="ts2") == ["TargetAdded a1/Ready"]
    assert router.is_right()
    out = e.EventAgentLogout(this_dn="7101", agent_id="a1")
    assert router.happens(3, out, source="ts2") == ["TargetUpdated a1/LoggedOut"]
    assert router.is_right(), "the other one is as ready as before"
    router.happens(4, e.EventAgentLogout(this_dn="7001", agent_id="a1"))
    router.happens(5, login("a1", "7101"), source="ts2")
    assert router.is_right()
    listed = evolve(router.directory, agent_groups={"Sales": ("a2",)})
    changes = reconfigure(router.engine, router.definitions, listed, router.now)
    said = router.hears(router.session.notify(changes.notices, router.now))
    assert said == ["TargetRemoved a1", "TargetRemoved a1"]
    assert router.is_right()
