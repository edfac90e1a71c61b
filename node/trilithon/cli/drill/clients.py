"""Clients of one Region each: psycopg where it is installed, the SDK beside it.

What they are told is counted by SQLSTATE; a fault may well show. Those that use `run_transaction` and may go
to any Region must be told nothing, that is checked.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Final, Protocol

import trilithon.client
from trilithon.cli import banking
from trilithon.cli.demo import RegionEndpoints
from trilithon.cli.drill.history import History, Micro

READ_TIMEOUT_S: Final = 10.0
_AGAIN_S: Final = 0.02
# Of a list of the history; then the next ones are used.
_APPENDS_PER_LIST: Final = 40
LISTS_AT_ONCE: Final = 8
LISTS: Final = 2000
LIST_SCHEMA: Final = "CREATE TABLE lists (id int PRIMARY KEY, items text NOT NULL)"
_READ_LIST: Final = "SELECT items FROM lists WHERE id = {0}"
_APPEND: Final = "UPDATE lists SET items = items || {0} WHERE id = {1}"
# A commit that was answered with one of these may have happened.
_UNKNOWN: Final = ("08", "40003", "57P01", "57P02", "XX")


class Recorder(Protocol):
    def answered(self, region: str, kind: str, latency_s: float) -> None: ...
    def refused(self, sqlstate: str) -> None: ...


class Told(Exception):
    """A client was told an error. `unknown`: the transaction may have happened all the same."""

    def __init__(self, sqlstate: str, unknown: bool) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate
        self.unknown = unknown


Execute = Callable[[str, tuple[Any, ...]], list[tuple[Any, ...]]]


class PsycopgClient:
    """One connection, made anew when it was lost. Raises ImportError without psycopg."""

    def __init__(self, address: str) -> None:
        import psycopg

        self._psycopg = psycopg
        host, _, port = address.rpartition(":")
        self._where: dict[str, Any] = {
            "host": host,
            "port": int(port),
            "user": "admin",
            "dbname": "postgres",
            "connect_timeout": int(READ_TIMEOUT_S),
        }
        self._connection: Any = None

    def run(self, body: Callable[[Execute], None]) -> None:
        """One transaction. Raises Told."""
        committing = False
        try:
            if self._connection is None or self._connection.closed:
                self._connection = self._psycopg.connect(**self._where)
            connection = self._connection
            try:
                with connection.cursor() as cursor:

                    def execute(sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
                        cursor.execute(sql.format(*["%s"] * len(values)), values)
                        return cursor.fetchall() if cursor.description else []

                    body(execute)
                committing = True
                connection.commit()
            except BaseException:
                with contextlib.suppress(self._psycopg.Error):
                    connection.rollback()
                raise
        except self._psycopg.Error as error:
            state = error.sqlstate or "08006"
            raise Told(state, committing and state.startswith(_UNKNOWN)) from error

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


def transfer_forever(
    region: str,
    address: str,
    accounts: Sequence[uuid.UUID],
    source: random.Random,
    ledger: Ledger,
    pace_s: float,
) -> None:
    """Transfers through psycopg, with no retry of its own: what comes is counted."""
    client = PsycopgClient(address)
    while not ledger.stop.is_set():
        payer, payee = source.sample(accounts, 2)
        note = str(uuid.UUID(int=source.getrandbits(128)))
        statements = banking.transfer(payer, payee, Decimal(source.randint(1, 500)) / 100, note)
        began = time.monotonic()
        try:
            client.run(lambda execute, statements=statements: _all(execute, statements))  # type: ignore[misc]
        except Told as told:
            ledger.refused(told, note)
            ledger.stop.wait(_AGAIN_S)
        else:
            ledger.done(region, note, time.monotonic() - began)
        ledger.stop.wait(pace_s)
    client.close()


def _all(execute: Execute, statements: Sequence[banking.Statement]) -> None:
    for sql, values in statements:
        execute(sql, values)


class Ledger:
    """What became of the raw transfers."""

    def __init__(self, recorder: Recorder, stop: threading.Event) -> None:
        self._recorder = recorder
        self._lock = threading.Lock()
        self.stop = stop
        self.acknowledged_notes: set[str] = set()
        self.refused_notes: set[str] = set()
        self.unknown_notes: set[str] = set()

    def done(self, region: str, note: str, latency_s: float) -> None:
        self._recorder.answered(region, "raw", latency_s)
        with self._lock:
            self.acknowledged_notes.add(note)

    def refused(self, told: Told, note: str) -> None:
        if told.sqlstate != "23514":
            self._recorder.refused(told.sqlstate)
        with self._lock:
            (self.unknown_notes if told.unknown else self.refused_notes).add(note)


def read_forever(
    region: str,
    kind: str,
    endpoint: str,
    keys: Sequence[uuid.UUID],
    recorder: Recorder,
    stop: threading.Event,
) -> None:
    """A reader bound to one Region: it shows when that Region serves, and what it says when not."""
    sql = banking.numbered(banking.BALANCE, 1)
    turn = 0
    with trilithon.client.connect(
        endpoint, connect_timeout_s=READ_TIMEOUT_S, statement_timeout_s=READ_TIMEOUT_S
    ) as client:
        while not stop.is_set():
            began = time.monotonic()
            turn += 1
            try:
                client.execute(sql, [keys[turn % len(keys)]])
            except (trilithon.client.DatabaseError, trilithon.client.ConnectionLost) as error:
                recorder.refused(error.sqlstate)
                stop.wait(_AGAIN_S)
            else:
                recorder.answered(region, kind, time.monotonic() - began)
                stop.wait(0.01)


# ---- list-append


class Lists:
    """Which lists are in use, and unique values; shared by all appenders."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = 0

    def value(self) -> int:
        with self._lock:
            self._next += 1
            return self._next

    def keys(self) -> range:
        with self._lock:
            first = self._next // _APPENDS_PER_LIST
        return range(
            min(first, LISTS - LISTS_AT_ONCE), min(first, LISTS - LISTS_AT_ONCE) + LISTS_AT_ONCE
        )

    def plan(self, source: random.Random) -> list[Micro]:
        """A transaction: one to three reads, mostly with an append or two."""
        keys = source.sample(self.keys(), 3)
        micros: list[Micro] = [("r", key, None) for key in keys[: source.randint(1, 3)]]
        for key in keys[: source.choice((0, 1, 1, 2))]:
            micros.append(("append", key, self.value()))
        source.shuffle(micros)
        return micros


