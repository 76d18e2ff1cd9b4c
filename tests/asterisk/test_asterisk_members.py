"""AMI stories of members: logins per queue, pauses per queue, devices, snapshots."""

from __future__ import annotations

import pytest
from asterisk_stories import lines_of, message, told

from statserver_trio.asterisk.ami_translator import AmiTranslator
from statserver_trio.asterisk.conn_id import conn_id

ANN = "Interface=SIP/1 MemberName=Ann"
TWO_QUEUES = f"""
    0.0 QueueMemberAdded Queue=support {ANN} Paused=0
    0.0 QueueMemberAdded Queue=sales {ANN} Paused=0
"""


@pytest.mark.parametrize(
    ("pauses", "expected"),
    [
        # as long as one queue can reach her, she waits for a call
        ("1 support 1 Lunch", []),
        ("1 support 1 Lunch; 2 support 0 -", []),
        ("1 support 1 Lunch; 2 sales 1 Lunch", ["2.0 SIP/1 AgentNotReady reason=Lunch"]),
        (
            "1 support 1 Lunch; 2 sales 1 Meeting; 3 support 0 -",
            ["2.0 SIP/1 AgentNotReady reason=Meeting", "3.0 SIP/1 AgentReady"],
        ),
        # another reason is another NotReady; the same one told again is none
        (
            "1 support 1 A; 2 sales 1 A; 3 sales 1 A; 4 support 1 B",
            ["2.0 SIP/1 AgentNotReady reason=A", "4.0 SIP/1 AgentNotReady reason=B"],
        ),
        ("1 support 0 -; 2 sales 0 -", []),
    ],
)
def test_trap_5_pauses_are_per_queue_and_readiness_is_not(pauses: str, expected: list[str]) -> None:
    story = TWO_QUEUES
    for pause in pauses.split(";"):
        at, queue, paused, reason = pause.split()
        reason = "" if reason == "-" else reason
        story += (
            f"{at} QueueMemberPause Queue={queue} {ANN} Paused={paused} PausedReason={reason}\n"
        )
    assert told(story)[3:] == expected


def test_a_login_per_queue_and_one_logout_at_the_end() -> None:
    assert told(
        f"""
        {TWO_QUEUES}
        1.0 QueueMemberAdded Queue=sales {ANN} Paused=0
        5.0 QueueMemberRemoved Queue=support {ANN}
        6.0 QueueMemberRemoved Queue=sales {ANN}
        7.0 QueueMemberRemoved Queue=sales {ANN}
        """
    ) == lines_of(
        """
        0.0 SIP/1 AgentLogin queue=support
        0.0 SIP/1 AgentReady
        0.0 SIP/1 AgentLogin queue=sales
        5.0 SIP/1 QueueLogout queue=support
        6.0 SIP/1 AgentLogout queue=sales
        """
    )


def test_who_leaves_the_queue_that_kept_him_ready_is_not_ready() -> None:
    assert told(
        f"""
        {TWO_QUEUES}
        1.0 QueueMemberPause Queue=support {ANN} Paused=1 PausedReason=Lunch
        2.0 QueueMemberRemoved Queue=sales {ANN}
        """
    )[3:] == ["2.0 SIP/1 QueueLogout queue=sales", "2.0 SIP/1 AgentNotReady reason=Lunch"]


def test_who_logs_in_paused_is_not_ready() -> None:
    story = f"0.0 QueueMemberAdded Queue=support {ANN} Paused=1 PausedReason=Training"
    assert told(story)[1:] == ["0.0 SIP/1 AgentNotReady reason=Training"]


def test_the_interface_is_the_agent_where_there_is_no_name() -> None:
    translator = AmiTranslator("sw1")
    added = message("0.0 QueueMemberAdded Queue=support Interface=SIP/1 Paused=0")
    assert translator.translate(added, 0)[1].agent_id == "SIP/1"


def test_a_static_member_is_logged_in_when_he_is_first_seen() -> None:
    story = f"3.0 QueueMemberStatus Queue=support {ANN} Status=1 Paused=1 PausedReason=Lunch"
    assert told(story) == lines_of(
        """
        3.0 SIP/1 AgentLogin queue=support
        3.0 SIP/1 AgentNotReady reason=Lunch
        """
    )


def test_a_ring_after_the_removal_is_no_new_login() -> None:
    story = f"""
        0.0 QueueMemberAdded Queue=support {ANN} Paused=0
        1.0 QueueCallerJoin Uniqueid=c1 Queue=support
        2.0 QueueMemberRemoved Queue=support {ANN}
        3.0 AgentCalled Uniqueid=c1 Queue=support {ANN}
    """
    assert told(story)[3:] == ["2.0 SIP/1 AgentLogout queue=support", "3.0 SIP/1 Ringing"]


