"""The network of these tests keeps the promises of Trio's streams, and fails as TCP does."""

from __future__ import annotations

import pytest
import trio
from pair_network import LATENCY, WINDOW, End, Network
from trio.testing import check_half_closeable_stream


@pytest.fixture
async def network(nursery: trio.Nursery) -> Network:
    network = Network()
    nursery.start_soon(network.run)
    return network


async def hears(end: End, seconds: float = 60) -> bytes | str:
    """What arrives within that time."""
    with trio.move_on_after(seconds):
        try:
            return bytes(await end.receive_some())
        except trio.BrokenResourceError:
            return "reset"
    return "nothing"


async def test_streams_keep_trios_promises(network: Network) -> None:
    network.distance("a", "b", 0)  # the checker is never idle, so no time would pass

    async def make() -> tuple[End, End]:
        return network.pair("a", "b")

    async def make_clogged() -> tuple[End, End]:
        near, far = network.pair("a", "b")
        await near.send_all(bytes(WINDOW))
        await far.send_all(bytes(WINDOW))
        return near, far

    await check_half_closeable_stream(make, make_clogged)


async def test_bytes_take_their_time(network: Network) -> None:
    near, far = network.pair("a", "b")
    await near.send_all(b"one")
    assert await hears(far) == b"one"
    assert trio.current_time() == pytest.approx(LATENCY)
    network.thin("a", "b", 100)
    await near.send_all(bytes(50))
    await near.send_all(b"two")
    await hears(far)
    assert trio.current_time() == pytest.approx(0.5 + 2 * LATENCY)
    assert await hears(far) == b"two"


async def test_what_a_partition_held_arrives_when_it_heals(network: Network) -> None:
    near, far = network.pair("a", "b")
    network.sever("a", "b")
    await near.send_all(b"held")
    await far.send_all(b"back")
    assert (await hears(far), await hears(near)) == ("nothing", b"back")
    await near.aclose()
    network.heal()
    assert [await hears(far), await hears(far)] == [b"held", b""]


async def test_what_is_on_its_way_when_the_partition_begins_is_held_too(network: Network) -> None:
    near, far = network.pair("a", "b")
    await near.send_all(b"late")
    network.partition("a", "b")
    assert await hears(far) == "nothing"
    network.heal()
    assert await hears(far) == b"late"


async def test_who_talks_to_a_closed_end_is_told_by_a_reset(network: Network) -> None:
    near, far = network.pair("a", "b")
    await far.aclose()
    await near.send_all(b"hello?")
    await trio.sleep(1)
    assert await hears(near) == "reset"


async def test_a_reset_that_gets_lost_is_not_said_again(network: Network) -> None:
    near, _ = network.pair("a", "b")
    network.partition("a", "b")
    network.kill("b")
    network.heal()
    assert await hears(near) == "nothing"
    await near.send_all(b"hello?")
    assert await hears(near) == "reset"


async def test_cut_and_forgotten(network: Network) -> None:
    near, far = network.pair("a", "b")
    network.cut("a", "b")
    assert [await hears(near), await hears(far)] == [b"", b""]
    near, far = network.pair("a", "b")
    network.forget("a", "b")
    await near.send_all(b"hello?")
    assert [await hears(near), await hears(far)] == ["nothing", "nothing"]


async def dials(network: Network) -> str:
    try:
        with trio.fail_after(5):
            await network.connect("a", "b", 1)
    except (OSError, trio.TooSlowError) as error:
        return type(error).__name__
    return "connected"


async def test_dialling(network: Network) -> None:
    assert await dials(network) == "ConnectionRefusedError"
    port = network.listen("b", 1)
    assert await dials(network) == "connected"
    assert await hears(await port.accept(), 1) == "nothing"
    network.sever("b", "a")
    assert await dials(network) == "TooSlowError"
    network.heal()
    network.power_off("b")
    assert await dials(network) == "TooSlowError"
    network.power_on("b")
    assert await dials(network) == "ConnectionRefusedError"


async def test_a_stopped_process_finds_everything_when_it_goes_on(network: Network) -> None:
    port = network.listen("b", 1)
    near, far = network.pair("a", "b")
    network.stop("b")
    await near.send_all(b"unread")
    assert await dials(network) == "connected"
    assert await hears(far) == "nothing"
    network.go_on("b")
    assert await hears(far) == b"unread"
    assert await hears(await port.accept(), 1) == "nothing"
