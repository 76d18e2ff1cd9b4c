"""Extensions: statistics of your own, told by a module of yours.

This is all that the author of an extension imports; docs/extensions.md shows how to write
one, conf/extensions/ has one that runs. An extension is a module with a function
``extension(params)`` that returns an :class:`Extension`.
"""

from __future__ import annotations

from .contract import Extension, Profile, Refused, Request, Sink, StatDef, Value

__all__ = ["Extension", "Profile", "Refused", "Request", "Sink", "StatDef", "Value"]
