"""ConnIDs: a T-Server's 64-bit name of a call, made out of Asterisk's text.

Asterisk names a call by the Uniqueid of its first channel (Linkedid). A T-event
needs 64 bits, printed as 16 hex digits; they must be the same on every server
that hears the call and after every restart, so they are a hash and no counter.
The text itself travels as CallUUID.
"""

from __future__ import annotations

from hashlib import blake2b

CONN_ID_BYTES = 8


def conn_id(call_uuid: str) -> str:
    """The ConnID of the call that Asterisk calls ``call_uuid``.

    >>> conn_id("1795398568.0") == conn_id("1795398568.0")
    True
    >>> len(conn_id(""))
    16
    """
    text = call_uuid.encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=CONN_ID_BYTES).hexdigest()
