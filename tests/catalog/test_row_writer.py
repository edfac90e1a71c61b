"""Rows and their entries: whatever is written, the indexes say what the rows say."""

import asyncio
from typing import Any

import pytest
from catalog_helpers import (
    check_indexes,
    current_table,
    index,
    make_table,
    new_cluster,
    primary,
    stored_rows,
    unique,
)
from fake_cluster import FakeCluster
from hypothesis import given, settings
from hypothesis import strategies as st

from trilithon.core.errors import SqlError
from trilithon.query.catalog.ddl import create_index
from trilithon.query.catalog.definitions import Table
from trilithon.query.catalog.row_writer import RowChange, RowWriter
from trilithon.query.catalog.rowkeys import row_range
from trilithon.v1.types_pb2 import (
    MODE_BLIND,
    MODE_EXCLUSIVE,
    MODE_UPDATE,
    WriteSet,
)

LONG = "x" * 900


async def rich_table(cluster: FakeCluster, clustered: bool = True) -> Table:
    indexes = [unique("b"), unique("c", "d", nulls_not_distinct=True)]
    await make_table(
        cluster,
        "t",
        "a int",
        "b int",
        "c text",
        "d int",
        indexes=[*indexes, primary("a")] if clustered else indexes,
    )
    for definition in (
        index("d desc", "c", include=("b",)),
        index("b", predicate="row[3] is not None and row[3] > 2"),
        index("row[1]*2"),
        index("c", include=("a",), unique=True, predicate="row[0] == 3"),
    ):
        transaction = await cluster.manager.begin()
        table = transaction.catalog.table(["public"], "t")
        if definition.columns[0].expression:
            # NULL in, NULL out.
            definition = index("row[1]and(row[1]*2)")
        await create_index(transaction, table, definition)
        await transaction.commit()
    return await current_table(cluster)


ROWS = st.tuples(
    st.integers(0, 5),
    st.none() | st.integers(0, 4),
    st.none() | st.sampled_from(["p", "q", LONG, LONG + "y"]),
    st.none() | st.integers(0, 4),
).map(list)
OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["insert", "update", "delete"]), st.lists(ROWS, max_size=3), st.booleans()
    ),
    max_size=12,
)


def violations(rows: list[list[Any]]) -> bool:
    """Whether these rows break a unique constraint of the rich table."""
    a = [row[0] for row in rows]
    b = [row[1] for row in rows if row[1] is not None]
    cd = [(row[2], row[3]) for row in rows]
    partial = [row[2] for row in rows if row[0] == 3 and row[2] is not None]
    return any(len(values) != len(set(values)) for values in (a, b, cd, partial))


@settings(max_examples=120, deadline=None)
@given(operations=OPERATIONS)
def test_indexes_follow_the_rows(operations: list[tuple[str, list[list[Any]], bool]]) -> None:
    async def run() -> None:
        cluster = new_cluster()
        table = await rich_table(cluster)
        model: dict[int, list[Any]] = {}
        transaction = await cluster.manager.begin()
        staged = dict(model)
        for kind, rows, commits in operations:
            transaction.begin_statement()
            writer = RowWriter(transaction, table)
            keys = transaction.manager.table_keys(table)
            if kind == "insert":
                after = list(staged.values()) + rows
            elif kind == "delete":
                gone = {row[0] for row in rows} & set(staged)
                after = [row for a, row in staged.items() if a not in gone]
            else:
                # Rows with equal first columns become the given ones, keys included.
                changes = {row[0]: [(row[0] + 1) % 6, *row[1:]] for row in rows if row[0] in staged}
                after = [changes.get(a, row) for a, row in staged.items()]
            transaction.savepoint("statement")
            try:
                if kind == "insert":
                    await writer.insert(rows)
                elif kind == "delete":
                    await writer.delete([(keys.row_key(staged[a]), staged[a]) for a in gone])
                else:
                    await writer.update(
                        [
                            RowChange(keys.row_key(staged[a]), staged[a], new)
                            for a, new in changes.items()
                        ]
                    )
            except SqlError as error:
                assert error.sqlstate == "23505"
                assert violations(after)
                transaction.rollback_to("statement")
            else:
                assert not violations(after)
                staged = {row[0]: row for row in after}
            transaction.release("statement")
            if commits:
                await transaction.commit()
                model = dict(staged)
                check_indexes(cluster, table)
                assert sorted(stored_rows(cluster, table).values(), key=lambda row: row[0]) == [
                    model[a] for a in sorted(model)
                ]
                transaction = await cluster.manager.begin()

    asyncio.run(run())


