"""DDL: what it makes, what it refuses (in PostgreSQL's words), and what it does beside others."""

import asyncio
from dataclasses import replace
from typing import Any

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
    table_definition,
    unique,
    view_definition,
)

from trilithon.core.errors import SqlError
from trilithon.query.catalog import ddl
from trilithon.query.catalog.catalog import Catalog
from trilithon.query.catalog.changes import make_name
from trilithon.query.catalog.definitions import (
    CheckDefinition,
    ColumnDefinition,
    ForeignKeyDefinition,
    IndexColumnDefinition,
    IndexDefinition,
    Schema,
    Table,
    TableDefinition,
)
from trilithon.query.catalog.documents import encode_object
from trilithon.query.catalog.row_writer import RowWriter
from trilithon.query.catalog.rowkeys import row_range
from trilithon.query.catalog.system_tables import object_key
from trilithon.types.registry import INT4, JSONB, TEXT
from trilithon.v1.types_pb2 import MODE_EXCLUSIVE


async def test_bootstrap_needs_no_write() -> None:
    cluster = new_cluster()
    found = await catalog(cluster)
    assert {schema.name for schema in found.schemas} == {
        "public",
        "pg_catalog",
        "information_schema",
        "sys",
    }
    assert found.role("admin") is not None
    assert not cluster.store.versions


async def test_a_table_comes_back_as_it_was_made() -> None:
    cluster = new_cluster()
    transaction = await cluster.manager.begin()
    definition = TableDefinition(
        "public",
        "accounts",
        (
            ColumnDefinition("id", INT4),
            ColumnDefinition("owner", TEXT, not_null=True, default="'me'"),
            ColumnDefinition("amount", INT4),
        ),
        (unique("owner", "amount"), primary("id")),
        (
            CheckDefinition("amount >= 0", ("amount",)),
            CheckDefinition("id <> amount", ("id", "amount")),
        ),
    )
    table = await ddl.create_table(transaction, definition)
    assert table is not None
    assert transaction.catalog.table(["public"], "accounts") is table
    await transaction.commit()
    other = cluster.new_manager()
    loaded = (await other.begin()).catalog.table(["x", "public"], "accounts")
    assert encode_object(loaded) == encode_object(table)
    assert [part.name for part in loaded.indexes] == ["accounts_pkey", "accounts_owner_amount_key"]
    assert [check.name for check in loaded.checks] == ["accounts_amount_check", "accounts_check"]
    assert loaded.columns[0].not_null
    assert loaded.primary_key is loaded.clustered
    assert loaded.key_columns == {1, 2, 3}
    assert loaded.id >= 16384


async def test_catalogs_are_loaded_once_and_share_what_did_not_change() -> None:
    cluster = new_cluster()
    one = await make_table(cluster, "one", "a int")
    other = cluster.new_manager()
    begun = await asyncio.gather(*[other.begin() for _ in range(20)])
    assert other.catalogs.loads == 1
    assert len({id(transaction.catalog) for transaction in begun}) == 1
    before = begun[0].catalog.table(["public"], "one")
    await make_table(cluster, "two", "a int")
    # Data commits name no new catalog.
    await fill(cluster, one, [[1]])
    after = (await other.begin()).catalog
    assert other.catalogs.loads == 2
    assert after.table(["public"], "one") is before
    assert after.table(["public"], "two").id > one.id


async def test_a_failed_load_fails_its_transaction_only() -> None:
    cluster = new_cluster()
    await make_table(cluster, "one", "a int")
    other = cluster.new_manager()
    scan = cluster.reads.scan

    def broken(*args: Any, **kwargs: Any) -> Any:
        raise SqlError("57P03", "no storage")

    cluster.reads.scan = broken  # type: ignore[method-assign]
    other.catalogs._reads = cluster.reads
    with pytest.raises(SqlError, match="57P03"):
        await other.begin()
    cluster.reads.scan = scan  # type: ignore[method-assign]
    assert (await other.begin()).catalog.find_table(["public"], "one")


