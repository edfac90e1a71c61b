"""Prepared statements and portals."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from trilithon.core.errors import SqlError
from trilithon.core.invariant import require
from trilithon.query.parse.statement import Statement
from trilithon.query.session.ports import PreparedLike, ResultColumnLike, Row
from trilithon.query.session.results import Outcome, complete_tag
from trilithon.types.registry import TypeRef

PREPARED_MAX = 10_000
PORTALS_MAX = 1_000


@dataclass(slots=True)
class PreparedStatement:
    """`statement` is None for an empty query. `plan` is the engine's, None for what the session runs
    itself. `parameter_oids` is what the client declared, the types are what was inferred."""

    name: str
    statement: Statement | None
    parameter_oids: Sequence[int] = ()
    parameter_types: Sequence[TypeRef] = ()
    columns: Sequence[ResultColumnLike] | None = None
    plan: PreparedLike | None = None
    from_sql: bool = False
    prepared_at_us: int = 0
    # The transport's: parsers compiled for the parameters, encoders for the rows.
    cache: dict[Any, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Portal:
    """One execution, fetched in parts. Forward only, unless it keeps its rows (`scroll`).

    `depth` is the number of savepoints that existed when it was opened. `position` is the row it stands
    on: 0 before the first, n + 1 after the last of n.
    """

    name: str
    prepared: PreparedStatement
    parameters: Sequence[Any]
    formats: Sequence[int] = ()
    depth: int = 0
    outcome: Outcome | None = None
    finished: bool = False
    # Cursors only.
    scroll: bool = False
    hold: bool = False
    position: int = 0
    created_at_us: int = 0
    _rows: list[Row] = field(default_factory=list)
    _next: int = 0
    _source: AsyncIterator[list[Row]] | None = None

    def start(self, outcome: Outcome) -> None:
        self.outcome = outcome
        if isinstance(outcome.rows, list):
            self._rows = outcome.rows
        else:
            self._source = outcome.rows

    async def fetch(self, limit: int) -> tuple[list[Row], bool]:
        """Up to `limit` rows (0: all that the source has ready in one part) and whether that was the
        end. With a limit of 0 the caller goes on until the end."""
        if limit == 0:
            rows = self._rows[self._next :] if self._next else self._rows
            self._rows, self._next = [], 0
            if self._source is None:
                self.finished = True
                return rows, True
            if not rows:
                rows = await self._pull()
            return rows, self._source is None
        while len(self._rows) - self._next < limit and self._source is not None:
            self._rows = self._rows[self._next :] + await self._pull()
            self._next = 0
        rows = self._rows[self._next : self._next + limit]
        self._next += len(rows)
        # As in PostgreSQL, a fetch that got all it asked for does not look whether more is there.
        if len(rows) < limit:
            self.finished = True
        return rows, self.finished

    async def _pull(self) -> list[Row]:
        """The next part, never empty while the source lasts."""
        while self._source is not None:
            try:
                rows = await anext(self._source)
            except StopAsyncIteration:
                self._source = None
                break
            if rows:
                return rows
        return []

    async def materialise(self, rows_max: int = 10_000_000) -> list[Row]:
        """Everything that is left, kept: for SCROLL and WITH HOLD."""
        while self._source is not None:
            self._rows += await self._pull()
            if len(self._rows) > rows_max:
                raise SqlError("53200", "the cursor's result is too large to be kept")
        return self._rows

    async def close(self) -> None:
        source, self._source = self._source, None
        self._rows, self._next, self.finished = [], 0, True
        closing = getattr(source, "aclose", None)
        if closing is not None:
            await closing()

    def tag(self, count: int) -> str:
        require(self.outcome is not None, "a portal has a tag once it was started")
        return complete_tag(self.outcome.tag, count)  # type: ignore[union-attr]
