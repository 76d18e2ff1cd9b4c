"""Stat types: one configuration section in the vendor's words."""

from __future__ import annotations

import pytest

from statserver_trio.model.actions import CALL_TYPES, mask_of
from statserver_trio.model.directory import Directory
from statserver_trio.stats.categories import CATEGORIES, SYNONYMS, canonical_category
from statserver_trio.stats.definitions import DefinitionError, Definitions
from statserver_trio.stats.definitions.masks import parse_mask
from statserver_trio.stats.definitions.object_types import ALIASES, OBJECT_TYPES
from statserver_trio.stats.definitions.stat_types import parse_stat_type, unknown_options
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.requests import StatisticRequest
from statserver_trio.stats.transfer import definition_hash

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
        ({"Category": "AverageNumber"}, "Category", "use AverageNumberPerRelativeHour"),
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
        ({"Formula": "1"}, "Formula", "is for the custom-value categories"),
        ({"Formula": "DCID", "Subject": "AgentStatus"}, "Formula", "needs the subject DNAction"),
        ({"Category": "TotalCustomValue"}, "Formula", "required by TotalCustomValue"),
        ({"Category": "MaxCustomValue", "Formula": "DCID"}, "Formula", "what to compute"),
        ({"Category": "TotalCustomValue", "Formula": "1 +"}, "Formula", "column 4"),
        ({"Category": "Formula", "MainMask": None}, "Expression", "required by Formula"),
        ({"Category": "Formula", "Expression": "COUNT("}, "Expression", "column 7"),
        ({"Expression": "1"}, "Expression", "is for the category Formula only"),
        ({"Category": "Formula", "Expression": "1", "Formula": "DCID"}, "Formula", "use DCOUNT"),
        ({"GroupBy": "kvstr(udata,"}, "GroupBy", "column 13"),
        ({"GroupBy": "ani", "Category": "CurrentNumber"}, "GroupBy", "cannot be counted"),
        ({"UseSourceTimeStamps": "perhaps"}, "UseSourceTimeStamps", "must be yes or no"),
        (
            {"ReasonStartOverridesStatusStart": ""},
            "ReasonStartOverridesStatusStart",
            "must be yes or no",
        ),
        ({"Objects": "StagingArea, Workbin"}, "Objects", "do not go together"),
        ({"Objects": "Campaign, CallingList"}, "Subject", "cannot be asked of CallingList"),
        ({"Objects": "Switch, CallingList"}, "Objects", "do not go together"),
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


@pytest.mark.parametrize("name", sorted({*CATEGORIES, *SYNONYMS}))
def test_every_category_is_known_in_any_case(name: str) -> None:
    assert canonical_category(f" {name.upper()} ") == SYNONYMS.get(name, name)


@pytest.mark.parametrize("name", sorted(CATEGORIES))
def test_every_category_can_be_configured(name: str) -> None:
    row = CATEGORIES[name]
    subject = "DNAction" if row.of == "action" else "AgentStatus"
    options = {**GOOD, "Objects": "Agent", "Category": name, "Subject": subject}
    if row.objects is not None and "Agent" not in row.objects:
        options["Objects"] = min(row.objects)
    options |= {"custom": {"Formula": "Duration"}, "formula": {"Expression": "1"}}.get(row.book, {})
    assert parse_stat_type("X", {**options, "RelMask": "*"}).category == name


# -- the options that restrict and remark --------------------------------------------------


def test_the_options_that_say_something_about_it() -> None:
    found = parse_stat_type(
        "Talk",
        {
            **GOOD,
            "MediaType": " Email ",
            "AggregationType": "Total",
            "usesourcetimestamps": "no",
            "ReasonStartOverridesStatusStart": "Yes",
        },
    )
    assert (found.media_type, found.aggregation_type) == ("email", "Total")
    assert not found.use_source_time_stamps
    assert found.reason_start_overrides_status_start
    plain = parse_stat_type("Talk", GOOD)
    assert (plain.media_type, plain.aggregation_type) == ("", "")
    assert plain.use_source_time_stamps
    assert not plain.reason_start_overrides_status_start


def test_every_object_type_can_be_configured_under_all_its_names() -> None:
    for name in (*OBJECT_TYPES, *ALIASES):
        canonical_name = ALIASES.get(name, name)
        subject = "CampaignAction" if "CallingList" in name else "Action"
        found = parse_stat_type("X", {**GOOD, "Objects": name.upper(), "Subject": subject})
        assert found.objects == {canonical_name}


LANGUAGES = {"Language": "Spanish, English", "segment": "gold"}


def test_business_attributes_are_options_where_the_site_knows_them() -> None:
    found = parse_stat_type("Talk", {**GOOD, **LANGUAGES}, ("Language", "Segment"))
    assert [(each.name, each.values) for each in found.attributes] == [
        ("Language", ("Spanish", "English")),
        ("Segment", ("gold",)),
    ]
    assert unknown_options({**GOOD, **LANGUAGES}, ("Language", "Segment")) == []
    said = unknown_options({**GOOD, **LANGUAGES}, ("Language",))
    assert [line.partition(":")[0] for line in said] == ["segment"]
    assert parse_stat_type("Talk", {**GOOD, **LANGUAGES}).attributes == ()


