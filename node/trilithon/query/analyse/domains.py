"""Domains: a base type with rules. Values are the base's; the rules are checked where a value becomes the
domain's: at a cast, and when a row with such a column is written.
"""

from __future__ import annotations

from collections.abc import Sequence

from trilithon.expression import ir
from trilithon.query.analyse import coercion, expressions
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.scope import Scope, Visible
from trilithon.query.analyse.tree import CheckExpression, Expr, OutputColumn
from trilithon.query.catalog.definitions import Domain, Table
from trilithon.query.parse.statement import Node
from trilithon.types.registry import BOOL, TEXT

# What a domain's CHECK calls the value.
VALUE = "value"
CHECK_FUNCTION = "domain_check(anyelement,bool,text,text)"


def condition(analysis: Analysis, node: Node, value: Expr) -> Expr:
    """A CHECK's expression about a value."""
    scope = Scope(clause="this place")
    scope.columns.append(Visible(VALUE, value, ""))
    analysis.silent += 1
    fixed, analysis.parameters_fixed = analysis.parameters_fixed, True
    parameters, analysis.parameters = analysis.parameters, []
    try:
        found = expressions.analyse(analysis, scope, node)
        return coercion.coerce_to(analysis, found, BOOL, coercion.ASSIGNMENT, None, "CHECK")
    finally:
        analysis.silent -= 1
        analysis.parameters_fixed = fixed
        analysis.parameters = parameters


def rules(analysis: Analysis, domain: Domain, value: Expr) -> list[CheckExpression]:
    """NOT NULL (without a name) first, then the checks by name, as PostgreSQL tests them."""
    from trilithon.query.analyse.table_expressions import expression_node

    found = []
    if domain.not_null:
        found.append(CheckExpression("", ir.IsNull(value, negated=True), domain.name))
    for check in sorted(domain.checks, key=lambda one: one.name):
        expression = condition(analysis, expression_node(check.sql), value)
        found.append(CheckExpression(check.name, expression, domain.name))
    return found


def column_rules(
    analysis: Analysis, table: Table, target: Sequence[OutputColumn]
) -> list[CheckExpression]:
    found: list[CheckExpression] = []
    for column, output in zip(table.columns, target, strict=False):
        domain = analysis.catalog.object_by_id(column.domain_id) if column.domain_id else None
        if isinstance(domain, Domain) and not column.dropped:
            analysis.types[domain.id] = domain
            found += rules(analysis, domain, ir.Column(output.id, output.type))
    return found


def checked(analysis: Analysis, domain: Domain, value: Expr) -> Expr:
    """The value, once it was found to belong to the domain."""
    for rule in rules(analysis, domain, value):
        arguments = (
            value,
            rule.expression,
            ir.Constant(domain.name, TEXT),
            ir.Constant(rule.name, TEXT),
        )
        value = ir.Call(CHECK_FUNCTION, arguments, value.type)
    return value
