"""json_to_record() and json_to_recordset() in FROM, whose columns the statement defines."""

from __future__ import annotations

from typing import Final

from trilithon.expression import ir
from trilithon.query.analyse import coercion, expressions, names
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.scope import Scope
from trilithon.query.analyse.tree import FunctionScan, OutputColumn, Project, Relation
from trilithon.query.parse.statement import Node
from trilithon.types.registry import JSON, JSONB, TEXT

NAMES: Final = frozenset(
    f"{kind}_to_{what}" for kind in ("json", "jsonb") for what in ("record", "recordset")
)


def name_of(node: Node) -> str:
    call = node["functions"][0]["List"]["items"][0].get("FuncCall")
    return names.strings(call["funcname"])[-1] if call else ""


def require_columns(analysis: Analysis, node: Node) -> None:
    """Without a list of columns there is no row of such a function. Raises SqlError 42601."""
    if name_of(node) in NAMES:
        analysis.fail(
            "42601",
            'a column definition list is required for functions returning "record"',
            node["functions"][0]["List"]["items"][0]["FuncCall"].get("location"),
        )


def rows(analysis: Analysis, scope: Scope, node: Node) -> tuple[Relation, tuple[OutputColumn, ...]]:
    """The rows of a RangeFunction with a column definition list. Raises SqlError 42883, 0A000."""
    call = node["functions"][0]["List"]["items"][0].get("FuncCall")
    name = name_of(node)
    if name not in NAMES or len(call.get("args", ())) != 1:
        analysis.unsupported("a column definition list for a function")
    location = call.get("location")
    kind = JSONB if name.startswith("jsonb") else JSON
    argument = expressions.analyse(analysis, scope, call["args"][0])
    value = coercion.coerce_implicit(analysis, argument, kind, location)
    if kind is JSONB:
        value = coercion.coerce(analysis, value, JSON, "explicit", location)
    if node.get("ordinality"):
        analysis.fail(
            "42601", "WITH ORDINALITY cannot be used with a column definition list", location
        )
    record = analysis.column("record", JSON)
    arguments = (value, ir.Constant(name, TEXT))
    scan = FunctionScan((record,), "json_records(json,text)", arguments)
    columns: list[OutputColumn] = []
    values: list[ir.Expr] = []
    for definition in node["coldeflist"]:
        column = definition["ColumnDef"]
        if any(column["colname"] == known.name for known in columns):
            analysis.fail(
                "42701", f'column name "{column["colname"]}" specified more than once', location
            )
        type_ = names.resolve_type(analysis, column["typeName"])
        columns.append(analysis.column(column["colname"], type_))
        field = (ir.Column(record.id, JSON), ir.Constant(column["colname"], TEXT))
        values.append(ir.Call("json_field(json,text)", field, type_))
    return Project(tuple(columns), scan, tuple(values)), tuple(columns)