@pytest.mark.parametrize(
    "story",
    [
        "1.0 DeviceStateChange Device=SIP/1 State={lost}",
        "1.0 DeviceStateChange Device=Custom:ann State={lost}",
        "1.0 QueueMemberStatus Queue=support Interface=SIP/1 Status={status}",
        "1.0 PeerStatus Peer=SIP/1 PeerStatus={peer}",
    ],
)
def test_a_lost_device_is_out_of_service_once(story: str) -> None:
    lost = story.format(lost="UNAVAILABLE", status=5, peer="Unreachable")
    found = story.format(lost="NOT_INUSE", status=1, peer="Reachable").replace("1.0", "2.0", 1)
    added = f"0.0 QueueMemberAdded Queue=support {ANN} StateInterface=Custom:ann Paused=0"
    assert told(f"{added}\n{lost}\n{lost}\n{found}\n{found}")[2:] == [
        "1.0 SIP/1 DNOutOfService",
        "2.0 SIP/1 DNBackInService",
    ]


def test_devices_of_nobody_are_nobodys_business() -> None:
    assert told("1.0 DeviceStateChange Device=Queue:support State=UNAVAILABLE") == []


def test_agents_of_the_agent_pool() -> None:
    story = "1.0 AgentLogin Agent=1001 Channel=SIP/5-1\n9.0 AgentLogoff Agent=1001 LoginTime=8"
    assert told(story) == lines_of(
        """
        1.0 Agent/1001 AgentLogin queue=
        1.0 Agent/1001 AgentReady
        9.0 Agent/1001 AgentLogout queue=
        """
    )


# -- the answer to QueueStatus ---------------------------------------------------------

ANSWER = """
    1.0 CoreShowChannel Channel=SIP/2-7 ChannelState=6 Uniqueid=b7 Linkedid=c7
    1.0 CoreShowChannel Channel=SIP/trunk-8 ChannelState=6 Uniqueid=c9 Linkedid=c8
    1.0 QueueParams Queue=support
    1.0 QueueMember Queue=support Location=SIP/1 Name=Ann Status=1 Paused=1 PausedReason=Lunch
    1.0 QueueMember Queue=support Location=SIP/2 Name=Bob Status=2 Paused=0
    1.0 QueueEntry Queue=support Position=1 Uniqueid=c9 CallerIDNum=5551000 Wait=30
    1.0 QueueParams Queue=sales
    1.0 QueueMember Queue=sales Location=SIP/2 Name=Bob Status=2 Paused=0
    1.0 QueueStatusComplete
"""


def test_an_answer_is_told_as_registrations() -> None:
    assert told(ANSWER) == lines_of(
        f"""
        1.0 support Registered queued={conn_id("c8")}
        1.0 sales Registered
        1.0 SIP/1 Registered agent=Ann NotReady reason=Lunch
        1.0 SIP/1 AgentLogin queue=support
        1.0 SIP/2 Registered agent=Bob Ready connected={conn_id("c7")}
        1.0 SIP/2 AgentLogin queue=support
        1.0 SIP/2 AgentLogin queue=sales
        """
    )


def test_what_an_answer_told_goes_on_and_ends() -> None:
    assert told(
        f"""
        {ANSWER}
        2.0 Hangup Channel=SIP/2-7 Uniqueid=b7
        3.0 HangupRequest Uniqueid=c9
        3.0 QueueCallerAbandon Uniqueid=c9 Queue=support
        4.0 QueueMemberPause Queue=support {ANN} Paused=0
        """
    )[7:] == ["2.0 SIP/2 Released", "3.0 support Abandoned", "4.0 SIP/1 AgentReady"]


def test_a_second_answer_tells_only_what_is_new() -> None:
    again = ANSWER.replace("1.0", "5.0").replace("Paused=1", "Paused=0", 1)
    more = again.replace(
        "5.0 QueueStatusComplete",
        "5.0 QueueMember Queue=sales Location=SIP/3 Name=Cy Status=1 Paused=0\n"
        "5.0 QueueStatusComplete",
    )
    assert told(ANSWER + more)[7:] == [
        "5.0 SIP/1 AgentReady",
        "5.0 SIP/3 Registered agent=Cy Ready",
        "5.0 SIP/3 AgentLogin queue=sales",
    ]
