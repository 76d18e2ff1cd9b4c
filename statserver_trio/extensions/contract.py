"""The contract between the server and an extension.

What the server calls and when, and what an extension may do. Everything but the loading
happens in the server's one event loop (Trio): whoever waits, waits with ``await``. A step
without ``await`` holds up everybody, and nobody can stop it; what takes long is done in a
thread (``trio.to_thread.run_sync``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import trio
from attrs import field, frozen

Value = int | float | str | dict[str, Any] | list[Any]


class Refused(Exception):
    """Raise it in :meth:`Extension.open`: this one statistic cannot be had, and why.

    The statistic is closed, and its clients are told the reason. Anything else that is
    raised anywhere is a failure of the extension.
    """


@frozen
class StatDef:
    """One statistic that an extension offers.

    Attributes:
        name: What clients ask for, or a stat type names in ``PythonSubCategory``; without
            colons.
        objects: Object types: ``Agent``, ``Place``, ``Queue`` and so on.
        kind: ``current``: what is now. ``historical``: since the interval of the request's
            time profile began.
        result: ``int`` (of 64 bits), ``float`` (no infinity), ``str`` (10 000 characters at
            most), or ``object``: whatever JSON can say, in 64 KiB.
        description: For people.
    """

    name: str
    objects: Sequence[str]
    kind: str = "current"
    result: str = "int"
    description: str = ""


@frozen
class Profile:
    """Since when a historical statistic counts.

    Attributes:
        kind: ``Growing``: the server tells when the interval begins anew
            (:meth:`Extension.reset`). ``Sliding``: over the last ``length`` seconds, in steps;
            that is the extension's to work out. Others may come: raise :class:`Refused`.
        text: As it is configured.
        length, step: Seconds; 0 unless Sliding.
    """

    name: str
    kind: str
    text: str = ""
    length: float = 0.0
    step: float = 0.0


@frozen
class Request:
    """What one statistic is about. The names are those of the request.

    Attributes:
        stat: Name of the :class:`StatDef`.
        stat_type: Name under which clients ask for it.
        object_type, object_id: Whose; it need not be an object that the server knows.
        profile: None of a current one.
        filter, time_range, time_range2: Names, empty if none; texts are as configured.
    """

    stat: str
    stat_type: str
    object_type: str
    object_id: str
    tenant: str
    profile: Profile | None = None
    filter: str = ""
    filter_text: str = ""
    time_range: str = ""
    time_range_text: str = ""
    time_range2: str = ""
    options: Mapping[str, str] = field(factory=dict)


class Sink(Protocol):
    """Where the values of one statistic go; call it from the event loop only."""

    def set(self, value: Value) -> None:
        """The value is this from now on.

        It may be called as often as one likes: clients are told the latest one a few times
        a second. After the statistic was closed it does nothing.

        Raises:
            TypeError: That is not what the statistic promised to be.
            ValueError: It is too big.
        """


class Extension:
    """An extension; all its statistics come from one object of a class of yours.

    A call that takes more than ten seconds, or raises anything (but :class:`Refused` in
    :meth:`open`), is a failure: the statistics become invalid, the module is loaded anew
    after a pause, and all of them are opened again.
    """

    def stat_types(self) -> list[StatDef]:
        """What is offered; asked once, in the thread in which the module was loaded."""
        raise NotImplementedError("an extension must have stat_types(), a list of StatDef")

    async def open(self, request: Request, sink: Sink) -> Any:
        """Begin to tell the value of a statistic; several may be opened at once.

        Returns:
            Whatever names the statistic in the other calls.
        """
        raise NotImplementedError("an extension must have open(request, sink)")

    async def reset(self, handle: Any) -> None:
        """A historical statistic begins anew: its interval is over.

        The value is nothing (0, ``""``, ``{}``) until it is set again. What is set between
        the reset point and this call is of the old interval, and is dropped.
        """

    async def close(self, handle: Any) -> None:
        """Nobody wants the statistic any more."""

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        """Whatever has to run in the background, connections for instance.

        Call ``task_status.started()`` when statistics can be opened. It may return: then
        nothing runs in the background. When the extension is unloaded it is cancelled.
        """
        task_status.started()
