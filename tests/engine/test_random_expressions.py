"""Random calls of what PostgreSQL's catalogs have agree with PostgreSQL, in text and binary."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from compat import Pair
from random_expressions import run_expressions

SEED = int(os.environ.get("TRILITHON_SEED", "7"))
COUNT = int(os.environ.get("TRILITHON_EXPRESSIONS", "1500"))
# Of what is called here these shares may be missing, and answer otherwise: edges of edges, counted so
# that nobody adds to them unseen.
REFUSED_MAX, WRONG_MAX, VALUES_WRONG_MAX = 0.04, 0.01, 0.005


@pytest.fixture(scope="module")
def pair(postgresql: str) -> Iterator[Pair]:
    with Pair(postgresql) as both:
        yield both


def test_random_expressions_agree(pair: Pair) -> None:
    print(f"replay: TRILITHON_SEED={SEED} TRILITHON_EXPRESSIONS={COUNT}")
    report = run_expressions(pair, SEED, 0, COUNT)
    shown = "\n".join(wrong.shown() for wrong in report.wrong)
    assert report.statements == COUNT
    assert len(report.wrong) <= COUNT * WRONG_MAX, shown
    assert len(report.refused) <= COUNT * REFUSED_MAX, report.refused
    values = [wrong for wrong in report.wrong if "SQLSTATE" not in wrong.what]
    assert len(values) <= COUNT * VALUES_WRONG_MAX, shown
