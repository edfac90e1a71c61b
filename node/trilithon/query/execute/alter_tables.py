"""ALTER TABLE and SET CONSTRAINTS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression import ir
from trilithon.expression.compile import compile_scalar, is_volatile
from trilithon.query.analyse import coercion, names, table_expressions
from trilithon.query.analyse.tree import Expr, OutputColumn
from trilithon.query.catalog import ddl, ddl_types
from trilithon.query.catalog.ddl_tables import make_column
from trilithon.query.catalog.definitions import (
    CheckDefinition,
    Column,
    ColumnDefinition,
    Rewrite,
    Table,
)
from trilithon.query.catalog_views.objects import quote
from trilithon.query.execute import define_foreign_keys, table_drafts
from trilithon.query.execute.bound_defaults import bound_default
from trilithon.query.execute.column_types import refuse_generated_users
from trilithon.query.execute.definitions import (
    Definer,
    Handler,
)
from trilithon.query.parse.deparse import expression_text
from trilithon.query.parse.statement import Node
from trilithon.types.registry import TypeRef, type_name


async def _alter_table(definer: Definer) -> str:
    body = definer.body
    kind = body.get("objtype", "OBJECT_TABLE").removeprefix("OBJECT_")
    if kind == "TYPE":
        from trilithon.query.execute import define_composites

        return await define_composites.alter_type(definer)
    if kind != "TABLE":
        raise SqlError("0A000", f"ALTER {kind.replace('_', ' ')} is not supported")
    variable = body["relation"]
    path = [variable["schemaname"]] if "schemaname" in variable else []
    if body.get("missing_ok") and definer.find([*path, variable["relname"]]) is None:
        definer.notice(f'relation "{variable["relname"]}" does not exist, skipping')
        return "ALTER TABLE"
    table = names.find_table(definer.analysis, variable, "alter")
    ddl.require_nothing_pending(definer.transaction, table, "ALTER TABLE")
    for item in body["cmds"]:
        command = item["AlterTableCmd"]
        subtype = command["subtype"].removeprefix("AT_")
        handler = _ALTERATIONS.get(subtype)
        if handler is None:
            words = "".join(" " + c if c.isupper() else c for c in subtype).strip().upper()
            raise SqlError("0A000", f"ALTER TABLE ... {words} is not supported")
        current = definer.catalog.table_by_id(table.id)
        assert current is not None
        await handler(definer, current, command)
    return "ALTER TABLE"


def _outputs(definer: Definer, table: Table) -> tuple[OutputColumn, ...]:
    return tuple(
        definer.analysis.column(column.name, column.type, table.id, column.number)
        for column in table.columns
    )


def _over_rows(definer: Definer, expression: Expr, outputs: tuple[OutputColumn, ...]) -> Expr:
    """An expression over the table's columns, placed over its stored rows."""
    planner = definer.engine.planner_for(definer.analysis)
    positions = {column.id: position for position, column in enumerate(outputs)}
    return planner.place(expression, positions)


async def _add_constraint_to(definer: Definer, table: Table, command: Node) -> None:
    node = command["def"]["Constraint"]
    kind = node["contype"].removeprefix("CONSTR_")
    match kind:
        case "PRIMARY" | "UNIQUE" if "indexname" in node:
            await _use_index(definer, table, node)
        case "PRIMARY":
            await ddl.add_primary_key(
                definer.transaction, table, table_drafts.key_of(node, None), wait=definer.alone
            )
        case "UNIQUE":
            await ddl.create_index(
                definer.transaction,
                table,
                table_drafts.key_of(node, None),
                wait=definer.alone,
                together=definer.together,
            )
        case "CHECK":
            table_drafts.refuse_deferrable(node)
            outputs = _outputs(definer, table)
            definition = table_drafts.check_of(
                definer, (table, outputs), node["raw_expr"], node.get("conname")
            )
            valid = not node.get("skip_validation")
            await _add_check(definer, table, definition, validate=valid)
        case "FOREIGN":
            await define_foreign_keys.add_to(definer, table, node)
        case _:
            raise SqlError("0A000", f"ADD CONSTRAINT {kind.replace('_', ' ')} is not supported")


