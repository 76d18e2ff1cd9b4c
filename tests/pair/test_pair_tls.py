"""Scenarios 21 and 22, and what else only real sockets show: two servers on loopback."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trio
import trustme
from pair_site import BACKUP, PRIMARY, Journal, _who

from statserver_trio.client import open_statserver
from statserver_trio.config.load import load
from statserver_trio.server.assembly import Parts
from statserver_trio.server.ha import accepting
from statserver_trio.server.serve import serve
from statserver_trio.server.sockets import socket_of

IN_REAL_TIME = True  # virtual time does not wait for sockets
PATIENCE = 20.0  # seconds, on a busy machine; nothing here takes that long
ATTEMPTS = 3  # to connect, that are waited for
EXPIRED = datetime(2020, 1, 1, tzinfo=UTC)
CONF = """
[server]
auto-backup-interval = 0
name = "{name}"
role = "{role}"
peer = "{peer}"
[[listen]]
id = "default"
port = 0
{more}
"""


class Keys:
    """Certificates, as files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self.ca, self.other_ca = trustme.CA(), trustme.CA()
        self.trusted = self._write(self.ca.cert_pem)

    def _write(self, blob: trustme.Blob, *more: trustme.Blob) -> str:
        self._count += 1
        path = self._folder / f"{self._count}.pem"
        path.write_bytes(b"".join(each.bytes() for each in (blob, *more)))
        return str(path)

    def issue(self, ca: trustme.CA | None = None, name: str = "127.0.0.1", **more: Any) -> str:
        """The lines of a configuration for a certificate and its key."""
        issued = (ca or self.ca).issue_cert(name, **more)
        chain = self._write(*issued.cert_chain_pems)
        key = self._write(issued.private_key_pem)
        return f'certificate = "{chain}"\ncertificate-key = "{key}"\n'


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path)


class Two:
    """Both members, running."""

    def __init__(self, journal: Journal, primary: Parts, backup: Parts) -> None:
        self.journal, self.primary, self.backup = journal, primary, backup

    def phases(self) -> list[str]:
        statuses = (p.management.status() for p in (self.primary, self.backup))
        return [status["session"]["phase"] for status in statuses]

    def log(self, who: str, text: str) -> list[str]:
        lines = self.journal.lines
        return [what for _, name, _, what in lines if name == who and text in what]

    async def until(self, condition: Callable[[], object]) -> None:
        with trio.fail_after(PATIENCE):
            while not condition():  # noqa: ASYNC110 - what it looks at tells nobody
                await trio.sleep(0.02)

    async def find_each_other(self) -> None:
        await self.until(lambda: self.phases() == ["SYNCED", "SYNCED"])

    async def stay_apart(self, attempts: Callable[[], int]) -> None:
        """Several attempts fail, and both serve their clients."""
        await self.until(lambda: attempts() >= ATTEMPTS)
        assert "SYNCED" not in self.phases()
        for parts in (self.primary, self.backup):
            host, port = parts.addresses[0]
            async with open_statserver(f"ws://{host}:{port}/") as stats:
                assert await stats.profile("StatTypes") == []


@pytest.fixture
async def run(
    nursery: trio.Nursery, tmp_path: Path
) -> AsyncIterator[Callable[[str, str], Awaitable[Two]]]:
    """Starts both members, given the lines of the primary's port and of the backup's [ha]."""
    journal = Journal()
    logger = logging.getLogger("statserver_trio")
    logger.addHandler(journal)
    level, stop = logger.level, trio.Event()
    logger.setLevel(logging.DEBUG)

    async def start(name: str, role: str, peer: str, more: str) -> Parts:
        path = tmp_path / f"{role}.toml"
        path.write_text(CONF.format(name=name, role=role, peer=peer, more=more))
        token = _who.set(name)
        try:
            parts: Parts = await nursery.start(serve, load(path), stop)
        finally:
            _who.reset(token)
        return parts

    async def both(port: str, ha: str) -> Two:
        fast = "[ha]\nconnect-timeout = 0.1\n"
        listen = f'[[listen]]\nid = "ha"\nport = 0\n{port}\n'
        primary = await start(PRIMARY, "primary", BACKUP, f"{listen}{fast}")
        where = f'peer-host = "127.0.0.1"\npeer-port = {primary.peer_addresses[0][1]}\n'
        backup = await start(BACKUP, "backup", PRIMARY, f"{fast}{where}{ha}")
        return Two(journal, primary, backup)

    yield both
    logger.removeHandler(journal)
    logger.setLevel(level)


Run = Callable[[str, str], Awaitable[Two]]


def strangers(two: Two) -> int:
    """Connections that the primary has closed before their greeting."""
    return int(two.primary.management.status()["session"]["strangers"])


@asynccontextmanager
async def port_of(two: Two) -> AsyncIterator[trio.SocketStream]:
    async with await trio.open_tcp_stream(*two.primary.peer_addresses[0]) as stream:
        yield stream


# -- it works -----------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["addp", "default"])
async def test_the_pair_over_tls(run: Run, keys: Keys, protocol: str) -> None:
    two = await run(
        f'secured = true\nprotocol = "{protocol}"\n{keys.issue()}',
        f'secured = true\nprotocol = "{protocol}"\ntrusted-ca = "{keys.trusted}"\n'
        "tls-target-name-check = true\n",
    )
    await two.find_each_other()
    member = two.backup.pair.member
    assert isinstance(member.link.stream, trio.SSLStream)
    assert bool(two.log(BACKUP, "ADDP")) == (protocol == "addp")
    assert member.status()["peer"]["address"].startswith("127.0.0.1:")


