"""The configuration: what may be written, and what it is by default.

One class per section, one attribute per key, one place for each default. Keys
are spelled with dashes in a file and with underscores here. What a key may be
is the check beside its default (see :mod:`.checks`).

Ranges and defaults of ``[ha]`` and the names of debug levels are the vendor's
where public text gives them; everything else is our decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from ..stats.requests import DEFAULT_TENANT
from . import checks
from .entries import AgentEntry, DNEntry, PlaceEntry
from .keys import CHECK
from .keys import key as _key
from .mistakes import Mistake
from .secret import Secret

PORT = checks.integer(1, 65535)
TIMER = checks.number(1, 3600)  # seconds
# Of the wallboard, by name: the least, the greatest, and the default.
THRESHOLDS = {
    "waiting-warn": (0, 1_000_000, 5),  # calls in one queue
    "waiting-alarm": (0, 1_000_000, 10),
    "longest-wait-warn": (0, 86_400, 30),  # seconds
    "longest-wait-alarm": (0, 86_400, 120),
    "service-level-warn": (0, 100, 80),  # percent; below it
    "service-level-alarm": (0, 100, 60),
    "not-ready-warn": (0, 86_400, 900),  # seconds of one break
    "not-ready-alarm": (0, 86_400, 1800),
    "stale-after": (1, 3600, 5),  # seconds without a word of the server
}
DEBUG_LEVELS = (
    "all",
    "Action",
    "Client",
    "Init",
    "HA",
    "Java",
    "Mngmnt",
    "Reset",
    "Server",
    "Status",
)


@frozen(kw_only=True)
class Server:
    """``[server]``: who this instance is.

    Attributes:
        role: The *configured* role, which never changes at run time.
        peer: The application name of the other member of the pair.
        time_zone: Whose midnight resets statistics; IANA name or ``+hh:mm``.
            UTC unless configured, never the machine's own zone: recorded
            events must give the same values wherever they are replayed.
        time_resolution: ``second`` cuts milliseconds off every event's time,
            as the vendor does.
        data_dir: Where the backup file is, made if it is not there.
        auto_backup_interval: Minutes from one backup file to the next; 0 = there is none,
            and none is read at the start.
        backup_file_aggregates_store: With what statistics have counted; else only which
            ones are open. Both for writing and for reading.
        config_reload_delay_if_primary: Of a pair, the primary takes a changed file only
            after the backup has, so that the two never reload at the same time.
        log_format: ``text`` for people, ``json`` for programs: one object a line.
        drain_timeout: When the server is stopped, seconds for the other member of the pair to
            take what it lacks. Clients were told already, and have two seconds for their goodbye.
        generate_stat_validity_events: Clients are told when DNs that a statistic is computed
            from cannot be heard, and when they can be again.
    """

    name: str = _key(checks.text, "statserver")
    role: str = _key(checks.one_of("primary", "backup", "standalone"), "standalone")
    peer: str | None = _key(checks.text, None)
    redundancy_type: str = _key(checks.one_of("hot-standby", "not-specified"), "hot-standby")
    data_dir: str = _key(checks.text, "var")
    auto_backup_interval: float = _key(checks.number(0, 1440), 5.0)
    backup_file_aggregates_store: bool = _key(checks.truth, True)
    debug_level: str = _key(checks.some_of(*DEBUG_LEVELS), "Init")
    log_format: str = _key(checks.one_of("text", "json"), "text")
    drain_timeout: float = _key(checks.number(0, 3600), 5.0)
    time_zone: str = _key(checks.zone, "UTC")
    time_resolution: str = _key(checks.one_of("second", "millisecond"), "second")
    config_reload_delay_if_primary: bool = _key(checks.truth, False)
    generate_stat_validity_events: bool = _key(checks.truth, True)


@frozen(kw_only=True)
class Listen:
    """``[[listen]]``: a port of ours.

    Attributes:
        id: ``default`` for clients, ``ha`` for the other member of the pair,
            ``management`` for operators.
        host: Only this machine unless configured.
        port: 0 takes any free port.
        url: Of ``default``: how clients reach us, where that is not our host and port (behind a
            proxy or in a container); told to the other member, and by it to its clients.
        protocol: Of ``ha``: whether the link is watched by keepalive messages.
        secured: TLS, with certificate and key; ``tls-mutual`` asks the other
            side for one too.
        certificate_key_password: Of a key that is encrypted; better in a file of its own,
            ``certificate_key_password_file``, whose last line end does not count.
    """

    id: str = _key(checks.one_of("default", "ha", "management"), "default")
    host: str = _key(checks.text, "127.0.0.1")
    port: int = _key(checks.integer(0, 65535))
    url: str | None = _key(checks.client_url, None)
    protocol: str = _key(checks.one_of("default", "addp"), "addp")
    secured: bool = _key(checks.truth, False)
    certificate: str | None = _key(checks.text, None)
    certificate_key: str | None = _key(checks.text, None)
    certificate_key_password: Secret | None = _key(  # noqa: RUF009
        checks.secret, None, file="certificate_key_password_file"
    )
    certificate_key_password_file: str | None = _key(checks.text, None)
    trusted_ca: str | None = _key(checks.text, None)
    tls_mutual: bool = _key(checks.truth, False)


@frozen(kw_only=True)
class Ha:
    """``[ha]``: the link to the other member of the pair. All times in seconds.

    Attributes:
        peer_host, peer_port: Where the configured backup finds the primary.
        protocol: How the backup watches the link; that of the primary's port ``ha``.
        secured: The backup dials with TLS; verified against ``trusted_ca``.
        certificate_key_password, certificate_key_password_file: As of a port.
        addp_trace: Logging only; T-Server's spellings are understood as well.
        chunk_timeout: 0 = the acknowledgement alone paces.
        journal_events, journal_seconds: How much of the past is kept for the
            peer, whichever is less.
        gap_timeout: How long to ask the peer for missed events.
        join_timeout: How long to wait for the peer's state at the start.
    """

    peer_host: str | None = _key(checks.text, None)
    peer_port: int | None = _key(PORT, None)
    protocol: str = _key(checks.one_of("default", "addp"), "addp")
    secured: bool = _key(checks.truth, False)
    certificate: str | None = _key(checks.text, None)
    certificate_key: str | None = _key(checks.text, None)
    certificate_key_password: Secret | None = _key(  # noqa: RUF009
        checks.secret, None, file="certificate_key_password_file"
    )
    certificate_key_password_file: str | None = _key(checks.text, None)
    trusted_ca: str | None = _key(checks.text, None)
    tls_target_name_check: bool = _key(checks.truth, False)
    addp_timeout: float = _key(TIMER, 10.0)
    addp_remote_timeout: float = _key(TIMER, 10.0)
    addp_trace: str = _key(
        checks.one_of(
            "local", "remote", "both", "off",
            aliases={False: "off", "false": "off", "no": "off", True: "local", "true": "local",
                     "yes": "local", "on": "local", "full": "both"},
        ),
        "both",
    )  # fmt: skip
    chunk_size: int = _key(checks.integer(1, 100_000), 5000)
    chunk_timeout: float = _key(checks.number(0, 3600), 0.1)
    connect_timeout: float = _key(checks.number(0.1, 3600), 10.0)
    session_expiration_timeout: float = _key(checks.number(1, 86_400), 600.0)
    session_expiration_period: float = _key(TIMER, 60.0)
    journal_events: int = _key(checks.integer(0, 100_000_000), 200_000)
    journal_seconds: float = _key(checks.number(0, 86_400), 600.0)
    gap_timeout: float = _key(checks.number(0, 3600), 5.0)
    join_timeout: float = _key(checks.number(0, 3600), 30.0)


@frozen(kw_only=True)
class TServer:
    """``[[tserver]]``: a source of events, one per switch. Times in seconds.

    Attributes:
        dns: Numbers to register for besides those of ``[[dns]]`` on the switch.
        loss_timeout: Silence after a poll that means the link is dead.
    """

    name: str = _key(checks.text)
    switch: str = _key(checks.switch)
    kind: str = _key(checks.one_of("tlib-json"), "tlib-json")
    host: str = _key(checks.text, "127.0.0.1")
    port: int = _key(PORT)
    addp_timeout: float = _key(TIMER, 10.0)
    loss_timeout: float = _key(TIMER, 5.0)
    connect_timeout: float = _key(checks.number(0.1, 3600), 10.0)
    dns: tuple[str, ...] = _key(checks.texts, ())
    secured: bool = _key(checks.truth, False)
    trusted_ca: str | None = _key(checks.text, None)


@frozen(kw_only=True)
class Record:
    """``[record]``: keep the events as they come, for `replay`. No path, no recording."""

    path: str | None = _key(checks.text, None)
    max_bytes: int = _key(checks.integer(4096, 2**50), 100_000_000)
    max_files: int = _key(checks.integer(1, 10_000), 10)


@frozen(kw_only=True)
class Limits:
    """``[limits]``: what clients may take.

    Attributes:
        groupby_max_children: Of one GroupBy statistic; further keys share ``*other*``.
    """

    clients: int = _key(checks.integer(1, 100_000), 1000)
    statistics_per_client: int = _key(checks.integer(1, 10_000_000), 100_000)
    message_bytes: int = _key(checks.integer(1024, 2**30), 1_048_576)
    groupby_max_children: int = _key(checks.integer(1, 100_000), 1000)


@frozen(kw_only=True)
class Wallboard:
    """``[wallboard]``: the pages of the management listener, and who may look through them.

    Attributes:
        enabled: The board at ``/`` and the clients' WebSocket beside it are served there.
        url: By which name browsers reach the management listener, such as
            ``https://stat-a.example.com:7102``; told to boards and to the other member, which
            lets pages from there in. Without it, it is made of the listener's host and port.
        origins: Web pages of other servers whose scripts may read what we tell, also at the
            listener ``default``; our own page and that of the other member of the pair may anyway.
            ``*`` is any page.
        thresholds: From when on the board warns and alarms; by name.
    """

    enabled: bool = _key(checks.truth, True)
    url: str | None = _key(checks.origin, None)
    origins: tuple[str, ...] = _key(checks.origins, ())
    thresholds: Mapping[str, float] = field(
        factory=lambda: checks.numbers(THRESHOLDS)({}),
        metadata={CHECK: checks.numbers(THRESHOLDS)},
    )


@frozen(kw_only=True)
class Metrics:
    """``[metrics]``: what ``GET /metrics`` tells Prometheus besides the server's own numbers.

    Attributes:
        statistics: Those to be exported, as on the command line
            (``Queue:8001@sw1:Service_Level,profile=QuarterHour``); ``*`` for the object means
            all of that type, also those that come into being.
        series_max: So many of them at most; what is beyond is counted and left out.
    """

    statistics: tuple[str, ...] = _key(checks.texts, ())
    series_max: int = _key(checks.integer(1, 100_000), 2000)


@frozen(kw_only=True)
class Objects:
    """``[objects]``: how the objects behave.

    Attributes:
        auto_create: What is seen in events or named as a member, and not
            listed, comes into being.
        stuck_call_timeout: Seconds without an event after which a call is
            taken for lost; 0 = never.
        dnd_means_not_ready: Do-not-disturb makes an agent who waits not ready, for as
            long as it is on. By default it means nothing, as for the vendor.
        queue_use_pseudo_actions: The vendor's option of that name, about the actions
            AgentLogin, AgentActive, AgentReady, DNLogin, DNActive and DNReady of queues:
            they count in CurrentNumber and CurrentRelativeNumberPercentage only. With
            false they count in every category, and the first three say whose they are.
            A statistic with a filter counts none of them either way.
        vq_use_alt_enter_time: The vendor's option of that name; for all virtual queues.
        tenant: The id of the one object of type Tenant: everything here is its. Clients that name
            no tenant, or ``Environment``, mean this one; any other name is refused.
        capacity_rule: One of ``[capacity-rules]``, for all agents who have no other.
    """

    auto_create: bool = _key(checks.truth, True)
    stuck_call_timeout: float = _key(checks.number(0, 10_000_000), 14_400.0)
    dnd_means_not_ready: bool = _key(checks.truth, False)
    queue_use_pseudo_actions: bool = _key(checks.truth, True)
    vq_use_alt_enter_time: bool = _key(checks.truth, False)
    tenant: str = _key(checks.text, DEFAULT_TENANT)
    capacity_rule: str | None = _key(checks.text, None)


@frozen(kw_only=True)
class Interactions:
    """``[interactions]``: where e-mails, chats and tasks wait, by name."""

    queues: tuple[str, ...] = _key(checks.texts, ())
    workbins: tuple[str, ...] = _key(checks.texts, ())
    strategies: tuple[str, ...] = _key(checks.texts, ())


@frozen(kw_only=True)
class PythonConfig:
    """``[python-config]``: where extensions are. Their names are in ``[python-extensions]``.

    Attributes:
        python_extensions_dir: The folder their paths are relative to, and that none of them
            may leave; like every path relative to where the server was started.
    """

    python_extensions_dir: str | None = _key(checks.text, None)


def _entries(cls: type) -> Any:
    """A list of tables."""
    return field(default=(), metadata={"entries": cls})


def _names(check: checks.Check) -> Any:
    """A table whose keys are names of the site's own."""
    return field(factory=dict, metadata={CHECK: check})


