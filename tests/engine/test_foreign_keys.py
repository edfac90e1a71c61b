"""Foreign keys between concurrent transactions, and what they cost."""

from __future__ import annotations

from typing import Any

import pytest
from engine_bench import Bench
from fake_cluster import FakeReads

from trilithon.core.errors import SqlError


class Side:
    """One of several sessions over the same store."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.transaction: Any = None

    async def begin(self) -> None:
        self.transaction = await self.bench.cluster.manager.begin()

    async def run(self, sql: str) -> list[tuple[str | None, ...]]:
        self.bench.transaction = self.transaction
        try:
            return (await self.bench.run(sql)).rows
        finally:
            self.bench.transaction = None

    async def commit(self) -> str:
        """The SQLSTATE; empty: committed."""
        try:
            await self.transaction.commit()
        except SqlError as error:
            return error.sqlstate
        return ""


SCHEMAS = {
    "primary key": "create table p (id int primary key, code text unique, n int);"
    "create table c (id int primary key, pid int references p, note text)",
    "unique": "create table p (x serial primary key, id int unique, code text, n int);"
    "create table c (id int primary key, pid int references p (id), note text)",
    "unique index": "create table p (id int, code text, n int);"
    "create unique index on p (id desc) include (n);"
    "create table c (id int primary key, pid int references p (id), note text)",
    "numeric": "create table p (id numeric primary key, code text unique, n int);"
    "create table c (id int primary key, pid int references p, note text)",
    "deferred": "create table p (id int primary key, code text unique, n int);"
    "create table c (id int primary key, pid int references p deferrable initially deferred,"
    " note text)",
}
PARENT_GOES = {
    "delete": "delete from p where id = 1",
    "update": "update p set id = 7 where id = 1",
    "cascade": "delete from p where id = 1",
}
CHILD_COMES = {
    "insert": "insert into c values (10, 1, 'new')",
    "update": "update c set pid = 1 where id = 2",
}


async def two_sides(schema: str, action: str = "") -> tuple[Bench, Side, Side]:
    bench = Bench()
    await bench.run(SCHEMAS[schema].replace("references p", "references p", 1))
    if action == "cascade":
        await bench.run("alter table c drop constraint c_pid_fkey")
        await bench.run("alter table c add foreign key (pid) references p (id) on delete cascade")
    await bench.run("insert into p (id, code, n) values (1, 'a', 0), (2, 'b', 0)")
    await bench.run("insert into c values (2, 2, 'old')")
    one, two = Side(bench), Side(bench)
    await one.begin()
    await two.begin()
    return bench, one, two


@pytest.mark.parametrize("child_first", [True, False])
@pytest.mark.parametrize("child", CHILD_COMES)
@pytest.mark.parametrize("parent", PARENT_GOES)
@pytest.mark.parametrize("schema", SCHEMAS)
async def test_a_parent_never_leaves_a_child_behind(
    schema: str, parent: str, child: str, child_first: bool
) -> None:
    """Both saw a snapshot in which the other had done nothing; only one of them may commit."""
    bench, deleter, writer = await two_sides(schema, parent)
    await deleter.run(PARENT_GOES[parent])
    await writer.run(CHILD_COMES[child])
    first, second = (writer, deleter) if child_first else (deleter, writer)
    assert await first.commit() == ""
    assert await second.commit() == "40001"
    orphans = await bench.rows(
        "select c.* from c left join p on p.id = c.pid where c.pid is not null and p.id is null"
    )
    assert orphans == []


@pytest.mark.parametrize("child_first", [True, False])
@pytest.mark.parametrize("schema", SCHEMAS)
async def test_other_columns_of_the_parent_are_nobodys_matter(
    schema: str, child_first: bool
) -> None:
    _, updater, writer = await two_sides(schema)
    await updater.run("update p set n = n + 1 where id = 1")
    await writer.run(CHILD_COMES["insert"])
    first, second = (writer, updater) if child_first else (updater, writer)
    assert await first.commit() == ""
    assert await second.commit() == ""


async def test_children_of_one_parent_do_not_disturb_each_other() -> None:
    bench, one, two = await two_sides("primary key")
    await one.run("insert into c values (10, 1, 'one')")
    await two.run("insert into c values (11, 1, 'two')")
    assert [await one.commit(), await two.commit()] == ["", ""]
    assert await bench.rows("select count(*) from c where pid = 1") == [("2",)]


@pytest.mark.parametrize("ddl_first", [True, False])
async def test_a_new_constraint_and_a_writer_who_does_not_know_it(ddl_first: bool) -> None:
    for sql in ("insert into c values (5, 9)", "delete from p where id = 1"):
        bench = Bench()
        await bench.run("create table p (id int primary key); create table c (id int, pid int)")
        await bench.run("insert into p values (1); insert into c values (1, 1)")
        definer, writer = Side(bench), Side(bench)
        await definer.begin()
        await writer.begin()
        await definer.run("alter table c add foreign key (pid) references p")
        await writer.run(sql)
        first, second = (definer, writer) if ddl_first else (writer, definer)
        assert await first.commit() == ""
        assert await second.commit() == "40001"


@pytest.mark.parametrize("cascade_first", [True, False])
async def test_an_action_and_a_change_of_the_same_child(cascade_first: bool) -> None:
    bench, deleter, writer = await two_sides("primary key", "cascade")
    await deleter.run("delete from p where id = 2")
    await writer.run("update c set note = 'changed' where id = 2")
    first, second = (deleter, writer) if cascade_first else (writer, deleter)
    assert await first.commit() == ""
    assert await second.commit() == "40001"
    rows = await bench.rows("select note from c")
    assert rows == ([] if cascade_first else [("changed",)])


async def test_a_truncated_parent() -> None:
    for first_is_truncate in (True, False):
        bench, truncater, writer = await two_sides("primary key")
        await truncater.run("truncate p, c")
        await writer.run(CHILD_COMES["insert"])
        first, second = (truncater, writer) if first_is_truncate else (writer, truncater)
        assert await first.commit() == ""
        if first_is_truncate:
            assert await second.commit() == "40001"
        else:
            # Emptying both leaves nothing behind, whatever came before.
            await second.commit()
        left = await bench.rows("select 1 from c left join p on p.id = c.pid where p.id is null")
        assert left == []


async def counted(bench: Bench, sql: str) -> FakeReads:
    bench.cluster.reads.gets = bench.cluster.reads.keys_asked = 0
    await bench.run(sql)
    return bench.cluster.reads


async def test_one_read_for_all_rows_of_a_statement() -> None:
    bench = Bench()
    await bench.run(
        "create table p (id int primary key); insert into p select generate_series(1, 50)"
    )
    await bench.run("create table c (id int primary key, a int references p, b int references p)")
    reads = await counted(
        bench, "insert into c select g, g % 50 + 1, 7 from generate_series(1, 800) g"
    )
    # The free keys of c, then one read for each constraint.
    assert reads.gets == 3
    assert reads.keys_asked == 800 + 50 + 1
    reads = await counted(bench, "update c set a = 3 where id <= 500")
    assert reads.gets == 1
    reads = await counted(bench, "update c set id = id + 1000 where id <= 500")
    assert reads.gets == 1, "the references did not change"


async def test_children_are_found_by_an_index() -> None:
    bench = Bench()
    await bench.run(
        "create table p (id int primary key, x int); insert into p select g, g from generate_series(1, 40) g"
    )
    await bench.run("create table c (id int primary key, pid int references p on delete cascade)")
    await bench.run("create index on c (pid, id)")
    await bench.run("insert into c select g, g % 20 + 1 from generate_series(1, 400) g")
    scanned: list[bytes] = []
    scan = bench.cluster.reads.scan

    def spy(snapshot: int, start: bytes, end: bytes, **more: Any) -> Any:
        scanned.append(start)
        return scan(snapshot, start, end, **more)

    bench.cluster.reads.scan = spy  # type: ignore[method-assign]
    await bench.run("delete from p where id in (1, 2, 30)")
    assert len(scanned) == 3
    assert all(start[4:8] != bytes(4) for start in scanned)
    bench.cluster.reads.scan = scan  # type: ignore[method-assign]
    assert await bench.rows("select count(*) from c") == [("360",)]


async def test_a_chain_as_long_as_a_transaction_allows() -> None:
    bench = Bench()
    await bench.run("create table t (id int primary key, up int references t on delete cascade)")
    await bench.run("create index on t (up)")
    await bench.run("insert into t select g, nullif(g - 1, 0) from generate_series(1, 3000) g")
    assert (await bench.run("delete from t where id = 1")).tag == "DELETE 1"
    assert await bench.rows("select count(*) from t") == [("0",)]


async def test_too_many_children_are_refused() -> None:
    bench = Bench()
    await bench.run("create table p (id int primary key); insert into p values (1)")
    await bench.run("create table c (id int, pid int references p on delete cascade)")
    for start in (0, 2000):
        await bench.run(
            f"insert into c select g, 1 from generate_series({start + 1}, {start + 2000}) g"
        )
    with pytest.raises(SqlError) as caught:
        await bench.run("delete from p")
    assert caught.value.sqlstate == "54000"
    assert await bench.rows("select count(*) from c, p") == [("4000",)]


# ---- deferred constraints


async def deferred() -> Bench:
    bench = Bench()
    await bench.run("create table p (id int primary key)")
    await bench.run("create table c (id int primary key, pid int references p deferrable)")
    await bench.begin()
    return bench


async def test_the_commit_looks_at_what_is_there_then() -> None:
    bench = await deferred()
    await bench.run("set constraints all deferred")
    await bench.run("insert into c values (1, 5), (2, 6), (3, 7)")
    await bench.run("insert into p values (5)")
    await bench.run("delete from c where id = 2")
    await bench.run("update c set pid = 5 where id = 3")
    await bench.commit()
    await bench.begin()
    await bench.run("set constraints c_pid_fkey deferred")
    await bench.run("delete from p")
    await bench.run("insert into p values (5)")
    await bench.commit()
    await bench.begin()
    await bench.run("set constraints c_pid_fkey deferred")
    await bench.run("delete from p")
    with pytest.raises(SqlError) as caught:
        await bench.commit()
    assert caught.value.sqlstate == "23503"
    assert await bench.rows("select * from p") == [("5",)]


async def test_savepoints_bring_back_what_was_to_be_looked_at() -> None:
    bench = await deferred()
    await bench.run("set constraints all deferred")
    await bench.run("insert into c values (1, 5)")
    bench.transaction.savepoint("s")
    await bench.run("insert into p values (5)")
    await bench.run("set constraints all immediate")
    bench.transaction.rollback_to("s")
    # Looked at and found right, but that was undone; and SET CONSTRAINTS with it.
    await bench.run("insert into c values (2, 6)")
    with pytest.raises(SqlError) as caught:
        await bench.commit()
    assert caught.value.sqlstate == "23503"


async def test_what_was_rolled_back_is_not_looked_at() -> None:
    bench = await deferred()
    await bench.run("set constraints all deferred")
    bench.transaction.savepoint("s")
    await bench.run("insert into c values (1, 5)")
    bench.transaction.rollback_to("s")
    await bench.run("insert into p values (1)")
    await bench.commit()


async def test_definitions_wait_for_deferred_constraints() -> None:
    for sql in ("alter table c add x int", "truncate c", "drop table c", "create index on c (pid)"):
        bench = await deferred()
        await bench.run("set constraints all deferred")
        await bench.run("insert into c values (1, 5)")
        with pytest.raises(SqlError) as caught:
            await bench.run(sql)
        assert caught.value.sqlstate == "55006", sql


async def test_actions_of_a_statement_that_moves_keys_around() -> None:
    bench = Bench()
    await bench.run("create table p (id int primary key)")
    await bench.run("create table c (id int primary key, pid int references p on update cascade)")
    await bench.run(
        "insert into p values (1), (2), (3); insert into c select g, g from generate_series(1, 3) g"
    )
    await bench.run("update p set id = id + 1")
    assert await bench.rows("select * from c order by id") == [("1", "2"), ("2", "3"), ("3", "4")]
    await bench.run("update p set id = 6 - id")
    assert await bench.rows("select * from c order by id") == [("1", "4"), ("2", "3"), ("3", "2")]
