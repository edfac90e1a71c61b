"""SQL that asks for too much or for nonsense: a clear SQLSTATE each, and the session lives on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from harness import Cluster
from psycopg.pq import TransactionStatus


@pytest.fixture(scope="module")
def tables(watched: Cluster) -> Cluster:
    with psycopg.connect(**watched.postgresql("a"), autocommit=True) as session:
        session.execute("CREATE TABLE enormous (id int PRIMARY KEY, body text, n numeric(5,2))")
        session.execute("CREATE TABLE keys (id text PRIMARY KEY, checked int CHECK (checked > 0))")
        session.execute("INSERT INTO enormous VALUES (0, 'zero', 0)")
        session.execute("CREATE VIEW first_of_two AS SELECT id FROM enormous")
        session.execute("CREATE VIEW second_of_two AS SELECT id FROM first_of_two")
        session.execute("CREATE TYPE state_of_bad_input AS ENUM ('good')")
        session.execute("CREATE DOMAIN positive_of_bad_input AS int CHECK (value > 0)")
    return watched


@pytest.fixture
def session(tables: Cluster) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(**tables.postgresql("a"), autocommit=True) as session:
        session.execute("SET statement_timeout = '60s'")
        yield session


def sqlstate(session: psycopg.Connection[Any], sql: str, *values: Any) -> str | None:
    with pytest.raises(psycopg.Error) as caught:
        session.execute(sql, values or None)  # type: ignore[arg-type]
    assert not session.closed
    assert caught.value.diag.message_primary
    return caught.value.sqlstate


CASES = {
    # Limits.
    "INSERT INTO enormous SELECT g, 'x' FROM generate_series(1, 3001) g": "54000",
    "INSERT INTO enormous SELECT g, repeat('x', 1000000) FROM generate_series(1, 12) g": "54000",
    "INSERT INTO enormous VALUES (1, repeat('x', 1048577))": "54000",
    "INSERT INTO keys VALUES (repeat('x', 2000))": "54000",
    "SELECT repeat('x', 2000000000)": "54000",
    "SELECT lpad('x', 2000000000)": "54000",
    "SELECT count(DISTINCT g) FROM generate_series(1, 5000000) g": "53200",
    "CREATE TABLE wide (" + ", ".join(f"c{n} int" for n in range(256)) + ")": "54011",
    "CREATE TABLE k9 ("
    + ", ".join(f"c{n} int" for n in range(9))
    + ", PRIMARY KEY ("
    + ", ".join(f"c{n}" for n in range(9))
    + "))": "54011",
    # Depth and length.
    "SELECT " + "(" * 100_000 + "1" + ")" * 100_000: "54001",
    "SELECT " + "+".join(["1"] * 20_000): "54001",
    "SELECT " + "NOT " * 5_000 + "true": "54001",
    "SELECT " + "CASE WHEN true THEN " * 1_000 + "1" + " END" * 1_000: "54001",
    "SELECT * FROM " + "(SELECT * FROM " * 500 + "(VALUES (1)) v" + ") s" * 500: "54001",
    # Syntax, names, types.
    "SELEKT 1": "42601",
    "SELECT 'unended": "42601",
    "SELECT * FROM nobody": "42P01",
    "SELECT nothing FROM enormous": "42703",
    "SELECT nothing(1)": "42883",
    "SELECT 1 + '2020-01-01'::date + true": "42883",
    "SELECT 1 WHERE 'x'": "22P02",
    "SELECT id FROM enormous GROUP BY body": "42803",
    # Values.
    "SELECT 'seven'::int": "22P02",
    "SELECT 99999999999::int": "22003",
    "SELECT 1 / 0": "22012",
    "SELECT '2021-02-30'::date": "22008",
    "SELECT 'x'::uuid": "22P02",
    r"SELECT '\x0'::bytea": "22023",
    "SELECT '{1,2'::int[]": "22P02",
    "SELECT '{\"a\":'::jsonb": "22P02",
    "SELECT 10::numeric ^ 1e9": "22003",
    "SELECT exp(1e6)": "22003",
    "SELECT 'a' ~ '('": "2201B",
    "INSERT INTO enormous VALUES (1, 'x', 1000)": "22003",
    "INSERT INTO enormous VALUES (NULL)": "23502",
    "INSERT INTO enormous VALUES (0)": "23505",
    "INSERT INTO keys VALUES ('a', 0)": "23514",
    # Inside storage: filters and aggregates that are evaluated there.
    "SELECT * FROM enormous WHERE 1 / id = 1": "22012",
    "SELECT sum(1 / id) FROM enormous": "22012",
    "SELECT count(*) FROM enormous WHERE body::int = 1": "22P02",
    "SELECT sum((id + 32767)::smallint * 2::smallint) FROM enormous": "22003",
    # Patterns that explode.
    "SELECT 'a' ~ 'a{1,100000}'": "2201B",
    # What refers to itself.
    "CREATE VIEW itself AS SELECT * FROM itself": "42P01",
    "CREATE OR REPLACE VIEW first_of_two AS SELECT * FROM second_of_two": "42P17",
    "CREATE FUNCTION again(int) RETURNS int LANGUAGE sql AS 'SELECT again($1)'": "42883",
    # Types of users.
    "SELECT 'x'::state_of_bad_input": "22P02",
    "SELECT (-1)::positive_of_bad_input": "23514",
    "SELECT ('$' || repeat('.a', 200000))::jsonpath": "54001",
    "SELECT jsonb_path_query('1', '$ ? (')": "42601",
    "SET trilithon.read_as_of = 'yesterweek'": "22023",
    # What is not there is said.
    "LISTEN x": "0A000",
    "CREATE EXTENSION x": "0A000",
    "CREATE TRIGGER t AFTER INSERT ON enormous EXECUTE FUNCTION f()": "0A000",
}


@pytest.mark.parametrize("sql", CASES, ids=lambda sql: sql[:40])
def test_a_clear_error_and_the_session_lives(session: psycopg.Connection[Any], sql: str) -> None:
    expected = CASES[sql]
    assert sqlstate(session, sql) == expected
    assert session.execute("SELECT 1").fetchone() == (1,)
    # The same within a transaction: it fails whole, and can be rolled back.
    session.execute("BEGIN")
    session.execute("INSERT INTO enormous VALUES (-1, 'never')")
    assert sqlstate(session, sql) == expected
    assert session.info.transaction_status is TransactionStatus.INERROR
    assert sqlstate(session, "SELECT 1") == "25P02"
    session.execute("COMMIT")
    assert session.execute("SELECT count(*) FROM enormous WHERE id = -1").fetchone() == (0,)


def test_an_enormous_transaction_can_go_back_to_a_savepoint(
    session: psycopg.Connection[Any],
) -> None:
    session.execute("BEGIN")
    session.execute("INSERT INTO enormous SELECT g, 'x' FROM generate_series(1, 2900) g")
    session.execute("SAVEPOINT before")
    big = "INSERT INTO enormous SELECT g, 'x' FROM generate_series(5001, 5200) g"
    assert sqlstate(session, big) == "54000"
    session.execute("ROLLBACK TO before")
    session.execute("INSERT INTO enormous SELECT g, 'x' FROM generate_series(5001, 5100) g")
    session.execute("COMMIT")
    assert session.execute("SELECT count(*) FROM enormous").fetchone() == (3001,)


def test_copy_that_brings_garbage(session: psycopg.Connection[Any]) -> None:
    for data, expected in {
        b"1\n": "22P04",
        b"1\tx\t1\t2\n": "22P04",
        b"one\tx\t1\n": "22P02",
        b"1\t\xff\t1\n": "22021",
        b"0\tx\t1\n": "23505",
        b"".join(b"%d\tx\t1\n" % number for number in range(10_000, 13_001)): "54000",
        b"9999\t" + b"x" * (2 << 20) + b"\t1\n": "54000",
    }.items():
        with (
            pytest.raises(psycopg.Error) as caught,
            session.cursor().copy("COPY enormous FROM STDIN") as copy,
        ):
            copy.write(data)
        assert caught.value.sqlstate == expected, data[:20]
        assert session.execute("SELECT 1").fetchone() == (1,)


def test_many_statements_at_once(session: psycopg.Connection[Any]) -> None:
    session.execute(";".join(["SELECT 1"] * 1_000))
    assert sqlstate(session, ";".join(["SELECT 1"] * 1_000) + "; SELECT 1/0") == "22012"
    assert session.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM generate_series(1, 50) g WHERE repeat('a', 5000) || g ~ '^(a|aa|a*)+$'",
        "SELECT repeat('a', 40) || '!' ~ '^(([a-z])+.)+[A-Z]([a-z])+$'",
        "SELECT repeat('x', 100000) ~ '(x+x+)+y'",
        "SELECT repeat('a', 50000) ~ '(a*)*(a*)*(a*)*b'",
        "SELECT regexp_replace(repeat('ab', 20000), '(a|b)*c', '', 'g')",
        "SELECT repeat('a', 100000) LIKE repeat('%a', 2000) || '%b'",
        "SELECT repeat('ab', 50000) SIMILAR TO '((a|b)*(a|b)*)*c'",
        "SELECT repeat('a', 100000) ~ (repeat('(', 2000) || 'a' || repeat(')', 2000))",
    ],
)
def test_patterns_that_explode_are_answered_or_given_up(
    session: psycopg.Connection[Any], tables: Cluster, sql: str
) -> None:
    with psycopg.connect(**tables.postgresql("a"), autocommit=True) as other:
        try:
            session.execute(sql)  # type: ignore[arg-type]
        except psycopg.Error as error:
            assert error.sqlstate == "54001", error
        assert other.execute("SELECT 1").fetchone() == (1,)
    assert session.execute("SELECT 1").fetchone() == (1,)


def test_an_endless_query_ends_by_its_timeout(session: psycopg.Connection[Any]) -> None:
    session.execute("SET statement_timeout = '300ms'")
    for sql in (
        "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
    ):
        assert sqlstate(session, sql) in ("57014", "53200"), sql
