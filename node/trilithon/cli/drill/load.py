"""The whole load of a drill: clients of every kind in every Region, and what they saw.

Per Region: transfers and list-appends through the SDK's `run_transaction` (they prefer their Region and may go
to others), readers that add everything up, readers bound to the Region of a row nobody writes ("read") and of
rows that are being written ("busy"), and, where psycopg is installed, transfers and list-appends through it.
All of them wait a little between two requests: a fault is to be seen, not a machine's limit.
"""

from __future__ import annotations

import importlib.util
import random
import threading
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

import trilithon.client
from trilithon.cli import banking, demo
from trilithon.cli.drill import clients
from trilithon.cli.drill.history import History
from trilithon.cli.drill.judge import judge
from trilithon.cli.drill.outcome import Outcome, Sample

OPENING: Final = Decimal("500.00")
ACCOUNTS: Final = 40
_PACE_S: Final = 0.02
_WORKERS: Final = 2
_QUIET_ROWS: Final = 2
_FILL_ROWS: Final = 500
_JOIN_S: Final = 3 * clients.READ_TIMEOUT_S


class Recorder:
    """Clients' answers, from many threads."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self._lock = threading.Lock()
        self.began = time.monotonic()

    def answered(self, region: str, kind: str, latency_s: float) -> None:
        sample = Sample(time.monotonic() - self.began, region, kind, latency_s)
        with self._lock:
            self._outcome.samples.append(sample)

    def refused(self, sqlstate: str) -> None:
        with self._lock:
            self._outcome.errors[sqlstate] += 1


class Load:
    """`start`, faults, `stop`, `check`."""

    def __init__(
        self,
        db: trilithon.client.Client,
        ends: Sequence[demo.RegionEndpoints],
        outcome: Outcome,
    ) -> None:
        self.recorder = Recorder(outcome)
        self._db = db
        self._outcome = outcome
        self._stop = threading.Event()
        self._lists = clients.Lists()
        self._history = History()
        self._ledger = clients.Ledger(self.recorder, self._stop)
        self._threads: list[threading.Thread] = []
        for sql in (*banking.SCHEMA, clients.LIST_SCHEMA):
            db.execute(sql)
        for first in range(0, clients.LISTS, _FILL_ROWS):
            rows = ", ".join(f"({key}, '')" for key in range(first, first + _FILL_ROWS))
            db.execute(f"INSERT INTO lists (id, items) VALUES {rows}")
        self._accounts = demo.open_accounts(db, ACCOUNTS, OPENING)
        self._quiet = demo.open_accounts(db, _QUIET_ROWS, OPENING)
        self._transfers = demo.Load(
            ends,
            self._accounts,
            workers=_WORKERS,
            pace_s=_PACE_S,
            committed=self.recorder.answered,
        )
        outcome.psycopg = importlib.util.find_spec("psycopg") is not None
        for index, end in enumerate(ends):
            self._plan_region(10 * index, end, [end, *(one for one in ends if one is not end)])

    def _plan_region(
        self,
        number: int,
        end: demo.RegionEndpoints,
        ends: Sequence[demo.RegionEndpoints],
    ) -> None:
        recorder, stop, region = self.recorder, self._stop, end.region
        for kind, rows in (("read", self._quiet), ("busy", self._accounts)):
            self._add(clients.read_forever, region, kind, end.grpc, rows, recorder, stop)
        appending = (self._lists, self._history)
        self._add(clients.append_with_sdk, ends, number, *appending, stop, _PACE_S)
        if self._outcome.psycopg:
            address = end.postgresql
            more = (*appending, recorder, stop, _PACE_S)
            self._add(clients.append_with_psycopg, region, address, number + 1, *more)
            source = random.Random(number)
            transfers = (self._accounts, source, self._ledger, _PACE_S)
            self._add(clients.transfer_forever, region, address, *transfers)

    def _add(self, target: Callable[..., None], *arguments: object) -> None:
        def guarded() -> None:
            try:
                target(*arguments)
            except Exception as error:  # told at the end, with the other checks
                self._outcome.client_errors.append(f"{type(error).__name__}: {error}")

        self._threads.append(threading.Thread(target=guarded, daemon=True))

    def start(self) -> None:
        self._transfers.start()
        for thread in self._threads:
            thread.start()

    def wait_for_commits(self, count: int, limit_s: float) -> None:
        """Until `count` more transfers were acknowledged. Raises demo.CheckFailed after `limit_s`."""
        self._transfers.wait_for_commits(count, limit_s)

    def stop(self) -> None:
        self._stop.set()
        self._outcome.report = self._transfers.stop()
        for thread in self._threads:
            thread.join(timeout=_JOIN_S)
        self._outcome.report.acknowledged |= self._ledger.acknowledged_notes
        self._outcome.report.refused |= self._ledger.refused_notes
        self._outcome.unknown_transfers = len(self._ledger.unknown_notes)
        self._outcome.history = self._history.operations

    def check(self) -> None:
        """Every promise. Raises demo.CheckFailed, which says what was broken."""
        outcome = self._outcome
        told = [*outcome.report.errors, *outcome.client_errors]
        demo.check(not told, "; ".join(told[:3]))
        everyone = [*self._accounts, *self._quiet]
        demo.check_ledger(self._db, everyone, OPENING, outcome.report)
        last = {
            key: clients.parse_items(items)
            for key, items in self._db.execute("SELECT id, items FROM lists").rows
        }
        outcome.verdict = judge(outcome.history, last)
        demo.check(not outcome.verdict.violations, "; ".join(outcome.verdict.violations[:3]))
