"""Hostile clients: what each does to a port, and how it finds out that it was sent away.

Each is a task that returns when the server has closed its connection, or refused it; what it
returns is what it was told. Until then it goes on.
"""

from __future__ import annotations

import base64
import json
import os
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress

import trio

from statserver_trio.commands.demo_members import LOOPBACK

CLOSED = (OSError, trio.BrokenResourceError, trio.ClosedResourceError)
HEAD = (
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: statserver.v1\r\n\r\n"
)
OPENING = {
    "request": "OpenStatistic",
    "object": {"objectType": "Agent"},
    "metric": {"statisticType": "CurrentAgentState"},
    "notification": {"mode": "ChangesBased"},
}

Attacker = Callable[[int], Awaitable[str]]


async def _until_closed(stream: trio.SocketStream) -> str:
    """Read on, whatever comes."""
    said = bytearray()
    try:
        async for data in stream:
            said += data[: 200 - len(said)]
    except CLOSED:
        return "reset"
    return bytes(said).decode("latin-1") or "closed"


async def _shout(stream: trio.SocketStream, data: bytes) -> None:
    with suppress(CLOSED):
        await stream.send_all(data)


async def slowloris(port: int) -> str:
    """A byte now and then, and never a whole head."""
    async with await trio.open_tcp_stream(LOOPBACK, port) as stream:
        try:
            for byte in b"GET / HTTP/1.1\r\n" + b"X-A: b\r\n" * 1000:
                await stream.send_all(bytes([byte]))
                await trio.sleep(0.25)
        except CLOSED:
            pass
        return "closed"


async def silent(port: int) -> str:
    """Connected, and not a word."""
    async with await trio.open_tcp_stream(LOOPBACK, port) as stream:
        return await _until_closed(stream)


async def garbage(port: int) -> str:
    """Bytes of no protocol, among them the beginning of a TLS greeting."""
    async with await trio.open_tcp_stream(LOOPBACK, port) as stream:
        await _shout(stream, b"\x16\x03\x01" + os.urandom(2000))
        return await _until_closed(stream)


async def endless_head(port: int) -> str:
    """A head that never ends, as fast as it goes."""
    async with await trio.open_tcp_stream(LOOPBACK, port) as stream:
        await _shout(stream, b"GET / HTTP/1.1\r\nHost: a\r\nX-A: " + b"a" * 8_000_000)
        return await _until_closed(stream)


async def _websocket(port: int) -> trio.SocketStream:
    stream = await trio.open_tcp_stream(LOOPBACK, port)
    key = base64.b64encode(os.urandom(16)).decode()
    await stream.send_all(HEAD.format(key=key).encode())
    await stream.receive_some(4096)
    return stream


def _frame(payload: bytes, first: int = 0x81) -> bytes:
    """A frame of a client, with a mask of zeros."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 1 << 16:
        length = b"\xfe" + struct.pack(">H", size)
    else:
        length = b"\xff" + struct.pack(">Q", size)
    return bytes([first]) + length + bytes(4) + payload


async def fragments(port: int) -> str:
    """One message in a hundred thousand empty pieces."""
    async with await _websocket(port) as stream:
        await _shout(stream, _frame(b"[", 0x01) + _frame(b"", 0x00) * 100_000)
        return await _until_closed(stream)


async def oversized(port: int) -> str:
    """A message of many megabytes."""
    async with await _websocket(port) as stream:
        await _shout(stream, _frame(b'{"request":"' + b"a" * 20_000_000))
        return await _until_closed(stream)


async def a_lie(port: int) -> str:
    """A frame that claims to be as long as can be."""
    async with await _websocket(port) as stream:
        await _shout(stream, b"\x81\xff" + struct.pack(">Q", 2**62) + bytes(4) + b"a" * 4_000_000)
        return await _until_closed(stream)


async def deep_json(port: int) -> str:
    """Nested JSON, again and again: answered, and never believed."""
    async with await _websocket(port) as stream:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_shout, stream, _frame(b'{"a":' * 10_000) * 50)
            said = await _until_said(stream, b"bad-request")
            nursery.cancel_scope.cancel()
        return said


async def _until_said(stream: trio.SocketStream, what: bytes) -> str:
    said = bytearray()
    try:
        while what not in said:
            data = await stream.receive_some(65536)
            if not data:
                return "closed"
            said += data
    except CLOSED:
        return "reset"
    return what.decode()


async def slow_reader(port: int) -> str:
    """Opens hundreds of statistics, peeks at them without end, and never reads an answer."""
    async with await _websocket(port) as stream:
        for number in range(400):
            request = {**OPENING, "referenceId": number}
            request["object"] = {"objectType": "Agent", "objectId": f"a{number % 12 + 1}"}
            await _shout(stream, _frame(json.dumps(request).encode()))
        number = 1000
        try:
            while True:
                number += 1
                peek = {"request": "PeekStatistic", "referenceId": number, "statisticId": 1}
                await stream.send_all(_frame(json.dumps(peek).encode()) * 20)
                await trio.sleep(0.01)
        except CLOSED:
            return "closed"


async def storm(port: int) -> str:
    """Connections that are made and broken at once, by the hundred."""
    for _ in range(300):
        try:
            stream = await trio.open_tcp_stream(LOOPBACK, port)
        except OSError:
            continue
        await _shout(stream, b"GET")
        await trio.aclose_forcefully(stream)
    return "closed"


ON_CLIENTS: dict[str, Attacker] = {
    "slowloris": slowloris,
    "silent": silent,
    "garbage": garbage,
    "endless_head": endless_head,
    "fragments": fragments,
    "oversized": oversized,
    "a_lie": a_lie,
    "deep_json": deep_json,
    "slow_reader": slow_reader,
    "storm": storm,
}
ON_OPERATORS: dict[str, Attacker] = {
    "slowloris": slowloris,
    "silent": silent,
    "garbage": garbage,
    "endless_head": endless_head,
    "storm": storm,
}
