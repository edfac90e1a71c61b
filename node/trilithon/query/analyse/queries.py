"""SELECT, VALUES, set operations and WITH."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, Literal

from trilithon.expression import ir
from trilithon.query.analyse import coercion, expressions, grouping, names, recursion, statements
from trilithon.query.analyse.block import Block, Target
from trilithon.query.analyse.context import Analysis, CteBinding
from trilithon.query.analyse.from_clause import analyse_from
from trilithon.query.analyse.scope import Scope, columns_of_alias
from trilithon.query.analyse.tree import (
    Cte,
    Distinct,
    Expr,
    Filter,
    Limit,
    LockRows,
    OutputColumn,
    Project,
    Relation,
    SetOperation,
    Sort,
    SortKey,
    Values,
    With,
)
from trilithon.query.catalog.definitions import View
from trilithon.query.parse.parser import parse_plain
from trilithon.query.parse.statement import Node
from trilithon.types.registry import INT8, RECORD, TEXT, UNKNOWN, TypeRef, type_name

_SET_OPERATIONS: Final[dict[str, Literal["union", "intersect", "except"]]] = {
    "SETOP_UNION": "union",
    "SETOP_INTERSECT": "intersect",
    "SETOP_EXCEPT": "except",
}


def one_row() -> Values:
    """FROM nothing: one row without columns."""
    return Values((), ((),))


def analyse_query(
    analysis: Analysis, parent: Scope | None, node: Node, *, settle: bool = True
) -> Relation:
    """A query in any place, `parent` being the names it may refer to. With `settle`, outputs of
    unknown type become text."""
    tag = next(iter(node))
    if tag != "SelectStmt":
        return statements.analyse_modifying(analysis, parent, node)
    analysis.descend(None)
    relation = _select(analysis, parent, node["SelectStmt"])
    analysis.depth -= 1
    if settle:
        settle_outputs(analysis, relation)
    return relation


def analyse_view(analysis: Analysis, view: View) -> Relation:
    """A view's body, as relation over column ids of its own."""
    statement = parse_plain(view.sql)[0]
    analysis.silent += 1
    lifted, fixed = analysis.lifted, analysis.parameters_fixed
    analysis.parameters_fixed = True
    try:
        return analyse_query(analysis, None, statement.node)
    finally:
        analysis.silent -= 1
        analysis.lifted, analysis.parameters_fixed = lifted, fixed


def _select(analysis: Analysis, parent: Scope | None, body: Node) -> Relation:
    scope = Scope(parent=parent)
    ctes = with_clause(analysis, scope, body["withClause"]) if "withClause" in body else ()
    if "intoClause" in body:
        location = body["intoClause"]["rel"].get("location", 0)
        analysis.fail("42601", "SELECT ... INTO is not allowed here", location)
    if body.get("op", "SETOP_NONE") != "SETOP_NONE":
        relation = _set_query(analysis, scope, body)
    elif "valuesLists" in body:
        relation = _tail(
            analysis, scope, values_relation(analysis, scope, body["valuesLists"]), body
        )
    else:
        relation = _simple(analysis, scope, body)
    return With(relation.outputs, ctes, relation) if ctes else relation


# ---- WITH


def with_clause(analysis: Analysis, scope: Scope, node: Node) -> tuple[Cte, ...]:
    ctes = []
    recursive = bool(node.get("recursive"))
    for item in node["ctes"]:
        body = item["CommonTableExpr"]
        name = body["ctename"]
        if name in scope.ctes:
            analysis.fail(
                "42712",
                f'WITH query name "{name}" specified more than once',
                body.get("location", 0),
            )
        if "search_clause" in body or "cycle_clause" in body:
            analysis.unsupported("SEARCH and CYCLE", body.get("location", 0))
        cte = _cte(analysis, scope, name, body, recursive)
        ctes.append(cte)
    return tuple(ctes)


def _cte(analysis: Analysis, scope: Scope, name: str, body: Node, recursive: bool) -> Cte:
    query = body["ctequery"]
    if "MergeStmt" in query:
        analysis.fail("0A000", "MERGE not supported in WITH query", body.get("location", 0))
    select = query.get("SelectStmt")
    number = analysis.next_cte
    analysis.next_cte += 1
    if recursive and select is not None and _mentions(select, name):
        return _recursive_cte(analysis, scope, name, number, body, select)
    relation = analyse_query(analysis, scope, query)
    cte = Cte(number, name, relation, modifies=select is None)
    materialized = body.get("ctematerialized", "CTEMaterializeDefault")
    if materialized != "CTEMaterializeDefault":
        cte.materialized = materialized == "CTEMaterializeAlways"
    scope.ctes[name] = CteBinding(name, cte, _cte_columns(analysis, name, relation, body))
    return cte


