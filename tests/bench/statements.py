"""Five statements, one client, one at a time, on both systems in turns: medians of their latencies."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import psycopg

ROWS: Final = 100_000
CATEGORIES: Final = 1_000
ORDERS: Final = 1_000
INSERTED: Final = 1_000
# What one way of running a statement is measured with at the least.
RUNS_MIN: Final = 5

TABLES: Final = f"""
drop table if exists bench_orders, bench_items, bench_customers, bench_inserted;
create table bench_items (id int primary key, category int, price numeric, name text);
create table bench_customers (id int primary key, name text);
create table bench_orders (id int primary key, item int, customer int, amount int);
create table bench_inserted (id bigint primary key, a int, b text);
insert into bench_items select g, g % {CATEGORIES}, g * 0.25, 'item ' || g
    from generate_series(1, {ROWS}) g;
insert into bench_customers select g, 'customer ' || g from generate_series(1, {ORDERS}) g;
insert into bench_orders select g, g * 97 % {ROWS} + 1, g * 31 % {ORDERS} + 1, g % 10
    from generate_series(1, {ORDERS}) g;
create index bench_items_category on bench_items (category);
analyze
"""

# One statement's execution: (cursor, a number that grows) → the number of rows it gave or changed.
Run = Callable[[psycopg.Cursor[Any], int], int]


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    rows: int
    run: Run


def _query(text: str, parameter: Callable[[int], tuple[Any, ...]]) -> Run:
    def run(cursor: psycopg.Cursor[Any], number: int) -> int:
        return len(cursor.execute(text, parameter(number), prepare=True).fetchall())

    return run


def _insert(cursor: psycopg.Cursor[Any], number: int) -> int:
    first = number * INSERTED
    cursor.execute(
        "insert into bench_inserted select g, g %% 100, 'row ' || g from generate_series("
        "%s::bigint, %s) g",
        (first, first + INSERTED - 1),
        prepare=True,
    )
    return cursor.rowcount


CASES: Final = (
    Case(
        "point select",
        1,
        _query("select * from bench_items where id = %s", lambda n: (n * 7919 % ROWS + 1,)),
    ),
    Case(
        "100 rows by a secondary index",
        ROWS // CATEGORIES,
        _query("select * from bench_items where category = %s", lambda n: (n * 7919 % CATEGORIES,)),
    ),
    Case(
        "join of three tables, 1,000 rows",
        ORDERS,
        _query(
            "select o.id, i.name, c.name, o.amount * i.price from bench_orders o"
            " join bench_items i on i.id = o.item join bench_customers c on c.id = o.customer",
            lambda n: (),
        ),
    ),
    Case(
        "aggregate over 100,000 rows",
        10,
        _query(
            "select category %% 10, count(*), sum(price), max(name) from bench_items group by 1",
            lambda n: (),
        ),
    ),
    Case("insert of 1,000 rows", INSERTED, _insert),
)


@dataclass(frozen=True, slots=True)
class Result:
    """Medians in milliseconds; `peer_ms` None without a peer."""

    name: str
    ours_ms: float
    peer_ms: float | None
    runs: int


def prepare(host: str, port: int) -> psycopg.Connection[Any]:
    """A connection to a system that has the tables."""
    connection = psycopg.connect(
        host=host, port=port, user="admin", dbname="postgres", autocommit=True, sslmode="prefer"
    )
    for statement in TABLES.split(";"):
        connection.execute(statement)
    return connection


def measure(connections: list[psycopg.Connection[Any]], seconds: float) -> Iterator[Result]:
    """Each case on every connection in turns, for about so long each."""
    for case in CASES:
        times: list[list[float]] = [[] for _ in connections]
        number = 0
        until = time.monotonic() + seconds * len(connections)
        while number < RUNS_MIN + 1 or time.monotonic() < until:
            for position, connection in enumerate(connections):
                with connection.cursor() as cursor:
                    began = time.perf_counter()
                    count = case.run(cursor, number)
                    took = time.perf_counter() - began
                if count != case.rows:
                    raise RuntimeError(f"{case.name}: {count} rows, not {case.rows}")
                if number:  # the first one plans
                    times[position].append(took * 1e3)
            number += 1
        medians = [statistics.median(one) for one in times]
        yield Result(case.name, medians[0], medians[1] if len(medians) > 1 else None, len(times[0]))
