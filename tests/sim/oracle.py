"""The oracle: one engine that sees every event, in order, and never fails.

It begins with the pair's first picture and goes on from what the T-Servers said. A statistic
that a client opens on a member is opened here at the same position, with nothing but what the
member gave it at that moment. Since members stand at different positions, the oracle walks
behind both: up to where neither can open anything that it has passed (:meth:`advance`).

A statistic that everybody has let go of and somebody opens again is another *life* of it; where
one member still has the old life while the other begins a new one, both are true until the pair
has made up its mind.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec
from attrs import define, field

from statserver_trio.server.link_definitions import key_text
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.statistic import Statistic
from statserver_trio.stats.transfer import adopt_statistic, export_statistic, request_of
from statserver_trio.tlib.codec import decode_line
from statserver_trio.tlib.events import TEvent, Unhandled

if TYPE_CHECKING:
    from .switch import Switch


@define(eq=False)
class Life:
    """One life of a statistic.

    Attributes:
        mine: The oracle's, once a source has come to where it was opened.
        waits: Sources that have not come there yet.
    """

    text: str
    opened: Statistic
    began: dict[str, int]
    data: dict[str, Any]
    mine: Statistic | None = None
    waits: set[str] = field(factory=set)


class Oracle:
    """The engine, and the lives of statistics.

    Attributes:
        lives: By the key on the link, the oldest first.
        free: Keys that were opened where no truth can be told: only equality counts.
    """

    def __init__(self, engine: Engine, switches: dict[str, Switch], resolution: str) -> None:
        self.engine = engine.empty_copy()
        self.lives: dict[str, list[Life]] = {}
        self.free: set[str] = set()
        self._switches = switches
        self._openings: dict[str, list[Life]] = {name: [] for name in switches}
        for name, source in engine.sources.items():
            data = msgspec.msgpack.decode(msgspec.msgpack.encode(source.export()))
            self.engine.sources[name].adopt(data, 0)

    def positions(self) -> dict[str, int]:
        """How far it has walked."""
        return {name: source.position or 0 for name, source in self.engine.sources.items()}

    # -- what clients open ----------------------------------------------------------------

    def open(self, engine: Engine, statistic: Statistic, positions: dict[str, int]) -> None:
        """A statistic was opened on a member that stands there."""
        text = key_text(statistic.key)
        data = msgspec.msgpack.decode(msgspec.msgpack.encode(export_statistic(statistic)))
        life = Life(text, statistic, dict(positions), data)
        life.waits = set(positions)
        self.lives.setdefault(text, []).append(life)
        for name, position in positions.items():
            assert position >= (self.engine.sources[name].position or 0), "walked too far"
            waiting = self._openings[name]
            waiting.append(life)
            waiting.sort(key=lambda each: each.began[name])  # stable: as they came

    def forget(self, text: str) -> None:
        """Nobody has it open any more."""
        for life in self.lives.pop(text, ()):
            for name in life.waits:
                self._openings[name].remove(life)
            if life.mine is not None:
                self._close(life.mine)
        self.free.discard(text)

    def _close(self, statistic: Statistic) -> None:
        if self.engine.statistics.get(statistic.key) is statistic:
            self.engine.close_all([statistic], "")
        else:  # an older life of what is open
            for parts in statistic.parts.values():
                for part in parts:
                    part.row.release(statistic)

    def _begin(self, life: Life, name: str) -> None:
        """A source has come to where a statistic was opened."""
        if life.mine is None:
            definitions = self.engine.definitions
            self._know(life.opened)
            hidden = self.engine.statistics.pop(life.opened.key, None)
            life.mine = self.engine.open(request_of(life.opened), 0)
            if hidden is not None:  # the newest one is found under the key
                self.engine.statistics[life.opened.key] = life.mine
            self.engine.configure(definitions, self.engine.directory)
        parts = {
            role: [each for each in told if each["source"] == name]
            for role, told in life.data["parts"].items()
        }
        book = life.data["book"] and {s: page for s, page in life.data["book"].items() if s == name}
        data = {**life.data, "parts": parts, "book": book}
        adopt_statistic(self.engine, life.mine, data, 0, by_force=True)
        life.waits.discard(name)

    def _know(self, statistic: Statistic) -> None:
        """Have the definitions of a statistic, whatever was configured before."""
        from attrs import evolve

        was = self.engine.definitions
        stat_type, profile, chosen = statistic.stat_type, statistic.profile, statistic.filter
        stat_types = {**was.stat_types, stat_type.name: stat_type}
        profiles = dict(was.time_profiles)
        if profile is not None:
            profiles[profile.name] = profile
        filters = dict(was.filters)
        if chosen is not None:
            filters[chosen.name] = chosen
        definitions = evolve(was, stat_types=stat_types, time_profiles=profiles, filters=filters)
        self.engine.configure(definitions, self.engine.directory)

    # -- walking --------------------------------------------------------------------------

    def advance(self, until: dict[str, int]) -> None:
        """Let every source walk up to there."""
        for name, position in until.items():
            self._walk(name, position)

    def _walk(self, name: str, until: int) -> None:
        source, log = self.engine.sources[name], self._switches[name].log
        openings = self._openings[name]
        here = source.position or 0
        while here < until or (openings and openings[0].began[name] <= here):
            if openings and openings[0].began[name] <= here:
                self._begin(openings.pop(0), name)
                continue
            position, line = log[here]
            assert position == here + 1
            event = decode_line(line)
            assert isinstance(event, TEvent | Unhandled)
            self.engine.apply(name, [event], 0)
            here = position

    # -- values ---------------------------------------------------------------------------

    def values(self, at: dict[str, int], keys: Iterable[str] | None = None) -> dict[str, list[Any]]:
        """What every life of these is worth, at a time of every source."""
        clocks = {source.ledger: at[name] for name, source in self.engine.sources.items()}
        return {
            text: [
                self.engine.value_at(life.mine, clocks).value
                for life in lives
                if life.mine is not None and not life.waits
            ]
            for text, lives in self.lives.items()
            if keys is None or text in keys
        }
