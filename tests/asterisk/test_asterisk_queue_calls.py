"""AMI stories of queue calls, the traps of t-events.md §7.1 among them."""

from __future__ import annotations

import pytest
from asterisk_stories import T0, lines_of, message, told

from statserver_trio.asterisk.ami_translator import AmiTranslator
from statserver_trio.tlib.events import EventEstablished, EventQueued, EventRinging

TEAM = """
    0.0 QueueMemberAdded Queue=support Interface=SIP/1 MemberName=Ann Paused=0
    0.0 QueueMemberAdded Queue=support Interface=SIP/2 MemberName=Bob Paused=0
"""
JOIN = "1.0 QueueCallerJoin Channel=SIP/trunk-1 Uniqueid=c1 Linkedid=c1 Queue=support\n"
ANN_CALLED = (
    "2.0 AgentCalled Uniqueid=c1 Linkedid=c1 DestUniqueid=a1 DestChannel=SIP/1-1"
    " Queue=support Interface=SIP/1 MemberName=Ann\n"
)
BOB_CALLED = (
    "2.0 AgentCalled Uniqueid=c1 Linkedid=c1 DestUniqueid=b1 DestChannel=SIP/2-1"
    " Queue=support Interface=SIP/2 MemberName=Bob\n"
)
LEAVE = "Uniqueid=c1 Linkedid=c1 Queue=support"
ANN = "Uniqueid=c1 Linkedid=c1 Queue=support Interface=SIP/1 MemberName=Ann"


def calls(story: str) -> list[str]:
    """What the story comes to without the team's logins."""
    return told(TEAM + story)[4:]


def test_a_call_is_answered_and_ends() -> None:
    assert calls(
        f"""
        {JOIN}
        {ANN_CALLED}
        6.0 QueueCallerLeave {LEAVE}
        6.0 AgentConnect {ANN} HoldTime=5 RingTime=4
        9.0 AgentComplete {ANN} TalkTime=3 Reason=caller
        9.0 Hangup Channel=SIP/1-1 Uniqueid=a1
        9.0 Hangup Channel=SIP/trunk-1 Uniqueid=c1
        """
    ) == lines_of(
        """
        1.0 support Queued
        2.0 SIP/1 Ringing
        6.0 support Diverted to=SIP/1
        6.0 SIP/1 Established
        9.0 SIP/1 Released
        """
    )


def test_the_facts_of_a_call_are_the_same_on_every_dn() -> None:
    translator = AmiTranslator("sw1")
    story = f"""
        0.5 Newchannel Uniqueid=c1 Linkedid=c0
        1.0 QueueCallerJoin Uniqueid=c1 Linkedid=c0 Queue=support CallerIDNum=5551000 Exten=800
        {ANN_CALLED}
        6.0 AgentConnect {ANN} HoldTime=5 RingTime=4
    """
    events = [e for line in lines_of(story) for e in translator.translate(message(line), 0)]
    facts = {
        (e.conn_id, e.call_uuid, e.call_type, e.ani, e.dnis, e.this_queue)
        for e in events
        if isinstance(e, EventQueued | EventRinging | EventEstablished)
    }
    assert len(facts) == 1
    conn_id, *others = facts.pop()
    assert others == ["c0", "Inbound", "5551000", "800", "support"]
    assert len(conn_id) == 16
    assert int(conn_id, 16) < 1 << 64


def test_a_ring_without_answer_keeps_the_call_in_the_queue() -> None:
    assert calls(
        f"""
        {JOIN}
        {ANN_CALLED}
        8.0 AgentRingNoAnswer {ANN} RingTime=6000
        8.0 Hangup Channel=SIP/1-1 Uniqueid=a1
        {BOB_CALLED.replace("2.0", "9.0", 1)}
        11.0 QueueCallerLeave {LEAVE}
        11.0 AgentConnect {ANN.replace("1 MemberName=Ann", "2 MemberName=Bob")} RingTime=2
        """
    ) == lines_of(
        """
        1.0 support Queued
        2.0 SIP/1 Ringing
        8.0 SIP/1 Released Redirected
        9.0 SIP/2 Ringing
        11.0 support Diverted to=SIP/2
        11.0 SIP/2 Established
        """
    )


def test_trap_2_ring_time_is_milliseconds_without_answer_and_seconds_with() -> None:
    """Where AgentCalled was lost, the length is all that tells when the ring began."""
    assert calls(
        f"""
        {JOIN}
        8.5 AgentRingNoAnswer {ANN} RingTime=6000
        20.0 AgentConnect {ANN} RingTime=6
        """
    ) == lines_of(
        """
        1.0 support Queued
        2.5 SIP/1 Ringing
        8.5 SIP/1 Released Redirected
        14.0 SIP/1 Ringing
        20.0 support Diverted to=SIP/1
        20.0 SIP/1 Established
        """
    )