@pytest.mark.parametrize(
    ("definition", "state", "message"),
    [
        (table_definition("t", "a int"), "42P07", 'relation "t" already exists'),
        (table_definition("t_pkey", "a int"), "42P07", 'relation "t_pkey" already exists'),
        (table_definition("x", "a int", "a text"), "42701", 'column "a" specified more than once'),
        (
            table_definition("x", "ctid int"),
            "42701",
            'column name "ctid" conflicts with a system column name',
        ),
        (
            table_definition("x", "a int", indexes=[primary("b")]),
            "42703",
            'column "b" named in key does not exist',
        ),
        (
            table_definition("x", "a int", indexes=[primary("a"), primary("a")]),
            "42P16",
            'multiple primary keys for table "x" are not allowed',
        ),
        (
            table_definition("x", "a int", indexes=[unique("a", "a")]),
            "42701",
            'column "a" appears twice in unique constraint',
        ),
        (
            table_definition(
                "x",
                *[f"c{n} int" for n in range(9)],
                indexes=[primary(*[f"c{n}" for n in range(9)])],
            ),
            "54011",
            "more than 8 column keys in an index are not supported",
        ),
        (
            table_definition("x", *[f"c{n} int" for n in range(256)]),
            "54011",
            "tables can have at most 255 columns",
        ),
        (
            table_definition("x", "a int", indexes=[unique("a", name=f"i{n}") for n in range(25)]),
            "54000",
            "more than 24 indexes per table are not allowed",
        ),
        (TableDefinition("nowhere", "x"), "3F000", 'schema "nowhere" does not exist'),
        (TableDefinition("pg_catalog", "x"), "42501", 'permission denied to create "pg_catalog.x"'),
        (
            table_definition("x", "a int", checks=[CheckDefinition("a > 0", ("a",), "c")] * 2),
            "42710",
            'constraint "c" for relation "x" already exists',
        ),
        (
            table_definition("x", "a int", indexes=[unique("a", name="t_pkey")]),
            "42P07",
            'relation "t_pkey" already exists',
        ),
    ],
)
async def test_create_table_refuses(definition: TableDefinition, state: str, message: str) -> None:
    cluster = new_cluster()
    await make_table(cluster, "t", "a int", indexes=[primary("a")])
    transaction = await cluster.manager.begin()
    before = transaction.catalog
    with pytest.raises(SqlError) as raised:
        await ddl.create_table(transaction, definition)
    assert (raised.value.sqlstate, raised.value.message) == (state, message)
    assert transaction.catalog is before


async def test_types_without_an_order_are_no_keys() -> None:
    cluster = new_cluster()
    transaction = await cluster.manager.begin()
    definition = TableDefinition(
        "public", "x", (ColumnDefinition("a", replace(INT4, oid=114)),), (primary("a"),)
    )
    with pytest.raises(SqlError, match="42704"):
        await ddl.create_table(transaction, definition)
    assert JSONB.oid == 3802


async def test_if_not_exists() -> None:
    cluster = new_cluster()
    await make_table(cluster, "t", "a int")
    transaction = await cluster.manager.begin()
    assert (
        await ddl.create_table(transaction, table_definition("t", "b int"), if_not_exists=True)
        is None
    )
    assert not transaction.has_writes


async def test_too_many_tables() -> None:
    cluster = new_cluster(tables=2)
    await make_table(cluster, "a", "a int")
    await make_table(cluster, "b", "a int")
    with pytest.raises(SqlError, match="creating more than 2 tables not allowed"):
        await make_table(cluster, "c", "a int")


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("t", "a", "key"), "t_a_key"),
        (("t" * 70, "", "pkey"), "t" * 58 + "_pkey"),
        (("t" * 40, "c" * 40, "idx"), "t" * 29 + "_" + "c" * 29 + "_idx"),
        (("ä" * 40, "", "pkey"), "ä" * 29 + "_pkey"),
    ],
)
def test_names_are_cut_like_postgresql(parts: tuple[str, str, str], name: str) -> None:
    assert make_name(*parts) == name
    assert len(name.encode()) <= 63


