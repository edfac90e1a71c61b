"""Whole clusters under faults, a few seeds of each kind; long runs are `make simulate SEEDS=n`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from observer import Violation
from run import Plan, simulate
from simulate import replay_command

# Some that are always tried, and some that nobody has tried before.
FIXED = [(0, "two"), (1, "three"), (2, "one"), (3, "many"), (4, "five")]
FRESH = [(int.from_bytes(os.urandom(4)), "two"), (int.from_bytes(os.urandom(4)), "many")]
SECONDS = 5.0

pytestmark = pytest.mark.timeout(600)


def hold_every_promise(seed: int, plan: Plan) -> None:
    try:
        outcome = simulate(seed, plan)
    except Exception as error:
        pytest.fail(
            f"{replay_command(seed, plan)}\n{error}", pytrace=not isinstance(error, Violation)
        )
    assert outcome.counts["committed"] > 50


@pytest.mark.parametrize(("seed", "topology"), FIXED)
def test_promises_hold_under_all_faults(seed: int, topology: str) -> None:
    hold_every_promise(seed, Plan(topology, SECONDS))


@pytest.mark.parametrize(("seed", "topology"), FRESH, ids=["two", "many"])
def test_promises_hold_in_runs_that_nobody_tried_before(seed: int, topology: str) -> None:
    hold_every_promise(seed, Plan(topology, SECONDS))


def test_the_same_seed_gives_the_same_events_whatever_the_hashes() -> None:
    script = Path(__file__).with_name("simulate.py")
    command = [sys.executable, str(script), "--seed", "5", "--topology", "two", "--seconds", "3"]
    runs = [
        subprocess.run(
            [*command, "--fingerprint"],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            timeout=500,
            check=True,
        ).stdout.splitlines()[0]
        for hash_seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