def test_when_all_ring_the_losers_do_not_count_as_no_answer() -> None:
    assert calls(
        f"""
        {JOIN}
        {ANN_CALLED}
        {BOB_CALLED}
        5.9 Hangup Channel=SIP/2-1 Uniqueid=b1
        6.0 QueueCallerLeave {LEAVE}
        6.0 AgentConnect {ANN} HoldTime=5 RingTime=4
        """
    ) == lines_of(
        """
        1.0 support Queued
        2.0 SIP/1 Ringing
        2.0 SIP/2 Ringing
        5.9 SIP/2 Released Cleared
        6.0 support Diverted to=SIP/1
        6.0 SIP/1 Established
        """
    )
    assert "6.0 SIP/2 Released Cleared" in calls(
        f"{JOIN}{ANN_CALLED}{BOB_CALLED}6.0 AgentConnect {ANN}"  # nobody told of his channel
    )


def test_who_refuses_hangs_up_first_and_is_told_afterwards() -> None:
    assert calls(
        f"""
        {JOIN}
        {ANN_CALLED}
        3.0 Hangup Channel=SIP/1-1 Uniqueid=a1
        3.0 AgentRingNoAnswer {ANN} RingTime=1000
        """
    )[2:] == ["3.0 SIP/1 Released Redirected"]


# -- trap 1: QueueCallerAbandon is not always an abandon -------------------------------


HANGUP = "5.2 Hangup Uniqueid=c1"
QUEUESTATUS = "5.1 VarSet Uniqueid=c1 Variable=QUEUESTATUS Value"


@pytest.mark.parametrize(
    ("what_follows", "verdict"),
    [
        (HANGUP, "Abandoned"),
        ("", "Abandoned"),  # the stream ends
        (f"5.1 Newexten Uniqueid=c1 Exten=h\n{HANGUP}", "Abandoned"),
        (f"5.1 Newexten Uniqueid=other\n{HANGUP}", "Abandoned"),
        (f"5.1 VarSet Uniqueid=c1 Variable=ABANDONED Value=TRUE\n{HANGUP}", "Abandoned"),
        ("5.1 Newexten Uniqueid=c1 Exten=800 Application=VoiceMail", "Diverted Cleared"),
        (f"{QUEUESTATUS}=TIMEOUT\n{HANGUP}", "Diverted Overflowed"),
        (f"{QUEUESTATUS}=LEAVEEMPTY\n{HANGUP}", "Diverted Cleared"),
        ("5.1 BridgeEnter Uniqueid=c1", "Diverted Cleared"),
        ("5.1 DialBegin Channel=SIP/trunk-1 Uniqueid=c1 DestChannel=SIP/9-1", "Diverted Cleared"),
        ("60.0 Hangup Uniqueid=c1", "Diverted Cleared"),  # not soon after
        ("8.0 QueueMemberStatus Queue=support Interface=SIP/1 Status=1", "Diverted Cleared"),
    ],
)
def test_trap_1_an_abandon_is_decided_by_what_follows(what_follows: str, verdict: str) -> None:
    story = f"{JOIN}5.0 QueueCallerAbandon {LEAVE}\n5.0 QueueCallerLeave {LEAVE}\n{what_follows}"
    assert calls(story) == ["1.0 support Queued", f"5.0 support {verdict}"]


def test_trap_1_a_call_overflows_into_another_queue_and_is_answered_there() -> None:
    assert calls(
        f"""
        {JOIN}
        5.0 QueueCallerAbandon {LEAVE}
        5.0 QueueCallerLeave {LEAVE}
        5.1 QueueCallerJoin Uniqueid=c1 Linkedid=c1 Queue=sales
        7.0 AgentConnect {ANN.replace("support", "sales")} HoldTime=2 RingTime=1
        """
    ) == lines_of(
        """
        1.0 support Queued
        5.0 support Diverted Overflowed
        5.1 sales Queued
        7.0 SIP/1 AgentLogin queue=sales    # she answers there, so she serves it
        6.0 SIP/1 Ringing
        7.0 sales Diverted to=SIP/1
        7.0 SIP/1 Established
        """
    )


def test_trap_1_a_hang_up_request_before_leaves_no_doubt() -> None:
    story = f"""
        {JOIN}
        5.0 HangupRequest Uniqueid=c1
        5.0 QueueCallerAbandon {LEAVE}
    """
    translator = AmiTranslator("sw1")
    assert told(story, translator, finish=False)[1:] == ["5.0 support Abandoned"]


