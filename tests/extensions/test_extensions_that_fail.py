"""An extension that does not behave: broken, slow, flooding, lying, in the wrong place."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
import trio
from extension_house import OBEDIENT, SOON, House

from statserver_trio.server.extensions import watchdog
from statserver_trio.server.extensions.sinks import StatisticSink, checked
from statserver_trio.server.extensions.watchdog import Watchdog, whose

ON = '"a.py" = true'


@pytest.mark.parametrize("where", ["extension", "stat_types", "run"])
async def test_one_that_cannot_be_started_hurts_nobody(house: House, where: str) -> None:
    house.write()
    house.write("b.py")
    await house.up(ON, '"b.py" = true', f'breaks = "{where}"')
    assert house.status()["state"] == "failed"
    assert house.status()["lastError"].startswith(f"ValueError: {where} is broken (line ")
    house.opens("Entered", "8001@sw1")
    await trio.sleep(60)
    assert house.hub.engine.statistics
    assert 4 <= house.status()["restarts"] <= 7  # 1 + 2 + 4 + 8 + 16 s


@pytest.mark.parametrize("where", ["open", "reset", "close", "later"])
async def test_a_failure_invalidates_its_statistics_and_no_others(house: House, where: str) -> None:
    house.write()
    house.write("b.py", OBEDIENT.replace('self.params.get("breaks")', "None"))
    await house.up(ON, '"b.py" = true', f'breaks = "{where}"', "lives = 10")
    house.opens("Since", timeProfile="Hour")
    house.opens("Named", "q2")
    house.hears()
    if where == "close":
        await trio.sleep(SOON)
        house.asks("CloseStatistic", statisticId=2)
    await trio.sleep(3602 if where == "reset" else 12)
    status = house.status()
    assert status["lastError"].startswith(f"ValueError: {where} is broken (line ")
    assert status["restarts"] >= 1
    assert house.status("b.py")["lastError"] == ""
    kinds = [event["event"] for event in house.hears()]
    if where != "open":  # there it has never been valid
        assert "StatisticInvalid" in kinds


async def test_after_a_restart_everything_is_opened_again(house: House) -> None:
    house.write()
    await house.up(ON, 'breaks = "later"', "lives = 10")
    house.opens("Now")
    house.opens("Since", timeProfile="Hour")
    await trio.sleep(SOON)
    house.hears()
    first = house.extension()
    first.sinks["q1"].set(5)
    await trio.sleep(9.5)
    assert house.status()["state"] == "failed"
    told = house.hears()
    reasons = {e["reason"] for e in told if e["event"] == "StatisticInvalid"}
    assert len(reasons) == 1
    assert "the extension a.py has failed: ValueError: later is broken" in reasons.pop()
    house.opens("Now", "q3")  # can be opened all the same
    house.hears()
    await trio.sleep(2)
    assert sorted(map(str, house.told())).count("StatisticValid") == 3
    second = house.extension()
    assert second is not first
    assert sorted(second.calls) == ["open q1", "open q1", "open q3"]
    first.sinks["q1"].set(9)  # that one is dead
    await trio.sleep(SOON)
    assert house.told() == []
    (peek,) = house.asks("PeekStatistic", statisticId=2)
    assert peek["complete"] is False  # nobody knows what it has missed


async def test_a_call_that_does_not_return_is_a_failure(house: House) -> None:
    house.write()
    await house.up(ON)
    house.opens("Now", "forever")
    await trio.sleep(10.5)
    assert house.status()["lastError"].startswith("TooSlowError: open() did not return within 10 s")


async def test_a_file_that_hangs_while_it_is_loaded(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.write()
    at_once, hung = trio.to_thread.run_sync, []

    async def run_sync(work: Any, *arguments: Any, limiter: Any = None, **options: Any) -> Any:
        if limiter is None or hung:
            return await at_once(work, *arguments)
        hung.append(limiter)
        await trio.sleep_forever()

    monkeypatch.setattr(trio.to_thread, "run_sync", run_sync)
    await house.up(ON)
    assert trio.current_time() >= 30
    assert house.status()["lastError"].startswith("TooSlowError: loading did not come to an end")
    assert hung[0].total_tokens == 1
    await trio.sleep(2)
    assert house.status()["state"] == "running"


async def test_run_has_to_say_that_it_has_started(house: House) -> None:
    house.write()
    await house.up(ON, 'breaks = "never started"')
    await trio.sleep(10.5)
    assert "run() did not call task_status.started()" in house.status()["lastError"]


async def test_sys_exit_ends_the_extension_and_not_the_server(house: House) -> None:
    house.write(text=OBEDIENT.replace("return object_id", "raise SystemExit(3)"))
    house.write("b.py", "import sys\ndef extension(params): sys.exit(1)\n")
    house.write("a.py", OBEDIENT.replace('self.breaks("later")', "raise SystemExit(3)"))
    await house.up(ON, '"b.py" = true', "lives = 1")
    await trio.sleep(1.5)
    assert house.status()["lastError"].startswith("SystemExit: 3")
    assert house.status("b.py")["lastError"] == "it calls sys.exit(1)"


async def test_a_flood_is_told_a_few_times_a_second(house: House) -> None:
    house.write()
    await house.up(ON)
    house.opens("Now")
    await trio.sleep(SOON)
    house.hears()
    sink = house.extension().sinks["q1"]
    told = []
    for value in range(10_000):
        sink.set(value)
        await trio.sleep(0.0001)
        told += house.told()
    await trio.sleep(SOON)
    told += house.told()
    assert told[-1] == 9_999
    assert 8 <= len(told) <= 15  # of a second and a bit


async def test_a_mended_file_is_taken_with_the_next_restart(house: House) -> None:
    house.write(text="def extension(params):\n    return 1 +\n")
    await house.up(ON)
    assert house.status()["lastError"].startswith("SyntaxError")
    house.write()
    await trio.sleep(2)
    assert house.status()["state"] == "running"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1", "it has no function extension(params)"),
        ("def extension(params): return 1", "must return a statserver_trio.extensions.Extension"),
        (OBEDIENT.replace('"historical"', '"hysterical"'), "kind must be one of current, histor"),
        (OBEDIENT.replace('result="str"', 'result="text"'), "result must be one of int, float"),
        (OBEDIENT.replace('["Queue", "Agent"]', '["Quue"]'), "objects must list some of Agent,"),
        (OBEDIENT.replace('"Share"', '"Now"'), "there is a 'Now' already"),
        (OBEDIENT.replace('"Share"', '"a:b"'), "must be a text without colons"),
        (OBEDIENT.replace('StatDef("Share", ["Queue"], result="float")', "7"), "must be a StatDef"),
    ],
)
async def test_what_is_no_extension_is_told(house: House, text: str, said: str) -> None:
    house.write(text=text)
    await house.up(ON)
    assert said in house.status()["lastError"]


# -- where files may be ----------------------------------------------------------------------


@pytest.mark.parametrize("path", ["../out.py", "sub/../../out.py", "link.py", "ABSOLUTE"])
async def test_a_path_that_leads_out_is_a_security_violation(
    house: House, path: str, caplog: Any
) -> None:
    outside = house.folder.parent / "out.py"
    outside.write_text(OBEDIENT + "\nraise AssertionError('it was executed')\n")
    (house.folder / "link.py").symlink_to(outside)
    path = path.replace("ABSOLUTE", str(outside))
    await house.up(f'"{path}" = true')
    assert house.status(path)["state"] == "refused"
    assert f"security violation: {path} leads out of" in house.status(path)["lastError"]
    assert "it was executed" not in caplog.text
    await trio.sleep(10)
    assert house.status(path)["state"] == "refused"


@pytest.mark.parametrize("path", ["in.py", "sub/deep.py", "ABSOLUTE"])
async def test_links_and_folders_inside_are_fine(house: House, path: str) -> None:
    house.write("sub/deep.py")
    (house.folder / "in.py").symlink_to(house.folder / "sub" / "deep.py")
    path = path.replace("ABSOLUTE", str(house.folder / "sub" / "deep.py"))
    await house.up(f'"{path}" = true')
    assert house.status(path)["state"] == "running"


async def test_an_entry_point_that_is_not_installed(house: House) -> None:
    await house.up('"entry-point:nope" = true')
    error = house.status("entry-point:nope")["lastError"]
    assert error.startswith("no entry point 'nope' of the group statserver_trio.extensions")


async def test_an_entry_point_that_is_installed(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site"
    info = package / "tix-1.0.dist-info"
    info.mkdir(parents=True)
    (package / "tix_extension.py").write_text(OBEDIENT)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tix\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[statserver_trio.extensions]\ntix = tix_extension:extension\n"
    )
    monkeypatch.syspath_prepend(str(package))
    await house.up('"entry-point:tix" = true')
    assert house.status("entry-point:tix")["state"] == "running"
    house.opens("Now")
    await trio.sleep(SOON)
    assert house.told() == ["StatisticValid", 0]


# -- values ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "value", "wrong"),
    [
        ("int", 1.5, TypeError),
        ("int", True, TypeError),
        ("int", "1", TypeError),
        ("int", 2**63, ValueError),
        ("float", float("nan"), ValueError),
        ("float", "1", TypeError),
        ("str", 1, TypeError),
        ("str", "x" * 10_001, ValueError),
        ("str", "\ud800", ValueError),
        ("object", "text", TypeError),
        ("object", {1: 2}, TypeError),
        ("object", {"a": {1, 2}}, TypeError),
        ("object", {"a": 2**64}, ValueError),
        ("object", {"a": float("inf")}, ValueError),
        ("object", {"a": "x" * 70_000}, ValueError),
    ],
)
def test_a_value_has_to_be_what_was_promised(
    result: str, value: Any, wrong: type[Exception]
) -> None:
    with pytest.raises(wrong):
        StatisticSink(result, lambda: None).set(value)


def test_a_tree_that_contains_itself() -> None:
    tree: dict[str, Any] = {}
    tree["me"] = tree
    with pytest.raises(ValueError, match="32 deep"):
        checked("object", tree)


def test_a_value_is_not_shared_with_the_extension() -> None:
    tree = {"a": [1]}
    made = checked("object", tree)
    tree["a"].append(2)
    assert made == {"a": [1]}
    assert (type(checked("float", 3)), checked("str", "é")) == (float, "é")


async def test_a_wrong_value_is_a_failure_of_the_extension(house: House) -> None:
    house.write(text=OBEDIENT.replace("sink.set(7)", "sink.set('seven')"))
    await house.up(ON)
    house.opens("Now", "early")
    await trio.sleep(SOON)
    assert "a value must be int, as promised, not str" in house.status()["lastError"]


# -- who holds up everybody ------------------------------------------------------------------


async def test_a_step_that_takes_too_long_is_told_by_name(caplog: Any) -> None:
    time = iter([0.0, 0.05, 1.0, 1.7, 2.0, 2.5])
    dog = Watchdog(now=lambda: next(time))
    task = trio.lowlevel.current_task()
    dog.before_task_step(task)  # nobody's
    dog.after_task_step(task)
    token = whose.set("a.py")
    for _ in range(3):
        dog.before_task_step(task)
        dog.after_task_step(task)
    whose.reset(token)
    lines = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert len(lines) == 1
    assert lines[0].startswith("extension a.py has held up the whole server for 0.70 s")
    assert dog.status("a.py") == {"longSteps": 2, "longestStep": pytest.approx(0.7)}
    assert next(time, None) is None


async def test_the_watchdog_is_there_as_long_as_extensions_are(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "STEP_SECONDS", 0.0)
    house.write()
    await house.up()
    assert house.host._watchdog is None
    await house.reload(ON)
    house.opens("Now")
    await trio.sleep(SOON)
    assert house.status()["longSteps"] > 0
    await house.reload()
    assert house.host._watchdog is None