async def insert(cluster: FakeCluster, table: Table, *rows: list[Any]) -> list[bytes]:
    transaction = await cluster.manager.begin()
    keys = await RowWriter(transaction, table).insert(rows)
    await transaction.commit()
    return keys


async def test_duplicate_key_error_reads_like_postgresql() -> None:
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", "b text", indexes=[primary("a"), unique("b")])
    await insert(cluster, table, [1, "x"])
    transaction = await cluster.manager.begin()
    with pytest.raises(SqlError) as raised:
        await RowWriter(transaction, table).insert([[2, "y"], [1, "z"]])
    error = raised.value
    assert error.sqlstate == "23505"
    assert error.message == 'duplicate key value violates unique constraint "t_pkey"'
    assert error.detail == "Key (a)=(1) already exists."
    assert (error.schema, error.table, error.constraint) == ("public", "t", "t_pkey")
    with pytest.raises(SqlError) as raised:
        await RowWriter(transaction, table).insert([[2, "y"], [3, "y"]])
    assert raised.value.detail == "Key (b)=(y) already exists."
    assert raised.value.constraint == "t_b_key"


async def test_unique_checks_of_many_rows_are_one_read() -> None:
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", "b int", indexes=[primary("a"), unique("b")])
    transaction = await cluster.manager.begin()
    before = cluster.reads.gets
    await RowWriter(transaction, table).insert([[n, n] for n in range(500)])
    assert cluster.reads.gets == before + 1


async def test_values_are_passed_on_and_exchanged() -> None:
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", "b int", indexes=[primary("a"), unique("b")])
    keys = await insert(cluster, table, [1, 10], [2, 20], [3, 30])
    transaction = await cluster.manager.begin()
    await RowWriter(transaction, table).update(
        [
            RowChange(keys[0], [1, 10], [2, 20]),
            RowChange(keys[1], [2, 20], [3, 10]),
            RowChange(keys[2], [3, 30], [4, 30]),
        ]
    )
    await transaction.commit()
    check_indexes(cluster, table)
    assert sorted(stored_rows(cluster, table).values()) == [[2, 20], [3, 10], [4, 30]]


async def test_modes() -> None:
    cluster = new_cluster()
    table = await rich_table(cluster)
    (key,) = await insert(cluster, table, [1, 1, "p", 1])

    async def modes(old: list[Any], new: list[Any]) -> dict[int, int]:
        transaction = await cluster.manager.begin()
        await RowWriter(transaction, table).update([RowChange(key, old, new)])
        write_set = WriteSet.FromString(transaction.commit_request().write_set)
        return {int.from_bytes(write.key[4:8], "big"): write.mode for write in write_set.writes}

    by_name = {part.name: part.id for part in table.indexes}
    # No key of a unique index: UPDATE. Included columns travel with the entries.
    await insert(cluster, table, [2, 2, None, 2])
    plain = await modes([1, 1, "p", 1], [1, 1, "p", 1])
    assert plain == {0: MODE_UPDATE}
    # Key of a unique index: the row EXCLUSIVE, its entries EXCLUSIVE, others blind.
    changed = await modes([1, 1, "p", 1], [1, 4, "p", 1])
    assert changed[0] == MODE_EXCLUSIVE
    assert changed[by_name["t_b_key"]] == MODE_EXCLUSIVE
    assert changed[by_name["t_d_c_idx"]] == MODE_BLIND


async def test_update_of_other_columns_does_not_conflict_with_key_share() -> None:
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", "b int", indexes=[primary("a")])
    (key,) = await insert(cluster, table, [1, 1])
    holder, updater = await cluster.manager.begin(), await cluster.manager.begin()
    holder.lock(key, 3)
    await RowWriter(updater, table).update([RowChange(key, [1, 1], [1, 2])])
    await holder.commit()
    await updater.commit()


