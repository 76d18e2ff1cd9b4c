"""Fuzzing: whatever comes in from outside, nothing but declared errors may come of it.

    samples.py   valid input to begin with, and the words that it is made of
    mutation.py  what is done to it
    targets.py   what takes it in, and which errors it may raise
    running.py   so many executions of a target, from a seed
    corpus/      input that did break something once; it stays in ``make test``

``python -m tests.fuzz --help``, or ``make fuzz``.
"""
