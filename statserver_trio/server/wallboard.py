"""The wallboard's side of the management listener: its files, its data, and its WebSocket.

    GET /                   index.html of the package's folder ``wallboard``
    GET /wallboard/<file>   the others, by name
    GET /api/board          who the members are, and what the site wants to be warned of
    WebSocket / and /ws     the client protocol, as at the listener ``default``

The files are read once, at the start: no request touches the disk, and no path leads out of
the folder. The page is from us and nothing on it is from anybody else
(Content-Security-Policy), and only pages that :mod:`.origins` lets pass may read what is here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import trio
from attrs import evolve, frozen

from .. import __version__
from ..config.schema import Config
from .client_task import PATHS, ClientServer
from .ha.pair import Pair
from .http import Handler, Refused, Request, Response, Takeover, json_response
from .origins import is_allowed, is_friend, why_not

FOLDER = Path(__file__).parent.parent / "wallboard"
INDEX = "index.html"
PREFIX = "/wallboard/"
UTF8 = "; charset=utf-8"
# A file with another ending is not served.
CONTENT_TYPES = {
    ".html": "text/html" + UTF8,
    ".js": "text/javascript" + UTF8,
    ".css": "text/css" + UTF8,
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain" + UTF8,
    ".md": "text/plain" + UTF8,
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".woff2": "font/woff2",
}
ANYWHERE = "http: https: ws: wss:"  # as sources of a policy
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:\d{1,5})?", re.ASCII)


@frozen
class StaticFile:
    """A file as it is sent.

    Attributes:
        etag: The same as long as the content is.
    """

    body: bytes
    content_type: str
    etag: str


def read_files(folder: Path) -> dict[str, StaticFile]:
    """Everything in a folder that can be served, by its name relative to it.

    Raises:
        OSError: A file is there and cannot be read.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        kind = CONTENT_TYPES.get(path.suffix)
        if kind is not None and path.is_file():
            body = path.read_bytes()
            etag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
            found[path.relative_to(folder).as_posix()] = StaticFile(body, kind, etag)
    return found


def friends_of(config: Config, pair: Pair | None) -> tuple[str, ...]:
    """Origins besides our own whose pages may read what we tell: the other member's, and named."""
    peer = "" if pair is None else pair.peer_management
    return (*((peer,) if peer else ()), *config.wallboard.origins)


class Wallboard:
    """What is served.

    Args:
        config: What is in effect at the moment.
        clients: Takes in who comes to the WebSocket.
        own: Our management listener's URL, for whoever does not say by which name he came.
        pair: Our half of the pair, if we are one of two.
        folder: Of the files.
    """

    def __init__(
        self,
        config: Callable[[], Config],
        clients: ClientServer,
        own: str = "",
        pair: Pair | None = None,
        folder: Path = FOLDER,
    ) -> None:
        self._config = config
        self._clients = clients
        self._own = own
        self._pair = pair
        self._files = read_files(folder)

    def routes(self) -> dict[tuple[str, str], Handler]:
        """The pages."""
        return {
            ("GET", "/"): self._index,
            ("GET", f"{PREFIX}*"): self._file,
            ("GET", "/api/board"): self.shared(self._board),
        }

    def takeovers(self) -> dict[str, Takeover]:
        """Where a WebSocket can be opened."""
        return dict.fromkeys(PATHS, self._client)

    # -- who may read ------------------------------------------------------------------------

    def _friends(self) -> tuple[str, ...]:
        """Origins besides our own whose pages may read what we tell."""
        return friends_of(self._config(), self._pair)

    def shared(self, handler: Handler) -> Handler:
        """A page that our friends' scripts may read; a browser asks for that (CORS)."""

        async def answered(request: Request) -> Response:
            response = await handler(request)
            origin = request.header("origin")
            headers = [("Vary", "Origin")]
            if origin and is_friend(origin, self._friends()):
                headers.append(("Access-Control-Allow-Origin", origin))
            return evolve(response, headers=(*response.headers, *headers))

        return answered

    async def _client(self, request: Request, stream: trio.abc.Stream) -> None:
        origin = request.header("origin")
        if origin and not is_allowed(origin, request.header("host"), self._friends()):
            raise Refused(403, why_not(origin))
        await self._clients.adopt(stream)

    # -- the files ---------------------------------------------------------------------------

    async def _index(self, request: Request) -> Response:
        return self._sent(request, INDEX)

    async def _file(self, request: Request) -> Response:
        return self._sent(request, request.path.removeprefix(PREFIX))

    def _sent(self, request: Request, name: str) -> Response:
        file = self._files.get(name)
        if file is None:
            raise Refused(404, f"nothing at {request.path}")
        headers = (
            ("ETag", file.etag),
            ("Cache-Control", "no-cache"),  # asked for each time, and sent when it has changed
            ("Content-Security-Policy", self._policy(request)),
            ("Referrer-Policy", "no-referrer"),
        )
        known = {each.strip().removeprefix("W/") for each in _listed(request, "if-none-match")}
        if known & {file.etag, "*"}:
            return Response(304, headers=headers)
        return Response(200, file.body, file.content_type, headers)

    def _policy(self, request: Request) -> str:
        """What the page may do: load from us, and talk with both members."""
        rules = {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self'",
            "img-src": "'self' data:",
            "font-src": "'self'",
            "media-src": "'self' data:",
            "manifest-src": "'self'",
            "connect-src": " ".join(self._reachable(request)),
            "base-uri": "'none'",
            "form-action": "'none'",
            "frame-ancestors": "'self'",
        }
        return "; ".join(f"{name} {value}" for name, value in rules.items())

    def _reachable(self, request: Request) -> list[str]:
        """Sources of the policy: whom the page may talk with.

        A page lives for weeks and its policy was made when it came. So a member that has not
        heard yet where the other one is cannot name it and forbids nobody; else a board that
        came early could never go over.
        """
        own = self._own_origin(request)
        found = ["'self'", _socket_of(own)] if own else ["'self'"]
        if self._pair is None:
            return found
        peer = self._pair.peer_management
        return [*found, peer, _socket_of(peer)] if peer else [*found, ANYWHERE]

    def _own_origin(self, request: Request) -> str:
        """Our origin by the name that the browser knows."""
        host = request.header("host")
        scheme = self._own.partition("://")[0] or "http"
        return f"{scheme}://{host}" if _HOST.fullmatch(host) else self._own

    # -- the data ----------------------------------------------------------------------------

    async def _board(self, request: Request) -> Response:
        return json_response(self.board(self._own_origin(request)))

    def board(self, own: str) -> dict[str, Any]:
        """What the board is told.

        Args:
            own: Our origin. That of the other member is null until it has told it.
        """
        config = self._config()
        members = [{"name": config.server.name, "url": own, "self": True}]
        if self._pair is not None:
            url = self._pair.peer_management or None
            members.append({"name": config.server.peer, "url": url, "self": False})
        return {
            "name": config.server.name,
            "application": __version__,
            "members": members,
            "thresholds": config.wallboard.thresholds,
            "tenant": config.objects.tenant,
            "groups": {
                # Who is in a virtual group changes with every login.
                "GroupAgents": {**config.agent_groups, **_unknown(config.virtual_agent_groups)},
                "GroupPlaces": config.place_groups,
                "GroupQueues": config.queue_groups,
            },
        }


def _unknown(names: Mapping[str, str]) -> dict[str, None]:
    return dict.fromkeys(names)


def _listed(request: Request, header: str) -> list[str]:
    return request.header(header).split(",")


def _socket_of(origin: str) -> str:
    """The same place, for a WebSocket."""
    return origin.replace("http", "ws", 1)
