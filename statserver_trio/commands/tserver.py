"""``statserver tserver``: a simulated T-Server, or a recording of one."""

from __future__ import annotations

import errno
from collections.abc import Callable
from random import Random
from typing import BinaryIO

import click
import trio

from ..server.tserver import serve_tserver
from ..simulator.contact_centre import START, ContactCentre
from ..simulator.settings import AGENTS_MAX, QUEUES_MAX
from ..tlib.codec import encode_all
from .output import Failure, PortBusy, announce, json_option, written
from .signals import end_on_signal

DEFAULT_PORT = 7200
RECORDED_EVENTS = 10_000  # written to a file where nobody said how many
WRITTEN_AT_A_TIME = 10_000


@click.command("tserver")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=DEFAULT_PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 takes any free one.",
)
@click.option(
    "--seed", default=1, show_default=True, help="Where chance begins: same seed, same events."
)
@click.option(
    "--agents",
    default=20,
    show_default=True,
    type=click.IntRange(1, AGENTS_MAX),
    help="Agents a1, a2, ... on DNs 7001, 7002, ...",
)
@click.option(
    "--queues",
    default=3,
    show_default=True,
    type=click.IntRange(1, QUEUES_MAX),
    help="ACD queues 8001, 8002, ...",
)
@click.option(
    "--speed",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="How many times faster than life everything happens.",
)
@click.option(
    "--events", type=click.IntRange(1), help="Stop after so many events. [default: never]"
)
@click.option(
    "--out",
    type=click.File("wb", lazy=False),
    help=f"Write a recording there instead of serving, {RECORDED_EVENTS} events unless --events "
    "says otherwise; - is standard output.",
)
@json_option("Where it listens, or what it has written, as a JSON object")
def command(
    host: str,
    port: int,
    seed: int,
    agents: int,
    queues: int,
    speed: float,
    events: int | None,
    out: BinaryIO | None,
    as_json: bool,
) -> None:
    """Simulate a T-Server: a contact centre where agents work and customers call.

    It serves T-events until Ctrl-C, or writes them to a file. With --out - the
    recording is standard output, and --json says nothing there.

    \b
    Example:
      statserver tserver --speed 10 --port 7200
      statserver tserver --out day.jsonl --events 100000
    """

    def make_centre(start: float = START) -> ContactCentre:
        return ContactCentre(Random(seed), start, agents=agents, queues=queues, speed=speed)

    if out is not None:
        events = events or RECORDED_EVENTS
        _write(make_centre(), events, out)
        if as_json and out.name != "<stdout>":
            click.echo(written({"event": "Recorded", "file": str(out.name), "events": events}))
        return
    try:
        trio.run(_serve, make_centre, host, port, events)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise Failure(f"cannot listen on {host}:{port}: {error}") from None
        raise PortBusy(f"Port {port} on {host} is in use by another program.") from None


def _write(centre: ContactCentre, events: int, out: BinaryIO) -> None:
    """Write a recording."""
    try:
        for done in range(0, events, WRITTEN_AT_A_TIME):
            out.write(encode_all(centre.take(min(WRITTEN_AT_A_TIME, events - done))))
        out.flush()
    except OSError as error:
        raise Failure(f"cannot write the recording: {error}") from None


async def _serve(
    make_centre: Callable[[float], ContactCentre], host: str, port: int, events: int | None
) -> None:
    """Serve until the events are used up, or SIGINT or SIGTERM comes."""
    listeners = await trio.open_tcp_listeners(port, host=host)
    async with trio.open_nursery() as nursery:
        await nursery.start(end_on_signal, nursery.cancel_scope)
        bound = listeners[0].socket.getsockname()[1]
        where = {"host": host, "port": bound}
        announce(f"T-Server listening on {host}:{bound}", event="Listening", **where)
        await serve_tserver(make_centre, listeners, events)
        nursery.cancel_scope.cancel()
