"""Messages: what is read, what is written, and how a mistake is named."""

import json

import pytest

from statserver_trio.api import messages as m
from statserver_trio.api.codec import RequestError, decode_events, decode_request, encode, frame

OPEN = {
    "request": "OpenStatistic",
    "referenceId": 1,
    "object": {"objectId": "a1", "objectType": "Agent", "tenantName": "Environment"},
    "metric": {
        "statisticType": "TotalLoginTime",
        "timeProfile": "Default",
        "timeRange": "Default",
        "timeRange2": None,
        "filter": None,
    },
    "notification": {"mode": "ChangesBased", "frequency": 0, "insensitivity": 0},
}


def test_the_request_of_the_specification():
    request = decode_request(json.dumps(OPEN))
    assert request == m.OpenStatistic(
        reference_id=1,
        object=m.ObjectRef(object_id="a1", object_type="Agent", tenant_name="Environment"),
        metric=m.Metric(
            statistic_type="TotalLoginTime", time_profile="Default", time_range="Default"
        ),
    )
    assert decode_request(encode(request)) == request


def test_unknown_fields_are_passed_over_and_bytes_will_do():
    data = json.dumps({"request": "GetServerMode", "referenceId": 2, "colour": {"x": [1]}})
    assert decode_request(data.encode()) == m.GetServerMode(reference_id=2)


@pytest.mark.parametrize("name", m.REQUEST_NAMES)
def test_every_request_is_known_by_its_name(name):
    with pytest.raises(RequestError) as caught:
        decode_request(json.dumps({"request": name}))
    assert caught.value.message.endswith(": required, but missing")


# What is sent, the referenceId that can be read of it, what is said about it.
MISTAKES = [
    ("", None, "message: Input data was truncated; allowed is one JSON object per message"),
    ("nope", None, "message: JSON is malformed"),
    ('{"request":"GetServerMode","referenceId":1', None, "message: "),
    (b'{"request":"\xff","referenceId":1}', 1, "message: JSON is not UTF-8"),
    ("[]", None, "message: must be an object, not an array"),
    ("17", None, "message: must be an object, not an integer"),
    ('[{"request":"GetServerMode","referenceId":1}]', None, "message: must be an object, not"),
    ('{"referenceId":3}', 3, "request: required, but missing; allowed: OpenStatistic, Open"),
    ('{"request":"Fly","referenceId":3}', 3, "request: invalid value 'Fly'; allowed: OpenS"),
    ('{"request":7,"referenceId":3}', 3, "request: must be a string"),
    ('{"request":"GetServerMode"}', None, "referenceId: required, but missing"),
    (
        '{"request":"GetServerMode","referenceId":"x"}',
        None,
        "referenceId: must be an integer, not a string",
    ),
    ('{"request":"GetServerMode","referenceId":99999999999999999999}', None, "referenceId: "),
    ('{"request":"PeekStatistic","referenceId":4}', 4, "statisticId: required, but missing"),
    (
        '{"request":"PeekStatistic","referenceId":4,"statisticId":1.5}',
        4,
        "statisticId: must be an integer, not a number",
    ),
    ('{"request":"OpenStatistic","referenceId":4}', 4, "object: required, but missing"),
    (
        '{"request":"OpenStatistic","referenceId":4,"object":{"objectType":"Agent"}}',
        4,
        "object.objectId: required, but missing",
    ),
    (
        '{"request":"OpenStatistic","referenceId":4,"object":{"objectType":"Agent","objectId":null}}',
        4,
        "object.objectId: must be a string, not null",
    ),
    (
        json.dumps({**OPEN, "notification": {"frequency": 10**9}}),
        1,
        "notification.frequency: must be at most 604800",
    ),
    (
        json.dumps({**OPEN, "metric": {"statisticType": "x" * 2000}}),
        1,
        "metric.statisticType: must be at most 1024 characters long",
    ),
    (json.dumps({**OPEN, "metric": {"statisticType": "x", "filter": 3}}), 1, "metric.filter: "),
]


@pytest.mark.parametrize(("data", "reference_id", "complaint"), MISTAKES)
def test_a_mistake_is_named_with_its_field(data, reference_id, complaint):
    with pytest.raises(RequestError) as caught:
        decode_request(data)
    assert caught.value.message.startswith(complaint)
    assert (caught.value.code, caught.value.reference_id) == ("bad-request", reference_id)


def test_an_error_does_not_repeat_a_whole_request():
    error = m.error("bad-request", "x" * 10_000, 3)
    assert len(error.message) == m.MESSAGE_CHARACTERS_MAX
    assert error.message.endswith("…")


INFO = m.Info(
    reference_id=1, statistic_id=17, value=120, time=1700000100.0, interval=100.0, complete=True
)


def test_events_look_as_specified():
    assert encode(m.StatisticOpened(reference_id=1, statistic_id=17)) == (
        b'{"event":"StatisticOpened","referenceId":1,"statisticId":17}'
    )
    assert encode(INFO) == (
        b'{"event":"Info","referenceId":1,"statisticId":17,"value":120,'
        b'"time":1700000100.0,"interval":100.0,"complete":true}'
    )
    assert encode(m.error("limit", "too much")) == (
        b'{"event":"Error","code":"limit","message":"too much"}'
    )


def test_several_events_share_a_frame():
    opened = m.StatisticOpened(reference_id=1, statistic_id=17)
    assert frame([encode(opened)]) == encode(opened)
    both = frame([encode(opened), encode(INFO)])
    assert decode_events(both) == decode_events(both.decode()) == [opened, INFO]
    assert decode_events(encode(INFO)) == [INFO]


def test_a_client_passes_over_events_of_the_future():
    data = f'[{{"event":"Sunset"}},{encode(INFO).decode()},7]'
    assert decode_events(data) == [INFO]
    assert decode_events('{"event":"Sunset"}') == []
    with pytest.raises(ValueError, match="malformed"):
        decode_events("nope")