async def _use_index(definer: Definer, table: Table, node: Node) -> None:
    table_drafts.refuse_deferrable(node)
    index_name = node["indexname"]
    name = str(node.get("conname", index_name))
    await ddl.use_index(
        definer.transaction,
        table,
        index_name,
        name,
        primary=node["contype"] == "CONSTR_PRIMARY",
        wait=definer.alone,
        together=definer.together,
    )
    if name != index_name:
        definer.notice(
            f'ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index "{index_name}" to "{name}"'
        )


async def _add_check(
    definer: Definer, table: Table, definition: CheckDefinition, *, validate: bool = True
) -> None:
    changed = ddl.add_check(definer.transaction, table, definition)
    if validate:
        name = changed.checks[-1].name
        await ddl.validate(
            definer.transaction,
            changed,
            name,
            wait=definer.alone,
            together=definer.together,
            added=True,
        )


async def _add_column_to(definer: Definer, table: Table, command: Node) -> None:
    draft = table_drafts.Draft(table.schema, table.name)
    table_drafts.add_column(definer, draft, command["def"]["ColumnDef"])
    column = draft.columns[0]
    exists = table.column(column.name) is not None
    if column.domain_id and await ddl_types.find_row(definer.transaction, table, lambda row: True):
        raise SqlError("0A000", "ADD COLUMN of a domain to a table with rows is not supported")
    if not exists and _varies(definer, table, draft):
        await _add_filled_column(definer, table, draft)
        return
    column = draft.columns[0]
    added = await ddl.add_column(
        definer.transaction, table, column, if_not_exists=bool(command.get("missing_ok"))
    )
    if added is None:
        definer.notice(
            f'column "{column.name}" of relation "{table.name}" already exists, skipping', "42701"
        )
        return
    for definition in draft.indexes:
        current = definer.catalog.table_by_id(table.id)
        if definition.primary:
            await ddl.add_primary_key(definer.transaction, current, definition, wait=definer.alone)
        else:
            await ddl.create_index(
                definer.transaction,
                current,
                definition,
                wait=definer.alone,
                together=definer.together,
            )
    await _add_references(definer, table, draft)
    for node, name in draft.checks:
        current = definer.catalog.table_by_id(table.id)
        outputs = _outputs(definer, current)
        definition_ = table_drafts.check_of(definer, (current, outputs), node, name)
        await _add_check(definer, current, definition_)


async def _add_references(definer: Definer, table: Table, draft: table_drafts.Draft) -> None:
    for node, name in draft.foreign_keys:
        current = definer.catalog.table_by_id(table.id)
        await define_foreign_keys.add_to(definer, current, node, name)


def _varies(definer: Definer, table: Table, draft: table_drafts.Draft) -> bool:
    """Whether rows that are there get different values. If not, the draft gets the one value."""
    column = draft.columns[0]
    if draft.sequences:
        return True
    if column.generated is not None:
        _check_generated(definer, table, column, draft.expressions[column.name][1])
        return True
    if column.default is None:
        return False
    value = table_expressions.analyse_text(definer.analysis, column.default, None, ())
    value = table_drafts.assignable(definer, value, column.type, column.name, "default")
    if is_volatile(value):
        return True
    made = compile_scalar(_over_rows(definer, value, ()))((), definer.eval_context())
    draft.columns[0] = replace(column, missing_value=made)
    return False


