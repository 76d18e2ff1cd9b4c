"""Sentences about options and categories, where the code has none that a reader could use.

A key is looked for here when the class in ``config/schema.py`` does not describe it. A name that
is in neither place makes ``make reference`` fail, so that somebody writes a sentence.
"""

from __future__ import annotations

_CERTIFICATE = "PEM file with the certificate that we show."
_KEY = "PEM file with its private key."
_CA = "PEM file with the certificates whose signature is believed."

OPTIONS = {
    "server.name": "The application name: in logs, in the backup file, and what the other member "
    "of a pair has to say.",
    "server.redundancy-type": "Of a pair. Both members have to say `hot-standby`.",
    "server.debug-level": "What is logged in detail. `all` does not include `HA`.",
    "listen.certificate": _CERTIFICATE,
    "listen.certificate-key": _KEY,
    "listen.certificate-key-password-file": "A file with that password, and nothing else.",
    "listen.trusted-ca": _CA + " Needed with `tls-mutual`.",
    "listen.tls-mutual": "Whoever connects has to show a certificate, too.",
    "ha.certificate": _CERTIFICATE + " Needed where the primary's port has `tls-mutual`.",
    "ha.certificate-key": _KEY,
    "ha.trusted-ca": _CA + " Required with `secured`.",
    "ha.tls-target-name-check": "The primary's certificate has to name `peer-host`.",
    "ha.addp-timeout": "Silence on the link after which the backup polls the primary. No answer "
    "for as long again: the link is lost.",
    "ha.addp-remote-timeout": "The same for the primary, which the backup tells it.",
    "ha.chunk-size": "Statistics that are replicated as one unit.",
    "ha.connect-timeout": "From one attempt of the backup to reach the primary to the next.",
    "ha.session-expiration-timeout": "How long after the loss of the link a session can still be "
    "restored. Later, everything travels.",
    "ha.session-expiration-period": "How often expired sessions are looked for.",
    "tserver.name": "What the source is called in logs and in the status.",
    "tserver.switch": "The switch whose DNs it tells of: what follows the `@` of `8001@sw1`.",
    "tserver.kind": "The form of the feed: T-events as JSON lines.",
    "tserver.host": "Where it listens.",
    "tserver.port": "Where it listens.",
    "tserver.addp-timeout": "Silence after which it is polled.",
    "tserver.connect-timeout": "For one attempt to connect.",
    "tserver.secured": "Connect with TLS; verified against `trusted-ca`.",
    "tserver.trusted-ca": _CA + " Required with `secured`.",
    "record.path": "The file. With several T-Servers there is one for each, with its name in it.",
    "record.max-bytes": "A file that is larger is put aside, and another one begun.",
    "record.max-files": "How many are kept, the present one included.",
    "limits.clients": "Connected at once; a further one is turned away with HTTP 503.",
    "limits.statistics-per-client": "Open at once; one more is refused with the code `limit`.",
    "limits.message-bytes": "Of one request.",
    "interactions.queues": "Interaction queues, for the object type StagingArea.",
    "interactions.workbins": "For the object type Workbin.",
    "interactions.strategies": "For the object type RoutingStrategy.",
    "dns.number": "As the switch calls it.",
    "dns.switch": "The switch it is on.",
    "dns.type": "What it is. At queues and route points calls wait; at all others people answer.",
    "agents.id": "The agent's id, as in `AgentID` of the events.",
    "agents.skills": "Levels by skill, for virtual agent groups.",
    "places.name": "What the place is called.",
    "places.dns": "The DNs on it.",
    "places.capacity-rule": "One of `[capacity-rules]`, for whoever works there and has none.",
    "agent-groups": "Agent groups: the ids of their agents by the name of the group.",
    "place-groups": "Place groups: names of places by the name of the group.",
    "virtual-agent-groups": "Agent groups whose members follow a condition: "
    '`Help = \'Skill("Spanish") > 5 & LoggedIn("8001@sw1")\'`.',
    "capacity-rules": "How many interactions of which medium somebody can have at once, one way "
    'after the other: `Blended = "voice = 1 | chat = 3, email = 1"`.',
    "queue-groups": "Groups of queues and route points, as `number@switch`.",
    "origination-dns": "Queues that the agents of a group serve although no login names them, by "
    "the name of an agent or place group.",
    "campaigns": "Campaigns: the agent groups that work for each.",
    "business-attributes": "Attributes of attached data that a stat type may be restricted to, "
    "and the values of each; see *Stat types* in [Statistics](statistics.md#stat-types).",
    "time-profiles": 'Since when a historical statistic counts, as `"Name,Kind" = "value"`; '
    "see [Statistics](statistics.md#time-profiles).",
    "time-ranges": 'Which durations count: `Range0-20 = "0-20"`, seconds, the second one not '
    "included.",
    "filters": "Conditions on the attached data of calls: `Spanish = "
    '\'PairExists("Language","Spanish")\'`.',
    "stat-types": "A table `[stat-types.Name]` for each stat type, with options in the vendor's "
    "spelling; see [Statistics](statistics.md#stat-types).",
    "python-extensions": 'Which extensions are loaded (`"tickets.py" = true`), and their '
    "parameters; see [Writing an extension](../extensions.md).",
    "java-config": "Of an existing site. Warned about, and passed over.",
    "java-extensions": "Of an existing site. Warned about, and passed over.",
}

