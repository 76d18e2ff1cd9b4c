"""Hold and transfer: what a member does with a call he has, in a queue call or another.

AMI names channels. Which member is meant follows from his own channel, or,
behind a Local channel, from the call.
"""

from __future__ import annotations

from .ami import AmiMessage
from .channels import device_of, is_local
from .members import Members
from .other_calls import OtherCalls
from .queue_calls import Caller, Leg, QueueCalls

TRANSFERRED = "Transferred"  # the CallState of the one who gives a call away


class Transfers:
    """Reads Hold, Unhold, BlindTransfer and AttendedTransfer."""

    def __init__(self, members: Members, calls: QueueCalls, others: OtherCalls) -> None:
        self._members = members
        self._calls = calls
        self._others = others

    def held(self, message: AmiMessage, at: float) -> None:
        """Hold: the channel's party put the other one on hold."""
        found = self._leg_of(message)
        if found is not None:
            self._calls.held(*found, at)
        self._others.held(message.get("Uniqueid"), True, at)

    def unheld(self, message: AmiMessage, at: float) -> None:
        """Unhold: the channel's party took the other one back."""
        found = self._leg_of(message)
        if found is not None:
            self._calls.retrieved(*found, at)
        self._others.held(message.get("Uniqueid"), False, at)

    def blind(self, message: AmiMessage, at: float) -> None:
        """BlindTransfer: the member gives the call to an extension and is out of it."""
        if message.get("Result") == "Fail":
            return
        found = self._leg_of(message, "Transferer")
        target = message.get("Extension")
        if found is not None:
            self._calls.completed(found[0].key, found[1].dn, at, TRANSFERRED, target)
        self._others.ended(message.get("TransfererUniqueid"), at, TRANSFERRED, target)

    def attended(self, message: AmiMessage, at: float) -> None:
        """The one who transfers leaves both of his calls: the held one and the consultation."""
        if message.get("Result") == "Fail":
            return
        for prefix in ("SecondTransferer", "OrigTransferer"):
            found = self._leg_of(message, prefix)
            if found is not None:
                self._calls.completed(found[0].key, found[1].dn, at, TRANSFERRED)
            self._others.ended(message.get(f"{prefix}Uniqueid"), at, TRANSFERRED)

    def _leg_of(self, message: AmiMessage, prefix: str = "") -> tuple[Caller, Leg] | None:
        """The member's leg behind a channel: his own, or the only one of the call.

        Behind a Local member stands a device whose channel we do not know as
        his; it has the Linkedid of the call, like the caller's own channel,
        which is not meant.
        """
        uniqueid = message.get(f"{prefix}Uniqueid")
        found = self._calls.leg_of_channel(uniqueid)
        if found is not None:
            return found
        callers = self._calls.of_call(message.get(f"{prefix}Linkedid"))
        talking = [(caller, leg) for caller in callers for leg in caller.talking()]
        if len(talking) != 1 or talking[0][0].key == uniqueid:
            return None
        return talking[0] if is_local(talking[0][1].channel) else None

    def held_by(self, channel: str) -> str:
        """The ConnID of the call that the device of ``channel`` has on hold."""
        member = self._members.find(device_of(channel))
        if member is None:
            return ""
        return self._others.held_by(member.dn) or self._calls.held_by(member.dn)
