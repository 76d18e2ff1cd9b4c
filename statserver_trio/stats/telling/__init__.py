"""Telling: what a client hears of a statistic, and when."""