# Main and Rel are what MainMask and RelMask count; TR is the time range. A division by 0 gives 0.
CATEGORIES = {
    "TotalNumber": "how many: actions that ended or occurred in the interval, or periods of a "
    "status that reached into it",
    "TotalTime": "their time, as far as it lies in the interval",
    "TotalAdjustedNumber": "how many ended in the interval",
    "TotalAdjustedTime": "their full time, also what lies before the interval",
    "MaxTime": "the longest",
    "MinTime": "the shortest of those that ended",
    "MaxNumber": "the most at one time",
    "MinNumber": "the fewest at one time",
    "TotalContinuousNumber": "how often the status came into the mask, changes inside not counted",
    "TotalNumberInTimeRange": "how many ended with a duration in TR",
    "TotalNumberInTimeRangePercentage": "100 × those in TR / Rel, or Main where there is no Rel",
    "TotalTimeInTimeRange": "the time of those in TR",
    "ServiceFactor1": "100 × answered in TR / (answered + abandoned − abandoned in the second TR)",
    "AverageTime": "TotalAdjustedTime of Main / TotalAdjustedNumber of Rel, or of Main",
    "RelativeNumber": "TotalNumber of Main / that of Rel",
    "RelativeNumberPercentage": "the same × 100; only those in TR, if the request names one",
    "RelativeTimePercentage": "100 × TotalTime of Main / that of Rel",
    "AverageNumberPerRelativeHour": "3600 × TotalNumber of Main / TotalTime of Rel",
    "EstimTimeToEndCurrentNumber": "CurrentNumber of Main / (TotalNumber of Rel per second)",
    "ElapsedTimePercentage": "100 × TotalTime / length of the interval",
    "TotalNumberPerSecond": "TotalNumber / length of the interval",
    "AverageOfCurrentNumber": "CurrentNumber, averaged over the interval, exactly",
    "AverageOfCurrentTime": "CurrentTime, averaged over the interval, exactly",
    "EstimWaitTime": "calls waiting × handling time / active agents",
    "ExpectedWaitTime2": "calls waiting / (calls distributed per second)",
    "LoadBalance": "−(ready agents) while nobody waits, else EstimWaitTime",
    "CurrentNumber": "how many go on now, or how many members have such a status",
    "CurrentTime": "how long those have lasted, added up",
    "CurrentMaxTime": "how long the longest of them has lasted",
    "CurrentMinTime": "how long the shortest of them has lasted",
    "CurrentAverageTime": "CurrentTime of Main / CurrentNumber of Rel, or of Main",
    "CurrentNumberInTimeRange": "how many of them have lasted for a time in TR",
    "CurrentNumberInTimeRangePercentage": "100 × those / CurrentNumber",
    "CurrentRelativeNumberPercentage": "100 × CurrentNumber of Main / that of Rel",
    "CurrentRelativeTimePercentage": "100 × CurrentTime of Main / that of Rel",
    "CurrentContinuousTime": "for how long the status has been in the mask",
    "CurrentState": "the status as a tree: the object, what belongs to it, what goes on there",
    "CurrentStateReasons": "the same with the reasons that agents gave",
    "CurrentTargetState": "what may be sent to an agent, per medium; told target by target",
    "TotalCustomValue": "the sum of `Formula` over what ended",
    "AverageCustomValue": "its average",
    "MaxCustomValue": "its greatest value",
    "MinCustomValue": "its least value",
    "CurrentCustomValue": "the sum of `Formula` over what goes on",
    "CurrentAverageCustomValue": "its average",
    "CurrentMaxCustomValue": "its greatest value",
    "CurrentMinCustomValue": "its least value",
    "TotalDistinctTime": "the time in which at least one of them went on",
    "CurrentDistinctNumber": "how many calls they belong to",
    "Formula": "whatever `Expression` says",
}
