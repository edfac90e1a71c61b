"""Golden scripts: blocks of commands, `---`, everything that happened, one event per line.

A script is compared with what happens now, so a change of behaviour is read as a diff of a script. Blocks
are parted by empty lines; a block of lines that begin with # is a comment. What a command means is the
business of whoever runs the script: `execute` takes one line and returns what came of it.

With TRILITHON_REWRITE=1 the scripts are written anew instead (`git diff` shows what changed).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

# One line of a script → what happened, a line each.
Execute = Callable[[str], list[str]]

SEPARATOR = "---\n"


def scripts_beside(test_file: str) -> list[Path]:
    """All scripts in the folder `scripts` beside a test file."""
    return sorted((Path(test_file).parent / "scripts").glob("*.txt"))


def run_script(text: str, execute: Execute) -> str:
    """The script again, with what really happened."""
    blocks = [block + "\n" for block in text.strip("\n").split("\n\n")]
    return "\n".join(block if _is_comment(block) else _run(block, execute) for block in blocks)


def check_script(path: Path, execute: Execute) -> None:
    text = path.read_text("utf-8")
    happened = run_script(text, execute)
    if os.environ.get("TRILITHON_REWRITE"):
        path.write_text(happened, "utf-8")
        return
    assert happened == text, "see TRILITHON_REWRITE in tests/golden/golden_script.py"


def _is_comment(block: str) -> bool:
    return all(line.startswith("#") for line in block.strip().splitlines())


def _run(block: str, execute: Execute) -> str:
    commands = block.partition(SEPARATOR)[0]
    events: list[str] = []
    for line in commands.strip().splitlines():
        if not line.startswith("#"):
            events += execute(line)
    return commands + SEPARATOR + "".join(f"{event}\n" for event in events)
