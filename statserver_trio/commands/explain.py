"""``statserver explain``: where a value comes from, at one server or at both members of a pair."""

from __future__ import annotations

import ssl
from typing import Any

import click
import msgspec
import trio

from ..api.open_spec import format_open
from ..client import ConnectionLost, Refused, StatServer, open_statserver
from ..stats.requests import StatisticRequest
from .explain_words import differences, same_positions, words_of
from .output import CODES, EX_RUNTIME, Failure, json_option, written
from .parameters import OpenType, UrlType, ca_option
from .signals import end_on_signal

LOOKS_MAX = 20  # until servers stand at the same position of every source, and agree
LOOK_SECONDS = 0.1

Explained = dict[str, Any]


@click.command("explain")
@click.argument("urls", metavar="URL...", nargs=-1, required=True, type=UrlType(before_open=True))
@click.argument("request", metavar="OPEN", type=OpenType())
@ca_option
@json_option("One object: what each server says, whether they agree, and in what not")
def command(
    urls: tuple[str, ...],
    request: StatisticRequest,
    authorities: ssl.SSLContext | None,
    as_json: bool,
) -> None:
    """Say where the value of the statistic OPEN comes from, at the server at URL.

    What is counted and since when, every row that was added up, how far each
    T-Server has been heard, whether anything was missed, and from whom the
    statistic was replicated. OPEN is written as for watch. A statistic that
    nobody has open is opened for that, and has counted nothing yet.

    With the URLs of both members it says what each of them counts, and whether
    they agree: 1 is the exit code where they do not, or where one does not
    answer. They are compared as of the same event; where events come too fast
    for that it says so, and the exit code is 0.

    \b
    Example:
      statserver explain ws://127.0.0.1:7100/ ws://127.0.0.1:7110/ \\
          Queue:8001@sw1:Total_Calls_Answered
    """
    found: list[Explained] = []
    trio.run(_run, urls, request, found, authorities)
    explained = [each for each in found if "error" not in each]
    if not explained:
        raise _nobody(found)
    at_once = same_positions(explained)
    differ = differences(explained) if at_once else []
    agree = None if len(explained) < 2 or not at_once else not differ
    if as_json:
        statistic = format_open(request)
        told = {"statistic": statistic, "servers": found, "agree": agree, "differences": differ}
        click.echo(written(told))
    else:
        click.echo(words_of(format_open(request), found, agree, differ))
    raise SystemExit(EX_RUNTIME if len(explained) < len(urls) or agree is False else 0)


def _nobody(found: list[Explained]) -> Failure:
    """How the command ends where no server has explained anything."""
    if not found:
        return Failure("It was ended before any server had answered.")
    said = "; ".join(f"{each['url']}: {each['error']['message']}" for each in found)
    code = found[0]["error"]["code"]
    return Failure(f"{said} ({code})", code)


async def _run(
    urls: tuple[str, ...],
    request: StatisticRequest,
    found: list[Explained],
    authorities: ssl.SSLContext | None = None,
) -> None:
    """Ask every server, until they stand at the same event, or have been asked often enough.

    What was opened for us begins a little later at one of them, and is the same as soon as the
    pair has exchanged it: so they are asked again, too, where they do not agree.
    """
    async with trio.open_nursery() as nursery:
        await nursery.start(end_on_signal, nursery.cancel_scope)
        asked = [_Asked(url, request, authorities) for url in urls]
        async with trio.open_nursery() as connections:
            for each in asked:
                connections.start_soon(each.stay)
            for each in asked:
                await each.has_answered.wait()
            for _ in range(LOOKS_MAX):
                async with trio.open_nursery() as questions:
                    for each in asked:
                        questions.start_soon(each.ask)
                explained = [each.said for each in asked if "error" not in each.said]
                if same_positions(explained) and all(each.stood_still for each in asked):
                    found[:] = [each.said for each in asked]
                    if not differences(explained):
                        break
                await trio.sleep(LOOK_SECONDS)
            connections.cancel_scope.cancel()
        if not found:  # they never stood at the same event
            found += [each.said for each in asked]
        nursery.cancel_scope.cancel()


class _Asked:
    """One server.

    Attributes:
        said: The latest that it said; with ``error`` where there is nothing.
        stood_still: No event was applied there while it was asked.
        has_answered: It has the statistic open, or there is an error.
    """

    def __init__(
        self, url: str, request: StatisticRequest, authorities: ssl.SSLContext | None
    ) -> None:
        self.said: Explained = {}
        self.stood_still = True
        self.has_answered = trio.Event()
        self._url, self._request, self._authorities = url, request, authorities
        self._server: StatServer | None = None

    async def stay(self) -> None:
        """Keep the statistic open."""
        try:
            async with open_statserver(self._url, ssl_context=self._authorities) as server:
                self._statistic = await server.open(self._request, mode="NoNotification")
                self._server = server
                self.has_answered.set()
                await trio.sleep_forever()
        except (ConnectionLost, Refused) as error:
            self._failed(error)
        self.has_answered.set()

    def _failed(self, error: ConnectionLost | Refused) -> None:
        self._server = None
        code = error.code if isinstance(error, Refused) else CODES[EX_RUNTIME]
        self.said = {"url": self._url, "error": {"code": code, "message": str(error)}}

    async def ask(self) -> None:
        """Ask once more."""
        server = self._server
        if server is None:
            return
        try:
            mode = await server.ask_mode()
            before = await server.explain(self._statistic)
            info = await server.peek(self._statistic)
            explained = await server.explain(self._statistic)
        except (ConnectionLost, Refused) as error:
            self._failed(error)
        else:
            self.stood_still = before.positions == explained.positions
            told = msgspec.to_builtins(explained)
            for key in ("event", "referenceId", "statisticId"):
                del told[key]
            self.said = {
                "url": self._url,
                "role": mode.role,
                "value": info.value,
                "time": info.time,
                "interval": info.interval,
                **told,
            }
