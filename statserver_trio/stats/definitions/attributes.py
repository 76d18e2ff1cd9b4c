"""Attributes: what filters and expressions can look at besides the attached data.

Each is asked of an occurrence (one that goes on, or a moment of it), or of None: a status
that shows none. None as an answer is: it is not known, and so is whatever is empty.

======================  ================================================================
``ANI``, ``DNIS``       what was told of the call
``CallType``            likewise: Inbound, Outbound, Internal, Consult; else it is Unknown
``ThisDN``              the number of the DN where it happens
``OtherDN``             the other party, as last told at this DN
``ThisQueue``           the queue, as last told at this DN; of a queue itself, that queue
``TreatmentType``       of the actions of a treatment
``AgentID``             who is logged in at the DN, or whom a queue's pseudo-action is about
``MediaType``           of a call ``voice``, of an interaction its own
``CustomerID``,         the site's tenant, which is the only one: no T-event names another
``TenantID``            (our decision)
======================  ================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...expressions.conditions import Scope
from ...model.actions import CODES
from ...model.nodes import MediationDN
from ...model.occurrences import NO_FACTS, Facts, Occurrence

DEFAULT_TENANT = "Environment"
USER_EVENT = CODES["UserEvent"]
TREATMENTS = {
    CODES[name]
    for name in ("CallTreatmentStarted", "CallTreatmentNotStarted", "CallTreatmentCompleted")
}

Attribute = Callable[[Occurrence | None], "str | None"]


def _ani(source: Occurrence | None) -> str | None:
    return source.call.ani or None if source is not None and source.call is not None else None


def _dnis(source: Occurrence | None) -> str | None:
    return source.call.dnis or None if source is not None and source.call is not None else None


def _call_type(source: Occurrence | None) -> str | None:
    return source.call.call_type if source is not None and source.call is not None else None


def _this_dn(source: Occurrence | None) -> str | None:
    return None if source is None else source.dn.key.number


def _other_dn(source: Occurrence | None) -> str | None:
    if source is None or source.call is None:
        return None
    return source.call.others.get(source.dn.key.number)


def _this_queue(source: Occurrence | None) -> str | None:
    if source is None:
        return None
    if isinstance(source.dn, MediationDN):
        return source.dn.key.number
    return None if source.call is None else source.call.queues.get(source.dn.key.number)


def _treatment_type(source: Occurrence | None) -> str | None:
    """Of its own actions only: what an agent or a message tells may be called so, too."""
    if source is None or source.action not in TREATMENTS:
        return None
    return source.reasons.get("TreatmentType")


def _agent_id(source: Occurrence | None) -> str | None:
    return source.agent_id or None if source is not None else None


def _media_type(source: Occurrence | None) -> str | None:
    return None if source is None else source.media


def _tenant(source: Occurrence | None) -> str | None:
    return DEFAULT_TENANT


ATTRIBUTES: Mapping[str, Attribute] = {
    "ANI": _ani,
    "DNIS": _dnis,
    "CustomerID": _tenant,
    "TenantID": _tenant,
    "MediaType": _media_type,
    "ThisQueue": _this_queue,
    "TreatmentType": _treatment_type,
    "ThisDN": _this_dn,
    "OtherDN": _other_dn,
    "CallType": _call_type,
    "AgentID": _agent_id,
}


def reasons_of(source: Occurrence | None) -> Facts:
    """The reasons given at a DN or media channel; what is told with queues is none."""
    if source is None or source.action == USER_EVENT or isinstance(source.dn, MediationDN):
        return NO_FACTS
    return source.reasons


def call_data_of(source: Occurrence | None) -> Facts:
    """What is attached to the call it belongs to."""
    return NO_FACTS if source is None or source.call is None else source.call.facts


def scope_of(tenant: str) -> Scope:
    """What filters of a site can look at."""
    whose = dict.fromkeys(("CustomerID", "TenantID"), lambda source: tenant)
    return Scope({**ATTRIBUTES, **whose}, reasons_of, call_data_of)
