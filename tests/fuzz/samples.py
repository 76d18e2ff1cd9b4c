"""Valid input, and words; by target."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from random import Random

from statserver_trio.simulator.contact_centre import START, ContactCentre
from statserver_trio.tlib.codec import encode, encode_all

ROOT = Path(__file__).parent.parent.parent


def words_of(samples: list[bytes]) -> list[bytes]:
    """What the samples are made of."""
    found = dict.fromkeys(
        word
        for sample in samples
        for word in sample.replace(b'"', b' " ').replace(b",", b" , ").replace(b":", b" : ").split()
    )
    return [word for word in found if len(word) < 40][:400]


@cache
def feed_lines() -> list[bytes]:
    """Single events of every kind that the simulator knows, and stretches of many."""
    centre = ContactCentre(Random(1), START, agents=4, queues=2, speed=5)
    events = centre.take(400)
    kinds = {type(event): encode(event) for event in events}
    snapshots = [s for s in map(centre.snapshot, centre.dns) if s is not None]
    stretches = [encode_all(events[at : at + 20]) for at in range(0, 400, 40)]
    return [*kinds.values(), *map(encode, snapshots), *stretches]


CLIENT_JSON = [
    b'{"request":"OpenStatistic","referenceId":1,"object":{"objectId":"a1","objectType":"Agent",'
    b'"tenantName":"Environment"},"metric":{"statisticType":"Total_Login_Time","timeProfile":'
    b'"Default","timeRange":"Range0-30","timeRange2":null,"filter":"Gold"},"notification":{"mode":'
    b'"ChangesBased","frequency":0,"insensitivity":0.5}}',
    b'{"request":"OpenStatistic","referenceId":2,"object":{"objectId":"8001@sw1","objectType":'
    b'"Queue"},"metric":{"statisticType":"CurrNumberWaitingCalls"},"notification":{"mode":'
    b'"TimeBased","frequency":5}}',
    b'{"request":"OpenStatisticEx","referenceId":3,"object":{"objectId":"Sales","objectType":'
    b'"GroupAgents"},"metric":{"category":"TotalNumber","subject":"DNAction","mainMask":'
    b'"CallInbound,CallOutbound","relMask":"*","formula":"DistByConnID","groupBy":'
    b'"kvstr(udata, \\"Segment\\")","interval":{"type":"Sliding","length":3600,"step":60}}}',
    b'{"request":"OpenStatisticEx","referenceId":4,"object":{"objectId":"P1","objectType":'
    b'"Place"},"metric":{"category":"Formula","subject":"DNAction","expression":'
    b'"@COUNT(CallWait; duration > 30)+SUM(CallInternal,duration)"}}',
    *(
        b'{"request":"%s","referenceId":5,"statisticId":%d}' % (name, number)
        for name in (b"PeekStatistic", b"CloseStatistic", b"SuspendNotification",
                     b"ResumeNotification", b"ExplainStatistic")
        for number in (1, 2)
    ),
    b'{"request":"GetStatisticProfile","referenceId":6,"profile":"StatTypes"}',
    b'{"request":"GetServerMode","referenceId":7}',
]  # fmt: skip

FILTERS = [
    b'PairExists("Language","Spanish")',
    b'PairExists("Segment","gold") & ANI <> "" & GetNumber("Age") > 7',
    b'~(PairExists("A","*") | MediaType = "voice") & CallType <> "Inbound"',
    b'ReasonExists("ReasonCode","Lunch") | AgentID = "a1" & OtherDN > 7002',
    b'GetString("Name") = "x" & DNIS = "800" | ThisQueue = "8001"',
]
FORMULAS = [
    b"SUM(CallInternal,duration)+@SUM(CallInternal;duration )",
    b"@COUNT(CallWait; duration > 30)",
    b"MAX(CallInbound, kvnum(udata, \"Age\")) / COUNT(CallInbound) * 100 - 1.5",
    b'AVG(CallOutbound, duration; kvstr(udata, "Segment") = "gold")',
    b"MIN(CallInbound, duration; duration > 5) + 2 * (3 - @COUNT(CallWait))",
]  # fmt: skip
MEMBERSHIPS = [
    b'Skill("Spanish") > 5 & LoggedIn("8001@sw1")',
    b'~(LoggedInSwitch("sw1") | Skill("French") <= Skill("German"))',
]
CAPACITIES = [b"voice = 1 | chat = 3, email = 1", b'* = 1, "work item" = 20 | voice=2']
MASKS = [b"*,~LoggedOut,~NotMonitored", b"CallInbound, CallOutbound", b"~CallInbound,*"]
PROFILES = [b"0:00 +0:15", b"6:00, 14:00, 22:00", b"3600:60", b"10", b"never", b"00:00 +1:00"]
OPENINGS = [
    b"Queue:8001@sw1:Total_Calls_Entered,profile=QuarterHour,range=Range0-30,filter=Gold",
    b"Agent:a1:CurrentAgentState",
]
AMI = [
    b"Asterisk Call Manager/5.0.1\r\n",
    b"Event: QueueMemberAdded\r\nTimestamp: 1700000000.5\r\nQueue: support\r\nMemberName: a1\r\n"
    b"Interface: PJSIP/7001\r\nStateInterface: PJSIP/7001\r\nPaused: 0\r\nStatus: 1\r\n\r\n",
    b"Event: QueueCallerJoin\r\nTimestamp: 1700000001.5\r\nQueue: support\r\nPosition: 1\r\n"
    b"Uniqueid: 1700000001.1\r\nLinkedid: 1700000001.1\r\nCallerIDNum: 555\r\nChannel: P/1\r\n\r\n",
    b"Event: AgentCalled\r\nTimestamp: 1700000002.5\r\nQueue: support\r\nMemberName: a1\r\n"
    b"Interface: PJSIP/7001\r\nUniqueid: 1700000001.1\r\nLinkedid: 1700000001.1\r\n\r\n",
    b"Event: AgentConnect\r\nTimestamp: 1700000005.5\r\nQueue: support\r\nMemberName: a1\r\n"
    b"Interface: PJSIP/7001\r\nUniqueid: 1700000001.1\r\nLinkedid: 1700000001.1\r\n"
    b"HoldTime: 4\r\nRingTime: 3\r\n\r\n",
    b"Event: AgentComplete\r\nTimestamp: 1700000009.5\r\nQueue: support\r\nMemberName: a1\r\n"
    b"Interface: PJSIP/7001\r\nUniqueid: 1700000001.1\r\nLinkedid: 1700000001.1\r\n"
    b"HoldTime: 4\r\nTalkTime: 4\r\nReason: caller\r\n\r\n",
    b"Event: QueueCallerAbandon\r\nTimestamp: 1700000009.5\r\nQueue: support\r\nUniqueid: 1.2\r\n"
    b"Linkedid: 1.2\r\nPosition: 1\r\nOriginalPosition: 1\r\nHoldTime: 9\r\n\r\n",
    b"Event: Hangup\r\nUniqueid: 1700000001.1\r\nLinkedid: 1700000001.1\r\nChannel: P/1\r\n\r\n",
    b"Response: Success\r\nActionID: 1\r\nMessage: ok\r\n\r\n",
]
QUEUE_LOG = [
    b"1700000000|NONE|NONE|NONE|QUEUESTART|\n"
    b"1700000000|MANAGER|support|a1|ADDMEMBER|\n"
    b"1700000001|1700000001.1|support|NONE|ENTERQUEUE||555|1\n"
    b"1700000005|1700000001.1|support|a1|CONNECT|4|1700000002.2|3\n"
    b"1700000009|1700000001.1|support|a1|COMPLETECALLER|4|4|1\n",
    b"1700000001|1700000001.3|support|NONE|ENTERQUEUE||555|1\n"
    b"1700000005|1700000001.3|support|a1|RINGNOANSWER|3000\n"
    b"1700000007|1700000001.3|support|NONE|ABANDON|1|1|6\n",
    b"1700000007|1700000001.4|support|NONE|EXITWITHTIMEOUT|1|1|6\n"
    b"1700000008|NONE|support|a1|PAUSE|Lunch\n1700000009|NONE|support|a1|UNPAUSE|\n",
    b"1700000010|1700000001.5|support|a1|BLINDTRANSFER|123|default|4|4|1\n",
]


@cache
def tomls() -> list[bytes]:
    """The configurations that come with the server, the long one in pieces."""
    files = ("standalone", "primary", "backup")
    whole = [(ROOT / "conf" / f"{name}.toml").read_bytes() for name in files]
    long = (ROOT / "conf" / "contact-center.toml").read_bytes().split(b"\n\n")
    pieces = [b"\n\n".join(long[at : at + 6]) for at in range(0, len(long), 6)]
    alone = [each.replace(b'include = ["contact-center.toml"]', b"") for each in whole]
    return [*alone, *pieces, *(each + b"\n\n" + piece for each in alone for piece in pieces[:8])]
