"""What a plan reads first, where that is known before its transaction begins: rows by key.

Such a read may travel beside the snapshot request (see transaction.FirstRead). A wrong guess costs a
read that nobody uses, never a wrong answer.
"""

from __future__ import annotations

from trilithon.query.execute.modify import DeleteRows, UpdateRows
from trilithon.query.execute.operators import Limited, Operator, Transformed
from trilithon.query.execute.scans import PointScan


def first_points(root: Operator) -> PointScan | None:
    """The point read that a plan begins with."""
    while not isinstance(root, PointScan):
        match root:
            case Transformed() | Limited():
                root = root.input
            case UpdateRows() | DeleteRows():
                root = root.source
            case _:
                return None
    return root
