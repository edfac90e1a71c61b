"""The joint simulation: the real journal and adjudicator machines under faults, judged by history.

More seeds: TRILITHON_SEEDS=500 (per topology), from TRILITHON_FIRST_SEED on. A failure names the command
that replays it.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
from protocol_checker import Violation
from protocol_rules import DIRECTED, RULES
from protocol_run import TOPOLOGIES, Cluster, run_seed

from trilithon.core.invariant import InvariantViolation

SEEDS = int(os.environ.get("TRILITHON_SEEDS", "3"))
FIRST_SEED = int(os.environ.get("TRILITHON_FIRST_SEED", "0"))
# A broken rule has to be noticed within so many seeds.
RULE_SEEDS = 40


def simulate(seed: int, topology: str, *, replace: bool = False) -> None:
    try:
        run_seed(seed, topology, replace=replace)
    except (AssertionError, InvariantViolation) as error:
        option = " --replace" if replace else ""
        command = f"python tests/protocol/protocol_run.py --seed {seed} --topology {topology}{option} --trace"
        pytest.fail(f"replay with: {command}\n{type(error).__name__}: {error}")


@pytest.mark.timeout(0)
@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_faults_break_no_promise(topology: str) -> None:
    for seed in range(FIRST_SEED, FIRST_SEED + SEEDS):
        simulate(seed, topology)


@pytest.mark.timeout(0)
@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_journals_that_lose_their_disks_are_replaced(topology: str) -> None:
    for seed in range(FIRST_SEED, FIRST_SEED + max(1, SEEDS // 2)):
        simulate(seed, topology, replace=True)


def test_a_seed_that_once_found_something() -> None:
    """Stale promises of a bootstrap that somebody else won; lists whose members are gone for good."""
    simulate(4, "one")
    simulate(10, "two", replace=True)


def fingerprint(seed: int) -> str:
    cluster = Cluster(seed, "two")
    cluster.run(6.0)
    return cluster.fingerprint()


def test_the_same_seed_gives_the_same_events() -> None:
    program = "from test_protocol import fingerprint; print(fingerprint(3))"
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=Path(__file__).parent,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert found == {fingerprint(3) + "\n"}


@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", [name for name in RULES if name not in DIRECTED])
def test_a_broken_rule_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    RULES[name](monkeypatch.setattr)
    for seed, topology in itertools.product(range(RULE_SEEDS), ("two", "three")):
        try:
            run_seed(seed, topology)
        except (Violation, InvariantViolation, AssertionError):
            return
    pytest.fail(f"nobody noticed that the rule {name} was broken, in {RULE_SEEDS} seeds")
