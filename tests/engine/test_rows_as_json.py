"""Whole rows as JSON: what differs from PostgreSQL is refused."""

from __future__ import annotations

import pytest
from engine_bench import Bench

from trilithon.core.errors import SqlError


async def test_rows_that_an_outer_join_makes_up_are_refused() -> None:
    bench = Bench()
    await bench.run("create table a (id int primary key)")
    await bench.run("insert into a values (1)")
    assert await bench.rows("select row_to_json(a) from a") == [('{"id":1}',)]
    for sql in (
        "select row_to_json(b) from a left join a b on b.id = a.id + 1",
        "select json_agg(b) from a left join a b on b.id = a.id + 1",
        "select a from a",
        "select to_jsonb(array[row(1)])",
    ):
        with pytest.raises(SqlError) as caught:
            await bench.run(sql)
        assert caught.value.sqlstate == "0A000", sql
