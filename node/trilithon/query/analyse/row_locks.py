"""FOR UPDATE and its kin: which rows COMMIT checks."""

from __future__ import annotations

from typing import Any, Final

from trilithon.expression import ir
from trilithon.query.analyse import grouping
from trilithon.query.analyse.block import Block, Target
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.tree import Relation
from trilithon.query.parse.statement import Node

_STRENGTHS: Final = {
    "LCS_FORUPDATE": "update",
    # The nearest stronger modes: nothing ever waits for a lock, it only conflicts at COMMIT.
    "LCS_FORNOKEYUPDATE": "update",
    "LCS_FORSHARE": "update",
    "LCS_FORKEYSHARE": "key_share",
}


def row_locks(
    analysis: Analysis, relation: Relation, block: Block, body: Node
) -> list[tuple[Any, int, str]]:
    """(table, hidden target with the row's key, mode) for each row lock asked for."""
    locks: list[tuple[Any, int, str]] = []
    for item in body.get("lockingClause", ()):
        clause = item["LockingClause"]
        mode = _STRENGTHS[clause["strength"]]
        words = "FOR " + clause["strength"].removeprefix("LCS_FOR").replace(
            "NOKEY", "NO KEY "
        ).replace("KEYSHARE", "KEY SHARE")
        _refuse_locking(analysis, body, words)
        if block.aggregates:
            analysis.fail("0A000", f"{words} is not allowed with aggregate functions")
        # NOWAIT and SKIP LOCKED: nothing is ever locked, so nothing waits and no row is skipped.
        wanted = [node["RangeVar"]["relname"] for node in clause.get("lockedRels", ())]
        scans = grouping.scans_below(analysis, relation, words)
        for name in wanted:
            if all(scan.alias != name for scan in scans):
                analysis.fail(
                    "42P01", f'relation "{name}" in {words} clause not found in FROM clause'
                )
        for scan in scans:
            if wanted and scan.alias not in wanted:
                continue
            key = ir.Column(scan.key_column.id, scan.key_column.type)
            block.targets.append(Target("(key)", key, None, hidden=True))
            locks.append((scan.table, len(block.targets) - 1, mode))
    if locks:
        analysis.read_only = False
    return locks


def _refuse_locking(analysis: Analysis, body: Node, words: str) -> None:
    for clause, what in (
        ("distinctClause", "DISTINCT"),
        ("groupClause", "GROUP BY"),
        ("havingClause", "HAVING"),
        ("windowClause", "window functions"),
    ):
        if clause in body:
            analysis.fail("0A000", f"{words} is not allowed with {what} clause")
