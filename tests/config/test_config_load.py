"""Loading: defaults, includes, what a configuration means, and printing it again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from statserver_trio.config.dump import dump
from statserver_trio.config.fingerprint import fingerprint
from statserver_trio.config.load import load
from statserver_trio.config.mistakes import ConfigError
from statserver_trio.config.schema import Config, Server
from statserver_trio.config.site import make_site
from statserver_trio.model.directory import DN, Agent, DNKey, Place
from statserver_trio.model.world import WorldOptions

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a file and name it relative to where we are."""
    monkeypatch.chdir(tmp_path)

    def write(text: str, name: str = "x.toml") -> Path:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_an_empty_file_is_a_standalone_server(write: Write) -> None:
    config = load(write(""))
    assert config == Config()
    assert config.server == Server(name="statserver", role="standalone", time_zone="UTC")
    site = make_site(config)
    assert site.resolution == "second"
    assert site.world_options == WorldOptions(
        stuck_call_timeout_ms=14_400_000, vq_use_alt_enter_time=False
    )
    assert site.directory.auto_create
    assert list(site.definitions.time_profiles) == list(site.definitions.time_ranges) == ["Default"]


def test_keys_have_dashes_and_numbers_are_numbers(write: Write) -> None:
    config = load(
        write(
            """
            [ha]
            addp-timeout = 20
            chunk-timeout = 0
            addp-trace = false
            [limits]
            statistics-per-client = 7
            """
        )
    )
    assert config.ha.addp_timeout == 20.0
    assert config.ha.chunk_timeout == 0
    assert config.ha.addp_trace == "off"
    assert config.ha.session_expiration_timeout == 600
    assert config.limits.statistics_per_client == 7


def test_options_are_in_the_units_of_the_model(write: Write) -> None:
    path = write(
        """
        [server]
        time-resolution = "millisecond"
        [objects]
        stuck-call-timeout = 0.5
        vq-use-alt-enter-time = true
        queue-use-pseudo-actions = false
        dnd-means-not-ready = true
        """
    )
    site = make_site(load(path))
    assert site.resolution == "millisecond"
    assert site.world_options == WorldOptions(
        stuck_call_timeout_ms=500,
        vq_use_alt_enter_time=True,
        queue_use_pseudo_actions=False,
        dnd_means_not_ready=True,
    )


def test_the_directory(write: Write) -> None:
    path = write(
        """
        [[dns]]
        number = "7001"
        switch = "sw1"
        type = "Extension"
        [[dns]]
        number = "Local/8001@queues"
        switch = "sw1"
        type = "Queue"
        [[agents]]
        id = "a1"
        skills = { Spanish = 7 }
        [[places]]
        name = "P1"
        dns = ["7001@sw1"]
        [objects]
        auto-create = false
        [agent-groups]
        Sales = ["a1"]
        [place-groups]
        Desks = ["P1"]
        [queue-groups]
        All = ["Local/8001@queues@sw1"]
        """
    )
    directory = make_site(load(path)).directory
    phone, queue = DNKey("7001", "sw1"), DNKey("Local/8001@queues", "sw1")
    assert directory.dns == {phone: DN(phone, "Extension"), queue: DN(queue, "Queue")}
    assert directory.agents == {"a1": Agent("a1", {"Spanish": 7})}
    assert directory.places == {"P1": Place("P1", (phone,))}
    assert directory.agent_groups == {"Sales": ("a1",)}
    assert directory.place_groups == {"Desks": ("P1",)}
    assert directory.queue_groups == {"All": (queue,)}
    assert not directory.auto_create


