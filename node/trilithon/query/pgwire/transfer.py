"""Results on their way out, COPY data on its way in."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.catalog_views import object_names
from trilithon.query.pgwire import backend, frontend
from trilithon.query.pgwire.data_rows import Encoder, make_encoder
from trilithon.query.session.copying import CopyIn, CopyOut
from trilithon.query.session.ports import ResultColumnLike, Row
from trilithon.query.session.results import Outcome, complete_tag

if TYPE_CHECKING:
    from trilithon.query.pgwire.connection import Connection
    from trilithon.query.session.session import Session

# Rows encoded between two looks at the output's size.
ROWS_PER_PART: Final = 500
_SHAPES_MAX: Final = 4_000

Columns = Sequence[ResultColumnLike]


class Shapes:
    """Row descriptions and encoders by result shape. Plans are cached and keep their list of columns,
    so its identity finds the shape."""

    def __init__(self) -> None:
        self._known: OrderedDict[Any, tuple[Columns, bytes, Encoder]] = OrderedDict()

    def find(
        self, columns: Columns, formats: Sequence[int], session: Session
    ) -> tuple[Columns, bytes, Encoder]:
        """(columns, RowDescription, encoder); `formats` as Bind has them: none, one, or one each."""
        key = (id(columns), tuple(formats), session.settings.io_key)
        known = self._known.get(key)
        if known is not None and known[0] is columns:
            return known
        codes = full_formats(formats, len(columns))
        shape = (
            columns,
            backend.row_description(columns, codes),
            make_encoder(columns, codes, session.settings.io),
        )
        if any(column.type.oid in object_names.KINDS for column in columns):
            # Names of objects are the session's own business.
            return shape
        self._known[key] = shape
        if len(self._known) > _SHAPES_MAX:
            self._known.popitem(last=False)
        return shape


def full_formats(formats: Sequence[int], count: int) -> Sequence[int]:
    if not formats:
        return (0,) * count
    return tuple(formats) * count if len(formats) == 1 else formats


async def send_outcome(connection: Connection, session: Session, outcome: Outcome) -> str:
    """Send all of an outcome but its CommandComplete; gives the tag. Raises SqlError."""
    if outcome.copy is not None:
        return await run_copy(connection, outcome.copy)
    if outcome.columns is None:
        return outcome.tag
    _, description, encode = connection.listener.shapes.find(
        outcome.columns, outcome.formats, session
    )
    connection.channel.write(description)
    rows = outcome.rows
    if isinstance(rows, list):
        await send_rows(connection, encode, rows)
        return complete_tag(outcome.tag, len(rows))
    count = 0
    async for part in rows:
        count += len(part)
        await send_rows(connection, encode, part)
    return complete_tag(outcome.tag, count)


async def send_rows(connection: Connection, encode: Encoder, rows: list[Row]) -> None:
    channel = connection.channel
    if len(rows) <= ROWS_PER_PART:
        if rows:
            channel.write(encode(rows))
    else:
        for start in range(0, len(rows), ROWS_PER_PART):
            channel.write(encode(rows[start : start + ROWS_PER_PART]))
            await channel.flush_if_large()
    if channel.output_bytes >= 64 * 1024:
        await channel.flush_if_large()


async def run_copy(connection: Connection, copy: CopyIn | CopyOut) -> str:
    if isinstance(copy, CopyIn):
        return await _copy_in(connection, copy)
    channel = connection.channel
    channel.write(backend.copy_response(b"H", copy.options.binary, len(copy.columns)))
    async for parts in copy.parts():
        channel.write(backend.copy_data(parts))
        await channel.flush_if_large()
    channel.write(backend.COPY_DONE)
    return copy.tag


async def _copy_in(connection: Connection, copy: CopyIn) -> str:
    channel = connection.channel
    channel.write(backend.copy_response(b"G", copy.options.binary, len(copy.columns)))
    while True:
        if not channel.messages:
            channel.flush()
            await channel.wait()
        kind, body = channel.messages.popleft()
        channel.consumed(body)
        if kind == frontend.COPY_DATA:
            await copy.feed(body)
        elif kind == frontend.COPY_DONE:
            return await copy.finish()
        elif kind == frontend.COPY_FAIL:
            reason = frontend.decode_copy_fail(body)
            raise SqlError("57014", f"COPY from stdin failed: {reason}")
        elif kind not in (frontend.FLUSH, frontend.SYNC):
            if kind == frontend.TERMINATE:
                # Left for the loop, which ends the conversation.
                channel.messages.appendleft((kind, body))
            # What the client thinks this is nobody knows: PostgreSQL ends the connection, too.
            raise frontend.violation(f"unexpected message type 0x{kind:02X} during COPY from stdin")
