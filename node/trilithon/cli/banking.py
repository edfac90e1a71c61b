"""The core-banking ledger: its schema, its statements and the checks that `demo banking` and the
tests run through every kind of client.

Vocabulary
- A *teller* runs one transaction's statements through one kind of client (the SDK, psycopg, psql)
  against one Region and answers with rows, or raises `Refused` with the SQLSTATE.
- A *transfer* is UPDATE, UPDATE, INSERT in one transaction.

Invariants checked: money is neither made nor lost (the sum of all balances never changes), and
every balance equals what was paid in plus its transfers.
"""

from __future__ import annotations

import shutil
import subprocess
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Protocol

import trilithon.client

SCHEMA = (
    """CREATE TABLE accounts (
    account_id uuid PRIMARY KEY,
    customer_id uuid NOT NULL,
    balance numeric(18,2) NOT NULL CHECK (balance >= 0),
    currency varchar(3) NOT NULL,
    updated_at timestamptz DEFAULT now()
)""",
    """CREATE TABLE transactions (
    transaction_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    from_account uuid NOT NULL,
    to_account uuid NOT NULL,
    amount numeric(18,2) NOT NULL,
    description text,
    created_at timestamptz DEFAULT now()
)""",
)
DROP = "DROP TABLE IF EXISTS accounts, transactions"

WITHDRAW = "UPDATE accounts SET balance = balance - {0}, updated_at = now() WHERE account_id = {1}"
DEPOSIT = "UPDATE accounts SET balance = balance + {0}, updated_at = now() WHERE account_id = {1}"
RECORD = (
    "INSERT INTO transactions (from_account, to_account, amount, description)"
    " VALUES ({0}, {1}, {2}, {3})"
)
OPEN_ACCOUNT = (
    "INSERT INTO accounts (account_id, customer_id, balance, currency) VALUES ({0}, {1}, {2}, {3})"
)
BALANCE = "SELECT balance FROM accounts WHERE account_id = {0}"
TOTAL = "SELECT sum(balance), count(*) FROM accounts"

Statement = tuple[str, tuple[Any, ...]]


class Refused(Exception):
    """The database refused a transaction; nothing of it took effect."""

    def __init__(self, sqlstate: str, message: str) -> None:
        super().__init__(f"{sqlstate}: {message}")
        self.sqlstate = sqlstate


class Teller(Protocol):
    """`statements` hold {0}, {1} … where their parameters go; all run in one transaction."""

    name: str

    def run(self, statements: Sequence[Statement]) -> list[tuple[Any, ...]]:
        """The last statement's rows. Raises Refused."""
        ...

    def close(self) -> None: ...


def transfer(source: uuid.UUID, target: uuid.UUID, amount: Decimal, note: str) -> list[Statement]:
    return [
        (WITHDRAW, (amount, source)),
        (DEPOSIT, (amount, target)),
        (RECORD, (source, target, amount, note)),
    ]


def open_account(account: uuid.UUID, balance: Decimal) -> list[Statement]:
    return [(OPEN_ACCOUNT, (account, uuid.uuid4(), balance, "EUR"))]


def numbered(sql: str, count: int) -> str:
    """The statement with PostgreSQL's own placeholders, $1, $2 …"""
    return sql.format(*(f"${n}" for n in range(1, count + 1)))


class SdkTeller:
    def __init__(self, endpoint: str) -> None:
        self.name = "SDK"
        self._client = trilithon.client.connect(endpoint)

    def run(self, statements: Sequence[Statement]) -> list[tuple[Any, ...]]:
        try:
            with self._client.transaction() as transaction:
                rows: list[tuple[Any, ...]] = []
                for sql, values in statements:
                    rows = transaction.execute(numbered(sql, len(values)), values).rows
                return rows
        except trilithon.client.DatabaseError as error:
            raise Refused(error.sqlstate, error.message) from error

    def close(self) -> None:
        self._client.close()


class PsycopgTeller:
    """Needs psycopg 3, which is not among Trilithon's own dependencies."""

    def __init__(self, address: str) -> None:
        import psycopg

        self.name = "psycopg"
        self._error = psycopg.Error
        host, _, port = address.rpartition(":")
        self._connection = psycopg.connect(
            host=host, port=int(port), user="admin", dbname="postgres"
        )

    def run(self, statements: Sequence[Statement]) -> list[tuple[Any, ...]]:
        try:
            with self._connection.transaction(), self._connection.cursor() as cursor:
                rows: list[tuple[Any, ...]] = []
                for sql, values in statements:
                    cursor.execute(sql.format(*["%s"] * len(values)), values)
                    rows = cursor.fetchall() if cursor.description else []
                return rows
        except self._error as error:
            raise Refused(error.sqlstate or "08006", str(error)) from error

    def close(self) -> None:
        self._connection.close()


class PsqlTeller:
    """One psql process per transaction, as a person would type it."""

    def __init__(self, address: str) -> None:
        self.name = "psql"
        self._host, _, self._port = address.rpartition(":")

    def run(self, statements: Sequence[Statement]) -> list[tuple[Any, ...]]:
        body = ";\n".join(sql.format(*map(_literal, values)) for sql, values in statements)
        command = ["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-h", self._host, "-p", self._port]
        done = subprocess.run(
            [
                *command,
                "-U",
                "admin",
                "-v",
                "ON_ERROR_STOP=1",
                "-v",
                "VERBOSITY=verbose",
                "postgres",
            ],
            input=f"BEGIN;\n{body};\nCOMMIT;\n",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode != 0:
            raise _refusal(done.stderr)
        return [tuple(line.split("\t")) for line in done.stdout.splitlines() if line]

    def close(self) -> None:
        pass


def _literal(value: Any) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _refusal(stderr: str) -> Refused:
    """psql's verbose form is "ERROR:  23514: message"."""
    for line in stderr.splitlines():
        for severity in ("ERROR:  ", "FATAL:  "):
            if severity in line:
                state, _, message = line.partition(severity)[2].partition(": ")
                return Refused(state, message)
    return Refused("08006", stderr.strip())


def tellers(postgresql: str, grpc: str) -> tuple[list[Teller], list[str]]:
    """Every kind of client that this machine has for one Region, and what is missing."""
    made: list[Teller] = [SdkTeller(grpc)]
    missing = []
    try:
        made.append(PsycopgTeller(postgresql))
    except ImportError:
        missing.append("psycopg")
    if shutil.which("psql"):
        made.append(PsqlTeller(postgresql))
    else:
        missing.append("psql")
    return made, missing
