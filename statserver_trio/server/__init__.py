"""The only floor that does I/O: streams, tasks, clocks, signals, files."""
