"""Coherence: sections that are right each for itself and wrong together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .mistakes import Problem
from .schema import Config, Listen

_EVERYWHERE = ("0.0.0.0", "::")


def incoherences(config: Config, broken: Iterable[str]) -> Iterator[Problem]:
    """All of them; nothing is said about a section that could not be read in full."""
    broken = set(broken)
    if not broken & {"server", "ha", "listen"}:
        yield from _pair(config)
    if "listen" not in broken:
        yield from _ports(config.listen)
    if "tserver" not in broken:
        yield from _sources(config)


def _pair(config: Config) -> Iterator[Problem]:
    """What a member of a pair needs, and who has it."""
    role, ha = config.server.role, config.ha
    if role == "standalone":
        return
    wanted = f'required with [server] role = "{role}"'
    if config.server.peer is None:
        yield Problem(("server", "peer"), f"{wanted}: the name of the other member of the pair")
    elif config.server.peer == config.server.name:
        yield Problem(("server", "peer"), "must be the name of the other member, not our own")
    if role == "backup":
        if ha.peer_host is None:
            yield Problem(("ha", "peer-host"), f"{wanted}: the host of the primary")
        if ha.peer_port is None:
            yield Problem(("ha", "peer-port"), f"{wanted}: the primary's port with the id ha")
        if ha.secured and ha.trusted_ca is None:
            yield Problem(("ha", "trusted-ca"), "required with secured = true")
    elif not any(each.id == "ha" for each in config.listen):
        yield Problem(("listen",), f'an entry with id = "ha" is {wanted}')


def _ports(ports: tuple[Listen, ...]) -> Iterator[Problem]:
    for index, here in enumerate(ports):
        path = ("listen", index)
        if here.secured:
            for key, value in (
                ("certificate", here.certificate),
                ("certificate-key", here.certificate_key),
            ):
                if value is None:
                    yield Problem((*path, key), "required with secured = true")
        if here.tls_mutual and here.trusted_ca is None:
            yield Problem((*path, "trusted-ca"), "required with tls-mutual = true")
        if here.url is not None and here.id != "default":
            instead = "; see [wallboard] url" if here.id == "management" else ""
            yield Problem((*path, "url"), f"is for the port with the id default{instead}")
        for before in ports[:index]:
            if here.port and here.port == before.port and _collide(here.host, before.host):
                what = f"{here.port} is taken by the port with the id {before.id} already"
                yield Problem((*path, "port"), what)
            if here.id == before.id != "default":
                yield Problem((*path, "id"), f"there may be only one port with the id {here.id}")


def _collide(one: str, other: str) -> bool:
    return one == other or one in _EVERYWHERE or other in _EVERYWHERE


def _sources(config: Config) -> Iterator[Problem]:
    names: set[str] = set()
    switches: dict[str, str] = {}
    for index, each in enumerate(config.tserver):
        path = ("tserver", index)
        if each.name in names:
            yield Problem((*path, "name"), f"there is a T-Server named {each.name!r} already")
        names.add(each.name)
        if each.switch in switches:
            what = f"{each.switch!r} is served by {switches[each.switch]!r} already"
            yield Problem((*path, "switch"), what)
        switches.setdefault(each.switch, each.name)
        if each.secured and each.trusted_ca is None:
            yield Problem((*path, "trusted-ca"), "required with secured = true")
