"""Every script says what happens today; a change of the protocol shows as a diff of a script."""

from __future__ import annotations

from pathlib import Path

import pytest
from golden_script import check_script, scripts_beside
from journal_script import Script

SCRIPTS = scripts_beside(__file__)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script(path: Path) -> None:
    check_script(path, Script().execute)


def test_there_are_scripts() -> None:
    assert len(SCRIPTS) > 5