def _cte_columns(
    analysis: Analysis, name: str, relation: Relation, body: Node
) -> tuple[OutputColumn, ...]:
    aliases = names.strings(body.get("aliascolnames", []))
    if len(aliases) > len(relation.outputs):
        analysis.fail(
            "42P10",
            f'WITH query "{name}" has {len(relation.outputs)} columns available but {len(aliases)} columns specified',
            body.get("location", 0),
        )
    renamed = list(relation.outputs)
    for index, alias in enumerate(aliases):
        renamed[index] = replace(renamed[index], name=alias)
    return tuple(renamed)


def _mentions(node: Any, name: str) -> bool:
    stack = [node]
    while stack:
        top = stack.pop()
        if isinstance(top, dict):
            variable = top.get("RangeVar")
            if variable and variable["relname"] == name and "schemaname" not in variable:
                return True
            stack.extend(top.values())
        elif isinstance(top, list):
            stack.extend(top)
    return False


def _recursive_cte(
    analysis: Analysis, scope: Scope, name: str, number: int, body: Node, select: Node
) -> Cte:
    location = body.get("location", 0)
    if select.get("op") != "SETOP_UNION":
        analysis.fail(
            "42P19",
            f'recursive query "{name}" does not have the form non-recursive-term UNION [ALL] recursive-term',
            location,
        )
    for clause, words in (
        ("sortClause", "ORDER BY"),
        ("limitOffset", "OFFSET"),
        ("limitCount", "LIMIT"),
        ("lockingClause", "FOR UPDATE/SHARE"),
    ):
        if clause in select:
            analysis.fail("0A000", f"{words} in a recursive query is not implemented", location)
    if "withClause" in select:
        analysis.unsupported("WITH inside a recursive query", location)
    scope.ctes[name] = CteBinding(name, None, ())
    first = analyse_query(analysis, scope, {"SelectStmt": select["larg"]})
    first = _fresh(analysis, first)
    cte = Cte(number, name, first, distinct=not select.get("all"))
    columns = _cte_columns(analysis, name, first, body)
    scope.ctes[name] = CteBinding(name, cte, columns)
    recursion.check_references(analysis, name, select["rarg"])
    second = analyse_query(analysis, scope, {"SelectStmt": select["rarg"]}, settle=False)
    recursion.check_aggregates(analysis, number, second)
    if len(second.outputs) != len(first.outputs):
        analysis.fail("42601", "each UNION query must have the same number of columns", location)
    for index, (ours, theirs) in enumerate(zip(first.outputs, second.outputs, strict=True)):
        type_ = theirs.type
        if type_.oid == UNKNOWN.oid:
            retarget(analysis, second, index, ours.type)
        elif type_.oid != ours.type.oid:
            analysis.fail(
                "42804",
                f'recursive query "{name}" column {index + 1} has type {type_name(ours.type)} in non-recursive term but type {type_name(type_)} overall',
                hint="Cast the output of the non-recursive term to the correct type.",
            )
    cte.recursive = second
    return cte


def _fresh(analysis: Analysis, relation: Relation) -> Project:
    """The relation under column ids of its own."""
    outputs = tuple(
        analysis.column(column.name, column.type, column.table_oid, column.number)
        for column in relation.outputs
    )
    return Project(
        outputs, relation, tuple(ir.Column(column.id, column.type) for column in relation.outputs)
    )


# ---- VALUES


def values_relation(analysis: Analysis, scope: Scope, lists: list[Node]) -> Relation:
    rows: list[list[Expr]] = []
    for item in lists:
        items = item["List"]["items"]
        if rows and len(items) != len(rows[0]):
            analysis.fail("42601", "VALUES lists must all be the same length")
        scope.clause = "VALUES"
        rows.append([expressions.analyse(analysis, scope, expression) for expression in items])
    width = len(rows[0])
    outputs = []
    for index in range(width):
        column = [row[index] for row in rows]
        type_ = coercion.common_type(analysis, column, "VALUES", None, keep_unknown=True)
        for row in rows:
            if type_.oid != UNKNOWN.oid:
                row[index] = coercion.coerce_implicit(analysis, row[index], type_, None)
        outputs.append(analysis.column(f"column{index + 1}", type_))
    return Values(tuple(outputs), tuple(tuple(row) for row in rows))


