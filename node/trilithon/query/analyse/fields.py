"""Fields of row values: (f(x)).n, where the analyser knows what fields a value has.

A record whose fields are known carries their shape's number as its type's modifier.
"""

from __future__ import annotations

from typing import Any, Final

from trilithon.expression import ir
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.tree import Expr
from trilithon.types.registry import INT2, INT4, RECORD, TypeRef

_EXPANDED: Final = TypeRef(RECORD.oid, 1)
# By function: what its rows are, where it is called in a select list.
SHAPE_OF: Final = {"_pg_expandarray": _EXPANDED}
_FIELDS: Final = {_EXPANDED: {"x": (1, INT2), "n": (2, INT4)}}


def select_field(
    analysis: Analysis, expression: Expr, steps: list[dict[str, Any]], location: int | None
) -> Expr:
    """Raises 42703, 0A000."""
    fields = _FIELDS.get(expression.type)
    if fields is None or len(steps) != 1 or "String" not in steps[0]:
        analysis.unsupported("selecting a field of a row value", location)
    name = steps[0]["String"]["sval"]
    if name not in fields:
        analysis.fail("42703", f'column "{name}" not found in data type record', location)
    number, type_ = fields[name]
    made = ir.Call("_pg_record_field(record,int4)", (expression, ir.Constant(number, INT4)), INT4)
    return made if type_ == INT4 else ir.Cast(made, type_, True)
