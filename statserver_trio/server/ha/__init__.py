"""The pair's tasks: what gives the machines of ``ha`` a socket, a clock and an engine."""
