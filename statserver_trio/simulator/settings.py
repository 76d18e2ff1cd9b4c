"""How busy, how patient and how talkative the simulated contact centre is."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import ge, gt, le

SWITCH = "sw1"
ROUTE_POINT = "9001"
VIRTUAL_QUEUE = "VQ_Sales"
FIRST_AGENT_DN = 7001
FIRST_QUEUE_DN = 8001

# 999 queues are 8001..8999, one below the route point; 999 agents are 7001..7999.
# More of either would give two devices the same number, so it is refused.
AGENTS_MAX = 999
QUEUES_MAX = 999


@frozen(kw_only=True)
class Settings:
    """All rates and lengths; times in seconds, chances from 0 to 1.

    A length is the mean of an exponential distribution unless it says otherwise.
    All numbers are our decision, taken so that an hour holds some of everything.

    Attributes:
        agents: Desks, each with an agent, a DN and a place.
        queues: ACD queues; each agent serves two (one where there is one).
        groups: Agent groups; agent ``n`` is in group ``n % groups``.
        speed: How many times faster than life everything happens. It shortens
            what happens and leaves the times true, so that a Stat Server
            which compares them with its own clock finds nothing wrong.
        occupancy: Share of his time an agent would be busy if all his calls were ACD
            calls and he took no breaks; sets how often a customer calls.
    """

    agents: int = field(default=20, validator=[ge(1), le(AGENTS_MAX)])
    queues: int = field(default=3, validator=[ge(1), le(QUEUES_MAX)])
    groups: int = field(default=2, validator=ge(1))
    speed: float = field(default=1.0, validator=gt(0))
    occupancy: float = field(default=0.65, validator=gt(0))

    talk: float = 150.0
    after_call: float = 20.0
    ring: float = 5.0
    ring_max: float = 15.0  # exactly; then the switch takes the call back (RONA)
    patience: float = 90.0  # in the queue
    rona_pause: float = 30.0  # exactly; Not Ready after an unanswered ring

    arrival: float = 20.0  # uniform from 0; when the agents log in at the start
    shift: float = 4 * 3600.0
    off: float = 1800.0
    between_breaks: float = 2400.0
    break_length: float = 420.0

    between_internal: float = 900.0  # per agent
    between_outbound: float = 1200.0  # per agent
    manual_talk: float = 60.0

    rona: float = 0.03  # chance that an agent does not answer
    abandon_ringing: float = 0.02
    second_queue: float = 0.06  # chance that a call waits in two queues at once
    route_point: float = 0.08  # chance that a call comes through the route point
    route_max: float = 60.0  # exactly; then the router clears the virtual queue
    repeat_ready: float = 0.03  # chance of a second EventAgentReady without a change

    def between_calls(self) -> float:
        """Seconds between two customers, on average."""
        busy = self.ring + self.talk + self.after_call
        return busy / (self.agents * self.occupancy)
