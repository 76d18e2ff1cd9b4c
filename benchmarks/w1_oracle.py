"""What every statistic of W1 has to be: brute force, which keeps everything that was.

It shares nothing with the engine: lines are read with the standard library, every status and
every visit to a queue is kept as it was, and a value is worked out from all of them.

W1 has an oracle of its own, of a simplified agent. The product counts what the vendor's pages
say, so some of its values are others, and this is where and why:

* Between the end of a call and the after-call work of some milliseconds later the agent waits
  for the next call again, because he is still Ready. The simplified oracle has him do nothing.
  So ``wait_time`` is longer here.
* ``wait_time`` and ``acw_time`` are TotalTime of a status: what goes on counts already, and of
  what began before the interval only the part inside. The simplified oracle counts the whole
  duration when it is over.
* ``talk_longest`` is MaxTime of a status: likewise what goes on, and only what is inside.
* ``talk_number``, ``talk_time`` and ``gold_number`` are of the *adjusted* categories, which count
  whole durations of what is over: that is what the simplified oracle does. As the agent's status
  is CallOnHold while he holds a call, each stretch of talking counts for itself in both. (The
  *action* CallInbound would go on.)
* A queue's actions CallDistributed and CallAbandoned happen at an end and carry their duration,
  which belongs whole to the interval in which they happen: as in the simplified oracle.

Metrics that mean the same in both, :data:`SAME_AS_W1`, are compared with its totals as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from attrs import define, field

AGENT_METRICS = (
    "talk_number", "talk_time", "talk_longest", "gold_number", "wait_time", "acw_time",
)  # fmt: skip
QUEUE_METRICS = (
    "entered", "entered_gold", "distributed", "abandoned", "left_time", "left_longest",
)  # fmt: skip
SAME_AS_W1 = {"talk_number", "talk_time", "gold_number", *QUEUE_METRICS}
AGENTS, QUEUES = 2000, 200
MIDNIGHT = 1_767_225_600_000  # 2026-01-01T00:00:00Z, ms
STEP, WINDOW = 60_000, 900_000  # of the sliding profile, ms

Row = list[int]
Block = list[Row]  # by object, in the order of their numbers


@define
class _Agent:
    """What an agent does, and the status that this shows."""

    is_in: bool = False
    state: str = ""  # ready, not ready, after call
    call: str = ""  # ringing, talking, held
    is_gold: bool = False
    status: str = ""
    since: int = 0
    past: dict[str, list[tuple[int, int, bool]]] = field(factory=dict)  # start, end, gold

    def now_shows(self, t: int) -> None:
        """The status changes where another activity is the topmost now."""
        status = self._topmost()
        if status == self.status:
            return
        if self.status and t > self.since:  # what lasted no time was none
            self.past.setdefault(self.status, []).append((self.since, t, self.is_gold))
        self.status, self.since = status, t

    def _topmost(self) -> str:
        if not self.is_in:
            return ""
        order = (
            ("talking", self.call == "talking"),
            ("held", self.call == "held"),
            ("after call", self.state == "after call"),
            ("not ready", self.state == "not ready"),
            ("ringing", self.call == "ringing"),
            ("ready", self.state == "ready"),
        )
        return next((name for name, holds in order if holds), "")

    def values(self, start: int, now: int) -> Row:
        """The six metrics over ``[start, now]``."""
        talks = [each for each in self.past.get("talking", ()) if each[1] >= start]
        inside = [end - max(begin, start) for begin, end, _ in talks]
        if self.status == "talking":
            inside.append(now - max(self.since, start))
        return [
            len(talks),
            sum(end - begin for begin, end, _ in talks),
            max(inside, default=0),
            sum(gold for _, _, gold in talks),
            self._time("ready", start, now),
            self._time("after call", start, now),
        ]

    def _time(self, status: str, start: int, now: int) -> int:
        """How long the status was that between ``start`` and ``now``."""
        past = self.past.get(status, ())
        total = sum(end - max(begin, start) for begin, end, _ in past if end >= start)
        return total + (now - max(self.since, start) if self.status == status else 0)


@define
class _Queue:
    """Who came, and who left: when, and after how long."""

    entered: list[tuple[int, bool]] = field(factory=list)  # with whether it was gold
    distributed: list[tuple[int, int]] = field(factory=list)
    abandoned: list[tuple[int, int]] = field(factory=list)

    def values(self, start: int) -> Row:
        """The six metrics from ``start`` on."""
        entered = [gold for t, gold in self.entered if t >= start]
        distributed = [took for t, took in self.distributed if t >= start]
        abandoned = [took for t, took in self.abandoned if t >= start]
        left = distributed + abandoned
        return [
            len(entered), sum(entered), len(distributed), len(abandoned), sum(left),
            max(left, default=0),
        ]  # fmt: skip


@define
class _Centre:
    """All of them."""

    agents: list[_Agent] = field(factory=lambda: [_Agent() for _ in range(AGENTS)])
    queues: list[_Queue] = field(factory=lambda: [_Queue() for _ in range(QUEUES)])
    entered: dict[str, int] = field(factory=dict)  # when a call entered its queue, ms

    def see(self, event: dict[str, object]) -> int:
        """One event; when it was, ms."""
        name, t = event["event"], round(float(str(event["time"])) * 1000)
        if "AgentID" in event:
            agent = self.agents[int(str(event["AgentID"])[1:])]
            self._agent(agent, str(name), event)
            agent.now_shows(t)
            if name in ("EventEstablished", "EventRetrieved"):
                agent.is_gold = _is_gold(event)
            return t
        queue, call = self.queues[int(str(event["ThisDN"])[1:])], str(event["ConnID"])
        if name == "EventQueued":
            queue.entered.append((t, _is_gold(event)))
            self.entered[call] = t
        else:
            assert name in ("EventDiverted", "EventAbandoned"), name
            left = queue.distributed if name == "EventDiverted" else queue.abandoned
            left.append((t, t - self.entered.pop(call)))
        return t

    def _agent(self, agent: _Agent, name: str, event: dict[str, object]) -> None:
        match name:
            case "EventAgentLogin":
                agent.is_in, agent.state = True, ""
            case "EventAgentLogout":
                agent.is_in, agent.state = False, ""
            case "EventAgentReady":
                agent.state = "ready"
            case "EventAgentNotReady":
                assert not agent.call  # or the after-call work would wait for the end of the call
                after_call = event["AgentWorkMode"] == "AfterCallWork"
                agent.state = "after call" if after_call else "not ready"
            case "EventRinging":
                agent.call = "ringing"
            case "EventEstablished" | "EventRetrieved":
                agent.call = "talking"
            case "EventHeld":
                agent.call = "held"
            case "EventReleased":
                agent.call = ""
            case _:
                raise AssertionError(name)

    def values(self, now: int) -> list[Block]:
        """Agents growing and sliding, queues growing and sliding."""
        edge = (now // STEP + 1) * STEP - WINDOW  # the step that has begun is in the window
        starts = (MIDNIGHT, max(MIDNIGHT, edge))
        agents = [[agent.values(start, now) for agent in self.agents] for start in starts]
        return agents + [[queue.values(start) for queue in self.queues] for start in starts]


def _is_gold(event: dict[str, object]) -> bool:
    data = event["UserData"]
    assert isinstance(data, dict)
    return bool(data["Segment"] == "Gold")


def expected(lines: Path, snapshot: int) -> Iterator[list[Block]]:
    """All values after every ``snapshot`` events."""
    centre = _Centre()
    with lines.open("rb") as file:
        for number, line in enumerate(file, 1):
            t = centre.see(json.loads(line))
            if number % snapshot == 0:
                yield centre.values(t)


def totals(values: Iterable[Block]) -> list[int]:
    """Sums as in :meth:`.w1_material.Material.totals`."""
    found = []
    for block in values:
        for column in zip(*block, strict=True):
            found += [sum(column), sum(i * value for i, value in enumerate(column, 1))]
    return found
