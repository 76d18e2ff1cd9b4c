"""What Prometheus is told of a pair: every name in the table is there, and tells the truth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import trio
from pair_site import BACKUP, FAVOURITES, SOON, Server, Site
from prometheus_client.parser import text_string_to_metric_families

from statserver_trio.server.metrics.exported import REFRESH_SECONDS
from statserver_trio.server.metrics.names import METRICS

Build = Callable[..., Site]
EXTENSIONS = {name for name in METRICS if name.startswith("statserver_extension_")}
CHOSEN = """
[metrics]
statistics = ["Queue:*:Entered", "Queue:*:Waiting"]
"""


async def scraped(member: Server) -> dict[str, dict[str, float]]:
    """By name, and by the values of the labels."""
    text = (await member.parts.metrics.scrape()).text().decode()
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[" ".join(sample.labels.values())] = sample.value
    return found


async def test_every_metric_of_the_table_is_told(build: Build, tmp_path: Path) -> None:
    site = build(backup_minutes=5)
    for member in site.both:
        member.text += f"{CHOSEN}[record]\npath = '{tmp_path}/{member.name}.jsonl'\n"
    await site.up(FAVOURITES[0])
    await site.switch.day(200)
    await trio.sleep(SOON)
    await site.primary.parts.backup.write(10)
    told = await scraped(site.primary)
    suffixes = {"histogram": "_count"}
    named = {name + suffixes.get(metric.kind, "") for name, metric in METRICS.items()}
    assert (
        named - EXTENSIONS
        == set(told) - {f"statserver_loop_lag_seconds_{s}" for s in ("bucket", "sum")} - EXTENSIONS
    )


async def test_they_tell_how_the_pair_is(build: Build) -> None:
    site = build()
    for member in site.both:
        member.text += CHOSEN
    await site.up(*FAVOURITES)
    await site.switch.day(200)
    await trio.sleep(SOON)
    primary, backup = [await scraped(member) for member in site.both]
    assert primary["statserver_role"] == {"primary": 1, "backup": 0}
    assert backup["statserver_role"] == {"primary": 0, "backup": 1}
    assert primary["statserver_statistic"] == backup["statserver_statistic"]
    assert sum(primary["statserver_statistic"].values()) > 0
    for told in (primary, backup):
        assert told["statserver_peer_synchronised"] == {"": 1}
        assert told["statserver_session_state"]["open"] == 1
    async with site.apart():
        await trio.sleep(30)
        alone = await scraped(site.primary)
    assert alone["statserver_peer_connected"] == {"": 0}
    assert alone["statserver_session_state"]["suspended"] == 1
    assert alone["statserver_sessions_total"]["lost"] == 1


async def test_a_member_that_is_back_exports_what_it_had_counted(build: Build) -> None:
    site = build()
    for member in site.both:
        member.text += CHOSEN
    await site.up(*FAVOURITES)
    await site.switch.day(200)
    await trio.sleep(SOON)
    before = (await scraped(site.backup))["statserver_statistic"]
    await site.backup.kill()
    await site.backup.start()
    await trio.sleep(REFRESH_SECONDS + 1)  # nobody has listed the queues: it finds them a bit later
    assert site.backup.name == BACKUP
    assert (await scraped(site.backup))["statserver_statistic"] == before
