"""What the SDK raises. Every failure of the database carries its SQLSTATE.

The classes a program branches on have names; any other SQLSTATE is a `DatabaseError`.
"""

from __future__ import annotations

from trilithon.v1 import types_pb2


class TrilithonError(Exception):
    """The root of everything that this SDK raises on purpose."""


class UsageError(TrilithonError):
    """The call itself is wrong (a parameter type, a closed client); nothing was sent."""


class ConnectionLost(TrilithonError):
    """No endpoint could be reached, or the one in use went away.

    `sent` says whether a statement may have taken effect outside a transaction block; inside one,
    nothing did, unless `transaction_id` is set: then a COMMIT was on its way, and
    `transaction_status(transaction_id, snapshot_csn)` settles what became of it.
    """

    sqlstate = "08006"

    def __init__(
        self,
        message: str,
        *,
        sent: bool = False,
        transaction_id: bytes = b"",
        snapshot_csn: int = 0,
    ) -> None:
        super().__init__(message)
        self.sent = sent
        self.transaction_id = transaction_id
        self.snapshot_csn = snapshot_csn


class DatabaseError(TrilithonError):
    """The database answered with an error. Field names follow PostgreSQL's."""

    def __init__(self, error: types_pb2.SqlError) -> None:
        super().__init__(error.message)
        self.sqlstate: str = error.sqlstate
        self.message: str = error.message
        self.detail: str = error.detail
        self.hint: str = error.hint
        self.position: int = error.position
        self.schema_name: str = error.schema_name
        self.table_name: str = error.table_name
        self.column_name: str = error.column_name
        self.constraint_name: str = error.constraint_name

    def __str__(self) -> str:
        lines = [f"{self.sqlstate}: {self.message}"]
        if self.detail:
            lines.append(f"DETAIL: {self.detail}")
        if self.hint:
            lines.append(f"HINT: {self.hint}")
        return "\n".join(lines)


class SerializationFailure(DatabaseError):
    """40001: another transaction was faster. Run the whole transaction again."""


class OutcomeUnknown(DatabaseError):
    """40003: the database could not tell in time what became of the commit.

    `transaction_status(transaction_id, snapshot_csn)` settles it.
    """

    transaction_id: bytes = b""
    snapshot_csn: int = 0


class IntegrityError(DatabaseError):
    """Class 23."""


class UniqueViolation(IntegrityError):
    """23505."""


class CheckViolation(IntegrityError):
    """23514."""


class NotNullViolation(IntegrityError):
    """23502."""


class ForeignKeyViolation(IntegrityError):
    """23503."""


class DataError(DatabaseError):
    """Class 22: a value does not fit."""


class ProgrammingError(DatabaseError):
    """Class 42: the statement is wrong."""


class Unavailable(DatabaseError):
    """57P03: the Region cannot answer now (it has no lease, or no leader can be reached)."""


_BY_STATE: dict[str, type[DatabaseError]] = {
    "40001": SerializationFailure,
    "40003": OutcomeUnknown,
    "23505": UniqueViolation,
    "23514": CheckViolation,
    "23502": NotNullViolation,
    "23503": ForeignKeyViolation,
    "57P03": Unavailable,
}
_BY_CLASS: dict[str, type[DatabaseError]] = {
    "22": DataError,
    "23": IntegrityError,
    "42": ProgrammingError,
}

# Nothing was done, or whatever was begun is gone: the same work may be tried elsewhere or later.
_TRANSIENT_STATES = frozenset({"57P03", "57P01", "57P02", "53300", "08006", "08001", "08003"})


def from_wire(error: types_pb2.SqlError) -> DatabaseError:
    state = error.sqlstate
    kind = _BY_STATE.get(state) or _BY_CLASS.get(state[:2]) or DatabaseError
    return kind(error)


def is_transient(error: BaseException) -> bool:
    """Whether the same transaction may simply be run again (conflicts not included)."""
    if isinstance(error, ConnectionLost):
        return True
    return isinstance(error, DatabaseError) and error.sqlstate in _TRANSIENT_STATES
