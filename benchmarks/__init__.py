"""Benchmarks: how fast, and how that changes. `make bench` runs them all."""
