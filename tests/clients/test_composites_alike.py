"""Composite types in drivers, on PostgreSQL and here: psycopg's CompositeInfo, asyncpg's introspection."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import psycopg
from both_systems import Systems
from psycopg.types.composite import CompositeInfo, register_composite

SCHEMA = """create type spot as (x int, note text, at date);
create type pair_of as (a spot, rest spot[]);
create table spots (id int primary key, s spot, p pair_of, all_of spot[]);
"""
VALUES = (
    '(1,"a b",2024-01-02)',
    "(,,)",
    '(3,"q""(,\\\\",)',
)


def _with_psycopg(connection: psycopg.Connection[Any]) -> list[Any]:
    connection.execute(SCHEMA)
    for name in ("spot", "pair_of"):
        info = CompositeInfo.fetch(connection, name)
        assert info is not None
        register_composite(info, connection)
    spot = CompositeInfo.fetch(connection, "spot")
    assert spot is not None
    found: list[Any] = [spot.field_names, spot.python_type is None]
    for binary in (False, True):
        cursor = connection.cursor(binary=binary)
        for text in VALUES:
            (value,) = cursor.execute("select %s::spot", [text]).fetchone() or ()
            found.append(tuple(value))
            row = cursor.execute("select %s::spot, row(%s::spot)", [value, text]).fetchone()
            found.append([tuple(part) for part in row or ()])
        connection.execute("delete from spots")
        cursor.execute(
            "insert into spots values (1, %s, %s, %s)", [value, (value, [value]), [value]]
        )
        found.append(cursor.execute("select * from spots").fetchall())
    return found


def test_psycopg_knows_composite_types(systems: Systems) -> None:
    answers = []
    for port, database in systems.both:
        with psycopg.connect(
            host="127.0.0.1", port=port, dbname=database, user="admin", autocommit=True
        ) as connection:
            answers.append(_with_psycopg(connection))
            connection.execute("drop table spots; drop type pair_of; drop type spot")
    assert answers[0] == answers[1]


async def _with_asyncpg(port: int, database: str) -> list[Any]:
    connection = await asyncpg.connect(host="127.0.0.1", port=port, database=database, user="admin")
    try:
        await connection.execute(SCHEMA)
        found: list[Any] = []
        for text in VALUES:
            value = await connection.fetchval("select $1::text::spot", text)
            found.append(tuple(value))
            found.append(tuple(await connection.fetchval("select $1::spot", tuple(value))))
            insert = "insert into spots (id, s) values ($1, $2)"
            await connection.execute(insert, len(found), value)
        await connection.execute("update spots set all_of = array[s, null], p.rest[2] = s")
        rows = await connection.fetch("select * from spots order by id")
        found += [tuple(row.values()) for row in rows]
        found.append(await connection.fetchval("select s from spots s where id = 2"))
        await connection.execute("drop table spots; drop type pair_of; drop type spot")
        return found
    finally:
        await connection.close()


def test_asyncpg_knows_composite_types(systems: Systems) -> None:
    mine, other = (asyncio.run(_with_asyncpg(port, name)) for port, name in systems.both)
    assert mine == other
