"""Statements over a Region whose rows are spread over several storage processes: answers, and EXPLAIN ANALYZE's
counts of what each process was asked, read and returned."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from harness import Cluster

import trilithon.client

pytestmark = pytest.mark.timeout(240)

ROWS = 600
PROCESSES = ["a/storage-0", "a/storage-1"]


@pytest.fixture
def client(new_cluster: Callable[..., Cluster]) -> Iterator[Any]:
    cluster = new_cluster(regions=("a",), storage=2)
    with trilithon.client.connect(cluster.grpc("a")) as client:
        client.execute("CREATE TABLE t (id int PRIMARY KEY, kind int, v int, note text)")
        client.execute("CREATE INDEX t_kind ON t (kind)")
        client.execute(
            "INSERT INTO t SELECT g, g % 6, g % 50, repeat('x', 50) || g"
            f" FROM generate_series(1, {ROWS}) g"
        )
        yield client


def analysed(client: Any, sql: str) -> tuple[dict[str, Any], str]:
    """What storage did for the whole statement, and the plan's nodes."""
    ((text,),) = client.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}").rows
    document = text if isinstance(text, list) else json.loads(text)
    total: dict[str, Any] = {"Rows Read": 0, "Rows Returned": 0, "Bytes": 0, "Processes": {}}
    nodes = []
    stack = [document[0]["Plan"]]
    while stack:
        node = stack.pop()
        nodes.append(node["Node Type"])
        stack += node.get("Plans", [])
        storage = node.get("Storage")
        if storage is not None:
            for name in ("Rows Read", "Rows Returned", "Bytes"):
                total[name] += storage[name]
            for name, times in storage["Processes"].items():
                total["Processes"][name] = total["Processes"].get(name, 0) + times
    return total, " / ".join(nodes)


def test_answers_and_counters(client: Any) -> None:
    def rows(sql: str) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = client.execute(sql).rows
        return [tuple(row) for row in found]

    # A whole table: both are asked, every row is read once and told once.
    sql = "SELECT * FROM t"
    assert len(rows(sql)) == ROWS
    seen, _ = analysed(client, sql)
    assert sorted(seen["Processes"]) == PROCESSES
    assert seen["Rows Read"] == seen["Rows Returned"] == ROWS
    whole = seen["Bytes"]

    # A projection is made in storage: as many rows, fewer bytes.
    seen, _ = analysed(client, "SELECT id FROM t")
    assert seen["Rows Returned"] == ROWS
    assert seen["Bytes"] < whole / 2

    # A filter: read everywhere, only the rows that are kept come.
    sql = "SELECT id FROM t WHERE v = 7"
    assert sorted(rows(sql)) == [(n,) for n in range(7, ROWS + 1, 50)]
    seen, _ = analysed(client, sql)
    assert sorted(seen["Processes"]) == PROCESSES
    assert (seen["Rows Read"], seen["Rows Returned"]) == (ROWS, ROWS // 50)

    # An aggregate: a state for each group and process.
    sql = "SELECT kind, count(*), sum(v), min(id), max(id) FROM t GROUP BY kind ORDER BY kind"
    ids = {kind: [n for n in range(1, ROWS + 1) if n % 6 == kind] for kind in range(6)}
    assert [tuple(map(int, row)) for row in rows(sql)] == [
        (kind, len(of), sum(n % 50 for n in of), of[0], of[-1])
        for kind, of in sorted(ids.items(), key=lambda item: item[0])
        for of in [sorted(of)]
    ]
    seen, _ = analysed(client, sql)
    assert sorted(seen["Processes"]) == PROCESSES
    assert seen["Rows Read"] == ROWS
    assert 6 <= seen["Rows Returned"] <= 12
    assert rows("SELECT count(*) FROM t") == [(ROWS,)]
    seen, _ = analysed(client, "SELECT count(*) FROM t")
    assert seen["Rows Returned"] <= 2

    # A key has one owner.
    seen, _ = analysed(client, "SELECT * FROM t WHERE id = 77")
    assert len(seen["Processes"]) == 1
    assert seen["Rows Returned"] == 1
    sql = f"SELECT id FROM t WHERE id IN ({', '.join(map(str, range(10, ROWS, 15)))})"
    assert sorted(rows(sql)) == [(n,) for n in range(10, ROWS, 15)]
    seen, _ = analysed(client, sql)
    assert sorted(seen["Processes"]) == PROCESSES
    assert seen["Rows Returned"] == 40

    # An order over both: merged, from either end, and read no further than the limit asks of each.
    for direction, expected in (("", range(1, 6)), (" DESC", range(ROWS, ROWS - 5, -1))):
        sql = f"SELECT id FROM t ORDER BY id{direction} LIMIT 5"
        assert rows(sql) == [(n,) for n in expected]
        seen, nodes = analysed(client, sql)
        assert "Sort" not in nodes
        assert seen["Rows Returned"] <= 10
    assert rows("SELECT id FROM t ORDER BY id OFFSET 250 LIMIT 2") == [(251,), (252,)]

    # Two tables in the order of their keys, each from both processes.
    client.execute("CREATE TABLE u (id int PRIMARY KEY, t int)")
    client.execute(f"INSERT INTO u SELECT g, g FROM generate_series(1, {ROWS}) g")
    sql = "SELECT t.id, u.t FROM t JOIN u ON t.id = u.id ORDER BY t.id"
    assert rows(sql) == [(n, n) for n in range(1, ROWS + 1)]
    _, nodes = analysed(client, sql)
    assert "Merge Join" in nodes