def test_members_that_are_not_listed_come_into_being(write: Write) -> None:
    config = load(
        write(
            """
            [[places]]
            name = "P1"
            dns = ["7001@sw1"]
            [agent-groups]
            Sales = ["a1"]
            [queue-groups]
            All = ["8001@sw1"]
            """
        )
    )
    directory = make_site(config).directory
    phone, queue = DNKey("7001", "sw1"), DNKey("8001", "sw1")
    assert directory.dns == {phone: DN(phone, "Extension"), queue: DN(queue, "Queue")}
    assert directory.agents == {"a1": Agent("a1")}
    assert sorted(map(str, config.warnings)) == [
        "x.toml: [agent-groups] Sales: warning: 'a1' is not listed in [[agents]]; "
        "taken for an agent",
        "x.toml: [places #1] dns: warning: 7001@sw1 is not listed in [[dns]]; "
        "taken for a DN of type Extension",
        "x.toml: [queue-groups] All: warning: 8001@sw1 is not listed in [[dns]]; "
        "taken for a DN of type Queue",
    ]


def test_the_servers_zone_is_whose_midnight_counts(write: Write) -> None:
    path = write(
        """
        [server]
        time-zone = "Europe/Berlin"
        [time-profiles]
        "Noon,Growing" = "12:00"
        "UTC,Growing" = "0:00 tz=UTC"
        """
    )
    profiles = make_site(load(path)).definitions.time_profiles
    assert profiles["Default"].zone == profiles["Noon"].zone == ZoneInfo("Europe/Berlin")
    assert profiles["UTC"].zone in (UTC, ZoneInfo("UTC"))


def test_definitions(write: Write) -> None:
    path = write(
        """
        [time-profiles]
        "Default,growing" = "6:00"
        "LastHour,Sliding" = "3600:60"
        [time-ranges]
        Default = "0-30"
        "Range0-10" = "0-10"
        [filters]
        Spanish = 'PairExists("Language","Spanish")'
        [stat-types.Waiting]
        objects = "Queue"
        CATEGORY = "CurrentNumber"
        Subject = "DNAction"
        MainMask = "CallWait"
        UseSourceTimeStamps = true
        """
    )
    definitions = make_site(load(path)).definitions
    assert definitions.time_profiles["Default"].points == (360,)
    assert definitions.time_profiles["LastHour"].length == 3_600_000
    default = definitions.time_range(None)
    assert default is not None
    assert default.high_ms == 30_000
    assert definitions.time_ranges["Range0-10"].high_ms == 10_000
    assert definitions.filters["Spanish"].matches({"Language": "Spanish"})
    waiting = definitions.stat_types["Waiting"]
    assert waiting.objects == {"Queue"}
    assert waiting.category == "CurrentNumber"


def test_an_including_file_wins_and_lists_add_up(write: Write) -> None:
    write(
        """
        [server]
        name = "common"
        debug-level = "Init"
        [time-ranges]
        A = "0-1"
        B = "0-2"
        [agent-groups]
        Sales = ["a1"]
        [[agents]]
        id = "a1"
        [[agents]]
        id = "a2"
        """,
        "site/common.toml",
    )
    write('[time-ranges]\nC = "0-3"\nA = "0-4"', "other.toml")
    path = write(
        """
        include = ["common.toml", "../other.toml"]
        [server]
        name = "mine"
        [time-ranges]
        B = "0-5"
        [agent-groups]
        Sales = ["a2", "a3"]
        [[agents]]
        id = "a3"
        """,
        "site/main.toml",
    )
    config = load(path)
    assert (config.server.name, config.server.debug_level) == ("mine", "Init")
    assert config.time_ranges == {"A": "0-4", "B": "0-5", "C": "0-3"}
    assert [each.id for each in config.agents] == ["a1", "a2", "a3"]
    assert config.agent_groups == {"Sales": ("a2", "a3")}


def test_an_empty_list_adds_nothing(write: Write) -> None:
    write('agents = [{ id = "a1" }]', "common.toml")
    path = write('include = ["common.toml"]\nagents = []')
    assert [each.id for each in load(path).agents] == ["a1"]


def test_a_file_that_is_included_twice_is_read_once(write: Write) -> None:
    write('[[agents]]\nid = "a1"', "agents.toml")
    write('include = ["agents.toml"]', "one.toml")
    write('include = ["./agents.toml"]', "two.toml")
    path = write('include = ["one.toml", "two.toml"]')
    assert [each.id for each in load(path).agents] == ["a1"]


