"""`trilithon.read_as_of` and `trilithon.read_staleness` on real processes, over PostgreSQL's protocol."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from harness import Cluster

import trilithon.client

Connection = psycopg.Connection[Any]


@pytest.fixture
def db(cluster: Cluster) -> Iterator[Connection]:
    with psycopg.connect(**cluster.postgresql("a"), autocommit=True) as connection:
        yield connection


def one(db: Connection, sql: str) -> Any:
    row = db.execute(sql).fetchone()
    assert row is not None
    return row[0]


def refused(db: Connection, sql: str) -> psycopg.Error:
    with pytest.raises(psycopg.Error) as caught:
        db.execute(sql)
    return caught.value


def newest_csn(cluster: Cluster) -> int:
    """Of a snapshot taken now."""
    with trilithon.client.connect(cluster.grpc("a")) as client:
        csns: list[int] = []

        def look(tx: trilithon.client.Transaction) -> None:
            tx.execute("SELECT 1 FROM pg_class LIMIT 1")
            csns.append(tx.snapshot_csn)

        client.run_transaction(look)
    return csns[-1]


def test_rows_and_tables_as_they_were(cluster: Cluster, db: Connection) -> None:
    db.execute("CREATE TABLE past (id int PRIMARY KEY, n int)")
    db.execute("INSERT INTO past VALUES (1, 10)")
    time = one(db, "SELECT clock_timestamp()")
    csn = newest_csn(cluster)
    db.execute("UPDATE past SET n = 11")
    db.execute("ALTER TABLE past ADD COLUMN more text DEFAULT 'new'")
    db.execute("INSERT INTO past VALUES (2, 20)")
    for point in (str(csn), time.isoformat()):
        db.execute(f"SET trilithon.read_as_of = '{point}'")
        assert db.execute("SELECT * FROM past").fetchall() == [(1, 10)]
        assert one(db, "SELECT count(*) FROM past") == 1
        assert refused(db, "SELECT more FROM past").sqlstate == "42703"
        db.execute("RESET trilithon.read_as_of")
        assert db.execute("SELECT * FROM past ORDER BY id").fetchall() == [
            (1, 11, "new"),
            (2, 20, "new"),
        ]
    db.execute("DROP TABLE past")
    with db.transaction():
        db.execute(f"SET LOCAL trilithon.read_as_of = '{csn}'")
        assert one(db, "SELECT n FROM past WHERE id = 1") == 10
        assert one(db, "SHOW transaction_read_only") == "on"
    assert refused(db, "SELECT * FROM past").sqlstate == "42P01"


def test_the_past_cannot_be_changed(cluster: Cluster, db: Connection) -> None:
    db.execute("CREATE TABLE unchanged (id int PRIMARY KEY)")
    db.execute(f"SET trilithon.read_as_of = '{newest_csn(cluster)}'")
    for sql in (
        "INSERT INTO unchanged VALUES (1)",
        "DELETE FROM unchanged",
        "CREATE TABLE other (id int)",
        "DROP TABLE unchanged",
        "TRUNCATE unchanged",
        "SELECT * FROM unchanged FOR UPDATE",
    ):
        assert refused(db, sql).sqlstate == "25006", sql
    db.execute("BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE")
    assert one(db, "SELECT count(*) FROM unchanged") == 0
    assert refused(db, "INSERT INTO unchanged VALUES (1)").sqlstate == "25006"
    db.execute("ROLLBACK")
    db.execute("RESET ALL")
    db.execute("INSERT INTO unchanged VALUES (1)")
    db.execute("DROP TABLE unchanged")


def test_points_that_there_are_not(cluster: Cluster, db: Connection) -> None:
    for wrong in ("rubbish", "infinity", "0", "18446744073709551615", "2026-02-30"):
        assert refused(db, f"SET trilithon.read_as_of = '{wrong}'").sqlstate == "22023", wrong
    assert refused(db, "SET trilithon.read_staleness = '-1'").sqlstate == "22023"
    assert refused(db, "SET trilithon.read_staleness = '1 parsec'").sqlstate == "22023"
    assert refused(db, "SET trilithon.read_asof = '1'").sqlstate == "42704"
    for early in ("0.1", "2001-01-01 00:00+00"):
        db.execute(f"SET trilithon.read_as_of = '{early}'")
        assert refused(db, "SELECT 1").sqlstate == "72000"
    for late in ("2999-01-01", str(newest_csn(cluster) + (1 << 50))):
        db.execute(f"SET trilithon.read_as_of = '{late}'")
        assert refused(db, "SELECT 1").sqlstate == "22023"
    db.execute("SET trilithon.read_as_of = ''")
    assert one(db, "SELECT 1") == 1


@pytest.mark.timeout(120)
def test_a_region_that_is_cut_off_reads_stale_only_if_it_is_asked_to(
    cluster: Cluster, db: Connection
) -> None:
    db.execute("CREATE TABLE stale (id int PRIMARY KEY)")
    db.execute("INSERT INTO stale VALUES (1)")
    others = ("b/journal-0", "w/journal-0")
    for name in others:
        cluster.kill(name)
    try:
        cluster.wait_until(
            lambda status: all(
                not row.lease_ms for row in status.processes if row.name == "a/journal-0"
            )
        )
        db.execute("SET trilithon.read_staleness = '1ms'")
        error = refused(db, "SELECT * FROM stale")
        assert error.sqlstate == "57P03"
        assert "complete up to" in (error.diag.message_detail or "")
        db.execute("SET trilithon.read_staleness = '1h'")
        assert db.execute("SELECT * FROM stale").fetchall() == [(1,)]
        assert one(db, "SELECT count(*) FROM pg_class WHERE relname = 'stale'") == 1
        assert refused(db, "INSERT INTO stale VALUES (2)").sqlstate == "25006"
    finally:
        cluster.resume(*others)
        cluster.wait_ready()
    # With a lease it is a transaction like any other.
    db.execute("INSERT INTO stale VALUES (2)")
    assert one(db, "SELECT count(*) FROM stale") == 2
    db.execute("DROP TABLE stale")
