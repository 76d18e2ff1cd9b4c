"""Every command and every snippet of README.md and docs/ does what the page says."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml  # mkdocs brings it along
from docs_blocks import KINDS, ROOT, Block, blocks, pages
from docs_conversation import converse
from docs_world import SHELL, World, free_ports, missing

from statserver_trio.config.load import load
from statserver_trio.tlib.events import TEvent
from statserver_trio.tlib.recording import read

STANDALONE, PAIR, OWN = "standalone", "pair", "own"
OF_A_PAIR = ("primary.toml", "backup.toml", ":7110", ":7112")
TSERVER = "statserver tserver --speed 10"
SERVERS = {
    STANDALONE: (TSERVER, "statserver run conf/standalone.toml"),
    PAIR: (TSERVER, "statserver run conf/primary.toml", "statserver run conf/backup.toml"),
    OWN: (),  # the page has started it
}
PAGES = [page for page in pages() if blocks(page)]
ALL = [block for page in PAGES for block in blocks(page)]


class Machines:
    """One machine with the server of ``conf/standalone.toml``, one with a pair, and one of the
    reader's own, with ``my.toml``; all hear one T-Server."""

    def __init__(self, folder: Path) -> None:
        feed = free_ports(1)[0]
        self.worlds = {name: World(folder / name, feed) for name in (STANDALONE, PAIR, OWN)}
        for world in self.worlds.values():  # each has commands of its own, but for the feed
            world.running = self.worlds[STANDALONE].running
        self._current = STANDALONE

    def begin(self, page: list[Block]) -> None:
        """A page begins. What it has the reader write is for a machine of the reader's own."""
        written = [block for block in page if block.is_written]
        self._current = OWN if written else STANDALONE

    def world(self, block: Block) -> World:
        """Where a block is at home: whose ports or files it names, or as the one before."""
        if self._current != OWN:
            if any(word in block.text for word in OF_A_PAIR):
                self._current = PAIR
            elif "standalone.toml" in block.text:
                self._current = STANDALONE
        return self.worlds[self._current]

    def serve(self, world: World) -> World:
        """Have the servers run that a page takes for granted, if it has not started them."""
        for name in SERVERS[next(name for name, each in self.worlds.items() if each is world)]:
            world.start(name, [])
        world.settle()
        return world


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    found = Machines(tmp_path_factory.mktemp("reader"))
    yield found
    found.worlds[STANDALONE].close()


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_says_works(page: str, machines: Machines) -> None:
    machines.begin(blocks(page))
    jobs: list[str] = []
    said: dict[str, Any] = {}
    for block in blocks(page):
        world = machines.world(block)
        if block.is_long:  # test_long_snippets.py runs it
            continue
        try:
            if block.kind == "jsonl":
                assert all(isinstance(each, TEvent) for each in read([block.text.encode()]))
            if block.title is not None and block.kind != "json":
                _file(world, block)
            elif block.kind == "sh":
                _shell(world, block, jobs, machines)
            elif block.kind == "python":
                machines.serve(world)
                world.look_at([sys.executable, "-c", world.translated(block.text)])
            elif block.kind == "toml":
                _configuration(world, block, "snippet.toml")
            elif block.kind == "yaml":
                yaml.safe_load(block.text)
            elif block.kind == "json":
                said.setdefault(world.folder.name, []).append(block)
        except Exception as error:
            raise AssertionError(f"{block}: {error}") from error
    for name, found in said.items():
        _json(machines.serve(machines.worlds[name]), found)


def _shell(world: World, block: Block, jobs: list[str], machines: Machines) -> None:
    if any(word in block.text for word in ("curl", "ws://", "watch.sh")) and "run conf" not in (
        block.text
    ):
        machines.serve(world)
    world.run(block.text, jobs)


