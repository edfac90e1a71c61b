"""FROM: tables, views, subqueries, functions, CTEs and joins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from trilithon.expression import ir
from trilithon.query.analyse import (
    coercion,
    expressions,
    fields,
    json_rows,
    names,
    queries,
    sql_functions,
    view_sources,
    whole_rows,
)
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.scope import FromItem, Scope, Visible, WholeRow, visible_of
from trilithon.query.analyse.tree import (
    CteScan,
    Expr,
    FunctionScan,
    FunctionsInStep,
    Join,
    JoinKind,
    OutputColumn,
    Project,
    Relation,
    Scan,
    VirtualScan,
)
from trilithon.query.catalog.definitions import Sequence as SequenceObject
from trilithon.query.catalog.definitions import Table, View, ViewColumn
from trilithon.query.catalog_views.provider import VirtualRelation
from trilithon.query.parse.statement import Node
from trilithon.types.registry import BYTEA, INT8, OID, RECORD, is_composite, object_of

KEY_COLUMN_NAME: Final = "(key)"
_JOINS: Final[dict[str, JoinKind]] = {
    "JOIN_INNER": "inner",
    "JOIN_LEFT": "left",
    "JOIN_RIGHT": "right",
    "JOIN_FULL": "full",
}


def analyse_from(analysis: Analysis, scope: Scope, items: list[Node]) -> Relation | None:
    """The relation of a whole FROM clause, its columns added to `scope`; None for no FROM."""
    relation: Relation | None = None
    for node in items:
        item = from_item(analysis, scope, node, scope)
        _refuse_duplicate_aliases(analysis, scope.aliases, item.aliases)
        scope.add(item)
        relation = (
            item.relation
            if relation is None
            else cross_join(relation, item.relation, _is_lateral(node))
        )
    return relation


def cross_join(left: Relation, right: Relation, lateral: bool) -> Join:
    return Join((*left.outputs, *right.outputs), "inner", left, right, None, lateral)


def _is_lateral(node: Node) -> bool:
    if "RangeFunction" in node:
        return True
    if "RangeSubselect" in node:
        return bool(node["RangeSubselect"].get("lateral"))
    if "JoinExpr" in node:
        return _is_lateral(node["JoinExpr"]["larg"]) or _is_lateral(node["JoinExpr"]["rarg"])
    return False


def _refuse_duplicate_aliases(
    analysis: Analysis, known: dict[str, str], added: dict[str, str]
) -> None:
    for alias, schema in added.items():
        if alias in known and (known[alias] == schema or not schema or not known[alias]):
            analysis.fail("42712", f'table name "{alias}" specified more than once')


def from_item(analysis: Analysis, outer: Scope, node: Node, lateral: Scope) -> FromItem:
    """One item. `outer` is the query's scope (for CTEs and outer references), `lateral` what LATERAL
    and functions may see besides."""
    tag = next(iter(node))
    handler = _HANDLERS.get(tag)
    if handler is None:
        analysis.unsupported(
            {
                "RangeTableSample": "TABLESAMPLE",
                "JsonTable": "JSON_TABLE",
                "RangeTableFunc": "XMLTABLE",
            }.get(tag, tag)
        )
    return handler(analysis, outer, node[tag], lateral)


# ---- named relations


def _range_variable(analysis: Analysis, outer: Scope, node: Node, lateral: Scope) -> FromItem:
    name = node["relname"]
    if "schemaname" not in node:
        binding = outer.cte(name)
        if binding is not None:
            return _cte(analysis, node, binding)
    found = names.find_relation(analysis, node)
    if isinstance(found, Table):
        return table_item(analysis, found, node)
    if isinstance(found, VirtualRelation):
        return _virtual(analysis, found, node)
    if isinstance(found, View):
        return _view(analysis, found, node)
    if isinstance(found, SequenceObject):
        analysis.unsupported(f'selecting from sequence "{found.name}"', node.get("location", 0))
    analysis.fail("42809", f'cannot open relation "{name}"', node.get("location", 0))


def scan_of(analysis: Analysis, table: Table, alias: str) -> Scan:
    analysis.tables[table.id] = table
    outputs = [
        analysis.column(column.name, column.type, table.id, column.number)
        for column in table.columns
    ]
    outputs.append(analysis.column(KEY_COLUMN_NAME, BYTEA))
    return Scan(tuple(outputs), table, alias, analysis.statistics(table))


def table_item(analysis: Analysis, table: Table, node: Node) -> FromItem:
    alias, column_names = _alias(node.get("alias"))
    scan = scan_of(analysis, table, alias or table.name)
    visible = tuple(
        output
        for output, column in zip(scan.outputs, table.columns, strict=False)
        if not column.dropped
    )
    key = scan.key_column
    row = WholeRow(table.id, ir.Column(key.id, key.type))
    known = view_sources.outputs_of(analysis, node, visible)
    if known is not visible:
        row.columns = visible_of(alias or table.name, visible, row)
    item = named_item(
        analysis,
        scan,
        known,
        alias or table.name,
        column_names,
        "" if alias else table.schema,
        row,
    )
    # Rows that an outer join filled up with NULL come from no table.
    present = ir.IsNull(ir.Column(scan.key_column.id, BYTEA), negated=True)
    table_id = ir.Constant(table.id, OID)
    found = ir.Case(None, ((present, table_id),), None, OID)
    item.columns.append(Visible("tableoid", found, alias or table.name, system=True))
    return item


def named_item(
    analysis: Analysis,
    relation: Relation,
    outputs: tuple[OutputColumn, ...],
    alias: str,
    column_names: list[str],
    schema: str = "",
    row: WholeRow | None = None,
) -> FromItem:
    if len(column_names) > len(outputs):
        analysis.fail(
            "42P10",
            f'table "{alias}" has {len(outputs)} columns available but {len(column_names)} columns specified',
        )
    columns = visible_of(alias, outputs, row)
    for column, name in zip(columns, column_names, strict=False):
        column.name = name
    for column in columns:
        analysis.names[column.expression.index] = f"{alias}.{column.name}"
    return FromItem(relation, columns, {alias: schema} if alias else {})


def _alias(node: Node | None) -> tuple[str, list[str]]:
    if node is None:
        return "", []
    return node["aliasname"], names.strings(node.get("colnames", []))


def _virtual(analysis: Analysis, found: VirtualRelation, node: Node) -> FromItem:
    alias, column_names = _alias(node.get("alias"))
    outputs = tuple(
        analysis.column(name, type_, found.oid, number)
        for number, (name, type_) in enumerate(found.columns, 1)
    )
    # The one system column, behind the others; only its name brings it to light.
    system = analysis.column("tableoid", OID)
    everything = (*outputs, system)
    relation = VirtualScan(everything, f"{found.schema}.{found.name}", found.rows)
    shown = alias or found.name
    schema = "" if alias else found.schema
    item = named_item(analysis, relation, outputs, shown, column_names, schema)
    analysis.names[system.id] = f"{shown}.tableoid"
    item.columns += [replace(one, system=True) for one in visible_of(shown, (system,))]
    return item


def _view(analysis: Analysis, view: View, node: Node) -> FromItem:
    analysis.descend(node.get("location", 0))
    body = queries.analyse_view(analysis, view)
    analysis.depth -= 1
    alias, column_names = _alias(node.get("alias"))
    outputs = tuple(
        replace(output, name=column.name, table_oid=view.id, number=number)
        for number, (output, column) in enumerate(zip(body.outputs, view.columns, strict=True), 1)
    )
    schema = "" if alias else view.schema
    row = WholeRow(view.id)
    known = view_sources.outputs_of(analysis, node, outputs)
    if known is not outputs:
        row.columns = visible_of(alias or view.name, outputs, row)
    return named_item(analysis, body, known, alias or view.name, column_names, schema, row)


def _cte(analysis: Analysis, node: Node, binding: Any) -> FromItem:
    binding.used += 1
    alias, column_names = _alias(node.get("alias"))
    if binding.cte is None:
        analysis.fail(
            "42P19",
            f'recursive reference to query "{binding.name}" must not appear within its non-recursive term',
            node.get("location", 0),
        )
    outputs = tuple(analysis.column(column.name, column.type) for column in binding.columns)
    relation = CteScan(outputs, binding.cte.number, binding.name)
    return named_item(analysis, relation, outputs, alias or binding.name, column_names)


# ---- subqueries and functions


def _subselect(analysis: Analysis, outer: Scope, node: Node, lateral: Scope) -> FromItem:
    scope = outer if not node.get("lateral") else lateral
    parent = _without_columns(scope) if not node.get("lateral") else scope
    body = queries.analyse_query(analysis, parent, node["subquery"])
    alias, column_names = _alias(node.get("alias"))
    return named_item(analysis, body, body.outputs, alias, column_names)


def _without_columns(scope: Scope) -> Scope:
    """The scope as a subquery in FROM sees it: its CTEs and outer levels, not its siblings."""
    return Scope(parent=scope.parent, ctes=scope.ctes, invisible=frozenset(scope.aliases))


def _function(analysis: Analysis, outer: Scope, node: Node, lateral: Scope) -> FromItem:
    functions = node["functions"]
    alias, column_names = _alias(node.get("alias"))
    function_scope = Scope(parent=lateral, clause="functions in FROM")
    calls = _calls_in_step(node)
    if calls:
        return _in_step(analysis, function_scope, calls, alias, column_names, node)
    call = functions[0]["List"]["items"][0]
    if node.get("coldeflist"):
        defined = _defined_rows(analysis, function_scope, call, node, alias)
        if defined is not None:
            return defined
        made_rows, columns = json_rows.rows(analysis, function_scope, node)
        return named_item(analysis, made_rows, columns, alias or json_rows.name_of(node), [])
    json_rows.require_columns(analysis, node)
    if "FuncCall" in call:
        path = names.strings(call["FuncCall"]["funcname"])
        name = path[-1]
        own = sql_functions.find_call(analysis, function_scope, path, call["FuncCall"])
        if own is not None and (own.function.returns_set or own.function.columns):
            if node.get("ordinality"):
                analysis.unsupported("WITH ORDINALITY of a SQL function")
            if own.function.result == RECORD and not own.function.columns:
                _require_columns(analysis, call["FuncCall"])
            made = sql_functions.rows(analysis, own, call["FuncCall"].get("location", 0))
            if is_composite(own.function.result.oid):
                output = made.outputs[0]
                return _rows_of_type(analysis, made, output, alias or name, column_names)
            if not own.function.columns:
                made.outputs = (replace(made.outputs[0], name=alias or name),)
            return named_item(analysis, made, made.outputs, alias or name, column_names)
        if own is not None and own.function.result == RECORD:
            _require_columns(analysis, call["FuncCall"])
        resolved = None
        if own is None:
            resolved = expressions.set_returning_call(analysis, function_scope, call["FuncCall"])
        if resolved is not None:
            return _set_function(analysis, resolved, name, alias, column_names, node)
    else:
        name = expressions.column_name(call)
    expression = expressions.analyse(analysis, function_scope, call)
    expression = coercion.settle(analysis, expression)
    output = analysis.column(alias or name, expression.type)
    if is_composite(expression.type.oid) and not node.get("ordinality"):
        row = Project((output,), queries.one_row(), (expression,))
        return _rows_of_type(analysis, row, output, alias or name, column_names)
    relation: Relation = Project((output,), queries.one_row(), (expression,))
    outputs: tuple[OutputColumn, ...] = (output,)
    if node.get("ordinality"):
        ordinal = analysis.column("ordinality", INT8)
        relation = Project((output, ordinal), queries.one_row(), (expression, ir.Constant(1, INT8)))
        outputs = (output, ordinal)
    return named_item(analysis, relation, outputs, alias or name, column_names)


def _require_columns(analysis: Analysis, call: Node) -> None:
    analysis.fail(
        "42601",
        'a column definition list is required for functions returning "record"',
        call.get("location", 0),
    )


def _defined_rows(
    analysis: Analysis, scope: Scope, call: Node, node: Node, alias: str
) -> FromItem | None:
    """f() AS x (a int, …) of a function of the catalog; None where it is none of those."""
    body = call.get("FuncCall", {})
    path = names.strings(body.get("funcname", ()))
    own = sql_functions.find_call(analysis, scope, path, body) if path else None
    if own is None:
        return None
    columns = [
        ViewColumn(
            one["ColumnDef"]["colname"], names.resolve_type(analysis, one["ColumnDef"]["typeName"])
        )
        for one in node["coldeflist"]
    ]
    location = body.get("location", 0)
    made = sql_functions.rows(
        analysis, sql_functions.with_columns(analysis, own, columns, location), location
    )
    return named_item(analysis, made, made.outputs, alias or path[-1], [])


def _calls_in_step(node: Node) -> list[Node]:
    """The calls of ROWS FROM, and those that unnest() of several arrays stands for."""
    items = [function["List"]["items"] for function in node["functions"]]
    first = items[0][0].get("FuncCall", {})
    if len(items) > 1 or node.get("is_rowsfrom"):
        return [item[0] for item in items]
    several = len(first.get("args", ())) > 1
    if not several or names.strings(first["funcname"]) not in (
        ["unnest"],
        ["pg_catalog", "unnest"],
    ):
        return []
    return [{"FuncCall": {**first, "args": [argument]}} for argument in first["args"]]


def _in_step(
    analysis: Analysis,
    scope: Scope,
    calls: list[Node],
    alias: str,
    column_names: list[str],
    node: Node,
) -> FromItem:
    if node.get("coldeflist") or any(
        len(f["List"]["items"]) > 1 and f["List"]["items"][1] for f in node["functions"]
    ):
        analysis.unsupported("a column definition list in ROWS FROM")
    scans: list[FunctionScan] = []
    for call in calls:
        resolved = None
        if "FuncCall" in call:
            resolved = expressions.set_returning_call(analysis, scope, call["FuncCall"])
        if resolved is None:
            analysis.unsupported("a function in ROWS FROM that gives no rows")
        name = names.strings(call["FuncCall"]["funcname"])[-1]
        columns = list(resolved.columns) or [
            ("value" if name in _VALUE_SETS else name, resolved.type)
        ]
        outputs = tuple(analysis.column(column, type_) for column, type_ in columns)
        scans.append(FunctionScan(outputs, resolved.function, resolved.arguments))
    every = tuple(output for scan in scans for output in scan.outputs)
    shown = alias or names.strings(calls[0]["FuncCall"]["funcname"])[-1]
    ordinality = bool(node.get("ordinality"))
    if ordinality:
        every = (*every, analysis.column("ordinality", INT8))
    relation = FunctionsInStep(every, tuple(scans), ordinality)
    return named_item(analysis, relation, every, shown, column_names)


# Their one result has a name of its own.
_VALUE_SETS: Final = frozenset(
    f"{kind}_array_elements{text}" for kind in ("json", "jsonb") for text in ("", "_text")
)


def _set_function(
    analysis: Analysis, resolved: Any, name: str, alias: str, column_names: list[str], node: Node
) -> FromItem:
    own_name = "value" if name in _VALUE_SETS else alias or name
    columns = [(own_name, resolved.type)] if not resolved.columns else list(resolved.columns)
    outputs = [analysis.column(column, type_) for column, type_ in columns]
    ordinality = bool(node.get("ordinality"))
    if ordinality:
        outputs.append(analysis.column("ordinality", INT8))
    relation = FunctionScan(tuple(outputs), resolved.function, resolved.arguments, ordinality)
    if is_composite(resolved.type.oid) and not resolved.columns and not ordinality:
        return _rows_of_type(analysis, relation, relation.outputs[0], alias or name, column_names)
    item = named_item(analysis, relation, relation.outputs, alias or name, column_names)
    item.columns[0].whole = not resolved.columns and not ordinality
    return item


def _rows_of_type(
    analysis: Analysis,
    relation: Relation,
    output: OutputColumn,
    alias: str,
    column_names: list[str],
) -> FromItem:
    """A function's rows of a named type: their fields are the columns."""
    made = fields.expanded(analysis, relation, output)
    row = WholeRow(object_of(output.type.oid))
    return named_item(analysis, made, made.outputs, alias, column_names, row=row)


