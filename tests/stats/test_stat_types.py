"""Stat types: one configuration section in the vendor's words."""

from __future__ import annotations

import pytest

from statserver_trio.model.actions import mask_of
from statserver_trio.stats.categories import CATEGORIES, LATER, canonical_category
from statserver_trio.stats.definitions import DefinitionError
from statserver_trio.stats.definitions.stat_types import parse_stat_type, unknown_options

GOOD = {
    "Objects": "Agent, GroupAgents",
    "Category": "TotalTime",
    "Subject": "DNAction",
    "MainMask": "CallInbound,CallOutbound",
}


def mistakes(**changes: str | None) -> dict[str, str]:
    options = {**GOOD, **changes}
    given = {key: value for key, value in options.items() if value is not None}
    with pytest.raises(DefinitionError) as caught:
        parse_stat_type("Talk", given)
    return dict(caught.value.mistakes)


def test_a_good_one() -> None:
    found = parse_stat_type("Talk", {**GOOD, "Description": "Talking"})
    assert found.name == "Talk"
    assert found.objects == {"Agent", "GroupAgents"}
    assert (found.category, found.subject) == ("TotalTime", "DNAction")
    assert found.main_mask == mask_of("CallInbound", "CallOutbound")
    assert found.rel_mask is None
    assert found.description == "Talking"


def test_keywords_and_words_in_any_case_and_with_aliases() -> None:
    found = parse_stat_type(
        "Talk",
        {
            "OBJECTS": "agentplace,placegroup",
            "category": "averagetime",
            "subject": "action",
            "mainmask": "callinbound",
            "relMask": "CALLOUTBOUND",
        },
    )
    assert found.objects == {"Place", "GroupPlaces"}
    assert (found.category, found.subject) == ("AverageTime", "DNAction")
    assert found.rel_mask == mask_of("CallOutbound")


@pytest.mark.parametrize(
    ("changes", "option", "words"),
    [
        ({"Objects": None}, "Objects", "required"),
        ({"Objects": "Agent, Elephant"}, "Objects", "no such object type: 'Elephant'"),
        ({"Objects": "Agent, Queue"}, "Objects", "do not go together"),
        ({"Category": None}, "Category", "required"),
        ({"Category": "AverageNumber"}, "Category", "unknown category 'AverageNumber'"),
        ({"Category": "EstimWaitTime"}, "Category", "not available in this release"),
        ({"Subject": None}, "Subject", "required"),
        ({"Subject": "Weather"}, "Subject", "is no subject"),
        ({"Subject": "CampaignAction"}, "Subject", "CampaignAction cannot be asked of Agent"),
        ({"Subject": "GroupStatus"}, "Subject", "cannot be asked of Agent"),
        (
            {"Objects": "GroupAgents", "Subject": "GroupStatus", "Category": "ServiceFactor1"},
            "Subject",
            "needs actions",
        ),
        (
            {
                "Objects": "GroupAgents",
                "Subject": "GroupStatus",
                "Category": "CurrentContinuousTime",
            },
            "Objects",
            "allows only Agent, Place",
        ),
        ({"Objects": "Queue", "Subject": "AgentStatus"}, "Subject", "cannot be asked of Queue"),
        ({"Objects": "RegDN", "Subject": "AgentStatus"}, "Subject", "cannot be asked of RegDN"),
        ({"Category": "CurrentContinuousTime"}, "Subject", "needs a status"),
        ({"Category": "TotalContinuousNumber"}, "Subject", "needs a status"),
        ({"Category": "ServiceFactor1", "Subject": "AgentStatus"}, "Subject", "needs actions"),
        ({"Category": "ServiceFactor1", "MainMask": "~*"}, "MainMask", "not empty"),
        ({"MainMask": None}, "MainMask", "required"),
        ({"MainMask": "Nonsense"}, "MainMask", "no such action: Nonsense"),
        ({"Category": "RelativeNumber"}, "RelMask", "required"),
        ({"RelMask": "Nonsense"}, "RelMask", "no such action: Nonsense"),
        ({"Formula": "DCID"}, "Formula", "not available in this release"),
    ],
)
def test_mistakes(changes: dict[str, str | None], option: str, words: str) -> None:
    assert words in mistakes(**changes)[option]


def test_all_mistakes_at_once() -> None:
    found = mistakes(Objects="Elephant", Category="X", Subject="Y", MainMask="Z")
    assert found.keys() == {"Objects", "Category", "Subject", "MainMask"}


def test_a_continuous_time_is_of_one_agent_or_place() -> None:
    found = mistakes(Category="CurrentContinuousTime", Subject="AgentStatus")
    assert "allows only" in found["Objects"]


def test_what_is_passed_over_is_said() -> None:
    said = unknown_options({**GOOD, "MaskUsage": "x", "MainMask": "CallInbound,Nonsense"})
    assert [line.split(":")[0] for line in said] == ["MaskUsage", "MainMask"]
    assert parse_stat_type("Talk", {**GOOD, "MaskUsage": "x"}).name == "Talk"


@pytest.mark.parametrize(
    ("masks", "said"),
    [
        ({"MainMask": "CallAnswered"}, []),
        ({"MainMask": "CallWait"}, ["MainMask: ServiceFactor1 counts CallAnswered whatever"]),
        (
            {"MainMask": "CallAnswered", "RelMask": "CallAbandoned"},
            ["RelMask: ServiceFactor1 counts CallAbandoned, CallAbandonedFromRinging whatever"],
        ),
    ],
)
def test_a_compound_category_says_that_it_has_its_own_masks(
    masks: dict[str, str], said: list[str]
) -> None:
    found = unknown_options({**GOOD, "Category": "servicefactor1", **masks})
    assert [line.partition(" is written")[0] for line in found] == said


@pytest.mark.parametrize("name", sorted({*CATEGORIES, *LATER}))
def test_every_category_is_known_in_any_case(name: str) -> None:
    assert canonical_category(f" {name.upper()} ") == name
    assert (name in CATEGORIES) != (name in LATER)


@pytest.mark.parametrize("name", sorted(CATEGORIES))
def test_every_category_can_be_configured(name: str) -> None:
    subject = "DNAction" if CATEGORIES[name].of == "action" else "AgentStatus"
    options = {**GOOD, "Objects": "Agent", "Category": name, "Subject": subject}
    assert parse_stat_type("X", {**options, "RelMask": "*"}).category == name