async def test_the_pair_over_tls_with_certificates_on_both_sides(run: Run, keys: Keys) -> None:
    two = await run(
        f'secured = true\ntls-mutual = true\ntrusted-ca = "{keys.trusted}"\n{keys.issue()}',
        f'secured = true\ntrusted-ca = "{keys.trusted}"\n{keys.issue(name=BACKUP)}',
    )
    await two.find_each_other()


# -- 21, 22: it must not ---------------------------------------------------------------------------


def wrong(keys: Keys) -> dict[str, tuple[str, str, str, str]]:
    """By name: lines of the port, lines of the backup, who says why, and what it says."""
    right = f"secured = true\n{keys.issue()}"
    mutual = f'{right}tls-mutual = true\ntrusted-ca = "{keys.trusted}"\n'
    trusting = f'secured = true\ntrusted-ca = "{keys.trusted}"\n'
    stranger = keys.issue(keys.other_ca)
    expired = keys.issue(not_before=EXPIRED.replace(year=2019), not_after=EXPIRED)
    return {
        "unknown CA": (f"secured = true\n{stranger}", trusting, BACKUP, "verify failed"),
        "expired": (f"secured = true\n{expired}", trusting, BACKUP, "expired"),
        "another name": (
            f"secured = true\n{keys.issue(name='elsewhere.example')}",
            f"{trusting}tls-target-name-check = true\n",
            BACKUP,
            "mismatch",
        ),
        "plain to a TLS port": (right, "", PRIMARY, "WRONG_VERSION_NUMBER"),
        "TLS to a plain port": ("", trusting, BACKUP, "UNEXPECTED_EOF"),
        "22: no certificate": (mutual, trusting, PRIMARY, "did not return a certificate"),
        "22: of an unknown CA": (mutual, f"{trusting}{stranger}", PRIMARY, "verify failed"),
    }


WRONG = (
    "unknown CA",
    "expired",
    "another name",
    "plain to a TLS port",
    "TLS to a plain port",
    "22: no certificate",
    "22: of an unknown CA",
)


@pytest.mark.parametrize("what", WRONG)
async def test_scenario_21_22_who_cannot_be_trusted_stays_out(
    run: Run, keys: Keys, what: str
) -> None:
    port, ha, who, why = wrong(keys)[what]
    two = await run(port, ha)
    await two.stay_apart(lambda: strangers(two))
    assert len(two.log(who, why)) == 1  # however often it is tried
    assert not two.log(PRIMARY, "session ") + two.log(BACKUP, "session ")
    assert not [line for line in two.journal.lines if line[2] == "ERROR"]
    assert len(two.log(PRIMARY, "closed a connection from 127.0.0.1:")) == 1
    assert len(two.log(BACKUP, "the peer at 127.0.0.1:")) <= 1  # plain TCP gets through


async def test_scenario_21_a_name_is_only_looked_at_where_that_is_wanted(
    run: Run, keys: Keys
) -> None:
    two = await run(
        f"secured = true\n{keys.issue(name='elsewhere.example')}",
        f'secured = true\ntrusted-ca = "{keys.trusted}"\n',
    )
    await two.find_each_other()


@pytest.mark.parametrize("data", [b"", b"GET / HTTP/1.1\r\n\r\n", bytes(500)])
async def test_scenario_21_a_handshake_has_its_time(
    run: Run, keys: Keys, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepting, "HANDSHAKE_SECONDS", 0.1)
    two = await run(
        f"secured = true\n{keys.issue()}",
        f'secured = true\ntrusted-ca = "{keys.trusted}"\n',
    )
    await two.find_each_other()
    async with port_of(two) as stream:
        if data:
            await stream.send_all(data)
        with trio.fail_after(PATIENCE):
            try:
                while await stream.receive_some():
                    pass
            except trio.BrokenResourceError:
                pass
    await two.until(lambda: strangers(two) == 1)
    assert two.phases() == ["SYNCED", "SYNCED"]


async def test_a_file_without_certificates_is_found_at_the_start(run: Run, keys: Keys) -> None:
    """And the ports that were open by then are closed again."""
    with pytest.raises(ssl.SSLError, match="no certificate"):
        await run(
            f"secured = true\n{keys.issue()}",
            'secured = true\ntrusted-ca = "/dev/null"\n',
        )


# -- 3: without ADDP, TCP has to find out ----------------------------------------------------------


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="not this system")
@pytest.mark.parametrize(("protocol", "unanswered_ms"), [("default", 60_000), ("addp", 0)])
async def test_scenario_03_without_addp_unanswered_bytes_end_the_connection(
    run: Run, protocol: str, unanswered_ms: int
) -> None:
    two = await run(f'protocol = "{protocol}"', f'protocol = "{protocol}"\n')
    await two.find_each_other()
    for parts in (two.primary, two.backup):
        sock = socket_of(parts.pair.member.link.stream)
        assert sock is not None
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        found = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        assert found == unanswered_ms


async def test_an_aborted_link_is_reset_so_that_the_other_one_knows(run: Run) -> None:
    two = await run("", "")
    await two.find_each_other()
    link = two.backup.pair.member.link
    link.close("on purpose", abruptly=True)
    await two.until(lambda: two.log(PRIMARY, "reset by peer"))
    await two.find_each_other()
