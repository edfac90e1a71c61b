"""ALTER TABLE: columns, constraints, names and types."""

import pytest
from catalog_helpers import (
    catalog,
    check_indexes,
    current_table,
    fill,
    index,
    make_table,
    new_cluster,
    primary,
    stored_rows,
    unique,
    view_definition,
)

from trilithon.core.errors import SqlError
from trilithon.query.catalog import ddl
from trilithon.query.catalog.definitions import (
    CheckDefinition,
    ColumnDefinition,
)
from trilithon.query.catalog.row_writer import RowWriter
from trilithon.types.registry import INT4, TEXT


async def test_added_columns_have_their_missing_value() -> None:
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", indexes=[primary("a")])
    await fill(cluster, table, [[1]])
    transaction = await cluster.manager.begin()
    added = await ddl.add_column(
        transaction,
        table,
        ColumnDefinition("b", TEXT, not_null=True, default="'x'", missing_value="x"),
    )
    assert added is not None
    await transaction.commit()
    table = await current_table(cluster)
    assert table.missing_values == (None, "x")
    assert list(stored_rows(cluster, table).values()) == [[1, "x"]]
    transaction = await cluster.manager.begin()
    with pytest.raises(SqlError) as raised:
        await ddl.add_column(transaction, table, ColumnDefinition("b", INT4))
    assert raised.value.message == 'column "b" of relation "t" already exists'
    with pytest.raises(SqlError) as raised:
        await ddl.add_column(transaction, table, ColumnDefinition("c", INT4, not_null=True))
    assert raised.value.sqlstate == "23502"


async def test_an_index_over_an_added_column() -> None:
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", indexes=[primary("a")])
    await fill(cluster, table, [[1], [2]])
    transaction = await cluster.manager.begin()
    added = await ddl.add_column(transaction, table, ColumnDefinition("b", INT4, missing_value=9))
    assert added is not None
    await transaction.commit()
    transaction = await cluster.manager.begin()
    await ddl.create_index(transaction, await current_table(cluster), index("b"), wait=True)
    await transaction.commit()
    check_indexes(cluster, await current_table(cluster))


async def test_dropped_columns_take_their_indexes_and_checks() -> None:
    cluster = new_cluster()
    table = await make_table(
        cluster,
        "t",
        "a int",
        "b int",
        "c int",
        indexes=[primary("a"), unique("b", "c"), unique("c")],
        checks=(CheckDefinition("b > c", ("b", "c")), CheckDefinition("c > 0", ("c",))),
    )
    await fill(cluster, table, [[1, 5, 2]])
    transaction = await cluster.manager.begin()
    with pytest.raises(SqlError, match='42703: column "z" of relation "t" does not exist'):
        ddl.drop_column(transaction, table, "z")
    changed, _ = ddl.drop_column(transaction, table, "b")
    assert [part.name for part in changed.indexes] == ["t_pkey", "t_c_key"]
    assert [check.sql for check in changed.checks] == ["c > 0"]
    assert [column.name for column in changed.visible_columns] == ["a", "c"]
    readded = await ddl.add_column(transaction, changed, ColumnDefinition("b", TEXT))
    assert readded is not None
    assert readded.column("b") is readded.columns[3]
    await transaction.commit()
    table = await current_table(cluster)
    assert list(stored_rows(cluster, table).values()) == [[1, 5, 2, None]]
    check_indexes(cluster, table)


async def test_a_view_holds_its_columns() -> None:
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", "b int")
    transaction = await cluster.manager.begin()
    await ddl.create_view(
        transaction, view_definition("v", table.id, depends_on_columns=((table.id, 2),))
    )
    ddl.drop_column(transaction, table, "a")
    table = transaction.catalog.table(["public"], "t")
    with pytest.raises(SqlError) as raised:
        ddl.drop_column(transaction, table, "b")
    assert raised.value.detail == "view v depends on column b of table t"
    _, notices = ddl.drop_column(transaction, table, "b", cascade=True)
    assert notices == ["view v"]


async def test_dropping_a_clustered_primary_key_keeps_the_rows() -> None:
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", "b int", indexes=[primary("a"), unique("b")])
    await fill(cluster, table, [[1, 1], [2, 2]])
    transaction = await cluster.manager.begin()
    changed = ddl.drop_constraint(transaction, table, "t_pkey")
    await RowWriter(transaction, changed).insert([[1, 3]])
    await transaction.commit()
    table = await current_table(cluster)
    assert table.clustered is None
    check_indexes(cluster, table)
    assert sorted(stored_rows(cluster, table).values()) == [[1, 1], [1, 3], [2, 2]]
    transaction = await cluster.manager.begin()
    created = await ddl.add_primary_key(transaction, table, primary("b"))
    await transaction.commit()
    table = await current_table(cluster)
    assert table.clustered is not None
    assert created.table.storage_id == table.storage_id
    check_indexes(cluster, table)


async def test_constraints_by_name() -> None:
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", indexes=[primary("a")])
    await fill(cluster, table, [[-1]])
    transaction = await cluster.manager.begin()
    check = CheckDefinition("a > 0", ("a",))
    table = ddl.add_check(transaction, table, check)
    assert not table.checks[0].validated
    table = ddl.rename_constraint(transaction, table, "t_a_check", "positive")
    table = ddl.drop_constraint(transaction, table, "positive")
    with pytest.raises(SqlError) as raised:
        ddl.drop_constraint(transaction, table, "positive")
    assert raised.value.message == 'constraint "positive" of relation "t" does not exist'
    with pytest.raises(SqlError, match="2BP01: cannot drop index t_pkey because constraint"):
        ddl.drop_index(transaction, table, table.indexes[0])
    with pytest.raises(SqlError, match='42P16: column "a" is in a primary key'):
        ddl.drop_not_null(transaction, table, "a")


async def test_renaming() -> None:
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", "b int", indexes=[primary("a")])
    transaction = await cluster.manager.begin()
    ddl.rename_relation(transaction, table, "u")
    table = transaction.catalog.table(["public"], "u")
    table = ddl.rename_column(transaction, table, "b", "c")
    with pytest.raises(SqlError, match="42701"):
        ddl.rename_column(transaction, table, "c", "a")
    table = ddl.rename_index(transaction, table, table.indexes[0], "key")
    with pytest.raises(SqlError, match="42P01"):
        transaction.catalog.table(["public"], "t")
    await transaction.commit()
    found = await catalog(cluster)
    assert found.relation(["public"], "t_pkey") is None
    assert found.index_by_id(table.indexes[0].id) is not None
    assert [c.name for c in found.table(["public"], "u").columns] == ["a", "c"]
