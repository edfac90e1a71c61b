"""One Execute, worked off in parts: which statement it is at, and the rows it still owes.

An implicit transaction is committed before the last part of its last statement is given, so that
`done` means committed. A result of rows that are all there already is committed at once, however many
parts it takes to carry it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final

import msgspec

from trilithon.core.errors import SqlError
from trilithon.query.parse.statement import Statement
from trilithon.query.session.ports import ResultColumnLike, Row
from trilithon.query.session.prepared import PreparedStatement
from trilithon.query.session.results import Outcome, complete_tag
from trilithon.query.session.session import Session
from trilithon.types import binary_io, sdk, text_io
from trilithon.types.registry import TypeRef
from trilithon.types.settings import IoSettings
from trilithon.v1 import sql_pb2

# A reply ends when its rows have reached this size.
REPLY_BYTES: Final = 1024 * 1024
# Rows encoded between two looks at the size.
_ROWS_PER_PIECE: Final = 500

RowEncoder = Callable[[Sequence[Row]], bytes]


class Execution:
    """`finished` once everything has been given."""

    def __init__(
        self,
        session: Session,
        statements: Sequence[Statement],
        prepared: PreparedStatement | None,
        parameters: Sequence[Any],
    ) -> None:
        self.finished = False
        self._session = session
        self._statements = statements
        self._prepared = prepared
        self._parameters = parameters
        self._index = -1
        self._outcome: Outcome | None = None
        self._encode: RowEncoder | None = None
        self._rows: list[Row] = []
        self._next = 0
        self._source: AsyncIterator[list[Row]] | None = None
        self._count = 0

    async def proceed(self, rows_max: int) -> sql_pb2.Results:
        """The next reply's content: about REPLY_BYTES or `rows_max` rows (0: no bound of its own).
        Raises SqlError."""
        results = sql_pb2.Results()
        size = rows = 0
        while True:
            if self._outcome is None:
                if self._index + 1 >= len(self._statements):
                    await self._session.end_implicit()
                    self.finished = True
                    return results
                await self._start(results)
                continue
            wanted = rows_max - rows if rows_max else _ROWS_PER_PIECE
            piece = await self._take(min(wanted, _ROWS_PER_PIECE))
            if piece:
                data = self._encode(piece) if self._encode is not None else b""
                results.parts.append(sql_pb2.ResultPart(statement=self._index, rows=data))
                rows += len(piece)
                size += len(data)
            if not self._more:
                await self._finish_statement(results)
            if size >= REPLY_BYTES or (rows_max and rows >= rows_max):
                return await self._pause(results)

    async def _pause(self, results: sql_pb2.Results) -> sql_pb2.Results:
        """The reply is full; what if that was all?"""
        if self._outcome is None and self._index + 1 >= len(self._statements):
            await self._session.end_implicit()
            self.finished = True
        else:
            results.more = True
        return results

    @property
    def _more(self) -> bool:
        return self._next < len(self._rows) or self._source is not None

    async def _start(self, results: sql_pb2.Results) -> None:
        self._index += 1
        statement = self._statements[self._index]
        outcome = await self._session.run(statement, self._prepared, self._parameters)
        if outcome.copy is not None:
            raise SqlError(
                "0A000", "COPY is not supported over gRPC", hint="Use the PostgreSQL protocol."
            )
        self._outcome = outcome
        self._count = self._next = 0
        self._rows, self._source = [], None
        if isinstance(outcome.rows, list):
            self._rows = outcome.rows
            if self._index + 1 == len(self._statements):
                await self._session.end_implicit()
        else:
            self._source = outcome.rows
        if outcome.columns is not None:
            part = sql_pb2.ResultPart(statement=self._index)
            part.columns.extend(_columns(outcome.columns))
            results.parts.append(part)
            self._encode = _encoder(outcome.columns, self._session.settings.io)

    async def _take(self, wanted: int) -> list[Row]:
        if self._next >= len(self._rows) and self._source is not None:
            try:
                self._rows, self._next = await anext(self._source), 0
            except StopAsyncIteration:
                self._rows, self._next, self._source = [], 0, None
        piece = self._rows[self._next : self._next + wanted]
        self._next += len(piece)
        self._count += len(piece)
        return piece

    async def _finish_statement(self, results: sql_pb2.Results) -> None:
        outcome, self._outcome = self._outcome, None
        if outcome is None:
            return
        tag = outcome.tag
        if outcome.columns is not None:
            tag = complete_tag(tag, self._count)
        if self._index + 1 == len(self._statements):
            await self._session.end_implicit()
        results.parts.append(sql_pb2.ResultPart(statement=self._index, command_tag=tag))

    async def abandon(self) -> None:
        """The client wants no more: what was not run is not run, and nothing of an implicit
        transaction remains."""
        source, self._source = self._source, None
        closing = getattr(source, "aclose", None)
        if closing is not None:
            await closing()
        self.finished = True


def _columns(columns: Sequence[ResultColumnLike]) -> list[sql_pb2.Column]:
    return [
        sql_pb2.Column(name=column.name, type_oid=column.type.oid, type_modifier=column.type.typmod)
        for column in columns
    ]


_pack: Final = msgspec.msgpack.Encoder().encode


def _encoder(columns: Sequence[ResultColumnLike], settings: IoSettings) -> RowEncoder:
    """Rows to one msgpack array in the SDK mapping."""
    refs = [column.type for column in columns]
    if all(sdk.renderer(ref, settings) is None for ref in refs):
        return _pack
    render = sdk.row_renderer(refs, settings)
    return lambda rows: _pack([render(row) for row in rows])


async def begin_execution(session: Session, request: sql_pb2.Execute) -> Execution:
    """Parse, and bind the parameters. Raises SqlError."""
    if "\0" in request.sql:
        raise SqlError("22021", 'invalid byte sequence for encoding "UTF8": 0x00')
    session.query_text = request.sql
    statements = await session.parse(request.sql)
    if not request.parameters:
        return Execution(session, statements, None, ())
    if len(statements) != 1:
        raise SqlError("42601", "parameters need exactly one statement")
    oids = [value.type_oid for value in request.parameters]
    prepared = await session.prepare("", statements[0], oids)
    if len(prepared.parameter_types) != len(request.parameters):
        raise SqlError(
            "08P01",
            f"{len(request.parameters)} parameters were given, but the statement requires "
            f"{len(prepared.parameter_types)}",
        )
    settings = session.settings.io
    values = [
        _value(value, ref, settings)
        for value, ref in zip(request.parameters, prepared.parameter_types, strict=True)
    ]
    return Execution(session, statements, prepared, values)


def _value(value: sql_pb2.Value, ref: TypeRef, settings: IoSettings) -> Any:
    match value.WhichOneof("kind"):
        case "text":
            if "\0" in value.text:
                raise SqlError("22021", 'invalid byte sequence for encoding "UTF8": 0x00')
            return text_io.parse(ref, value.text, settings)
        case "binary":
            return binary_io.parse(ref, value.binary)
        case _:
            return None