async def test_find_conflicts() -> None:
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", "b int", indexes=[primary("a"), unique("b")])
    keys = await insert(cluster, table, [1, 10], [2, 20])
    transaction = await cluster.manager.begin()
    writer = RowWriter(transaction, table)
    found = await writer.find_conflicts([[1, 99], [5, 20], [6, 60], [6, 61], [7, 99]])
    assert [None if c is None else (c.index.name, c.row_key, c.earlier) for c in found] == [
        ("t_pkey", keys[0], -1),
        ("t_b_key", keys[1], -1),
        None,
        ("t_pkey", b"", 2),
        None,
    ]
    only_b = [part for part in table.indexes if part.name == "t_b_key"]
    found = await writer.find_conflicts([[1, 99]], only_b)
    assert found == [None]


async def test_hidden_row_ids_keep_the_order_of_insertion() -> None:
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", indexes=[unique("a")])
    for start in (50, 0):
        await insert(cluster, table, *[[start + n] for n in range(10)])
        cluster.clock.skew_us += 2_000
    rows = list(stored_rows(cluster, table).values())
    assert rows == [[50 + n] for n in range(10)] + [[n] for n in range(10)]
    check_indexes(cluster, table)
    transaction = await cluster.manager.begin()
    keys = list(stored_rows(cluster, table))
    await RowWriter(transaction, table).update([RowChange(keys[0], [50], [51])]) if False else None
    await RowWriter(transaction, table).delete([(keys[0], [50])])
    await RowWriter(transaction, table).update([RowChange(keys[1], [51], [50])])
    await transaction.commit()
    check_indexes(cluster, table)


async def test_sizes() -> None:
    cluster = new_cluster(key_bytes=100, value_bytes=1000)
    table = await make_table(
        cluster, "t", "a text", "b text", "c text", indexes=[primary("a"), unique("b")]
    )
    transaction = await cluster.manager.begin()
    writer = RowWriter(transaction, table)
    for row in (["x" * 101, "", ""], ["", "x" * 101, ""]):
        with pytest.raises(SqlError) as raised:
            await writer.insert([row])
        assert (raised.value.sqlstate, raised.value.message) == ("54000", "key size too large")
    with pytest.raises(SqlError) as raised:
        await writer.insert([["", "", "ä" * 501]])
    assert (raised.value.sqlstate, raised.value.message) == (
        "54000",
        "maximum column size exceeded",
    )
    await writer.insert([["a", "b", "ä" * 500]])


async def test_a_table_dropped_meanwhile_is_oc001() -> None:
    from trilithon.query.catalog.ddl import drop_tables

    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", indexes=[primary("a")])
    writer = await cluster.manager.begin()
    await RowWriter(writer, table).insert([[1]])
    dropper = await cluster.manager.begin()
    drop_tables(dropper, [table])
    await dropper.commit()
    with pytest.raises(SqlError) as raised:
        await writer.commit()
    assert raised.value.sqlstate == "40001"
    assert "OC001" in raised.value.message
    assert raised.value.detail == 'table "t"'


async def test_a_conflict_names_table_and_key() -> None:
    cluster = new_cluster()
    table = await make_table(
        cluster, "accounts", "id int", "b text", indexes=[primary("id"), unique("b")]
    )
    one, two, three = [await cluster.manager.begin() for _ in range(3)]
    await RowWriter(one, table).insert([[7, "x"]])
    await RowWriter(two, table).insert([[7, "y"]])
    await RowWriter(three, table).insert([[8, "x"]])
    await one.commit()
    with pytest.raises(SqlError) as raised:
        await two.commit()
    assert raised.value.detail == 'table "accounts", key (id)=(7)'
    assert raised.value.table == "accounts"
    with pytest.raises(SqlError) as raised:
        await three.commit()
    assert raised.value.detail == 'table "accounts", key (b)=(x)'


async def test_padding() -> None:
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", indexes=[primary("a")])
    await insert(cluster, table, [1])
    assert row_range(table)[0] < row_range(table)[1]
