"""Enumerated types and domains: what the comparison with PostgreSQL does not see."""

from __future__ import annotations

import pytest
from engine_bench import Bench
from hypothesis import given
from hypothesis import strategies as st

from trilithon.core.errors import SqlError
from trilithon.expression import ir
from trilithon.expression.context import EvalContext
from trilithon.expression.program import Program, compile_bytes
from trilithon.types import binary_io, rows, text_io, user_types
from trilithon.types.keys import (
    column_end,
    decode_columns,
    decodes_exactly,
    encode_columns,
    is_indexable,
)
from trilithon.types.registry import BOOL, USER_ARRAY, TypeRef, array_type, element_type, type_name
from trilithon.types.values import ArrayValue, EnumValue

OID = 900_001
MOOD = TypeRef(OID)


@pytest.fixture(autouse=True)
def mood() -> None:
    user_types.register(user_types.make(OID, "mood", ("sad", "ok", "größe"), (1.0, 2.0, 1.5)))


async def refused(bench: Bench, sql: str, sqlstate: str) -> SqlError:
    with pytest.raises(SqlError) as caught:
        await bench.run(sql)
    assert caught.value.sqlstate == sqlstate, caught.value
    return caught.value


# ---- values


@given(
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=63),
)
def test_labels_are_stored_and_ordered(left: float, right: float, label: str) -> None:
    one, other = EnumValue(left, label), EnumValue(right, label)
    assert rows.decode_row(rows.encode_row([one, None, ArrayValue.of([other])])) == [
        one,
        None,
        ArrayValue.of([other]),
    ]
    keys = [encode_columns((MOOD,), (value,)) for value in (one, other)]
    assert (keys[0] < keys[1]) == (one < other)
    assert (keys[0] == keys[1]) == (left == right)
    assert column_end(keys[0], 0) == len(keys[0])
    assert decode_columns((MOOD,), keys[0])[0].position == left


def test_labels_are_read_and_shown() -> None:
    value = text_io.parse(MOOD, "größe")
    assert value == EnumValue(1.5, "größe")
    assert text_io.render(MOOD, value) == "größe"
    assert binary_io.parse(MOOD, "größe".encode()) == value
    assert binary_io.render(MOOD, value) == "größe".encode()
    array = text_io.parse(array_type(MOOD), '{"größe",NULL,sad}')
    assert text_io.render(array_type(MOOD), array) == "{größe,NULL,sad}"
    assert binary_io.parse(array_type(MOOD), binary_io.render(array_type(MOOD), array)) == array
    for parse in (text_io.parse, binary_io.parse):
        with pytest.raises(SqlError, match="invalid input value for enum mood"):
            parse(MOOD, "bad" if parse is text_io.parse else b"bad")  # type: ignore[operator]


def test_a_process_without_the_catalog_knows_what_matters() -> None:
    """Storage compares labels of types whose names it never heard."""
    unknown = TypeRef(7_000_000)
    assert type_name(unknown) == "???"
    assert array_type(unknown).oid == 7_000_000 | USER_ARRAY
    assert element_type(array_type(unknown)) == unknown
    assert is_indexable(unknown.oid)
    assert not decodes_exactly(unknown)
    assert not decodes_exactly(array_type(unknown))
    test = ir.Call(
        "anyenum < anyenum",
        (ir.Column(0, unknown), ir.Constant(EnumValue(2.0, "b"), unknown)),
        BOOL,
    )
    program = compile_bytes(Program(test, None).to_bytes())
    data = [[EnumValue(1.0, "z")], [EnumValue(2.0, "b")], [None]]
    assert len([row for row in program.run(data, EvalContext()) if row is not None]) == 1


def test_an_older_catalog_takes_no_label_away() -> None:
    user_types.register(user_types.make(OID, "mood", ("sad",), (1.0,)))
    assert text_io.parse(MOOD, "ok").position == 2.0
    user_types.register(
        user_types.make(OID, "mood", ("sad", "ok", "größe", "new"), (1.0, 2.0, 1.5, 3.0))
    )
    assert text_io.parse(MOOD, "new").position == 3.0


# ---- transactions


async def test_a_type_is_used_where_it_is_made() -> None:
    bench = Bench()
    await bench.begin()
    await bench.run("create type m as enum ('a', 'b')")
    await bench.run("create table t (id int primary key, m m)")
    await bench.run("insert into t values (1, 'b')")
    assert await bench.rows("select m from t where m > 'a'") == [("b",)]
    bench.rollback()
    await refused(bench, "select 'a'::m", "42704")


