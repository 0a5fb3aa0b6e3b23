"""The key `ignore` of an algorithm."""

from __future__ import annotations

from pathlib import Path

import pytest

from algosync import workflow
from algosync.core.workflow import IGNORABLE, Ignore


def loaded(folder: Path, rules: str) -> tuple[Ignore, ...]:
    path = folder / "w.yaml"
    path.write_text(f"algorithms:\n  - name: One\n    language: python3\n    code: file://x\n    ignore: {rules}\n")
    return workflow.load(path, {}).algorithms[0].ignore


def test_a_rule_has_a_reason_and_may_have_an_end(tmp_path: Path) -> None:
    rules = "[{attribute: details.summary, reason: by hand, until: 2027-01-31}, {attribute: 'data[\"*.log\"]', reason: logs}]"
    assert loaded(tmp_path, rules) == (
        Ignore("details.summary", "by hand", "2027-01-31"),
        Ignore('data["*.log"]', "logs"),
    )
    assert loaded(tmp_path, "null") == loaded(tmp_path, "[]") == ()


@pytest.mark.parametrize("name", [*IGNORABLE, "*", "settings.*", "details.?ummary", 'data["a b.bin"]'])
def test_each_name_and_glob_is_known(tmp_path: Path, name: str) -> None:
    (rule,) = loaded(tmp_path, f"[{{attribute: '{name}', reason: r}}]")
    assert rule.attribute == name
