"""The numbered log messages: everything we say but for debugging, what it means and what to do.

A number stays what it is when the words change, so that a monitoring system can go by it, as it
does with the vendor's. Call sites do not name it: it is found by the logger and the template, and
``tests/server/test_log_messages.py`` sees to it that each of them has one and none is left over.
What the machines of the pair want said (:class:`...ha.store.Log`) is text already when it gets
here; for those the template says, with ``%s``, where the text varies.

    1xxx  the process, the log, the configuration     4xxx  clients and operators
    2xxx  T-Servers and recordings                    5xxx  the backup file
    3xxx  the pair                                    6xxx  extensions

x0xx is ordinary news, of level info; the others are warnings and errors.
"""

from __future__ import annotations

import logging
import re
from typing import NamedTuple

PACKAGE = __name__.partition(".")[0]
TEMPLATE = "template"  # an attribute of records that are text already, see log_queue.py


class LogMessage(NamedTuple):
    """One of them.

    Attributes:
        id: ``SST-`` and four digits; never used for anything else.
        level: ``info``, ``warning`` or ``error``.
        logger: Of whom, without the name of the package where it is ours.
        template: What is said, with ``%`` marks.
        meaning: What has happened.
        remedy: What to do about it.
    """

    id: str
    level: str
    logger: str
    template: str
    meaning: str
    remedy: str