async def test_chosen_names_avoid_what_is_there() -> None:
    cluster = new_cluster()
    await make_table(cluster, "t", "a int", indexes=[unique("a"), unique("a"), unique("a")])
    table = await current_table(cluster)
    assert [part.name for part in table.indexes] == ["t_a_key", "t_a_key1", "t_a_key2"]


# ---- beside others


async def test_two_creates_of_one_name_conflict_and_of_two_names_do_not() -> None:
    cluster = new_cluster()
    await cluster.manager.object_ids.take()
    one, two, three = [await cluster.manager.begin() for _ in range(3)]
    await ddl.create_table(one, table_definition("t", "a int"))
    await ddl.create_table(two, table_definition("t", "b int"))
    await ddl.create_table(three, table_definition("u", "b int"))
    await one.commit()
    await three.commit()
    with pytest.raises(SqlError) as raised:
        await two.commit()
    assert raised.value.sqlstate == "40001"
    assert "OC001" in raised.value.message
    assert raised.value.detail == 'name "t"'


async def test_ids_are_unique_across_processes() -> None:
    cluster = new_cluster()
    managers = [cluster.new_manager() for _ in range(3)]
    ids = await asyncio.gather(
        *[manager.object_ids.take() for manager in managers for _ in range(50)]
    )
    assert len(set(ids)) == 150
    assert min(ids) == 16384


async def test_dropping_a_schema_beside_a_create_in_it() -> None:
    for create_first in (True, False):
        cluster = new_cluster()
        setup = await cluster.manager.begin()
        schema = await ddl.create_schema(setup, "s")
        assert schema is not None
        await setup.commit()
        creator, dropper = await cluster.manager.begin(), await cluster.manager.begin()
        await ddl.create_table(creator, TableDefinition("s", "t", (ColumnDefinition("a", INT4),)))
        ddl.drop_schema(dropper, schema)
        first, second = (creator, dropper) if create_first else (dropper, creator)
        await first.commit()
        with pytest.raises(SqlError, match="40001"):
            await second.commit()


async def test_a_view_holds_its_table() -> None:
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int")
    for view_first in (True, False):
        viewer, dropper = await cluster.manager.begin(), await cluster.manager.begin()
        await ddl.create_view(viewer, view_definition(f"v{view_first}", table.id))
        ddl.drop_tables(dropper, [table], cascade=True)
        first, second = (viewer, dropper) if view_first else (dropper, viewer)
        await first.commit()
        with pytest.raises(SqlError, match="40001"):
            await second.commit()


async def test_dml_beside_ddl_is_oc001_both_ways() -> None:
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", indexes=[primary("a")])
    writer, alterer = await cluster.manager.begin(), await cluster.manager.begin()
    await RowWriter(writer, table).insert([[1]])
    await ddl.add_column(alterer, table, ColumnDefinition("b", INT4))
    await alterer.commit()
    with pytest.raises(SqlError, match="OC001"):
        await writer.commit()
    # The other way round nothing is lost: adding a column does not look at rows.
    writer, alterer = await cluster.manager.begin(), await cluster.manager.begin()
    table = await current_table(cluster)
    await RowWriter(writer, table).insert([[1, 2]])
    await ddl.add_column(alterer, table, ColumnDefinition("c", INT4))
    await writer.commit()
    await alterer.commit()
    # But a constraint over rows does.
    table = await current_table(cluster)
    writer, alterer = await cluster.manager.begin(), await cluster.manager.begin()
    await ddl.set_not_null(alterer, table, "b")
    await RowWriter(writer, table).insert([[2, None, None]])
    await writer.commit()
    with pytest.raises(SqlError, match="40001"):
        await alterer.commit()


async def test_two_alters_of_one_table_conflict() -> None:
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int")
    one, two = await cluster.manager.begin(), await cluster.manager.begin()
    await ddl.add_column(one, table, ColumnDefinition("b", INT4))
    ddl.set_default(two, table, "a", "1")
    await one.commit()
    with pytest.raises(SqlError) as raised:
        await two.commit()
    assert "OC001" in raised.value.message
    assert raised.value.detail == 'table "t"'


