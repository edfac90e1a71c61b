"""CREATE TABLE, CREATE INDEX, TRUNCATE, ALTER TABLE."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression.compile import compile_scalar, is_volatile
from trilithon.query.analyse import coercion, names, table_expressions
from trilithon.query.analyse.tree import Expr, OutputColumn
from trilithon.query.catalog import ddl, ddl_types
from trilithon.query.catalog.definitions import (
    CheckDefinition,
    ColumnDefinition,
    Identity,
    IndexColumnDefinition,
    IndexDefinition,
    SequenceDefinition,
    Table,
    TableDefinition,
    View,
)
from trilithon.query.catalog_views.objects import quote
from trilithon.query.execute import define_foreign_keys, table_like
from trilithon.query.execute.column_constraints import refuse_contradiction
from trilithon.query.execute.definitions import (
    Definer,
    Handler,
    sequence_definition,
)
from trilithon.query.execute.fill_columns import fill_column, refuse_generated_users
from trilithon.query.parse.deparse import expression_text
from trilithon.query.parse.statement import Node
from trilithon.types.keys import is_indexable
from trilithon.types.registry import BOOL, INT2, INT4, INT8, TypeRef, type_name

_SERIALS: Final = {
    "serial": INT4,
    "serial4": INT4,
    "bigserial": INT8,
    "serial8": INT8,
    "smallserial": INT2,
    "serial2": INT2,
}


@dataclass(slots=True)
class _Draft:
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


# ---- CREATE TABLE


async def _create_table(definer: Definer) -> str:
    body = definer.body
    variable = body["relation"]
    refuse_table_options(body, variable)
    draft = _Draft(definer.creation_schema(variable.get("schemaname")), variable["relname"])
    exists = definer.catalog.relation((draft.schema,), draft.name) is not None
    if exists and body.get("if_not_exists"):
        definer.notice(f'relation "{draft.name}" already exists, skipping', "42P07")
        return "CREATE TABLE"
    if exists:
        raise SqlError("42P07", f'relation "{draft.name}" already exists')
    for element in body.get("tableElts", ()):
        if "ColumnDef" in element:
            _add_column(definer, draft, element["ColumnDef"])
        elif "Constraint" in element:
            _add_constraint(definer, draft, element["Constraint"], None)
        elif "TableLikeClause" in element:
            _add_like(definer, draft, element["TableLikeClause"])
        else:
            raise SqlError("0A000", f"{next(iter(element))} in CREATE TABLE is not supported")
    columns = _check_expressions(definer, draft)
    checks = tuple(_check(definer, columns, node, name) for node, name in draft.checks)
    checks += tuple(draft.copied_checks)
    for column, sequence in draft.sequences:
        await _own_sequence(definer, draft, column, sequence)
    table = await ddl.create_table(
        definer.transaction,
        TableDefinition(
            draft.schema, draft.name, tuple(draft.columns), tuple(draft.indexes), checks
        ),
    )
    if table is not None:
        _give_sequences(definer, table)
        define_foreign_keys.add_to_new(definer, table, draft.foreign_keys)
        for source in draft.commented:
            table_like.copy_comments(definer, source, table)
    return "CREATE TABLE"


def _add_like(definer: Definer, draft: _Draft, node: Node) -> None:
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


def refuse_table_options(body: Node, variable: Node) -> None:
    persistence = variable.get("relpersistence", "p")
    if persistence == "t":
        raise SqlError("0A000", "temporary tables are not supported")
    if persistence == "u":
        raise SqlError("0A000", "unlogged tables are not supported")
    for key, words in (
        ("inhRelations", "INHERITS"),
        ("partspec", "PARTITION BY"),
        ("partbound", "PARTITION OF"),
        ("ofTypename", "OF"),
        ("tablespacename", "TABLESPACE"),
        ("accessMethod", "USING"),
    ):
        if key in body:
            raise SqlError("0A000", f"CREATE TABLE ... {words} is not supported")
    if body.get("oncommit", "ONCOMMIT_NOOP") != "ONCOMMIT_NOOP":
        raise SqlError("42P16", "ON COMMIT can only be used on temporary tables")
    for item in body.get("options", ()):
        name = item["DefElem"]["defname"]
        # Advice to PostgreSQL's own storage: nothing to advise here.
        if name not in (
            "fillfactor",
            "parallel_workers",
            "toast_tuple_target",
        ) and not name.startswith("autovacuum"):
            raise SqlError("22023", f'unrecognized parameter "{name}"')


def _add_column(definer: Definer, draft: _Draft, node: Node) -> None:
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
        if not _storable(column.type):
            raise SqlError("0A000", f"columns of type {type_name(column.type)} are not supported")
    if "collClause" in node:
        collation = names.strings(node["collClause"]["collname"])[-1]
        if collation not in ("C", "POSIX", "default", "ucs_basic"):
            raise SqlError("0A000", f'collation "{collation}" is not supported')
    draft.columns.append(column)
    for constraint in define_foreign_keys.with_attributes(node.get("constraints", [])):
        _add_constraint(definer, draft, constraint, name)


def _storable(type_: TypeRef) -> bool:
    return type_.oid not in (705, 2249, 2275, 2276, 2277, 2278, 2283)


def _change(draft: _Draft, name: str, **fields: Any) -> None:
    for position, column in enumerate(draft.columns):
        if column.name == name:
            draft.columns[position] = replace(column, **fields)


def _add_constraint(definer: Definer, draft: _Draft, node: Node, column: str | None) -> None:
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
            _change(draft, column, default=expression_text(node["raw_expr"]))
        case "CHECK":
            _refuse_deferrable(node)
            draft.checks.append((node["raw_expr"], name))
        case "PRIMARY" | "UNIQUE":
            draft.indexes.append(_key(node, column))
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


def _refuse_deferrable(node: Node) -> None:
    if node.get("deferrable") or node.get("initdeferred"):
        words = {"CONSTR_PRIMARY": "PRIMARY KEY", "CONSTR_UNIQUE": "UNIQUE"}
        kind = words.get(node["contype"], "CHECK")
        raise SqlError("0A000", f"{kind} constraints cannot be marked DEFERRABLE")


def _key(node: Node, column: str | None) -> IndexDefinition:
    """PRIMARY KEY or UNIQUE as an index."""
    _refuse_deferrable(node)
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
    )


def _as_table(draft: _Draft) -> Table:
    """The draft as a table to analyse expressions over; its ids mean nothing."""
    from trilithon.query.catalog.ddl_tables import make_column

    columns = tuple(make_column(number, column) for number, column in enumerate(draft.columns, 1))
    return Table(0, 0, draft.schema, draft.name, columns, 0)


def _check_expressions(definer: Definer, draft: _Draft) -> tuple[Table, tuple[OutputColumn, ...]]:
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
            _require_immutable(value, "generation expression is not immutable")
            _refuse_generated_references(table, node)
        _assignable(definer, value, column.type, name, kind)
    return table, outputs


def _refuse_generated_references(table: Table, node: Node) -> None:
    for name in table_expressions.referenced_columns(node):
        column = table.column(name)
        if column is not None and column.generated is not None:
            raise SqlError(
                "42P17",
                f'cannot use generated column "{name}" in column generation expression',
                detail="A generated column cannot reference another generated column.",
            )


def _assignable(definer: Definer, value: Expr, type_: TypeRef, name: str, kind: str) -> Expr:
    if not coercion.is_unknown(value) and not coercion.functions.can_coerce(
        value.type, type_, coercion.ASSIGNMENT
    ):
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


def _require_immutable(expression: Expr, message: str) -> None:
    from trilithon.expression.compile import pushable

    if not pushable(expression):
        raise SqlError("42P17", message)


def _check(
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


async def _own_sequence(
    definer: Definer, draft: _Draft, column: str, definition: SequenceDefinition
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
        quoted = f"{quote(draft.schema)}.{quote(name)}".replace("'", "''")
        _change(draft, column, default=f"nextval('{quoted}'::regclass)")


def _give_sequences(definer: Definer, table: Table) -> None:
    for column in table.columns:
        if column.sequence_id:
            sequence = definer.catalog.object_by_id(column.sequence_id)
            ddl.alter_sequence(
                definer.transaction,
                replace(sequence, owned_by_table=table.id, owned_by_column=column.number),
            )


# ---- CREATE INDEX


async def _create_index(definer: Definer) -> Any:
    body = definer.body
    table = names.find_table(definer.analysis, body["relation"], "create an index on")
    method = body.get("accessMethod", "btree")
    if method not in ("btree", "btree_index"):
        raise SqlError("0A000", f'access method "{method}" is not supported')
    if "tableSpace" in body:
        raise SqlError("0A000", "TABLESPACE is not supported")
    for item in body.get("options", ()):
        if item["DefElem"]["defname"] not in ("fillfactor", "deduplicate_items"):
            raise SqlError("22023", f'unrecognized parameter "{item["DefElem"]["defname"]}"')
    analysis = definer.analysis
    outputs = tuple(
        analysis.column(column.name, column.type, table.id, column.number)
        for column in table.columns
    )
    columns = tuple(
        _index_column(definer, table, outputs, item["IndexElem"]) for item in body["indexParams"]
    )
    predicate = None
    if "whereClause" in body:
        predicate = _predicate(definer, table, outputs, body["whereClause"])
    definition = IndexDefinition(
        columns,
        name=body.get("idxname"),
        unique=bool(body.get("unique")),
        include=tuple(item["IndexElem"]["name"] for item in body.get("indexIncludingParams", ())),
        predicate=predicate,
        nulls_not_distinct=bool(body.get("nulls_not_distinct")),
    )
    asynchronous = bool(body.get("asynchronous"))
    made = await ddl.create_index(
        definer.transaction,
        table,
        definition,
        if_not_exists=bool(body.get("if_not_exists")),
        wait=definer.alone and not asynchronous,
    )
    if made is None:
        definer.notice(f'relation "{definition.name}" already exists, skipping', "42P07")
    if asynchronous:
        job_id = made.job_id if made is not None else b""
        return "CREATE INDEX", [(job_id or None,)]
    return "CREATE INDEX"


def _index_column(
    definer: Definer, table: Table, outputs: tuple[OutputColumn, ...], node: Node
) -> IndexColumnDefinition:
    for key, words in (("opclass", "operator classes"), ("opclassopts", "operator classes")):
        if key in node:
            raise SqlError("0A000", f"{words} are not supported")
    if "collation" in node and names.strings(node["collation"])[-1] not in (
        "C",
        "POSIX",
        "default",
    ):
        raise SqlError("0A000", "collations other than C are not supported")
    descending = node.get("ordering") == "SORTBY_DESC"
    nulls = node.get("nulls_ordering", "SORTBY_NULLS_DEFAULT")
    first = None if nulls == "SORTBY_NULLS_DEFAULT" else nulls == "SORTBY_NULLS_FIRST"
    if "name" in node:
        return IndexColumnDefinition(node["name"], descending=descending, nulls_first=first)
    expression = table_expressions.analyse_node(definer.analysis, node["expr"], table, outputs)
    table_expressions.require_no_subquery(node["expr"], "index expression")
    expression = coercion.settle(definer.analysis, expression)
    _require_immutable(expression, "functions in index expression must be marked IMMUTABLE")
    if not is_indexable(expression.type.oid):
        raise SqlError(
            "42704",
            f'data type {type_name(expression.type)} has no default operator class for access method "btree"',
        )
    return IndexColumnDefinition(
        None,
        expression_text(node["expr"]),
        expression.type,
        descending,
        first,
        table_expressions.label_of(node["expr"]),
    )


def _predicate(
    definer: Definer, table: Table, outputs: tuple[OutputColumn, ...], node: Node
) -> str:
    table_expressions.require_no_subquery(node, "index predicate")
    expression = table_expressions.analyse_node(definer.analysis, node, table, outputs)
    expression = coercion.coerce_to(
        definer.analysis, expression, BOOL, coercion.ASSIGNMENT, None, "WHERE"
    )
    _require_immutable(expression, "functions in index predicate must be marked IMMUTABLE")
    return expression_text(node)


# ---- TRUNCATE


async def _truncate(definer: Definer) -> str:
    body = definer.body
    tables = [
        names.find_table(definer.analysis, item["RangeVar"], "truncate")
        for item in body["relations"]
    ]
    await ddl.truncate(
        definer.transaction,
        tables,
        cascade=body.get("behavior") == "DROP_CASCADE",
        restart_identity=bool(body.get("restart_seqs")),
        restart_sequence=ddl.restart_sequence,
    )
    return "TRUNCATE TABLE"


# ---- ALTER TABLE


async def _alter_table(definer: Definer) -> str:
    body = definer.body
    kind = body.get("objtype", "OBJECT_TABLE").removeprefix("OBJECT_")
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
                definer.transaction, table, _key(node, None), wait=definer.alone
            )
        case "UNIQUE":
            await ddl.create_index(
                definer.transaction,
                table,
                _key(node, None),
                wait=definer.alone,
                together=definer.together,
            )
        case "CHECK":
            _refuse_deferrable(node)
            outputs = _outputs(definer, table)
            definition = _check(definer, (table, outputs), node["raw_expr"], node.get("conname"))
            valid = not node.get("skip_validation")
            await _add_check(definer, table, definition, validate=valid)
        case "FOREIGN":
            await define_foreign_keys.add_to(definer, table, node)
        case _:
            raise SqlError("0A000", f"ADD CONSTRAINT {kind.replace('_', ' ')} is not supported")


async def _use_index(definer: Definer, table: Table, node: Node) -> None:
    _refuse_deferrable(node)
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
    draft = _Draft(table.schema, table.name)
    _add_column(definer, draft, command["def"]["ColumnDef"])
    if draft.columns[0].domain_id and await ddl_types.find_row(
        definer.transaction, table, lambda row: True
    ):
        raise SqlError("0A000", "ADD COLUMN of a domain to a table with rows is not supported")
    column = draft.columns[0]
    exists = table.column(column.name) is not None
    varies = bool(draft.sequences) or column.generated is not None
    if exists:
        varies = False
    elif column.generated is not None:
        _check_generated(definer, table, column, draft.expressions[column.name][1])
    elif column.default is not None:
        value = table_expressions.analyse_text(definer.analysis, column.default, None, ())
        value = _assignable(definer, value, column.type, column.name, "default")
        varies = is_volatile(value)
        if not varies:
            made = compile_scalar(_over_rows(definer, value, ()))((), definer.eval_context())
            column = replace(column, missing_value=made)
    if varies:
        for name_of, sequence in draft.sequences:
            await _own_sequence(definer, draft, name_of, sequence)
        column = replace(draft.columns[0], not_null=False, identity=Identity.NONE)
    added = await ddl.add_column(
        definer.transaction, table, column, if_not_exists=bool(command.get("missing_ok"))
    )
    if added is None:
        definer.notice(
            f'column "{column.name}" of relation "{table.name}" already exists, skipping', "42701"
        )
        return
    if varies:
        await fill_column(definer, definer.catalog.table_by_id(table.id), draft.columns[0])
        if draft.sequences:
            _give_sequences(definer, definer.catalog.table_by_id(table.id))
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
    for node, name_ in draft.foreign_keys:
        await define_foreign_keys.add_to(
            definer, definer.catalog.table_by_id(table.id), node, name_
        )
    for node, name in draft.checks:
        current = definer.catalog.table_by_id(table.id)
        outputs = _outputs(definer, current)
        definition_ = _check(definer, (current, outputs), node, name)
        await _add_check(definer, current, definition_)


def _check_generated(definer: Definer, table: Table, column: ColumnDefinition, node: Node) -> None:
    outputs = _outputs(definer, table)
    value = table_expressions.analyse_node(definer.analysis, node, table, outputs)
    _require_immutable(value, "generation expression is not immutable")
    _refuse_generated_references(table, node)
    _assignable(definer, value, column.type, column.name, "generated")


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
    _assignable(definer, value, column.type, name, "default")
    ddl.set_default(definer.transaction, table, name, expression_text(node))


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
    node = command["def"]["ColumnDef"]
    target = names.resolve_type(definer.analysis, node["typeName"])
    if names.find_domain(definer.analysis, node["typeName"]) is not None:
        raise SqlError("0A000", "ALTER COLUMN ... TYPE to a domain is not supported")
    ddl_types.depend_on_types(definer.transaction, [target])
    outputs = _outputs(definer, table)
    if "raw_default" in node:
        value = table_expressions.analyse_node(
            definer.analysis, node["raw_default"], table, outputs
        )
    else:
        from trilithon.expression import ir

        output = outputs[column.number - 1]
        value = ir.Column(output.id, output.type)
    if not coercion.is_unknown(value) and not coercion.functions.can_coerce(
        value.type, target, coercion.ASSIGNMENT
    ):
        raise SqlError(
            "42804",
            f'column "{name}" cannot be cast automatically to type {type_name(TypeRef(target.oid))}',
            hint=f'You might need to specify "USING {name}::{type_name(target)}".',
        )
    value = coercion.coerce(definer.analysis, value, target, coercion.ASSIGNMENT, None)
    convert = compile_scalar(_over_rows(definer, value, outputs))
    context = definer.eval_context()
    await ddl.alter_column_type(
        definer.transaction,
        table,
        replace(column, type=target, domain_id=0),
        lambda row: convert(row, context),
    )
    changed = definer.catalog.table_by_id(table.id)
    await ddl.check_references_again(definer.transaction, changed, column.number)


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
    "CreateStmt": _create_table,
    "IndexStmt": _create_index,
    "TruncateStmt": _truncate,
    "AlterTableStmt": _alter_table,
    "ConstraintsSetStmt": define_foreign_keys.set_constraints,
}
