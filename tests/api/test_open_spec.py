"""Statistics on the command line. Left what is written, right what is asked for."""

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statserver_trio.api.open_spec import format_open, parse_open
from statserver_trio.stats.requests import StatisticRequest as Asked


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Agent:a1:TotalLoginTime", Asked("Agent", "a1", "TotalLoginTime")),
        (
            "Queue:8001@sw1:Total_Calls_Entered,profile=QuarterHour",
            Asked("Queue", "8001@sw1", "Total_Calls_Entered", "QuarterHour"),
        ),
        ("RegDN:Local/a1@agents@sw1:S", Asked("RegDN", "Local/a1@agents@sw1", "S")),
        ("RegDN:PJSIP/sip:7001@h:5060@sw1:S", Asked("RegDN", "PJSIP/sip:7001@h:5060@sw1", "S")),
        ("Agent:Doe, John:S,range=0-20", Asked("Agent", "Doe, John", "S", time_range="0-20")),
        ("Agent:a,profile=b:S", Asked("Agent", "a,profile=b", "S")),
        ("agentplace: p 1 :S", Asked("Place", "p 1", "S")),
        (
            "QueueGroup:g:S, Filter = F:1 ,range=R,profile=P",
            Asked("GroupQueues", "g", "S", "P", "R", None, "F:1"),
        ),
        ("Queue:8001@sw1:S,range2=0-5", Asked("Queue", "8001@sw1", "S", time_range2="0-5")),
        ("Queue:8001@sw1:S,Range2=B,range=A", Asked("Queue", "8001@sw1", "S", None, "A", "B")),
    ],
)
def test_what_is_written_is_asked_for(text, asked):
    assert parse_open(text) == asked


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "'' needs two colons: ObjectType:objectId:StatType"),
        ("Agent:a1", "'Agent:a1' needs two colons"),
        ("Clown:a1:S", "no such object type as 'Clown'; allowed: Agent, Place,"),
        ("Agent::S", "names no object between the colons"),
        ("Agent:a1:", "names no stat type after the last colon"),
        ("Agent:a1: ,profile=P", "names no stat type after the last colon"),
        ("Agent:a1:S,profil=P", "no such option as 'profil'; allowed: profile, range, range2,"),
        ("Agent:a1:S,P", "'P' is no option; allowed: profile=, range=, range2=,"),
        ("Agent:a1:S,profile=", "profile has no value"),
        ("Agent:a1:S,profile=P,profile=Q", "profile is there twice"),
    ],
)
def test_what_is_wrong_is_named(text, complaint):
    with pytest.raises(ValueError, match=re.escape(complaint)):
        parse_open(text)


NAMES = st.text("ab_1", min_size=1)


@given(
    object_id=st.text("a:,@/ prof", min_size=1).map(str.strip).filter(bool),
    stat_type=NAMES,
    options=st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(("time_profile", "time_range", "time_range2", "filter"), NAMES),
    ),
)
def test_what_is_formatted_is_read_again(object_id, stat_type, options):
    request = Asked("Agent", object_id, stat_type, **options)
    assert parse_open(format_open(request)) == request


@given(st.text("Agent:,=a profile\n"))
def test_nothing_but_value_errors(text):
    with suppress(ValueError):
        parse_open(text)
