"""The board of the demo: which statistics it opens, and how it shows those of both members."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from attrs import define, field
from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text


class Cell(NamedTuple):
    """One value on the board: a statistic of an object."""

    object_type: str
    object_id: str
    stat_type: str


class Column(NamedTuple):
    """A column of a table: its heading, its stat type, and how a value is written."""

    heading: str
    stat_type: str
    form: str = "number"


QUEUES = ("8001@sw1", "8002@sw1", "8003@sw1")
GROUPS = ("Sales", "Support")
AGENTS = tuple(f"a{number}" for number in range(1, 21))

QUEUE_COLUMNS = (
    Column("wait", "CurrNumberWaitingCalls"),
    Column("longest", "CurrMaxCallWaitingTime", "time"),
    Column("in", "Total_Calls_Entered"),
    Column("answ", "Total_Calls_Answered"),
    Column("aband", "Total_Calls_Abandoned"),
    Column("in 20 s", "Service_Level", "percent"),
    Column("ASA", "Average_Answer_Time", "time"),
)
GROUP_COLUMNS = (
    Column("log", "CurrentAgentsLoggedIn"),
    Column("ready", "CurrentReadyAgents"),
    Column("not r", "CurrNumberNotReadyStatuses"),
    Column("inb", "CurrNumberInboundStatuses"),
    Column("calls", "Total_Calls_Handled"),
    Column("AHT", "Average_Handle_Time", "time"),
    Column("occ", "Occupancy", "percent"),
)
AGENT_COLUMNS = (
    Column("status", "CurrentAgentState", "status"),
    Column("since", "TimeInCurrentState", "time"),
    Column("calls", "Total_Calls_Handled"),
    Column("talk", "Total_Talk_Time", "time"),
)
TABLES: tuple[tuple[str, str, tuple[str, ...], tuple[Column, ...]], ...] = (
    ("Queue", "queue", QUEUES, QUEUE_COLUMNS),
    ("GroupAgents", "group", GROUPS, GROUP_COLUMNS),
    ("Agent", "agent", AGENTS, AGENT_COLUMNS),
)
COLOURS = {
    "WaitForNextCall": "green",
    "NotReadyForNextCall": "yellow",
    "AfterCallWork": "cyan",
    "CallRinging": "magenta",
    "CallOnHold": "red",
    "LoggedOut": "bright_black",
    "NotMonitored": "bold red",
}
FORMS = {
    Cell(object_type, object_id, column.stat_type): column.form
    for object_type, _, ids, columns in TABLES
    for object_id in ids
    for column in columns
}
# What two values may differ by, because they were read at two moments.
TOLERANCE = {"number": 0.0, "time": 2.0, "percent": 2.0}
DRIFT_SECONDS = 3.0  # a difference that lasts longer is none of the network


def minutes(seconds: float) -> str:
    """``m:ss``, with hours where there are any."""
    whole = int(seconds)
    hours, rest = divmod(whole, 3600)
    shown = f"{rest // 60}:{rest % 60:02d}"
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else shown


def status_of(value: Any) -> str:
    """The name of the status in a value of a state."""
    return str(value["status"]) if isinstance(value, dict) else str(value)


def written(value: Any, form: str) -> Text:
    """A value as it stands in a cell; a dash before the first one."""
    if value is None:
        return Text("-", style="bright_black")
    if form == "status":
        status = status_of(value)
        return Text(status, style=COLOURS.get(status, "blue"))
    if form == "time":
        return Text(minutes(value))
    return Text(f"{value:.0f} %" if form == "percent" else f"{value:g}")


def agree(form: str, one: Any, other: Any) -> bool:
    """Whether two members say the same."""
    if form == "status":
        return status_of(one) == status_of(other)
    return abs(float(one) - float(other)) <= TOLERANCE[form]


def _named(cell: Cell) -> dict[str, Any]:
    names = ("objectType", "objectId", "statisticType")
    return dict(zip(names, cell, strict=True))


@define(eq=False)
class Side:
    """One member, as its client sees it.

    Attributes:
        board_url: Of its wallboard.
        state: What has become of it, in a few words.
        values: The latest value of each cell; empty while there is no connection.
        status: Its own, of ``/api/status``.
    """

    name: str
    url: str
    board_url: str = ""
    state: str = "starting"
    values: dict[Cell, Any] = field(factory=dict)
    status: dict[str, Any] | None = None

    @property
    def is_synchronised(self) -> bool:
        """Whether it is connected, and says that the pair is in step."""
        peer = (self.status or {}).get("peer") or {}
        return bool(self.values) and bool(peer.get("synchronised"))


@define(eq=False)
class Board:
    """What the demo shows.

    Attributes:
        notices: How many values have come in.
        drifted: Cells whose values have differed for longer than :data:`DRIFT_SECONDS`
            while the pair was in step, ever.
        compared: How often two values were compared.
    """

    sides: Sequence[Side]
    speed: float
    keys: str = ""
    notices: int = 0
    kills: int = 0
    compared: int = 0
    drifted: dict[Cell, float] = field(factory=dict)
    _differs_since: dict[Cell, float] = field(factory=dict)

    def cells(self) -> Iterator[Cell]:
        """Everything that has to be opened."""
        return iter(FORMS)

    def take(self, side: Side, cell: Cell, value: Any) -> None:
        """A new value."""
        side.values[cell] = value
        self.notices += 1

    def compare(self, now: float) -> None:
        """Look whether the two members say the same; ``now`` in seconds."""
        one, other = self.sides
        if not (one.is_synchronised and other.is_synchronised):
            self._differs_since.clear()
            return
        for cell, form in FORMS.items():
            mine, theirs = one.values.get(cell), other.values.get(cell)
            self.compared += 1
            if mine is not None and theirs is not None and agree(form, mine, theirs):
                self._differs_since.pop(cell, None)
                continue
            since = self._differs_since.setdefault(cell, now)
            if now - since > DRIFT_SECONDS:
                self.drifted[cell] = now

    def result(self) -> dict[str, Any]:
        """What has come of it, for a program."""
        return {
            "speed": self.speed,
            "kills": self.kills,
            "valuesReceived": self.notices,
            "comparisons": self.compared,
            "drifted": [_named(cell) for cell in self.drifted],
            "members": [
                {
                    "name": side.name,
                    "url": side.url,
                    "state": side.state,
                    "synchronised": side.is_synchronised,
                    "values": [_named(c) | {"value": value} for c, value in side.values.items()],
                }
                for side in self.sides
            ],
        }

    # -- how it looks ------------------------------------------------------------------------

    def table(self) -> RenderableType:
        """The board as it stands now, the two members side by side."""
        heading = Text.assemble(
            ("statserver-trio demo", "bold"),
            f"   {self.speed:g} times as fast as life   {self.notices} values received   ",
            (self.keys, "bright_black"),
        )
        return Group(heading, self._verdict(), Columns([self._side(each) for each in self.sides]))

    def wallboards(self) -> Text:
        """Where they are; either shows both members, and goes on when the other one is killed."""
        addresses = " or ".join(side.board_url for side in self.sides)
        return Text.assemble("wallboard, in a browser: ", (addresses, "bold cyan"))

    def _verdict(self) -> Text:
        if self.drifted:
            cells = ", ".join(" ".join(cell) for cell in list(self.drifted)[:3])
            return Text(f"{len(self.drifted)} values have drifted apart: {cells}", "bold red")
        said = f"{self.kills} kills; no value has differed for more than {DRIFT_SECONDS:g} s"
        return Text(f"{said} ({self.compared} comparisons)", "green")

    def _side(self, side: Side) -> RenderableType:
        lines = [Text.assemble((side.name, "bold"), f"  {side.url}  {side.state}")]
        lines += [Text(line, "bright_black") for line in self._facts(side.status)]
        return Group(*lines, *(self._table(side, *each) for each in TABLES))

    def _facts(self, status: dict[str, Any] | None) -> tuple[str, str]:
        if status is None or status["session"] is None:
            return "no status", ""
        session, replication, source = (
            status["session"],
            status["replication"],
            status["sources"][0],
        )
        return (
            f"{status['mode']}, {session['phase']}, session {str(session['id'])[:8]}, "
            f"restored {session['restored']}, new {session['new']}",
            f"position {source['position']}, holes repaired {source['gaps']['repaired']}, "
            f"sent {replication['statisticsSent']}, received {replication['statisticsReceived']}",
        )

    def _table(
        self,
        side: Side,
        object_type: str,
        heading: str,
        ids: tuple[str, ...],
        columns: tuple[Column, ...],
    ) -> Table:
        table = Table(show_edge=False, header_style="bold", padding=(0, 0))
        table.add_column(heading)
        for column in columns:
            width = 19 if column.form == "status" else None
            justify = "left" if column.form == "status" else "right"
            table.add_column(column.heading, justify=justify, min_width=width)  # type: ignore[arg-type]
        for object_id in ids:
            cells = [Cell(object_type, object_id, each.stat_type) for each in columns]
            shown = [
                self._shown(side, cell, column.form)
                for cell, column in zip(cells, columns, strict=True)
            ]
            table.add_row(object_id.partition("@")[0], *shown)
        return table

    def _shown(self, side: Side, cell: Cell, form: str) -> Text:
        text = written(side.values.get(cell), form)
        if cell in self.drifted:
            text.stylize("bold red")
        return text
