"""Loading an extension for real: in a thread, from the folder that comes with the project."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from statserver_trio.server.extensions.loading import load

ROOT = Path(__file__).parents[2]
HERE = """
import threading
from dataclasses import dataclass
from statserver_trio.extensions import Extension, StatDef

@dataclass
class Thread:  # finds its module by name
    name: "str"

class Where(Extension):
    def stat_types(self):
        return [StatDef(Thread(threading.current_thread().name).name, ["Agent"])]

def extension(params):
    assert threading.current_thread() is not threading.main_thread()
    return Where()
"""

WITHOUT_STAT_TYPES = """
from statserver_trio.extensions import Extension

def extension(params):
    return Extension()
"""


def left_behind(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*")]


async def test_what_it_does_while_it_is_loaded_it_does_in_a_thread(tmp_path: Path) -> None:
    (tmp_path / "where.py").write_text(HERE)
    loaded = await load("where.py", str(tmp_path), {}, trio.CapacityLimiter(1))
    (offer,) = loaded.offers
    assert offer.name != "MainThread"
    assert left_behind(tmp_path) == ["where.py"]


async def test_the_example_can_be_loaded() -> None:
    params = {"tickets-file": "nowhere.json"}
    folder = str(ROOT / "conf" / "extensions")
    loaded = await load("tickets.py", folder, params, trio.CapacityLimiter(1))
    assert [(offer.name, offer.kind, offer.result) for offer in loaded.offers] == [
        ("Open_Tickets", "current", "int"),
        ("Oldest_Ticket", "current", "float"),
        ("Tickets_By_Priority", "current", "object"),
        ("Solved_Tickets", "historical", "int"),
    ]


async def test_one_that_offers_nothing_is_told_what_it_must_have(tmp_path: Path) -> None:
    (tmp_path / "nothing.py").write_text(WITHOUT_STAT_TYPES)
    with pytest.raises(NotImplementedError, match=r"must have stat_types\(\), a list of StatDef"):
        await load("nothing.py", str(tmp_path), {}, trio.CapacityLimiter(1))
