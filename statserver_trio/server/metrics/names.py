"""Every metric: its name, its type, what it means, and where its number is from.

The numbers are those of the status page (``GET /api/status``) and a few more, gathered in one
tree of plain data, the *facts* (:mod:`.page`). A metric says where in the facts it is found, so
this table is all there is to know, and the reference in the documentation is made from it.
What is not there, such as the pair of a server that stands alone, has no series.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from attrs import frozen

Facts = dict[str, Any]
Sample = tuple[dict[str, str], float]
Read = Callable[[Facts], Iterable[Sample]]

PREFIX = "statserver_"
ROLES = ("primary", "backup")
SESSION_STATES = ("closed", "opening", "open", "suspended")


@frozen
class Metric:
    """One of them.

    Attributes:
        name: Without the prefix that all of them have.
        kind: ``gauge``, ``counter`` or ``histogram``.
        help: A sentence.
        read: Finds its samples in the facts; nothing where somebody else has them (see
            :mod:`.exposition`).
        labels: Of each sample.
    """

    name: str
    kind: str
    help: str
    read: Read = lambda facts: ()
    labels: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        """As in a query; of a histogram without ``_bucket`` and the like."""
        return PREFIX + self.name


# -- where numbers are found ----------------------------------------------------------------------


def _found(facts: Any, path: str) -> Any:
    """What is at a path of names; None if it leads nowhere."""
    for name in path.split("."):
        if not isinstance(facts, dict):
            return None
        facts = facts.get(name)
    return facts


def _number(value: Any) -> float | None:
    """What it is as a number: truth is 1 or 0, a list as many as it has."""
    if isinstance(value, list):
        return float(len(value))
    return None if value is None else float(value)


def _at(path: str, **labels: str) -> Read:
    """One number."""
    return _all((path, labels))


def _all(*places: tuple[str, dict[str, str]]) -> Read:
    """Several, told apart by labels."""

    def read(facts: Facts) -> Iterator[Sample]:
        for path, labels in places:
            number = _number(_found(facts, path))
            if number is not None:
                yield labels, number

    return read


def _each(items: str, label: str, key: str, path: str) -> Read:
    """A number of each item of a list.

    Args:
        label: Its value is what the item has under ``key``.
    """

    def read(facts: Facts) -> Iterator[Sample]:
        for item in _found(facts, items) or ():
            number = _number(_found(item, path))
            if number is not None:
                yield {label: str(item[key])}, number

    return read


def _of_source(path: str) -> Read:
    return _each("sources", "source", "name", path)


def _named(items: str, label: str, path: str = "") -> Read:
    """A number of each entry of a dictionary; without a path the entry is the number."""

    def read(facts: Facts) -> Iterator[Sample]:
        for name, item in (_found(facts, items) or {}).items():
            number = _number(_found(item, path) if path else item)
            if number is not None:
                yield {label: name}, number

    return read


def _one_of(path: str, label: str, known: tuple[str, ...]) -> Read:
    """1 for what it is, 0 for everything else that it could be."""

    def read(facts: Facts) -> Iterator[Sample]:
        present = _found(facts, path)
        if present is not None:
            for each in known:
                yield {label: each}, float(each == present)

    return read


def _build(facts: Facts) -> Iterator[Sample]:
    yield {"version": facts["version"], "name": facts["name"]}, 1.0


def _both_ways(first: str, second: str) -> Read:
    return _all((first, {"direction": "sent"}), (second, {"direction": "received"}))


# -- the table ------------------------------------------------------------------------------------

SERVER = (
    Metric("build_info", "gauge", "Always 1; the version and the application's name are labels.",
           _build, ("version", "name")),
    Metric("uptime_seconds", "gauge", "Since the process was started.", _at("uptime")),
    Metric("ready", "gauge", "Whether clients get what they come for, as /readyz says it.",
           _at("ready")),
    Metric("open_statistics", "gauge", "Statistics that are open, whoever wants them.",
           _at("statistics")),
    Metric("failing_statistics", "gauge",
           "Of these, statistics that cannot be computed because of a bug; the log names them.",
           _at("failing")),
    Metric("clock_drift_seconds", "gauge",
           "How far the system's clock is ahead of ours, which never jumps.", _at("clockDrift")),
    Metric("reloads_total", "counter",
           "Configuration files that were read again; refused are those with mistakes.",
           _all(("reloads.taken", {"result": "taken"}), ("reloads.refused", {"result": "refused"})),
           ("result",)),
    Metric("recorded_events_total", "counter", "Events that were written down ([record]).",
           _named("recorders", "source", "written"), ("source",)),
    Metric("recording_dropped_events_total", "counter",
           "Events that were not written down since the disk was too slow.",
           _named("recorders", "source", "dropped"), ("source",)),
    Metric("http_connections", "gauge",
           "Of operators and probes, without clients that came there.", _at("http.connections")),
    Metric("http_requests_total", "counter", "Answered on the management listener.",
           _at("http.requests")),
    Metric("http_refused_total", "counter", "Of these, with a status of 400 and above.",
           _at("http.refused")),
    Metric("loop_lag_seconds", "histogram",
           "How late a timer of the event loop was; looked at ten times a second, from the first "
           "scrape on."),
)  # fmt: skip

PAIR = (
    Metric("role", "gauge", "1 for the run mode that the server is in.",
           _one_of("mode", "role", ROLES), ("role",)),
    Metric("peer_connected", "gauge", "Whether the other member's session is open.",
           _at("peer.connected")),
    Metric("peer_synchronised", "gauge",
           "Whether the other member has had everything of ours in this session.",
           _at("peer.synchronised")),
    Metric("peer_clock_offset_seconds", "gauge",
           "How far the other member's clock is ahead of ours.", _at("peer.clockOffset")),
    Metric("session_state", "gauge", "1 for the state that the pair's session is in.",
           _one_of("session.state", "state", SESSION_STATES), ("state",)),
    Metric("sessions_total", "counter",
           "Sessions that were begun, and those that were restored and lost.",
           _all(*((f"session.{how}", {"how": how}) for how in ("new", "restored", "lost"))),
           ("how",)),
    Metric("session_refused_total", "counter", "Greetings of the other member that were refused.",
           _at("session.refused")),
    Metric("replication_pending", "gauge", "Statistics that wait to be sent to the other member.",
           _at("replication.pending")),
    Metric("replication_in_flight", "gauge", "Statistics that are sent and not acknowledged.",
           _at("replication.inFlight")),
    Metric("replication_acknowledged", "gauge",
           "Statistics that the other member is known to have.", _at("replication.acknowledged")),
    Metric("replication_parked", "gauge", "Statistics that the other member cannot open yet.",
           _at("replication.parked")),
    Metric("replication_tombstones", "gauge",
           "Statistics that the configuration deleted and the other member has yet to delete.",
           _at("replication.tombstones")),
    Metric("replication_inexact_total", "counter",
           "Statistics that could not be taken over exactly.", _at("replication.inexact")),
    Metric("replication_chunks_total", "counter", "Chunks that went to or came from the peer.",
           _both_ways("replication.chunksSent", "replication.chunksReceived"), ("direction",)),
    Metric("replication_statistics_total", "counter", "Statistics in those chunks.",
           _both_ways("replication.statisticsSent", "replication.statisticsReceived"),
           ("direction",)),
    Metric("replication_results_total", "counter",
           "What became of the statistics that were received.",
           _named("replication.results", "result"), ("result",)),
    Metric("addp_polls_total", "counter", "Keepalive messages on the pair's link.",
           _both_ways("addp.pollsSent", "addp.pollsReceived"), ("direction",)),
    Metric("addp_lost_total", "counter", "Links that were given up since nothing was heard.",
           _at("addp.lost")),
    Metric("addp_stalls_total", "counter",
           "Times that we were too late ourselves to blame the peer's silence.",
           _at("addp.stalls")),
    Metric("addp_round_trip_seconds", "gauge", "Of the last keepalive message.",
           _at("addp.roundTrip")),
)  # fmt: skip

FEEDS = (
    Metric("feed_connected", "gauge", "Whether the T-Server can be heard.",
           _of_source("connected"), ("source",)),
    Metric("feed_position", "gauge", "Of the last event that was applied.",
           _of_source("position"), ("source",)),
    Metric("feed_events_total", "counter", "Events that were applied.",
           _of_source("events"), ("source",)),
    Metric("feed_duplicates_total", "counter", "Events that were there already.",
           _of_source("duplicates"), ("source",)),
    Metric("feed_ignored_total", "counter", "Events that say nothing to any rule.",
           _of_source("ignored"), ("source",)),
    Metric("feed_bad_lines_total", "counter", "Lines of the feed that are no event.",
           _of_source("badLines"), ("source",)),
    Metric("feed_passed_over_total", "counter",
           "Events that could not be applied because of a bug; the log has them.",
           _of_source("passedOver"), ("source",)),
    Metric("feed_gaps_open", "gauge", "Holes in the stream of events that nobody has filled.",
           _of_source("gaps.open"), ("source",)),
    Metric("feed_gaps_repaired_total", "counter", "Holes that the other member has filled.",
           _of_source("gaps.repaired"), ("source",)),
    Metric("feed_gaps_left_total", "counter",
           "Holes that were given up; values of that time are incomplete.",
           _of_source("gaps.left"), ("source",)),
    Metric("feed_clock_offset_seconds", "gauge",
           "How far the source's clock was ahead of ours with the last event.",
           _of_source("clockOffset"), ("source",)),
    Metric("feed_last_event_age_seconds", "gauge", "Since the last event arrived.",
           _of_source("lastEventAge"), ("source",)),
)  # fmt: skip

CLIENTS = (
    Metric("clients", "gauge", "That are connected.", _at("clients")),
    Metric("clients_max", "gauge", "So many may be ([limits] clients).", _at("limits.clients")),
    Metric("client_connections", "gauge", "Of clients, those that still greet included.",
           _at("traffic.connections")),
    Metric("clients_served_total", "counter", "That have been connected.", _at("traffic.served")),
    Metric("clients_turned_away_total", "counter", "There was no place, or not at that path.",
           _at("traffic.turnedAway")),
    Metric("clients_failed_total", "counter",
           "Whose connections ended otherwise than in order.", _at("traffic.failed")),
    Metric("clients_dropped_total", "counter",
           "That were too slow: took no frame in time, or let too much pile up.",
           _all(("traffic.tooSlow", {"reason": "too_slow"}),
                ("traffic.overflowed", {"reason": "overflow"})), ("reason",)),
    Metric("client_requests_total", "counter", "Of clients, refused ones included.",
           _at("traffic.requests")),
    Metric("client_values_told_total", "counter", "Values that clients were to be sent.",
           _at("traffic.told")),
    Metric("client_values_sent_total", "counter", "Values that they were sent.",
           _at("traffic.sent")),
    Metric("client_values_superseded_total", "counter",
           "Values that were not sent: a newer one took their place, or their client had gone.",
           _at("traffic.superseded")),
    Metric("client_values_waiting", "gauge", "Values that wait to be sent.",
           _at("traffic.waiting")),
    Metric("client_events_sent_total", "counter", "Answers and everything else but values.",
           _at("traffic.eventsSent")),
)  # fmt: skip

KEEPING = (
    Metric("extension_running", "gauge", "Whether it is loaded and works.",
           _each("extensions", "extension", "path", "running"), ("extension",)),
    Metric("extension_restarts_total", "counter", "Times that it failed and was started again.",
           _each("extensions", "extension", "path", "restarts"), ("extension",)),
    Metric("extension_open_statistics", "gauge", "Statistics that it tells values of.",
           _each("extensions", "extension", "path", "openStatistics"), ("extension",)),
    Metric("extension_long_steps_total", "counter",
           "Times that it held up the server for longer than it should.",
           _each("extensions", "extension", "path", "longSteps"), ("extension",)),
    Metric("backup_file_ok", "gauge", "Whether the last attempt to write it went well.",
           _at("backupFile.ok")),
    Metric("backup_file_writes_total", "counter", "Files that were written.",
           _at("backupFile.writes")),
    Metric("backup_file_failures_total", "counter", "Files that could not be written.",
           _at("backupFile.failed")),
    Metric("backup_file_age_seconds", "gauge", "Since the last one was written.",
           _at("backupFile.age")),
    Metric("backup_file_bytes", "gauge", "Of the last one.", _at("backupFile.written.bytes")),
    Metric("backup_file_statistics", "gauge", "In the last one.",
           _at("backupFile.written.statistics")),
    Metric("backup_file_write_seconds", "gauge", "That writing the last one took.",
           _at("backupFile.written.seconds")),
)  # fmt: skip

# The labels profile, range and filter are there where the statistic has one.
STATISTIC_LABELS = ("statistic", "object_type", "object", "profile", "range", "filter")
EXPORTED = (
    Metric("statistic", "gauge",
           "The value of a statistic that [metrics] names; NaN where it is no number.",
           labels=STATISTIC_LABELS),
    Metric("statistic_complete", "gauge",
           "Whether no event is missing in it, as far as we know.", labels=STATISTIC_LABELS),
    Metric("statistic_valid", "gauge",
           "Whether all that it is computed from can be heard; 0 is a value from before that.",
           labels=STATISTIC_LABELS),
    Metric("exported_statistics", "gauge", "Statistics that are exported.",
           _at("exported.held")),
    Metric("exported_statistics_refused", "gauge",
           "Statistics that were to be exported and cannot be opened; the log names them.",
           _at("exported.refused")),
    Metric("exported_statistics_omitted", "gauge",
           "Statistics that are left out since there are more than [metrics] series-max.",
           _at("exported.omitted")),
)  # fmt: skip

PROCESS = (
    Metric("process_cpu_seconds_total", "counter", "Processor time of the process."),
    Metric("process_resident_memory_bytes", "gauge", "Memory of the process."),
    Metric("process_virtual_memory_bytes", "gauge", "Address space of the process."),
    Metric("process_open_fds", "gauge", "Open files and sockets."),
    Metric("process_max_fds", "gauge", "So many may be open."),
    Metric("process_start_time_seconds", "gauge", "When it was started, Unix seconds."),
)

METRICS = {
    each.full_name: each
    for each in (*SERVER, *PAIR, *FEEDS, *CLIENTS, *KEEPING, *EXPORTED, *PROCESS)
}