async def _add_filled_column(definer: Definer, table: Table, draft: table_drafts.Draft) -> None:
    for name, sequence in draft.sequences:
        await table_drafts.own_sequence(definer, draft, name, sequence)
    column = make_column(len(table.columns) + 1, draft.columns[0])
    drafted = replace(table, columns=(*table.columns, column))
    outputs = _outputs(definer, drafted)
    checks = [
        table_drafts.check_of(definer, (drafted, outputs), node, name)
        for node, name in draft.checks
    ]
    ddl.check_new_column(definer.transaction, table, column)
    online = await ddl.rewrite_table(
        definer.transaction,
        table,
        column,
        _rewriting(definer, column, None),
        indexes=draft.indexes,
        checks=checks,
        alone=_is_single(definer),
    )
    if online and draft.foreign_keys:
        raise SqlError(
            "0A000",
            "ADD COLUMN ... REFERENCES whose values differ from row to row is not supported online",
            hint="Add the column first, and then the foreign key.",
        )
    await _add_references(definer, table, draft)


def _is_single(definer: Definer) -> bool:
    """Whether the statement is a transaction of its own and makes one change."""
    return definer.alone and len(definer.body["cmds"]) == 1


def _rewriting(definer: Definer, column: Column, sql: str | None) -> Rewrite:
    """How values are made: as this statement's session would."""
    io = definer.settings.io
    return Rewrite(
        0,
        (),
        (),
        (),
        column.number,
        sql,
        tuple(definer.settings.search_path),
        io.timezone,
        io.datestyle,
        io.intervalstyle,
        definer.eval_context().transaction_time_us,
    )


def _check_generated(definer: Definer, table: Table, column: ColumnDefinition, node: Node) -> None:
    outputs = _outputs(definer, table)
    value = table_expressions.analyse_node(definer.analysis, node, table, outputs)
    table_drafts.require_immutable(value, "generation expression is not immutable")
    table_drafts.refuse_generated_references(table, node)
    table_drafts.assignable(definer, value, column.type, column.name, "generated")


async def _drop_column_of(definer: Definer, table: Table, command: Node) -> None:
    name = command["name"]
    if table.column(name) is None and command.get("missing_ok"):
        definer.notice(f'column "{name}" of relation "{table.name}" does not exist, skipping')
        return
    cascade = command.get("behavior") == "DROP_CASCADE"
    _, notices = ddl.drop_column(definer.transaction, table, name, cascade=cascade)
    definer.notices(notices)


async def _alter_default(definer: Definer, table: Table, command: Node) -> None:
    name = command["name"]
    column = ddl.require_column(table, name)
    if column.generated is not None:
        raise SqlError("42601", f'column "{name}" of relation "{table.name}" is a generated column')
    if "def" not in command:
        ddl.set_default(definer.transaction, table, name, None)
        return
    node = command["def"]
    table_expressions.require_constant(node)
    value = table_expressions.analyse_node(definer.analysis, node, None, ())
    table_drafts.assignable(definer, value, column.type, name, "default")
    text, uses = bound_default(definer, node)
    ddl.set_default(definer.transaction, table, name, text, uses=uses)


async def _set_not_null(definer: Definer, table: Table, command: Node) -> None:
    await ddl.set_not_null(
        definer.transaction, table, command["name"], wait=definer.alone, together=definer.together
    )


async def _drop_not_null(definer: Definer, table: Table, command: Node) -> None:
    ddl.drop_not_null(definer.transaction, table, command["name"])


async def _drop_constraint(definer: Definer, table: Table, command: Node) -> None:
    name = command["name"]
    known = {check.name for check in table.checks} | {
        index.name for index in table.indexes if index.constraint
    }
    known |= {key.name for key in table.foreign_keys}
    if name not in known and command.get("missing_ok"):
        definer.notice(f'constraint "{name}" of relation "{table.name}" does not exist, skipping')
        return
    cascade = command.get("behavior") == "DROP_CASCADE"
    ddl.drop_constraint(definer.transaction, table, name, cascade=cascade)


async def _validate_constraint(definer: Definer, table: Table, command: Node) -> None:
    await ddl.validate(
        definer.transaction, table, command["name"], wait=definer.alone, together=definer.together
    )


