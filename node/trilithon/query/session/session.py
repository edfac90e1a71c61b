"""One session: its transaction, its statements, its portals, its settings.

A transport drives a session from one task: `run` executes a statement and gives an Outcome,
`end_implicit` commits what ran outside a block (at the end of a simple query, at Sync), `fail` turns
whatever was raised into the error to report and moves the transaction on. Around each stretch of work
it says `busy = True … work_done()`, which is what cancel and the timeouts go by.

State (`block`): IDLE → IMPLICIT (until end_implicit) or BLOCK (BEGIN … COMMIT) → FAILED after an
error in a block, until ROLLBACK. The engine's transaction begins with the first statement that needs
a snapshot, so BEGIN itself costs nothing.
"""

from __future__ import annotations

import asyncio
import logging
import random
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from trilithon.core.errors import Overloaded, SqlError, Unavailable
from trilithon.core.ids import format_id
from trilithon.core.world import Clock
from trilithon.expression.context import EvalContext
from trilithon.query.catalog_views import object_names
from trilithon.query.parse.parser import parse_plain
from trilithon.query.parse.statement import Statement
from trilithon.query.session import control, handlers
from trilithon.query.session.block import Block
from trilithon.query.session.ports import EngineLike, TransactionLike, TransactionManagerLike
from trilithon.query.session.prepared import Portal, PreparedStatement
from trilithon.query.session.results import Outcome, command_name
from trilithon.query.session.settings import Modes, SessionSettings
from trilithon.query.transaction.timings import TransactionTimings

_log = logging.getLogger("trilithon.query")

# Microseconds from 1970 to 2000, where SQL's time begins.
EPOCH_2000_US: Final = 946_684_800_000_000
LONG_CHARACTERS: Final = 64 * 1024
NOTICES_MAX: Final = 1_000
SAVEPOINTS_MAX: Final = 10_000


@dataclass(slots=True)
class SessionCounters:
    """Shared by all sessions of a query processor."""

    statements: int = 0
    commits: int = 0
    rollbacks: int = 0
    conflicts: int = 0
    unknown_outcomes: int = 0
    errors: int = 0
    transactions_open: int = 0


@dataclass(slots=True)
class SessionServices:
    """What all sessions of a query processor share."""

    engine: EngineLike
    transactions: TransactionManagerLike
    clock: Clock
    random: random.Random
    transaction_age_us: int = 300_000_000
    row_bytes: int = 2 * 1024 * 1024
    counters: SessionCounters = field(default_factory=SessionCounters)
    # Sessions that are open, for pg_stat_activity.
    live: weakref.WeakSet[Session] = field(default_factory=weakref.WeakSet)
    # In µs since 2000.
    started_us: int = 0

    def __post_init__(self) -> None:
        self.started_us = self.clock.wall_us() - EPOCH_2000_US