# ---- set operations


def _set_query(analysis: Analysis, scope: Scope, body: Node) -> Relation:
    relation = _set_tree(analysis, scope, body)
    return _tail(analysis, scope, relation, body)


def _set_tree(analysis: Analysis, scope: Scope, body: Node) -> Relation:
    """One node of the tree of set operations, without its ORDER BY and LIMIT."""
    words = body["op"].removeprefix("SETOP_")
    left = _set_side(analysis, scope, body["larg"])
    right = _set_side(analysis, scope, body["rarg"])
    if len(left.outputs) != len(right.outputs):
        analysis.fail("42601", f"each {words} query must have the same number of columns")
    outputs = []
    for index, (ours, theirs) in enumerate(zip(left.outputs, right.outputs, strict=True)):
        type_ = coercion.common_type(
            analysis,
            [ir.Column(ours.id, ours.type), ir.Column(theirs.id, theirs.type)],
            words,
            None,
            keep_unknown=True,
        )
        if type_.oid == UNKNOWN.oid:
            type_ = TEXT
        left = _convert(analysis, left, index, type_)
        right = _convert(analysis, right, index, type_)
        if not (words == "UNION" and body.get("all")):
            coercion.require_equality(analysis, type_, None)
        outputs.append(analysis.column(ours.name, type_))
    return SetOperation(
        tuple(outputs), _SET_OPERATIONS[body["op"]], bool(body.get("all")), left, right
    )


def _set_side(analysis: Analysis, scope: Scope, body: Node) -> Relation:
    analysis.descend(None)
    if "intoClause" in body:
        analysis.fail("42601", "INTO is only allowed on first SELECT of UNION/INTERSECT/EXCEPT")
    bare = body.get("op", "SETOP_NONE") != "SETOP_NONE" and not any(
        key in body for key in ("sortClause", "limitCount", "limitOffset", "withClause")
    )
    relation = (
        _set_tree(analysis, scope, body)
        if bare
        else analyse_query(analysis, scope, {"SelectStmt": body}, settle=False)
    )
    analysis.depth -= 1
    return relation


def _convert(analysis: Analysis, relation: Relation, index: int, type_: TypeRef) -> Relation:
    """The relation with one output coerced."""
    output = relation.outputs[index]
    if output.type == type_:
        return relation
    if output.type.oid == UNKNOWN.oid:
        retarget(analysis, relation, index, type_)
        return relation
    expressions_ = [ir.Column(column.id, column.type) for column in relation.outputs]
    expressions_[index] = coercion.coerce_implicit(analysis, expressions_[index], type_, None)
    outputs = list(relation.outputs)
    outputs[index] = analysis.column(output.name, type_)
    return Project(tuple(outputs), relation, tuple(expressions_))


def retarget(analysis: Analysis, relation: Relation, index: int, type_: TypeRef) -> None:
    """Give an output of unknown type its type, where its expression stands."""
    output = replace(relation.outputs[index], type=type_)
    match relation:
        case Project():
            changed = list(relation.expressions)
            passed = changed[index]
            if isinstance(passed, ir.Column):
                below = [column.id for column in relation.input.outputs].index(passed.index)
                retarget(analysis, relation.input, below, type_)
                changed[index] = ir.Column(passed.index, type_)
            changed[index] = coercion.coerce_implicit(analysis, changed[index], type_, None)
            relation.expressions = tuple(changed)
        case Values():
            relation.rows = tuple(
                (
                    *row[:index],
                    coercion.coerce_implicit(analysis, row[index], type_, None),
                    *row[index + 1 :],
                )
                for row in relation.rows
            )
        case Limit() | Sort() | Distinct() | LockRows() | Filter():
            retarget(analysis, relation.input, index, type_)
        case With():
            retarget(analysis, relation.body, index, type_)
        case _:
            analysis.unsupported("a literal of undecided type here")
    relation.outputs = (*relation.outputs[:index], output, *relation.outputs[index + 1 :])


def settle_outputs(analysis: Analysis, relation: Relation) -> None:
    for index, output in enumerate(relation.outputs):
        if output.type.oid == UNKNOWN.oid:
            retarget(analysis, relation, index, TEXT)


# ---- SELECT


