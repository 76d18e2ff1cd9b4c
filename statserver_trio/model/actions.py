"""Actions: the names of everything that can go on at an object, as small numbers.

An action is the elementary unit: every statistic is computed from actions that
occurred and from their durations. A *durable* action begins and ends; an
*instantaneous* one happens at once, and when it is *retrospective* it carries
the duration of what it ends. Some names are shared by regular and mediation DNs.

Inside the server an action is a code, and a set of actions is an integer with
one bit per code. Names that stand for a group of typed actions (``CallRinging``
for ``CallRingingInbound`` and four others) are aliases: they have no code, only
members. Names are the vendor's; that a base name is an alias of its typed
variants is our decision.
"""

from __future__ import annotations

CALL_TYPES = ("Unknown", "Consult", "Internal", "Outbound", "Inbound")
DIRECTIONS = ("Inbound", "Internal", "Outbound")  # of interactions

_TYPED_BASES = (
    "CallDialing",
    "CallRinging",
    "CallOnHold",
    "AfterCallWork",
    "CallWait",
    "CallObserving",
    "CallObserved",
)

_DURABLE = """
NotMonitored Monitored LoggedIn LoggedOut OnHook OffHook WaitForNextCall NotReadyForNextCall
ASM_Engaged ASM_Outbound CallUnknown CallConsult CallInternal CallOutbound CallInbound
CallConsultOriginated CallConsultReceived CallInternalOriginated CallInternalReceived
CallOutboundOriginated CallOutboundReceived AgentLogin AgentActive AgentReady DNLogin DNActive
DNReady BeingCoached BeingMonitored CoachingByIntrusionInitiated CoachingByRequestInitiated
Active Available Blocked Delivering Routable NotRoutable InteractionWait
HandlingInbound HandlingInternal HandlingOutbound
""".split()

_MOMENTARY = """
AgentLogout UserEvent UserEventReceived CallDialingStarted CallRingingStarted CallInboundStarted
CallOutboundStarted CallInternalStarted CallConsultStarted CallUnknownStarted
CallConferenceOriginated CallConferencePartyAdded CallConferencePartyDeleted CallEntered
CallTreatmentStarted CallTreatmentNotStarted CoachingRequested DeliveringStarted
InteractionEntered ExternalServiceRequested ExternalServiceResponded
HandlingInboundStarted HandlingInternalStarted HandlingOutboundStarted
ConferenceJoined ConferenceJoinedByIntrusion ConferenceMade TransferMade TransferTaken
""".split()

_RETROSPECTIVE = """
CallInboundCompleted CallOutboundCompleted CallInternalCompleted CallConsultCompleted
CallUnknownCompleted CallAnswered CallDialed CallAbandoned CallAbandonedFromRinging
CallAbandonedFromDialing CallAbandonedFromHold CallForwarded CallMissed CallRingingPartyChanged
CallPartyChanged CallTransferPartyChanged CallHeld CallRetrievedFromHold CallTransferMade
CallTransferTaken CallDialTransferred CallDialConferenced CallConferenceMade
CallConferenceJoined CallTreatmentCompleted CallDistributed CallDistributedToQueue CallCleared
CallReleased ACWCompleted ACWMissed StuckCallCleaned StuckCallCleanedWhileRinging Accepted
InteractionDistributed InteractionDistributedToQueue InteractionCleared InteractionDeleted
Rejected Revoked Stopped
HandlingInboundCompleted HandlingInternalCompleted HandlingOutboundCompleted
""".split()

# What an Outbound Contact Server tells of campaigns and calling lists: conditions that last, and
# operations. Nothing brings them about here; their names may stand in masks.
_CAMPAIGN_CONDITIONS = """
Activated Deactivated Running SystemError WaitingAgents WaitingPorts WaitingRecords
""".split()

_CAMPAIGN_OPERATIONS = """
DialMade LeadProcessed Answer AnsweringMachineDetected FaxModemDetected BusyDetected NoAnswer
SitDetected DialDropped WrongParty DoNotCall RecordCancelled CampaignCallbackScheduled
CampaignCallbackCompleted CampaignCallbackMissed PersonalCallbackScheduled
PersonalCallbackCompleted PersonalCallbackMissed
""".split()

NAMES: tuple[str, ...] = tuple(
    _DURABLE
    + [base + call_type for base in _TYPED_BASES for call_type in CALL_TYPES]
    + _MOMENTARY
    + _RETROSPECTIVE
    + _CAMPAIGN_CONDITIONS
    + _CAMPAIGN_OPERATIONS
)
CODES: dict[str, int] = {name: code for code, name in enumerate(NAMES)}
BITS: tuple[int, ...] = tuple(1 << code for code in range(len(NAMES)))
ALL_ACTIONS: int = (1 << len(NAMES)) - 1

