"""For all tests: properties have no deadline, because a busy machine is no bug.

Where the variable CI is set, hypothesis by itself draws the same examples every
time (its profile ``ci``); elsewhere it looks for new ones.
"""

from __future__ import annotations

import os

from hypothesis import settings

if "CI" not in os.environ:
    settings.register_profile("here", deadline=None)
    settings.load_profile("here")
