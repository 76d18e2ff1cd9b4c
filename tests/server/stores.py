"""Small stores of one source, for tests of what the pair does with them."""

from __future__ import annotations

from statserver_trio.model.actions import mask_of
from statserver_trio.model.directory import Directory
from statserver_trio.server.ha.pair_store import PairStore
from statserver_trio.stats.definitions import Definitions, StatType
from statserver_trio.stats.definitions.time_profiles import TimeProfile
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.requests import StatisticRequest
from statserver_trio.tlib.codec import encode
from statserver_trio.tlib.events import EventRinging

TALKS = StatType("Talks", frozenset({"RegDN"}), "TotalNumber", "DNAction", mask_of("CallInbound"))
NOW = 1_000_000  # ms, when the events happen
NEVER = TimeProfile("Never", "Growing", "never")


def a_store(now: int = NOW) -> PairStore:
    definitions = Definitions({"Talks": TALKS}, {"Never": NEVER})
    engine = Engine(definitions, Directory())
    engine.add_source("s", "sw1")
    return PairStore(engine, engine.empty_copy, lambda: now, engine.apply)


def an_event(position: int) -> tuple[int, bytes]:
    event = EventRinging(position=position, time=1000.0, this_dn="7001", conn_id=str(position))
    return position, encode(event)


def opened(store: PairStore, dn: str) -> str:
    request = StatisticRequest("RegDN", f"{dn}@sw1", TALKS, NEVER)
    return store.opened(store.engine.open(request, store.now_ms()))
