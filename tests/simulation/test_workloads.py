"""Every workload on keys notices by itself what it is there for, whatever runs beside it."""

from __future__ import annotations

import pytest
from mutations import RULES
from observer import Violation
from run import Plan, simulate
from topologies import TOPOLOGIES

pytestmark = pytest.mark.timeout(600)

# Workload → the rule without which it must notice something, and the seeds it may take.
NOTICES = [
    ("bank", "judge_without_looking_for_conflicts", 2),
    ("ring", "judge_without_looking_for_conflicts", 2),
    ("append", "judge_without_looking_for_conflicts", 2),
    ("unique", "judge_without_looking_for_conflicts", 2),
    ("skew", "read_checks_are_ignored", 2),
    ("impatient", "forget_known_ids", 2),
]


@pytest.mark.parametrize(("workload", "rule", "seeds"), NOTICES)
def test_a_workload_alone_notices(
    workload: str, rule: str, seeds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    RULES[rule](monkeypatch.setattr)
    for seed in range(seeds):
        topology = list(TOPOLOGIES)[seed % len(TOPOLOGIES)]
        try:
            simulate(seed, Plan(topology, 6.0, workloads=[workload]))
        except Violation:
            return
    pytest.fail(f"{workload} alone noticed nothing of {rule}")
