"""What a session needs from the engine and from transactions, as protocols.

The engine (`trilithon.query.engine`) and the transaction manager (`trilithon.query.transaction`)
implement these; tests use fakes. `Statement.node` is one parse node of PostgreSQL's grammar as JSON:
a dict with exactly one key, `{"SelectStmt": {...}}`.

Statement kinds: the session handles transaction, set, show, prepare, execute, deallocate, declare,
fetch, close, discard, copy, vacuum, notify (LISTEN and its kin) and lock itself, by the node's own
name; everything else goes to the engine (`query`, `ddl`, `explain`, ...).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

from trilithon.types.registry import TypeRef

Row = tuple[Any, ...]


class StatementLike(Protocol):
    """One parsed statement. `text` is the statement's own text, `location` its offset in what was sent
    (characters)."""

    @property
    def kind(self) -> str: ...
    @property
    def node(self) -> dict[str, Any]: ...
    @property
    def text(self) -> str: ...
    @property
    def location(self) -> int: ...


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


class TransactionLike(Protocol):
    @property
    def id(self) -> bytes: ...
    @property
    def snapshot_csn(self) -> int: ...
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
    def parse(self, sql: str) -> Sequence[StatementLike]: ...

    def derive(self, statement: StatementLike, node: dict[str, Any]) -> StatementLike:
        """A statement of its own for a node inside `statement` (the query of PREPARE, DECLARE or
        COPY (query) TO, or one that the session composed). Never cached under the outer text."""
        ...

    async def prepare(
        self,
        statement: StatementLike,
        transaction: TransactionLike | None,
        parameter_oids: Sequence[int],
        settings: Any,
    ) -> PreparedLike: ...

    async def execute(
        self,
        prepared: PreparedLike,
        transaction: TransactionLike,
        parameters: Sequence[Any],
        context: Any,
    ) -> ResultLike: ...

    async def copy_in(
        self, statement: StatementLike, transaction: TransactionLike, settings: Any
    ) -> CopyTarget:
        """COPY ... FROM: 42P01, 42703, 428C9 and so on are raised here, before any data is asked for."""
        ...
