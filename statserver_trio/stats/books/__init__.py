"""Books: what a statistic writes down itself, where columns cannot say it.

Columns (:mod:`..counting`) are shared by all who count the same and know numbers and times.
Whoever wants to know *which* calls those were, or what was attached to them, keeps a book:

* custom values and formulas, computed from a call's data when its action is over;
* ``DistByConnID``, which counts a call once, whoever took part in it;
* GroupBy, which counts it under a key of its own;
* the last n occurrences of a Selection profile;
* the time during which anything at all went on.

A book costs what happens at its objects, and nobody who has none pays for it.
"""
