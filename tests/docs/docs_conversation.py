"""What a page shows of the client protocol, said to a server that runs.

Every request of a page is sent, in order, on one connection. What stands between it and the next
one is what the server answers: an event with the same fields has to come, whatever its values.
"""

from __future__ import annotations

import json
from typing import Any

import trio
from docs_blocks import Block
from trio_websocket import WebSocketConnection, open_websocket_url

from statserver_trio.api import messages as m
from statserver_trio.api.codec import decode_events, decode_request

PATIENCE = 20  # seconds
Shown = dict[str, Any]


def messages(block: Block) -> list[Shown]:
    """Those of a block, one after the other; a frame of several is an array."""
    read, at, found = json.JSONDecoder().raw_decode, 0, []
    text = block.text.strip()
    while at < len(text):
        one, at = read(text, at)
        found += one if isinstance(one, list) else [one]
        at += len(text[at:]) - len(text[at:].lstrip())
    return found


async def converse(url: str, shown: list[Block]) -> None:
    """Send what clients say, and wait for what the server is said to say.

    Raises:
        AssertionError: It does not.
    """
    async with open_websocket_url(url, subprotocols=["statserver.v1"]) as ws:
        heard: list[Shown] = []
        for block in shown:
            for message in messages(block):
                if "request" in message:
                    _is_request(block, message)
                    await ws.send_message(json.dumps(message))
                else:
                    _is_event(block, message)
                    await _hear(ws, heard, block, message)


def _is_request(block: Block, message: Shown) -> None:
    """A page may show what is refused; it has to be a message all the same."""
    assert message["request"] in m.REQUEST_NAMES or message["request"] == "Nonsense", block
    if message["request"] != "Nonsense":
        decode_request(json.dumps(message))


def _is_event(block: Block, message: Shown) -> None:
    assert decode_events(json.dumps(message)), f"{block}: no event: {message}"


async def _hear(ws: WebSocketConnection, heard: list[Shown], block: Block, shown: Shown) -> None:
    """Read on until such an event has come."""
    with trio.move_on_after(PATIENCE):
        while True:
            for event in heard:
                if _fits(event, shown):
                    heard.remove(event)
                    return
            frame = json.loads(await ws.get_message())
            heard += frame if isinstance(frame, list) else [frame]
    raise AssertionError(f"{block}: nothing like {shown} has come, but {heard[-5:]}")


def _fits(event: Shown, shown: Shown) -> bool:
    """The same kind with the same fields, of the same request and statistic."""
    same = ("event", "referenceId", "statisticId", "code", "message", "profile")
    return event.keys() == shown.keys() and all(event.get(name) == shown.get(name) for name in same)
