"""Whole pairs from a seed: the product's own parts, and a world that is made up.

Time is virtual, the network is a heap of what is due, and everything that happens by chance
comes from one seed. Real are the machines, the engines, the feeds' and the clients' sessions:
both members run the code that a server runs, but for its Trio tasks.

    python -m tests.sim --runs 1000        many days, one after the other
    python -m tests.sim --seed 7 --trace   one of them, line by line
"""
