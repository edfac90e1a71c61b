"""What clients did and saw: one `Record` per transaction, for the checker.

Every row is [payload, tag]; the tag names the transaction that wrote it, so that no two versions of a
key are alike. Times are the simulation's own seconds, which no process sees.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trilithon.cli.drill.history import Micro, Operation
from trilithon.core.errors import SqlError
from trilithon.core.ids import format_id
from trilithon.query.transaction.transaction import FirstRead
from trilithon.types.rows import encode_row
from trilithon.v1.adjudicator_pb2 import Verdict

if TYPE_CHECKING:
    from cluster import QueryNode

Row = list[Any]

# Nothing was done, says the error.
_NOTHING_DONE = frozenset({"40001", "57P03", "53000", "25P02", "54000"})
# The reader may not be served just now; nothing follows from that.
_NO_ANSWER = frozenset({"57P03", "53000", "57P01", "72000"})


class NotServed(Exception):
    """The cluster could not answer a read in time."""


@dataclass(slots=True, eq=False)
class Record:
    number: int
    region: str
    process: str
    workload: str
    started_s: float
    id: bytes = b""
    snapshot_csn: int = 0
    reads: dict[bytes, Row | None] = field(default_factory=dict)
    # (start, end, rows by key) of whole ranges.
    ranges: list[tuple[bytes, bytes, dict[bytes, Row]]] = field(default_factory=list)
    # (table's range, predicate, rows by key) of selects that went through an index.
    selects: list[tuple[bytes, bytes, Callable[[Row], bool], dict[bytes, Row]]] = field(
        default_factory=list
    )
    # What it did in terms of list-append, as Elle has it.
    micros: list[Micro] = field(default_factory=list)
    serializable: bool = False
    # When the last read had come; reads count only then. 0: never.
    read_s: float = 0.0
    # "committed", "aborted", "read-only"; "": the client was never told.
    outcome: str = ""
    csn: int = 0
    told_s: float = 0.0
    # What transaction_status said, and where: (who, outcome, csn, when).
    answers: list[tuple[str, str, int, float]] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"transaction {self.number} ({self.workload}, {self.process}, began "
            f"{self.started_s:.3f} s, id {format_id(self.id)})"
        )


class History:
    def __init__(self) -> None:
        self.records: list[Record] = []
        # Whose outcome somebody else may ask for.
        self.unknown: list[Record] = []
        self.counts: dict[str, int] = {}
        # List-append, for Elle and for the drills' judge.
        self.operations: list[Operation] = []
        # There are transactions that no client began (DDL, the query processors' own).
        self.strangers = False
        # Told in the end what is stored, and the csn of every transaction that committed.
        self.judges: list[Callable[[Mapping[bytes, bytes], Mapping[bytes, int]], None]] = []
        self._numbers = itertools.count()
        self._values = itertools.count(1)

    def next_number(self) -> int:
        return next(self._numbers)

    def next_value(self) -> int:
        """To be appended; never given twice."""
        return next(self._values)

    def count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1


class Recorded:
    """A transaction whose doings are written down."""

    def __init__(self, history: History, node: QueryNode, workload: str) -> None:
        self.history = history
        self.node = node
        self.kernel = node.process.kernel
        self.record = Record(
            history.next_number(), node.region.name, node.name, workload, self.kernel.now_s
        )
        self.transaction: Any = None

    async def begin(
        self, *, serializable: bool = False, first_read: Sequence[bytes] = ()
    ) -> Recorded:
        """Raises NotServed."""
        record = self.record
        record.serializable = serializable
        manager = self.node.manager
        catalog = manager.catalogs.peek(0)
        read = None
        if first_read and catalog is not None:
            read = FirstRead(tuple(first_read), b"", catalog)
        try:
            self.transaction = await manager.begin(serializable=serializable, first_read=read)
        except SqlError as error:
            raise self._not_served(error) from None
        record.id = self.transaction.id
        record.snapshot_csn = self.transaction.snapshot_csn
        self.history.records.append(record)
        return self

    def _not_served(self, error: SqlError) -> Exception:
        if error.sqlstate not in _NO_ANSWER:
            return error
        self.history.count("not served")
        return NotServed(str(error))

    async def get(self, keys: Sequence[bytes]) -> list[Row | None]:
        try:
            rows: list[Row | None] = await self.transaction.get(keys)
        except SqlError as error:
            raise self._not_served(error) from None
        for key, row in zip(keys, rows, strict=True):
            if not self.transaction.wrote(key):
                self.record.reads[key] = row
        self.record.read_s = self.kernel.now_s
        return rows

    async def scan(self, start: bytes, end: bytes, *, reverse: bool = False) -> dict[bytes, Row]:
        """The whole range; nothing of it may have been written by this transaction."""
        found: dict[bytes, Row] = {}
        try:
            async for chunk in self.transaction.scan(start, end, reverse=reverse, with_keys=True):
                found.update(zip(chunk.keys, chunk.rows, strict=True))
        except SqlError as error:
            raise self._not_served(error) from None
        self.record.ranges.append((start, end, found))
        self.record.read_s = self.kernel.now_s
        return found

    def write(self, key: bytes, mode: int, payload: Any) -> None:
        self.transaction.write(key, mode, encode_row([payload, self.tag]))

    def delete(self, key: bytes, mode: int) -> None:
        self.transaction.write(key, mode, None)

    @property
    def tag(self) -> str:
        return f"t{self.record.number}"

    async def commit(self) -> str:
        """The outcome, which is written down too."""
        record, history = self.record, self.history
        if not self.transaction.has_writes:
            self.transaction.rollback()
            record.outcome, record.told_s = "read-only", self.kernel.now_s
            history.count("read-only")
            return record.outcome
        history.unknown.append(record)
        try:
            result = await self.transaction.commit()
        except SqlError as error:
            if error.sqlstate == "40003":
                history.count("unknown")
                return ""
            if error.sqlstate not in _NOTHING_DONE:
                raise
            record.outcome = "aborted"
            history.count(f"aborted {error.sqlstate}")
        else:
            record.outcome, record.csn = "committed", result.csn
            history.count("committed")
        record.told_s = self.kernel.now_s
        if record in history.unknown:
            history.unknown.remove(record)
        return record.outcome


async def ask_status(history: History, node: QueryNode, record: Record) -> None:
    """Somebody asks what became of a transaction; the answer is final."""
    try:
        verdict = await node.manager.transaction_status(record.id, record.snapshot_csn)
    except SqlError as error:
        if error.sqlstate not in _NO_ANSWER:
            raise
        return
    outcomes = {
        Verdict.OUTCOME_COMMITTED: "committed",
        Verdict.OUTCOME_ABORTED: "aborted",
        Verdict.OUTCOME_UNKNOWN: "unknown",
    }
    outcome = outcomes[verdict.outcome]
    history.count(f"status {outcome}")
    now_s = node.process.kernel.now_s
    record.answers.append((node.name, outcome, verdict.csn, now_s))
