"""The reference pages of docs/, made from the code: ``python -m reference`` writes them.

One module per page; each has a function ``page`` that returns it. ``tests/docs`` compares what is
committed with what they return.
"""
