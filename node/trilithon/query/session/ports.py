"""What a session needs from the engine and from transactions, as protocols.

The engine (`trilithon.query.engine`) and the transaction manager (`trilithon.query.transaction`)
implement these; tests use fakes. Which statements the session runs itself says `handlers.HANDLERS`;
everything else goes to the engine.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

from trilithon.query.parse.statement import Statement
from trilithon.types.registry import TypeRef

Row = tuple[Any, ...]


class ResultColumnLike(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def type(self) -> TypeRef: ...
    @property
    def table_oid(self) -> int: ...
    @property
    def attnum(self) -> int: ...


class PreparedLike(Protocol):
    """`columns` is None when the statement returns no rows."""

    @property
    def parameter_types(self) -> Sequence[TypeRef]: ...
    @property
    def columns(self) -> Sequence[ResultColumnLike] | None: ...
    @property
    def read_only(self) -> bool: ...


class ResultLike(Protocol):
    """`rows` is a list, or an iterator of lists for large results (then `command_tag` is the bare verb,
    "SELECT", and the session counts)."""

    @property
    def rows(self) -> list[Row] | AsyncIterator[list[Row]]: ...
    @property
    def command_tag(self) -> str: ...


class CopyTarget(Protocol):
    """The receiving end of COPY FROM: checks, defaults and constraints are the engine's."""

    @property
    def columns(self) -> Sequence[ResultColumnLike]: ...

    async def insert(self, rows: list[Row], context: Any) -> None:
        """Insert rows of values, one value per column of `columns`."""
        ...

    async def finish(self, context: Any) -> None:
        """After the last row. Raises SqlError."""
        ...


class TransactionLike(Protocol):
    @property
    def id(self) -> bytes: ...
    @property
    def snapshot_csn(self) -> int: ...
    @property
    def read_only(self) -> bool: ...
    async def commit(self) -> Any:
        """CommitResult with `csn` (0: it wrote nothing). SqlError 40001, 40003, ..."""
        ...

    def rollback(self) -> None: ...
    def savepoint(self, name: str) -> None: ...
    def release(self, name: str) -> None: ...
    def rollback_to(self, name: str) -> None: ...


class TransactionManagerLike(Protocol):
    async def begin(
        self, *, read_only: bool = False, serializable: bool = False
    ) -> TransactionLike: ...


class EngineLike(Protocol):
    """An engine may also have `first_read(statement, parameter_oids, parameters, settings)`: the read
    that this statement will begin with (transaction.FirstRead), or None. It then travels beside the
    snapshot request of a transaction that begins with the statement.
    """

    def parse(self, sql: str) -> Sequence[Statement]: ...

    async def prepare(
        self,
        statement: Statement,
        transaction: TransactionLike | None,
        parameter_oids: Sequence[int],
        settings: Any,
    ) -> PreparedLike: ...

    async def execute(
        self,
        prepared: Any,
        transaction: TransactionLike,
        parameters: Sequence[Any],
        context: Any,
    ) -> ResultLike: ...

    async def gather_statistics(self, statement: Statement, settings: Any) -> None:
        """ANALYZE: of the tables that the statement names, or all. 42P01."""
        ...

    async def copy_in(
        self, statement: Statement, transaction: TransactionLike, settings: Any
    ) -> CopyTarget:
        """COPY ... FROM: 42P01, 42703, 428C9 and so on are raised here, before any data is asked for."""
        ...
