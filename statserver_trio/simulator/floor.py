"""The floor of the contact centre: who is free, who waits, and what the switch says.

Stories act only through it. An agent belongs to one story at a time: it seizes
him, and frees him when it is done, which is why nobody ever gets two ACD calls.
"""

from __future__ import annotations

from collections.abc import Generator
from math import inf
from typing import TYPE_CHECKING, Any

from attrs import define, field

from ..tlib.events import (
    AgentEvent,
    CallEvent,
    EventAgentLogin,
    EventAgentLogout,
    EventAgentNotReady,
    EventAgentReady,
    KVList,
    TEvent,
)
from .agenda import Agenda
from .parties import Agent, Call, Queue
from .settings import (
    FIRST_AGENT_DN,
    FIRST_QUEUE_DN,
    ROUTE_POINT,
    VIRTUAL_QUEUE,
    Settings,
)

if TYPE_CHECKING:
    from random import Random

GROUP_NAMES = ("Sales", "Support")  # the first two; further ones are Group3, Group4, ...
AGENTS_ASKED = 8  # tries to find a free agent by chance; then nobody is free
FIRST_CONN_ID = 0x006D_0000_0000_0000  # the start time is added, so restarts do not collide
CONN_IDS_A_SECOND = 1 << 16


@define
class Floor:
    """Agents, queues and calls, and the events they have caused.

    Args:
        rng: All chance comes from here: the same generator, the same events.
        settings: How busy everything is.
        agenda: What happens next.
    """

    rng: Random
    settings: Settings
    agenda: Agenda
    agents: list[Agent] = field(factory=list, init=False)
    queues: list[Queue] = field(factory=list, init=False)
    virtual_queue: Queue = field(factory=lambda: Queue(VIRTUAL_QUEUE), init=False)
    said: list[TEvent] = field(factory=list, init=False)
    open: bool = field(default=True, init=False)
    _next_conn_id: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        started = int(self.agenda.now) & 0xFFFF_FFFF
        self._next_conn_id = FIRST_CONN_ID + started * CONN_IDS_A_SECOND
        settings = self.settings
        self.queues = [Queue(str(FIRST_QUEUE_DN + n)) for n in range(settings.queues)]
        self.agents = [self._agent(n) for n in range(settings.agents)]

    def _agent(self, n: int) -> Agent:
        names = (*GROUP_NAMES, *(f"Group{i}" for i in range(3, self.settings.groups + 1)))
        group = names[n % self.settings.groups]
        count = len(self.queues)
        served = tuple(self.queues[i] for i in sorted({n % count, (n + 1) % count}))
        routed = (self.virtual_queue,) if group == names[0] else ()
        return Agent(
            name=f"a{n + 1}",
            dn=str(FIRST_AGENT_DN + n),
            place=f"P{n + 1}",
            group=group,
            queues=served + routed,
            logins=tuple(queue.dn for queue in served),
        )

    def dns(self) -> dict[str, str]:
        """Every device of the switch with its AddressType."""
        return {
            **{agent.dn: "DN" for agent in self.agents},
            **{queue.dn: "Queue" for queue in self.queues},
            VIRTUAL_QUEUE: "Queue",
            ROUTE_POINT: "RouteDN",
        }

    # -- chance -------------------------------------------------------------------------

    def about(self, mean: float) -> float:
        """Seconds of something that takes ``mean`` seconds on average."""
        return self.rng.expovariate(self.settings.speed / mean)

    def exactly(self, seconds: float) -> float:
        """Seconds of something that always takes the same."""
        return seconds / self.settings.speed

    def happens(self, chance: float) -> bool:
        """Whether it does, this time."""
        return self.rng.random() < chance

    # -- what the switch says -----------------------------------------------------------

    def say(self, event: TEvent) -> None:
        """Send ``event``, with the time; its position it gets when it is handed out."""
        event.time = round(self.agenda.now, 3)
        self.said.append(event)

    def tell(self, kind: type[CallEvent], dn: str, call: Call, **more: Any) -> None:
        """Say on ``dn`` what happened to ``call``."""
        more.setdefault("this_queue", call.this_queue)
        self.say(
            kind(
                this_dn=dn,
                conn_id=call.conn_id,
                call_type=call.call_type,
                ani=call.ani,
                dnis=call.dnis,
                user_data=call.user_data,
                **more,
            )
        )

    def _tell_agent(self, kind: type[AgentEvent], agent: Agent, **more: Any) -> None:
        self.say(kind(this_dn=agent.dn, agent_id=agent.name, **more))

    def new_call(self, call_type: str, **more: Any) -> Call:
        """A call with a ConnID that no other call ever had."""
        self._next_conn_id += 1
        return Call(f"{self._next_conn_id:016x}", call_type, **more)

    # -- agents -------------------------------------------------------------------------

    def log_in(self, agent: Agent) -> None:
        """The agent logs in, once per queue, and is Not Ready."""
        agent.logged_in = True
        for queue in agent.logins:
            self._tell_agent(
                EventAgentLogin, agent, this_queue=queue, place=agent.place, work_mode="ManualIn"
            )
        self._tell_agent(EventAgentNotReady, agent, work_mode="Unknown")

    def log_out(self, agent: Agent) -> None:
        """The agent goes home, Ready or not."""
        self._withdraw(agent)
        agent.logged_in = agent.ready = False
        self._tell_agent(EventAgentLogout, agent)

    def make_ready(self, agent: Agent) -> None:
        """The agent wants calls, and gets the one that waits longest."""
        agent.ready = True
        for _ in range(2 if self.happens(self.settings.repeat_ready) else 1):
            self._tell_agent(EventAgentReady, agent, work_mode="ManualIn")
        if not agent.busy:
            self._offer(agent)

    def make_not_ready(
        self,
        agent: Agent,
        work_mode: str = "Unknown",
        extensions: KVList | None = None,
        reasons: KVList | None = None,
    ) -> None:
        """The agent wants no calls."""
        agent.ready = False
        self._withdraw(agent)
        self._tell_agent(
            EventAgentNotReady, agent, work_mode=work_mode, extensions=extensions, reasons=reasons
        )

    def seize(self, agent: Agent) -> None:
        """Take the agent for one story."""
        assert agent.logged_in
        assert not agent.busy
        agent.busy = True
        self._withdraw(agent)

    def free(self, agent: Agent) -> None:
        """Let the agent go: to his break if it is due, else to the next call."""
        assert agent.busy
        agent.busy = False
        if agent.awaited and agent.day is not None:
            self.agenda.wake(agent.day)
        elif agent.ready:
            self._offer(agent)

    def until_free(self, agent: Agent) -> Generator[float, bool, None]:
        """Wait until nobody's story has the agent."""
        agent.awaited = True
        while agent.busy:
            yield inf
        agent.awaited = False

    def free_agent(self) -> Agent | None:
        """Somebody who could be called, found by chance."""
        return self._ask(busy=False)

    def busy_agent(self) -> Agent | None:
        """Somebody who is busy, found by chance."""
        return self._ask(busy=True)

    def _ask(self, *, busy: bool) -> Agent | None:
        for _ in range(AGENTS_ASKED):
            agent = self.rng.choice(self.agents)
            if agent.logged_in and agent.busy is busy:
                return agent
        return None

    # -- queues -------------------------------------------------------------------------

    def join(self, call: Call, queues: tuple[Queue, ...]) -> None:
        """Put the call into the queues; :attr:`Call.agent` is set if one is free."""
        call.agent, call.queues = None, queues
        for queue in queues:
            if queue.idle:
                agent = next(iter(queue.idle))
                self.seize(agent)
                call.agent = agent
                return
        for queue in queues:
            queue.waiting[call] = self.agenda.now

    def leave(self, call: Call) -> None:
        """Take the call out of its queues."""
        for queue in call.queues:
            queue.waiting.pop(call, None)

    def _offer(self, agent: Agent) -> None:
        """Give the agent the call that waits longest in his queues, or let him wait."""
        first: Call | None = None
        since = inf
        for queue in agent.queues:
            if queue.waiting:
                call = next(iter(queue.waiting))
                if queue.waiting[call] < since:
                    first, since = call, queue.waiting[call]
        if first is None:
            for queue in agent.queues:
                queue.idle[agent] = None
            return
        self.seize(agent)
        self.leave(first)
        first.agent = agent
        assert first.story is not None
        self.agenda.wake(first.story)

    def _withdraw(self, agent: Agent) -> None:
        for queue in agent.queues:
            queue.idle.pop(agent, None)
