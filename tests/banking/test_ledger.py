"""The core-banking ledger end to end: psql, psycopg 3 and the SDK against both Regions."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from decimal import Decimal

import psycopg
import pytest
from harness import Cluster, running_cluster

import trilithon.client
from trilithon.cli import banking, demo
from trilithon.cli.demo import RegionEndpoints

ALTERNATIONS = 10_000


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running_cluster() as running:
        with trilithon.client.connect(running.grpc("a")) as db:
            for sql in (banking.DROP, *banking.SCHEMA):
                db.execute(sql)
        yield running


@pytest.fixture(scope="module")
def desks(cluster: Cluster) -> Iterator[demo.Desks]:
    made = {}
    for region, endpoint in cluster.endpoints.items():
        made[region], missing = banking.tellers(endpoint["postgresql"], endpoint["grpc"])
        assert not missing, f"this test needs {missing}"
    yield made
    for desk in made.values():
        for teller in desk:
            teller.close()


def endpoints(cluster: Cluster) -> list[RegionEndpoints]:
    return [
        RegionEndpoints(region, found["postgresql"], found["grpc"])
        for region, found in cluster.endpoints.items()
    ]


@pytest.mark.parametrize("step", [step for _, step in demo.STEPS], ids=lambda step: step.__name__)
def test_every_client_in_every_region(desks: demo.Desks, step: object) -> None:
    step(desks)  # type: ignore[operator]


@pytest.mark.timeout(600)
def test_a_transfer_is_visible_to_the_very_next_read_in_the_other_region(
    cluster: Cluster,
) -> None:
    source, target = uuid.uuid4(), uuid.uuid4()
    with (
        psycopg.connect(**cluster.postgresql("a"), autocommit=True) as a,
        psycopg.connect(**cluster.postgresql("b"), autocommit=True) as b,
    ):
        opened = "INSERT INTO accounts VALUES (%s, %s, %s, 'EUR')"
        a.execute(opened, (source, uuid.uuid4(), Decimal(ALTERNATIONS)))
        a.execute(opened, (target, uuid.uuid4(), Decimal(0)))
        transfer = (
            f"BEGIN; UPDATE accounts SET balance = balance - 1 WHERE account_id = '{source}';"
            f" UPDATE accounts SET balance = balance + 1 WHERE account_id = '{target}';"
            " INSERT INTO transactions (from_account, to_account, amount)"
            f" VALUES ('{source}', '{target}', 1); COMMIT"
        )
        balance = "SELECT balance FROM accounts WHERE account_id = %s"
        sides = [(a, b), (b, a)]
        for number in range(1, ALTERNATIONS + 1):
            writer, reader = sides[number % 2]
            writer.execute(transfer)
            seen = reader.execute(balance, (target,)).fetchone()
            assert seen == (Decimal(number),), f"alternation {number}: read {seen}"


def test_two_transfers_on_one_account_from_two_regions_one_loses(cluster: Cluster) -> None:
    with (
        trilithon.client.connect(cluster.grpc("a")) as a,
        trilithon.client.connect(cluster.grpc("b")) as b,
    ):
        source, one, other = demo.open_accounts(a, 3, Decimal("100.00"))

        def race() -> None:
            with b.transaction() as second:
                _move(second, source, other, Decimal(7))
                with a.transaction() as first:
                    _move(first, source, one, Decimal(5))

        with pytest.raises(trilithon.client.SerializationFailure, match="OC000") as lost:
            race()
        assert "accounts" in lost.value.detail
        assert str(source) in lost.value.detail
        a.run_transaction(lambda tx: _move(tx, source, one, Decimal(1)))
        b.run_transaction(lambda tx: _move(tx, source, other, Decimal(2)))
        sql = banking.numbered(banking.BALANCE, 1)
        left = [a.execute(sql, [account]).scalar() for account in (source, one, other)]
        assert left == [Decimal("92.00"), Decimal("106.00"), Decimal("102.00")]


def _move(
    transaction: trilithon.client.Transaction,
    source: uuid.UUID,
    target: uuid.UUID,
    amount: Decimal,
) -> None:
    for sql, values in banking.transfer(source, target, amount, "conflict"):
        transaction.execute(banking.numbered(sql, len(values)), values)


def test_rivals_for_few_accounts_all_arrive_and_the_sum_never_changes(cluster: Cluster) -> None:
    """Concurrent readers in both Regions watch the sum; four accounts make conflicts certain."""
    with trilithon.client.connect(cluster.grpc("a")) as db:
        db.execute("TRUNCATE accounts, transactions")
        accounts = demo.open_accounts(db, 4, Decimal("50.00"))
        load = demo.Load(endpoints(cluster), accounts, workers=2, seed=1)
        load.start()
        load.wait_for_commits(200, limit_s=60)
        report = load.stop()
        assert not report.errors
        assert min(report.totals_read.values()) > 0
        demo.check_ledger(db, accounts, Decimal("50.00"), report)


def test_a_seeded_history_of_savepoints_and_rollbacks_leaves_what_was_kept(
    cluster: Cluster,
) -> None:
    source = random.Random(3)
    with psycopg.connect(**cluster.postgresql("b")) as connection:
        kept = 0
        account = uuid.uuid4()
        connection.execute(
            "INSERT INTO accounts VALUES (%s, %s, 1000, 'EUR')", (account, uuid.uuid4())
        )
        for _ in range(30):
            amount = source.randint(1, 9)
            connection.execute("SAVEPOINT step")
            connection.execute(
                "UPDATE accounts SET balance = balance + %s WHERE account_id = %s",
                (amount, account),
            )
            if source.random() < 0.5:
                connection.execute("ROLLBACK TO step")
            else:
                connection.execute("RELEASE step")
                kept += amount
        connection.commit()
        row = connection.execute(
            "SELECT balance FROM accounts WHERE account_id = %s", (account,)
        ).fetchone()
    assert row == (Decimal(1000 + kept),)
