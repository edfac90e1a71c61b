"""Every script says what happens today; a change of what storage answers shows as a diff of a script."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from golden_script import check_script, scripts_beside
from storage_script import Script
from storage_support import scratch_folder

SCRIPTS = scripts_beside(__file__)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script(path: Path) -> None:
    with scratch_folder() as folder, closing(Script(folder)) as script:
        check_script(path, script.execute)


def test_there_are_scripts() -> None:
    assert len(SCRIPTS) > 4
