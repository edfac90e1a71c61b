"""CREATE TABLE AS and SELECT INTO: a query's columns as a table, its rows in the same transaction.

The parser has made SELECT INTO a CREATE TABLE AS. The query is planned twice: when the statement is
prepared, for its parameters' types, and when it runs, for its columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.analyse import names
from trilithon.query.catalog import ddl, ddl_types
from trilithon.query.catalog.definitions import ColumnDefinition, Table, TableDefinition
from trilithon.query.catalog.row_writer import RowWriter
from trilithon.query.execute.define_tables import refuse_table_options
from trilithon.query.execute.definitions import Definer
from trilithon.query.execute.modify import WRITE_ROWS
from trilithon.query.execute.table_drafts import is_storable
from trilithon.query.parse import Statement
from trilithon.query.parse.statement import derive
from trilithon.types.registry import TypeRef, type_name

if TYPE_CHECKING:
    from trilithon.query.engine import Engine
    from trilithon.query.plans import ResultColumn

# Types that no column can have.
_PSEUDO: Final = frozenset({705, 2249, 2276, 2277, 2278, 2283, 2287})
TAG: Final = "CREATE TABLE AS"


@dataclass(slots=True, eq=False)
class CreateTableAsPlan:
    statement: Statement
    settings: Any
    parameter_types: tuple[TypeRef, ...]
    columns: tuple[ResultColumn, ...] | None = None
    read_only: bool = False

    async def run(self, engine: Engine, transaction: Any, context: Any) -> Any:
        from trilithon.query.plans import Result

        analysis = engine.analysis_for(self.statement, transaction.catalog, self.settings)
        definer = Definer(
            engine, transaction, context.session, analysis, self.statement, self.settings
        )
        return Result(None, [], await _create(definer, self.parameter_types, context))


async def plan_create_table_as(
    engine: Engine,
    statement: Statement,
    transaction: Any,
    parameter_oids: Sequence[int],
    settings: Any,
) -> CreateTableAsPlan:
    """Raises SqlError for what the query alone says is wrong."""
    body = statement.body
    if body.get("objtype") != "OBJECT_TABLE":
        raise SqlError("0A000", "CREATE MATERIALIZED VIEW is not supported")
    inner = derive(statement, body["query"])
    if inner.kind != "query":
        raise SqlError("0A000", "CREATE TABLE AS EXECUTE is not supported here")
    prepared = await engine.prepare(inner, transaction, parameter_oids, settings)
    return CreateTableAsPlan(statement, settings, prepared.parameter_types)


async def _create(definer: Definer, types: Sequence[TypeRef], context: Any) -> str:
    body, transaction = definer.body, definer.transaction
    into = body["into"]
    variable = into["rel"]
    refuse_table_options({**into, "oncommit": into.get("onCommit", "ONCOMMIT_NOOP")}, variable)
    schema = definer.creation_schema(variable.get("schemaname"))
    name = variable["relname"]
    exists = definer.catalog.relation((schema,), name) is not None
    if exists and body.get("if_not_exists"):
        definer.notice(f'relation "{name}" already exists, skipping', "42P07")
        return TAG
    engine = definer.engine
    inner = derive(definer.statement, body["query"])
    prepared = await engine.prepare(
        inner, transaction, [type_.oid for type_ in types], definer.settings
    )
    columns = _columns(prepared.columns or (), names.strings(into.get("colNames", [])))
    if exists:
        raise SqlError("42P07", f'relation "{name}" already exists')
    if into.get("skipData"):
        await _make_table(transaction, schema, name, columns)
        return TAG
    result = await engine.execute(prepared, transaction, context.parameters, context)
    for column in columns:
        if not is_storable(transaction.catalog, column.type):
            words = type_name(column.type)
            raise SqlError("0A000", f"columns of type {words} are not supported")
    ddl_types.depend_on_types(transaction, [column.type for column in columns])
    table = await _make_table(transaction, schema, name, columns)
    return f"SELECT {await _fill(transaction, table, result.rows)}"


def _columns(found: Sequence[ResultColumn], given: Sequence[str]) -> tuple[ColumnDefinition, ...]:
    if len(given) > len(found):
        raise SqlError("42601", "too many column names were specified")
    columns: list[ColumnDefinition] = []
    for position, column in enumerate(found):
        name = given[position] if position < len(given) else column.name
        if any(other.name == name for other in columns):
            raise SqlError("42701", f'column "{name}" specified more than once')
        if column.type.oid in _PSEUDO:
            raise SqlError("42P16", f'column "{name}" has pseudo-type {type_name(column.type)}')
        columns.append(ColumnDefinition(name, column.type))
    return tuple(columns)


async def _make_table(
    transaction: Any, schema: str, name: str, columns: tuple[ColumnDefinition, ...]
) -> Table:
    table = await ddl.create_table(transaction, TableDefinition(schema, name, columns, (), ()))
    if table is None:
        raise SqlError("42P07", f'relation "{name}" already exists')
    return table


async def _fill(transaction: Any, table: Table, rows: Any) -> int:
    writer = RowWriter(transaction, table)
    count = 0
    if isinstance(rows, list):
        batches: list[list[Any]] = [rows]
    else:
        batches = []
        async for batch in rows:
            await writer.insert(batch)
            count += len(batch)
    for batch in batches:
        for start in range(0, len(batch), WRITE_ROWS):
            await writer.insert(batch[start : start + WRITE_ROWS])
        count += len(batch)
    return count