@pytest.mark.parametrize("values", ["", " , ", ",".join(map(str, range(101)))])
def test_a_business_attribute_has_some_values(values: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse_stat_type("Talk", {**GOOD, "Language": values}, ("Language",))
    assert "must list 1 to 100 values" in dict(caught.value.mistakes)["Language"]


def test_of_an_option_that_is_there_twice_the_last_one_counts() -> None:
    options = {**GOOD, "category": "TotalNumber"}
    assert unknown_options(options) == [
        "Category: passed over, because category is the same option"
    ]
    assert parse_stat_type("Talk", options).category == "TotalNumber"


def test_a_medium_without_a_status_is_said_to_count_nothing() -> None:
    options = {**GOOD, "Subject": "AgentStatus"}
    assert unknown_options({**options, "MediaType": "voice"}) == []
    [said] = unknown_options({**options, "MediaType": "email"})
    assert said.startswith("MediaType: statuses are those of voice")


def hash_of(**changes: str) -> str:
    made = parse_stat_type("Talk", {**GOOD, **changes}, ("Language",))
    engine = Engine(Definitions(stat_types={"Talk": made}), Directory())
    engine.add_source("ts1", "sw1")
    return definition_hash(engine.open(StatisticRequest("Agent", "a1", "Talk"), 0))


@pytest.mark.parametrize(
    "option", ["Description", "AggregationType", "UseSourceTimeStamps", "Nonsense"]
)
def test_what_changes_no_number_is_no_part_of_the_hash(option: str) -> None:
    assert hash_of(**{option: "yes"}) == hash_of()


@pytest.mark.parametrize(
    "option", ["MediaType", "Language", "ReasonStartOverridesStatusStart", "RelMask"]
)
def test_what_changes_a_number_is_part_of_the_hash(option: str) -> None:
    value = {"RelMask": "*", "ReasonStartOverridesStatusStart": "yes"}.get(option, "Spanish")
    assert hash_of(**{option: value}) != hash_of()


# -- the names of actions ------------------------------------------------------------------

# statistics.md §4.2 and §4.5, in their order; ... stands for the five call types.
ACTIONS = """
Accepted Active ACWCompleted ACWMissed AfterCallWork... AgentActive AgentLogin AgentLogout
AgentReady ASM_Engaged ASM_Outbound Available BeingCoached BeingMonitored Blocked CallAbandoned
CallAbandonedFromDialing CallAbandonedFromHold CallAbandonedFromRinging CallAnswered CallCleared
CallConferenceJoined CallConferenceMade CallConferenceOriginated CallConferencePartyAdded
CallConferencePartyDeleted CallConsult CallConsultCompleted CallConsultOriginated
CallConsultReceived CallConsultStarted CallDialConferenced CallDialTransferred CallDialed
CallDialing... CallDialingStarted CallDistributed CallDistributedToQueue CallEntered CallForwarded
CallHeld CallInbound CallInboundCompleted CallInboundStarted CallInternal CallInternalCompleted
CallInternalOriginated CallInternalReceived CallInternalStarted CallMissed CallObserved...
CallObserving... CallOnHold... CallHold... CallOutbound CallOutboundCompleted
CallOutboundOriginated CallOutboundReceived CallOutboundStarted CallPartyChanged CallReleased
CallRetrievedFromHold CallRinging... CallRingingPartyChanged CallRingingStarted CallTransferMade
CallTransferPartyChanged CallTransferTaken CallTreatmentCompleted CallTreatmentNotStarted
CallTreatmentStarted CallUnknown CallUnknownCompleted CallUnknownStarted CallWait...
CoachingByIntrusionInitiated CoachingByRequestInitiated CoachingRequested ConferenceJoined
ConferenceJoinedByIntrusion ConferenceMade Delivering DeliveringStarted DNActive DNLogin DNReady
ExternalServiceRequested ExternalServiceResponded InteractionEntered InteractionDistributed
InteractionDistributedToQueue InteractionCleared InteractionDeleted InteractionWait LoggedIn
LoggedOut Monitored NotMonitored NotReadyForNextCall NotRoutable OffHook OnHook Routable
StuckCallCleanedWhileRinging UserEvent UserEventReceived WaitForNextCall Handling HandlingInbound
HandlingInternal HandlingOutbound HandlingStarted HandlingInboundStarted HandlingCompleted
HandlingOutboundCompleted InteractionAccepted Monitoring Rejected Revoked Stopped
StuckCallCleaned TransferMade TransferTaken Activated Deactivated Running SystemError
WaitingAgents WaitingPorts WaitingRecords DialMade LeadProcessed Answer AnsweringMachineDetected
FaxModemDetected BusyDetected NoAnswer SitDetected DialDropped WrongParty DoNotCall
RecordCancelled CampaignCallbackScheduled CampaignCallbackCompleted CampaignCallbackMissed
PersonalCallbackScheduled PersonalCallbackCompleted PersonalCallbackMissed
""".split()


@pytest.mark.parametrize("written", ACTIONS)
def test_every_action_may_stand_in_a_mask(written: str) -> None:
    base = written.removesuffix("...")
    typed = [base + call_type for call_type in CALL_TYPES] if base != written else []
    for name in (*typed, base) if base != "CallHold" else typed:
        mask, warnings = parse_mask(name)
        assert mask
        assert not warnings
    if typed and base != "CallHold":  # an alias of its five variants
        assert parse_mask(base)[0] == parse_mask(",".join(typed))[0]
        assert parse_mask(f"*,~{base}")[0] & parse_mask(base)[0] == 0
