"""Sequences: unique values whoever asks, PostgreSQL's bounds and words."""

import asyncio

import pytest
from catalog_helpers import catalog, make_table, new_cluster
from fake_cluster import FakeCluster

from trilithon.core.errors import SqlError
from trilithon.query.catalog import ddl
from trilithon.query.catalog.definitions import Sequence, SequenceDefinition
from trilithon.types.registry import INT2, INT8, TEXT, TypeRef


async def make(
    cluster: FakeCluster, name: str = "s", type: TypeRef = INT8, **fields: object
) -> Sequence:
    transaction = await cluster.manager.begin()
    sequence = await ddl.create_sequence(
        transaction,
        SequenceDefinition("public", name, type, **fields),  # type: ignore[arg-type]
    )
    await transaction.commit()
    assert sequence is not None
    return sequence


async def test_values_are_unique_across_sessions_and_processes() -> None:
    cluster = new_cluster()
    sequence = await make(cluster)
    managers = [cluster.manager, cluster.new_manager(), cluster.new_manager()]

    async def session(manager: object, count: int) -> list[int]:
        transaction = await manager.begin()  # type: ignore[attr-defined]
        found = transaction.catalog.find_sequence(["public"], "s")
        values = [await manager.sequences.nextval(transaction, found) for _ in range(count)]  # type: ignore[attr-defined]
        assert values == sorted(values)
        return values

    taken = await asyncio.gather(*[session(manager, 7) for manager in managers for _ in range(10)])
    values = [value for part in taken for value in part]
    assert len(values) == len(set(values)) == 210
    # With CACHE 1 nothing is lost while nobody stops asking.
    assert max(values) <= 230
    assert sequence.start == 1


async def test_a_block_is_one_transaction() -> None:
    cluster = new_cluster()
    sequence = await make(cluster, cache=100)
    transaction = await cluster.manager.begin()
    before = cluster.store.commits_judged
    values = [await cluster.manager.sequences.nextval(transaction, sequence) for _ in range(100)]
    assert values == list(range(1, 101))
    assert cluster.store.commits_judged == before + 1
    many = await cluster.manager.sequences.nextvals(transaction, sequence, 2500)
    assert list(many) == list(range(101, 2601))


async def test_a_sequence_of_the_own_transaction() -> None:
    cluster = new_cluster()
    transaction = await cluster.manager.begin()
    sequence = await ddl.create_sequence(transaction, SequenceDefinition("public", "s", INT8))
    assert sequence is not None
    values = cluster.manager.sequences
    transaction.savepoint("x")
    assert [await values.nextval(transaction, sequence) for _ in range(3)] == [1, 2, 3]
    transaction.rollback_to("x")
    assert await values.nextval(transaction, sequence) == 1
    await transaction.commit()
    transaction = await cluster.manager.begin()
    assert await values.nextval(transaction, sequence) == 2


async def test_bounds_cycles_and_directions() -> None:
    cluster = new_cluster()
    values = cluster.manager.sequences
    short = await make(cluster, "short", minimum=1, maximum=3)
    transaction = await cluster.manager.begin()
    assert [await values.nextval(transaction, short) for _ in range(3)] == [1, 2, 3]
    for _ in range(2):
        with pytest.raises(SqlError) as raised:
            await values.nextval(transaction, short)
        assert raised.value.sqlstate == "2200H"
        assert raised.value.message == 'nextval: reached maximum value of sequence "short" (3)'
    cycling = await make(cluster, "cycling", minimum=1, maximum=3, cycle=True, cache=2)
    transaction = await cluster.manager.begin()
    assert [await values.nextval(transaction, cycling) for _ in range(7)] == [1, 2, 3, 1, 2, 3, 1]
    down = await make(cluster, "down", type=INT2, increment=-2)
    assert (down.start, down.minimum, down.maximum) == (-1, -32768, -1)
    transaction = await cluster.manager.begin()
    assert [await values.nextval(transaction, down) for _ in range(3)] == [-1, -3, -5]


async def test_setval() -> None:
    cluster = new_cluster()
    values = cluster.manager.sequences
    sequence = await make(cluster, cache=10)
    transaction = await cluster.manager.begin()
    assert await values.nextval(transaction, sequence) == 1
    await values.setval(transaction, sequence, 50)
    assert await values.nextval(transaction, sequence) == 51
    await values.setval(transaction, sequence, 7, is_called=False)
    assert await values.nextval(transaction, sequence) == 7
    with pytest.raises(SqlError, match="22003"):
        await values.setval(transaction, sequence, 0)
    # Not undone.
    transaction.rollback()
    transaction = await cluster.manager.begin()
    assert await values.nextval(transaction, sequence) == 8
    reader = await cluster.manager.begin(read_only=True)
    with pytest.raises(SqlError, match=r"25006: cannot execute nextval\(\)"):
        await values.nextval(reader, sequence)


async def test_a_dropped_sequence_gives_no_values() -> None:
    cluster = new_cluster()
    sequence = await make(cluster)
    other = cluster.new_manager()
    old = await other.begin()
    transaction = await cluster.manager.begin()
    ddl.drop_sequence(transaction, sequence)
    await transaction.commit()
    # Whoever began before may try again, and finds that it is not there.
    with pytest.raises(SqlError, match=r"40001.*OC001"):
        await other.sequences.nextval(old, sequence)
    assert not (await catalog(cluster)).sequences


async def test_a_restart_is_transactional() -> None:
    cluster = new_cluster()
    values = cluster.manager.sequences
    sequence = await make(cluster)
    transaction = await cluster.manager.begin()
    assert await values.nextval(transaction, sequence) == 1
    restart = await cluster.manager.begin()
    ddl.restart_sequence(restart, sequence, 100)
    assert await values.nextval(transaction, sequence) == 2
    with pytest.raises(SqlError, match="40001"):
        await restart.commit()
    restart = await cluster.manager.begin()
    ddl.restart_sequence(restart, sequence, 100)
    assert await values.nextval(restart, sequence) == 100
    await restart.commit()
    assert await values.nextval(await cluster.manager.begin(), sequence) == 101


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"increment": 0}, "INCREMENT must not be zero"),
        ({"cache": 0}, "CACHE (0) must be greater than zero"),
        ({"minimum": 5, "maximum": 5}, "MINVALUE (5) must be less than MAXVALUE (5)"),
        ({"start": 0}, "START value (0) cannot be less than MINVALUE (1)"),
        ({"start": 9, "maximum": 8}, "START value (9) cannot be greater than MAXVALUE (8)"),
        (
            {"type": INT2, "maximum": 40000},
            "MAXVALUE (40000) is out of range for sequence data type smallint",
        ),
        ({"type": TEXT}, "sequence type must be smallint, integer, or bigint"),
    ],
)
async def test_definitions_are_checked(fields: dict[str, object], message: str) -> None:
    cluster = new_cluster()
    with pytest.raises(SqlError) as raised:
        await make(cluster, **fields)  # type: ignore[arg-type]
    assert (raised.value.sqlstate, raised.value.message) == ("22023", message)


async def test_sequences_share_their_names_with_tables() -> None:
    cluster = new_cluster()
    await make_table(cluster, "t", "a int")
    with pytest.raises(SqlError, match='42P07: relation "t" already exists'):
        await make(cluster, "t")
    await make(cluster, "s")
    transaction = await cluster.manager.begin()
    again = SequenceDefinition("public", "s", INT8)
    assert await ddl.create_sequence(transaction, again, if_not_exists=True) is None
