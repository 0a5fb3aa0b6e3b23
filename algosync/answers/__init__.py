"""How an answer is judged: expectations, baselines, and faults of expectations. Knows no cluster and no workflow file."""

from __future__ import annotations

from algosync.answers.baseline import Accepted, NotBaseline, accepted, read_baseline
from algosync.answers.expectation_fault import ExpectationFault, faults
from algosync.answers.judge import Judge, JudgeLimits
from algosync.answers.verdict import EXPECTATIONS, compared, judge

__all__ = [
    "EXPECTATIONS",
    "Accepted",
    "ExpectationFault",
    "Judge",
    "JudgeLimits",
    "NotBaseline",
    "accepted",
    "compared",
    "faults",
    "judge",
    "read_baseline",
]
