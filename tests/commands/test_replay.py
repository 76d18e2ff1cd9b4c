"""``statserver replay`` on real input: two recordings of one Asterisk, and the call models."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from statserver_trio.commands.main import main
from statserver_trio.commands.replay import LINES_AT_A_TIME, PIECE_BYTES
from statserver_trio.tlib.codec import encode_all
from statserver_trio.tlib.events import (
    EventAbandoned,
    EventDiverted,
    EventEstablished,
    EventQueued,
    EventRinging,
)

ROOT = Path(__file__).parent.parent.parent
CONF = ROOT / "conf" / "standalone.toml"
DATA = ROOT.parent / "shared" / "data" / "asterisk"
NOON = 1_767_268_800.0  # 2026-01-01T12:00:00Z


def replay(*arguments: str, **options: Any) -> Result:
    return CliRunner().invoke(main, ["replay", *arguments, "--config", str(CONF)], **options)


def values(result: Result) -> dict[tuple[str, str], Any]:
    assert result.exit_code == 0, result.output
    found = [json.loads(line) for line in result.stdout.splitlines()]
    return {(each["objectId"], each["statisticType"]): each["value"] for each in found}


def capture(name: str) -> str:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"no {path}: the captures are not part of the project")
    return str(path)


# -- real input ---------------------------------------------------------------------------

TALK_TIMES = {"Agent1": 56, "Agent2": 46, "Agent3": 60, "Agent4": 75}
CALLS = {"Agent1": 6, "Agent2": 4, "Agent3": 6, "Agent4": 7}


@pytest.mark.parametrize(
    ("name", "file_format", "tolerance"),
    [
        ("pbx-run.queue_log", "asterisk-queue-log", 0),
        # Its timestamps are finer, so a call may fall on another second at either end.
        ("pbx-run.ami.txt", "asterisk-ami", 1),
    ],
)
def test_one_run_of_an_asterisk_recorded_twice(name: str, file_format: str, tolerance: int) -> None:
    queue = ["Entered", "Answered", "Abandoned", "No_Answer"]
    opens = [f"Queue:support@sw1:Total_Calls_{each}" for each in queue]
    for agent in CALLS:
        opens += [f"Agent:{agent}:Total_Calls_Handled", f"Agent:{agent}:Total_Talk_Time"]
    arguments = [word for each in opens for word in ("--open", each)]
    found = values(replay(capture(name), "--format", file_format, *arguments))
    assert [found["support@sw1", f"Total_Calls_{each}"] for each in queue] == [30, 23, 7, 4]
    for agent, calls in CALLS.items():
        assert found[agent, "Total_Calls_Handled"] == calls
        off = abs(found[agent, "Total_Talk_Time"] - TALK_TIMES[agent])
        assert off <= tolerance * calls


def test_one_call_of_another_pbx() -> None:
    names = ("Total_Calls_Entered", "Total_Calls_Answered", "Average_Answer_Time")
    arguments = [word for each in names for word in ("--open", f"Queue:Q1@sw1:{each}")]
    arguments += ["--open", "Agent:SIP/777:Total_Talk_Time"]
    found = values(replay(capture("ami-queue-call.txt"), "--format", "asterisk-ami", *arguments))
    assert [found["Q1@sw1", each] for each in names] == [1, 1, 9.0]
    assert found["SIP/777", "Total_Talk_Time"] == 3


MODELS = ROOT.parent / "shared" / "data" / "genesys" / "call-models.json"
QUEUE_STATISTICS = {
    "CallEntered": "Total_Calls_Entered",
    "CallAnswered": "Total_Calls_Answered",
    "CallDistributed": "Total_Calls_Distributed",
    "CallAbandoned": "Total_Calls_Abandoned",
    "CallCleared": "Total_Calls_Cleared",
}
PHONE_STATISTICS = {
    "CallMissed": "Total_Calls_Missed",
    "CallForwarded": "Total_Calls_Not_Answered",
    "CallOnHold_s": "Total_Hold_Time",
    "CallTransferMade": "Total_Calls_Transferred",
    "AfterCallWork_s": "Total_ACW_Time",
}


def test_the_call_models(tmp_path: Path) -> None:
    """Every scenario, as a file that anybody could have recorded, with ready-made stat types."""
    if not MODELS.exists():
        pytest.skip(f"no {MODELS}: the call models are not part of the project")
    checked = 0
    scenarios = json.loads(MODELS.read_text())["scenarios"]
    assert len(scenarios) == 18
    for scenario in scenarios:
        path = tmp_path / f"{scenario['name']}.jsonl"
        lines = [
            json.dumps(event | {"time": NOON + event["t"], "EventSequenceNumber": number})
            for number, event in enumerate(scenario["events"], 1)
        ]
        path.write_text("\n".join(lines))
        result = replay(str(path), "--open-all")
        found = values(result)
        assert "skipped" not in result.stderr
        for dn, expected in scenario["expect"].items():
            if not isinstance(expected, dict):
                continue
            for names in (QUEUE_STATISTICS, PHONE_STATISTICS):
                for name, stat_type in names.items():
                    if name in expected and (f"{dn}@sw1", stat_type) in found:
                        assert found[f"{dn}@sw1", stat_type] == expected[name], scenario["name"]
                        checked += 1
    assert checked >= 25


# -- what it does with its arguments ------------------------------------------------------


@pytest.fixture
def recording(tmp_path: Path) -> str:
    """A call that waits from noon on for a minute, and one that is abandoned after ten."""
    path = tmp_path / "day.jsonl"
    kept = {"this_dn": "8001", "conn_id": "c1", "call_type": "Inbound"}
    lost = {"this_dn": "8001", "conn_id": "c2", "call_type": "Inbound"}
    events = [
        EventQueued(position=1, time=NOON, **kept),
        EventDiverted(position=2, time=NOON + 60, third_party_dn="7001", **kept),
        EventQueued(position=3, time=NOON + 60, **lost),
        EventAbandoned(position=4, time=NOON + 660, **lost),
    ]
    path.write_bytes(encode_all(events))
    return str(path)


def test_as_of_a_moment(recording: str) -> None:
    opens = ("--open", "Queue:8001@sw1:Total_Calls_Entered")
    key = ("8001@sw1", "Total_Calls_Entered")
    assert values(replay(recording, *opens))[key] == 2
    assert values(replay(recording, *opens, "--at", str(NOON + 59)))[key] == 1
    assert values(replay(recording, *opens, "--at", "2026-01-01T12:00:59+00:00"))[key] == 1
    assert values(replay(recording, *opens, "--at", "2026-01-02T12:00:00+00:00"))[key] == 0


def test_a_value_says_what_it_is(recording: str) -> None:
    spec = "Queue:8001@sw1:Total_Calls_Entered,profile=QuarterHour"
    result = replay(recording, "--open", spec)
    assert json.loads(result.stdout) == {
        "objectType": "Queue",
        "objectId": "8001@sw1",
        "statisticType": "Total_Calls_Entered",
        "timeProfile": "QuarterHour",
        "timeRange": None,
        "timeRange2": None,
        "filter": None,
        "value": 2,
        "time": NOON + 660,
        "interval": 660.0,
    }


def test_two_ranges_are_another_statistic(tmp_path: Path) -> None:
    """One call is answered, another given up after 3 s, which the second range excuses."""
    calls = [{"this_dn": "8001", "conn_id": f"c{n}", "call_type": "Inbound"} for n in (1, 2)]
    phone = {**calls[0], "this_dn": "7001", "this_queue": "8001"}
    events = [
        EventQueued(time=NOON, **calls[0]),
        EventQueued(time=NOON, **calls[1]),
        EventAbandoned(time=NOON + 3, **calls[1]),
        EventDiverted(time=NOON + 5, third_party_dn="7001", **calls[0]),
        EventRinging(time=NOON + 5, **phone),
        EventEstablished(time=NOON + 8, **phone),
    ]
    path = tmp_path / "calls.jsonl"
    path.write_bytes(encode_all(events))
    spec = "Queue:8001@sw1:Service_Factor,range=Range0-20"
    result = replay(str(path), "--open", spec, "--open", f"{spec},range2=Range0-5")
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(one["timeRange"], one["timeRange2"], one["value"]) for one in found] == [
        ("Range0-20", None, 50.0),
        ("Range0-20", "Range0-5", 100.0),
    ]


def test_everything_at_once_from_standard_input(recording: str) -> None:
    found = values(replay("-", "--open-all", input=Path(recording).read_bytes()))
    assert found["8001@sw1", "Total_Calls_Abandoned"] == 1
    assert found["AllQueues", "Total_Calls_Entered"] == 2
    assert found["Sales", "CurrentReadyAgents"] == 0


def test_everything_at_once_from_a_pipe_which_can_be_read_only_once(recording: str) -> None:
    command = [sys.executable, "-m", "statserver_trio", "replay", "-", "--open-all"]
    with subprocess.Popen(["cat", recording], stdout=subprocess.PIPE) as pipe:
        done = subprocess.run(
            [*command, "--config", str(CONF)], stdin=pipe.stdout, capture_output=True, text=True
        )
    assert done.stdout == replay(recording, "--open-all").stdout
    assert done.stdout.count("\n") > LINES_AT_A_TIME


def test_everything_at_once_of_what_is_left_of_standard_input(recording: str) -> None:
    """A shell may have read the first lines of a file already: they are not looked at again."""
    spec = [sys.executable, "-m", "statserver_trio", "replay", "-", "--config", str(CONF)]
    with Path(recording).open("rb") as file:
        os.lseek(file.fileno(), len(file.readline()), os.SEEK_SET)
        done = subprocess.run([*spec, "--open-all"], stdin=file, capture_output=True, text=True)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    entered = {
        each["objectId"]: each["value"]
        for each in found
        if each["statisticType"] == "Total_Calls_Entered"
    }
    assert entered["8001@sw1"] == 1


def test_a_recording_of_many_pieces_with_events_without_times(tmp_path: Path) -> None:
    """Its last moment counts, wherever in a piece it stands, and what has no time does not."""
    path = tmp_path / "long.jsonl"
    count = 3 * PIECE_BYTES // 100  # a line has more bytes than that
    call = {"this_dn": "8001", "call_type": "Inbound"}
    events = [
        EventQueued(conn_id=f"c{n}", time=None if n % 7 == 3 else NOON + n / 1000, **call)
        for n in range(count)
    ]
    path.write_bytes(encode_all(events))
    opens = ("--open", "Queue:8001@sw1:Total_Calls_Entered")
    assert replayed(path, *opens) == (count, NOON + (count - 1) // 1000)
    at = NOON + 2
    before = next(n for n in range(count) if n % 7 != 3 and NOON + n / 1000 > at)
    assert replayed(path, *opens, "--at", str(at)) == (before, at)


def replayed(path: Path, *arguments: str) -> tuple[int, float]:
    """One value, and its time."""
    found = json.loads(replay(str(path), *arguments).stdout)
    return found["value"], found["time"]


def test_bad_lines_are_counted_and_skipped(recording: str) -> None:
    data = b"what?\n" + Path(recording).read_bytes() + b'{"event":"EventRinging"}\n'
    result = replay("-", "--open", "Queue:8001@sw1:Total_Calls_Entered", input=data)
    assert values(result)["8001@sw1", "Total_Calls_Entered"] == 2
    assert result.stderr.count("skipped 1 lines") == 2


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "give --open or --open-all"),
        (("--open", "Queue:8001@sw1"), 2, "Queue:8001@sw1"),
        (("--open", "Queue:8001@sw1:Nonsense"), 1, "unknown-stat-type"),
        (("--open", "Agent:a1:Total_Calls_Entered"), 1, "not for Agent"),
        (("--open", "Queue:8001@sw9:Total_Calls_Entered"), 1, "number@sw1"),
        (("--open", "Queue:8001@sw1:Total_Calls_Entered", "--at", "noon"), 2, "is no time"),
    ],
)
def test_mistakes(recording: str, arguments: tuple[str, ...], code: int, said: str) -> None:
    result = replay(recording, *arguments)
    assert result.exit_code == code
    assert said in result.stderr


def test_a_file_of_another_format(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("1,2,3\n")
    result = replay(str(path), "--open", "Queue:8001@sw1:Total_Calls_Entered")
    assert result.exit_code == 1
    assert "is the format right?" in result.stderr
