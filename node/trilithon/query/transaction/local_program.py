"""Runs a storage program (filter and projection) over own writes, exactly as storage would.

Programs hold immutable functions only, so no clock, settings or parameters are needed.
"""

from __future__ import annotations

from typing import Final

from trilithon.expression.context import EvalContext
from trilithon.expression.program import Program, compile_bytes
from trilithon.query.transaction.ports import Row
from trilithon.types.rows import decode_row

# For scans that only want keys, or to count: rows without columns.
KEYS_ONLY: Final = Program(projection=()).to_bytes()
_CONTEXT: Final = EvalContext()


def run_locally(program: bytes, value: bytes) -> Row | None:
    """The row as the program gives it; None when the filter says no. SqlError as in storage."""
    row = decode_row(value)
    if not program:
        return row
    passed = compile_bytes(program).run([row], _CONTEXT)
    return list(passed[0]) if passed else None
