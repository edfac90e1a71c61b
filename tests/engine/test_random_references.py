"""Random schemas of tables that refer to each other (and themselves), random changes: the same rows as on
PostgreSQL after each statement."""

from __future__ import annotations

import asyncio
import random

import psycopg
import pytest
from engine_bench import Bench

from trilithon.core.errors import SqlError

TABLES = ("ra", "rb", "rc")
ACTIONS = ("no action", "restrict", "cascade", "set null", "set default")
VALUES = range(1, 7)


def schema(source: random.Random) -> list[str]:
    statements = []
    for table in TABLES:
        first = f"x int default {source.choice(['1', '2', 'null'])}"
        if source.random() < 0.2:
            first += " not null"
        unique = source.random() < 0.5
        statements.append(
            f"create table {table} (id int primary key, {first}, y int{' unique' if unique else ''},"
            f" z int default 2, unique (id, z))"
        )
        if source.random() < 0.5:
            statements.append(f"create index on {table} ({source.choice(['x', 'y, x', 'x, z'])})")
    for table in TABLES:
        for column in ("x", "z"):
            if source.random() < 0.7:
                parent = source.choice(TABLES)
                statements.append(
                    f"alter table {table} add foreign key ({column}) references {parent} (id)"
                    f" on delete {source.choice(ACTIONS)} on update {source.choice(ACTIONS)}"
                    f"{source.choice(['', '', ' deferrable', ' deferrable initially deferred'])}"
                )
        if source.random() < 0.4:
            parent = source.choice(TABLES)
            full = source.choice(["", " match full"])
            only = source.choice(["", " (x)"])
            statements.append(
                f"alter table {table} add foreign key (x, z) references {parent} (id, z){full}"
                f" on delete set null{only} on update {source.choice(ACTIONS)}"
            )
    return statements


def change(source: random.Random) -> str:
    table = source.choice(TABLES)

    def value() -> str:
        return "null" if source.random() < 0.2 else str(source.choice(VALUES))

    kind = source.random()
    if kind < 0.5:
        rows = ", ".join(
            f"({source.choice(VALUES)}, {value()}, {value()}, {value()})"
            for _ in range(source.choice([1, 1, 2]))
        )
        return f"insert into {table} values {rows}"
    if kind < 0.62:
        return f"insert into {table} (id) values ({source.choice(VALUES)})"
    if kind < 0.75:
        return f"update {table} set id = {source.choice(VALUES)} where id = {source.choice(VALUES)}"
    if kind < 0.88:
        column = source.choice("xyz")
        return f"update {table} set {column} = {value()} where id = {source.choice(VALUES)}"
    if kind < 0.97:
        return f"delete from {table} where id = {source.choice(VALUES)}"
    return f"delete from {table} where id > {source.choice(VALUES)}"


@pytest.mark.parametrize("seed", range(10))
def test_random_references(seed: int, postgresql: str) -> None:
    source = random.Random(seed)
    log: list[str] = []

    async def run() -> None:
        bench = Bench()
        for sql in schema(source):
            log.append(sql)
            await bench.run(sql)
            connection.execute(sql)
        for _ in range(120):
            sql = change(source)
            log.append(sql)
            ours = theirs = ""
            try:
                await bench.run(sql)
            except SqlError as error:
                ours = error.sqlstate
            try:
                connection.execute(sql)
            except psycopg.Error as error:
                theirs = error.sqlstate or ""
            # Which of several violations is met first is nobody's promise.
            assert ours[:2] == theirs[:2], (ours, theirs, "; ".join(log))
            for table in TABLES:
                mine = sorted((await bench.run(f"select * from {table}")).values, key=repr)
                other = sorted(connection.execute(f"select * from {table}").fetchall(), key=repr)
                assert mine == other, (table, mine, other, "; ".join(log))

    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute(f"drop schema if exists random_references_{seed} cascade")
        connection.execute(f"create schema random_references_{seed}")
        connection.execute(f"set search_path to random_references_{seed}")
        asyncio.run(run())
        connection.execute(f"drop schema random_references_{seed} cascade")
