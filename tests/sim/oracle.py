"""The oracle: one engine that sees every event, in order, and never fails.

It begins with the pair's first picture and goes on from what the T-Servers said. A statistic
that a client opens on a member is opened here at the same position, with nothing but what the
member gave it at that moment. Since members stand at different positions, the oracle walks
behind both: up to where neither can open anything that it has passed (:meth:`advance`).

A statistic that everybody has let go of and somebody opens again is another *life* of it; where
each member begins one of its own, what a copy of it must be worth follows from what it contains:
see :meth:`Oracle.life_of`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from attrs import define, field

from statserver_trio.ha.coverage import Coverage
from statserver_trio.server.link_definitions import key_text
from statserver_trio.stats.definitions import Definitions
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.statistic import Statistic
from statserver_trio.stats.transfer import (
    adopt_statistic,
    export_statistic,
    opened_there,
    request_of,
)
from statserver_trio.tlib.codec import decode_line
from statserver_trio.tlib.events import TEvent, Unhandled

if TYPE_CHECKING:
    from .switch import Switch


@define(eq=False)
class Life:
    """One life of a statistic.

    Attributes:
        began: Where each source stood at the member that opened it.
        is_certain: That member heard its feeds. Else it may yet turn out to lack something.
        mine: The oracle's, once a source has come to where it was opened.
        waits: Sources that have not come there yet.
    """

    text: str
    opened: Statistic
    began: dict[str, int]
    data: dict[str, Any]
    is_certain: bool = True
    mine: Statistic | None = None
    waits: set[str] = field(factory=set)

    @property
    def is_told(self) -> bool:
        """Whether the oracle has come to where it was opened."""
        return self.mine is not None and not self.waits

    def is_after(self, began: dict[str, int]) -> bool:
        """Whether one that began there began earlier, at any of these sources."""
        return any(began[name] < position for name, position in self.began.items() if name in began)


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

    def open(self, statistic: Statistic, positions: dict[str, int], is_certain: bool) -> None:
        """A statistic was opened on a member that stands there."""
        text = key_text(statistic.key)
        data = msgspec.msgpack.decode(msgspec.msgpack.encode(export_statistic(statistic)))
        life = Life(text, statistic, dict(positions), data, is_certain)
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

    def keep_only(self, text: str, coverages: list[Coverage]) -> None:
        """Nobody has another life of it than those that were opened there (day 1037307)."""
        began = [{name: ranges[0][0] for name, ranges in each.items()} for each in coverages]
        for life in self.lives[text]:
            lived = [all(life.began.get(n, at) == at for n, at in each.items()) for each in began]
            life.is_certain = life.is_certain and any(lived)

    def _close(self, statistic: Statistic) -> None:
        if self.engine.statistics.get(statistic.key) is statistic:
            self.engine.close_all([statistic], "")
        else:  # an older life of what is open
            for parts in statistic.parts.values():
                for part in parts:
                    part.row.release(statistic)

    def life_of(self, text: str, coverage: Coverage) -> Life | None:
        """Which life a copy with that coverage lives; of two, the one that was opened earlier.

        Where it lacks something, or has of each source another one's, the first of those that
        cannot have been lost; None if there is none, or if it began before all of them: a member
        may have begun to count by itself what came too late to be taken over (day 721386).
        """
        lives = [each for each in self.lives[text] if each.is_told]
        began = {name: found[0][0] for name, found in coverage.items() if len(found) == 1}
        alike = [each for each in lives if began == {s: each.began[s] for s in coverage}]
        alike.sort(key=lambda each: opened_there(each.data))
        certain = [each for each in lives if each.is_certain and not each.is_after(began)]
        return next(iter(alike or certain), None)

    def is_better(self, text: str, life: Life, coverage: Coverage) -> bool:
        """Whether there certainly is a life that contains this one, and more.

        More of a source that has no part in it is nothing more (day 942325).
        """
        parts = [name for name in life.began if name in coverage]
        return any(
            other.is_certain
            and any(other.began[name] != life.began[name] for name in parts)
            and all(other.began[name] <= life.began[name] for name in parts)
            for other in self.lives[text]
        )

    def _begin(self, life: Life, name: str) -> None:
        """A source has come to where a statistic was opened."""
        former: dict[str, list[Any]] = {}
        tally = life.data["tally"]
        parts = {
            role: [each for each in told if each["source"] == name]
            for role, told in life.data["parts"].items()
        }
        if life.mine is not None:  # the other source was there earlier, and this one before it
            self._attach_anew(life.mine, name)
            mine = export_statistic(life.mine)
            former = {r: [e for e in f if e["source"] != name] for r, f in mine["former"].items()}
            if not any(parts.values()):  # it has nothing of this source, and tallies already
                tally = mine["tally"]
            # Who has left there and come again meanwhile does not begin anew.
            for role, told in parts.items():
                told += [each for each in mine["parts"][role] if each["source"] != name]
        else:
            definitions = self.engine.definitions
            self._know(life.opened)
            hidden = self.engine.statistics.pop(life.opened.key, None)
            life.mine = self.engine.open(request_of(life.opened), 0)
            if hidden is not None:  # the newest one is found under the key
                self.engine.statistics[life.opened.key] = life.mine
            self._configure(definitions)
        book = life.data["book"] and {s: page for s, page in life.data["book"].items() if s == name}
        data = {**life.data, "parts": parts, "book": book, "former": former, "tally": tally}
        adopt_statistic(self.engine, life.mine, data, 0)
        life.waits.discard(name)

    def _attach_anew(self, statistic: Statistic, name: str) -> None:
        """Count at a source from here on, as if nothing had been seen of it before."""
        for index in reversed(range(len(statistic.sources))):
            if statistic.sources[index].name == name:
                for part in statistic.drop(index):
                    part.row.release(statistic)
        statistic.former = {
            role: [each for each in former if each.ledger.source != name]
            for role, former in statistic.former.items()
        }
        self.engine.regroup(statistic, 0, by_events=True)

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
        self._configure(definitions)

    def _configure(self, definitions: Definitions) -> None:
        """Go on with other definitions; an older life still follows what its object follows."""
        self.engine.configure(definitions, self.engine.directory)
        for life in (each for lives in self.lives.values() for each in lives):
            mine = life.mine
            if mine is not None and self.engine.statistics.get(mine.key) is not mine:
                self.engine._following.add(mine)

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

    def value(self, life: Life, at: dict[str, int]) -> Any:
        """What a life is worth that can be told, at a time of every source."""
        assert life.mine is not None
        clocks = {source.ledger: at[name] for name, source in self.engine.sources.items()}
        return self.engine.value_at(life.mine, clocks).value
