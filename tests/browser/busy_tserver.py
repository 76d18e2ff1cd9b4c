"""A T-Server of a busier place than the demo's, as a process for the browser's tests."""

from __future__ import annotations

import sys
from random import Random

import trio

from statserver_trio.commands.demo_members import LOOPBACK
from statserver_trio.server.tserver import serve_tserver
from statserver_trio.simulator.contact_centre import ContactCentre


async def main(port: int, agents: int, speed: float, occupancy: float) -> None:
    """Serve until somebody kills us."""

    def make_centre(start: float) -> ContactCentre:
        return ContactCentre(Random(4), start, agents=agents, speed=speed, occupancy=occupancy)

    await serve_tserver(make_centre, await trio.open_tcp_listeners(port, host=LOOPBACK))


if __name__ == "__main__":
    port, agents, speed, occupancy = sys.argv[1:]
    trio.run(main, int(port), int(agents), float(speed), float(occupancy))
