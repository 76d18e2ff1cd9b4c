"""Expressions: the small languages of a stat server, from text to something that computes.

One module per language; what they share stands in the others. They know neither
statistics nor calls: whoever evaluates an expression hands in what it may look at.

=====================  ==============================================================
:mod:`.conditions`     filters: ``PairExists("Language","Spanish") & ANI <> ""``
:mod:`.custom_values`  what custom-value categories add up: ``GetNumber("Revenue")*2``
:mod:`.formulas`       Category=Formula: ``SUM(CallInbound;duration)/COUNT(CallInbound)``
:mod:`.keys`           what GroupBy groups by: ``kvstr(udata,"Language")``
:mod:`.memberships`    virtual agent groups: ``Skill("Spanish") > 5``
=====================  ==============================================================

Every one of them either reads a text or raises :class:`ExpressionError`, which
names the column, what was expected there and what is allowed.
"""

from .reading import ExpressionError

__all__ = ["ExpressionError"]
