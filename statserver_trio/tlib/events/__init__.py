"""T-events: what a T-Server says, one class per event, named as T-Library does."""

from __future__ import annotations

from .agent import *
from .base import *
from .base import TEvent
from .calls import *
from .interactions import *
from .session import *


def _leaves(cls: type[TEvent]) -> list[type[TEvent]]:
    """The classes of ``cls`` that stand for one event each."""
    below = [leaf for sub in cls.__subclasses__() for leaf in _leaves(sub)]
    return below or [cls]


EVENT_TYPES: tuple[type[TEvent], ...] = tuple(_leaves(TEvent))
EVENT_NAMES: frozenset[str] = frozenset(cls.__name__ for cls in EVENT_TYPES)
