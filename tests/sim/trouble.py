"""Trouble: every kind of fault, thrown by dice.

In the exact mode nothing happens that may lose something for good: a member is only killed,
blinded or robbed of events while the other one has everything and sees everything
(:meth:`.day.Day.may_lose`). Each kind is a method; it says whether it came about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from .agenda import TICK, whole
from .plan import PLENTY, some_options
from .site import PLENTIFUL

if TYPE_CHECKING:
    from .day import Day
    from .process import Process

# How often each kind happens, relative to the others.
KINDS = {
    "open": 6, "flood": 1, "close": 2, "peek": 1, "leave": 1, "come": 3,
    "cut": 2, "reset": 1, "partition": 2, "deaf": 2, "slow": 1, "thin": 1,
    "kill": 3, "freeze": 2,
    "cut_feed": 2, "blind": 2, "mute_feed": 1, "drop": 1, "repeat": 1, "late_feed": 1, "strange": 1,
    "options": 1, "role": 1, "reload": 1, "waver": 1, "jump": 1, "quiet": 1,
}  # fmt: skip
# Of these, what nobody would call a fault: clients do what clients do, or nothing happens.
NO_FAULTS = frozenset({"open", "flood", "close", "peek", "leave", "come", "quiet"})
ROUGH_KINDS = {"kill_both": 1, "blind_both": 1, "renumber": 0.5}


class Trouble:
    """Throws the dice of one day."""

    def __init__(self, day: Day) -> None:
        self.day = day
        self._until = 0.0

    def begin(self, until: float) -> None:
        """From now on."""
        self._until = until
        self._kinds = [k for k in (KINDS | ROUGH_KINDS) if k in self.day.plan.kinds]
        for kind in ("open", "come"):  # without these nothing is worth anything
            if kind not in self._kinds:
                self._kinds.append(kind)
        self._weights = [self.day.plan.kinds.get(k, KINDS.get(k, 1)) for k in self._kinds]
        for _ in range(6):
            self._open()
        self._next()

    def _next(self) -> None:
        day = self.day
        wait = whole(day.rng.expovariate(1 / day.plan.pace))
        if day.agenda.now + wait < self._until:
            day.agenda.after(wait, self._happen)

    def _happen(self) -> None:
        day = self.day
        (kind,) = day.rng.choices(self._kinds, self._weights)
        self._next()
        day.speaker = ""
        if getattr(self, f"_{kind}")():
            day.outcome.faults[kind] += 1
            day.note("TROUBLE %s", kind)

    def end(self) -> None:
        """Everything is mended."""
        day = self.day
        for a, b in (("A", "B"), ("B", "A")):
            path = day.network.path(day.hosts[a], day.hosts[b])
            path.blocked, path.delay, path.rate = False, (TICK, TICK), float("inf")
            for switch in day.switches.values():
                path = day.network.path(switch.host, day.hosts[a])
                path.blocked, path.delay = False, (TICK, TICK)
        day.network.quicken()
        day.network.heal()
        for process in day.living():
            if process.host.frozen:
                process.thaw()
        for name in day.hosts:
            if not day.processes[name].alive:
                day.start(name)
        for process in day.living():
            for feed in process.feeds.values():
                feed.reachable = True
                if feed.wire is not None:
                    feed.wire.drops = 0
            if process.variant != day.variant:
                process.reload(day.variant)

    # -- helpers --------------------------------------------------------------------------

    def _someone(self) -> Process:
        return self.day.processes[self.day.rng.choice(("A", "B"))]

    def _for(self, low: float, high: float) -> float:
        return whole(self.day.rng.uniform(low, high))

    def _paths(self) -> list[tuple[str, str]]:
        return self.day.rng.choice(([("A", "B"), ("B", "A")], [("A", "B")], [("B", "A")]))

    # -- clients --------------------------------------------------------------------------

    def _open(self) -> bool:
        client = self.day.rng.choice(self.day.clients)
        client.open(self.day.rng)
        return True

    def _flood(self) -> bool:
        client = self.day.rng.choice(self.day.clients)
        for _ in range(15):
            client.open(self.day.rng)
        return True

    def _close(self) -> bool:
        self.day.rng.choice(self.day.clients).close(self.day.rng)
        return True

    def _peek(self) -> bool:
        self.day.rng.choice(self.day.clients).peek(self.day.rng)
        return True

    def _leave(self) -> bool:
        self.day.rng.choice(self.day.clients).leave()
        return True

    def _come(self) -> bool:
        for client in self.day.clients:
            client.come(self._someone())
        return True

    # -- the link -------------------------------------------------------------------------

    def _links(self) -> list[Process]:
        return [p for p in self.day.living() if p.member.link is not None]

    def _cut(self) -> bool:
        for process in self._links():
            for link in list(process.links):
                link.end.other.reset()
        return True

    def _reset(self) -> bool:
        process = self._someone()
        link = process.member.link
        if link is None:
            return False
        link.end.reset()
        link.ended("reset")
        return True

    def _partition(self, towards: str = "AB") -> bool:
        day = self.day
        seconds = day.rng.choice((self._for(0.2, 3), self._for(3, 15), self._for(15, 60)))
        paths = [
            day.network.path(day.hosts[a], day.hosts[b])
            for a, b in (("A", "B"), ("B", "A"))
            if b in towards
        ]
        for path in paths:
            path.blocked = True

        def heal() -> None:
            for path in paths:
                path.blocked = False
            day.network.heal()
            day.note("healed")

        day.agenda.after(seconds, heal)
        return True

    def _deaf(self) -> bool:
        return self._partition(self.day.rng.choice("AB"))

    def _slow(self) -> bool:
        day = self.day
        delay = day.rng.choice(((0.05, 0.4), (0.5, 0.5), (0.1, 2.0), (TICK, TICK)))
        for a, b in self._paths():
            path = day.network.path(day.hosts[a], day.hosts[b])
            path.delay, path.pieces = delay, day.rng.random() < 0.5
        day.network.quicken()
        return delay != (TICK, TICK)

    def _thin(self) -> bool:
        day = self.day
        rate = day.rng.choice((500.0, 4000.0, 30_000.0, float("inf")))
        for a, b in self._paths():
            day.network.path(day.hosts[a], day.hosts[b]).rate = rate
        day.network.quicken()
        return rate < float("inf")

    # -- the processes --------------------------------------------------------------------

    def _kill(self) -> bool:
        process = self._someone()
        if not process.alive or not self.day.truth.may_lose(process):
            return False
        self._kill_it(process)
        return True

    def _kill_it(self, process: Process) -> None:
        rng, day = self.day.rng, self.day
        name = process.host.name
        power = rng.random() < 0.3
        process.kill(politely=not power and rng.random() < 0.3, power=power)
        process.host.frozen = False
        day.count(process)
        day.note("%s is killed", name)
        seconds = rng.choice((self._for(0.1, 1), self._for(1, 10), self._for(10, 60)))
        if power:
            day.agenda.after(seconds / 2, lambda: setattr(process.host, "up", True))
        day.agenda.after(seconds, lambda: self._restart(process))

    def _restart(self, process: Process) -> None:
        name = process.host.name
        if self.day.processes[name] is process:
            self.day.start(name)

    def _freeze(self) -> bool:
        process = self._someone()
        if not process.alive or process.host.frozen:
            return False
        process.freeze()

        def thaw() -> None:
            if process.alive and process.host.frozen:
                process.thaw()

        self.day.agenda.after(self.day.rng.choice((self._for(0.1, 2), self._for(2, 20))), thaw)
        return True

    def _kill_both(self) -> bool:
        for process in self.day.living():
            self._kill_it(process)
        return True

    # -- the feeds ------------------------------------------------------------------------

    def _feed_of(self, process: Process) -> str:
        return self.day.rng.choice(sorted(process.feeds))

    def _cut_feed(self) -> bool:
        process = self._someone()
        if not process.alive:
            return False
        if self.day.plan.recent < PLENTY and not self.day.truth.may_lose(process):
            return False
        process.feeds[self._feed_of(process)].cut()
        return True

    def _blind(self) -> bool:
        process = self._someone()
        if not process.alive or not self.day.truth.may_lose(process):
            return False
        self._blind_it(process)
        return True

    def _blind_it(self, process: Process) -> None:
        feed = process.feeds[self._feed_of(process)]
        feed.reachable = False
        feed.cut()

        def see() -> None:
            feed.reachable = True

        self.day.agenda.after(self.day.rng.choice((self._for(1, 10), self._for(10, 60))), see)

    def _blind_both(self) -> bool:
        for process in self.day.living():
            self._blind_it(process)
        return True

    def _renumber(self) -> bool:
        """A T-Server begins to count anew; from then on no position can be compared."""
        self.day.renumbered = True
        self.day.switches[self.day.rng.choice(sorted(self.day.switches))].renumber()
        return True

    def _mute_feed(self) -> bool:
        """It is there and says nothing: the member finds out, or hears everything late."""
        day, process = self.day, self._someone()
        if not process.alive:
            return False
        if day.plan.recent < PLENTY and not day.truth.may_lose(process):
            return False
        path = day.network.path(day.switches[self._feed_of(process)].host, process.host)
        path.blocked = True

        def see() -> None:
            path.blocked = False
            day.network.heal()

        day.agenda.after(day.rng.choice((self._for(0.5, 5), self._for(5, 40))), see)
        return True

    def _drop(self) -> bool:
        process = self._someone()
        if not process.alive or not self.day.truth.may_lose(process):
            return False
        name = self._feed_of(process)
        wire = process.feeds[name].wire
        if wire is None:
            return False
        wire.drops = self.day.rng.randrange(1, 4)
        # It only finds out with a later event; until then it may not be relied upon.
        last = self.day.switches[name].position
        self.day.unsure[process.host.name, name] = last + wire.drops + 1
        return True

    def _repeat(self) -> bool:
        process = self._someone()
        wire = process.feeds[self._feed_of(process)].wire if process.alive else None
        if wire is None:
            return False
        wire.repeats += self.day.rng.randrange(1, 4)
        return True

    def _late_feed(self) -> bool:
        day = self.day
        delay = day.rng.choice(((0.1, 0.5), (1.0, 3.0), (TICK, TICK), (TICK, TICK)))
        switch = day.switches[day.rng.choice(sorted(day.switches))]
        path = day.network.path(switch.host, self._someone().host)
        path.delay, path.pieces = delay, day.rng.random() < 0.5
        return True

    def _strange(self) -> bool:
        day = self.day
        day.switches[day.rng.choice(sorted(day.switches))].shout()
        return True

    # -- the operators --------------------------------------------------------------------

    def _options(self) -> bool:
        day = self.day
        keep = ("journal_events", "journal_seconds")
        changes = {k: v for k, v in some_options(day.rng).items() if day.rng.random() < 0.4}
        day.ha = evolve(day.ha, **{k: v for k, v in changes.items() if k not in keep})
        for process in day.living():
            if not process.host.frozen:
                process.reload(process.variant)
        return True

    def _role(self) -> bool:
        process = self._someone()
        if not process.alive or process.host.frozen:
            return False
        process.pair.set_mode(self.day.rng.choice(("primary", "backup")))
        process.look()
        return True

    def _reload(self) -> bool:
        """The files are changed, and read by one member, then by the other."""
        day = self.day
        extras = frozenset(e for e in PLENTIFUL if day.rng.random() < 0.5)
        if extras == day.variant.extras or any(p.variant != day.variant for p in day.living()):
            return False
        variant = day.variant = evolve(day.variant, extras=extras)
        first = self._someone()
        for process in sorted(day.living(), key=lambda p: p is not first):
            seconds = 0.0 if process is first else self._for(0, 20)

            def reload(process: Process = process) -> None:
                if process.alive:
                    process.soon(lambda: process.reload(variant))

            day.agenda.after(seconds, reload)
        return True

    def _waver(self) -> bool:
        """One member is given another file by mistake, and after a while the old one."""
        day, process = self.day, self._someone()
        if any(p.variant != day.variant or p.host.frozen for p in day.living()):
            return False
        if not process.alive or not day.truth.may_lose(process):
            return False
        extras = day.variant.extras ^ {day.rng.choice(PLENTIFUL)}
        process.reload(evolve(day.variant, extras=extras))

        def mend() -> None:
            if process.alive:
                process.soon(lambda: process.reload(day.variant))

        day.agenda.after(day.rng.choice((self._for(0, 5), self._for(5, 60))), mend)
        return True

    def _jump(self) -> bool:
        self.day.wall_jump[self.day.rng.choice("AB")] = self.day.rng.choice((-3600.0, 0.0, 86400.0))
        return True

    def _quiet(self) -> bool:
        """Nothing for a while."""
        return True