async def test_a_new_label_is_there_after_the_commit() -> None:
    bench = Bench()
    await bench.run("create type fresh as enum ('a')")
    await bench.begin()
    await bench.run("alter type fresh add value 'b'")
    # PostgreSQL's is 55P04; nobody may store a label that might be rolled back.
    await refused(bench, "select 'b'::fresh", "22P02")
    await bench.run("alter type fresh add value 'c'")
    assert await bench.rows("select 'c'::fresh") == [("c",)]


async def test_dropping_a_type_and_using_it_do_not_both_succeed() -> None:
    bench = Bench()
    await bench.run("create type m as enum ('a')")
    await bench.begin()
    await bench.run("create table t (m m)")
    creating, bench.transaction = bench.transaction, None
    await bench.run("drop type m")
    with pytest.raises(SqlError) as caught:
        await creating.commit()
    assert caught.value.sqlstate == "40001"


async def _meets_a_new_rule(bench: Bench, alter_first: bool) -> None:
    """The open transaction wrote a `pos` that a new rule forbids: of the two only the first commits."""
    writing, bench.transaction = bench.transaction, None
    await bench.begin()
    await bench.run("alter domain pos add constraint c check (value > 0)")
    altering, bench.transaction = bench.transaction, None
    first, second = (altering, writing) if alter_first else (writing, altering)
    await first.commit()
    with pytest.raises(SqlError) as caught:
        await second.commit()
    assert caught.value.sqlstate == "40001"


@pytest.mark.parametrize("alter_first", [True, False])
async def test_a_domain_s_new_rule_and_a_row_that_breaks_it_do_not_both_succeed(
    alter_first: bool,
) -> None:
    bench = Bench()
    await bench.run("create domain pos as int")
    await bench.run("create table t (id int primary key, p pos)")
    await bench.begin()
    await bench.run("insert into t values (1, -5)")
    await _meets_a_new_rule(bench, alter_first)


async def test_plans_follow_a_domain_s_rules() -> None:
    bench = Bench()
    await bench.run("create domain pos as int check (value > 0)")
    await bench.run("create table t (id int primary key, p pos)")
    await bench.run("insert into t values (1, 5)")
    await refused(bench, "insert into t values (2, 0)", "23514")
    await bench.run("alter domain pos drop constraint pos_check")
    await bench.run("insert into t values (2, 0)")
    assert await bench.rows("select 0::pos") == [("0",)]
    await bench.run("drop table t")
    await bench.run("drop domain pos")
    await bench.run("create domain pos as text check (value <> 'x')")
    assert await bench.rows("select 0::pos") == [("0",)]
    await refused(bench, "select 'x'::pos", "23514")


async def test_copies_of_values_keep_a_domain_s_rules() -> None:
    bench = Bench()
    await bench.run("create domain pos as int check (value > 0)")
    await bench.run("create table s (p int)")
    await bench.run("create table t (id int primary key, p pos)")
    await bench.run("insert into s values (1), (-1)")
    await refused(bench, "insert into t select p + 10, p from s", "23514")
    await refused(
        bench,
        "merge into t using s on t.id = s.p when not matched then insert values (s.p, s.p)",
        "23514",
    )
    await bench.run("insert into t values (1, 1)")
    await refused(
        bench, "insert into t values (1, 1) on conflict (id) do update set p = -1", "23514"
    )
    assert await bench.rows("select * from t") == [("1", "1")]


async def test_what_is_missing_says_its_name() -> None:
    bench = Bench()
    await bench.run("create type m as enum ('a')")
    await bench.run("create domain d as int")
    await bench.run("create table t (id int)")
    await bench.run("insert into t values (1)")
    for sql in (
        "alter type m rename value 'a' to 'b'",
        "create domain e as d",
        "select '{1}'::d[]",
        "alter table t add column x d",
        "alter table t alter column id type d",
    ):
        await refused(bench, sql, "0A000")


@pytest.mark.parametrize("alter_first", [True, False])
async def test_copied_rows_and_a_domain_s_new_rule_do_not_both_succeed(alter_first: bool) -> None:
    bench = Bench()
    await bench.run("create domain pos as int")
    await bench.run("create table t (id int primary key, p pos)")
    await bench.begin()
    (statement,) = bench.engine.parse("copy t from stdin")
    target = await bench.engine.copy_in(statement, bench.transaction, bench.settings)
    await target.insert([(1, -5)], EvalContext())
    await _meets_a_new_rule(bench, alter_first)
