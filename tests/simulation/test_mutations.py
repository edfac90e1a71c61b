"""The checkers notice when a rule is switched off.

A few cheap rules always; all of them with TRILITHON_ALL_RULES=1 (`make prove`).
"""

from __future__ import annotations

import os

import pytest
from mutations import CHEAP, RULES, SEEDS
from observer import Violation
from run import Plan, simulate
from topologies import TOPOLOGIES

NAMES = list(RULES) if os.environ.get("TRILITHON_ALL_RULES") else CHEAP


@pytest.mark.parametrize("name", NAMES)
def test_a_rule_that_is_switched_off_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    RULES[name](monkeypatch.setattr)
    topologies = list(TOPOLOGIES)
    count = SEEDS.get(name, 12)
    for seed in range(count):
        try:
            simulate(seed, Plan(topologies[seed % len(topologies)], 10.0))
        except Violation:
            return
    pytest.fail(f"{count} seeds without {name}, and nothing was noticed")
