"""`trilithon demo banking`: the core-banking ledger against a running cluster, in steps a person
can follow. Every step raises CheckFailed when the database breaks a promise.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import trilithon.client
from trilithon.cli import banking
from trilithon.cli.banking import Refused, Teller


class CheckFailed(Exception):
    """The database did not keep a promise; the text says which."""


def check(condition: bool, promise: str) -> None:
    if not condition:
        raise CheckFailed(promise)


@dataclass(frozen=True, slots=True)
class RegionEndpoints:
    region: str
    postgresql: str
    grpc: str


@dataclass(slots=True)
class LoadReport:
    """What a transfer load did. `stalls_s`: the longest time without a commit, per Region."""

    commits: Counter[str] = field(default_factory=Counter)
    conflicts: Counter[str] = field(default_factory=Counter)
    totals_read: Counter[str] = field(default_factory=Counter)
    stalls_s: dict[str, float] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    # Told that they took no effect.
    refused: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)


def run_banking(
    endpoints: Sequence[RegionEndpoints], console: Console, *, seconds: float, accounts: int
) -> None:
    """The whole demonstration. Raises CheckFailed; leaves its two tables in place."""
    desks: dict[str, list[Teller]] = {}
    for endpoint in endpoints:
        desks[endpoint.region], missing = banking.tellers(endpoint.postgresql, endpoint.grpc)
        for name in missing:
            console.print(f"[yellow]{name} is not installed: its part is left out[/]")
    try:
        _create(desks, console)
        for title, step in STEPS:
            step(desks)
            console.print(f"[green]✓[/] {title}")
        _show_load(endpoints, console, seconds, accounts)
    finally:
        for desk in desks.values():
            for teller in desk:
                teller.close()


Desks = Mapping[str, Sequence[Teller]]


def _create(desks: Desks, console: Console) -> None:
    region, desk = next(iter(desks.items()))
    for sql in (banking.DROP, *banking.SCHEMA):
        desk[0].run([(sql, ())])
    console.print(f"[green]✓[/] created accounts and transactions through Region {region}")


def _everyone(desks: Desks) -> list[tuple[str, Teller]]:
    return [(region, teller) for region, desk in desks.items() for teller in desk]


def read_what_others_wrote(desks: Desks) -> None:
    """Each client transfers in its Region; every client in every Region reads it at once."""
    for _, writer in _everyone(desks):
        source, target = uuid.uuid4(), uuid.uuid4()
        writer.run(banking.open_account(source, Decimal("100.00")))
        writer.run(banking.open_account(target, Decimal("0.00")))
        writer.run(banking.transfer(source, target, Decimal("30.25"), writer.name))
        for region, reader in _everyone(desks):
            ((seen,),) = reader.run([(banking.BALANCE, (target,))])
            check(
                Decimal(seen) == Decimal("30.25"),
                f"{reader.name} in Region {region} read {seen} right after 30.25 was acknowledged",
            )


def refuse_what_is_wrong(desks: Desks) -> None:
    for region, teller in _everyone(desks):
        source, target = uuid.uuid4(), uuid.uuid4()
        teller.run(banking.open_account(source, Decimal("10.00")))
        teller.run(banking.open_account(target, Decimal("0.00")))
        where = f"{teller.name} in Region {region}"
        _expect(teller, banking.transfer(source, target, Decimal("10.01"), ""), "23514", where)
        ((left,),) = teller.run([(banking.BALANCE, (source,))])
        ((got,),) = teller.run([(banking.BALANCE, (target,))])
        check(
            (Decimal(left), Decimal(got)) == (Decimal("10.00"), Decimal("0.00")),
            f"{where}: a refused transfer left {left} and {got} behind",
        )
        bad = "SELECT balance FROM accounts WHERE account_id = 'not-a-uuid'"
        _expect(teller, [(bad, ())], "22P02", where)
        _expect(teller, [("SELECT * FROM no_such_table", ())], "42P01", where)


def _expect(
    teller: Teller, statements: Sequence[banking.Statement], sqlstate: str, where: str
) -> None:
    try:
        teller.run(statements)
    except Refused as refused:
        check(refused.sqlstate == sqlstate, f"{where}: expected {sqlstate}, got {refused}")
    else:
        raise CheckFailed(f"{where}: expected {sqlstate}, but it was accepted")


STEPS: tuple[tuple[str, Callable[[Desks], None]], ...] = (
    (
        "a transfer in one Region is visible to the very next read in every other",
        read_what_others_wrote,
    ),
    (
        "overdrafts, bad values and unknown tables are refused and roll back whole",
        refuse_what_is_wrong,
    ),
)


def open_accounts(client: trilithon.client.Client, count: int, balance: Decimal) -> list[uuid.UUID]:
    ids = [uuid.uuid4() for _ in range(count)]
    sql = banking.numbered(banking.OPEN_ACCOUNT, 4)

    def fill(transaction: trilithon.client.Transaction) -> None:
        for account in ids:
            transaction.execute(sql, (account, uuid.uuid4(), balance, "EUR"))

    client.run_transaction(fill)
    return ids


class Load:
    """Transfers in every Region at once, and readers that add everything up meanwhile.

    Each client prefers its Region's endpoint and goes to the others while it is gone. `committed` is
    told of every transfer, from many threads: (Region, "commit", seconds from first try to answer).
    Each waits `pace_s` between two transactions.
    """

    def __init__(
        self,
        endpoints: Sequence[RegionEndpoints],
        accounts: Sequence[uuid.UUID],
        *,
        workers: int = 4,
        seed: int = 0,
        pace_s: float = 0.0,
        committed: Callable[[str, str, float], None] = lambda *_: None,
    ) -> None:
        self.report = LoadReport()
        self._accounts = accounts
        self._committed = committed
        self._pace_s = pace_s
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._last_commit: dict[str, float] = {}
        self._threads: list[threading.Thread] = []
        self._clients: list[trilithon.client.Client] = []
        for index, endpoint in enumerate(endpoints):
            others = [other.grpc for other in endpoints if other is not endpoint]
            client = trilithon.client.connect([endpoint.grpc, *others])
            self._clients.append(client)
            for worker in range(workers):
                source = random.Random(f"{seed}/{index}/{worker}")
                self._add(self._transfer_forever, endpoint.region, client, source)
            self._add(self._add_up_forever, endpoint.region, client)

    def _add(self, target: Callable[..., None], *arguments: object) -> None:
        self._threads.append(
            threading.Thread(target=self._guard, args=(target, arguments), daemon=True)
        )

    def _guard(self, target: Callable[..., None], arguments: Sequence[object]) -> None:
        try:
            target(*arguments)
        except Exception as error:  # the report tells, the load's owner decides
            with self._lock:
                self.report.errors.append(f"{type(error).__name__}: {error}")

    def start(self) -> None:
        now = time.monotonic()
        for thread in self._threads:
            thread.start()
        self._last_commit = dict.fromkeys(self.report.stalls_s, now)

    def wait_for_commits(self, count: int, limit_s: float) -> None:
        """Until `count` more transfers were acknowledged. Raises CheckFailed after `limit_s`."""
        target = sum(self.report.commits.values()) + count
        deadline = time.monotonic() + limit_s
        while (done := sum(self.report.commits.values())) < target:
            check(not self.report.errors, "; ".join(self.report.errors[:3]))
            late = time.monotonic() > deadline
            check(not late, f"{count + done - target} of {count} transfers within {limit_s} s")
            self._stop.wait(0.01)

    def stop(self) -> LoadReport:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=90)
        for client in self._clients:
            client.close()
        return self.report

    def _transfer_forever(
        self, region: str, client: trilithon.client.Client, source: random.Random
    ) -> None:
        while not self._stop.is_set():
            payer, payee = source.sample(self._accounts, 2)
            amount = Decimal(source.randint(1, 500)) / 100
            note = str(uuid.UUID(int=source.getrandbits(128)))
            self._transfer_once(region, client, banking.transfer(payer, payee, amount, note), note)
            self._stop.wait(self._pace_s)

    def _transfer_once(
        self,
        region: str,
        client: trilithon.client.Client,
        statements: Sequence[banking.Statement],
        note: str,
    ) -> None:
        tries = 0
        began = time.monotonic()

        def move(transaction: trilithon.client.Transaction) -> None:
            nonlocal tries
            tries += 1
            for sql, values in statements:
                transaction.execute(banking.numbered(sql, len(values)), values)

        try:
            client.run_transaction(move)
        except trilithon.client.CheckViolation:
            with self._lock:
                self.report.refused.add(note)
            return  # an overdraft; refused is right
        finally:
            with self._lock:
                self.report.conflicts[region] += max(tries - 1, 0)
        now = time.monotonic()
        self._committed(region, "commit", now - began)
        with self._lock:
            self.report.commits[region] += 1
            self.report.acknowledged.add(note)
            pause = now - self._last_commit.get(region, now)
            self._last_commit[region] = now
            self.report.stalls_s[region] = max(self.report.stalls_s.get(region, 0.0), pause)

    def _add_up_forever(self, region: str, client: trilithon.client.Client) -> None:
        expected = None
        while not self._stop.is_set():
            total = client.run_transaction(
                lambda transaction: transaction.execute(banking.TOTAL).one()[0], read_only=True
            )
            expected = total if expected is None else expected
            check(
                total == expected,
                f"a reader in Region {region} saw {total}, but there are {expected} in all",
            )
            with self._lock:
                self.report.totals_read[region] += 1
            self._stop.wait(self._pace_s)


def check_ledger(
    client: trilithon.client.Client,
    accounts: Sequence[uuid.UUID],
    opening: Decimal,
    report: LoadReport,
) -> None:
    """Nothing acknowledged is missing, nothing is there twice, every balance adds up."""
    balances = dict(
        client.execute("SELECT account_id, balance FROM accounts").rows,
    )
    expected = dict.fromkeys(accounts, opening)
    notes: Counter[str] = Counter()
    moves = client.execute("SELECT from_account, to_account, amount, description FROM transactions")
    for source, target, amount, note in moves.rows:
        if source in expected and target in expected:
            expected[source] -= amount
            expected[target] += amount
            notes[note] += 1
    lost = report.acknowledged - set(notes)
    check(
        not lost, f"{len(lost)} acknowledged transfers are missing, {sorted(lost)[:3]} among them"
    )
    undead = report.refused & set(notes)
    check(not undead, f"{len(undead)} refused transfers are there, {sorted(undead)[:3]} among them")
    doubled = [note for note, count in notes.items() if count > 1]
    check(not doubled, f"{len(doubled)} transfers are there twice, {doubled[:3]} among them")
    wrong = [account for account in accounts if balances.get(account) != expected[account]]
    check(not wrong, f"{len(wrong)} balances do not add up, {wrong[:3]} among them")


def _show_load(
    endpoints: Sequence[RegionEndpoints], console: Console, seconds: float, accounts: int
) -> None:
    opening = Decimal("1000.00")
    with trilithon.client.connect([endpoint.grpc for endpoint in endpoints]) as client:
        ids = open_accounts(client, accounts, opening)
        load = Load(endpoints, ids)
        load.start()
        with Progress(console=console, transient=True) as progress:
            task = progress.add_task("transfers from every Region", total=seconds)
            began = time.monotonic()
            while (elapsed := time.monotonic() - began) < seconds:
                progress.update(
                    task,
                    completed=elapsed,
                    description=f"transfers from every Region: {sum(load.report.commits.values())}",
                )
                threading.Event().wait(0.2)
        report = load.stop()
        check(not report.errors, "; ".join(report.errors[:3]))
        check_ledger(client, ids, opening, report)
    console.print(_load_table(endpoints, report, seconds))
    console.print("[green]✓[/] nothing lost, nothing doubled, every balance adds up")


def _load_table(endpoints: Sequence[RegionEndpoints], report: LoadReport, seconds: float) -> Table:
    table = Table("Region", "transfers", "per second", "run again", "sums read", "longest pause")
    for endpoint in endpoints:
        region = endpoint.region
        table.add_row(
            region,
            str(report.commits[region]),
            f"{report.commits[region] / seconds:.0f}",
            str(report.conflicts[region]),
            str(report.totals_read[region]),
            f"{report.stalls_s.get(region, 0.0):.2f} s",
        )
    return table
