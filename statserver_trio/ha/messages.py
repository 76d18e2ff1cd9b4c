"""What two members of a pair say to each other.

Every message is a msgpack array: its name, then its fields in the order given
here. A newer minor version may add fields at the end; whoever does not know them
passes over them, and whoever misses them uses the default, which is why every
field added after version 1.0 must have one. A message that an older peer may
ignore has a name beginning with ``?`` (hot-standby.md scenario 20).

Positions are those of the sources (exact-sync.md): the same for both members,
and only growing. Wall times are Unix seconds. They say how far the two clocks are
apart, and which of two pictures that reach back equally far is the older one;
nothing else depends on them.
"""

from __future__ import annotations

import enum
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

PROTOCOL_MAJOR = 1  # a different one is refused
PROTOCOL_MINOR = 0  # the lower one of both is spoken
HOT_STANDBY = "Hot Standby"

POSITION_MAX = 2**63 - 1
Position = Annotated[int, Meta(ge=0, le=POSITION_MAX)]
Number = Annotated[int, Meta(ge=0, le=POSITION_MAX)]
Milliseconds = Annotated[int, Meta(ge=0, le=3_600_000)]  # an hour, the maximum of every timer
Positions = dict[str, Position]  # by source
Range = tuple[Position, Position]  # both ends included
Ranges = list[Range]
Event = tuple[Position | None, bytes]  # position (None: a snapshot) and the event's line


class Message(Struct, array_like=True, tag=str.lower):
    """Anything that travels in a frame of its own or, when long, in fragments."""


# -- ADDP, the first and the most urgent -----------------------------------------------


class Config(Message):
    """The connecting side's wish: poll me after that much silence.

    Attributes:
        timeout_ms: 0 = do not poll me.
        trace: Log the ADDP messages on your side.
    """

    timeout_ms: Milliseconds
    trace: bool = False


class ConfigAck(Message):
    """Understood. ``timeout_ms`` is a wish in return; 0 = keep yours."""

    timeout_ms: Milliseconds = 0


class Poll(Message):
    """Are you there?"""

    seq: Number


class Reply(Message):
    """Yes, I heard poll ``seq``."""

    seq: Number


# -- the greeting ----------------------------------------------------------------------


class Memory(Struct, array_like=True, frozen=True):
    """What one side remembers of the session it would like to go on with.

    Attributes:
        received: The number of the last chunk that was installed here.
        acknowledged: The number of the last chunk of ours that the other side
            acknowledged.
    """

    id: str
    peer_boot_id: str
    received: Number
    acknowledged: Number


class Standing(Struct, array_like=True, frozen=True):
    """How good one's picture of a source is (see :mod:`.intake`).

    Attributes:
        lineage: The same for two members whose pictures are folds of the same events.
        since: The position from which on nothing is missing.
        began: When the picture began, by the wall clock of the member where it did; Unix
            seconds.
        replaces: The lineage of a picture that is in old numbers: the source counts anew
            since. Empty if it does not.
    """

    lineage: str
    since: Position
    began: float
    replaces: str = ""


class Greeting(Message):
    """What both sides say of themselves.

    Attributes:
        application: The sender's name; ``other`` is whom it takes us for.
        boot_id: Random, new with every start of the process.
        fingerprint: Of the configuration; a difference is worth a warning.
        mode: ``primary`` or ``backup``: the run mode, not what is configured.
        joining: The sender has applied nothing yet and waits for our state.
        clients: The URL at which clients connect to the sender; empty: not told.
    """

    major: Number
    minor: Number
    product: str
    application: str
    other: str
    redundancy: str
    boot_id: str
    fingerprint: str
    wall: float
    mode: str
    joining: bool
    standings: dict[str, Standing]
    clients: str


class Hello(Greeting):
    """The configured backup knocks.

    Attributes:
        management: The URL at which operators reach the sender; empty: not told.
    """

    memory: Memory | None = None
    management: str = ""


class Welcome(Greeting):
    """The configured primary lets it in, and decides about the session.

    Attributes:
        received: The number of the last chunk of the other side installed here.
        hello_wall: Repeats ``Hello.wall``, for the clock offset.
        management: As in :class:`Hello`.
    """

    session: str
    restored: bool
    received: Number
    hello_wall: float
    management: str = ""


class Reject(Message):
    """The greeting is refused; ``code`` is one of :class:`.session.Refusal`."""

    code: str
    text: str = ""


class Bye(Message):
    """A planned end: the session may be restored."""

    reason: str


# -- replication -----------------------------------------------------------------------


class Kind(enum.Enum):
    """What an item brings."""

    OPEN = "open"  # definition and aggregate
    AGG = "agg"  # the same; the sender knows that the receiver has the statistic
    DEF_ONLY = "def"  # an extension's statistic: its numbers do not travel


