"""For all tests: properties have no deadline, because a busy machine is no bug.

Where the variable CI is set, hypothesis by itself draws the same examples every
time (its profile ``ci``); elsewhere it looks for new ones.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from tests.strict import CONTAIN, be_strict

if "CI" not in os.environ:
    settings.register_profile("here", deadline=None)
    settings.load_profile("here")

be_strict()


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be computed or applied is contained, as in a server."""
    for each, contain in CONTAIN.items():
        monkeypatch.setattr(each, "failed", contain)
