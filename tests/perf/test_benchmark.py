"""A small run of the benchmarks: no ratio to a peer is more than twice the recorded one.

The recorded ratios are in `results/small.json`; `python tests/perf/benchmark --size small --write` records new ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from benchmark.behind_nginx import has_nginx
from benchmark.command import ROWS, main, measured
from benchmark.records import keep, keep_ratios, worse
from benchmark.result import Bench, Result
from benchmark.running import program

ROUNDS = 2


@pytest.mark.alone
@pytest.mark.skipif(program("rclone") is None, reason="the peers are not installed: pip install '.[peers]'")
@pytest.mark.skipif(not has_nginx(), reason="nginx is not installed: apt-get install nginx-light")
@pytest.mark.parametrize("row", ROWS)
def test_no_ratio_is_twice_the_recorded_one(row: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bench = Bench(tmp_path, ROUNDS, small=True)
    with capsys.disabled():
        faults = worse(measured(row, bench))
        if faults:  # what else runs on the machine may have slowed one side down
            faults = {name: fault for name, fault in worse(measured(row, bench)).items() if name in faults}
    assert faults == {}


@pytest.mark.parametrize(("ours", "fault"), [(5.9, None), (6.1, "3.05, and 1.5 is recorded")])
def test_twice_the_recorded_ratio_is_a_fault(ours: float, fault: str | None, tmp_path: Path) -> None:
    keep_ratios([Result("row", "plan", "peer", [3.0], [2.0])], tmp_path)
    assert worse([Result("row", "plan", "peer", [ours], [2.0])], tmp_path).get("plan / peer") == fault


def test_a_ratio_that_is_not_recorded_is_a_fault(tmp_path: Path) -> None:
    keep_ratios([Result("row", "plan", "peer", [3.0], [2.0])], tmp_path)
    assert list(worse([Result("row", "apply", "peer", [1.0], [2.0])], tmp_path)) == ["apply / peer"]


def test_results_of_other_rows_stay_in_the_table(tmp_path: Path) -> None:
    keep([Result("one", "plan", "peer", [3.0], [2.0]), Result("two", "apply", "peer", [3.0], [1.0])], "about", tmp_path)
    keep([Result("one", "plan", "peer", [5.0, 7.0, 6.0], [2.0], target=2.5)], "about", tmp_path)
    table = (tmp_path / "benchmarks.md").read_text()
    assert "| plan | 6.00 s [5.00-7.00] | peer | 2.00 s | 3.00 | ≤ 2.5 |" in table
    assert "| apply | 3.00 s | peer | 1.00 s | 3.00 |" in table
    drawing = ElementTree.fromstring((tmp_path / "benchmarks.svg").read_text())
    assert [text.text for text in drawing.iter("{http://www.w3.org/2000/svg}text")].count("3.00") == 2


def test_a_row_that_fails_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(_: Bench) -> Iterator[Result]:
        yield Result("broken", "half of it", "peer", [1.0], [1.0])
        raise RuntimeError("exit 1")

    def good(_: Bench) -> Iterator[Result]:
        yield Result("good", "plan", "peer", [3.0], [2.0])

    monkeypatch.setitem(ROWS, "broken", broken)
    monkeypatch.setitem(ROWS, "good", good)
    assert main(["--rows", "broken,good"]) == 1
    shown = capsys.readouterr()
    assert "| plan | 3.00 s | peer | 2.00 s | 1.50 |" in shown.out
    assert "half of it" not in shown.out
    assert "broken: exit 1" in shown.err