def _file(world: World, block: Block) -> None:
    """One that comes along is shown as it is; another one is written down, as a reader would."""
    assert block.title is not None
    if not block.is_written:
        assert block.text == (ROOT / block.title).read_text(encoding="utf-8"), "the file differs"
    elif block.kind == "toml":
        _configuration(world, block, block.title)
    else:
        world.write(block.title, block.text)


def _configuration(world: World, block: Block, name: str) -> None:
    """It has to be read without a mistake; what it warns of is for the page to say."""
    world.write(name, block.text)
    load(world.folder / name)


def _json(world: World, found: list[Block]) -> None:
    """Requests and events are a conversation with a server; what has a title is what a URL says."""
    for block in [each for each in found if each.title is not None]:
        url = f"http://127.0.0.1:{world.ports[7102]}{(block.title or '').removeprefix('GET ')}"
        with urllib.request.urlopen(url) as answer:
            _same_shape(json.loads(block.text), json.load(answer), str(block))
    talk = [each for each in found if each.title is None]
    if talk:
        import trio

        trio.run(partial(converse, f"ws://127.0.0.1:{world.ports[7100]}/", talk))


def _same_shape(shown: Any, real: Any, where: str) -> None:
    """What a page shows is there, wherever it shows an object."""
    if isinstance(shown, dict):
        assert isinstance(real, dict), where
        for key, value in shown.items():
            assert key in real, f"{where}.{key} is not there"
            _same_shape(value, real[key], f"{where}.{key}")
    elif isinstance(shown, list) and isinstance(real, list):
        for one, other in zip(shown, real, strict=False):
            _same_shape(one, other, where)


@pytest.mark.parametrize("block", ALL, ids=str)
def test_a_block_says_what_it_is(block: Block) -> None:
    assert block.kind in KINDS, f"one of {', '.join(KINDS)}"
    if block.kind == "text":
        begins = ("statserver ", "curl ", "make ", "python ", "$ ")
        assert not any(line.startswith(begins) for line in block.text.splitlines()), "run it"


# -- the examples -------------------------------------------------------------------------------

IN_JAVASCRIPT = (
    "node --experimental-websocket docs/examples/watch.mjs"
    " ws://127.0.0.1:7100/ ws://127.0.0.1:7110/"
)
IN_SHELL = "sh docs/examples/watch.sh 127.0.0.1:7110 127.0.0.1:7112"
LINES = 4  # that are listened to; the login time brings one every second


def _listen(machines: Machines, command: str, at_the_first: Callable[[World], None]) -> list[str]:
    if missing(command):
        pytest.skip(f"there is no {' and no '.join(missing(command))} here")
    world = machines.serve(machines.worlds[PAIR])
    heard: list[str] = []

    def is_enough(line: str) -> bool:
        if not heard:
            at_the_first(world)
        heard.append(line)
        return len(heard) == LINES

    world.look_at([SHELL, "-c", f"exec {world.translated(command)}"], is_enough)
    return heard


def test_the_example_in_shell(machines: Machines) -> None:
    ready, *values = _listen(machines, IN_SHELL, lambda world: None)
    assert json.loads(ready)["ready"]
    assert all(json.loads(value)["event"] == "Info" for value in values)


def test_the_example_in_javascript_goes_on_when_a_member_dies(machines: Machines) -> None:
    def kill_the_primary(world: World) -> None:
        process = world.running.pop("statserver run conf/primary.toml")
        process.kill()
        process.wait()

    heard = _listen(machines, IN_JAVASCRIPT, kill_the_primary)
    said = [line.split(" = ") for line in heard]
    assert said[0][0] in ("Queue:8001@sw1:CurrNumberWaitingCalls", "Agent:a1:Total_Login_Time")
    times = [int(value) for name, value in said if name == "Agent:a1:Total_Login_Time"]
    assert times == sorted(set(times)), "a change is told once, and none goes back"


def test_examples_are_short() -> None:
    for name in ("watch.mjs", "watch.sh"):
        lines = (ROOT / "docs" / "examples" / name).read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 30, name
