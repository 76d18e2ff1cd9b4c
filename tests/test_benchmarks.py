"""What benchmarks conclude from what they see: figures that nobody would otherwise check."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from benchmarks import load, results, table, w1_oracle
from benchmarks.__main__ import BENCHMARKS, main
from benchmarks.latency import histogram

MIDNIGHT = w1_oracle.MIDNIGHT / 1000


def agent(name: str, t: float, **more: object) -> dict[str, object]:
    return {"event": name, "time": MIDNIGHT + t, "AgentID": "A0003", "ThisDN": "70003", **more}


def queue(name: str, t: float, call: str, segment: str = "Gold") -> dict[str, object]:
    return {
        "event": name, "time": MIDNIGHT + t, "ThisDN": "Q007", "ConnID": call,
        "UserData": {"Segment": segment},
    }  # fmt: skip


GOLD = {"UserData": {"Segment": "Gold"}}
CALL = [
    agent("EventAgentLogin", 1),
    agent("EventAgentReady", 10),
    queue("EventQueued", 12, "c1"),
    queue("EventQueued", 13, "c2", "Std"),
    queue("EventDiverted", 15, "c1"),
    agent("EventRinging", 20, **GOLD),
    agent("EventEstablished", 22, **GOLD),
    agent("EventHeld", 52, **GOLD),
    agent("EventRetrieved", 60, **GOLD),
    queue("EventAbandoned", 63, "c2", "Std"),
    agent("EventReleased", 1000, **GOLD),
    agent("EventAgentNotReady", 1002, AgentWorkMode="AfterCallWork"),
    agent("EventAgentReady", 1010),
    agent("EventAgentLogout", 1013),
    agent("EventAgentLogin", 1025),
]


def expected(tmp_path: Path, count: int) -> list[w1_oracle.Block]:
    path = tmp_path / "lines.jsonl"
    path.write_text("\n".join(json.dumps(event) for event in CALL))
    return next(w1_oracle.expected(path, count))


def test_brute_force_of_a_call_worked_out_by_hand(tmp_path: Path) -> None:
    """At 1025 s the window of a quarter of an hour begins at 180 s: it is that of 1080 s."""
    growing, sliding, entered, late = expected(tmp_path, len(CALL))
    # talked 22..52 and 60..1000; waited 10..20, 1000..1002 and 1010..1013; wrote up 1002..1010
    assert growing[3] == [2, 970_000, 940_000, 2, 15_000, 8_000]
    assert sliding[3] == [1, 940_000, 820_000, 1, 5_000, 8_000]
    assert entered[7] == [2, 1, 1, 1, 53_000, 50_000]
    assert late[7] == [0] * 6
    assert not any(map(any, growing[4:]))


def test_brute_force_of_what_goes_on(tmp_path: Path) -> None:
    growing, *_ = expected(tmp_path, CALL.index(queue("EventAbandoned", 63, "c2", "Std")) + 1)
    assert growing[3] == [1, 30_000, 30_000, 1, 10_000, 0]  # talks since 60 s, for 3 s


def test_totals_are_those_of_w1() -> None:
    assert w1_oracle.totals([[[1, 10], [2, 20]]]) == [3, 5, 30, 50]


def test_frames_in_any_pieces() -> None:
    texts = [b"a" * 5, b"b" * 300, b"c" * 70_000]
    heads = [bytes([0x81, 5]), b"\x81\x7e" + struct.pack("!H", 300),
             b"\x81\x7f" + struct.pack("!Q", 70_000)]  # fmt: skip
    data = b"".join(head + text for head, text in zip(heads, texts, strict=True))
    whole = list(load.frames([(1.0, data)]))
    assert whole == [(1.0, text) for text in texts]
    pieces = [(float(n), data[n : n + 1]) for n in range(400)] + [(400.0, data[400:])]
    assert list(load.frames(pieces)) == [(6.0, texts[0]), (310.0, texts[1]), (400.0, texts[2])]


def test_bins_of_a_histogram() -> None:
    assert histogram([0.00101, 0.00102, 0.0101]) == [(1.0, 2), (10.0, 1)]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = tmp_path / "run.txt"
    path.write_text(
        '{"row": "w1", "events": 1000000, "p1_of_limit": 0.1, "p2_of_p1": 0.9}\n'
        "w1: some words\n"
        '{"row": "replaying", "skipped": "no W1"}\n'
        '{"row": "fanout", "clients": 200, "ratio": 9.0}\n'
        '{"row": "refresh", "figures": [1]}\n'
        "refresh: 2 % of a core\n"
    )
    return path


def test_a_table_says_what_was_reached_and_what_is_missing(run: Path) -> None:
    lines = table.table(results.read([run])).splitlines()

    def line(words: str) -> str:
        return next(line for line in lines if words in line)

    assert line("of the C limit").endswith("| 0.100 | **no** |")
    assert line("of P1 ").endswith("| 0.90x | yes |")
    assert line("refresh").endswith("| 2 % of a core |  |")
    assert line("of `send_message`").endswith("| 9.00x, with 200 clients only |  |")
    assert line("replay").endswith("| not in this run |  |")


def test_a_table_is_put_between_the_marks_of_a_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    marks = "<!-- table: begin -->", "<!-- table: end -->"
    page.write_text("before\n{}\nold\n{}\nafter\n".format(*marks))
    results.put_between(page, table.NAME, "new")
    assert page.read_text() == "before\n{}\nnew\n{}\nafter\n".format(*marks)
    page.write_text(marks[0])
    with pytest.raises(AssertionError):
        results.put_between(page, table.NAME, "new")


def test_help_names_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    printed = capsys.readouterr().out
    assert [name for name in BENCHMARKS if name not in printed] == []


def test_a_name_that_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["w2"]) == 2
    assert capsys.readouterr().out.startswith("no such benchmark: w2; there are ingest, w1")
