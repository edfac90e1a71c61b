"""Views that were stored before they kept their sources' ids still work, and forbid what would break them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from engine_bench import Bench

from trilithon.core.errors import SqlError
from trilithon.query.catalog.changes import put_object
from trilithon.query.catalog.definitions import View


async def test_an_older_view_finds_its_table_by_name() -> None:
    bench = Bench()
    await bench.run("create table t (a int primary key)")
    await bench.run("create view v as select a from t")
    await bench.begin()
    assert bench.transaction is not None
    view = bench.transaction.catalog.relation(("public",), "v")
    assert isinstance(view, View)
    assert view.sources
    put_object(bench.transaction, replace(view, sources=(), version=view.version + 1))
    await bench.run("insert into v values (1)")
    assert await bench.rows("select * from v") == [("1",)]
    with pytest.raises(SqlError, match="by its name") as caught:
        await bench.run("alter table t rename to u")
    assert caught.value.sqlstate == "0A000"


async def test_a_plan_over_a_view_notices_a_renamed_table() -> None:
    bench = Bench()
    await bench.run("create table t (a int primary key, b int)")
    await bench.run("insert into t values (1, 2)")
    await bench.run("create view v as select * from t")
    query = "select * from v"
    assert await bench.rows(query) == [("1", "2")]
    await bench.run("alter table t rename to u")
    await bench.run("create table t (a text)")
    assert await bench.rows(query) == [("1", "2")]
    await bench.run("alter table u rename column b to c")
    await bench.run("alter table u add column b int default 9")
    assert await bench.rows(query) == [("1", "2")]