def parse_items(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part]


def _run_micros(execute: Execute, micros: Sequence[Micro]) -> Iterator[Micro]:
    for kind, key, value in micros:
        if kind == "append":
            execute(_APPEND, (f",{value}", key))
            yield kind, key, value
        else:
            [(items,)] = execute(_READ_LIST, (key,))
            yield kind, key, parse_items(items)


@contextlib.contextmanager
def _noted(
    history: History, process: int, client: str, micros: Sequence[Micro]
) -> Iterator[list[Micro]]:
    """Adds the transaction to the history: with what the block put into the list, if it succeeds."""
    done: list[Micro] = []
    invoked_s = history.now_s()
    try:
        yield done
    except Told as told:
        history.add(process, client, invoked_s, "info" if told.unknown else "fail", micros)
        raise
    except BaseException:
        history.add(process, client, invoked_s, "info", micros)
        raise
    history.add(process, client, invoked_s, "ok", done)


def append_with_psycopg(
    region: str,
    address: str,
    process: int,
    lists: Lists,
    history: History,
    recorder: Recorder,
    stop: threading.Event,
    pace_s: float,
) -> None:
    source = random.Random(process)
    client = PsycopgClient(address)
    while not stop.is_set():
        micros = lists.plan(source)
        try:
            with _noted(history, process, f"psycopg {process} in {region}", micros) as done:

                def body(
                    execute: Execute, done: list[Micro] = done, micros: list[Micro] = micros
                ) -> None:
                    done[:] = _run_micros(execute, micros)

                client.run(body)
        except Told as told:
            recorder.refused(told.sqlstate)
            stop.wait(_AGAIN_S)
        stop.wait(pace_s)
    client.close()


def append_with_sdk(
    ends: Sequence[RegionEndpoints],
    process: int,
    lists: Lists,
    history: History,
    stop: threading.Event,
    pace_s: float,
) -> None:
    """`ends`: its own Region first. It must be told no error at all."""
    source = random.Random(process)
    with trilithon.client.connect([end.grpc for end in ends]) as client:
        while not stop.is_set():
            micros = lists.plan(source)
            with _noted(history, process, f"SDK {process} in {ends[0].region}", micros) as done:

                def body(
                    transaction: trilithon.client.Transaction,
                    done: list[Micro] = done,
                    micros: list[Micro] = micros,
                ) -> None:
                    def execute(sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
                        sql = banking.numbered(sql, len(values))
                        return transaction.execute(sql, values).rows

                    done[:] = _run_micros(execute, micros)

                client.run_transaction(body)
            stop.wait(pace_s)