# ---- joins


def _join(analysis: Analysis, outer: Scope, node: Node, lateral: Scope) -> FromItem:
    kind = _JOINS.get(node.get("jointype", "JOIN_INNER"))
    if kind is None:
        analysis.unsupported(node["jointype"])
    analysis.descend(None)
    left = from_item(analysis, outer, node["larg"], lateral)
    seen = lateral
    is_lateral = _is_lateral(node["rarg"])
    if is_lateral:
        seen = Scope(parent=lateral, columns=list(left.columns), aliases=dict(left.aliases))
        if kind in ("right", "full") and "RangeFunction" not in node["rarg"]:
            seen = lateral
    right = from_item(analysis, outer, node["rarg"], seen)
    analysis.depth -= 1
    if kind in ("left", "full"):
        whole_rows.may_be_missing(analysis, right)
    if kind in ("right", "full"):
        whole_rows.may_be_missing(analysis, left)
    _refuse_duplicate_aliases(analysis, left.aliases, right.aliases)
    using = names.strings(node.get("usingClause", []))
    if node.get("isNatural"):
        theirs = {column.name for column in right.columns if not (column.hidden or column.system)}
        using = [c.name for c in left.columns if not (c.hidden or c.system) and c.name in theirs]
    if using:
        item = _using_join(analysis, kind, left, right, using, is_lateral)
        if "join_using_alias" in node:
            _name_merged(analysis, item, using, node["join_using_alias"]["aliasname"])
    else:
        item = _condition_join(analysis, outer, kind, left, right, node.get("quals"), is_lateral)
    return _aliased_join(analysis, item, node.get("alias"))


