"""Tables: stories from a contact centre, and what statistics are worth on the way.

A table is a text file that needs no Python to be read::

    # A call counts when it is over.
    group Sales: a1, a2
    calls = TotalNumber CallInbound of Agent a1

    at | what                         | calls
    ---|------------------------------|------
    0  | a1 logs in on 7001           | 0
    10 | 7001 Established c1 Inbound  | 0
    70 | 7001 Released c1             | 1

*Above* stand the claim, who exists, and what is counted::

    NAME = CATEGORY MASK [per MASK] of TYPE ID [as SUBJECT] [over PROFILE]
           [in RANGE [and RANGE2]] [once per call] [computing CUSTOM VALUE] [for each KEY]
           [told MODE [every SECONDS] [by INSENSITIVITY]] [with OPTION=VALUE ...] [if FILTER]
    NAME = Formula {EXPRESSION} of TYPE ID ...

Without ``as`` the subject is DNAction, without ``over`` it counts since it was opened.
A statistic is opened by a row that says ``open NAME``, or else before the first row.
An empty cell claims nothing. With ``told`` the column shows what a client is sent, not
the value; there an empty cell claims that nothing is sent.

*Below*, each row says when (seconds or hh:mm:ss since midnight of the table's
``day:``, or a date and a time), what happens, and the values right after it.
Things that happen are T-events in few words, with ``;`` between them::

    a1 logs in on 7001 for 8001      a1 logs out of 7001      link down      server up
    7001 Ready    7001 NotReady reason=Lunch    7001 AfterCallWork
    7001 Ringing c1 Inbound queue=8001 Language=Spanish
    8001 Diverted c1 to=7001         7001 Released c1 state=Transferred
    7009 Established c1 role=Observer monitor=coach    7001 Held c1 because=Why:Search

    PlacedInQueue i1 media=email queue=mail    Invite i1 agent=a1    MediaAdded media=email agent=a1

``Event`` in front is left out. Words in capitals with ``=`` are attached data (or
the agent's reasons); what was said of a call once (its type, its data) is said
again in all its later events, as a T-Server does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, tzinfo
from typing import Any

from attrs import define, field

from statserver_trio.expressions.capacities import Capacity, parse_capacity
from statserver_trio.expressions.memberships import Membership, parse_membership
from statserver_trio.model.calls import CALL_TYPES
from statserver_trio.model.directory import DN, Agent, Capacities, Directory, DNKey, Place
from statserver_trio.model.world import WorldOptions
from statserver_trio.stats.definitions import DefinitionError, Definitions
from statserver_trio.stats.definitions.filters import parse_filter
from statserver_trio.stats.definitions.stat_types import parse_stat_type
from statserver_trio.stats.definitions.time_profiles import (
    TimeProfile,
    parse_time_profile,
    parse_zone,
)
from statserver_trio.stats.definitions.time_ranges import TimeRange, parse_time_range
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.requests import StatisticError, StatisticRequest
from statserver_trio.stats.statistic import Statistic
from statserver_trio.stats.telling.notifications import MODE_NAMES, Mode, Notification, Subscription
from statserver_trio.tlib import events as e

SWITCH = "sw1"
DAY = "2023-11-15"
DEADLINES_MAX = 100_000  # between two rows


class TableError(ValueError):
    """A table that cannot be read."""


# -- reading ------------------------------------------------------------------------------


@define
class Row:
    """One line below the head; a remark has no cells."""

    text: str
    cells: list[str] = field(factory=list)


@define
class Table:
    """A text in its parts: the head as it is, the names of the columns, the rows."""

    head: list[str]
    columns: list[str]
    rows: list[Row]

    @property
    def settings(self) -> list[tuple[str, str]]:
        """The lines ``word: text`` of the head."""
        return [(found[1].strip(), found[2].strip()) for found in self._found(r"([^#=:]+):(.*)")]

    @property
    def definitions(self) -> dict[str, str]:
        """The lines ``name = definition`` of the head."""
        return {found[1]: found[2].strip() for found in self._found(r"(\w+) *=(.*)")}

    def _found(self, pattern: str) -> list[re.Match[str]]:
        found = (re.fullmatch(pattern, line) for line in self.head)
        return [match for match in found if match is not None]

    def rendered(self, rows: Iterable[list[str] | str]) -> str:
        """The table with these rows; a string is a remark."""
        rows = list(rows)
        cells = [self.columns, *(row for row in rows if isinstance(row, list))]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]

        def line(row: list[str]) -> str:
            return " | ".join(map(str.ljust, row, widths)).rstrip()

        rule = "|".join("-" * (w + (1 if i == 0 else 2)) for i, w in enumerate(widths))[:-1]
        body = [row if isinstance(row, str) else line(row) for row in rows]
        return "\n".join([*self.head, line(self.columns), rule, *body, ""])


def read(text: str) -> Table:
    """The parts of a table."""
    lines = text.rstrip("\n").split("\n")
    first = next((n for n, line in enumerate(lines) if re.match(r"[^#]*\|", line)), None)
    if first is None:
        raise TableError("no line with | in it: where are the columns?")
    columns = [name.strip() for name in lines[first].split("|")]
    rows = []
    for line in lines[first + 1 :]:
        if not line.strip("-| "):
            if line and "-" in line:
                continue
            rows.append(Row(line))
        elif line.startswith("#"):
            rows.append(Row(line))
        else:
            cells = [cell.strip() for cell in line.split("|")]
            cells += [""] * (len(columns) - len(cells))
            if len(cells) != len(columns):
                raise TableError(f"{line!r} has {len(cells)} cells, not {len(columns)}")
            rows.append(Row(line, cells))
    return Table(lines[:first], columns, rows)


@define
class Day:
    """What time it is when a table says so."""

    zone: tzinfo = UTC
    midnight: int = 0  # ms

    @classmethod
    def of(cls, text: str) -> Day:
        date, _, zone_name = text.partition(" ")
        zone = parse_zone(zone_name.strip()) if zone_name else UTC
        midnight = datetime.fromisoformat(date).replace(tzinfo=zone)
        return cls(zone, int(midnight.timestamp() * 1000))

    def moment(self, text: str) -> int:
        """``70``, ``-50``, ``9:00:00`` or ``2024-03-31 01:59:59 [again]`` as ms."""
        if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
            return self.midnight + round(float(text) * 1000)
        clock = re.fullmatch(r"(-?)([0-9]+):([0-9]{2})(?::([0-9]{2}(?:\.[0-9]+)?))?", text)
        if clock:
            seconds = int(clock[2]) * 3600 + int(clock[3]) * 60 + float(clock[4] or 0)
            return self.midnight + round((-seconds if clock[1] else seconds) * 1000)
        wall = datetime.fromisoformat(text.removesuffix(" again"))
        at = wall.replace(tzinfo=self.zone, fold=int(text.endswith(" again")))
        return round(at.timestamp() * 1000)


# -- what happens -------------------------------------------------------------------------

SHORT = {"Ready": "AgentReady", "NotReady": "AgentNotReady", "AfterCallWork": "AgentNotReady"}
ATTRIBUTES = {
    "queue": "this_queue",
    "to": "third_party_dn",
    "state": "call_state",
    "from": "previous_conn_id",
    "role": "this_dn_role",
    "party": "other_dn",
    "partyrole": "other_dn_role",
    "third": "third_party_dn",
    "thirdrole": "third_party_dn_role",
    "mode": "work_mode",
    "agent": "agent_id",
    "type": "address_type",
    "treatment": "treatment_type",
    "ani": "ani",
    "dnis": "dnis",
}
# Those of the events of interactions and of media, which concern no DN.
INTERACTIONS = {
    "media": "media_type",
    "type": "interaction_type",
    "queue": "queue",
    "old": "old_queue",
    "state": "interaction_state",
    "by": "party_type",
    "how": "operation",
    "from": "other_agent_id",
    "strategy": "strategy",
    "workbin": "workbin",
    "agent": "agent_id",
    "place": "place",
}
# Words about a call that travel in the Extensions.
EXTENSIONS = {"monitor": "MonitorMode", "assist": "AssistMode"}
# Settings that concern no object.
SETTINGS = (
    "day",
    "times",
    "stuck calls after",
    "virtual queues keep enter time",
    "do not disturb means not ready",
    "queues use pseudo actions",
    "keys at most",
    "business attributes",
)
SWITCHED = {
    "link down": e.EventLinkDisconnected,
    "link up": e.EventLinkConnected,
    "server down": e.EventServerDisconnected,
    "server up": e.EventServerConnected,
}


@define
class Teller:
    """Makes T-events of words, and remembers what a T-Server would."""

    types: dict[str, str] = field(factory=dict)  # of calls, as last said
    data: dict[str, dict[str, Any]] = field(factory=dict)  # attached to calls
    agents: dict[str, str] = field(factory=dict)  # by DN

    def event(self, phrase: str, time: float) -> e.TEvent:
        """The T-event that ``phrase`` stands for."""
        if phrase in SWITCHED:
            return SWITCHED[phrase](time=time)
        if found := re.fullmatch(r"(\S+) logs in on (\S+)(?: for (\S+))?", phrase):
            self.agents[found[2]] = found[1]
            return e.EventAgentLogin(
                time=time, this_dn=found[2], agent_id=found[1], this_queue=found[3] or ""
            )
        if found := re.fullmatch(r"(\S+) logs out of (\S+)", phrase):
            self.agents.pop(found[2], None)
            return e.EventAgentLogout(time=time, this_dn=found[2], agent_id=found[1])
        if found := re.fullmatch(r"(\S+) leaves (\S+) on (\S+)", phrase):
            return e.EventQueueLogout(
                time=time, this_dn=found[3], agent_id=found[1], this_queue=found[2]
            )
        if interaction := self._interaction(phrase, time):
            return interaction
        dn, word, *rest = phrase.split()
        name = f"Event{SHORT.get(word, word)}"
        if name not in e.EVENT_NAMES:
            raise TableError(f"{phrase!r}: there is no {name}")
        cls: type[e.TEvent] = getattr(e, name)
        given: dict[str, Any] = {"time": time, "this_dn": dn}
        if word == "AfterCallWork":
            given["work_mode"] = "AfterCallWork"
        data, extensions = self._words(rest, given)
        if issubclass(cls, e.AgentEvent):
            given.setdefault("agent_id", self.agents.get(dn, ""))
            given |= {"reasons": data or None, "extensions": extensions or None}
        elif issubclass(cls, e.CallEvent):
            self._call(cls, given, data)
            if extensions:
                given["extensions"] = extensions
        elif issubclass(cls, e.Snapshot):
            given["extensions"] = extensions or None
        unknown = given.keys() - set(cls.__struct_fields__)
        if unknown:
            raise TableError(f"{phrase!r}: {name} has no {', '.join(unknown)}")
        return cls(**given)

    def _interaction(self, phrase: str, time: float) -> e.TEvent | None:
        """Of what concerns no DN: the event's name comes first, and then what it is about."""
        word, *rest = phrase.split()
        cls = getattr(e, f"Event{word}", None)
        if cls is None or not issubclass(
            cls, e.InteractionEvent | e.MediaEvent | e.ExternalServiceEvent
        ):
            return None
        given: dict[str, Any] = {"time": time}
        data: dict[str, Any] = {}
        for part in rest:
            key, sign, text = part.partition("=")
            if not sign:
                given["interaction_id"] = part
            elif key[0].isupper():
                data[key] = text
            elif key in INTERACTIONS:
                given[INTERACTIONS[key]] = int(text) if text.isdigit() else text
            else:
                raise TableError(f"{part!r}: no such attribute; known: {', '.join(INTERACTIONS)}")
        if data:
            given["reasons" if issubclass(cls, e.MediaEvent) else "user_data"] = data
        unknown = given.keys() - set(cls.__struct_fields__)
        if unknown:
            raise TableError(f"{phrase!r}: Event{word} has no {', '.join(unknown)}")
        event: e.TEvent = cls(**given)
        return event

    def _words(
        self, words: list[str], given: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        data: dict[str, Any] = {}
        extensions: dict[str, Any] = {}
        for word in words:
            key, sign, text = word.partition("=")
            value: Any = int(text) if text.lstrip("-").isdigit() else text
            if not sign:
                given["call_type" if word in CALL_TYPES else "conn_id"] = word
            elif key[0].isupper():
                data[key] = value
            elif key == "reason":
                extensions["ReasonCode"] = value
            elif key == "status":
                extensions["AgentStatus"] = value
            elif key == "dnd":
                extensions["dnd"] = value
            elif key == "hook":
                extensions["DNState"] = value
            elif key == "calls":
                extensions["calls"] = [
                    dict(zip(("ConnID", "CallType", "state"), one.split(":"), strict=True))
                    for one in text.split("+")
                    if one
                ]
            elif key == "because":
                why, _, what = text.partition(":")
                given["reasons"] = {why: what}
            elif key in EXTENSIONS:
                extensions[EXTENSIONS[key]] = value
            elif key in ATTRIBUTES:
                given[ATTRIBUTES[key]] = text
            else:
                known = ", ".join((*ATTRIBUTES, *EXTENSIONS))
                raise TableError(f"{word!r}: no such attribute; known: {known}")
        return data, extensions

    def _call(self, cls: type, given: dict[str, Any], data: dict[str, Any]) -> None:
        conn_id = given.get("conn_id", "")
        if "call_type" in given:
            self.types[conn_id] = given["call_type"]
        elif conn_id in self.types:
            given["call_type"] = self.types[conn_id]
        if cls is e.EventUserEvent:
            given["user_data"] = data or None
            return
        known = self.data.get(conn_id)
        if data:
            known = {**(known or {}), **data}
            known = {key: value for key, value in known.items() if value != ""}
            self.data[conn_id] = known
        given["user_data"] = known


def phrases(what: str) -> Iterator[str]:
    """The single things that happen in one cell."""
    for part in what.split(";"):
        phrase = " ".join(part.split())
        if phrase:
            yield phrase


# -- what is counted ----------------------------------------------------------------------

DEFINITION = re.compile(
    r"(?P<category>\w+) (?:\{(?P<expression>[^}]*)\}|(?P<main>\S+))(?: per (?P<rel>\S+))?"
    r" of (?P<type>\w+) (?P<id>\S+)"
    r"(?: as (?P<subject>\w+))?(?: over (?P<profile>.+?))?(?: in (?P<range>\S+))?"
    r"(?: and (?P<range2>\S+))?"
    r"(?P<once> once per call)?(?: computing (?P<custom>.+?))?(?: for each (?P<key>.+?))?"
    r"(?: told (?P<mode>\w+)(?: every (?P<every>\d+))?(?: by (?P<by>\d+))?)?"
    r"(?: with (?P<options>\S+=\S+(?: \S+=\S+)*?))?"
    r"(?: if (?P<filter>.+))?"
)


@define
class Wanted:
    """One definition of a table."""

    text: str
    request: StatisticRequest
    notification: Notification | None


def profile_of(text: str | None, zone: tzinfo) -> TimeProfile | None:
    """``never``, ``0:00 +0:15``, ``sliding 60:1``, ``last 5``, ``login``; ``Default`` for none."""
    if text == "Default":
        return None
    text = text or "never"
    if text == "login":
        return parse_time_profile("Login,SinceLogin", "", zone)
    if text.startswith("last "):
        return parse_time_profile(f"{_name(text)},Selection", text.removeprefix("last "), zone)
    if text.startswith("sliding "):
        return parse_time_profile(f"{_name(text)},Sliding", text.removeprefix("sliding "), zone)
    return parse_time_profile(f"{_name(text)},Growing", text, zone)


def _name(text: str) -> str:
    return re.sub(r"\W", "_", text)


def wanted(
    text: str, zone: tzinfo, definitions: Definitions, attributes: Iterable[str] = ()
) -> Wanted:
    """What a definition asks for; its names are added to ``definitions``.

    Args:
        attributes: The business attributes that the site knows.
    """
    found = DEFINITION.fullmatch(" ".join(text.split()))
    if found is None:
        raise TableError(f"cannot read the definition {text!r}")
    options = {
        "Objects": found["type"],
        "Category": found["category"],
        "Subject": found["subject"] or "DNAction",
    }
    options |= {
        option: found[group]
        for option, group in (
            ("MainMask", "main"),
            ("RelMask", "rel"),
            ("Expression", "expression"),
            ("GroupBy", "key"),
        )
        if found[group]
    }
    computed = ["DCID"] * bool(found["once"]) + [found["custom"]] * bool(found["custom"])
    if computed:
        options["Formula"] = ", ".join(computed)
    options |= dict(word.split("=", 1) for word in (found["options"] or "").split())
    ranges: dict[str, TimeRange] = definitions.time_ranges  # type: ignore[assignment]
    for text in filter(None, (found["range"], found["range2"])):
        ranges[text] = parse_time_range(text, text)
    if found["filter"]:
        filters: dict[str, Any] = definitions.filters  # type: ignore[assignment]
        filters[found["filter"]] = parse_filter(found["filter"], found["filter"])
    request = StatisticRequest(
        object_type=found["type"],
        object_id=found["id"],
        stat_type=parse_stat_type("", options, tuple(attributes)),
        time_profile=profile_of(found["profile"], zone),
        time_range=found["range"],
        time_range2=found["range2"],
        filter=found["filter"],
    )
    notification = None
    if found["mode"]:
        notification = Notification(
            MODE_NAMES[found["mode"]], int(found["every"] or 0), int(found["by"] or 0)
        )
    return Wanted(text, request, notification)


def directory_of(settings: Iterable[tuple[str, str]]) -> Directory:
    """Who exists, by the head of a table."""
    dns: dict[DNKey, DN] = {}
    agents: dict[str, Agent] = {}
    places: dict[str, Place] = {}
    groups: dict[str, dict[str, Any]] = {"agents": {}, "places": {}, "queues": {}}
    origins: dict[str, tuple[DNKey, ...]] = {}
    virtual: dict[str, Membership] = {}
    campaigns: dict[str, tuple[str, ...]] = {}
    rules: dict[str, Capacity] = {}
    limited: dict[str, dict[str, str]] = {"agent": {}, "place": {}, "for": {}}
    auto_create = True
    for words, text in settings:
        kind, _, name = words.rpartition(" ")
        listed = [item.strip() for item in text.split(",")]
        keys = tuple(DNKey(number, SWITCH) for number in listed)
        if kind == "group":
            groups["agents"][name] = tuple(listed)
        elif kind == "place":
            places[name] = Place(name, keys)
            dns |= {key: DN(key, "Extension") for key in keys if key not in dns}
        elif kind == "place group":
            groups["places"][name] = tuple(listed)
        elif kind == "queue group":
            groups["queues"][name] = keys
        elif kind == "calls for":
            origins[name] = keys
        elif kind == "virtual group":
            virtual[name] = parse_membership(text)
        elif kind.startswith("capacity"):  # of agent a1, of place P1, for all
            rules[text] = parse_capacity(text.replace(" or ", " | "))
            limited[kind.split()[-1]][name] = text
        elif kind == "campaign":
            campaigns[name] = tuple(listed)
        elif kind == "skills of":
            levels = (skill.split("=") for skill in listed)
            agents[name] = Agent(name, {skill: int(level) for skill, level in levels})
        elif kind == "DN":
            dns[DNKey(name, SWITCH)] = DN(DNKey(name, SWITCH), text)
        elif words == "only these agents":
            agents = {agent: Agent(agent) for agent in listed}
            auto_create = False
        elif words not in SETTINGS:
            raise TableError(f"{words!r}: no such setting")
    return Directory(
        dns,
        agents,
        places,
        groups["agents"],
        groups["places"],
        groups["queues"],
        origins,
        auto_create=auto_create,
        virtual_agent_groups=virtual,
        campaigns=campaigns,
        capacities=Capacities(
            rules, limited["agent"], limited["place"], limited["for"].get("all", "")
        ),
    )


# -- running ------------------------------------------------------------------------------


class Run:
    """One table, told to a real engine."""

    def __init__(self, table: Table) -> None:
        settings = dict(table.settings)
        self.day = Day.of(settings.get("day", DAY))
        definitions = Definitions({}, {}, {}, {}, int(settings.get("keys at most", "1000")))
        self.wanted: dict[str, Wanted] = {}
        attributes = settings.get("business attributes", "").replace(",", " ").split()
        for name, text in table.definitions.items():
            self.wanted[name] = wanted(text, self.day.zone, definitions, attributes)
        missing = [name for name in table.columns[2:] if name not in self.wanted]
        if table.columns[:2] != ["at", "what"] or missing:
            raise TableError(f"columns must be at, what and defined names; not: {missing}")
        options = WorldOptions(
            stuck_call_timeout_ms=int(settings.get("stuck calls after", "14400")) * 1000,
            vq_use_alt_enter_time=settings.get("virtual queues keep enter time") == "yes",
            dnd_means_not_ready=settings.get("do not disturb means not ready") == "yes",
            queue_use_pseudo_actions=settings.get("queues use pseudo actions") != "no",
        )
        resolution = settings.get("times", "seconds").rstrip("s")
        self.engine = Engine(definitions, directory_of(table.settings), options, resolution)
        self.engine.add_source("ts1", SWITCH)
        self.statistics: dict[str, Statistic] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.told: dict[str, list[str]] = {}
        self.teller = Teller()
        self.now: int | None = None
        self.names = table.columns[2:]

    def rows(self, table: Table) -> Iterator[list[str] | str]:
        """The rows with the values that we come up with."""
        texts = [row.cells[1] for row in table.rows if row.cells]
        said = {name for text in texts for name in re.findall(r"\bopen ([\w ]+)", text)}
        later = {name for names in said for name in names.split()}
        for row in table.rows:
            if not row.cells:
                yield row.text
                continue
            at, what = row.cells[0], row.cells[1]
            t = self.day.moment(at)
            if self.now is None:
                self.now = t
                self.open([name for name in self.wanted if name not in later])
            values = self.step(what, t)
            claimed = dict(zip(self.names, row.cells[2:], strict=True))
            told = self.subscriptions.keys()
            yield [
                at,
                what,
                *(values[n] if claimed[n] or n in told else "" for n in self.names),
            ]

    def open(self, names: Iterable[str]) -> None:
        """Open statistics, and subscribe to those that want it."""
        assert self.now is not None
        for name in names:
            asked = self.wanted[name]
            statistic = self.engine.open(asked.request, self.now)
            self.statistics[name] = statistic
            if asked.notification is not None:
                subscription = self.engine.subscribe(statistic, asked.notification, name, self.now)
                self.subscriptions[name] = subscription
                if asked.notification.mode is not Mode.RESET_BASED:
                    first = self.engine.value_for(subscription, self.now)
                    self.told.setdefault(name, []).append(shown(first.value))

    def close(self, names: Iterable[str]) -> None:
        """Close statistics again."""
        assert self.now is not None
        for name in names:
            statistic = self.statistics.pop(name)
            subscription = self.subscriptions.pop(name, None)
            if subscription is None:
                subscription = self.engine.subscribe(
                    statistic, Notification(Mode.NO_NOTIFICATION), name, self.now
                )
            self.engine.unsubscribe(subscription)

    def step(self, what: str, t: int) -> dict[str, str]:
        """Let things happen at ``t``; the cells of the row."""
        self._pass_deadlines(t)
        self.now = t
        for phrase in phrases(what):
            verb, _, rest = phrase.partition(" ")
            if verb == "open":
                self.open(rest.split())
            elif verb == "close":
                self.close(rest.split())
            else:
                self.engine.apply("ts1", [self.teller.event(phrase, t / 1000)], t)
        self._listen()
        told, self.told = self.told, {}
        return {name: self._cell(name, told.get(name, [])) for name in self.names}

    def _cell(self, name: str, told: list[str]) -> str:
        if name not in self.statistics:
            return "-"
        if name in self.subscriptions:
            return ", ".join(told)
        assert self.now is not None
        return shown(self.engine.value(self.statistics[name], self.now).value)

    def _pass_deadlines(self, until: int) -> None:
        if self.now is None or not self.subscriptions:
            return
        for _ in range(DEADLINES_MAX):
            deadline = self.engine.next_deadline(self.now)
            if deadline >= until:
                return
            self.now = int(deadline)
            self._listen()
        raise TableError("the engine asks to be woken up for ever")

    def _listen(self) -> None:
        assert self.now is not None
        for notice in self.engine.notices(self.now):
            text = shown(notice.value.value) if notice.value else notice.kind[len("Statistic") :]
            self.told.setdefault(notice.subscription.owner, []).append(text)


def shown(value: Any) -> str:
    """A value as a cell: a state by its names, a ratio rounded."""
    if isinstance(value, dict):
        if "members" in value:
            return " ".join(shown(member) for member in value["members"])
        if "targets" in value:
            return ", ".join(map(target_shown, value["targets"]))
        if "status" not in value:  # a number for each child
            return ", ".join(f"{key or '(none)'} {shown(each)}" for key, each in value.items())
        return str(value["status"])
    if isinstance(value, float):
        return str(round(value, 2) if abs(value) >= 1 else float(f"{value:.3g}"))
    return str(value)


def target_shown(target: dict[str, Any]) -> str:
    """``a1 Ready 0/1``: the first medium that is of interest, with its capacity."""
    media = target["media"]
    shown = [f"{each['state']} {each['current']}/{each['max']}" for each in media]
    names = ["" if each["media"] == "voice" else f" {each['media']}" for each in media]
    return target["target"] + ",".join(f"{n} {s}" for n, s in zip(names, shown, strict=True))


def refusals(table: Table) -> dict[str, str]:
    """What an engine says to the definitions of a table that it does not grant."""
    day = Day.of(dict(table.settings).get("day", DAY))
    engine = Engine(Definitions({}, {}, {}, {}), directory_of(table.settings))
    engine.add_source("ts1", SWITCH)
    said = {}
    for name, text in table.definitions.items():
        try:
            engine.open(wanted(text, day.zone, engine.definitions).request, day.midnight)
        except (DefinitionError, StatisticError) as exc:
            said[name] = str(exc)
    return said
