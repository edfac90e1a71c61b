"""Outputs of unknown type: literals that get their type where they stand."""

from __future__ import annotations

from dataclasses import replace

from trilithon.expression import ir
from trilithon.query.analyse import coercion
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.tree import (
    Distinct,
    Filter,
    Limit,
    LockRows,
    Project,
    Relation,
    Sort,
    Values,
    With,
)
from trilithon.types.registry import TEXT, UNKNOWN, TypeRef


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
