"""Random queries and changes give the same on both systems."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from compat import Pair
from random_comparison import run_changes, run_queries

SEED = int(os.environ.get("TRILITHON_SEED", "7"))
COUNT = int(os.environ.get("TRILITHON_QUERIES", "150"))


@pytest.fixture(scope="module")
def pair(postgresql: str) -> Iterator[Pair]:
    with Pair(postgresql) as both:
        yield both


@pytest.mark.parametrize("seed", [SEED, SEED + 1])
def test_random_queries_agree(pair: Pair, seed: int) -> None:
    print(f"replay: TRILITHON_SEED={seed} TRILITHON_QUERIES={COUNT}")
    report = run_queries(pair, seed, COUNT)
    assert not report.wrong, f"seed {seed}:\n" + "\n".join(w.shown() for w in report.wrong[:10])
    assert len(report.refused) <= COUNT // 10


def test_random_changes_agree(pair: Pair) -> None:
    """Within transactions, some rolled back: what statements answer, and what is there in the end."""
    print(f"replay: TRILITHON_SEED={SEED} TRILITHON_QUERIES={COUNT}")
    report = run_changes(pair, SEED, COUNT)
    assert not report.wrong, f"seed {SEED}:\n" + "\n".join(w.shown() for w in report.wrong[:5])
