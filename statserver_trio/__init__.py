"""statserver-trio: an open Stat Server.

T-Server events go in, contact-centre statistics come out, in real time.
ARCHITECTURE.md at the top of the repository draws the house.
"""

__version__ = "0.1.0"