async def test_ddl_and_dml_in_one_transaction_with_savepoints() -> None:
    cluster = new_cluster()
    transaction = await cluster.manager.begin()
    table = await ddl.create_table(
        transaction, table_definition("t", "a int", "b int", indexes=[primary("a")])
    )
    assert table is not None
    await RowWriter(transaction, table).insert([[1, 1], [2, 2]])
    transaction.savepoint("s")
    created = await ddl.create_index(transaction, table, index("b", unique=True))
    assert created is not None
    assert not created.job_id
    with pytest.raises(SqlError, match="23505"):
        await RowWriter(transaction, created.table).insert([[3, 1]])
    transaction.rollback_to("s")
    assert not transaction.catalog.table(["public"], "t").index("t_b_idx")
    table = transaction.catalog.table(["public"], "t")
    await RowWriter(transaction, table).insert([[3, 1]])
    created = await ddl.create_index(transaction, table, index("b"))
    assert created is not None
    await transaction.commit()
    table = await current_table(cluster)
    assert [part.name for part in table.indexes] == ["t_pkey", "t_b_idx"]
    check_indexes(cluster, table)
    assert len(stored_rows(cluster, table)) == 3


async def test_rolled_back_to_nothing_leaves_no_trace() -> None:
    cluster = new_cluster()
    transaction = await cluster.manager.begin()
    transaction.savepoint("s")
    await ddl.create_table(transaction, table_definition("t", "a int"))
    transaction.rollback_to("s")
    assert not transaction.changes_catalog
    assert (await transaction.commit()).csn == 0
    assert (await catalog(cluster)).find_table(["public"], "t") is None


async def test_read_only_refuses_ddl() -> None:
    cluster = new_cluster()
    transaction = await cluster.manager.begin(read_only=True)
    with pytest.raises(SqlError, match="cannot execute CREATE TABLE in a read-only transaction"):
        await ddl.create_table(transaction, table_definition("t", "a int"))


# ---- drop and truncate


async def test_drop_table_and_its_dependents() -> None:
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", indexes=[primary("a")])
    transaction = await cluster.manager.begin()
    view = await ddl.create_view(transaction, view_definition("v", table.id))
    over = await ddl.create_view(transaction, view_definition("w", view.id))
    with pytest.raises(SqlError) as raised:
        ddl.drop_tables(transaction, [table])
    assert raised.value.sqlstate == "2BP01"
    assert raised.value.message == "cannot drop table t because other objects depend on it"
    assert raised.value.detail == "view v depends on table t"
    assert raised.value.hint == "Use DROP ... CASCADE to drop the dependent objects too."
    with pytest.raises(SqlError, match="2BP01"):
        ddl.drop_views(transaction, [view])
    assert ddl.drop_tables(transaction, [table], cascade=True) == ["view w", "view v"]
    assert transaction.catalog.object_by_id(over.id) is None
    # The names are free again, indexes' names too.
    again = await ddl.create_table(
        transaction, table_definition("t", "a int", indexes=[primary("a")])
    )
    assert again is not None
    assert again.id != table.id
    await transaction.commit()
    found = await catalog(cluster)
    assert found.table(["public"], "t").id == again.id
    assert not found.views


async def test_truncate_is_transactional_and_empty() -> None:
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", "b int", indexes=[primary("a"), unique("b")])
    await fill(cluster, table, [[1, 1], [2, 2]])
    reader = await cluster.manager.begin()
    transaction = await cluster.manager.begin()
    await ddl.truncate(transaction, [table])
    emptied = transaction.catalog.table(["public"], "t")
    assert emptied.storage_id != table.storage_id == table.id
    assert emptied.id == table.id
    await RowWriter(transaction, emptied).insert([[1, 1]])
    await transaction.commit()
    table_now = await current_table(cluster)
    check_indexes(cluster, table_now)
    assert list(stored_rows(cluster, table_now).values()) == [[1, 1]]
    rows = [row async for chunk in reader.scan(*row_range(table)) for row in chunk.rows]
    assert len(rows) == 2


