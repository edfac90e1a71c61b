"""The whole statement: from a parsed one to a bound one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trilithon.query.analyse import queries
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.tree import Bound
from trilithon.query.parse.statement import Statement
from trilithon.types.registry import UNKNOWN, TypeRef

VERBS = {
    "SelectStmt": "SELECT",
    "InsertStmt": "INSERT",
    "UpdateStmt": "UPDATE",
    "DeleteStmt": "DELETE",
    "MergeStmt": "MERGE",
}


def analyse_statement(
    statement: Statement,
    catalog: Any,
    settings: Any,
    virtual: Mapping[tuple[str, str], Any],
    parameter_oids: Sequence[int],
    statistics: Callable[[Any], Any] = lambda table: None,
) -> tuple[Bound, Analysis]:
    """Raises SqlError with PostgreSQL's codes; NotLiftable where lifted literals do not work out."""
    template = statement.template
    parameters = [TypeRef(oid) if oid else UNKNOWN for oid in parameter_oids]
    parameters += [UNKNOWN] * (template.parameter_count - len(parameters))
    analysis = Analysis(statement, catalog, settings, virtual, parameters, statistics=statistics)
    root = queries.analyse_query(analysis, None, statement.node)
    verb = VERBS.get(statement.tag, statement.tag)
    returns_rows = verb == "SELECT" or bool(root.outputs)
    bound = Bound(
        root,
        analysis.finish_parameters(),
        _lifted_types(statement, analysis),
        root.outputs if returns_rows else None,
        verb,
        analysis.read_only,
        tuple(analysis.tables[key] for key in sorted(analysis.tables)),
        tuple(analysis.lookups),
        tuple(analysis.types[key] for key in sorted(analysis.types)),
    )
    return bound, analysis


def _lifted_types(statement: Statement, analysis: Analysis) -> tuple[TypeRef, ...]:
    """In the order of the statement's constants; a literal that nothing refers to keeps its type."""
    first = statement.template.parameter_count + 1
    found = []
    for offset, oid in enumerate(statement.template.lifted_types):
        type_ = analysis.lifted.get(first + offset, TypeRef(oid))
        found.append(type_ if type_.oid != UNKNOWN.oid else TypeRef(25))
    return tuple(found)
