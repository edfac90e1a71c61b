"""Schemas, the search path, views and roles."""

from dataclasses import replace

import pytest
from catalog_helpers import (
    catalog,
    new_cluster,
    table_definition,
    view_definition,
)

from trilithon.core.errors import SqlError
from trilithon.query.catalog import ddl
from trilithon.query.catalog.definitions import (
    ColumnDefinition,
    Schema,
    TableDefinition,
    View,
    ViewColumn,
)
from trilithon.types.registry import INT4, TEXT


async def test_schemas() -> None:
    cluster = new_cluster()
    transaction = await cluster.manager.begin()
    schema = await ddl.create_schema(transaction, "s")
    assert schema is not None
    with pytest.raises(SqlError, match='42P06: schema "s" already exists'):
        await ddl.create_schema(transaction, "s")
    assert await ddl.create_schema(transaction, "s", if_not_exists=True) is None
    with pytest.raises(SqlError, match="42939"):
        await ddl.create_schema(transaction, "pg_x")
    with pytest.raises(SqlError, match="2BP01"):
        ddl.drop_schema(transaction, Schema(2200, "public"))
    await ddl.create_table(transaction, TableDefinition("s", "t", (ColumnDefinition("a", INT4),)))
    with pytest.raises(SqlError) as raised:
        ddl.drop_schema(transaction, schema)
    assert raised.value.detail == "table s.t depends on schema s"
    ddl.rename_schema(transaction, schema, "r")
    assert transaction.catalog.table(["r"], "t").schema == "r"
    renamed = transaction.catalog.schema("r")
    assert renamed is not None
    assert ddl.drop_schema(transaction, renamed, cascade=True) == ["table r.t"]
    assert not transaction.catalog.tables
    assert transaction.catalog.schema("r") is None


async def test_search_path() -> None:
    cluster = new_cluster()
    transaction = await cluster.manager.begin()
    await ddl.create_schema(transaction, "s")
    for schema in ("public", "s"):
        await ddl.create_table(
            transaction, TableDefinition(schema, "t", (ColumnDefinition("a", INT4),))
        )
    found = transaction.catalog
    assert found.table(["s", "public"], "t").schema == "s"
    assert found.table(["nope", "public", "s"], "t").schema == "public"
    assert found.find_table([], "t") is None
    with pytest.raises(SqlError, match=r'42P01: relation "s\.x" does not exist'):
        found.table(["s"], "x")
    with pytest.raises(SqlError, match='42P01: relation "x" does not exist'):
        found.table(["s", "public"], "x")


async def test_replacing_views() -> None:
    cluster = new_cluster()
    transaction = await cluster.manager.begin()
    view = await ddl.create_view(transaction, view_definition("v"))
    with pytest.raises(SqlError, match="42P07"):
        await ddl.create_view(transaction, view_definition("v"))
    wider = replace(view_definition("v"), columns=(ViewColumn("a", INT4), ViewColumn("b", TEXT)))
    replaced = await ddl.create_view(transaction, wider, replace=True)
    assert replaced.id == view.id
    for columns, text in (
        ((ViewColumn("a", INT4),), "cannot drop columns from view"),
        (
            (ViewColumn("z", INT4), ViewColumn("b", TEXT)),
            'cannot change name of view column "a" to "z"',
        ),
        ((ViewColumn("a", TEXT), ViewColumn("b", TEXT)), "cannot change data type of view column"),
    ):
        with pytest.raises(SqlError, match=text):
            await ddl.create_view(transaction, replace(wider, columns=columns), replace=True)
    await ddl.create_table(transaction, table_definition("t", "a int"))
    with pytest.raises(SqlError, match='42809: "t" is not a view'):
        await ddl.create_view(transaction, view_definition("t"), replace=True)
    assert isinstance(transaction.catalog.relation(["public"], "v"), View)
    with pytest.raises(SqlError, match='42809: "v" is not a table'):
        transaction.catalog.table(["public"], "v")


async def test_roles() -> None:
    cluster = new_cluster()
    transaction = await cluster.manager.begin()
    role = await ddl.create_role(transaction, "alice", login=True)
    with pytest.raises(SqlError, match='42710: role "alice" already exists'):
        await ddl.create_role(transaction, "alice")
    admin = transaction.catalog.role("admin")
    assert admin is not None
    ddl.alter_role(transaction, admin, password="SCRAM-SHA-256$x")
    with pytest.raises(SqlError, match="2BP01"):
        ddl.drop_role(transaction, admin)
    table = await ddl.create_table(
        transaction, replace(table_definition("t", "a int"), owner="alice")
    )
    assert table is not None
    with pytest.raises(SqlError) as raised:
        ddl.drop_role(transaction, role)
    assert raised.value.detail == "owner of table t"
    await transaction.commit()
    found = (await catalog(cluster)).role("admin")
    assert found is not None
    assert found.password == "SCRAM-SHA-256$x"
    assert len((await catalog(cluster)).roles) == 2