class Result(enum.Enum):
    """What became of an item at the receiver."""

    OPENED = "opened"  # unknown until now
    ADOPTED = "adopted"  # known; the sender's aggregate covers more
    KEPT = "kept"  # known; our own covers as much
    KEPT_MORE = "kept-more"  # known; our own covers more, and is pushed in return
    LATE = "late"  # known now, but we could not go back to that position: push it again
    DELETED = "deleted"  # there is a tombstone, or an attribute is gone
    UNRESOLVED = "unresolved"  # the definition names what is not, or otherwise, configured
    UNSUPPORTED = "unsupported"  # needs an extension that is not loaded
    ERROR = "error"  # anything else; logged at the receiver


# After these a statistic is open at the receiver, and means what the sender means by it.
OPEN_NOW = (Result.OPENED, Result.ADOPTED, Result.KEPT, Result.KEPT_MORE, Result.LATE)


class Item(Struct, array_like=True, frozen=True):
    """One statistic.

    Attributes:
        key: The same text on both members for the same statistic.
        definition: All that is needed to open it.
        hash: Of the contents of everything the definition names.
        payload: The aggregate, as the engine writes it.
        coverage: Per source the ranges of positions that the aggregate contains.
        generation: Grows when a deleted statistic is created again.
        held: A client of the sender wants it; else it is a replica there too.
    """

    key: str
    definition: str
    hash: str
    kind: Kind
    payload: bytes
    coverage: dict[str, Ranges] = msgspec.field(default_factory=dict)
    generation: Number = 0
    held: bool = True


class Chunk(Message):
    """Items of one moment.

    Attributes:
        seq: Grows by one per chunk of a session and direction, from 1.
        as_of: The positions of all items, by source.
    """

    session: str
    seq: Number
    as_of: Positions
    wall: float
    items: list[Item]


class ChunkAck(Message):
    """Chunk ``seq`` has been installed.

    Attributes:
        results: In the order of the items.
        positions: Where the receiver stands now; what comes next should not be as of before.
        chunk_wall: Repeats ``Chunk.wall``.
        received_wall, wall: When the chunk came in and when this was sent.
    """

    seq: Number
    results: list[Result]
    positions: Positions
    chunk_wall: float
    received_wall: float
    wall: float


class Want(Message):
    """Please push these again: what we have of them lacks something."""

    keys: list[str]


class Release(Message):
    """No client of ours wants these any longer. Numbered from 1 by each side, in order."""

    number: Number
    keys: list[str]


class ReleaseAck(Message):
    """Release ``number`` has been taken note of."""

    number: Number


# -- deletion --------------------------------------------------------------------------


class Gone(enum.Enum):
    """How a deletion ended at the other side."""

    GONE = "gone"
    STILL_OPEN = "still-open"  # its configuration never said so; both leave it alone


class Delete(Message):
    """Our configuration deleted these: key and generation."""

    keys: list[tuple[str, Number]]


class DeleteAck(Message):
    """Key, generation, and what became of it."""

    results: list[tuple[str, Number, Gone]]


# -- positions, holes, joining ---------------------------------------------------------


class JournalRequest(Message):
    """We missed these positions of a source; both ends included."""

    source: str
    first: Position
    last: Position


class Journal(Message):
    """The events of a source from ``first`` to ``last``.

    ``last`` may be less than was asked for: then the rest is to be asked for
    again. Not ``found``: we do not have all of them, and none are here.
    """

    source: str
    first: Position
    last: Position
    events: list[tuple[Position, bytes]]
    found: bool


class JoinRequest(Message):
    """Send your state of these sources, not older than these positions.

    ``standings`` says how good our pictures are.
    """

    number: Number
    positions: Positions
    standings: dict[str, Standing] = {}


class JoinState(Message):
    """The state of the sources in ``as_of``; those that are missing stay as they are.

    ``standings`` says how good our pictures are, also those that are not in it.
    """

    number: Number
    as_of: Positions
    blob: bytes
    standings: dict[str, Standing]


class Mode(Message):
    """The run mode, and which configuration is in force; told at every change of either."""

    mode: str
    fingerprint: str


# -- the wire's own --------------------------------------------------------------------


class Fragment(Message):
    """A piece of a long message; the last one has no ``more``."""

    more: bool
    data: bytes


class Ignored(Struct, frozen=True):
    """Never sent: an optional message of a newer version was received."""

    name: str


WIRE_TYPES = (
    Config, ConfigAck, Poll, Reply, Hello, Welcome, Reject, Bye, Chunk, ChunkAck, Want, Release,
    ReleaseAck, Delete, DeleteAck, JournalRequest, Journal, JoinRequest, JoinState, Mode, Fragment,
)  # fmt: skip
# Overtake everything else on the wire, so they must stay small.
URGENT_TYPES = (Config, ConfigAck, Poll, Reply, Hello, Welcome, Reject, Bye, Mode)