ALIASES: dict[str, tuple[str, ...]] = {
    base: tuple(base + call_type for call_type in CALL_TYPES) for base in _TYPED_BASES
} | {
    **{"CallHold" + call_type: ("CallOnHold" + call_type,) for call_type in CALL_TYPES},
    "InteractionAccepted": ("Accepted",),
    "Monitoring": tuple("CallObserving" + call_type for call_type in CALL_TYPES),
    **{
        "Handling" + suffix: tuple(f"Handling{side}{suffix}" for side in DIRECTIONS)
        for suffix in ("", "Started", "Completed")
    },
}

DURABLE: int = sum(
    BITS[CODES[name]]
    for name in NAMES
    if name not in (*_MOMENTARY, *_RETROSPECTIVE, *_CAMPAIGN_OPERATIONS)
)


def mask_of(*names: str) -> int:
    """The set of the named actions, aliases included."""
    return sum({BITS[CODES[member]] for name in names for member in ALIASES.get(name, (name,))})


# What Interaction Server tells of interactions and of media channels; everything else that goes
# on at telephones and queues is voice.
OF_INTERACTIONS: int = mask_of(
    *"""
    InteractionWait InteractionEntered InteractionDistributed InteractionDistributedToQueue
    InteractionCleared InteractionDeleted Active Available Blocked Routable NotRoutable Delivering
    DeliveringStarted Handling HandlingStarted HandlingCompleted Accepted Rejected Revoked Stopped
    TransferMade TransferTaken ConferenceMade ConferenceJoined ConferenceJoinedByIntrusion
    """.split()
)

# These of them are told of calls as well (:mod:`.capacity`).
OF_ALL_MEDIA: int = mask_of("Routable", "NotRoutable", "Blocked")

# What a queue shows of the agents and DNs that serve it, by statistics.md §4.4.
PSEUDO: int = mask_of("AgentLogin", "AgentActive", "AgentReady", "DNLogin", "DNActive", "DNReady")


def typed(base: str) -> dict[str, int]:
    """Call type to the code of the typed variant of ``base``."""
    return {call_type: CODES[base + call_type] for call_type in CALL_TYPES}


def _conversation(suffix: str = "") -> dict[str, int]:
    return {call_type: CODES[f"Call{call_type}{suffix}"] for call_type in CALL_TYPES}


DIALING = typed("CallDialing")
RINGING = typed("CallRinging")
ON_HOLD = typed("CallOnHold")
AFTER_CALL_WORK = typed("AfterCallWork")
WAITING = typed("CallWait")
OBSERVING = typed("CallObserving")
OBSERVED = typed("CallObserved")
TALKING = _conversation()
STARTED = _conversation("Started")
COMPLETED = _conversation("Completed")
ORIGINATED = {t: CODES[f"Call{t}Originated"] for t in ("Consult", "Internal", "Outbound")}
RECEIVED = {t: CODES[f"Call{t}Received"] for t in ("Consult", "Internal", "Outbound")}

# -- statuses -----------------------------------------------------------------------------

# The status an object shows is the highest of the actions going on there. The numbers are
# those of the client protocol; they grow exactly as the documented priority table does, so
# one number is code and rank at once (t-events.md §2.7).
STATUS_NUMBERS: dict[str, int] = {
    "NotMonitored": 0,
    "Monitored": 1,
    "LoggedIn": 2,
    "OnHook": 3,
    "WaitForNextCall": 4,
    "OffHook": 5,
    "CallDialing": 6,
    "CallRinging": 7,
    "NotReadyForNextCall": 8,
    "AfterCallWork": 9,
    "CallOnHold": 13,
    "ASM_Engaged": 16,
    "ASM_Outbound": 17,
    "CallUnknown": 18,
    "CallConsult": 19,
    "CallInternal": 20,
    "CallOutbound": 21,
    "CallInbound": 22,
    "LoggedOut": 23,  # agents only, and then above everything
}

_BASE_OF = {member: base for base in _TYPED_BASES for member in ALIASES[base]}
STATUS_NAMES: tuple[str, ...] = tuple(_BASE_OF.get(name, name) for name in NAMES)

# Rank of each action on a DN; -1 where an action never decides the status. LoggedOut is
# not among them: it only ever is the status of an agent.
RANKS: tuple[int, ...] = tuple(
    STATUS_NUMBERS.get(status, -1) if status != "LoggedOut" else -1 for status in STATUS_NAMES
)
