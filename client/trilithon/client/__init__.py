"""The Python SDK of Trilithon, over gRPC.

    import trilithon.client

    with trilithon.client.connect("127.0.0.1:16432,127.0.0.1:16433") as db:
        db.execute("INSERT INTO accounts VALUES ($1, $2)", [account_id, Decimal("10.00")])
        with db.transaction() as tx:
            ...
        db.run_transaction(lambda tx: transfer(tx, source, target, amount))

Vocabulary
- An *endpoint* is a query processor's gRPC address. The first one given is preferred (the own
  Region's); the others serve while it is gone, and new work returns to it when it is back.
- A *session* lives on one endpoint. A transaction lives in one session and dies with it.

Invariants
- Nothing is ever sent twice by itself outside `run_transaction`.
- `run_transaction` runs a transaction again only when the one before it surely did not commit.
- Numerics are Decimal, never float.

Not here: connection strings, DB-API (use any PostgreSQL driver), ORMs.
"""

from trilithon.client.aio import (
    AsyncClient,
    AsyncTransaction,
    Outcome,
    TransactionStatus,
    connect_async,
)
from trilithon.client.errors import (
    CheckViolation,
    ConnectionLost,
    DatabaseError,
    DataError,
    ForeignKeyViolation,
    IntegrityError,
    NotNullViolation,
    OutcomeUnknown,
    ProgrammingError,
    SerializationFailure,
    TrilithonError,
    Unavailable,
    UniqueViolation,
    UsageError,
)
from trilithon.client.result import Column, Result
from trilithon.client.retry import RetryPolicy
from trilithon.client.sync import Client, Transaction, connect

__all__ = [
    "AsyncClient",
    "AsyncTransaction",
    "CheckViolation",
    "Client",
    "Column",
    "ConnectionLost",
    "DataError",
    "DatabaseError",
    "ForeignKeyViolation",
    "IntegrityError",
    "NotNullViolation",
    "Outcome",
    "OutcomeUnknown",
    "ProgrammingError",
    "Result",
    "RetryPolicy",
    "SerializationFailure",
    "Transaction",
    "TransactionStatus",
    "TrilithonError",
    "Unavailable",
    "UniqueViolation",
    "UsageError",
    "connect",
    "connect_async",
]
