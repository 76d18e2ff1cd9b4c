"""Who and what takes part in a call: agents at their desks, queues, calls."""

from __future__ import annotations

from attrs import define, field

from .agenda import Process

UserData = dict[str, object]


@define(eq=False)
class Agent:
    """An agent at his desk.

    Attributes:
        dn: His telephone.
        queues: Whose calls he takes, the virtual queue included.
        logins: The queues the switch logs him in on.
        busy: Somebody's story has him: no other may, until it lets him go.
        ready: He was last told Ready.
        day: His own story, which logs him in, sends him to lunch and home.
        awaited: His day waits for him to be free.
    """

    name: str
    dn: str
    place: str
    group: str
    queues: tuple[Queue, ...] = ()
    logins: tuple[str, ...] = ()
    logged_in: bool = False
    ready: bool = False
    busy: bool = False
    day: Process | None = None
    awaited: bool = False


@define(eq=False)
class Queue:
    """A queue or virtual queue: calls wait for agents, or agents for calls.

    Both are dictionaries because these keep their order: the first waits longest.
    A waiting call goes with the time it came.
    """

    dn: str
    waiting: dict[Call, float] = field(factory=dict)
    idle: dict[Agent, None] = field(factory=dict)


@define(eq=False)
class Call:
    """One call; what all its events repeat.

    Attributes:
        queues: Where it waits at the moment.
        this_queue: The queue that distributed it, if one did.
        agent: Who shall take it, once there is somebody.
        story: Its story, to be woken when there is.
        transfers: How often it was passed on; a call is passed on once.
    """

    conn_id: str
    call_type: str
    ani: str = ""
    dnis: str = ""
    user_data: UserData | None = None
    queues: tuple[Queue, ...] = ()
    this_queue: str = ""
    agent: Agent | None = None
    story: Process | None = None
    transfers: int = 0
