"""An extension that behaves: loaded, asked, heard, reset, unloaded."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from extension_house import EPOCH, OBEDIENT, SOON, House

ON = '"a.py" = true'


async def test_a_value_comes_when_it_is_told(house: House) -> None:
    house.write()
    await house.up(ON)
    opened, info, invalid = house.opens("Now")
    assert (opened["event"], info["value"]) == ("StatisticOpened", 0)
    assert invalid["reason"] == "the extension a.py has not opened it yet"
    await trio.sleep(SOON)
    assert house.told() == ["StatisticValid", 0]
    house.extension().sinks["q1"].set(5)
    await trio.sleep(SOON)
    house.extension().sinks["q1"].set(5)  # nothing new
    await trio.sleep(SOON)
    assert house.told() == [5]


async def test_what_is_set_while_it_is_opened_is_told_with_it(house: House) -> None:
    house.write()
    await house.up(ON)
    house.opens("Now", "early")
    await trio.sleep(SOON)
    assert house.told() == ["StatisticValid", 7]


async def test_modes_and_insensitivity_are_as_for_any_other(house: House) -> None:
    house.write()
    await house.up(ON)
    house.opens("Now", mode="TimeBased", frequency=5)
    house.opens("Now", mode="NoNotification")
    await trio.sleep(SOON)
    house.hears()
    sink = house.extension().sinks["q1"]
    told = []
    for value in (1, 2, 3):
        sink.set(value)
        await trio.sleep(3)
        told += house.told()
    await trio.sleep(SOON)
    assert told + house.told() == [2, 3]  # at 5 s and at 10 s
    assert house.asks("PeekStatistic", statisticId=2)[0]["value"] == 3
    assert house.extension().calls == ["open q1"]  # it is shared
    house.asks("CloseStatistic", statisticId=1)
    house.asks("CloseStatistic", statisticId=2)
    await trio.sleep(SOON)
    assert house.extension().calls == ["open q1", "close q1"]
    sink.set(9)  # nobody cares any more
    await trio.sleep(SOON)
    assert house.hears() == []


async def test_a_historical_one_is_reset_with_its_profile(house: House) -> None:
    house.write()
    await house.up(ON)
    house.opens("Since", timeProfile="Hour")
    house.opens("Since", timeProfile="Hour", mode="ResetBased")
    await trio.sleep(SOON)
    house.hears()
    house.extension().sinks["q1"].set(4)
    await trio.sleep(3600 - 4 * SOON)
    assert [e["value"] for e in house.hears()] == [4]
    house.extension().sinks["q1"].set(6)
    await trio.sleep(3 * SOON + 0.5)
    assert house.extension().calls == ["open q1", "reset q1"]
    told = house.hears()
    assert [(e["statisticId"], e["value"]) for e in told] == [(1, 0), (2, 6)]
    assert told[1]["time"] == EPOCH + 3600
    assert told[1]["interval"] == 3600
    house.extension().sinks["q1"].set(1)
    await trio.sleep(1800)
    peek = house.asks("PeekStatistic", statisticId=1)[-1]
    assert (peek["value"], peek["complete"]) == (1, True)
    assert peek["interval"] == pytest.approx(1800.5 + SOON, abs=SOON)


async def test_what_is_set_between_reset_point_and_reset_is_of_the_old_interval(
    house: House,
) -> None:
    house.write()
    await house.up(ON)
    house.opens("Since", timeProfile="Hour")
    await trio.sleep(SOON)
    held = next(iter(house.host.hosted["a.py"].held.values()))
    held.sink.reset()
    held.sink.set(99)
    assert held.sink.take() == []
    held.sink.begin()
    held.sink.set(1)
    assert held.sink.take() == [1]


async def test_a_request_says_everything(house: House) -> None:
    house.write()
    await house.up(ON)
    house.opens("Since", timeProfile="Window", timeRange="Default", filter="Vip")
    house.opens("Named", "q2", timeProfile="Window")
    await trio.sleep(SOON)
    named, since = sorted(house.extension().requests, key=lambda request: request.stat)
    assert (since.stat, since.object_type, since.filter) == ("Since", "Queue", "Vip")
    assert since.filter_text == 'PairExists("Class","Vip")'
    assert (since.profile.kind, since.profile.length, since.profile.step) == ("Sliding", 600, 60)
    assert since.time_range == "Default"
    assert (named.stat, named.stat_type, named.profile) == ("Now", "Named", None)
    assert named.options["PythonSubCategory"] == "a.py:Now"


async def test_stat_types_are_offered_while_it_is_loaded(house: House) -> None:
    house.write()
    await house.up('"a.py" = false')

    def names() -> set[str]:
        (profile,) = house.asks("GetStatisticProfile", profile="StatTypes")
        return {item["name"] for item in profile["items"]}

    assert names() == {"Entered"}
    refused = house.opens("Named")[0]
    assert refused["code"] == "unknown-stat-type"
    assert "needs the extension a.py, which is not loaded" in refused["message"]
    assert house.opens("Now")[0]["code"] == "unknown-stat-type"
    changes = await house.reload(ON)
    assert changes.sections["python-extensions"].added == ["a.py"]
    assert names() == {"Entered", "Named", "Now", "Since", "Share", "Text", "Tree"}
    house.opens("Now")
    house.opens("Named")
    house.opens("Entered", "8001@sw1")
    await trio.sleep(SOON)
    house.hears()
    extension = house.extension()
    changes = await house.reload()
    assert changes.closed == {"the extension a.py was unloaded": 2}
    told = house.hears()
    assert [(e["event"], e["reason"]) for e in told] == [
        ("StatisticClosed", "the extension a.py was unloaded")
    ] * 2
    assert sorted(extension.calls) == ["close q1", "close q1", "open q1", "open q1"]
    assert names() == {"Entered"}
    assert house.host.status() == []
    assert len(house.hub.engine.statistics) == 1
    assert len(set(house.offered)) == 2  # the pair heard of both
    assert house.offered[-1] == ""


async def test_other_parameters_load_it_anew_and_nothing_is_closed(house: House) -> None:
    house.write()
    await house.up(ON, "level = 1")
    house.opens("Now")
    await trio.sleep(SOON)
    house.hears()
    first = house.extension()
    await house.reload(ON, "level = 2")
    assert first.calls == ["open q1", "close q1"]
    assert house.extension().params == {"level": 2}
    assert house.told() == ["StatisticInvalid", "StatisticValid", 0]


async def test_a_stat_type_that_is_not_offered_any_more_is_closed(house: House) -> None:
    house.write()
    await house.up(ON)
    house.opens("Now")
    house.opens("Share")
    await trio.sleep(SOON)
    house.hears()
    house.write(text=OBEDIENT.replace('StatDef("Share", ["Queue"], result="float"),', ""))
    await house.reload(ON, "again = 1")
    assert sorted(house.told(), key=str) == [
        0, "StatisticClosed", "StatisticInvalid", "StatisticInvalid", "StatisticValid",
    ]  # fmt: skip


async def test_the_configuration_hides_what_an_extension_calls_the_same(
    house: House, caplog: Any
) -> None:
    house.write(text=OBEDIENT.replace('"Now"', '"Entered"'))
    house.write("b.py", OBEDIENT)
    house.write("c.py", OBEDIENT)
    await house.up(ON, '"c.py" = true', '"b.py" = true')
    assert "the configuration has a stat type Entered of its own" in caplog.text
    assert house.opens("Entered", "8001@sw1")[1]["value"] == 0
    house.opens("Now")
    await trio.sleep(SOON)
    assert house.extension("b.py").calls == ["open q1"]  # the first of the alphabet
    assert house.extension("c.py").calls == []


async def test_a_name_that_is_configured_later_means_something_else(house: House) -> None:
    house.write()
    await house.up(ON)
    house.opens("Now")
    house.hears()
    text = house.file.read_text()
    house.file.write_text(text.replace("[stat-types.Named]", "[stat-types.Now]"))
    await house.reloader.reload()
    told = house.hears()[-1]
    assert told["reason"] == "stat type 'Now' is configured now"


async def test_a_reload_does_not_touch_what_it_does_not_concern(house: House) -> None:
    house.write()
    await house.up(ON)
    house.opens("Named")
    house.opens("Now", "who", "Agent")
    await trio.sleep(SOON)
    house.hears()
    house.file.write_text(house.file.read_text().replace("600:60", "1200:60"))
    changes = await house.reloader.reload()
    assert changes is not None
    assert not changes.closed
    house.file.write_text(house.file.read_text().replace("a.py:Now", "a.py:Share"))
    changes = await house.reloader.reload()
    assert changes is not None
    assert changes.closed == {"stat type 'Named' was changed": 1}


async def test_explain_says_which_extension(house: House) -> None:
    house.write()
    await house.up(ON)
    house.opens("Since", timeProfile="Hour")
    (told,) = house.asks("ExplainStatistic", statisticId=1)
    assert told["definition"]["extension"] == {
        "path": "a.py", "name": "Since", "kind": "historical", "result": "int",
    }  # fmt: skip
    assert told["reset"] == {"last": EPOCH, "next": EPOCH + 3600}
    assert told["coverage"]["reason"] == "the extension a.py has not opened it yet"


async def test_wrong_object_types_modes_and_statistics_are_refused(house: House) -> None:
    house.write()
    await house.up(ON)
    assert house.opens("Since", kind="Agent")[0]["code"] == "incompatible"
    assert house.opens("Now", mode="ResetBased")[0]["code"] == "incompatible"
    assert house.opens("Since", timeProfile="Nope")[0]["code"] == "unknown-time-profile"
    inline = {"category": "PythonCategory", "subject": "DNAction", "mainMask": "*"}
    (refused,) = house.asks(
        "OpenStatisticEx", object={"objectId": "q", "objectType": "Queue"}, metric=inline
    )
    assert refused["message"].startswith("metric.category: required with Category=PythonCategory")
    await trio.sleep(SOON)
    assert house.extension().calls == []
    assert house.hub.engine.statistics == {}


async def test_a_statistic_it_refuses_is_closed_with_its_words(house: House) -> None:
    house.write()
    await house.up(ON)
    house.opens("Now", "nobody")
    house.opens("Now")
    await trio.sleep(SOON)
    told = house.hears()
    assert told[0]["event"] == "StatisticClosed"
    assert told[0]["reason"] == "the extension a.py refuses it: nobody is called that"
    assert house.status()["state"] == "running"
    assert house.status()["openStatistics"] == 1


async def test_a_slow_opening_holds_up_no_other(house: House) -> None:
    house.write()
    await house.up(ON)
    house.opens("Now", "slow")
    house.opens("Now")
    await trio.sleep(SOON)
    assert house.told() == ["StatisticValid", 0]
    await trio.sleep(9)
    assert house.told() == ["StatisticValid", 0]


async def test_closed_before_it_was_opened(house: House) -> None:
    house.write()
    await house.up(ON)
    house.opens("Now", "slow")
    await trio.sleep(SOON)
    house.asks("CloseStatistic", statisticId=1)
    await trio.sleep(10)
    assert house.extension().calls == ["open slow", "close slow"]


async def test_the_end_of_the_server_closes_everything(house: House) -> None:
    house.write()
    await house.up(ON)
    house.opens("Now")
    await trio.sleep(SOON)
    extension = house.extension()
    await house.host.stop()
    assert extension.calls == ["open q1", "close q1"]
