"""queue_log stories: every verb, in and out."""

from __future__ import annotations

from itertools import pairwise

import pytest
from asterisk_stories import lines_of, logged

from statserver_trio.asterisk.conn_id import conn_id
from statserver_trio.asterisk.positions import ORDINALS, Positions, as_time, pack, unpack
from statserver_trio.asterisk.queue_log import VERBS, QueueLogTranslator
from statserver_trio.asterisk.replay import queue_log_events

CALL = """
    0|MANAGER|support|Ann|ADDMEMBER|
    1|c1|support|NONE|ENTERQUEUE||5551000|1
"""


def test_a_day_in_the_log() -> None:
    assert logged(
        f"""
        {CALL}
        9|c1|support|Ann|RINGNOANSWER|6000
        14|c1|support|Ann|CONNECT|13|a1|4
        20|c1|support|Ann|COMPLETECALLER|13|6|1
        21|NONE|support|Ann|PAUSE|Lunch
        22|NONE|support|Ann|UNPAUSE|
        23|MANAGER|support|Ann|REMOVEMEMBER|
        """
    ) == lines_of(
        """
        0.0 Ann AgentLogin queue=support
        0.0 Ann AgentReady
        1.0 support Queued
        3.0 Ann Ringing                     # milliseconds before RINGNOANSWER
        9.0 Ann Released Redirected
        10.0 Ann Ringing                    # seconds before CONNECT
        14.0 support Diverted to=Ann
        14.0 Ann Established
        20.0 Ann Released
        21.0 Ann AgentNotReady reason=Lunch
        22.0 Ann AgentReady
        23.0 Ann AgentLogout queue=support
        """
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("5|c1|support|NONE|ABANDON|1|1|4", "5.0 support Abandoned"),
        ("5|c1|support|NONE|EXITWITHTIMEOUT|1|1|4", "5.0 support Diverted Overflowed"),
        ("5|c1|support|NONE|EXITEMPTY|1|1|4", "5.0 support Diverted Cleared"),
        ("5|c1|support|NONE|EXITWITHKEY|9|1|1|4", "5.0 support Diverted Cleared"),
        ("5|c1|support|NONE|WITHDRAW|1|1|4|", "5.0 support Diverted Cleared"),
        ("5|c1|support|Ann|SYSCOMPAT|", "5.0 support Diverted Cleared"),
        ("5|c1|support|NONE|LEAVEEMPTY|", "5.0 support Diverted Cleared"),
        ("5|c1|sales|NONE|ENTERQUEUE||5551000|1", "5.0 support Diverted Overflowed"),
    ],
)
def test_each_way_out_of_the_queue_has_its_verb(line: str, expected: str) -> None:
    assert logged(CALL + line)[3] == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("9|c1|support|Ann|COMPLETEAGENT|3|5|1", "9.0 Ann Released"),
        ("9|c1|support|Ann|BLINDTRANSFER|700|default|3|5|1", "9.0 Ann Released Transferred to=700"),
        ("9|c1|support|Ann|TRANSFER|700|default|3|5|1", "9.0 Ann Released Transferred to=700"),
        ("9|c1|support|Ann|ATTENDEDTRANSFER|BRIDGE|x|3|5|1", "9.0 Ann Released Transferred"),
    ],
)
def test_each_end_of_a_conversation_has_its_verb(line: str, expected: str) -> None:
    assert logged(f"{CALL}4|c1|support|Ann|CONNECT|3|a1|1\n{line}")[6:] == [expected]


def test_a_ring_that_was_cancelled_is_no_missed_call() -> None:
    story = f"{CALL}5|c1|support|Ann|RINGCANCELED|2497\n5|c1|support|NONE|ABANDON|1|1|4"
    assert logged(story)[3:] == [
        "2.5 Ann Ringing",
        "5.0 Ann Released Cleared",
        "5.0 support Abandoned",
    ]


def test_whole_seconds_never_put_a_ring_before_its_cause() -> None:
    """The log cuts off seconds, so lengths reach back too far by up to one."""
    story = f"""
        {CALL}
        4|c1|support|Ann|RINGNOANSWER|4900     # cannot have begun before the call
        6|c1|support|Ann|RINGNOANSWER|2900     # nor before the ring before was over
    """
    assert [line for line in logged(story) if "Ringing" in line] == [
        "1.0 Ann Ringing",
        "4.0 Ann Ringing",
    ]


def test_pauses_of_all_queues_at_once() -> None:
    story = """
        0|MANAGER|support|Ann|ADDMEMBER|
        0|MANAGER|sales|Ann|ADDMEMBER|PAUSED
        1|NONE|NONE|Ann|PAUSEALL|Lunch
        1|NONE|support|Ann|PAUSE|Lunch
        2|NONE|NONE|Ann|UNPAUSEALL|
    """
    assert logged(story)[3:] == ["1.0 Ann AgentNotReady reason=Lunch", "2.0 Ann AgentReady"]


def test_agents_who_log_in_without_a_queue() -> None:
    story = """
        1|NONE|NONE|Agent/1001|AGENTCALLBACKLOGIN|1001@default
        9|NONE|NONE|Agent/1001|AGENTCALLBACKLOGOFF|1001@default|8|
    """
    assert logged(story)[::2] == [
        "1.0 Agent/1001 AgentLogin queue=",
        "9.0 Agent/1001 AgentLogout queue=",
    ]


def test_a_restart_loses_calls_and_keeps_members() -> None:
    assert logged(f"0|NONE|NONE|NONE|QUEUESTART|\n{CALL}9|NONE|NONE|NONE|QUEUESTART|")[3:] == [
        "9.0 - LinkDisconnected",
        "9.0 Ann AgentLogin queue=support",
        "9.0 Ann AgentReady",
    ]


def test_every_known_verb_survives_every_shape_of_line() -> None:
    for verb in VERBS:
        for tail in ("", "|", "|x|y|z", "|1|2|3|4|5"):
            for head in ("1|c1|support|Ann", "1|NONE|NONE|NONE", "1|||"):
                translator = QueueLogTranslator("sw1")
                translator.translate(f"{head}|{verb}{tail}")
                assert "unknown verb" not in translator.bad


def test_what_makes_no_sense_is_counted() -> None:
    lines = ["1|c1|q", "soon|c1|q|NONE|ABANDON|", "1|c1|q|NONE|SINGASONG|", "", "1|||x|ENTERQUEUE"]
    assert queue_log_events(lines, "sw1").bad == {
        "line too short": 1,
        "line without time": 1,
        "unknown verb": 1,
        "entry without call or queue": 1,
    }


# -- names and numbers -----------------------------------------------------------------


def test_a_conn_id_is_stable() -> None:
    assert conn_id("1795398568.0") == "73873b3a42b118a9"


def test_positions_grow_whatever_the_time_does() -> None:
    positions = Positions()
    times = [5.0, 5.0, 5.000001, 4.0, 5.000002, *[6.0] * (ORDINALS + 5), -1.0, 1e300]
    found = [positions.at(time) for time in times]
    assert all(a < b for a, b in pairwise(found))
    assert [unpack(position) for position in found[:5]] == [
        (5_000_000, 0),
        (5_000_000, 1),
        (5_000_001, 0),
        (5_000_001, 1),
        (5_000_002, 0),
    ]
    assert found[-1] < 1 << 63
    assert pack(*unpack(found[7])) == found[7]


@pytest.mark.parametrize("text", ["", "x", "nan", "inf", "-5", "1e300"])
def test_what_is_no_time(text: str) -> None:
    assert as_time(text) is None
