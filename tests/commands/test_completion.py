"""``statserver completion``: the scripts, what is offered, and real shells that offer it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import subprocess
import sys
import termios
from pathlib import Path

import pytest
import trio
import trio.testing
from click.testing import CliRunner
from test_watch import new_hub, serve

from statserver_trio.commands.main import COMMANDS, main

ROOT = Path(__file__).parent.parent.parent
CONF = str(ROOT / "conf" / "standalone.toml")
BREAKS = " \t\n\"'@><=;|&(:"  # bash's own
REPLAY = f"statserver replay day.jsonl --config {CONF} --open "


def offered(line: str, breaks: str = "") -> list[str]:
    """What is offered at the end of a line, asked as the script asks."""
    done = CliRunner().invoke(
        main,
        prog_name="statserver",
        env={
            "_STATSERVER_COMPLETE": "bash_complete",
            "COMP_LINE": line,
            "COMP_WORDBREAKS": breaks,
        },
    )
    assert done.exit_code == 0, done.output
    return [line.partition(",")[2] for line in done.output.splitlines() if line]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("statserver ", list(COMMANDS)),
        ("statserver wa", ["watch"]),
        ("statserver --ver", ["--version"]),
        ("statserver watch w", ["ws://", "wss://"]),
        ("statserver watch ws://h/ --open Q", ["Queue:"]),
        ("statserver watch ws://h/ --open Queue:", []),
        ("statserver replay day.jsonl --format a", ["asterisk-ami", "asterisk-queue-log"]),
        ("statserver explain ws://h/ Q", ["Queue:"]),
        ("statserver explain w", ["ws://", "wss://"]),
        ("statserver completion ", ["bash", "zsh", "fish"]),
        (REPLAY + "Pl", ["Place:"]),
        (REPLAY + "Queue:800", [f"Queue:800{n}@sw1:" for n in (1, 2, 3)]),
        (REPLAY + "GroupAgents:Sal", ["GroupAgents:Sales:"]),
        (REPLAY + "Queue:8001@sw1:Total_Calls_Ent", ["Queue:8001@sw1:Total_Calls_Entered"]),
        (REPLAY + "Agent:a1:Total_Calls_Ent", []),
        (REPLAY + "Agent:a1:X,pro", ["Agent:a1:X,profile="]),
        (REPLAY + "Agent:a1:X,profile=Last", None),
        (REPLAY + "Agent:a1:X,filter=Sp", ["Agent:a1:X,filter=Spanish"]),
        ("statserver replay x --config nowhere.toml --open Queue:", []),
    ],
)
def test_what_is_offered(line: str, found: list[str] | None) -> None:
    if found is None:
        names = ("LastMinute", "LastQuarter", "LastHour", "LastTen")
        found = [f"Agent:a1:X,profile={name}" for name in names]
    assert offered(line) == found


async def test_what_a_running_server_knows_is_offered(nursery: trio.Nursery) -> None:
    url, scope = await serve(nursery, new_hub())

    async def asked(what: str) -> list[str]:
        line = f"statserver watch {url} --open {what}"
        return await trio.to_thread.run_sync(offered, line)

    assert await asked("Queue:80") == ["Queue:8001@sw1:"]
    assert await asked("Queue:8001@sw1:W") == ["Queue:8001@sw1:Waiting"]
    assert await asked("Queue:8001@sw1:Entered,profile=D") == [
        "Queue:8001@sw1:Entered,profile=Default"
    ]
    scope.cancel()
    await trio.testing.wait_all_tasks_blocked()
    assert await asked("Queue:80") == []


def test_bash_keeps_what_comes_before_its_last_break() -> None:
    assert offered(REPLAY + "Queue:8001@sw1:Total_Calls_Ent", BREAKS) == ["Total_Calls_Entered"]
    assert offered(REPLAY + "Queue:8001@s", BREAKS) == ["@sw1:"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_scripts(shell: str) -> None:
    done = CliRunner().invoke(main, ["completion", shell])
    assert done.exit_code == 0
    assert f"_STATSERVER_COMPLETE={shell}_complete" in done.output
    if found := shutil.which(shell):
        subprocess.run([found, "-n"], input=done.output, text=True, check=True)


def test_another_shell() -> None:
    assert CliRunner().invoke(main, ["completion", "tcsh"]).exit_code == 2


# How a shell is started without anybody's settings, and what makes ours complete.
SHELLS = {
    "bash": (
        ["bash", "--norc", "--noprofile", "-i"],
        """bind 'set bell-style none'; eval "$(statserver completion bash)"; """,
    ),
    "zsh": (
        ["zsh", "-f", "-i"],
        """unsetopt beep; autoload -Uz compinit; compinit -u -D; """
        """eval "$(statserver completion zsh)"; """,
    ),
    "fish": (
        ["fish", "--no-config", "--private", "-i"],
        """function fish_prompt; echo '$ '; end; set -g fish_autosuggestion_enabled 0; """
        """statserver completion fish | source; """,
    ),
}
# What somebody types, and what the shell then hands over; _ is typed to see where the cursor was.
TYPED = [
    ("statserver wat\t_", "watch _"),
    ("statserver watch ws://h:1/ --open Ag\t_", "watch ws://h:1/ --open Agent:_"),
    (f"{REPLAY}Queue:8001@s\t_", "Queue:8001@sw1:_"),
    (f"{REPLAY}Queue:8001@sw1:Total_Calls_Ent\t_", "Queue:8001@sw1:Total_Calls_Entered _"),
    (f"{REPLAY}Agent:a1:X,filter=Sp\t_", "Agent:a1:X,filter=Spanish _"),
]


@pytest.mark.parametrize("shell", SHELLS)
async def test_a_real_shell(tmp_path: Path, shell: str) -> None:
    """Somebody types at a terminal and presses the tab key."""
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    command, setting_up = SHELLS[shell]
    program = tmp_path / "statserver"
    run = "from statserver_trio.commands.main import main; main(prog_name='statserver')"
    program.write_text(
        "#!/bin/sh\n"
        f'statserver() {{ exec {sys.executable} -c "{run}" "$@"; }}\n'
        '[ "$1" = completion ] || [ -n "$_STATSERVER_COMPLETE" ] && statserver "$@"\n'
        'echo "given: $*."\n'
    )
    program.chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "TERM": "dumb",
        "PS1": "$ ",
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    ours, theirs = pty.openpty()
    process = await trio.lowlevel.open_process(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment,
        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(theirs)
    seen = ""

    async def until(pattern: str) -> str:
        nonlocal seen
        while (found := re.search(pattern, seen)) is None:
            await trio.lowlevel.wait_readable(ours)
            seen += os.read(ours, 65536).decode()
        seen = seen[found.end() :]
        return found[1]

    try:
        with trio.fail_after(60):
            os.write(ours, f'stty columns 1000; {setting_up} echo rea""dy\n'.encode())
            await until("(ready)")
            for typed, given in TYPED:
                os.write(ours, f"{typed}\r".encode())
                assert (await until(r"given: (.*)\.\r")).endswith(given)
    finally:
        process.kill()
        await process.wait()
        os.close(ours)