def _condition_join(
    analysis: Analysis,
    outer: Scope,
    kind: JoinKind,
    left: FromItem,
    right: FromItem,
    condition: Node | None,
    lateral: bool,
) -> FromItem:
    columns = left.columns + right.columns
    aliases = {**left.aliases, **right.aliases}
    expression = None
    if condition is not None:
        scope = Scope(
            parent=outer.parent,
            columns=columns,
            aliases=aliases,
            ctes=outer.ctes,
            clause="JOIN conditions",
            invisible=frozenset(outer.aliases),
        )
        expression = expressions.condition(analysis, scope, condition, "JOIN/ON")
    return FromItem(_make_join(kind, left, right, expression, lateral), columns, aliases)


def _make_join(
    kind: JoinKind, left: FromItem, right: FromItem, condition: Expr | None, lateral: bool
) -> Join:
    outputs = (*left.relation.outputs, *right.relation.outputs)
    return Join(outputs, kind, left.relation, right.relation, condition, lateral)


def _using_join(
    analysis: Analysis,
    kind: JoinKind,
    left: FromItem,
    right: FromItem,
    using: list[str],
    lateral: bool,
) -> FromItem:
    conditions: list[Expr] = []
    merged: list[Visible] = []
    computed: list[tuple[OutputColumn, Expr]] = []
    for name in using:
        ours = _using_column(analysis, left, name, "left")
        theirs = _using_column(analysis, right, name, "right")
        conditions.append(
            coercion.operator(analysis, "=", ours.expression, theirs.expression, None)
        )
        type_ = coercion.common_type(
            analysis, [ours.expression, theirs.expression], "JOIN/USING", None
        )
        one = coercion.coerce_implicit(analysis, ours.expression, type_, None)
        other = coercion.coerce_implicit(analysis, theirs.expression, type_, None)
        source = ours.source
        if kind == "full":
            expression: Expr = ir.Coalesce((one, other), type_)
        elif kind == "right":
            expression, source = other, theirs.source
        else:
            expression = one
        if not isinstance(expression, ir.Column):
            output = analysis.column(name, type_)
            computed.append((output, expression))
            expression = ir.Column(output.id, type_)
        analysis.names.setdefault(expression.index, name)
        merged.append(Visible(name, expression, "", source=source))
    condition = conditions[0] if len(conditions) == 1 else ir.And(tuple(conditions))
    relation: Relation = _make_join(kind, left, right, condition, lateral)
    if computed:
        relation = _with_computed(relation, computed)
    named = frozenset(using)
    columns = merged + [
        replace(column, hidden=True) if column.name in named and not column.hidden else column
        for column in left.columns + right.columns
    ]
    return FromItem(relation, columns, {**left.aliases, **right.aliases})