async def _alter_type(definer: Definer, table: Table, command: Node) -> None:
    name = command["name"]
    column = ddl.require_column(table, name)
    refuse_generated_users(table, name)
    ddl.refuse_users_of_type(definer.transaction, table, column)
    node = command["def"]["ColumnDef"]
    target = names.resolve_type(definer.analysis, node["typeName"])
    if names.find_domain(definer.analysis, node["typeName"]) is not None:
        raise SqlError("0A000", "ALTER COLUMN ... TYPE to a domain is not supported")
    ddl_types.depend_on_types(definer.transaction, [target])
    using = node.get("raw_default")
    changed = replace(column, type=target, domain_id=0)
    _require_convertible(definer, table, column, target, using)
    if using is None and not column.domain_id and ddl.same_values(table, column, target):
        ddl.alter_type_in_place(definer.transaction, table, changed)
        definer.engine.row_rules(definer.catalog.table_by_id(table.id), definer.catalog)
        ddl.require_comparable_references(
            definer.transaction, definer.catalog.table_by_id(table.id), column.number
        )
        return
    sql = quote(name) if using is None else expression_text(using)
    online = await ddl.rewrite_table(
        definer.transaction,
        table,
        changed,
        _rewriting(definer, changed, sql),
        alone=_is_single(definer),
    )
    if online:
        ddl.refuse_references_online(definer.transaction, table, column)
        return
    made = definer.catalog.table_by_id(table.id)
    await ddl.check_references_again(definer.transaction, made, column.number)


def _require_convertible(
    definer: Definer, table: Table, column: Column, target: TypeRef, using: Node | None
) -> None:
    """The values, and the default, go to the new type by assignment. SqlError 42804."""
    name = column.name
    outputs = _outputs(definer, table)
    if using is not None:
        table_expressions.require_no_subquery(using, "transform expression")
        value = table_expressions.analyse_node(definer.analysis, using, table, outputs)
        words = f'result of USING clause for column "{name}"'
        hint = "You might need to add an explicit cast."
    else:
        output = outputs[column.number - 1]
        value = ir.Column(output.id, output.type)
        words = f'column "{name}"'
        hint = f'You might need to specify "USING {quote(name)}::{type_name(target)}".'
    problem = "cannot be cast automatically to type " + type_name(TypeRef(target.oid))
    if not coercion.is_unknown(value) and not coercion.functions.can_coerce(
        value.type, target, coercion.ASSIGNMENT
    ):
        raise SqlError("42804", f"{words} {problem}", hint=hint)
    if column.default is None:
        return
    default = table_expressions.analyse_text(definer.analysis, column.default, None, ())
    made = column.type if coercion.is_unknown(default) else default.type
    if not coercion.functions.can_coerce(made, target, coercion.ASSIGNMENT):
        raise SqlError("42804", f'default for column "{name}" {problem}')


async def _ignore(definer: Definer, table: Table, command: Node) -> None:
    """Advice to PostgreSQL's own storage."""


async def _owner(definer: Definer, table: Table, command: Node) -> None:
    role = command["newowner"].get("rolename", definer.settings.user)
    ddl.set_owner(definer.transaction, table, role)


_ALTERATIONS: Final[dict[str, Callable[[Definer, Table, Node], Any]]] = {
    "AddConstraint": _add_constraint_to,
    "AddColumn": _add_column_to,
    "DropColumn": _drop_column_of,
    "ColumnDefault": _alter_default,
    "SetNotNull": _set_not_null,
    "DropNotNull": _drop_not_null,
    "DropConstraint": _drop_constraint,
    "ValidateConstraint": _validate_constraint,
    "AlterConstraint": define_foreign_keys.alter_constraint,
    "AlterColumnType": _alter_type,
    "SetRelOptions": _ignore,
    "ResetRelOptions": _ignore,
    "SetStorage": _ignore,
    "SetStatistics": _ignore,
    "ChangeOwner": _owner,
}


HANDLERS: Final[dict[str, Handler]] = {
    "AlterTableStmt": _alter_table,
    "ConstraintsSetStmt": define_foreign_keys.set_constraints,
}
