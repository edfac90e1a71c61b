"""UNION, INTERSECT, EXCEPT."""

from __future__ import annotations

from typing import Final, Literal

from trilithon.expression import ir
from trilithon.query.analyse import coercion, ordering, queries, undecided
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.scope import Scope
from trilithon.query.analyse.tree import Project, Relation, SetOperation
from trilithon.query.parse.statement import Node
from trilithon.types.registry import TEXT, UNKNOWN, TypeRef

_SET_OPERATIONS: Final[dict[str, Literal["union", "intersect", "except"]]] = {
    "SETOP_UNION": "union",
    "SETOP_INTERSECT": "intersect",
    "SETOP_EXCEPT": "except",
}


def set_query(analysis: Analysis, scope: Scope, body: Node) -> Relation:
    relation = _set_tree(analysis, scope, body)
    return ordering.tail(analysis, scope, relation, body)


def _set_tree(analysis: Analysis, scope: Scope, body: Node) -> Relation:
    """One node of the tree of set operations, without its ORDER BY and LIMIT."""
    words = body["op"].removeprefix("SETOP_")
    left = _set_side(analysis, scope, body["larg"])
    right = _set_side(analysis, scope, body["rarg"])
    if len(left.outputs) != len(right.outputs):
        analysis.fail("42601", f"each {words} query must have the same number of columns")
    columns = []
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
        columns.append(analysis.column(ours.name, type_))
    return SetOperation(
        tuple(columns), _SET_OPERATIONS[body["op"]], bool(body.get("all")), left, right
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
        else queries.analyse_query(analysis, scope, {"SelectStmt": body}, settle=False)
    )
    analysis.depth -= 1
    return relation


def _convert(analysis: Analysis, relation: Relation, index: int, type_: TypeRef) -> Relation:
    """The relation with one output coerced."""
    output = relation.outputs[index]
    if output.type == type_:
        return relation
    if output.type.oid == UNKNOWN.oid:
        undecided.retarget(analysis, relation, index, type_)
        return relation
    expressions_ = [ir.Column(column.id, column.type) for column in relation.outputs]
    expressions_[index] = coercion.coerce_implicit(analysis, expressions_[index], type_, None)
    converted = list(relation.outputs)
    converted[index] = analysis.column(output.name, type_)
    return Project(tuple(converted), relation, tuple(expressions_))
