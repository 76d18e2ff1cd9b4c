"""``statserver explain``: what servers say of a value, whether they agree, and in what words."""

from __future__ import annotations

import json
import sys
from copy import deepcopy
from typing import Any

import pytest
import trio
from click.testing import CliRunner
from test_watch import new_hub, queue_up, serve

from statserver_trio.api.open_spec import parse_open
from statserver_trio.commands import explain
from statserver_trio.commands.explain_words import differences, same_positions, words_of
from statserver_trio.commands.main import main

ENTERED = "Queue:8001@sw1:Entered"
WAITING = "Queue:8001@sw1:Waiting"
NOBODY = "ws://127.0.0.1:1/"


async def explained(what: str, *urls: str) -> list[Any]:
    found: list[Any] = []
    await explain._run(urls, parse_open(what), found)
    return found


async def test_two_that_count_the_same_agree(nursery: trio.Nursery) -> None:
    hubs = [new_hub(), new_hub()]
    urls = [(await serve(nursery, hub))[0] for hub in hubs]
    for hub in hubs:
        queue_up(hub, "c1")
    found = await explained(WAITING, *urls)
    assert [each["url"] for each in found] == urls
    assert [each["value"] for each in found] == [1, 1]
    assert same_positions(found)
    assert differences(found) == []
    text = words_of(WAITING, found, True, [])
    for words in ("(primary)", "value        1   as of", "nobody else has it open", "They agree."):
        assert words in text
    row = next(line for line in text.splitlines() if line.startswith("    main"))
    assert row.split()[:4] == ["main", "ts1", "8001@sw1", "actions"]


async def test_what_they_do_not_agree_in_is_told(nursery: trio.Nursery) -> None:
    one, other = new_hub(), new_hub()
    urls = [(await serve(nursery, hub))[0] for hub in (one, other)]
    queue_up(one, "c1")
    found = await explained(WAITING, *urls)
    (difference,) = differences(found)
    assert difference == {
        "what": "row main ts1 8001@sw1, inProgress",
        "says": {urls[0]: 1, urls[1]: 0},
    }
    text = words_of(WAITING, found, False, [difference])
    assert f"inProgress: {urls[0]} 1; {urls[1]} 0" in text


async def test_what_is_the_same_a_moment_later_agrees(nursery: trio.Nursery) -> None:
    one, other = new_hub(), new_hub()
    urls = [(await serve(nursery, hub))[0] for hub in (one, other)]
    queue_up(one, "c1")

    async def follow() -> None:
        await trio.sleep(3 * explain.LOOK_SECONDS)
        queue_up(other, "c1")

    nursery.start_soon(follow)
    assert differences(await explained(WAITING, *urls)) == []


async def test_definitions_and_resets_are_compared(nursery: trio.Nursery) -> None:
    url, _ = await serve(nursery, new_hub())
    (one,) = await explained(f"{ENTERED},profile=Default", url)
    other = deepcopy(one)
    other["url"] = NOBODY
    other["definition"]["options"]["MainMask"] = "CallAnswered"
    other["reset"]["next"] += 900
    other["coverage"]["complete"] = False
    other["aggregates"].append({**other["aggregates"][0], "object": "8002@sw1"})
    other["aggregates"][0]["since"] -= 3600
    assert [each["what"] for each in differences([one, other])] == [
        "definition, options",
        "next reset",
        "complete",
        "row main ts1 8001@sw1, since",
        "row main ts1 8002@sw1",
    ]
    other["positions"]["ts1"] = 7
    assert not same_positions([one, other])
    assert words_of(ENTERED, [one, other], None, []).endswith("never stood at the same event.")


async def test_one_that_does_not_answer(nursery: trio.Nursery) -> None:
    url, _ = await serve(nursery, new_hub())
    program = [sys.executable, "-m", "statserver_trio", "explain", NOBODY, url, WAITING]
    done = await trio.run_process(program, capture_stdout=True, check=False)
    assert done.returncode == 1
    assert b"nothing      all attempts to connect" in done.stdout
    assert done.stdout.endswith(b"They cannot be compared.\n")
    done = await trio.run_process([*program, "--json"], capture_stdout=True, check=False)
    told = json.loads(done.stdout)
    assert (told["statistic"], told["agree"], told["differences"]) == (WAITING, None, [])
    assert told["servers"][0]["error"]["code"] == "runtime"
    assert told["servers"][1]["replicatedFrom"] is None


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_nobody_answers(more: list[str]) -> None:
    result = CliRunner().invoke(main, ["explain", NOBODY, WAITING, *more])
    assert (result.exit_code, result.stdout) == (1, "")
    assert NOBODY in result.stderr
    if more:
        assert json.loads(result.stderr)["error"]["code"] == "runtime"


async def test_a_refusal_has_its_code(nursery: trio.Nursery) -> None:
    url, _ = await serve(nursery, new_hub())
    (said,) = await explained("Queue:8001@sw1:Nope", url)
    assert said["error"]["code"] == "unknown-stat-type"