def _simple(analysis: Analysis, scope: Scope, body: Node) -> Relation:
    block = Block()
    scope.collector = block
    relation = analyse_from(analysis, scope, body.get("fromClause", [])) or one_row()
    block.own = frozenset(column.id for column in relation.outputs)
    block.windows_by_name = {
        window["WindowDef"]["name"]: window["WindowDef"] for window in body.get("windowClause", ())
    }
    if "whereClause" in body:
        predicate = expressions.condition(analysis, scope, body["whereClause"], "WHERE")
        relation = Filter(relation.outputs, relation, predicate)
    scope.clause = ""
    block.targets = target_list(analysis, scope, body.get("targetList", []))
    having = None
    if "havingClause" in body:
        scope.clause = ""
        before = len(block.windows), len(block.set_functions)
        having = expressions.analyse_boolean(analysis, scope, body["havingClause"], "HAVING")
        if len(block.windows) > before[0]:
            analysis.fail("42P20", "window functions are not allowed in HAVING")
        if len(block.set_functions) > before[1]:
            analysis.fail("0A000", "set-returning functions are not allowed in HAVING")
    groups = grouping.group_clause(analysis, scope, block, body)
    distinct = _distinct_clause(analysis, scope, block, body)
    order = _order_clause(analysis, scope, block, body, distinct)
    locks = _locking(analysis, relation, block, body)
    # Sets come after groups and windows, unless they are what is grouped by.
    sets_first = grouping.groups_by_sets(block, groups)
    if sets_first:
        relation = block.apply_set_functions(relation)
    if groups.present or block.aggregates or block.groupings or having is not None:
        relation = grouping.apply(analysis, block, relation, groups, having)
    relation = grouping.apply_windows(analysis, block, relation)
    if not sets_first:
        relation = block.apply_set_functions(relation)
    relation = _project(analysis, block, relation)
    return _finish(analysis, scope, relation, body, block, distinct, order, locks)


def target_list(analysis: Analysis, scope: Scope, nodes: list[Node]) -> list[Target]:
    targets: list[Target] = []
    for node in nodes:
        target = node["ResTarget"]
        value = target["val"]
        star = _star(analysis, scope, value)
        if star is not None:
            targets.extend(star)
            continue
        expression = expressions.analyse(analysis, scope, value)
        source = expressions.source_of(analysis, scope, value) if "ColumnRef" in value else None
        name = target.get("name") or expressions.column_name(value)
        targets.append(Target(name, expression, source, location=target.get("location", 0)))
    return targets


def _star(analysis: Analysis, scope: Scope, value: Node) -> list[Target] | None:
    reference = value.get("ColumnRef")
    if reference is None or "A_Star" not in reference["fields"][-1]:
        return None
    location = reference.get("location", 0)
    path = names.strings(reference["fields"][:-1])
    if path:
        columns = columns_of_alias(analysis, scope, path[-1], location)
    else:
        if not scope.aliases and not scope.columns:
            analysis.fail("42601", "SELECT * with no tables specified is not valid", location)
        columns = [column for column in scope.columns if not (column.hidden or column.system)]
    return [
        Target(column.name, column.expression, column.source, location=location)
        for column in columns
    ]


def _project(analysis: Analysis, block: Block, relation: Relation) -> Relation:
    """All targets, hidden ones included, under new column ids."""
    outputs = []
    for target in block.targets:
        source = target.source
        output = analysis.column(
            target.name,
            target.expression.type,
            source.table_oid if source else 0,
            source.number if source else 0,
        )
        target.output = output
        outputs.append(output)
    return Project(tuple(outputs), relation, tuple(target.expression for target in block.targets))