MESSAGES: tuple[LogMessage, ...] = tuple(
    LogMessage(f"SST-{number}", *rest)
    for number, *rest in (
        (1001, "info", "commands.run", "%s of the environment gives %s",
         "A variable of the environment stands for a value of the file.",
         "Nothing."),
        (1002, "info", "server.serve", "clients connect to ws://%s:%d/",
         "The port is open, once for each address that it listens at.",
         "Nothing."),
        (1003, "info", "server.serve", "operators look at http://%s:%d/api/status",
         "The management port is open: wallboard, /metrics and /api.",
         "Nothing."),
        (1004, "info", "server.serve", "the other member connects to %s:%d",
         "The port of the pair is open.",
         "Nothing."),
        (1005, "info", "server.serve", "stopping",
         "A signal came: clients are told, and what is under way is finished.",
         "Nothing."),
        (1006, "info", "server.supervisor", "%s has ended",
         "A task that could have gone on came to its end, as it may.",
         "Nothing."),
        (1007, "info", "server.dump", "tasks (%.1f ms to find out):\n%s",
         "SIGUSR1 asked for the tree of tasks.",
         "Nothing."),
        (1008, "info", "server.dump", "status: %s",
         "SIGUSR1 asked for what /api/status says.",
         "Nothing."),
        (1009, "info", "server.reload", "reload: [%s] %s: %s",
         "What the changed configuration has added, removed or changed.",
         "Nothing."),
        (1010, "info", "server.reload", "reload: nothing has changed",
         "The file says what is in effect already.",
         "Nothing."),
        (1101, "warning", "commands.run", "stopping at once",
         "A second signal came while the server was being drained; nothing more is flushed.",
         "Nothing. If draining takes too long, lower [server] drain-timeout."),
        (1102, "warning", "server.supervisor", "%s has failed: %s",
         "A task of that name has failed because of the world outside; it is tried again.",
         "Mend what the reason names; no restart is needed."),
        (1103, "error", "trio.serve_listeners", "no connection can be accepted; %s",
         "The process has as many files open as it may; newcomers wait. Said once a minute.",
         "Raise LimitNOFILE of the unit (ulimit -n), or lower [limits] clients."),
        (1104, "error", "commands.run", "the server has failed",
         "A bug; the traceback says where. The process ends with exit code 1.",
         "Report it. systemd starts the server again; of a pair the other member goes on."),
        (1105, "error", "server.reserve", "port %d lets nobody in: %d files can be opened, no more",
         "Clients have nearly all files that the process may have open; the rest is for the pair, "
         "the feeds and the backup file. Said once a minute.",
         "Raise LimitNOFILE of the unit (ulimit -n), or lower [limits] clients."),
        (1110, "error", "server.log_queue",
         "%d log records are missing here: they came faster than they could be written",
         "The disk or pipe of the log was too slow, or refused; the server did not wait for it.",
         "Look at who reads standard error (journald, a container's log driver, a full disk)."),
        (1120, "warning", "server.systemd", "the service manager cannot be told: %s",
         "NOTIFY_SOCKET names a socket that does not take our word.",
         "Look at NotifyAccess of the unit; without it, use Type=exec."),
        (1201, "error", "server.reload", "reload refused: %s",
         "The changed configuration has this mistake; the former one stays in effect.",
         "Mend it, try it with `statserver check`, and reload again."),
        (1202, "warning", "server.reload", "%s",
         "The changed configuration was taken over, and this is worth a look.",
         "See the place that it names."),
        (1203, "warning", "server.reload", "reload: %d statistics closed: %s",
         "What they are defined by has been deleted or means something else now.",
         "Clients were told why; they open them again if they still exist."),
        (1204, "warning", "server.reload", "reload: %s",
         "A change that was read and is not in effect.",
         "Restart the server, of a pair one member after the other."),
        (1205, "warning", "server.reload", "reload postponed: %s",
         "[server] config-reload-delay-if-primary: the backup is to reload first.",
         "Reload the backup. After half an hour the primary goes on by itself."),
        (2001, "info", "server.feed_task", "feed %s connected%s",
         "The T-Server has greeted us; its snapshots or what we missed follow.",
         "Nothing."),
        (2002, "info", "server.feed_task", "feed %s disconnected: %s",
         "The connection to the T-Server is gone; it is made anew.",
         "See the reason, if it repeats."),
        (2003, "info", "server.tserver", "closing client %s: %s",
         "The simulated T-Server hangs up, for that reason.",
         "Nothing."),
        (2004, "info", "server.tserver", "client %s: %s",
         "A client of the simulated T-Server is gone.",
         "Nothing."),
        (2005, "info", "server.feed_clocks", "feed %s: its clock agrees with ours again",
         "The end of SST-2106.",
         "Nothing."),
        (2101, "warning", "server.feed_task", "feed %s cannot be reached: %s",
         "The T-Server does not answer. It is tried again until it does.",
         "Look whether it runs, at [[tserver]] host and port, and at the firewall."),
        (2102, "warning", "server.feed_task",
         "feed %s is away for too long: giving up its objects",
         "loss-timeout has passed: its numbers count as not monitored from here on.",
         "Bring the T-Server back; calls in progress are taken from its snapshots then."),
        (2103, "warning", "server.feed_task", "feed %s: skipping lines: %s: %s",
         "A line of the feed could not be understood. Said once for each kind of mistake.",
         "Mend the feed; badLines in /api/status counts them."),
        (2104, "warning", "server.feed_task", "feed %s: no events between %d and %d",
         "Events were missed. A pair looks for them at the other member; alone, they are lost.",
         "If it repeats, look at the network and the length of the T-Server's history."),
        (2105, "warning", "server.tserver", "more than %d clients: turning one away",
         "The simulated T-Server has as many connections as it takes.",
         "Stop those that are not needed."),
        (2106, "warning", "server.feed_clocks", "feed %s: its clock is %+.1f s ahead of ours",
         "Events are of another time than it is here, by more than a second and for half a minute "
         "at least. Said once; values go by the times of events and are right.",
         "Look at the time service (NTP) of the T-Server's machine and of this one."),
        (2201, "error", "server.recorder",
         "recording %s: the disk is too slow, dropping events",
         "[record]: events are missing from the recording; statistics are not concerned.",
         "Use a faster disk; recorders.dropped in /api/status counts them."),
        (2202, "error", "server.recorder", "recording %s: %d events were not written",
         "The recording could not be flushed in time at the end.",
         "Use a faster disk."),
        (2203, "error", "server.recorder", "recording %s: %s; dropping events",
         "The file cannot be written; it is tried again with the next events.",
         "Make room, or look at the rights of the folder."),
        (2204, "error", "server.recorder", "recording %s: %s",
         "The file could not be closed; its last lines may be missing.",
         "Look at the disk."),
        (3001, "info", "server.ha.member", "link %d: connected with %s",
         "A connection with the other member; the session is agreed on now.",
         "Nothing."),
        (3002, "info", "server.ha.member", "link %d: %s",
         "That connection is gone, and why.",
         "See the reason, if it repeats."),
        (3003, "info", "server.ha.member", "ADDP %d %s %s",
         "[ha] addp-trace: a poll or an answer, sent or received.",
         "Nothing."),
        (3004, "info", "server.ha.member", "the peer is %s",
         "The other member's run mode: primary or backup.",
         "Nothing."),
        (3005, "info", "server.ha.member", "session %s with %s: %s",
         "The session is restored where the link was lost, or a new one begins.",
         "Nothing."),
        (3006, "info", "server.ha.member", "synchronised with %s",
         "Both members have all that the other one has: hot standby.",
         "Nothing."),
        (3007, "info", "server.ha.member", "joined: the picture of %s is the peer's",
         "What goes on at these sources, and since when, was taken over from the peer.",
         "Nothing."),
        (3008, "info", "server.ha.member",
         "the picture of %s begins alone, from its own snapshots",
         "Nobody could tell us what went on before: it begins now.",
         "Nothing."),
        (3009, "info", "server.ha.member",
         "%d statistics deleted by the configuration; the peer is told",
         "A reload has removed what they are defined by.",
         "Nothing."),
        (3010, "info", "server.ha.member",
         "%d statistics closed that nobody wants any more",
         "No client of either member has asked for them for long enough.",
         "Nothing."),
        (3011, "info", "server.ha.chunk_work",
         "%d statistics came too late; they are asked for again",
         "We had counted on past the moment that they are of.",
         "Nothing."),
        (3012, "info", "server.ha.member", "the clocks of the pair agree again",
         "The difference that was told before (SST-3208) is gone.",
         "Nothing."),
        (3101, "warning", "server.ha.dialling", "the peer at %s cannot be reached: %s",
         "The configured backup dials the primary, which does not answer. It goes on dialling.",
         "Look whether the primary runs, at [ha] peer-host and peer-port, and at the firewall."),
        (3102, "warning", "server.ha.member", "the link to the peer is lost: %s%s",
         "The members no longer hear each other; each goes on alone and remembers the session.",
         "Nothing if it was announced; else look at the other member and the network."),
        (3103, "warning", "server.ha.member", "the session has expired",
         "The peer was away longer than session-expiration-timeout: all will be sent anew.",
         "Bring the other member back; until then there is no hot standby."),
        (3104, "warning", "server.ha.member", "%s refused: %s",
         "Somebody connected to the port ha and is not the other member of this pair.",
         "Compare [server] name, peer and role of both members."),
        (3105, "warning", "server.ha.accepting", "closed a connection from %s: %s",
         "Somebody connected to the port ha and did not greet as a member does.",
         "Keep that port on a network you trust; ask who that is."),
        (3106, "error", "server.ha.member", "link %d: %s; hanging up",
         "A message is too long, or the peer reads too slowly; the link is made anew.",
         "If it repeats, lower [ha] chunk-size and look at the network."),
        (3107, "warning", "server.ha.member", "no pair, %s: %s",
         "A greeting was refused, here or there, for that reason. Said once an hour for each.",
         "Compare [server] name, peer, role and redundancy-type of both members."),
        (3108, "warning", "server.ha.member",
         "ADDP: our own timer came %s s late; asking again",
         "This process stood still (a busy machine, a stopped virtual one), not the network.",
         "If it repeats, give the machine more, or raise [ha] addp-timeout."),
        (3109, "warning", "server.ha.member",
         "the peer wants ADDP, and the protocol of our port is default",
         "One member watches the link and the other one does not.",
         "Give [ha] protocol and that of the port ha the same value."),
        (3110, "warning", "server.ha.member", "the peer sent %s, which is newer than we are",
         "The other member is of a later release; the message was passed over.",
         "Bring both members to the same release."),
        (3201, "error", "server.ha.member", "%s: the events %d to %d are lost to us",
         "Neither member has them: values they belong to are marked as not complete.",
         "Look why both members missed them (network, the T-Server's history)."),
        (3202, "error", "server.ha.feeds",
         "%s does not number its events: the pair cannot be exact about it",
         "Without EventSequenceNumber nobody can tell which events a member has had.",
         "Use a feed that numbers its events."),
        (3203, "error", "server.ha.member",
         "%s counts anew from %s: what was before cannot be compared",
         "The T-Server was restarted and its positions began from the start.",
         "Nothing; statistics go on, with what was missed marked as not complete."),
        (3204, "error", "server.ha.member",
         "%s: more than %s events are waiting; going on without",
         "The other member's answer did not come while events kept coming.",
         "Look at the link; [ha] gap-timeout and join-timeout bound the wait."),
        (3205, "warning", "server.ha.member",
         "the peer asked for our picture, and we have none",
         "Both members were started at the same time and neither knows what goes on.",
         "Nothing: the T-Server's snapshots say it."),
        (3206, "warning", "server.ha.member", "a chunk has not been acknowledged for %s s",
         "The peer is slow to install what we pushed; nothing more is sent meanwhile.",
         "Look at the load of the other member and at the network."),
        (3207, "warning", "server.ha.chunk_work", "of what the peer pushed, %s%s",
         "Statistics that the peer replicated cannot be installed here.",
         "Compare configurations and releases of both members."),
        (3208, "warning", "server.ha.member", "the peer's clock is %s s ahead of ours",
         "The wall clocks of the two machines differ; statistics do not go by them.",
         "Look at the time service (NTP) of both machines."),
        (3209, "error", "server.ha.member", "both members of the pair are primary",
         "The run mode of both is primary. Counting is not concerned.",
         "POST /api/role/backup to one of them."),
        (3210, "warning", "server.ha.pair",
         "%d statistics have not reached the other member",
         "The server was stopped before they were replicated: they are nowhere else.",
         "Raise [server] drain-timeout, or look at the link."),
        (3301, "warning", "server.ha.member", "the configurations of the pair differ",
         "Objects, stat types, profiles, ranges or filters are not the same on both.",
         "Bring the files together and reload, one member after the other."),
        (3302, "warning", "server.ha.member", "the peer cannot open: %s%s",
         "Statistics are parked: open here, and not to be had there.",
         "Reload the other member with the same configuration; it is tried again."),
        (3303, "warning", "server.ha.member",
         "the peer deleted %s statistics that our configuration keeps",
         "The configuration of the other member no longer defines them; ours does.",
         "Bring the files together and reload."),
        (3304, "warning", "server.ha.member",
         "the peer's configuration keeps %s statistics that ours deleted",
         "Our configuration no longer defines them; that of the other member does.",
         "Bring the files together and reload the other member."),
        (3305, "error", "server.ha.pair",
         "the other member has not reloaded in %g s; going on",
         "The primary waited for the backup and takes the changed file over now.",
         "Reload the backup."),
        (4001, "info", "server.client_task", "client %s: %s",
         "A client is gone, and why.", "Nothing."),
        (4101, "warning", "server.metrics.exported", "[metrics] %s is not exported: %s",
         "That statistic cannot be opened, so it is missing from /metrics.",
         "Mend it in [metrics] statistics."),
        (4102, "warning", "server.metrics.exported", "[metrics] and %d more are not exported",
         "Besides those that were named.", "See there."),
        (4103, "warning", "server.metrics.exported",
         "[metrics] series-max: %d statistics are not exported",
         "More series than [metrics] series-max allows.", "Raise it, or export fewer."),
        (4104, "error", "server.hub", "%s cannot be computed",
         "A bug: something raises when that statistic is read; the traceback says where. It is "
         "invalid and has no value until it can be read again; the others go on.",
         "Report it. To be rid of it, close the statistic or change its definition."),
        (4105, "error", "server.hub", "and %d more cannot be computed",
         "Besides those that were named.", "See there."),
        (4106, "error", "server.hub", "an event of %s cannot be applied: %s",
         "A bug: something raises when that event is applied; the traceback says where. It is "
         "passed over, as if it had been lost: values of that source are not complete until their "
         "next reset. A hundred in a row end the server.",
         "Report it, with the event. Start the server anew if agents or calls look wrong."),
        (4201, "error", "server.http", "%s %s failed",
         "A page of the management port has failed; the traceback says where. A bug.",
         "Report it. Everything else goes on."),
        (4202, "warning", "server.management", "mode: %s, as ordered",
         "An operator changed the run mode; clients and the other member were told.",
         "Nothing, if it was you."),
        (5001, "info", "server.backup.task",
         "backup file %s: %d statistics, %d bytes in %.2f s",
         "Written.",
         "Nothing."),
        (5002, "info", "server.backup.task", "backup file %s is begun again: %s",
         "Something has changed while it was written that it must have as a whole.",
         "Nothing."),
        (5003, "info", "server.backup.restoring",
         "backup file %s: %d statistics, as of %.0f s ago",
         "Read at the start; what happened since comes from the T-Servers or the peer.",
         "Nothing."),
        (5101, "error", "server.backup.task", "backup file %s is not used: %s",
         "The file is damaged, of another format or another application: a start from nothing.",
         "Restore it from the file before (.1) if the values matter; else nothing."),
        (5102, "error", "server.backup.task", "backup file %s is not written: %s",
         "The disk is full, gone or slow. Said once; the server goes on without.",
         "Make room, or look at the rights of [server] data-dir."),
        (5103, "warning", "server.backup.restoring",
         "backup file: T-Server %s begins from nothing: %s",
         "What the file holds of that source cannot be continued.",
         "Nothing; what it counted before is in the recording, if there is one."),
        (5104, "warning", "server.backup.restoring",
         "backup file: statistic %s is dropped: %s",
         "Its definition has changed or is gone.",
         "Clients that open it again begin anew."),
        (5105, "warning", "server.backup.restoring",
         "backup file: %d more statistics are dropped",
         "Besides those that were named.",
         "See there."),
        (6001, "info", "server.extensions.extension_task",
         "extension %s is running: %d stat types",
         "Loaded; so many stat types can be opened.",
         "Nothing."),
        (6002, "info", "server.extensions.extension_task", "extension %s is unloaded",
         "The configuration no longer has it, or the server stops.",
         "Nothing."),
        (6101, "warning", "server.extensions.extension_task",
         "extension %s took too long to close everything",
         "At the end, or at a reload, its close() did not come back in time; it was cut off.",
         "Ask the extension's author."),
        (6102, "warning", "server.extensions.host",
         "extension %s: %s has a stat type %s of its own",
         "Two of the same name: that of the extension can only be had with its name before it.",
         "Rename one of them."),
        (6103, "warning", "server.extensions.host", "statistic %s of %s: %s",
         "The extension refused a statistic that was open; it is closed.",
         "See the reason; it is the extension's."),
        (6104, "error", "server.extensions.watchdog",
         "extension %s has held up the whole server for %.2f s (task %s); what takes long "
         "belongs into a thread",
         "It computed or waited on the event loop, and nothing else happened meanwhile.",
         "Ask its author to use trio.to_thread, or switch it off."),
    )
)  # fmt: skip

