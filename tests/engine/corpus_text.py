"""The corpus as text: one statement a line, in blocks that an empty line ends.

- `.sql` holds statements, `.expr` expressions (each stands for `select <expression>`).
- `#` starts a comment line.
- `«a¦b¦c»` stands for each of its alternatives in turn, all combinations of a line's groups.
- `statement @@ 1 ¦ text ¦ \\N` runs with parameters through the extended protocol.
- `copy t from stdin <<< a⇥b¶` gives COPY its data: ⇥ is a tab, ¶ a newline.

Blocks: what follows a refused change within its block is not held against the engine, as the change's
effects are missing.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from comparison import Step

HERE = Path(__file__).parent
FOLDERS = (HERE / "corpus", HERE.parent / "expression" / "corpus")
_GROUP = re.compile("«([^«»]*)»")


@dataclass(frozen=True, slots=True)
class Line:
    """`block` and `number` count within the file."""

    step: Step
    block: int
    number: int


def headings() -> list[Path]:
    """The corpus files in a fixed order."""
    found = [*FOLDERS[0].glob("*.sql"), *FOLDERS[0].glob("*.expr"), *FOLDERS[1].glob("*.sql")]
    return sorted(found, key=lambda path: (path.parent.parent.name, path.name))


def name_of(path: Path) -> str:
    return path.stem if path.parent == FOLDERS[0] else f"expression_{path.stem}"


def read(path: Path) -> list[Line]:
    prefix = "select " if path.suffix == ".expr" or path.parent == FOLDERS[1] else ""
    lines = []
    block = 0
    for number, text in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not text.strip():
            block += 1
        elif not text.startswith("#"):
            lines += [Line(_step(prefix + one), block, number) for one in expand(text)]
    return lines


def expand(text: str) -> Iterator[str]:
    groups = [group.split("¦") for group in _GROUP.findall(text)]
    if not groups:
        yield text
        return
    pieces = _GROUP.split(text)[::2]
    for chosen in itertools.product(*groups):
        yield pieces[0] + "".join(a + b for a, b in zip(chosen, pieces[1:], strict=True))


def _step(text: str) -> Step:
    if " <<< " in text:
        sql, data = text.split(" <<< ", 1)
        return Step(sql, None, data.replace("⇥", "\t").replace("¶", "\n").encode())
    if " @@ " in text or text.endswith(" @@"):
        sql, _, values = text.partition(" @@")
        given = [value.strip() for value in values.split("¦")] if values.strip() else []
        return Step(sql, tuple(None if value == r"\N" else value for value in given))
    return Step(text)