def test_trap_1_the_stream_goes_on_while_the_doubt_lasts() -> None:
    """The verdict has the time of the deed and the position of the day it was told."""
    assert calls(
        f"""
        {JOIN}
        5.0 QueueCallerAbandon {LEAVE}
        5.1 QueueCallerJoin Uniqueid=c2 Queue=support
        5.2 Hangup Uniqueid=c1
        """
    ) == ["1.0 support Queued", "5.1 support Queued", "5.0 support Abandoned"]


def test_a_caller_who_gives_up_while_a_member_rings() -> None:
    assert calls(
        f"""
        {JOIN}
        {ANN_CALLED}
        5.0 HangupRequest Uniqueid=c1
        5.0 Hangup Channel=SIP/1-1 Uniqueid=a1
        5.0 QueueCallerAbandon {LEAVE}
        5.0 Hangup Uniqueid=c1
        """
    )[2:] == ["5.0 SIP/1 Released Cleared", "5.0 support Abandoned"]


def test_the_exit_key_is_told_by_the_leaving_alone() -> None:
    story = f"{JOIN}5.0 QueueCallerLeave {LEAVE}\n5.1 Newexten Uniqueid=c1 Exten=1"
    assert calls(story)[1:] == ["5.0 support Diverted Cleared"]


def test_a_member_may_be_briefed_before_he_is_connected() -> None:
    assert calls(
        f"""
        {JOIN}
        {ANN_CALLED}
        5.0 QueueCallerLeave {LEAVE}
        30.0 QueueMemberStatus Queue=support Interface=SIP/1 Status=2
        40.0 AgentConnect {ANN} HoldTime=4 RingTime=3
        """
    )[2:] == ["40.0 support Diverted to=SIP/1", "40.0 SIP/1 Established"]


def test_a_member_who_hangs_up_while_he_is_briefed_leaves_the_caller_waiting() -> None:
    story = f"{JOIN}{ANN_CALLED}4.0 AgentDump {ANN}\n9.0 HangupRequest Uniqueid=c1\n"
    story += f"9.0 QueueCallerAbandon {LEAVE}"
    assert calls(story)[2:] == ["4.0 SIP/1 Released Cleared", "9.0 support Abandoned"]


# -- members behind Local channels, holds, transfers -----------------------------------

LOCAL = "Uniqueid=c1 Linkedid=c1 Queue=support Interface=Local/a1@agents MemberName=Ann"
LOCAL_CALL = f"""
    {JOIN}
    2.0 AgentCalled {LOCAL} DestUniqueid=l1 DestChannel="Local/a1@agents-00;1"
    2.1 DialBegin Channel="Local/a1@agents-00;2" Linkedid=c1 DestChannel=SIP/1-1 DestUniqueid=a1
    6.0 AgentConnect {LOCAL} HoldTime=5 RingTime=4
"""


def test_a_local_channel_taken_out_of_the_call_is_not_its_end() -> None:
    assert calls(
        f"""
        {LOCAL_CALL}
        6.1 Hangup Channel="Local/a1@agents-00;1" Uniqueid=l1
        9.0 AgentComplete {LOCAL} TalkTime=3 Reason=agent
        """
    ) == lines_of(
        """
        1.0 support Queued
        2.0 Local/a1@agents AgentLogin queue=support   # never announced: seen at work
        2.0 Local/a1@agents AgentReady
        2.0 Local/a1@agents Ringing
        6.0 support Diverted to=Local/a1@agents
        6.0 Local/a1@agents Established
        9.0 Local/a1@agents Released
        """
    )


def test_hold_behind_a_local_channel_is_the_members_and_not_the_callers() -> None:
    assert calls(
        f"""
        {LOCAL_CALL}
        7.0 Hold Channel=SIP/1-1 Uniqueid=a1 Linkedid=c1
        8.0 Unhold Channel=SIP/1-1 Uniqueid=a1 Linkedid=c1
        9.0 Hold Channel=SIP/trunk-1 Uniqueid=c1 Linkedid=c1
        """
    )[-2:] == ["7.0 Local/a1@agents Held", "8.0 Local/a1@agents Retrieved"]


ANSWERED = f"{JOIN}{ANN_CALLED}6.0 AgentConnect {ANN} HoldTime=5 RingTime=4\n"


@pytest.mark.parametrize(
    ("what_follows", "expected"),
    [
        (f"9.0 AgentComplete {ANN} Reason=transfer", "9.0 SIP/1 Released Transferred"),
        (
            "9.0 BlindTransfer Result=Success TransfererUniqueid=a1 Extension=700\n"
            f"9.0 AgentComplete {ANN} Reason=transfer",
            "9.0 SIP/1 Released Transferred to=700",
        ),
        (
            "9.0 AttendedTransfer Result=Success OrigTransfererUniqueid=a1\n"
            f"9.0 AgentComplete {ANN} Reason=transfer",
            "9.0 SIP/1 Released Transferred",
        ),
        ("9.0 Hangup Channel=SIP/1-1 Uniqueid=a1", "9.0 SIP/1 Released"),
        ("9.0 Hangup Channel=SIP/trunk-1 Uniqueid=c1", "9.0 SIP/1 Released"),
    ],
)
def test_the_end_of_a_call_is_told_once(what_follows: str, expected: str) -> None:
    assert calls(ANSWERED + what_follows)[4:] == [expected]


