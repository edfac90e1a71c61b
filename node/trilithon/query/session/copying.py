"""COPY ... FROM STDIN and TO STDOUT: between the transport's bytes and the engine's rows.

The transport carries out what `copy_statement` returns in its Outcome: it feeds a CopyIn with what
the client sends, or sends what a CopyOut gives. Server files and programs are refused.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.parse.statement import Node, Statement, derive
from trilithon.query.session import copy_format
from trilithon.query.session.copy_options import CopyOptions, parse_options
from trilithon.query.session.ports import CopyTarget, ResultColumnLike
from trilithon.query.session.results import Outcome
from trilithon.types import binary_io, text_io

if TYPE_CHECKING:
    from trilithon.query.session.session import Session

# Rows that go to the engine together.
BATCH_ROWS: Final = 1_000


async def copy_statement(session: Session, statement: Statement) -> Outcome:
    body = statement.body
    if "filename" in body or body.get("is_program"):
        raise SqlError(
            "0A000",
            "COPY to or from a file or program on the server is not supported",
            hint="Use COPY FROM STDIN or COPY TO STDOUT; psql's \\copy does it for local files.",
        )
    is_from = bool(body.get("is_from"))
    options = parse_options(body.get("options", ()), is_from=is_from)
    if is_from:
        return await _copy_from(session, statement, options)
    return await _copy_to(session, statement, options)


# ---- FROM STDIN


async def _copy_from(session: Session, statement: Statement, options: CopyOptions) -> Outcome:
    modes = session.settings.modes
    transaction = await session.begin_transaction()
    modes = session.settings.modes
    if modes is not None and modes.read_only:
        raise SqlError("25006", "cannot execute COPY FROM in a read-only transaction")
    if "whereClause" in statement.body:
        raise SqlError("0A000", "COPY FROM ... WHERE is not supported")
    target = await session.engine.copy_in(statement, transaction, session.settings)
    relation = statement.body["relation"]["relname"]
    return Outcome("COPY", copy=CopyIn(session, target, options, relation))


class CopyIn:
    """`feed` what arrives, then `finish`; any SqlError has the place of the bad line in `where`."""

    def __init__(
        self, session: Session, target: CopyTarget, options: CopyOptions, relation: str
    ) -> None:
        self.options = options
        self.columns: Sequence[ResultColumnLike] = target.columns
        self.count = 0
        self._session = session
        self._target = target
        self._relation = relation
        self._reader = copy_format.make_reader(options, len(target.columns))
        self._parsers = [_parser(column, options, session) for column in target.columns]
        self._unforce = _unforcing(options, target.columns)
        self._batch: list[tuple[Any, ...]] = []
        self._context = session.context(())
        self._header_checked = False

    async def feed(self, data: bytes) -> None:
        """Raises SqlError."""
        self._take(self._reader.feed(data))
        while len(self._batch) >= BATCH_ROWS:
            batch, self._batch = self._batch[:BATCH_ROWS], self._batch[BATCH_ROWS:]
            await self._insert(batch)

    async def finish(self) -> str:
        """The command tag. Raises SqlError."""
        self._take(self._reader.finish())
        if self._batch:
            batch, self._batch = self._batch, []
            await self._insert(batch)
        await self._target.finish(self._context)
        return f"COPY {self.count}"

    async def _insert(self, batch: list[tuple[Any, ...]]) -> None:
        await self._target.insert(batch, self._context)
        self.count += len(batch)

    def _take(self, rows: list[copy_format.Fields]) -> None:
        if not self._header_checked and self._reader.header is not None:
            self._check_header(self._reader.header)
        parsers = self._parsers
        expected = len(parsers)
        first_line = self._reader.line_number - len(rows) + 1
        for index, fields in enumerate(rows):
            try:
                if len(fields) != expected:
                    raise self._wrong_count(len(fields))
                if self._unforce is not None:
                    fields = self._unforce(fields)
                self._batch.append(
                    tuple(
                        [
                            None if field is None else parse(field)
                            for parse, field in zip(parsers, fields, strict=True)
                        ]
                    )
                )
            except SqlError as error:
                error.where = f"COPY {self._relation}, line {first_line + index}"
                raise

    def _wrong_count(self, count: int) -> SqlError:
        if count > len(self._parsers):
            return SqlError("22P04", "extra data after last expected column")
        return SqlError("22P04", f'missing data for column "{self.columns[count].name}"')

    def _check_header(self, header: list[str]) -> None:
        self._header_checked = True
        if self.options.header != "match":
            return
        names = [column.name for column in self.columns]
        if header != names:
            raise SqlError(
                "22P04",
                "column name mismatch in header line",
                detail=f"Expected {', '.join(names)}, got {', '.join(header)}.",
            )


def _parser(
    column: ResultColumnLike, options: CopyOptions, session: Session
) -> Callable[[Any], Any]:
    if options.binary:
        return binary_io.parser(column.type)
    return text_io.parser(column.type, session.settings.io)


def _unforcing(
    options: CopyOptions, columns: Sequence[ResultColumnLike]
) -> Callable[[copy_format.Fields], copy_format.Fields] | None:
    """FORCE_NULL and FORCE_NOT_NULL."""
    if not (options.force_null or options.force_not_null):
        return None
    names = [column.name for column in columns]
    nulls = _chosen(options.force_null, names)
    not_nulls = _chosen(options.force_not_null, names)
    null = options.null

    def force(fields: copy_format.Fields) -> copy_format.Fields:
        return [
            null if field is None and not_null else None if field == null and is_null else field
            for field, is_null, not_null in zip(fields, nulls, not_nulls, strict=True)
        ]

    return force


def _chosen(wanted: Sequence[str], names: Sequence[str]) -> list[bool]:
    if "*" not in wanted:
        for one in wanted:
            if one not in names:
                raise SqlError("42703", f'column "{one}" does not exist')
    return ["*" in wanted or name in wanted for name in names]


# ---- TO STDOUT


async def _copy_to(session: Session, statement: Statement, options: CopyOptions) -> Outcome:
    body = statement.body
    query = body.get("query") or _select_of(body)
    inner = derive(statement, query)
    if inner.kind != "query":
        raise SqlError("0A000", "COPY query must have a result")
    outcome = await session.run(inner)
    if outcome.columns is None:
        raise SqlError("0A000", "COPY query must have a RETURNING clause")
    return Outcome("COPY", copy=CopyOut(session, outcome, options))


def _select_of(body: Node) -> Node:
    """COPY table (columns) TO is SELECT columns FROM table."""
    fields: list[Node] = [{"A_Star": {}}]
    names = body.get("attlist")
    columns = [[{"String": name["String"]}] for name in names] if names else [fields]
    targets = [{"ResTarget": {"val": {"ColumnRef": {"fields": one}}}} for one in columns]
    return {
        "SelectStmt": {
            "targetList": targets,
            "fromClause": [{"RangeVar": body["relation"]}],
            "limitOption": "LIMIT_OPTION_DEFAULT",
            "op": "SETOP_NONE",
        }
    }


class CopyOut:
    """`parts` gives the messages' contents, one per row, a list at a time."""

    def __init__(self, session: Session, outcome: Outcome, options: CopyOptions) -> None:
        self.options = options
        self.columns: Sequence[ResultColumnLike] = outcome.columns or ()
        self.count = 0
        self._outcome = outcome
        settings = session.settings.io
        self._renderers: list[Callable[[Any], Any]] = [
            binary_io.renderer(column.type)
            if options.binary
            else text_io.renderer(column.type, settings)
            for column in self.columns
        ]
        self._forced = _chosen(options.force_quote, [column.name for column in self.columns])

    async def parts(self) -> AsyncIterator[list[bytes]]:
        if self.options.binary:
            yield [copy_format.BINARY_HEADER]
        elif self.options.header:
            yield [self._line([column.name for column in self.columns])]
        rows = self._outcome.rows
        if isinstance(rows, list):
            for start in range(0, len(rows), BATCH_ROWS):
                yield self._lines(rows[start : start + BATCH_ROWS])
        else:
            async for part in rows:
                yield self._lines(part)
        if self.options.binary:
            yield [copy_format.BINARY_TRAILER]

    @property
    def tag(self) -> str:
        return f"COPY {self.count}"

    def _lines(self, rows: Sequence[Sequence[Any]]) -> list[bytes]:
        self.count += len(rows)
        renderers = self._renderers
        return [
            self._line(
                [
                    None if value is None else render(value)
                    for render, value in zip(renderers, row, strict=True)
                ]
            )
            for row in rows
        ]

    def _line(self, fields: list[Any]) -> bytes:
        match self.options.format:
            case "binary":
                return copy_format.write_binary(fields)
            case "csv":
                return copy_format.write_csv(fields, self.options, self._forced)
            case _:
                return copy_format.write_text(fields, self.options)
