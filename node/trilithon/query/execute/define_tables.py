"""CREATE TABLE and TRUNCATE."""

from __future__ import annotations

from typing import Final

from trilithon.core.errors import SqlError
from trilithon.query.analyse import names
from trilithon.query.catalog import ddl
from trilithon.query.catalog.definitions import (
    TableDefinition,
)
from trilithon.query.execute import define_foreign_keys, table_drafts, table_like
from trilithon.query.execute.definitions import (
    Definer,
    Handler,
)
from trilithon.query.parse.statement import Node


async def _create_table(definer: Definer) -> str:
    body = definer.body
    variable = body["relation"]
    refuse_table_options(body, variable)
    draft = table_drafts.Draft(
        definer.creation_schema(variable.get("schemaname")), variable["relname"]
    )
    exists = definer.catalog.relation((draft.schema,), draft.name) is not None
    if exists and body.get("if_not_exists"):
        definer.notice(f'relation "{draft.name}" already exists, skipping', "42P07")
        return "CREATE TABLE"
    if exists:
        raise SqlError("42P07", f'relation "{draft.name}" already exists')
    for element in body.get("tableElts", ()):
        if "ColumnDef" in element:
            table_drafts.add_column(definer, draft, element["ColumnDef"])
        elif "Constraint" in element:
            table_drafts.add_constraint(definer, draft, element["Constraint"], None)
        elif "TableLikeClause" in element:
            table_drafts.add_like(definer, draft, element["TableLikeClause"])
        else:
            raise SqlError("0A000", f"{next(iter(element))} in CREATE TABLE is not supported")
    columns = table_drafts.check_expressions(definer, draft)
    checks = tuple(
        table_drafts.check_of(definer, columns, node, name) for node, name in draft.checks
    )
    checks += tuple(draft.copied_checks)
    for column, sequence in draft.sequences:
        await table_drafts.own_sequence(definer, draft, column, sequence)
    table = await ddl.create_table(
        definer.transaction,
        TableDefinition(
            draft.schema, draft.name, tuple(draft.columns), tuple(draft.indexes), checks
        ),
    )
    if table is not None:
        table_drafts.give_sequences(definer, table)
        define_foreign_keys.add_to_new(definer, table, draft.foreign_keys)
        for source in draft.commented:
            table_like.copy_comments(definer, source, table)
    return "CREATE TABLE"


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


HANDLERS: Final[dict[str, Handler]] = {
    "CreateStmt": _create_table,
    "TruncateStmt": _truncate,
}
