"""Counting: what occurrences add up to, row by row, and what that comes to over an interval."""
