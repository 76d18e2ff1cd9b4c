"""Every mistake is named, with its file, its section and its key."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from statserver_trio.config import site
from statserver_trio.config.load import load
from statserver_trio.config.mistakes import ConfigError, Mistake, place_of
from statserver_trio.stats.definitions import DefinitionError


def mistakes(path: Path) -> list[str]:
    """What a person gets to read about a file, mistakes first."""
    try:
        return list(map(str, load(path).warnings))
    except ConfigError as exc:
        return list(map(str, (*exc.mistakes, *exc.warnings)))


STAT_TYPE = (
    "[[tserver]]\nname = 'ts1'\nswitch = 'sw1'\nport = 7200\n"
    "[stat-types.Waiting]\nObjects = 'Queue'\nCategory = 'CurrentNumber'\n"
    "MainMask = 'CallWait'\nSubject = 'DNAction'\n"
)
CASES = {
    # values
    "[server]\nname = ''": "[server] name: must be a text in quotes, not ''",
    "[server]\nrole = 'boss'": (
        "[server] role: must be 'primary', 'backup' or 'standalone', not 'boss'"
    ),
    "[server]\nrole = ['backup']": (
        "[server] role: must be 'primary', 'backup' or 'standalone', not ['backup']"
    ),
    "[server]\ntime-zone = 'Berlin'": (
        "[server] time-zone: no such time zone as 'Berlin'; "
        "name one like Europe/Berlin or UTC, or +hh:mm"
    ),
    "[server]\ndebug-level = 'Init,Noise'": (
        "[server] debug-level: no such name as 'Noise'; "
        "may list all, Action, Client, Init, HA, Java, Mngmnt, Reset, Server, Status"
    ),
    "[server]\nauto-backup-interval = -1": (
        "[server] auto-backup-interval: must be a number from 0 to 1440, not -1"
    ),
    "[server]\nauto-backup-interval = '5'": (
        "[server] auto-backup-interval: must be a number from 0 to 1440, not '5'"
    ),
    "[server]\nbackup-file-aggregates-store = 'yes'": (
        "[server] backup-file-aggregates-store: must be true or false, not 'yes'"
    ),
    "[server]\ndata-dir = ''": "[server] data-dir: must be a text in quotes, not ''",
    "[metrics]\nstatistics = ['Queue:CurrNumberWaitingCalls']": (
        "[metrics] statistics: 'Queue:CurrNumberWaitingCalls' needs two colons: "
        "ObjectType:objectId:StatType[,profile=P][,range=R][,range2=R][,filter=F]"
    ),
    "[metrics]\nstatistics = ['Queue:*:No_Such']": (
        "[metrics] statistics: 'Queue:*:No_Such': metric.statisticType: 'No_Such' is not configured"
    ),
    f"{STAT_TYPE}[metrics]\nstatistics = ['Agent:*:Waiting']": (
        "[metrics] statistics: 'Agent:*:Waiting': "
        "metric.statisticType: Waiting is not for Agent; for: Queue"
    ),
    f"{STAT_TYPE}[metrics]\nstatistics = ['Queue:8001@sw1:Waiting,filter=Vip']": (
        "[metrics] statistics: 'Queue:8001@sw1:Waiting,filter=Vip': "
        "metric.filter: 'Vip' is not configured"
    ),
    f"{STAT_TYPE}[objects]\nauto-create = false\n"
    "[metrics]\nstatistics = ['Queue:8001@sw1:Waiting']": (
        "[metrics] statistics: 'Queue:8001@sw1:Waiting': "
        "object.objectId: DN '8001' is not configured on switch 'sw1'"
    ),
    "[stat-types.State]\nObjects = 'Agent'\nCategory = 'CurrentState'\nMainMask = '*'\n"
    "Subject = 'DNAction'\n[metrics]\nstatistics = ['Agent:*:State']": (
        "[metrics] statistics: 'Agent:*:State': its value is a state and no number"
    ),
    "[metrics]\nseries-max = 0": (
        "[metrics] series-max: must be a whole number from 1 to 100000, not 0"
    ),
    "[wallboard]\norigins = ['board.example.com']": (
        "[wallboard] origins: must be a list of origins such as "
        "'https://board.example.com:8443', or '*', not 'board.example.com'"
    ),
    "[wallboard]\norigins = ['https://board.example.com/']": (
        "[wallboard] origins: must be a list of origins such as "
        "'https://board.example.com:8443', or '*', not 'https://board.example.com/'"
    ),
    "[wallboard]\nurl = 'stat-a:7102'": (
        "[wallboard] url: must be a web origin such as "
        "'https://board.example.com:8443', not 'stat-a:7102'"
    ),
    "[wallboard]\norigins = '*'": (
        "[wallboard] origins: must be a list of texts in quotes, not '*'"
    ),
    "[wallboard]\nthresholds = { waiting-wran = 3 }": (
        "[wallboard] thresholds: no such name as 'waiting-wran'; did you mean 'waiting-warn'?"
    ),
    "[wallboard.thresholds]\nservice-level-warn = 101": (
        "[wallboard] thresholds: service-level-warn: must be a number from 0 to 100, not 101"
    ),
    "[wallboard]\nthresholds = 3": (
        "[wallboard] thresholds: must be a table such as { waiting-warn = 1 }, not 3"
    ),
    "[ha]\naddp-timeout = '10'": ("[ha] addp-timeout: must be a number from 1 to 3600, not '10'"),
    "[ha]\naddp-timeout = true": "[ha] addp-timeout: must be a number from 1 to 3600, not true",
    "[ha]\naddp-timeout = 0.5": "[ha] addp-timeout: must be a number from 1 to 3600, not 0.5",
    "[ha]\nconnect-timeout = nan": (
        "[ha] connect-timeout: must be a number from 0.1 to 3600, not nan"
    ),
    "[ha]\nchunk-size = 5.0": "[ha] chunk-size: must be a whole number from 1 to 100000, not 5.0",
    "[ha]\nsecured = 1": "[ha] secured: must be true or false, not 1",
    "[[dns]]\nnumber = 7001\nswitch = 's'\ntype = 'Queue'": (
        "[dns #1] number: must be a text in quotes, not 7001"
    ),
    "[[dns]]\nnumber = '1'\nswitch = 'a@b'\ntype = 'Queue'": (
        "[dns #1] switch: must be a name without '@', not 'a@b'"
    ),
    "[[agents]]\nid = 'a'\nskills = { Spanish = 'much' }": (
        "[agents #1] skills: Spanish: must be a whole number from 0 to 2147483647, not 'much'"
    ),
    "[[agents]]\nid = 'a'\nskills = ['Spanish']": (
        "[agents #1] skills: must be a table such as { Spanish = 7 }, not ['Spanish']"
    ),
    "[agent-groups]\nG = 'a1'": "[agent-groups] G: must be a list of texts in quotes, not 'a1'",
    "[stat-types.X]\nObjects = ['Agent']": (
        "[stat-types.X] Objects: must be a text in quotes, not ['Agent']"
    ),
    # shapes
    "[server]\nnam = 'x'": "[server] nam: no such key; did you mean 'name'?",
    "[record]\nqqq = 1": "[record] qqq: no such key; known: path, max-bytes, max-files",
    "[sever]\n": "[sever]: no such section; did you mean 'server'?",
    "server = 'x'": "[server]: must be a table, written [server]",
    "[listen]\nport = 1": "[listen]: must be a list of tables, each [[listen]]",
    "dns = ['7001']": "[dns]: must be a list of tables, each [[dns]]",
    "[stat-types]\nX = 'y'": "[stat-types] X: must be a table of options, written [stat-types.X]",
    "[[listen]]\nid = 'ha'": "[listen #1] port: required, but missing",
    "[[listen]]\nport = 1\n[[listen]]\nport = 65536": (
        "[listen #2] port: must be a whole number from 0 to 65535, not 65536"
    ),
    "[[tserver]]\nswitch = 's'\nport = 1": "[tserver #1] name: required, but missing",
    "[[tserver]]\nname = 't'\nswitch = 's'\nport = 0": (
        "[tserver #1] port: must be a whole number from 1 to 65535, not 0"
    ),
    # coherence
    "[[listen]]\nport = 7100\n[[listen]]\nid = 'management'\nport = 7100": (
        "[listen #2] port: 7100 is taken by the port with the id default already"
    ),
    "[[listen]]\nport=1\nhost='0.0.0.0'\n[[listen]]\nport=1\nhost='10.0.0.1'": (
        "[listen #2] port: 1 is taken by the port with the id default already"
    ),
    "[[listen]]\nid='ha'\nport=1\n[[listen]]\nid='ha'\nport=2": (
        "[listen #2] id: there may be only one port with the id ha"
    ),
    "[[listen]]\nport = 1\nsecured = true\ncertificate = 'c'": (
        "[listen #1] certificate-key: required with secured = true"
    ),
    "[[listen]]\nport = 1\nurl = 'http://a.example.com'": (
        "[listen #1] url: must be a WebSocket URL such as 'wss://stat-a.example.com:7100/', "
        "not 'http://a.example.com'"
    ),
    "[[listen]]\nport = 1\nid = 'management'\nurl = 'ws://a.example.com/'": (
        "[listen #1] url: is for the port with the id default; see [wallboard] url"
    ),
    "[[listen]]\nport = 1\ntls-mutual = true": (
        "[listen #1] trusted-ca: required with tls-mutual = true"
    ),
    "[server]\nrole = 'primary'\npeer = 'b'": (
        '[listen]: an entry with id = "ha" is required with [server] role = "primary"'
    ),
    "[server]\nname='a'\nrole='primary'\npeer='a'\n[[listen]]\nid='ha'\nport=1": (
        "[server] peer: must be the name of the other member, not our own"
    ),
    "[[tserver]]\nname='t'\nswitch='s'\nport=1\n[[tserver]]\nname='t'\nswitch='u'\nport=2": (
        "[tserver #2] name: there is a T-Server named 't' already"
    ),
    "[[tserver]]\nname='t'\nswitch='s'\nport=1\n[[tserver]]\nname='u'\nswitch='s'\nport=2": (
        "[tserver #2] switch: 's' is served by 't' already"
    ),
    "[[tserver]]\nname='t'\nswitch='s'\nport=1\nsecured=true": (
        "[tserver #1] trusted-ca: required with secured = true"
    ),
    # the directory
    "agents = [{ id = 'a' }, { id = 'a' }]": "[agents #2] id: 'a' is listed already",
    "places = [{ name = 'P' }, { name = 'P' }]": "[places #2] name: 'P' is listed already",
    "[objects]\nauto-create = false\n[agent-groups]\nG = ['agent1']\n[[agents]]\nid = 'agent2'": (
        "[agent-groups] G: 'agent1' is not listed in [[agents]]; did you mean 'agent2'?"
    ),
    "[objects]\nauto-create = false\n[queue-groups]\nG = ['8001@s']": (
        "[queue-groups] G: 8001@s is not listed in [[dns]]"
    ),
    "[place-groups]\nG = ['P1']\n[[places]]\nname = 'Desk'": (
        "[place-groups] G: no such place as 'P1' in [[places]]; known: Desk"
    ),
    "[queue-groups]\nG = ['8001']": (
        "[queue-groups] G: '8001' names no switch; write number@switch, as in 7001@sw1"
    ),
    "[agent-groups]\nG = ['a', 'a']\n[[agents]]\nid = 'a'": (
        "[agent-groups] G: 'a' is listed twice"
    ),
    "dns = [{ number='1', switch='s', type='Queue' }, { number='1', switch='s', type='Queue' }]": (
        "[dns #2] number: 1@s is listed already"
    ),
    "dns = [{ number='1', switch='s', type='Position' }]\n[queue-groups]\nG = ['1@s']": (
        "[queue-groups] G: 1@s is a Position, and no queue or route point"
    ),
    "[virtual-agent-groups]\nV = 'Skill(1)'": (
        "[virtual-agent-groups] V: column 7: expected the name of a skill in quotes, not '1'"
    ),
    "[capacity-rules]\nC = 'chat = x'": (
        "[capacity-rules] C: column 8: expected a whole number, not 'x'"
    ),
    "[capacity-rules]\nChats = 'chat = 3'\n[[agents]]\nid = 'a'\ncapacity-rule = 'Chat'": (
        "[agents #1] capacity-rule: no such rule as 'Chat' in [capacity-rules]; "
        "did you mean 'Chats'?"
    ),
    "[[places]]\nname = 'P'\ncapacity-rule = 'C'": (
        "[places #1] capacity-rule: no such rule as 'C' in [capacity-rules]"
    ),
    "[objects]\ncapacity-rule = 'C'": (
        "[objects] capacity-rule: no such rule as 'C' in [capacity-rules]"
    ),
    "[agent-groups]\nV = []\n[virtual-agent-groups]\nV = 'Skill(\"a\") > 1'": (
        "[virtual-agent-groups] V: there is a group of that name in [agent-groups] already"
    ),
    "[campaigns]\nSpring = ['Sales']": (
        "[campaigns] Spring: no such group as 'Sales' in [agent-groups], "
        "[virtual-agent-groups] or [place-groups]"
    ),
    "[agent-groups]\nG = []\n[place-groups]\nG = []\n[campaigns]\nSpring = ['G']": (
        "[campaigns] Spring: 'G' is a group of agents and one of places; rename one"
    ),
    "[business-attributes]\nmediatype = []": (
        "[business-attributes] mediatype: stat types have an option of that name; "
        "call it something else"
    ),
    "dns = [{ number='1', switch='s', type='Queue' }]\n[origination-dns]\nSales = ['1@s']": (
        "[origination-dns] Sales: no such group as 'Sales' in [agent-groups], "
        "[virtual-agent-groups] or [place-groups]"
    ),
    "dns = [{ number='1', switch='s', type='Queue' }]\n[[places]]\nname = 'P'\ndns = ['1@s']": (
        "[places #1] dns: 1@s is a Queue and stands on no place"
    ),
    "dns = [{ number='1', switch='s', type='Position' }]\n"
    "places = [{ name = 'P', dns = ['1@s'] }, { name = 'Q', dns = ['1@s'] }]": (
        "[places #2] dns: 1@s stands on the place 'P' already"
    ),
    # definitions
    "[time-profiles]\nShift = '7:00'": (
        "[time-profiles] Shift: 'Shift' names no type; write Name,Type with a type of "
        "Growing, Sliding, Selection or SinceLogin"
    ),
    "[time-profiles]\n'A,Growing' = '0:00'\n'A,Sliding' = '60'": (
        "[time-profiles] A,Sliding: there is a profile named 'A' already"
    ),
    "[time-ranges]\nR = '20'": (
        "[time-ranges] R: '20' is no range; write whole seconds as 0-20, or 20- for 20 and up"
    ),
    "[filters]\nF = 'PairExists(1,)'": (
        "[filters] F: column 14: expected a text in quotes or a number, not ')'"
    ),
    "[filters]\nF = 'AgentID = \"a1\" & Nobody = 5'": (
        "[filters] F: column 18: no such attribute as Nobody; attributes: ANI, DNIS, CustomerID, "
        "TenantID, MediaType, ThisQueue, TreatmentType, ThisDN, OtherDN, CallType, AgentID; "
        "functions: PairExists, ReasonExists, ExtensionReasonCode, GetNumber, GetString, "
        "GetGlobalNumber, GetGlobalString"
    ),
    # warnings
    "[stat-types.X]\nObjects = 'Queue'\nCategory = 'MaxNumber'\nSubject = 'DNAction'\n"
    "MainMask = 'AgentReady,DNReady'": (
        "[stat-types.X] MainMask: warning: counts nothing: pseudo-actions of queues count only in "
        "CurrentNumber or CurrentRelativeNumberPercentage, unless [objects] "
        "queue-use-pseudo-actions = false"
    ),
    "[stat-types.X]\nObjects='Queue'\nCategory='TotalNumber'\nSubject='DNAction'\n"
    "mainmask='CallEntered'\nNonsense='1'": (
        "[stat-types.X] Nonsense: warning: no such option; passed over (allowed: Objects, "
        "Category, Subject, MainMask, RelMask, MediaType, UseSourceTimeStamps, "
        "ReasonStartOverridesStatusStart, AggregationType, Description, Formula, Expression, "
        "GroupBy)"
    ),
    "[stat-types.X]\nObjects='Queue'\nCategory='TotalNumber'\nSubject='DNAction'\n"
    "mainmask='CallEntered,Nonsense'": (
        "[stat-types.X] mainmask: warning: no such action: Nonsense; passed over"
    ),
    # the file itself
    "include = 'x.toml'": "include: must be a list of file names in quotes, not 'x.toml'",
    "include = ['no.toml']": "include: cannot read no.toml: No such file or directory",
    "include = ['x.toml']": "include: goes in a circle: x.toml -> x.toml",
    "[server]\nname = x": "line 2, column 8: Invalid value",
    "[server": "its end: Expected ']' at the end of a table declaration",
    "a = " + "9" * 5000: (
        "not to be read: Exceeds the limit (4300 digits) for integer string conversion: "
        "value has 5000 digits; use sys.set_int_max_str_digits() to increase the limit"
    ),
}


@pytest.mark.parametrize(("text", "message"), CASES.items())
def test_one_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("x.toml")
    path.write_text(text)
    assert mistakes(path) == [f"x.toml: {message}"]


def test_a_backup_needs_to_know_where_the_primary_is(tmp_path: Path) -> None:
    path = tmp_path / "backup.toml"
    path.write_text("[server]\nrole = 'backup'\n[ha]\nsecured = true")
    wanted = 'required with [server] role = "backup"'
    assert mistakes(path) == [
        f"{path}: [server] peer: {wanted}: the name of the other member of the pair",
        f"{path}: [ha] peer-host: {wanted}: the host of the primary",
        f"{path}: [ha] peer-port: {wanted}: the primary's port with the id ha",
        f"{path}: [ha] trusted-ca: required with secured = true",
    ]


def test_no_file_at_all(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    assert mistakes(path) == [f"{path}: cannot read it: No such file or directory"]
    path.write_bytes(b"a = '\xff'")
    assert mistakes(path) == [f"{path}: no UTF-8 text: byte 6 cannot be read"]


def test_mistakes_are_found_in_the_file_that_makes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("common.toml").write_text(
        textwrap.dedent("""
        [limits]
        clients = 0
        [ha]
        addp-timeout = 0
        [[listen]]
        port = 7100
        """)
    )
    Path("main.toml").write_text(
        textwrap.dedent("""
        include = ["common.toml"]
        [limits]
        message-bytes = 0
        [ha]
        addp-timeout = 5
        [[listen]]
        port = 7100
        [[listen]]
        port = 7101
        prot = "addp"
        """)
    )
    assert mistakes(Path("main.toml")) == [
        "main.toml: [listen #2] prot: no such key; did you mean 'port'?",
        "common.toml: [limits] clients: must be a whole number from 1 to 100000, not 0",
        "main.toml: [limits] message-bytes: must be a whole number from 1024 to 1073741824, not 0",
    ]


def test_unreadable_files_are_all_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.toml").write_text('include = ["b.toml", "c.toml", "nowhere.toml"]')
    Path("b.toml").write_text("x = ")
    Path("c.toml").write_text("\n\n[y")
    assert mistakes(Path("a.toml")) == [
        "b.toml: its end: Invalid value",
        "c.toml: its end: Expected ']' at the end of a table declaration",
        "a.toml: include: cannot read nowhere.toml: No such file or directory",
    ]


def test_a_broken_entry_is_not_missed_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(
        "agents = [{ id = 'a1', skills = 1 }]\n[objects]\nauto-create = false\n"
        "[agent-groups]\nG = ['a1']"
    )
    assert mistakes(path) == [
        f"{path}: [agents #1] skills: must be a table such as {{ Spanish = 7 }}, not 1"
    ]


def test_what_is_wrong_with_a_stat_type_is_found_at_its_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str, options: Mapping[str, str], known: Collection[str]) -> NoReturn:
        raise DefinitionError([("Category", "no such thing"), ("Subject", "missing"), ("", "odd")])

    monkeypatch.setattr(site, "parse_stat_type", refuse)
    path = tmp_path / "x.toml"
    path.write_text("[stat-types.X]\ncategory = 'Nonsense'")
    assert mistakes(path) == [
        f"{path}: [stat-types.X] category: no such thing",
        f"{path}: [stat-types.X] Subject: missing",
        f"{path}: [stat-types] X: odd",
    ]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("Category", "TotalNonsense"),
        ("Subject", "Nonsense"),
        ("Objects", "Agent, Nonsense"),
        ("MainMask", "Nonsense"),
        ("RelMask", "Nonsense"),
    ],
)
def test_a_stat_type_that_means_nothing(tmp_path: Path, option: str, value: str) -> None:
    options = {
        "Objects": "Agent",
        "Category": "RelativeNumber",
        "Subject": "DNAction",
        "MainMask": "CallInbound",
        "RelMask": "CallInbound",
        option: value,
    }
    path = tmp_path / "x.toml"
    path.write_text("[stat-types.X]\n" + "\n".join(f"{k} = '{v}'" for k, v in options.items()))
    found = mistakes(path)
    assert len(found) == 1
    assert found[0].startswith(f"{path}: [stat-types.X] {option}: ")
    assert "Nonsense" in found[0]


def test_how_mistakes_are_written() -> None:
    assert str(Mistake("f", "s", "k", "w")) == "f: [s] k: w"
    assert str(Mistake("f", "s", "", "w")) == "f: [s]: w"
    assert str(Mistake("f", "", "k", "w", warning=True)) == "f: k: warning: w"
    assert str(Mistake("f", "", "", "w")) == "f: w"
    assert place_of(()) == ("", "")


SECTIONS = ["server", "listen", "ha", "dns", "agents", "places", "tserver", "stat-types", "filters"]
GROUPS = ["agent-groups", "place-groups", "queue-groups", "time-profiles", "time-ranges"]
GROUPS += ["origination-dns", "virtual-agent-groups", "campaigns", "business-attributes"]
GROUPS += ["capacity-rules"]
INNER = ["port", "id", "name", "role", "switch", "type", "number", "skills"]
KEYS = st.sampled_from(SECTIONS + GROUPS + INNER)
VALUES = st.recursive(
    st.sampled_from(["true", "1", "-1", "0.5", "nan", "''", "'a'", "'1@s'", "2026-01-01"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(parts)}]")
        | st.dictionaries(KEYS, inner, max_size=3).map(
            lambda table: "{" + ", ".join(f"{k} = {v}" for k, v in table.items()) + "}"
        )
    ),
    max_leaves=8,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(KEYS, VALUES, max_size=6) | st.text(max_size=40))
def test_any_file_is_a_configuration_or_a_list_of_mistakes(
    tmp_path: Path, tables: dict[str, str] | str
) -> None:
    path = tmp_path / "x.toml"
    if isinstance(tables, str):
        path.write_text(tables, encoding="utf-8", errors="ignore")
    else:
        path.write_text("\n".join(f"{key} = {value}" for key, value in tables.items()))
    for each in mistakes(path):
        assert each.startswith(f"{path}: ")
