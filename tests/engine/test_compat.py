"""The corpus on PostgreSQL and on the engine: nothing is wrong beyond what known_differences.txt explains.

`make compat` runs the same and prints the shares.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from compat import Pair, known_differences, run_heading
from corpus_text import Step, expand, headings, name_of


@pytest.fixture(scope="module")
def pair(postgresql: str) -> Iterator[Pair]:
    with Pair(postgresql) as both:
        yield both


@pytest.mark.parametrize("path", headings(), ids=name_of)
def test_the_corpus_agrees(path: Path, pair: Pair) -> None:
    report = run_heading(pair, path, known_differences())
    assert report.statements
    assert not report.wrong, "\n".join(wrong.shown() for wrong in report.wrong)
    assert not report.mended, "remove from known_differences.txt:\n" + "\n".join(report.mended)


def test_every_known_difference_has_a_reason() -> None:
    assert all(reason.strip() for reason in known_differences().values())


def test_groups_stand_for_all_combinations() -> None:
    assert list(expand("a «1¦2» b «x¦»")) == ["a 1 b x", "a 1 b ", "a 2 b x", "a 2 b "]
    assert Step("x") == Step("x", None)