@frozen(kw_only=True)
class Config:
    """All of it: one attribute per section.

    Attributes:
        python_extensions: Which extensions are loaded (``"tickets.py" = true``,
            ``"entry-point:tickets" = true``), and their parameters by name.
        java_config, java_extensions: Of an existing site; warned about and passed over.
        warnings: What was noticed while it was read.
        environment: The variables that were laid over the files, for the next time.
        overrides: Which variable gives what: ``[ha] addp-timeout``.
    """

    server: Server = field(factory=Server, metadata={"section": Server})
    listen: tuple[Listen, ...] = _entries(Listen)
    ha: Ha = field(factory=Ha, metadata={"section": Ha})
    tserver: tuple[TServer, ...] = _entries(TServer)
    record: Record = field(factory=Record, metadata={"section": Record})
    limits: Limits = field(factory=Limits, metadata={"section": Limits})
    wallboard: Wallboard = field(factory=Wallboard, metadata={"section": Wallboard})
    metrics: Metrics = field(factory=Metrics, metadata={"section": Metrics})
    objects: Objects = field(factory=Objects, metadata={"section": Objects})
    interactions: Interactions = field(factory=Interactions, metadata={"section": Interactions})
    dns: tuple[DNEntry, ...] = _entries(DNEntry)
    agents: tuple[AgentEntry, ...] = _entries(AgentEntry)
    places: tuple[PlaceEntry, ...] = _entries(PlaceEntry)
    agent_groups: Mapping[str, tuple[str, ...]] = _names(checks.texts)
    place_groups: Mapping[str, tuple[str, ...]] = _names(checks.texts)
    virtual_agent_groups: Mapping[str, str] = _names(checks.text)
    capacity_rules: Mapping[str, str] = _names(checks.text)
    queue_groups: Mapping[str, tuple[str, ...]] = _names(checks.texts)
    origination_dns: Mapping[str, tuple[str, ...]] = _names(checks.texts)
    campaigns: Mapping[str, tuple[str, ...]] = _names(checks.texts)
    business_attributes: Mapping[str, tuple[str, ...]] = _names(checks.texts)
    time_profiles: Mapping[str, str] = _names(checks.anything)
    time_ranges: Mapping[str, str] = _names(checks.anything)
    filters: Mapping[str, str] = _names(checks.anything)
    stat_types: Mapping[str, Mapping[str, str]] = field(factory=dict, metadata={"tables": True})
    python_config: PythonConfig = field(factory=PythonConfig, metadata={"section": PythonConfig})
    python_extensions: Mapping[str, str | bool | int | float] = _names(checks.parameter)
    java_config: Mapping[str, str | bool | int | float] = _names(checks.parameter)
    java_extensions: Mapping[str, str | bool | int | float] = _names(checks.parameter)
    warnings: tuple[Mistake, ...] = field(default=(), eq=False)
    environment: Mapping[str, str] = field(factory=dict, eq=False, repr=False)
    overrides: Mapping[str, str] = field(factory=dict, eq=False)
