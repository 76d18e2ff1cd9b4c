"""Chaos: two real servers of a pair under load, and real faults.

    processes.py  the site: a T-Server in this process, and three server processes: the pair, and
                  an oracle that stands alone, hears everything and is never hurt
    values.py     clients that hold statistics open on all three, and read them
    faults.py     what is done to the pair, and how it is undone
    cycles.py     a fault after another, each followed by quiet and a comparison

``python -m tests.chaos --help``, or ``make chaos``.
"""
