"""The world is retried, a bug is not."""

import ssl

import pytest
import trio

from statserver_trio.server.supervisor import Retry, causes, keep_running

RETRY = Retry(first=1, factor=2, limit=5, healthy_after=100)


@pytest.mark.parametrize(
    ("failures", "delay"), [(1, 1), (2, 2), (3, 4), (4, 5), (5, 5), (10**6, 5)]
)
def test_delays(failures, delay):
    assert RETRY.delay(failures) == delay


def nested():
    return ExceptionGroup("connection", [ExceptionGroup("task", [OSError("disk on fire")])])


# How long each run lasts and how it ends; when the runs begin.
STORIES = {
    "always at once": ([(0, OSError)] * 5, [0, 1, 3, 7, 12]),
    "every kind of world": (
        [(0, ssl.SSLError), (0, trio.BrokenResourceError), (0, trio.TooSlowError)],
        [0, 1, 3],
    ),
    "several at once": ([(0, nested)] * 3, [0, 1, 3]),
    "ending is failing": ([(0, None)] * 3, [0, 1, 3]),
    "health is remembered": (
        [(0, OSError), (0, OSError), (100, OSError), (0, OSError), (0, OSError)],
        [0, 1, 3, 104, 106],
    ),
    "a short run is no health": ([(0, OSError), (99, OSError), (0, OSError)], [0, 1, 102]),
}


@pytest.mark.parametrize(("runs", "begun"), STORIES.values(), ids=STORIES)
async def test_keep_running(runs, begun, autojump_clock, nursery):
    began, left = [], iter(runs)

    async def run():
        began.append(trio.current_time())
        lasts, error = next(left, (float("inf"), None))
        await trio.sleep(lasts)
        if error is not None:
            raise error()

    await nursery.start(keep_running, "it", run, RETRY)
    await trio.sleep(500)
    assert began[: len(begun)] == begun
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    "bug", [ZeroDivisionError(), ExceptionGroup("both", [OSError(), ZeroDivisionError()])]
)
async def test_a_bug_gets_out(bug, autojump_clock):
    async def run():
        raise bug

    with pytest.RaisesGroup(ZeroDivisionError, allow_unwrapped=True, flatten_subgroups=True):
        await keep_running("it", run, RETRY)


async def test_it_can_be_cancelled(autojump_clock):
    with trio.move_on_after(10) as scope:
        await keep_running("it", trio.sleep_forever, RETRY)
    assert scope.cancelled_caught


def test_causes_are_said_once():
    group = ExceptionGroup("", [OSError("a"), ExceptionGroup("", [OSError("a"), OSError("b")])])
    assert causes(group) == "a; b"
    assert causes(trio.TooSlowError()) == "no answer in time"
    assert causes(KeyboardInterrupt()) == "KeyboardInterrupt"
    wrapped = trio.BrokenResourceError()
    wrapped.__cause__ = ssl.SSLError("certificate verify failed")
    assert "certificate verify failed" in causes(wrapped)