async def test_foreign_keys_as_definitions() -> None:
    cluster = new_cluster()
    parent = await make_table(cluster, "p", "a int", "b int", indexes=[primary("a")])
    transaction = await cluster.manager.begin()
    for key, state in (
        (ForeignKeyDefinition(("x",), "public", "p", ("b",)), "42830"),
        (ForeignKeyDefinition(("x",), "public", "p", ("z",)), "42703"),
        (ForeignKeyDefinition(("y",), "public", "p"), "42703"),
        (ForeignKeyDefinition(("x",), "public", "q"), "42P01"),
    ):
        transaction.savepoint("s")
        with pytest.raises(SqlError, match=state):
            await ddl.create_table(transaction, table_definition("c", "x int", foreign_keys=(key,)))
        transaction.rollback_to("s")
    definition = table_definition(
        "c", "x int", foreign_keys=(ForeignKeyDefinition(("x",), "public", "p"),)
    )
    child = await ddl.create_table(transaction, definition)
    assert child is not None
    assert child.foreign_keys[0].name == "c_x_fkey"
    assert transaction.catalog.table(["public"], "p").referenced_by == (child.id,)
    await transaction.commit()
    # A writer of the parent that does not know of the reference yet must fail.
    transaction = await cluster.manager.begin()
    with pytest.raises(SqlError) as raised:
        ddl.drop_tables(transaction, [transaction.catalog.table(["public"], "p")])
    assert raised.value.detail == "constraint c_x_fkey on table c depends on table p"
    with pytest.raises(SqlError, match="0A000"):
        await ddl.truncate(transaction, [transaction.catalog.table(["public"], "p")])
    await ddl.truncate(transaction, [transaction.catalog.table(["public"], "p")], cascade=True)
    assert transaction.catalog.table(["public"], "c").storage_id != child.storage_id
    with pytest.raises(SqlError, match="2BP01"):
        ddl.drop_constraint(transaction, transaction.catalog.table(["public"], "p"), "p_pkey")
    both = [transaction.catalog.table(["public"], name) for name in ("p", "c")]
    ddl.drop_tables(transaction, both)
    await transaction.commit()
    assert not (await catalog(cluster)).tables
    assert parent.referenced_by == ()


# ---- documents


async def test_a_newer_document_is_refused_clearly() -> None:
    import msgspec

    from trilithon.types.rows import encode_row

    cluster = new_cluster()
    transaction = await cluster.manager.begin()
    document = msgspec.msgpack.encode({"format": 99, "body": {}})
    transaction.write(object_key(99_999), MODE_EXCLUSIVE, encode_row(["table", document]))
    transaction.change_catalog(transaction.catalog)
    await transaction.commit()
    with pytest.raises(SqlError) as raised:
        await cluster.manager.begin()
    assert raised.value.sqlstate == "0A000"
    assert raised.value.hint == "Upgrade this process."


def test_unknown_fields_of_documents_are_ignored() -> None:
    import msgspec

    from trilithon.query.catalog.documents import decode_object

    body = {"id": 1, "name": "x", "from_the_future": [1, 2]}
    document = msgspec.msgpack.encode({"format": 1, "body": body})
    assert decode_object(["schema", document]) == Schema(1, "x")
    with pytest.raises(SqlError, match="0A000"):
        decode_object(["hologram", document])


def test_a_catalog_of_its_own_changes_leaves_the_old_one_alone() -> None:
    base = Catalog(5, ())
    table = Table(20000, 2200, "public", "t", (), 20000)
    after = base.with_object(table)
    assert base.find_table(["public"], "t") is None
    assert after.find_table(["public"], "t") is table
    assert after.without(20000).find_table(["public"], "t") is None
    renamed = after.with_object(table.changed(name="u"))
    assert renamed.find_table(["public"], "t") is None
    assert renamed.table_by_storage_id(20000) is renamed.find_table(["public"], "u")
    assert (renamed.csn, base.csn) == (5, 5)
    definition = IndexDefinition((IndexColumnDefinition("a"),))
    assert definition.name is None
