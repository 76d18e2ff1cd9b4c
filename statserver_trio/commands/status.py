"""What a server says of itself to operators: ``GET /api/status`` of its management listener."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import trio

PATIENCE_SECONDS = 2.0  # for the management listener to answer
STATUS_BYTES_MAX = 1_000_000


def parse_management(url: str) -> tuple[str, int]:
    """Host and port of ``http://host:port/``; ``host:port`` will do, too.

    Raises:
        ValueError: What is wrong, and what is allowed.
    """
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port
    except ValueError:
        port, parts = None, urlsplit("http:")
    if parts.scheme != "http" or not parts.hostname or port is None:
        raise ValueError(f"{url!r} is no management listener; write it as http://host:port/")
    return parts.hostname, port


async def ask_status(host: str, port: int) -> dict[str, Any] | None:
    """What it says; None if it says nothing that can be understood."""
    request = f"GET /api/status HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    answer = bytearray()
    try:
        with trio.fail_after(PATIENCE_SECONDS):
            stream = await trio.open_tcp_stream(host, port)
            async with stream:
                await stream.send_all(request.encode())
                async for data in stream:
                    answer += data
                    if len(answer) > STATUS_BYTES_MAX:
                        return None
        said = json.loads(answer.partition(b"\r\n\r\n")[2])
    except (OSError, trio.BrokenResourceError, trio.TooSlowError, ValueError):
        return None
    return said if isinstance(said, dict) else None