def _finish(
    analysis: Analysis,
    scope: Scope,
    relation: Relation,
    body: Node,
    block: Block,
    distinct: tuple[int, ...] | None,
    order: list[tuple[int, bool, bool]],
    locks: list[tuple[Any, int, str]],
) -> Relation:
    """DISTINCT, ORDER BY, LIMIT, FOR UPDATE over the projected targets; then the hidden ones go."""
    if distinct is not None or order:
        # Comparing needs types: a literal that nobody typed is text.
        for index, target in enumerate(relation.outputs):
            if target.type.oid == UNKNOWN.oid and (
                distinct is not None or any(index == key for key, _, _ in order)
            ):
                retarget(analysis, relation, index, TEXT)
    outputs = relation.outputs
    for index, _, _ in order:
        if outputs[index].type.oid != RECORD.oid:
            coercion.require_order(analysis, outputs[index].type, None)
    for index, shown in enumerate(block.targets):
        compared = not shown.hidden if distinct == () else index in (distinct or ())
        if compared and outputs[index].type.oid != RECORD.oid:
            coercion.require_equality(analysis, outputs[index].type, None)
    keys = tuple(
        SortKey(ir.Column(outputs[index].id, outputs[index].type), descending, nulls_first)
        for index, descending, nulls_first in order
    )
    if distinct is not None and not distinct:
        relation = Distinct(outputs, relation)
    if keys:
        relation = Sort(outputs, relation, keys)
    if distinct:
        on = tuple(ir.Column(outputs[index].id, outputs[index].type) for index in distinct)
        relation = Distinct(outputs, relation, on)
    relation = limit(analysis, scope, relation, body, keys)
    if locks:
        relation = LockRows(
            outputs, relation, tuple((table, outputs[key].id, mode) for table, key, mode in locks)
        )
    visible = [index for index, target in enumerate(block.targets) if not target.hidden]
    if len(visible) < len(outputs):
        kept = tuple(relation.outputs[index] for index in visible)
        expressions_ = tuple(ir.Column(column.id, column.type) for column in kept)
        renamed = tuple(
            analysis.column(column.name, column.type, column.table_oid, column.number)
            for column in kept
        )
        relation = Project(renamed, relation, expressions_)
    return relation


def _distinct_clause(
    analysis: Analysis, scope: Scope, block: Block, body: Node
) -> tuple[int, ...] | None:
    """None: no DISTINCT; empty: DISTINCT; else the targets of DISTINCT ON."""
    clause = body.get("distinctClause")
    if clause is None:
        return None
    if clause == [{}] or not clause[0]:
        return ()
    return tuple(sort_target(analysis, scope, block, item, "SELECT DISTINCT ON") for item in clause)


def _order_clause(
    analysis: Analysis,
    scope: Scope,
    block: Block,
    body: Node,
    distinct: tuple[int, ...] | None,
) -> list[tuple[int, bool, bool]]:
    order = []
    visible = len(block.targets)
    for item in body.get("sortClause", ()):
        sort = item["SortBy"]
        index = sort_target(analysis, scope, block, sort["node"], "ORDER BY")
        if distinct == () and index >= visible:
            analysis.fail(
                "42P10",
                "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
                expressions.location_of(sort["node"]),
            )
        order.append((index, *sort_direction(analysis, sort)))
    if distinct and order:
        leading = {index for index, _, _ in order[: len(set(distinct))]}
        if not leading <= set(distinct):
            analysis.fail(
                "42P10", "SELECT DISTINCT ON expressions must match initial ORDER BY expressions"
            )
    return order


def sort_direction(analysis: Analysis, sort: Node) -> tuple[bool, bool]:
    """(descending, nulls first) of a SortBy."""
    direction = sort.get("sortby_dir", "SORTBY_DEFAULT")
    if direction == "SORTBY_USING":
        analysis.unsupported("ORDER BY USING", sort.get("location", 0))
    descending = direction == "SORTBY_DESC"
    nulls = sort.get("sortby_nulls", "SORTBY_NULLS_DEFAULT")
    first = descending if nulls == "SORTBY_NULLS_DEFAULT" else nulls == "SORTBY_NULLS_FIRST"
    return descending, first


def sort_target(analysis: Analysis, scope: Scope, block: Block, node: Node, words: str) -> int:
    """The target that an item of ORDER BY or DISTINCT ON names: an output's name first, its ordinal,
    or an expression (a hidden target, unless one of the list equals it)."""
    visible = [target for target in block.targets if not target.hidden]
    reference = node.get("ColumnRef")
    if (
        reference is not None
        and len(reference["fields"]) == 1
        and "String" in reference["fields"][0]
    ):
        name = reference["fields"][0]["String"].get("sval", "")
        found = [index for index, target in enumerate(visible) if target.name == name]
        distinct = {visible[index].expression for index in found}
        if len(distinct) > 1:
            analysis.fail("42702", f'{words} "{name}" is ambiguous', reference.get("location", 0))
        if found:
            return found[0]
    ordinal = ordinal_of(analysis, node, len(visible), words)
    if ordinal is not None:
        return ordinal
    expression = expressions.analyse(analysis, scope, node)
    for index, target in enumerate(block.targets):
        if target.expression == expression:
            return index
    expression = coercion.settle(analysis, expression)
    block.targets.append(Target("?column?", expression, None, hidden=True))
    return len(block.targets) - 1


