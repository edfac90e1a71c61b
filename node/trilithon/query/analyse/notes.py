"""What analysis found out about each parse node: for whoever shows a statement as it was understood.

Keys are identities of parse nodes, so notes are good only as long as somebody holds the parse tree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from trilithon.query.catalog.definitions import Function


@dataclass(slots=True, eq=False)
class Notes:
    """`columns` (by the body of a ColumnRef): the column it means. `calls` (by the body of a FuncCall): the
    catalog's function that is called."""

    columns: dict[int, Any] = field(default_factory=dict)
    calls: dict[int, Function] = field(default_factory=dict)
