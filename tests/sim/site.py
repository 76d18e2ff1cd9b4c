"""What is configured: the files in ``conf/``, made smaller, and changed as a seed says."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from attrs import evolve, frozen

from statserver_trio.config.entries import DNEntry, PlaceEntry
from statserver_trio.config.load import load
from statserver_trio.config.schema import Config
from statserver_trio.config.site import Site, make_site

CONF = Path(__file__).parent.parent.parent / "conf"
AGENTS = 6
SWITCHES = {"ts1": "sw1", "ts2": "sw2"}
# What a changed configuration has more, by section: nobody else uses these names.
EXTRA = {
    "filters": {"Lunchtime": 'PairExists("ReasonCode","Lunch")'},
    "time_profiles": {"TenMinutes,Growing": "0:00 +0:10"},
    "stat_types": {
        "Sim_Talks": {
            "Objects": "RegDN, Agent, Place, GroupAgents, GroupPlaces",
            "Category": "TotalNumber",
            "Subject": "DNAction",
            "MainMask": "CallInbound, CallOutbound",
        }
    },
}
PLENTIFUL = tuple(EXTRA)
# Objects that follow what happens, and what is asked of them.
SERVING = 'LoggedIn("8001@sw1") | LoggedIn("8002@sw2")'
WHOLES = {
    "Sim_Everywhere": {
        "Objects": "Switch, Tenant, Campaign",
        "Category": "TotalTime",
        "Subject": "DNAction",
        "MainMask": "CallInbound, WaitForNextCall",
    },
    "Sim_Everybody": {
        "Objects": "Tenant",
        "Category": "TotalTime",
        "Subject": "AgentStatus",
        "MainMask": "*, ~WaitForNextCall",
    },
}


@frozen
class Variant:
    """A configuration: where midnight is, how many T-Servers, and which extras are in it.

    Attributes:
        wholes: Whether it has what follows events: a virtual group, a campaign, and stat types
            for the tenant and its switches. On exact days every value of theirs is compared.
    """

    zone: str = "UTC"
    sources: tuple[str, ...] = ("ts1",)
    resolution: str = "second"
    extras: frozenset[str] = frozenset()
    wholes: bool = False


@cache
def _loaded(role: str) -> Config:
    return load(CONF / f"{role}.toml")


@cache
def config_of(role: str, variant: Variant) -> Config:
    """The configuration of one member."""
    config = _loaded(role)
    switches = [SWITCHES[name] for name in variant.sources]
    numbers = {str(7001 + n) for n in range(AGENTS)} | {"8001", "8002", "9001", "VQ_Sales"}
    listed = [each for each in config.dns if each.number in numbers]
    dns = [DNEntry(number=d.number, switch=s, type=d.type) for s in switches for d in listed]
    places = tuple(f"P{n}" for n in range(1, AGENTS + 1))
    extra = {
        section: {**getattr(config, section), **(new if section in variant.extras else {})}
        for section, new in EXTRA.items()
    }
    if variant.wholes:
        extra["stat_types"] |= WHOLES
    return evolve(
        config,
        server=evolve(config.server, time_zone=variant.zone, time_resolution=variant.resolution),
        tserver=tuple(
            evolve(config.tserver[0], name=name, switch=SWITCHES[name]) for name in variant.sources
        ),
        dns=tuple(dns),
        agents=config.agents[:AGENTS],
        places=tuple(
            PlaceEntry(name=name, dns=tuple(f"{7000 + n}@{s}" for s in switches))
            for n, name in enumerate(places, 1)
        ),
        agent_groups={"Sales": ("a1", "a3", "a5"), "Everybody": ("a1", "a2", "a3", "a4", "a5")},
        virtual_agent_groups={"Serving": SERVING} if variant.wholes else {},
        campaigns={"Spring": ("Serving", "Sales_Places")} if variant.wholes else {},
        place_groups={"Sales_Places": places[:3]},
        queue_groups={"AllQueues": tuple(f"{q}@{s}" for s in switches for q in ("8001", "8002"))},
        **extra,
    )


@cache
def site_of(role: str, variant: Variant) -> Site:
    """What that means."""
    return make_site(config_of(role, variant))