class Session:
    """See the module. `terminate` is set by the transport: it ends the session with a FATAL error."""

    def __init__(
        self,
        services: SessionServices,
        user: str,
        database: str,
        *,
        backend_id: int = 0,
        client_address: str = "",
    ) -> None:
        self.services = services
        self.engine = services.engine
        # Optional: engine.first_read(statement, oids, parameters, settings) → FirstRead or None.
        self._expect = getattr(services.engine, "first_read", None)
        self.clock = services.clock
        self.counters = services.counters
        self.settings = SessionSettings(user, database)
        self.backend_id = backend_id
        self.client_address = client_address
        self.started_us = self.now_us()
        self.state_changed_us = self.started_us
        # The catalog of the transaction that ended last: rows of it may still be on their way out.
        self._last_catalog: Any = None
        self.settings.io.object_name = self._object_name
        self.terminate: Callable[[SqlError], None] | None = None
        self.task: asyncio.Task[Any] | None = None

        self.block = Block.IDLE
        self.transaction: TransactionLike | None = None
        # Names of open savepoints, oldest first; the engine's transaction knows them by number.
        self.savepoints: list[tuple[str, str]] = []
        self.transaction_time_us = 0
        self.statement_time_us = 0
        self.last_transaction_id = b""
        self.last_snapshot_csn = 0
        self.last_commit_csn = 0
        # Of the last transaction that had something to commit.
        self._last_timings: TransactionTimings | None = None

        self.statements: dict[str, PreparedStatement] = {}
        self.portals: dict[str, Portal] = {}
        self.notices: list[SqlError] = []
        self.query_text = ""

        self.busy = False
        self.committing = False
        self.expired = False
        self._savepoint_number = 0
        self._begun_us = 0
        self._cancel_reason = ""
        self._statement_timer: asyncio.TimerHandle | None = None
        self._idle_timer: asyncio.TimerHandle | None = None
        services.live.add(self)

    # ---- running statements

    async def parse(self, sql: str) -> Sequence[Statement]:
        """The statements of a text. Raises SqlError 42601 and kin. Long texts are parsed beside the
        event loop: nobody else waits for them."""
        if len(sql) > LONG_CHARACTERS:
            return await asyncio.to_thread(parse_plain, sql)
        return self.engine.parse(sql)

    async def run(
        self,
        statement: Statement,
        prepared: PreparedStatement | None = None,
        parameters: Sequence[Any] = (),
    ) -> Outcome:
        """Execute one statement in the current transaction, beginning an implicit one if need be.

        Raises SqlError; the transport then calls `fail`.
        """
        self.counters.statements += 1
        if self._statement_timer is not None or self.settings.statement_timeout_ms:
            self._arm_statement_timer()
        if self.block is Block.FAILED:
            control.check_failed(statement)
        elif self.block is not Block.IDLE and not control.is_ending(statement):
            self.check_age()
        handler = handlers.HANDLERS.get(statement.kind)
        if handler is not None:
            return await handler(self, statement)
        if prepared is None:
            control.refuse_parameters(statement)
        oids = prepared.parameter_oids if prepared is not None else ()
        transaction = self.transaction
        if transaction is None:
            first_read = None
            if self._expect is not None:
                first_read = self._expect(statement, oids, parameters, self.settings)
            transaction = await self.begin_transaction(first_read)
        plan = await self.engine.prepare(statement, transaction, oids, self.settings)
        modes = self.settings.modes
        if modes is not None and modes.read_only and not plan.read_only:
            raise SqlError(
                "25006", f"cannot execute {command_name(statement)} in a read-only transaction"
            )
        if prepared is not None and prepared.plan is not plan:
            _check_same_columns(prepared, plan.columns)
            prepared.plan = plan
        result = await self.engine.execute(plan, transaction, parameters, self.context(parameters))
        return Outcome(result.command_tag, plan.columns, result.rows)

    def resume(self) -> None:
        """Before more rows of a statement that ran earlier are fetched. Raises SqlError."""
        if self._statement_timer is not None or self.settings.statement_timeout_ms:
            self._arm_statement_timer()
        if self.block is Block.FAILED:
            raise control.failed_transaction()
        self.check_age()

    async def run_derived(self, statement: Statement, parameters: Sequence[Any] = ()) -> Outcome:
        """Run a statement that the session composed itself, within the current statement."""
        transaction = await self.begin_transaction()
        plan = await self.engine.prepare(statement, transaction, (), self.settings)
        result = await self.engine.execute(plan, transaction, parameters, self.context(parameters))
        return Outcome(result.command_tag, plan.columns, result.rows)

    async def prepare(
        self, name: str, statement: Statement | None, parameter_oids: Sequence[int]
    ) -> PreparedStatement:
        """Analyse a statement without running it. Raises SqlError."""
        prepared = PreparedStatement(name, statement, parameter_oids, prepared_at_us=self.now_us())
        if statement is None:
            return prepared
        if self.block is Block.FAILED:
            control.check_failed(statement)
        if statement.kind in handlers.HANDLERS:
            await handlers.describe(self, statement, prepared)
            return prepared
        transaction = await self.begin_transaction()
        plan = await self.engine.prepare(statement, transaction, parameter_oids, self.settings)
        prepared.plan = plan
        prepared.parameter_types = plan.parameter_types
        # Later analyses (the catalog may have moved) must infer the same types.
        prepared.parameter_oids = tuple(ref.oid for ref in plan.parameter_types)
        prepared.columns = plan.columns
        return prepared

    def context(self, parameters: Sequence[Any]) -> EvalContext:
        return EvalContext(
            parameters=parameters,
            transaction_time_us=self.transaction_time_us,
            statement_time_us=self.statement_time_us,
            settings=self.settings.io,
            random=self.services.random,
            session=self,
            clock_us=self.now_us,
        )

    def now_us(self) -> int:
        """The time of day, in µs since 2000."""
        return self.clock.wall_us() - EPOCH_2000_US

    def start_statement(self) -> None:
        """A message with statements arrived: statement_timestamp() is now."""
        self.statement_time_us = self.now_us()
        if self.block is Block.IDLE:
            self.transaction_time_us = self.statement_time_us

    # ---- the transaction

    def enter(self, block: Block, modes: Modes | None = None) -> None:
        """Leave IDLE."""
        settings = self.settings
        if modes is None:
            modes = settings.default_modes
        settings.begin()
        settings.modes = modes
        self.block = block
        self._begun_us = self.clock.monotonic_us()
        self.counters.transactions_open += 1
        if self.statement_time_us == 0:
            self.start_statement()
        self.transaction_time_us = self.statement_time_us
        settings.io.now_us = self.statement_time_us

    async def begin_transaction(self, first_read: Any = None) -> TransactionLike:
        """The engine's transaction, begun now if it was not yet; `first_read` travels beside the
        snapshot request."""
        if self.block is Block.IDLE:
            self.enter(Block.IMPLICIT)
        transaction = self.transaction
        if transaction is None:
            modes = self.settings.modes
            options: dict[str, Any] = {} if first_read is None else {"first_read": first_read}
            leaseless = self.settings.leaseless
            if leaseless is not None:
                options["leaseless"] = leaseless
            transaction = await self.services.transactions.begin(
                read_only=modes is not None and modes.read_only,
                serializable=modes is not None and modes.serializable,
                **options,
            )
            if leaseless is not None and modes is not None and transaction.read_only:
                # A snapshot of the past, or a stale one, is for reading.
                self.settings.modes = replace(modes, read_only=True)
            self.transaction = transaction
            self.last_transaction_id = transaction.id
            self.last_snapshot_csn = transaction.snapshot_csn
            self.last_commit_csn = 0
        return transaction

    async def end_implicit(self) -> None:
        """Commit what ran outside a block. Raises SqlError; the session is idle afterwards anyway."""
        if self.block is Block.IMPLICIT:
            await self.commit()

    async def commit(self) -> None:
        """Commit and become idle, whatever comes of it. Raises SqlError."""
        transaction = self.transaction
        try:
            if self.block is Block.BLOCK:
                self.check_age()
            if self.portals and any(portal.hold for portal in self.portals.values()):
                await self._keep_held_portals()
            if transaction is not None:
                self.committing = True
                result = await transaction.commit()
                self.last_commit_csn = result.csn
                if result.csn:
                    self._last_timings = getattr(transaction, "timings", None)
        except SqlError as error:
            self._lose(error)
            raise
        except Exception as error:
            if not self.committing or self._is_committed():
                self._lose(error)
                raise
            # Handed over, and nobody told what became of it.
            lost = SqlError("40003", "the outcome of the commit is unknown")
            self._lose(lost)
            raise lost from error
        except asyncio.CancelledError as error:
            self._lose(error)
            raise
        else:
            self.counters.commits += 1
            self._leave(committed=True)
        finally:
            self.committing = False

    def rollback(self) -> None:
        """Give up the transaction and become idle."""
        if self.block is Block.IDLE:
            return
        if self.transaction is not None:
            self.transaction.rollback()
        self.counters.rollbacks += 1
        self._leave(committed=False)

    def _leave(self, *, committed: bool) -> None:
        settings = self.settings
        if committed:
            settings.commit()
        else:
            settings.rollback()
        settings.modes = None
        self.block = Block.IDLE
        self._last_catalog = self.catalog
        self.transaction = None
        self.expired = False
        if self.savepoints:
            self.savepoints = []
        if self.portals:
            for portal in self.portals.values():
                if committed and portal.hold:
                    portal.depth = -1
            # A depth of -1 marks what belongs to no transaction any more.
            self.portals = {name: one for name, one in self.portals.items() if one.depth < 0}
        self.counters.transactions_open -= 1

    async def _keep_held_portals(self) -> None:
        """WITH HOLD cursors outlive their transaction: their rows are fetched now."""
        for portal in self.portals.values():
            if portal.hold and portal.depth >= 0:
                await portal.materialise()

    def _is_committed(self) -> bool:
        """The engine's transaction says so, while it waits for something else within its commit."""
        state = getattr(self.transaction, "state", None)
        return self.committing and getattr(state, "value", "") == "committed"

    @property
    def deaf(self) -> bool:
        """A commit is under way: its outcome must be heard, so nothing may cancel this session."""
        return self.committing and not self._is_committed()

    def _lose(self, error: BaseException) -> None:
        """A commit failed: count it, name the transaction where nobody knows its outcome."""
        if self._is_committed():
            # What failed came after it: waiting for an index to be built, for example.
            self.counters.commits += 1
            self._leave(committed=True)
            return
        if self.transaction is not None and not self.committing:
            self.transaction.rollback()
        if isinstance(error, SqlError) and error.sqlstate == "40001":
            self.counters.conflicts += 1
        elif isinstance(error, SqlError) and error.sqlstate == "40003":
            self.counters.unknown_outcomes += 1
            name = format_id(self.last_transaction_id)
            if name not in error.detail and name not in error.hint:
                error.detail = f"{error.detail} Transaction id {name}.".strip()
            if not error.hint:
                error.hint = "Ask for the transaction's status before running it again."
        self.counters.rollbacks += 1
        self._leave(committed=False)

    def savepoint(self, name: str, transaction: TransactionLike) -> None:
        if len(self.savepoints) >= SAVEPOINTS_MAX:
            raise SqlError("54000", f"more than {SAVEPOINTS_MAX} savepoints in one transaction")
        self._savepoint_number += 1
        number = f"s{self._savepoint_number}"
        transaction.savepoint(number)
        self.settings.savepoint(name)
        self.savepoints.append((name, number))

    def drop_portals_above(self, depth: int) -> None:
        """After ROLLBACK TO: what was opened since is gone."""
        for name in [name for name, one in self.portals.items() if one.depth > depth]:
            del self.portals[name]

    # ---- failing

    def fail(self, error: BaseException) -> SqlError:
        """The error to report for whatever was raised; the transaction is failed or rolled back.

        Raises the error again when it is none of the session's business (shutdown, a broken
        invariant).
        """
        reported = self._translate(error)
        self.counters.errors += 1
        match self.block:
            case Block.IMPLICIT:
                self.rollback()
            case Block.BLOCK:
                self.block = Block.FAILED
                if self.transaction is not None and not self.savepoints:
                    # Nothing can bring it back: give its buffer up at once.
                    self.transaction.rollback()
                    self.transaction = None
            case _:
                pass
        return reported

    def _translate(self, error: BaseException) -> SqlError:
        match error:
            case SqlError():
                return error
            case asyncio.CancelledError() if self._cancel_reason:
                return self._cancelled()
            case Unavailable() | Overloaded():
                return SqlError("57P03", f"the Region cannot answer now: {error}")
            case RecursionError():
                return SqlError("54001", "stack depth limit exceeded")
            case MemoryError():
                return SqlError("53200", "out of memory")
            case Exception():
                _log.error("a statement failed unexpectedly", exc_info=error)
                return SqlError("XX000", f"internal error: {type(error).__name__}: {error}")
            case _:
                raise error

    # ---- cancel and timeouts

    def cancel(self, reason: str = "user") -> None:
        """Stop the running statement, if one runs and its commit has not begun."""
        if self.busy and not self.deaf and not self._cancel_reason and self.task is not None:
            self._cancel_reason = reason
            self.task.cancel()

    def _cancelled(self) -> SqlError:
        reason = self._cancel_reason
        self._forget_cancel()
        match reason:
            case "timeout":
                return SqlError("57014", "canceling statement due to statement timeout")
            case "age":
                self._expire()
                return self._too_old()
            case _:
                return SqlError("57014", "canceling statement due to user request")

    def _forget_cancel(self) -> None:
        self._cancel_reason = ""
        if self.task is not None:
            self.task.uncancel()

    def work_done(self) -> None:
        """The transport has nothing more to do for now: stop the clocks that run during work, start
        those that run during idleness."""
        self.busy = False
        self.state_changed_us = self.now_us()
        if self._cancel_reason:
            # It was cancelled, but the work ended first.
            self._forget_cancel()
        if self._statement_timer is not None:
            self._statement_timer.cancel()
            self._statement_timer = None
        settings = self.settings
        if self.block is Block.IDLE:
            timeout_ms = settings.idle_timeout_ms
        else:
            timeout_ms = settings.idle_in_transaction_timeout_ms
        if timeout_ms:
            loop = asyncio.get_running_loop()
            self._idle_timer = loop.call_later(timeout_ms / 1000, self._idle_too_long)

    def work_begins(self) -> None:
        self.busy = True
        self.state_changed_us = self.now_us()
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None

    def _idle_too_long(self) -> None:
        self._idle_timer = None
        if self.busy or self.terminate is None:
            return
        if self.block is Block.IDLE:
            error = SqlError("57P05", "terminating connection due to idle-session timeout")
        else:
            error = SqlError("25P03", "terminating connection due to idle-in-transaction timeout")
        error.severity = "FATAL"
        self.terminate(error)

    def _arm_statement_timer(self) -> None:
        if self._statement_timer is not None:
            self._statement_timer.cancel()
            self._statement_timer = None
        timeout_ms = self.settings.statement_timeout_ms
        if timeout_ms:
            loop = asyncio.get_running_loop()
            self._statement_timer = loop.call_later(timeout_ms / 1000, self.cancel, "timeout")

    def check_age(self) -> None:
        """Raises SqlError 54000 when the transaction has become too old."""
        if self.expired or (
            self.block is not Block.IDLE
            and self.clock.monotonic_us() - self._begun_us > self.services.transaction_age_us
        ):
            self._expire()
            raise self._too_old()

    def sweep(self, now_us: int) -> None:
        """Called about once a second: a transaction beyond the age limit loses its buffer, its
        statement is cancelled."""
        if self.block is Block.IDLE or self.committing:
            return
        if now_us - self._begun_us <= self.services.transaction_age_us:
            return
        if self.busy:
            self.cancel("age")
        else:
            self._expire()

    def _expire(self) -> None:
        self.expired = True
        # Without its buffer no savepoint can bring the transaction back.
        if self.transaction is not None:
            self.transaction.rollback()
            self.transaction = None
        self.savepoints = []

    def _too_old(self) -> SqlError:
        seconds = self.services.transaction_age_us // 1_000_000
        return SqlError("54000", f"transaction age limit of {seconds}s exceeded")

    # ---- notices

    def notice(self, sqlstate: str, message: str, *, severity: str = "NOTICE", **more: Any) -> None:
        """Tell the client something beside the result, as far as client_min_messages lets it."""
        if len(self.notices) < NOTICES_MAX and control.passes(
            severity, self.settings.client_min_messages
        ):
            self.notices.append(SqlError(sqlstate, message, severity=severity, **more))

    # ---- the end

    async def close(self) -> None:
        """Roll back and forget everything. Never called while a commit is under way."""
        self.services.live.discard(self)
        self.rollback()
        for portal in list(self.portals.values()):
            await portal.close()
        self.portals.clear()
        self.statements.clear()
        for timer in (self._statement_timer, self._idle_timer):
            if timer is not None:
                timer.cancel()

    # ---- what functions ask (EvalContext.session)

    def current_setting(self, name: str, missing_ok: bool = False) -> str | None:
        try:
            return self.settings.show(name)
        except SqlError:
            if missing_ok:
                return None
            raise

    def set_config(self, name: str, value: str, is_local: bool) -> str:
        control.set_parameter(self, name, value, local=is_local)
        return self.settings.show(name)

    @property
    def last_commit_timings(self) -> str:
        """JSON: where the time of the last commit went that had something to commit."""
        return self._last_timings.to_json() if self._last_timings is not None else "{}"

    @property
    def status_letter(self) -> str:
        """As ReadyForQuery tells it: I idle, T in a transaction, E in a failed one."""
        return {Block.IDLE: "I", Block.FAILED: "E"}.get(self.block, "T")

    @property
    def current_user(self) -> str:
        return self.settings.user

    @property
    def session_user(self) -> str:
        return self.settings.session_user

    @property
    def current_database(self) -> str:
        return self.settings.database

    @property
    def search_path(self) -> tuple[str, ...]:
        return self.settings.search_path

    @property
    def transaction_id(self) -> bytes:
        return self.transaction.id if self.transaction is not None else b""

    @property
    def catalog(self) -> Any:
        """The transaction's catalog, for functions that look objects up; None outside of one."""
        return getattr(self.transaction, "catalog", None)

    def _object_name(self, kind: int, oid: int) -> str:
        """A regclass, or another type of its like, as text."""
        catalog = self.catalog or self._last_catalog
        if catalog is None:
            return str(oid)
        return object_names.render(catalog, self.search_path, kind, oid)


def _check_same_columns(prepared: PreparedStatement, columns: Sequence[Any] | None) -> None:
    """A prepared statement never changes its shape: the client has been told it."""
    before = prepared.columns
    if before is columns or prepared.plan is None:
        return
    if (
        before is None
        or columns is None
        or [(column.name, column.type) for column in before]
        != [(column.name, column.type) for column in columns]
    ):
        raise SqlError("0A000", "cached plan must not change result type")
