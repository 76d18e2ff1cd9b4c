"""The active switching matrix: agents of a predictive campaign, engaged before a customer is.

The dialler first *engages* the agent: it connects his telephone with a call that
has nobody at the other end and stays up for the whole shift. Whenever a customer
answers, he is switched into it; when he hangs up, the agent waits in it for the
next one. So an engaged leg goes back and forth between two durable actions::

    talks, in a campaign, no customer ──> ASM_Engaged <── customer gone ── ASM_Outbound
                                              └───────── customer there ────────┘

and both end with the leg. Which of them goes on is read from the attached data,
for that is all a T-Server tells of a campaign (t-events.md §4): its name makes a
call a call of the campaign, and the customer's telephone number is there when he
is. Telling engaged calls by the number that is missing is our decision, since
no public page says how the vendor does; and so is what follows from it:

* an ordinary campaign call, whose customer is there from the beginning, is no
  engagement, but an outbound call as any other;
* another customer's number is another customer: one ASM_Outbound ends and one begins;
* an engagement moves along when its leg goes on in the customer's call (EventPartyChanged).

The conversation action (CallOutbound, say) of an engaged leg runs on beside it
and counts as ever. Only the status does not show it, as it does not while a call is on hold:
it ranks above both, so there would never be a status of either name otherwise.
The book lists the two among the actions that belong to no interaction; since
they come and go with what a call carries, ours have its data for filters to
look at, and its ConnID.
"""

from __future__ import annotations

from .actions import CODES
from .occurrences import Facts

# Keys of the attached data, as the dialler writes them.
CAMPAIGN = "GSW_CAMPAIGN_NAME"
CUSTOMER = "GSW_PHONE"

# Engaged before, customer there -> what goes on besides the conversation.
ACTIONS: dict[tuple[bool, bool], int | None] = {
    (False, False): CODES["ASM_Engaged"],
    (False, True): None,
    (True, False): CODES["ASM_Engaged"],
    (True, True): CODES["ASM_Outbound"],
}


def customer_of(facts: Facts) -> str:
    """The customer's number; empty while there is none."""
    return str(facts.get(CUSTOMER) or "")


def action_of(facts: Facts, engaged: bool) -> int | None:
    """What goes on at a leg that talks; None where it is not engaged.

    Args:
        facts: The attached data of its call.
        engaged: Whether it was until now; nothing but its end can change that.
    """
    if not engaged and CAMPAIGN not in facts:
        return None
    return ACTIONS[engaged, bool(customer_of(facts))]