EVERYTHING = """
include = []
[server]
name = "s"
role = "primary"
peer = "t"
time-zone = "+05:30"
[[listen]]
id = "ha"
port = 0
[[listen]]
port = 7100
secured = true
certificate = "cert.pem"
certificate-key = "key.pem"
[ha]
addp-trace = "full"
[[tserver]]
name = "ts1"
switch = "sw1"
port = 7200
dns = ["7009"]
[record]
path = "var/events"
[[dns]]
number = "7001"
switch = "sw1"
type = "Extension"
[[agents]]
id = "a1"
skills = { "Very Spanish" = 7 }
[[agents]]
id = 'back\\slash "quoted"'
[agent-groups]
"All of us" = ["a1"]
[virtual-agent-groups]
V = 'Skill("Spanish") > 5'
[campaigns]
Spring = ["All of us", "V"]
[business-attributes]
Language = ["Spanish", "English"]
Anything = []
[interactions]
queues = ["inbound e-mail"]
[time-profiles]
"Never,Growing" = ""
[filters]
F = '''PairExists("a", 'b"c')'''
[stat-types.X]
Objects = "Agent"
Category = "TotalNumber"
Subject = "DNAction"
MainMask = "CallInbound"
UseSourceTimeStamps = false
"""


@pytest.mark.parametrize("text", ["", EVERYTHING])
def test_what_is_printed_means_the_same(write: Write, text: str) -> None:
    config = load(write(text))
    assert load(write(dump(config), "printed.toml")) == config


def test_the_error_says_it_all(write: Write) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write("[server]\nname = 1\nrole = 2\n[agent-groups]\nV = ['x']"))
    assert str(caught.value).splitlines() == [
        "x.toml: [server] name: must be a text in quotes, not 1",
        "x.toml: [server] role: must be 'primary', 'backup' or 'standalone', not 2",
    ]
    assert list(map(str, caught.value.warnings)) == [
        "x.toml: [agent-groups] V: warning: 'x' is not listed in [[agents]]; taken for an agent",
    ]


RESTRICTED = """
[business-attributes]
Language = ["Spanish", "English"]
[virtual-agent-groups]
Here = 'LoggedInSwitch("sw1") & LoggedIn("8001@sw1")'
[agent-groups]
Sales = []
[campaigns]
Spring = ["Sales", "Here"]
[interactions]
queues = ["mail"]
[objects]
tenant = "Bank"
[stat-types.X]
Objects = "Agent"
Category = "TotalNumber"
Subject = "DNAction"
MainMask = "CallInbound"
language = "Spanish, Klingon"
Weather = "fine"
"""


def test_groups_campaigns_and_attributes_of_a_site(write: Write) -> None:
    config = load(write(RESTRICTED))
    assert [str(each).partition(": warning: ")[::2] for each in config.warnings] == [
        (
            "x.toml: [stat-types.X] Weather",
            "no such option; passed over (allowed: Objects, Category, Subject, MainMask, RelMask, "
            "MediaType, UseSourceTimeStamps, ReasonStartOverridesStatusStart, AggregationType, "
            "Description, Formula, Expression, GroupBy, Language)",
        ),
        (
            "x.toml: [stat-types.X] language",
            "'Klingon' is not among the known values: Spanish or English",
        ),
        (
            "x.toml: [virtual-agent-groups] Here",
            "8001@sw1 is not listed in [[dns]]; taken for a DN of type Queue",
        ),
        (
            "x.toml: [virtual-agent-groups] Here",
            "no [[tserver]] has the switch 'sw1'",
        ),
    ]
    site = make_site(config)
    directory = site.directory
    assert (directory.tenant, directory.interaction_queues) == ("Bank", ("mail",))
    assert directory.campaigns == {"Spring": ("Sales", "Here")}
    assert directory.virtual_agent_groups["Here"].queues == ("8001@sw1",)
    [attribute] = site.definitions.stat_types["X"].attributes
    assert (attribute.name, attribute.values) == ("Language", ("Spanish", "Klingon"))
    assert fingerprint(config) != fingerprint(load(write(RESTRICTED.replace("Bank", "Shop"))))
