"""Scenario 33: statistics of extensions in a pair; each member asks its own copy.

Definitions travel, numbers do not. What a member cannot open for want of the extension is
parked, and opened there as soon as the extension is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import trio
from pair_site import COMMON, SOON, Server, Site

Build = Callable[..., Site]
EXTENSION = """
from statserver_trio.extensions import Extension, StatDef

class Constant(Extension):
    def stat_types(self):
        return [StatDef("Constant", ["Queue"]), StatDef("Grown", ["Queue"], "historical")]

    async def open(self, request, sink):
        sink.set(len(request.object_id))

def extension(params):
    return Constant()
"""
ON, OFF = '"a.py" = true', '"a.py" = false'
OWN, NAMED, GROWN = "Queue:four:Constant", "Queue:eleven chars:Named", "Queue:four:Grown"


def told(folder: Path, on: str = ON) -> str:
    (folder / "ext").mkdir()
    (folder / "ext" / "a.py").write_text(EXTENSION)
    return (
        COMMON
        + '[stat-types.Named]\nObjects = "Queue"\nCategory = "JavaCategory"\n'
        + 'JavaSubCategory = "a.py:Constant"\n'
        + f'[python-config]\npython-extensions-dir = "{folder / "ext"}"\n'
        + f"[python-extensions]\n{on}\n"
    )


def open_there(member: Server) -> dict[str, tuple[int, bool]]:
    """Value of every statistic, and whether it is valid."""
    return {
        f"{s.key.object_type}:{s.key.object_id}:{s.key.stat_type}": (s.pushed.value, s.valid)
        for s in member.engine.statistics.values()
        if s.pushed is not None
    }


EVERYTHING = {OWN: (4, True), NAMED: (12, True), GROWN: (4, True)}


async def test_each_member_asks_its_own_copy(build: Build, tmp_path: Path) -> None:
    site = await build(common=told(tmp_path)).up()
    site.primary.opens(OWN, NAMED, GROWN)
    await trio.sleep(SOON)
    assert [open_there(member) for member in site.both] == [EVERYTHING] * 2
    assert [member["replication.parked"] for member in site.both] == [[], []]
    assert [member.phase for member in site.both] == ["SYNCED", "SYNCED"]
    (extension,) = site.backup["extensions"]
    assert (extension["path"], extension["state"]) == ("a.py", "running")
    assert (extension["restarts"], extension["lastError"]) == (0, "")
    assert extension["openStatistics"] == 3
    await site.primary.kill()
    await trio.sleep(SOON)
    site.backup.opens(OWN)
    assert open_there(site.backup) == EVERYTHING


async def test_what_the_other_one_has_no_extension_for_is_parked_until_it_has(
    build: Build, tmp_path: Path
) -> None:
    site = build(common=told(tmp_path))
    site.backup.edit(ON, OFF)
    await site.up()
    site.primary.opens(OWN, NAMED, GROWN)
    await trio.sleep(SOON)
    parked = site.primary["replication.parked"]
    assert [each["reason"] for each in parked] == ["unsupported"] * 3
    assert all("Constant" in k or "Named" in k or "Grown" in k for k in [p["key"] for p in parked])
    assert open_there(site.backup) == {}
    changes = await site.backup.reload(OFF, ON)
    assert changes.sections["python-extensions"].added == ["a.py"]
    await trio.sleep(SOON)
    assert site.primary["replication.parked"] == []
    assert open_there(site.backup) == EVERYTHING


async def test_paths_are_compared_letter_by_letter(build: Build, tmp_path: Path) -> None:
    site = build(common=told(tmp_path))
    (tmp_path / "ext" / "b.py").symlink_to("a.py")
    site.backup.edit(ON, '"b.py" = true')
    await site.up()
    site.primary.opens(OWN, NAMED)
    await trio.sleep(SOON)
    assert open_there(site.backup) == {}
    reasons = {each["key"]: each["reason"] for each in site.primary["replication.parked"]}
    assert sorted(reasons.values()) == ["unresolved", "unsupported"]  # of OWN, of NAMED


async def test_one_that_unloads_it_does_not_take_it_from_the_other(
    build: Build, tmp_path: Path
) -> None:
    site = await build(common=told(tmp_path), ha="session-expiration-timeout = 60").up()
    site.primary.opens(OWN, NAMED, GROWN)
    site.backup.opens(OWN, mode="ChangesBased")
    await trio.sleep(SOON)
    site.backup.take()
    changes = await site.backup.reload(ON, OFF)
    assert changes.closed == {"the extension a.py was unloaded": 3}
    closed = site.backup.take()[-1]
    assert closed["reason"] == "the extension a.py was unloaded"
    await trio.sleep(SOON)
    assert open_there(site.backup) == {}
    assert open_there(site.primary) == EVERYTHING
    assert len(site.primary["replication.parked"]) == 3
    await site.backup.reload(OFF, ON)
    await trio.sleep(90)
    assert [open_there(member) for member in site.both] == [EVERYTHING] * 2
    assert site.primary["replication.parked"] == []


async def test_definitions_survive_the_restart_of_both(build: Build, tmp_path: Path) -> None:
    site = await build(common=told(tmp_path), backup_minutes=1).up()
    site.primary.opens(OWN, NAMED, GROWN)
    await trio.sleep(SOON)
    await site.primary.stop()
    await site.backup.stop()
    for member in site.both:
        await member.start()
    await trio.sleep(SOON)
    assert [open_there(member) for member in site.both] == [EVERYTHING] * 2


@pytest.mark.parametrize("place", ["open", "start"])
async def test_a_failure_at_one_of_them_is_no_concern_of_the_other(
    build: Build, tmp_path: Path, place: str
) -> None:
    site = await build(common=told(tmp_path)).up()
    file = tmp_path / "ext" / "a.py"
    await site.backup.kill()
    wrong = "return Constant()" if place == "start" else "sink.set(len(request.object_id))"
    file.write_text(EXTENSION.replace(wrong, "raise ValueError('wrong')"))
    await site.backup.start()
    site.primary.opens(OWN)
    await trio.sleep(SOON)
    assert open_there(site.primary) == {OWN: (4, True)}
    if place == "open":
        assert open_there(site.backup) == {OWN: (0, False)}
    assert "wrong" in site.backup["extensions"][0]["lastError"]
    file.write_text(EXTENSION)
    await trio.sleep(20)
    assert open_there(site.backup) == {OWN: (4, True)}
