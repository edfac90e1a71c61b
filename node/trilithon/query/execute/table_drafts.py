"""A table as its statement describes it: columns, constraints and what hangs on them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.analyse import coercion, fields, names, table_expressions
from trilithon.query.analyse.tree import Expr, OutputColumn
from trilithon.query.catalog import ddl, ddl_types
from trilithon.query.catalog.definitions import (
    CheckDefinition,
    ColumnDefinition,
    Composite,
    Identity,
    IndexColumnDefinition,
    IndexDefinition,
    SequenceDefinition,
    Table,
    View,
)
from trilithon.query.execute import define_foreign_keys, table_like
from trilithon.query.execute.bound_defaults import bound_default, called_sequence
from trilithon.query.execute.column_constraints import refuse_contradiction
from trilithon.query.execute.definitions import (
    Definer,
    sequence_definition,
)
from trilithon.query.parse.deparse import expression_text
from trilithon.query.parse.statement import Node
from trilithon.types.registry import (
    BOOL,
    INT2,
    INT4,
    INT8,
    USER_ARRAY,
    TypeRef,
    is_composite,
    object_of,
    type_name,
)

_SERIALS: Final = {
    "serial": INT4,
    "serial4": INT4,
    "bigserial": INT8,
    "serial8": INT8,
    "smallserial": INT2,
    "serial2": INT2,
}


@dataclass(slots=True)
class Draft:
    """A table as its statement describes it."""

    schema: str
    name: str
    columns: list[ColumnDefinition] = field(default_factory=list)
    indexes: list[IndexDefinition] = field(default_factory=list)
    checks: list[tuple[Node, str | None]] = field(default_factory=list)
    sequences: list[tuple[str, SequenceDefinition]] = field(default_factory=list)
    expressions: dict[str, tuple[str, Node]] = field(default_factory=dict)
    # From LIKE: checks as they are, and relations whose columns' comments come along.
    copied_checks: list[CheckDefinition] = field(default_factory=list)
    commented: list[Table | View] = field(default_factory=list)
    foreign_keys: list[tuple[Node, str | None]] = field(default_factory=list)
    # The kinds of constraints that each column was given.
    said: dict[str, set[str]] = field(default_factory=dict)


def add_like(definer: Definer, draft: Draft, node: Node) -> None:
    source = table_like.source_of(definer, node)
    options = node.get("options", 0)
    draft.columns += table_like.columns_of(source, options)
    draft.indexes += table_like.indexes_of(source, options)
    draft.sequences += table_like.identity_sequences(
        definer, source, options, draft.schema, draft.name
    )
    if isinstance(source, Table) and options & table_like.CONSTRAINTS:
        draft.copied_checks += [
            CheckDefinition(
                check.sql,
                tuple(source.columns[number - 1].name for number in check.columns),
                check.name,
            )
            for check in source.checks
        ]
    if options & table_like.COMMENTS:
        draft.commented.append(source)


def add_column(definer: Definer, draft: Draft, node: Node) -> None:
    name = node["colname"]
    type_node = node.get("typeName")
    if type_node is None:
        raise SqlError("42601", f'column "{name}" needs a type')
    words = names.strings(type_node["names"])
    serial = _SERIALS.get(words[-1]) if len(words) == 1 else None
    if serial is not None:
        column = ColumnDefinition(name, serial, not_null=True)
        sequence = SequenceDefinition(draft.schema, f"{draft.name}_{name}_seq", serial)
        draft.sequences.append((name, sequence))
    else:
        column = ColumnDefinition(name, names.resolve_type(definer.analysis, type_node))
        domain = names.find_domain(definer.analysis, type_node)
        if domain is not None:
            column = replace(column, domain_id=domain.id)
        ddl_types.depend_on_types(definer.transaction, [column.type], [column.domain_id])
        if not is_storable(definer.catalog, column.type):
            raise SqlError("0A000", f"columns of type {type_name(column.type)} are not supported")
    if "collClause" in node:
        collation = names.strings(node["collClause"]["collname"])[-1]
        if collation not in ("C", "POSIX", "default", "ucs_basic"):
            raise SqlError("0A000", f'collation "{collation}" is not supported')
    draft.columns.append(column)
    for constraint in define_foreign_keys.with_attributes(node.get("constraints", [])):
        add_constraint(definer, draft, constraint, name)


def is_storable(catalog: Any, type_: TypeRef) -> bool:
    """Not pseudo-types, and not tables' row types: stored values would have to follow the table's columns."""
    if type_.oid in (705, 2249, 2275, 2276, 2277, 2278, 2283, 2287):
        return False
    element = type_.oid & ~USER_ARRAY
    if not is_composite(element):
        return True
    return isinstance(catalog.object_by_id(object_of(element)), Composite)


def _change(draft: Draft, name: str, **fields: Any) -> None:
    for position, column in enumerate(draft.columns):
        if column.name == name:
            draft.columns[position] = replace(column, **fields)


def add_constraint(definer: Definer, draft: Draft, node: Node, column: str | None) -> None:
    kind = node["contype"].removeprefix("CONSTR_")
    name = node.get("conname")
    if column is not None:
        refuse_contradiction(draft.said, draft.name, column, kind)
    match kind:
        case "NOTNULL" if column is not None:
            _change(draft, column, not_null=True)
        case "NULL":
            pass
        case "DEFAULT":
            assert column is not None
            table_expressions.require_constant(node["raw_expr"])
            draft.expressions[column] = ("default", node["raw_expr"])
            text, uses = bound_default(definer, node["raw_expr"])
            _change(draft, column, default=text, default_uses=uses)
        case "CHECK":
            refuse_deferrable(node)
            draft.checks.append((node["raw_expr"], name))
        case "PRIMARY" | "UNIQUE":
            draft.indexes.append(key_of(node, column))
        case "IDENTITY":
            assert column is not None
            always = node.get("generated_when") == "a"
            type_ = next(c.type for c in draft.columns if c.name == column)
            _change(
                draft,
                column,
                not_null=True,
                identity=Identity.ALWAYS if always else Identity.BY_DEFAULT,
            )
            sequence = sequence_definition(
                definer, draft.schema, f"{draft.name}_{column}_seq", type_, node.get("options", [])
            )
            draft.sequences.append((column, sequence))
        case "GENERATED":
            assert column is not None
            if node.get("generated_kind", "s") != "s":
                raise SqlError("0A000", "virtual generated columns are not supported")
            table_expressions.require_no_subquery(node["raw_expr"], "column generation expression")
            draft.expressions[column] = ("generated", node["raw_expr"])
            _change(draft, column, generated=expression_text(node["raw_expr"]))
        case "FOREIGN":
            draft.foreign_keys.append((node, column))
        case "ATTR_ENFORCED":
            pass
        case _:
            raise SqlError("0A000", f"constraint {kind.replace('_', ' ')} is not supported")


def refuse_deferrable(node: Node) -> None:
    if node.get("deferrable") or node.get("initdeferred"):
        words = {"CONSTR_PRIMARY": "PRIMARY KEY", "CONSTR_UNIQUE": "UNIQUE"}
        kind = words.get(node["contype"], "CHECK")
        raise SqlError("0A000", f"{kind} constraints cannot be marked DEFERRABLE")


def key_of(node: Node, column: str | None) -> IndexDefinition:
    """PRIMARY KEY or UNIQUE as an index."""
    if "indexname" in node:
        raise SqlError("0A000", "USING INDEX is not supported")
    if node.get("without_overlaps"):
        raise SqlError("0A000", "WITHOUT OVERLAPS is not supported")
    keys = names.strings(node.get("keys", [])) or [column or ""]
    return IndexDefinition(
        tuple(IndexColumnDefinition(key) for key in keys),
        name=node.get("conname"),
        unique=True,
        primary=node["contype"] == "CONSTR_PRIMARY",
        constraint=True,
        include=tuple(names.strings(node.get("including", []))),
        nulls_not_distinct=bool(node.get("nulls_not_distinct")),
        deferrable=bool(node.get("deferrable") or node.get("initdeferred")),
        initially_deferred=bool(node.get("initdeferred")),
    )


def _as_table(draft: Draft) -> Table:
    """The draft as a table to analyse expressions over; its ids mean nothing."""
    from trilithon.query.catalog.ddl_tables import make_column

    columns = tuple(make_column(number, column) for number, column in enumerate(draft.columns, 1))
    return Table(0, 0, draft.schema, draft.name, columns, 0)


def check_expressions(definer: Definer, draft: Draft) -> tuple[Table, tuple[OutputColumn, ...]]:
    """Analyse defaults and generated columns, so that errors come now."""
    table = _as_table(draft)
    analysis = definer.analysis
    outputs = tuple(
        analysis.column(column.name, column.type, 0, column.number) for column in table.columns
    )
    for name, (kind, node) in draft.expressions.items():
        column = table.column(name)
        assert column is not None
        if kind == "default":
            value = table_expressions.analyse_node(analysis, node, None, ())
        else:
            value = table_expressions.analyse_node(analysis, node, table, outputs)
            require_immutable(value, "generation expression is not immutable")
            refuse_generated_references(table, node)
        assignable(definer, value, column.type, name, kind)
    return table, outputs


def refuse_generated_references(table: Table, node: Node) -> None:
    for name in table_expressions.referenced_columns(node):
        column = table.column(name)
        if column is not None and column.generated is not None:
            raise SqlError(
                "42P17",
                f'cannot use generated column "{name}" in column generation expression',
                detail="A generated column cannot reference another generated column.",
            )


def assignable(definer: Definer, value: Expr, type_: TypeRef, name: str, kind: str) -> Expr:
    if not coercion.is_unknown(value) and not fields.can_coerce(value, type_, coercion.ASSIGNMENT):
        words = "default expression" if kind == "default" else "generation expression"
        raise SqlError(
            "42804",
            f'column "{name}" is of type {type_name(TypeRef(type_.oid))} but {words} is of type {type_name(TypeRef(value.type.oid))}',
            hint="You will need to rewrite or cast the expression.",
        )
    definer.analysis.silent += 1
    try:
        return coercion.assign(definer.analysis, value, type_, name, None)
    finally:
        definer.analysis.silent -= 1


def require_immutable(expression: Expr, message: str) -> None:
    from trilithon.expression.compile import pushable

    if not pushable(expression):
        raise SqlError("42P17", message)


def check_of(
    definer: Definer,
    drafted: tuple[Table, tuple[OutputColumn, ...]],
    node: Node,
    name: str | None,
) -> CheckDefinition:
    table, outputs = drafted
    table_expressions.require_no_subquery(node, "check constraint")
    expression = table_expressions.analyse_node(definer.analysis, node, table, outputs)
    coercion.coerce_to(definer.analysis, expression, BOOL, coercion.ASSIGNMENT, None, "CHECK")
    columns = tuple(table_expressions.referenced_columns(node))
    return CheckDefinition(expression_text(node), columns, name)


async def own_sequence(
    definer: Definer, draft: Draft, column: str, definition: SequenceDefinition
) -> None:
    """The sequence behind a serial or identity column."""
    name = definition.name
    number = 0
    schema = definer.catalog.require_schema(draft.schema)
    while definer.catalog.relation_name_taken(schema.id, name):
        number += 1
        name = f"{definition.name}{number}"
    sequence = await ddl.create_sequence(definer.transaction, replace(definition, name=name))
    assert sequence is not None
    _change(draft, column, sequence_id=sequence.id)
    found = next(c for c in draft.columns if c.name == column)
    if found.identity is Identity.NONE:
        _change(draft, column, default=called_sequence(sequence.id))


def give_sequences(definer: Definer, table: Table) -> None:
    for column in table.columns:
        if column.sequence_id:
            sequence = definer.catalog.object_by_id(column.sequence_id)
            ddl.alter_sequence(
                definer.transaction,
                replace(sequence, owned_by_table=table.id, owned_by_column=column.number),
            )