def _name_merged(analysis: Analysis, item: FromItem, using: list[str], alias: str) -> None:
    """JOIN … USING (…) AS alias: another name, for the merged columns alone."""
    _refuse_duplicate_aliases(analysis, item.aliases, {alias: ""})
    merged = item.columns[: len(using)]
    row = WholeRow()
    item.columns += [replace(column, alias=alias, hidden=True, row=row) for column in merged]
    item.aliases[alias] = ""


def _with_computed(relation: Relation, computed: list[tuple[OutputColumn, Expr]]) -> Project:
    passed = tuple(ir.Column(column.id, column.type) for column in relation.outputs)
    return Project(
        (*relation.outputs, *(output for output, _ in computed)),
        relation,
        (*passed, *(expression for _, expression in computed)),
    )


def _using_column(analysis: Analysis, item: FromItem, name: str, side: str) -> Visible:
    found = [
        column
        for column in item.columns
        if column.name == name and not (column.hidden or column.system)
    ]
    if not found:
        analysis.fail(
            "42703", f'column "{name}" specified in USING clause does not exist in {side} table'
        )
    if len(found) > 1:
        analysis.fail(
            "42702", f'common column name "{name}" appears more than once in {side} table'
        )
    return found[0]


def _aliased_join(analysis: Analysis, item: FromItem, alias: Node | None) -> FromItem:
    if alias is None:
        return item
    name, column_names = _alias(alias)
    visible = [column for column in item.columns if not (column.hidden or column.system)]
    if len(column_names) > len(visible):
        analysis.fail(
            "42P10",
            f'join expression "{name}" has {len(visible)} columns available but {len(column_names)} columns specified',
        )
    row = WholeRow()
    columns = [replace(column, alias=name, row=row) for column in visible]
    for column, new in zip(columns, column_names, strict=False):
        column.name = new
    return FromItem(item.relation, columns, {name: ""})


_HANDLERS: Final[dict[str, Callable[[Analysis, Scope, Node, Scope], FromItem]]] = {
    "RangeVar": _range_variable,
    "RangeSubselect": _subselect,
    "RangeFunction": _function,
    "JoinExpr": _join,
}
