"""A default and the sequence that it names, between concurrent transactions."""

from __future__ import annotations

import pytest
from engine_bench import Bench

from trilithon.core.errors import SqlError

NAMED = (
    "alter table t alter n set default nextval('s')",
    "alter table t add column m int default nextval('s')",
    "create table u (n int default nextval('s'))",
    "create domain d as int default nextval('s')",
)


@pytest.mark.parametrize("drop_first", [False, True])
@pytest.mark.parametrize("sql", NAMED)
async def test_a_sequence_goes_while_a_default_comes(sql: str, drop_first: bool) -> None:
    bench = Bench()
    await bench.run("create sequence s")
    await bench.run("create table t (id int, n int)")
    sides = []
    for one in (sql, "drop sequence s"):
        await bench.begin()
        await bench.run(one)
        sides.append(bench.transaction)
        bench.transaction = None
    first, second = reversed(sides) if drop_first else sides
    await first.commit()
    with pytest.raises(SqlError) as caught:
        await second.commit()
    assert caught.value.sqlstate == "40001"