def ordinal_of(analysis: Analysis, node: Node, count: int, words: str) -> int | None:
    constant = node.get("A_Const")
    if constant is None:
        return None
    location = constant.get("location", 0)
    if "ival" not in constant:
        analysis.fail("42601", f"non-integer constant in {words}", location)
    ordinal: int = constant["ival"].get("ival", 0)
    if not 1 <= ordinal <= count:
        analysis.fail("42P10", f"{words} position {ordinal} is not in select list", location)
    return ordinal - 1


# ---- ORDER BY and LIMIT of VALUES and set operations


def _tail(analysis: Analysis, scope: Scope, relation: Relation, body: Node) -> Relation:
    if "lockingClause" in body:
        analysis.fail("0A000", "FOR UPDATE is not allowed with UNION/INTERSECT/EXCEPT or VALUES")
    if "sortClause" in body:
        settle_outputs(analysis, relation)
    keys = []
    for item in body.get("sortClause", ()):
        sort = item["SortBy"]
        index = _output_index(analysis, relation, sort["node"])
        output = relation.outputs[index]
        keys.append(SortKey(ir.Column(output.id, output.type), *sort_direction(analysis, sort)))
    if keys:
        for key in keys:
            coercion.require_order(analysis, key.expression.type, None)
        relation = Sort(relation.outputs, relation, tuple(keys))
    return limit(analysis, scope, relation, body, tuple(keys))


def _output_index(analysis: Analysis, relation: Relation, node: Node) -> int:
    reference = node.get("ColumnRef")
    location = expressions.location_of(node)
    if (
        reference is not None
        and len(reference["fields"]) == 1
        and "String" in reference["fields"][0]
    ):
        name = reference["fields"][0]["String"].get("sval", "")
        found = [index for index, out in enumerate(relation.outputs) if out.name == name]
        if len(found) > 1:
            analysis.fail("42702", f'ORDER BY "{name}" is ambiguous', location)
        if found:
            return found[0]
        analysis.fail("42703", f'column "{name}" does not exist', location)
    ordinal = ordinal_of(analysis, node, len(relation.outputs), "ORDER BY")
    if ordinal is None:
        analysis.fail(
            "0A000",
            "invalid UNION/INTERSECT/EXCEPT ORDER BY clause",
            location,
            detail="Only result column names can be used, not expressions or functions.",
            hint="Add the expression/function to every SELECT, or move the UNION into a FROM clause.",
        )
    return ordinal


def limit(
    analysis: Analysis, scope: Scope, relation: Relation, body: Node, keys: tuple[SortKey, ...]
) -> Relation:
    count = _limit_value(analysis, scope, body.get("limitCount"), "LIMIT")
    offset = _limit_value(analysis, scope, body.get("limitOffset"), "OFFSET")
    ties = body.get("limitOption") == "LIMIT_OPTION_WITH_TIES"
    if ties and not keys:
        analysis.fail("42601", "WITH TIES cannot be specified without ORDER BY clause")
    if count is None and offset is None:
        return relation
    return Limit(relation.outputs, relation, count, offset, keys if ties else None)


def _limit_value(analysis: Analysis, scope: Scope, node: Node | None, words: str) -> Expr | None:
    if node is None:
        return None
    constant = node.get("A_Const")
    if constant is not None and constant.get("isnull"):
        return None
    before, scope.clause = scope.clause, words
    collector, scope.collector = scope.collector, None
    expression = expressions.analyse(analysis, scope, node)
    scope.clause, scope.collector = before, collector
    own = {column.expression for column in scope.columns}
    if any(column in own for column in ir_columns(expression)):
        analysis.fail(
            "42P10",
            f"argument of {words} must not contain variables",
            expressions.location_of(node),
        )
    return coercion.coerce_to(
        analysis, expression, INT8, "assignment", expressions.location_of(node), words
    )


def ir_columns(expression: Expr) -> list[Expr]:
    return [node for node in expressions.walk(expression) if isinstance(node, ir.Column)]


# ---- FOR UPDATE


_STRENGTHS: Final = {
    "LCS_FORUPDATE": "update",
    # The nearest stronger modes: nothing ever waits for a lock, it only conflicts at COMMIT.
    "LCS_FORNOKEYUPDATE": "update",
    "LCS_FORSHARE": "update",
    "LCS_FORKEYSHARE": "key_share",
}


def _locking(
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