def test_a_consultation_and_the_target_of_a_transfer() -> None:
    assert calls(
        f"""
        {ANSWERED}
        7.0 Hold Channel=SIP/1-1 Uniqueid=a1 Linkedid=c1
        7.1 DialBegin Channel=SIP/1-2 Uniqueid=a2 Linkedid=a2 DestChannel=SIP/2-2 DestUniqueid=b2
        8.0 DialEnd Uniqueid=a2 DestUniqueid=b2 DialStatus=ANSWER
        9.0 AttendedTransfer OrigTransfererUniqueid=a1 SecondTransfererUniqueid=a2
        12.0 Hangup Channel=SIP/2-2 Uniqueid=b2
        """
    )[4:] == lines_of(
        """
        7.0 SIP/1 Held
        7.1 SIP/1 Dialing
        7.1 SIP/2 Ringing
        8.0 SIP/2 Established
        8.0 SIP/1 Established
        9.0 SIP/1 Released Transferred
        9.0 SIP/1 Released Transferred
        12.0 SIP/2 Released
        """
    )


# -- calls outside of queues -----------------------------------------------------------


@pytest.mark.parametrize(
    ("dial", "end", "expected"),
    [
        ("SIP/1-1 SIP/2-1", "ANSWER",
         ["SIP/1 Dialing", "SIP/2 Ringing", "SIP/2 Established", "SIP/1 Established"]),
        ("SIP/1-1 SIP/trunk-1", "BUSY", ["SIP/1 Dialing", "SIP/1 DestinationBusy"]),
        ("SIP/trunk-1 SIP/2-1", "CANCEL", ["SIP/2 Ringing", "SIP/2 Abandoned"]),
        ("SIP/trunk-1 SIP/2-1", "NOANSWER", ["SIP/2 Ringing", "SIP/2 Released NoAnswer"]),
        ("SIP/trunk-1 SIP/other-1", "ANSWER", []),  # no member has to do with it
    ],
)  # fmt: skip
def test_calls_outside_of_queues(dial: str, end: str, expected: list[str]) -> None:
    source, target = dial.split()
    story = f"""
        1.0 DialBegin Channel={source} Uniqueid=x Linkedid=x DestChannel={target} DestUniqueid=y
        1.0 DialEnd Uniqueid=x DestUniqueid=y DialStatus={end}
    """
    assert calls(story) == [f"1.0 {line}" for line in expected]


# -- the link and time -----------------------------------------------------------------


def test_shutdown_ends_the_link_until_asterisk_is_back() -> None:
    story = f"""
        {JOIN}
        5.0 QueueCallerAbandon {LEAVE}
        5.1 Shutdown Shutdown=Cleanly
        5.2 QueueCallerJoin Uniqueid=c9 Queue=support
        90.0 FullyBooted
        91.0 QueueCallerJoin Uniqueid=c9 Queue=support
    """
    assert calls(story) == lines_of(
        """
        1.0 support Queued
        5.0 support Abandoned
        5.1 - LinkDisconnected
        91.0 support Queued
        """
    )


def test_a_new_connection_begins_with_the_link_and_positions_go_on() -> None:
    translator = AmiTranslator("sw1")
    first = translator.translate(message("1.0 FullyBooted"), 0)
    lost = translator.disconnected(T0 + 500)
    again = translator.translate(message("2.0 FullyBooted"), 0)
    names = [type(event).__name__ for event in first + lost + again]
    assert names == ["EventLinkConnected", "EventLinkDisconnected", "EventLinkConnected"]
    positions = [event.position for event in first + lost + again]
    assert positions == sorted(set(positions))


def test_an_event_without_timestamp_is_put_on_the_clock_of_those_that_have_one() -> None:
    translator = AmiTranslator("sw1")
    translator.translate(message("5.0 DeviceStateChange"), arrived=100.0)
    joined = translator.translate(message("- QueueCallerJoin Uniqueid=c1 Queue=q"), arrived=101.0)
    assert joined[0].time == T0 + 6


def test_without_any_timestamp_the_arrival_is_the_time() -> None:
    joined = AmiTranslator("sw1").translate(message("- QueueCallerJoin Uniqueid=c Queue=q"), 42.5)
    assert [event.time for event in joined] == [42.5, 42.5]
