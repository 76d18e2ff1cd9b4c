"""A client of a Stat Server: open statistics, follow their values.

::

    async with open_statserver("ws://127.0.0.1:7100/") as stats:
        waiting = await stats.open("Queue:8001@sw1:CurrNumberWaitingCalls")
        async for update in stats:
            print(update.statistic, update.value)

Requests may be made by several tasks at once, before and while somebody iterates.
When the connection is lost, requests and the iteration raise
:class:`ConnectionLost`; connect again and open anew.

Of a pair give both URLs, and there is nothing to do when one of them dies::

    async with open_statserver("ws://a:7100/", "ws://b:7100/") as stats:

:func:`stay_connected` does the same with any number of URLs: who follows one server for a long
time need not connect again himself.
"""

from .connection import connect_over, parse_url
from .members import Reach
from .opening import open_statserver, stay_connected
from .pair import StatServerPair
from .statserver import ConnectionLost, OpenStatistic, Refused, StatServer, Update

__all__ = [
    "ConnectionLost",
    "OpenStatistic",
    "Reach",
    "Refused",
    "StatServer",
    "StatServerPair",
    "Update",
    "connect_over",
    "open_statserver",
    "parse_url",
    "stay_connected",
]
