"""The board of the demo: which statistics it opens, and how it shows them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

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
    Column("waiting", "CurrNumberWaitingCalls"),
    Column("longest", "CurrMaxCallWaitingTime", "time"),
    Column("entered", "Total_Calls_Entered"),
    Column("answered", "Total_Calls_Answered"),
    Column("abandoned", "Total_Calls_Abandoned"),
    Column("in 20 s", "Service_Level", "percent"),
    Column("answer time", "Average_Answer_Time", "time"),
)
GROUP_COLUMNS = (
    Column("logged in", "CurrentAgentsLoggedIn"),
    Column("ready", "CurrentReadyAgents"),
    Column("not ready", "CurrNumberNotReadyStatuses"),
    Column("inbound", "CurrNumberInboundStatuses"),
    Column("calls", "Total_Calls_Handled"),
    Column("handle time", "Average_Handle_Time", "time"),
    Column("occupancy", "Occupancy", "percent"),
)
AGENT_COLUMNS = (
    Column("status", "CurrentAgentState", "status"),
    Column("since", "TimeInCurrentState", "time"),
    Column("calls", "Total_Calls_Handled"),
    Column("talk", "Total_Talk_Time", "time"),
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


def minutes(seconds: float) -> str:
    """``m:ss``, with hours where there are any."""
    whole = int(seconds)
    hours, rest = divmod(whole, 3600)
    shown = f"{rest // 60}:{rest % 60:02d}"
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else shown


def written(value: Any, form: str) -> Text:
    """A value as it stands in a cell; a dash before the first one."""
    if value is None:
        return Text("-", style="bright_black")
    if form == "status":
        status = str(value["status"]) if isinstance(value, dict) else str(value)
        return Text(status, style=COLOURS.get(status, "blue"))
    if form == "time":
        return Text(minutes(value))
    return Text(f"{value:.0f} %" if form == "percent" else f"{value:g}")


class Board:
    """What the demo shows.

    Attributes:
        address: Where the Stat Server is.
        values: The latest value of each cell.
        notices: How many values have come in.
    """

    def __init__(self, address: tuple[str, int], speed: float) -> None:
        self.values: dict[Cell, Any] = {}
        self.notices = 0
        self.address = address
        self._speed = speed

    def cells(self) -> Iterator[Cell]:
        """Everything that has to be opened."""
        for object_type, ids, columns in (
            ("Queue", QUEUES, QUEUE_COLUMNS),
            ("GroupAgents", GROUPS, GROUP_COLUMNS),
            ("Agent", AGENTS, AGENT_COLUMNS),
        ):
            for object_id in ids:
                for column in columns:
                    yield Cell(object_type, object_id, column.stat_type)

    def take(self, cell: Cell, value: Any) -> None:
        """A new value."""
        self.values[cell] = value
        self.notices += 1

    def table(self) -> RenderableType:
        """The board as it stands now."""
        host, port = self.address
        heading = Text.assemble(
            ("statserver-trio demo", "bold"),
            f"   {self._speed:g} times as fast as life   {self.notices} values received   "
            f"clients: ws://{host}:{port}/   Ctrl-C ends it",
        )
        half = len(AGENTS) // 2
        agents = Columns(
            [
                self._table("Agent", "agent", AGENTS[:half], AGENT_COLUMNS),
                self._table("Agent", "agent", AGENTS[half:], AGENT_COLUMNS),
            ]
        )
        return Group(
            heading,
            self._table("Queue", "queue", QUEUES, QUEUE_COLUMNS),
            self._table("GroupAgents", "group", GROUPS, GROUP_COLUMNS),
            agents,
        )

    def _table(
        self, object_type: str, heading: str, ids: tuple[str, ...], columns: tuple[Column, ...]
    ) -> Table:
        table = Table(show_edge=False, header_style="bold")
        table.add_column(heading)
        for column in columns:
            width = 20 if column.form == "status" else None
            justify = "left" if column.form == "status" else "right"
            table.add_column(column.heading, justify=justify, min_width=width)  # type: ignore[arg-type]
        for object_id in ids:
            cells = [
                written(self.values.get(Cell(object_type, object_id, c.stat_type)), c.form)
                for c in columns
            ]
            table.add_row(object_id.partition("@")[0], *cells)
        return table
