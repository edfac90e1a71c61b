"""WITH: common table expressions, recursive ones too."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from trilithon.expression import ir
from trilithon.query.analyse import names, queries, recursion, undecided
from trilithon.query.analyse.context import Analysis, CteBinding
from trilithon.query.analyse.scope import Scope
from trilithon.query.analyse.tree import Cte, OutputColumn, Project, Relation
from trilithon.query.parse.statement import Node
from trilithon.types.registry import UNKNOWN, type_name


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
    relation = queries.analyse_query(analysis, scope, query)
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
    first = queries.analyse_query(analysis, scope, {"SelectStmt": select["larg"]})
    first = _fresh(analysis, first)
    cte = Cte(number, name, first, distinct=not select.get("all"))
    columns = _cte_columns(analysis, name, first, body)
    scope.ctes[name] = CteBinding(name, cte, columns)
    recursion.check_references(analysis, name, select["rarg"])
    second = queries.analyse_query(analysis, scope, {"SelectStmt": select["rarg"]}, settle=False)
    recursion.check_aggregates(analysis, number, second)
    if len(second.outputs) != len(first.outputs):
        analysis.fail("42601", "each UNION query must have the same number of columns", location)
    for index, (ours, theirs) in enumerate(zip(first.outputs, second.outputs, strict=True)):
        type_ = theirs.type
        if type_.oid == UNKNOWN.oid:
            undecided.retarget(analysis, second, index, ours.type)
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
    fresh = tuple(
        analysis.column(column.name, column.type, column.table_oid, column.number)
        for column in relation.outputs
    )
    return Project(
        fresh, relation, tuple(ir.Column(column.id, column.type) for column in relation.outputs)
    )
