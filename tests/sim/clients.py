"""Clients: programs that open what they like, leave, and come back to whichever server is there.

They speak JSON, as through a WebSocket, and watch what they are told: a number that can only
grow must not fall while they look.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from statserver_trio.server.hub import HubClient
from statserver_trio.stats.categories import CATEGORIES
from statserver_trio.stats.definitions import StatType
from statserver_trio.stats.refusals import refusal

from .agenda import TICK, whole

if TYPE_CHECKING:
    from .day import Day
    from .process import Process

OBJECTS = {
    "Queue": ("8001@{}", "8002@{}", "VQ_Sales@{}"),
    "RoutePoint": ("9001@{}",),
    "RegDN": ("7001@{}", "7002@{}"),
    "Agent": ("a1", "a2", "a3"),
    "Place": ("P1", "P2"),
    "GroupAgents": ("Sales", "Everybody"),
    "GroupPlaces": ("Sales_Places",),
    "GroupQueues": ("AllQueues",),
    "Switch": ("{}",),
    "Tenant": ("Environment",),
    "Campaign": ("Spring",),
}
PROFILES = (
    None,
    "QuarterHour",
    "LastMinute",
    "LastQuarter",
    "SinceStart",
    "SinceStart",
    "Shift",
    "LastTen",
    "Session",
)
FILTERS = (None, None, None, "Gold", "Spanish", "NoLanguage", "Coffee")
RANGES = (None, "Range0-5", "MinuteUp")
MODES = ("ChangesBased", "ChangesBased", "TimeBased", "ResetBased", "NoNotification")
MODE_PERIODS = (5, 60)


def some_objects(object_type: str, process: Process) -> tuple[str, ...]:
    """The objects of a type, virtual groups among them."""
    groups = process.config.virtual_agent_groups if object_type == "GroupAgents" else ()
    return (*OBJECTS[object_type], *groups)


def some_request(rng: Random, day: Day, process: Process) -> dict[str, Any]:
    """What a client may ask of this process: mostly the same few, so that members share them."""
    definitions = process.hub.engine.definitions
    names = day.plan.favourites if rng.random() < 0.7 else sorted(definitions.stat_types)
    stat_type = definitions.stat_types[
        rng.choice([n for n in names if n in definitions.stat_types])
    ]
    object_type = rng.choice(sorted(stat_type.objects & OBJECTS.keys()))
    switch = rng.choice(process.config.tserver).switch
    category = CATEGORIES[stat_type.category]
    while (
        category.feature == "depth"
        and len(process.config.tserver) > 1
        and (object_type.startswith(("Group", "Agent", "Place")))
    ):  # of several sources it depends on who is heard first
        stat_type = definitions.stat_types["Total_Talk_Time"]
        category, object_type = CATEGORIES[stat_type.category], "Agent"
    profiles = [*PROFILES, *(["TenMinutes"] if "TenMinutes" in definitions.time_profiles else [])]
    filters = [*FILTERS, *(["Lunchtime"] * 2 if "Lunchtime" in definitions.filters else [])]
    metric: dict[str, Any] = {"statisticType": stat_type.name}
    if category.is_historical:
        named = definitions.time_profile(rng.choice(profiles))
        if named is not None and not refusal(category, stat_type, named, object_type):
            metric["timeProfile"] = named.name
    metric["filter"] = rng.choice(filters)
    metric["timeRange"] = rng.choice(RANGES)
    mode = rng.choice(MODES)
    return {
        "request": "OpenStatistic",
        "object": {
            "objectId": rng.choice(some_objects(object_type, process)).format(switch),
            "objectType": object_type,
        },
        "metric": {key: value for key, value in metric.items() if value is not None},
        "notification": {"mode": mode, "frequency": rng.choice(MODE_PERIODS)},
    }


def only_grows(stat_type: StatType, metric: dict[str, Any]) -> bool:
    """Whether the value of that request can only become greater.

    A status that ends within the second in which it began was none, and is not counted any more
    (day 1001376).
    """
    return (
        stat_type.category == "TotalNumber"
        and not stat_type.subject.endswith("Status")
        and stat_type.group_by is None
        and metric.get("timeProfile") == "SinceStart"
    )


class Client:
    """One client.

    Attributes:
        wants: What it asks for again wherever it comes, by reference.
        closings: Why statistics were closed that it had not closed itself.
    """

    def __init__(self, day: Day, name: str) -> None:
        self.day = day
        self.name = name
        self.process: Process | None = None
        self.wants: dict[int, dict[str, Any]] = {}
        self.ids: dict[int, int] = {}  # reference: statistic id
        self.closings: list[str] = []
        self._hub: HubClient | None = None
        # By reference, of what can only grow: the value, and how often its teller had until then
        # taken one of two copies of which neither contained the other.
        self._seen: dict[int, tuple[float, int]] = {}
        self._references = 0
        self._reads = False
        self._was_best = False  # the picture of who tells us, when it began to say what we read
        self._inexact = 0  # and how often it had taken such a copy

    # -- coming and going -----------------------------------------------------------------

    def come(self, process: Process) -> None:
        """Connect, and ask for everything again."""
        if self.process is not None or not process.alive:
            return
        self.process = process
        process.clients.append(self._left_alone)
        process.after(TICK, lambda: self._join(process))

    def _join(self, process: Process) -> None:
        if self.process is not process:
            return
        self._hub = process.hub.join(self._wake, self._left_alone)
        self._wake()
        for reference, request in self.wants.items():
            self._say({**request, "referenceId": reference})

    def leave(self) -> None:
        """Go away without closing anything."""
        process, hub = self.process, self._hub
        if process is None:
            return
        self._left_alone("it left")
        if hub is not None:
            process.after(TICK, lambda: process.hub.leave(hub))

    def _left_alone(self, why: str) -> None:
        if self.process is not None and self._left_alone in self.process.clients:
            self.process.clients.remove(self._left_alone)
        self.process = self._hub = None
        self.ids.clear()
        self._seen.clear()

    # -- asking ---------------------------------------------------------------------------

    def open(self, rng: Random) -> None:
        """Ask for one more statistic."""
        if self.process is not None and len(self.wants) < self.day.plan.statistics:
            self.ask(some_request(rng, self.day, self.process))

    def ask(self, request: dict[str, Any]) -> None:
        """Ask for that one."""
        self._references += 1
        self.wants[self._references] = request
        self._say({**request, "referenceId": self._references})

    def close(self, rng: Random) -> None:
        """Have enough of one."""
        if self.ids:
            reference = rng.choice(list(self.ids))
            self.wants.pop(reference, None)
            self._say_of(reference, "CloseStatistic")
            del self.ids[reference]

    def peek(self, rng: Random) -> None:
        """Ask for a value."""
        if self.ids:
            self._say_of(rng.choice(list(self.ids)), "PeekStatistic")

    def _say_of(self, reference: int, request: str) -> None:
        self._references += 1
        self._say(
            {
                "request": request,
                "referenceId": self._references,
                "statisticId": self.ids[reference],
            }
        )

    def _say(self, request: dict[str, Any]) -> None:
        process, hub = self.process, self._hub
        if process is None or hub is None:
            return
        data = msgspec.json.encode(request)
        process.after(TICK, lambda: None if hub.is_gone else process.hub.receive(hub, data))

    # -- being told -----------------------------------------------------------------------

    def _wake(self) -> None:
        if not self._reads and self._hub is not None and self.process is not None:
            self._reads = True
            self._was_best = self.day.truth.has_best_picture(self.process)
            self._inexact = self.process.store.inexact
            delay = self.day.plan.reader_delay
            self.day.agenda.after(whole(delay), lambda hub=self._hub: self._read(hub))

    def _read(self, hub: HubClient) -> None:
        self._reads = False
        if hub is not self._hub:
            return
        while frame := hub.outbox.take():
            told = msgspec.json.decode(frame)
            for event in told if isinstance(told, list) else [told]:
                self._told(event)

    def _told(self, event: dict[str, Any]) -> None:
        reference = event.get("referenceId")
        match event["event"]:
            case "StatisticOpened":
                if reference in self.wants:
                    self.ids[reference] = event["statisticId"]
            case "Error":
                self.day.watch.refused(self, event)
                self.wants.pop(reference, None)
            case "StatisticClosed":
                if "reason" in event:
                    self.closings.append(event["reason"])
                    self.wants.pop(reference, None)
                    self.ids.pop(reference, None)
                self._seen.pop(reference, None)
            case "Info" if reference in self.wants:
                self._value(reference, event["value"], event["complete"])

    def _value(self, reference: int, value: Any, is_complete: bool) -> None:
        request, process = self.wants[reference], self.process
        assert process is not None
        metric = request["metric"]
        stat_type = process.hub.engine.definitions.stat_types.get(metric["statisticType"])
        if stat_type is not None and only_grows(stat_type, metric):
            before, inexact = self._seen.pop(reference, (0, 0))
            # What was opened while a feed was away, and came too late for the other member every
            # time, has a part on each of them, and loses one (day 943485).
            if inexact != process.store.inexact:
                before = 0
            # Else it may have counted too much: in a hole, as it said, or by a picture that is
            # going to be replaced by the other member's better one, or was while this lay unread.
            is_best = self._was_best and self.day.truth.has_best_picture(process)
            if is_complete and is_best:
                self.day.watch.grew(self, request, before, value)
                self._seen[reference] = value, self._inexact
