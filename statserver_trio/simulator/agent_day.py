"""An agent's day: log in, work, go on breaks, go home, come back; and the time after a call."""

from __future__ import annotations

from .agenda import Story
from .floor import Floor
from .parties import Agent

BREAKS = ("Lunch", "Coffee", "Training", "Meeting")


def agent_day(floor: Floor, agent: Agent) -> Story:
    """One shift after another; breaks and going home wait for the end of a call."""
    settings = floor.settings
    yield floor.exactly(floor.rng.uniform(0, settings.arrival))
    while True:
        floor.log_in(agent)
        home_at = floor.agenda.now + floor.about(settings.shift)
        yield floor.about(settings.ring)
        yield from floor.until_free(agent)
        floor.make_ready(agent)
        while floor.agenda.now < home_at:
            yield floor.about(settings.between_breaks)
            yield from floor.until_free(agent)
            reason = floor.rng.choice(BREAKS)
            floor.make_not_ready(agent, "AuxWork", {"ReasonCode": reason}, {reason: "1"})
            yield floor.about(settings.break_length)
            yield from floor.until_free(agent)
            floor.make_ready(agent)
        yield from floor.until_free(agent)
        floor.log_out(agent)
        yield floor.about(settings.off)


def after_call_work(floor: Floor, agent: Agent) -> Story:
    """What the agent has to write down after an ACD call, and back to work."""
    floor.make_not_ready(agent, "AfterCallWork")
    yield floor.about(floor.settings.after_call)
    _back_to_work(floor, agent)


def not_answering(floor: Floor, agent: Agent) -> Story:
    """The switch makes an agent who does not answer Not Ready for a while."""
    floor.make_not_ready(agent, extensions={"ReasonCode": "RONA"})
    yield floor.exactly(floor.settings.rona_pause)
    _back_to_work(floor, agent)


def _back_to_work(floor: Floor, agent: Agent) -> None:
    if not agent.awaited:  # else he goes straight to his break
        floor.make_ready(agent)
    floor.free(agent)
