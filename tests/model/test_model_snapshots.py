"""What EventRegistered and EventAddressInfo say a DN is doing, in both spellings."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statserver_trio.model.actions import CODES, NAMES, STATUS_NAMES
from statserver_trio.model.calls import Phase
from statserver_trio.model.directory import Directory
from statserver_trio.model.nodes import MediationDN, RegularDN
from statserver_trio.model.snapshots import ListedCall, read
from statserver_trio.model.world import World
from statserver_trio.tlib import events as e

steady = settings(derandomize=True, deadline=None)


def told(**extensions: Any) -> e.EventRegistered:
    return e.EventRegistered(this_dn="7001", agent_id="a1", extensions=extensions)


def test_nothing_is_said() -> None:
    seen = read(e.EventRegistered(this_dn="7001"))
    assert not seen.tells_calls
    assert seen.calls == ()
    assert (seen.agent_status, seen.off_hook, seen.reasons) == (None, None, None)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (0, "logged out"),
        (2, "ready"),
        (3, "not ready"),
        ("AfterCallWork", "after-call work"),
        (9, None),
    ],
)
def test_agent_status(status: Any, word: str | None) -> None:
    assert read(told(AgentStatus=status)).agent_status == word


@pytest.mark.parametrize(
    ("state", "off"), [("OffHook", True), ("OnHook", False), (0, False), (1, True), (None, None)]
)
def test_hook(state: Any, off: bool | None) -> None:
    assert read(told(**({} if state is None else {"DNState": state}))).off_hook is off


@pytest.mark.parametrize(
    ("state", "bits", "phase", "held"),
    [
        ("Connected", 0xC, Phase.TALKING, False),
        ("Held", 0xE, Phase.TALKING, True),
        ("Ringing", 0xA, Phase.RINGING, False),
        ("Dialing", 0x10001, Phase.DIALING, False),
        ("Queued", 0x9, None, False),
    ],
)
def test_calls_in_both_spellings(state: str, bits: int, phase: Phase | None, held: bool) -> None:
    wanted = (ListedCall("c1", "Inbound", phase, held),)
    assert (
        read(told(calls=[{"ConnID": "c1", "CallType": "Inbound", "state": state}])).calls == wanted
    )
    assert read(told(**{"conn-1": "c1", "ct-1": 2, "ps-1": bits})).calls == wanted


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
keys = st.sampled_from("AgentStatus DNState calls conn-1 ct-1 ps-1 conn-x Reasons other".split())


@steady
@given(st.dictionaries(keys, values, max_size=6))
def test_nonsense_is_as_if_it_were_not_there(extensions: dict[str, Any]) -> None:
    world = World("sw1", Directory(), 0)
    world.apply(told(**extensions), 1000)
    dn = world.dn("7001")
    assert isinstance(dn, RegularDN)
    assert dn.top().action in range(len(NAMES))


def names(dn: Any) -> set[str]:
    return {NAMES[occurrence.action] for occurrence, _ in dn.going_on()}


def test_a_snapshot_brings_a_dn_in_line() -> None:
    world = World("sw1", Directory(), 0)
    world.apply(told(AgentStatus="Ready", DNState="OnHook", calls=[]), 1000)
    dn = world.dn("7001")
    assert names(dn) == {"OnHook", "LoggedIn", "WaitForNextCall"}
    listed = [{"ConnID": "c1", "CallType": "Inbound", "state": "Held"}]
    world.apply(told(AgentStatus="NotReady", DNState="OffHook", calls=listed), 2000)
    assert names(dn) == {
        "OffHook",
        "LoggedIn",
        "NotReadyForNextCall",
        "CallInbound",
        "CallOnHoldInbound",
    }
    # The same again changes nothing: what goes on, goes on since then.
    before = dict(dn.going_on())
    world.apply(told(AgentStatus="NotReady", DNState="OffHook", calls=listed), 3000)
    assert dict(dn.going_on()) == before
    world.apply(told(AgentStatus="LoggedOut", calls=[]), 4000)
    assert names(dn) == {"OffHook", "LoggedOut"}
    assert world.calls == {}


def test_busy_without_a_call_is_a_loss_of_synchronisation() -> None:
    world = World("sw1", Directory(), 0)
    world.apply(told(AgentStatus="Ready", DNState="OffHook", calls=[]), 1000)
    agent = world.agent("a1")
    assert agent is not None
    assert STATUS_NAMES[agent.status.action] == "LoggedIn"


def test_a_queue_learns_its_waiting_calls() -> None:
    world = World("sw1", Directory(), 0)
    queue = world.dn("8001", "Queue")
    assert isinstance(queue, MediationDN)
    listed = [{"ConnID": "c1", "CallType": "Inbound", "state": "Queued"}]
    world.apply(e.EventRegistered(this_dn="8001", extensions={"calls": listed}), 1000)
    assert [w.action for w in queue.calls.values()] == [CODES["CallWaitInbound"]]
    world.apply(e.EventRegistered(this_dn="8001", extensions={"calls": []}), 2000)
    assert queue.calls == {}
    assert world.calls == {}


def test_the_address_type_says_what_a_new_dn_is() -> None:
    world = World("sw1", Directory(), 0)
    for number, address_type in (("8001", "Queue"), ("9001", "RouteDN"), ("7001", "DN")):
        world.apply(e.EventRegistered(this_dn=number, address_type=address_type), 1000)
    found = {dn.key.number: dn.type for dn in world.dns()}
    assert found == {"8001": "Queue", "9001": "RoutePoint", "7001": "Extension"}
