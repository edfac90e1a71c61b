"""Every script says what happens today; a change of the protocol shows as a diff of a script.

`TRILITHON_REWRITE=1 pytest tests/journal/test_journal_scripts.py` writes what happens now.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from journal_script import run_script

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.txt"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script(path: Path) -> None:
    text = path.read_text("utf-8")
    happened = run_script(text)
    if os.environ.get("TRILITHON_REWRITE"):
        path.write_text(happened, "utf-8")
    assert happened == text


def test_there_are_scripts() -> None:
    assert len(SCRIPTS) > 5
