"""Random schemas, rows, queries and changes give the same on both systems, with and without room.

`make compat SEEDS=n` runs more of them; TRILITHON_SEED replays one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))

from compat import Pair
from wide_choice import as_literals, as_parameters, constant
from wide_comparison import run_seed
from wide_steps import Steps

SEED = int(os.environ.get("TRILITHON_SEED", "3"))
GROUPS = int(os.environ.get("TRILITHON_GROUPS", "40"))


@pytest.fixture(scope="module", params=["roomy", "tight"])
def pair(request: pytest.FixtureRequest, postgresql: str) -> Iterator[Pair]:
    with Pair(postgresql, tight=request.param == "tight") as both:
        yield both


@pytest.mark.parametrize("seed", [SEED, SEED + 1])
def test_random_statements_agree(pair: Pair, seed: int) -> None:
    print(f"replay: TRILITHON_SEED={seed} TRILITHON_GROUPS={GROUPS}")
    run, found = run_seed(pair, seed, GROUPS)
    assert not found, f"seed {seed}:\n" + "\n".join(one.shown() for one in found)
    assert run.statements > GROUPS
    assert sum(run.refused.values()) <= run.statements // 10, run.refused


def test_a_seed_gives_the_same_statements() -> None:
    def script(seed: int) -> list[str]:
        steps = Steps(seed)
        return [
            step.sql
            for group in (steps.setup(), *(steps.next() for _ in range(30)))
            for step in group
        ]

    assert script(5) == script(5)
    assert script(5) != script(6)


def test_constants_are_literals_or_parameters() -> None:
    five, text, mood = constant("int4", "5"), constant("text", "a'b"), constant("mood", "ok")
    sql = f"select {five}, {text}, {mood}, {five}"
    assert as_literals(sql) == "select 5, 'a''b'::text, 'ok'::mood, 5"
    numbered, values, oids = as_parameters(sql)
    assert numbered == "select $1, $2, 'ok'::mood, $1"
    assert (values, oids) == (("5", "a'b"), (23, 25))
