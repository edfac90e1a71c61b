"""One SDK session: its requests one after the other, in a task of its own."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.reads.patience import impatient
from trilithon.query.session.block import Block
from trilithon.query.session.session import Session
from trilithon.query.sqlservice.execution import Execution, begin_execution
from trilithon.query.sqlservice.questions import StatusQuestions
from trilithon.v1 import sql_pb2, types_pb2

# Requests that wait for the one before them.
QUEUED_MAX: Final = 64

_STATUS: Final = {
    Block.IDLE: sql_pb2.SessionState.STATUS_IDLE,
    Block.IMPLICIT: sql_pb2.SessionState.STATUS_IDLE,
    Block.BLOCK: sql_pb2.SessionState.STATUS_IN_TRANSACTION,
    Block.FAILED: sql_pb2.SessionState.STATUS_FAILED,
}


def error_message(error: SqlError) -> types_pb2.SqlError:
    return types_pb2.SqlError(
        sqlstate=error.sqlstate,
        message=error.message,
        detail=error.detail,
        hint=error.hint,
        position=error.position,
        severity=error.severity,
        schema_name=error.schema,
        table_name=error.table,
        column_name=error.column,
        constraint_name=error.constraint,
        data_type_name=error.data_type,
    )


class SdkSession:
    """`send` takes replies; `ended` is called once, when the session is gone."""

    def __init__(
        self,
        session_id: int,
        session: Session,
        questions: StatusQuestions,
        send: Callable[[sql_pb2.SqlReply], None],
        ended: Callable[[SdkSession], None],
    ) -> None:
        self.session_id = session_id
        self.session = session
        self._questions = questions
        self._send = send
        self._ended = ended
        self._queue: deque[sql_pb2.SqlRequest] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._execution: Execution | None = None
        self._fetch_rows = 0
        self._ending: SqlError | None = None
        self._closing = False
        self.draining = False
        self.task = asyncio.get_running_loop().create_task(self._run())
        session.task = self.task
        session.terminate = self.end

    # ---- from the stream

    def put(self, item: sql_pb2.SqlRequest) -> None:
        if item.WhichOneof("request") == "cancel":
            # Answered where it stands: what is cancelled answers for itself.
            self.session.cancel()
            self.reply(item.correlation_id, sql_pb2.SqlReply())
            return
        if len(self._queue) >= QUEUED_MAX:
            error = SqlError("53400", f"more than {QUEUED_MAX} requests of one session are waiting")
            self.reply(item.correlation_id, sql_pb2.SqlReply(error=error_message(error)))
            return
        self._queue.append(item)
        self._wake()

    def end(self, error: SqlError) -> None:
        """End the session, as soon as no commit is under way; what waits is answered with `error`."""
        self._ending = error
        if not self.session.deaf:
            self.task.cancel()

    def lost(self) -> None:
        """The stream is gone."""
        self._closing = True
        if not self.session.deaf:
            self.task.cancel()

    @property
    def idle(self) -> bool:
        return not self.session.busy and self.session.block is Block.IDLE

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def reply(self, correlation_id: int, reply: sql_pb2.SqlReply) -> None:
        """One-way requests (correlation id 0) have no reply."""
        if not correlation_id or self._closing:
            return
        reply.correlation_id = correlation_id
        reply.session_id = self.session_id
        session = self.session
        state = reply.state
        state.status = _STATUS[session.block]
        state.transaction_id = session.last_transaction_id
        state.snapshot_csn = session.last_snapshot_csn
        state.commit_csn = session.last_commit_csn
        self._send(reply)

    # ---- the task

    async def _run(self) -> None:
        session = self.session
        try:
            while not self._closing and self._ending is None:
                if not self._queue:
                    session.work_done()
                    if self.draining and session.block is Block.IDLE:
                        break
                    self._waiter = asyncio.get_running_loop().create_future()
                    await self._waiter
                    self._waiter = None
                    continue
                session.work_begins()
                session.start_statement()
                item = self._queue.popleft()
                await self._handle(item)
        except asyncio.CancelledError:
            # Only `end`, `lost` and a stop that waited long enough cancel this task for good.
            pass
        finally:
            session.terminate = None
            self._answer_rest()
            await session.close()
            self._ended(self)

    def _answer_rest(self) -> None:
        error = self._ending or SqlError("08003", "the session is closed", severity="FATAL")
        for item in self._queue:
            self.reply(item.correlation_id, sql_pb2.SqlReply(error=error_message(error)))
        self._queue.clear()

    async def _handle(self, item: sql_pb2.SqlRequest) -> None:
        correlation_id = item.correlation_id
        try:
            reply = await self._answer(item)
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and self._ending is not None:
                self.reply(correlation_id, sql_pb2.SqlReply(error=error_message(self._ending)))
                raise
            self._execution = None
            reply = sql_pb2.SqlReply(error=error_message(self.session.fail(error)))
            self.session.notices.clear()
        self.reply(correlation_id, reply)

    async def _answer(self, item: sql_pb2.SqlRequest) -> sql_pb2.SqlReply:
        match item.WhichOneof("request"):
            case "execute":
                await self._drop_execution()
                self._fetch_rows = item.execute.fetch_rows
                impatient.set(item.execute.impatient)
                self._execution = await begin_execution(self.session, item.execute)
                return await self._proceed()
            case "fetch_more":
                if self._execution is None:
                    raise SqlError("34000", "there is no result to fetch more of")
                self.session.resume()
                return await self._proceed()
            case "transaction_status":
                await self._drop_execution()
                return await self._questions.answer(item.transaction_status)
            case "close":
                await self._drop_execution()
                self.session.rollback()
                self._ending = SqlError("08003", "the session is closed", severity="FATAL")
                return sql_pb2.SqlReply(closed=sql_pb2.SessionClosed())
            case "open":
                raise SqlError("08002", f"session {item.session_id} is open already")
            case _:
                raise SqlError("08P01", "the request says nothing")

    async def _proceed(self) -> sql_pb2.SqlReply:
        execution = self._execution
        if execution is None:
            raise SqlError("34000", "there is no result to fetch more of")
        results = await execution.proceed(self._fetch_rows)
        if execution.finished:
            self._execution = None
        notices = self.session.notices
        if notices:
            results.notices.extend(error_message(notice) for notice in notices)
            notices.clear()
        return sql_pb2.SqlReply(results=results)

    async def _drop_execution(self) -> None:
        execution, self._execution = self._execution, None
        if execution is not None:
            await execution.abandon()
            if self.session.block is Block.IMPLICIT:
                self.session.rollback()


def failure_reply(item: Any, error: SqlError) -> sql_pb2.SqlReply:
    """For requests of no session."""
    return sql_pb2.SqlReply(
        correlation_id=item.correlation_id,
        session_id=item.session_id,
        error=error_message(error),
    )
