"""The checkers notice when a rule is switched off.

A few cheap rules always; all that are proven with TRILITHON_ALL_RULES=1 (`make prove`).
"""

from __future__ import annotations

import os

import pytest
from cluster import JournalNode
from fault_processes import keep_down
from mutations import CHEAP, RULES, SEEDS
from observer import Violation
from run import Plan, simulate
from scenario import scenario
from topologies import TOPOLOGIES

ALL = bool(os.environ.get("TRILITHON_ALL_RULES"))

pytestmark = pytest.mark.timeout(1_200)


@pytest.mark.parametrize("name", SEEDS if ALL else CHEAP)
def test_a_rule_that_is_switched_off_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    RULES[name](monkeypatch.setattr)
    topologies = list(TOPOLOGIES)
    for seed in range(SEEDS[name]):
        try:
            simulate(seed, Plan(topologies[seed % len(topologies)], 10.0 if ALL else 5.0))
        except Violation:
            return
    pytest.fail(f"{SEEDS[name]} seeds without the rule {name}, and nothing was noticed")


def test_answers_before_the_sync_are_noticed_when_the_power_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    RULES["answer_before_the_sync"](monkeypatch.setattr)
    for seed in range(1, 9):
        try:
            _power_failure(seed)
        except Violation:
            return
    pytest.fail("nothing was noticed")


def _power_failure(seed: int) -> None:
    with scenario(seed=seed) as one:
        cluster = one.cluster
        journals: list[JournalNode] = cluster.of(JournalNode)
        for node in journals:
            node.disk.extra_s = 0.1
        cluster.run(0.08)
        for node in journals:
            node.disk.extra_s = 0.0
        undo = keep_down(list(cluster.nodes.values()))
        cluster.run(0.1)
        undo()
        cluster.run(1.0)


@pytest.mark.skipif(not ALL, reason="takes several tries")
def test_journals_that_promise_at_once_after_a_restart_are_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    RULES["promise_at_once_after_a_restart"](monkeypatch.setattr)
    for seed in range(12):
        try:
            simulate(seed, Plan("two", 8.0, ["lonely leader"]))
        except Violation:
            return
    pytest.fail("nothing was noticed")