_MARK = re.compile(r"%[-+#0-9.]*[sdgfr]")


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, _MARK.split(template))), re.DOTALL)


# By whether it is news, and the logger: one message may be a warning, or an error if it is worse.
_BY_TEMPLATE = {(m.level == "info", m.logger, m.template): m for m in MESSAGES}
_BY_TEXT: dict[tuple[bool, str], list[tuple[re.Pattern[str], LogMessage]]] = {}
for _each in MESSAGES:
    _of_logger = _BY_TEXT.setdefault((_each.level == "info", _each.logger), [])
    _of_logger.append((_pattern(_each.template), _each))


def find(record: logging.LogRecord) -> LogMessage | None:
    """Which of them a record is; None for what is not numbered."""
    if record.levelno < logging.INFO:
        return None
    is_news, name = record.levelno < logging.WARNING, record.name.removeprefix(f"{PACKAGE}.")
    template = str(record.__dict__.get(TEMPLATE, record.msg))
    found = _BY_TEMPLATE.get((is_news, name, template))
    return found or find_text(is_news, name, record.getMessage())


def find_text(is_news: bool, logger: str, text: str) -> LogMessage | None:
    """The one that this is the text of."""
    patterns = _BY_TEXT.get((is_news, logger), ())
    return next((each for pattern, each in patterns if pattern.fullmatch(text)), None)
