"""Judges a history against the log that the journals ended with; verdicts in sentences.

Strict snapshot isolation, first committer wins, read checks, no lost or doubled commit, no
contradicted answer, journals alike, storages alike. Raises Violation.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from history import History, Record, Row
from observer import Observer, Violation

from trilithon.core.csn import format_csn
from trilithon.storage.checksum import Checksum
from trilithon.types.rows import decode_row
from trilithon.v1.types_pb2 import MODE_BLIND, MODE_EXCLUSIVE, MODE_KEY_SHARE, Entry, WriteSet


def hold(condition: object, text: str) -> None:
    if not condition:
        raise Violation(text)


def final_log(observer: Observer, logs: dict[str, tuple[int, Sequence[Entry]]]) -> list[Entry]:
    """The one log, from its first entry on. `logs`: per journal its base csn and its entries."""
    tails = {name: entries[-1].csn if entries else base for name, (base, entries) in logs.items()}
    tail = max(tails.values())
    holders = [name for name, csn in tails.items() if csn == tail]
    hold(
        len(holders) * 2 > len(logs),
        f"only {', '.join(holders)} of {', '.join(logs)} has the log up to {format_csn(tail)}",
    )
    final: list[Entry] = []
    csn = tail
    while csn:
        entry = observer.entries.get(csn)
        assert entry is not None, "the observer saw every entry"
        final.append(entry)
        csn = entry.previous_csn
    final.reverse()
    by_csn = {entry.csn: entry for entry in final}
    for name, (_, entries) in logs.items():
        for entry in entries:
            hold(
                by_csn.get(entry.csn) == entry,
                f"{name} holds {format_csn(entry.csn)}, which the other journals do not have",
            )
    hold(
        observer.settled_csn in by_csn or not observer.settled_csn,
        f"{format_csn(observer.settled_csn)} was settled once and is gone now",
    )
    return final


class Checker:
    def __init__(self, final: Sequence[Entry], history: History) -> None:
        self._history = history
        self._by_id: dict[bytes, Entry] = {}
        self._refused: dict[bytes, int] = {}
        self._csns: dict[bytes, list[int]] = {}
        self._rows: dict[bytes, list[Row | None]] = {}
        self._raw: dict[bytes, bytes | None] = {}
        # Claims: per key the newest csn by mode, EXCLUSIVE or weaker.
        self._claims: dict[bytes, dict[int, int]] = {}
        self._names = {record.id: str(record) for record in history.records if record.id}
        for entry in final:
            if entry.WhichOneof("content") == "refusal":
                refused = entry.refusal.transaction_id
                hold(
                    refused not in self._by_id,
                    f"{self._name(refused)} was refused after it had committed",
                )
                self._refused[refused] = entry.csn
            elif entry.transaction_id:
                self._add(entry)

    def _name(self, transaction_id: bytes) -> str:
        return self._names.get(transaction_id, f"transaction {transaction_id.hex()}")

    def _add(self, entry: Entry) -> None:
        name = self._name(entry.transaction_id)
        hold(
            entry.transaction_id in self._names or self._history.strangers,
            f"{name} at {format_csn(entry.csn)} is nobody's: no client ever began it",
        )
        if entry.transaction_id in self._by_id:
            first = self._by_id[entry.transaction_id].csn
            hold(False, f"{name} committed twice: {format_csn(first)} and {format_csn(entry.csn)}")
        hold(
            entry.transaction_id not in self._refused,
            f"{name} committed at {format_csn(entry.csn)} after it had been refused",
        )
        self._by_id[entry.transaction_id] = entry
        write_set = WriteSet.FromString(entry.write_set)
        claims = [(one.key, one.mode) for one in (*write_set.writes, *write_set.locks)]
        for key, mode in claims:
            self._check_claim(name, entry, key, mode)
        for key, mode in claims:
            self._claims.setdefault(key, {})[mode] = entry.csn
        for write in write_set.writes:
            value = write.value if write.HasField("value") else None
            self._csns.setdefault(write.key, []).append(entry.csn)
            self._rows.setdefault(write.key, []).append(decode_row(value) if value else None)
            self._raw[write.key] = value

    def _check_claim(self, name: str, entry: Entry, key: bytes, mode: int) -> None:
        for other, csn in self._claims.get(key, {}).items():
            if MODE_BLIND in (mode, other) or csn <= entry.snapshot_csn:
                continue
            if MODE_KEY_SHARE in (mode, other) and MODE_EXCLUSIVE not in (mode, other):
                continue
            hold(
                False,
                f"lost update: {name} with snapshot {format_csn(entry.snapshot_csn)} claimed "
                f"{key.hex()} at {format_csn(entry.csn)}, but "
                f"{self._writer(csn)} had claimed it at {format_csn(csn)}",
            )

    def _writer(self, csn: int) -> str:
        for entry in self._by_id.values():
            if entry.csn == csn:
                return self._name(entry.transaction_id)
        return "nobody"

    def _at(self, key: bytes, snapshot_csn: int) -> tuple[int, Row | None]:
        csns = self._csns.get(key, [])
        index = bisect_right(csns, snapshot_csn)
        return (csns[index - 1], self._rows[key][index - 1]) if index else (0, None)

    def check(self) -> None:
        for record in self._history.records:
            self._check_outcome(record)
            self._check_reads(record)
        self._check_real_time()

    def _check_outcome(self, record: Record) -> None:
        entry = self._by_id.get(record.id)
        told = [(record.process, record.outcome, record.csn)] if record.outcome else []
        told += [(who, outcome, csn) for who, outcome, csn, _ in record.answers]
        for who, outcome, csn in told:
            if outcome == "committed":
                hold(
                    entry is not None, f"{record}: acknowledged by {who}, but it is not in the log"
                )
                assert entry is not None
                hold(
                    entry.csn == csn,
                    f"{record}: acknowledged by {who} as {format_csn(csn)}, but the log has it at "
                    f"{format_csn(entry.csn)}",
                )
            if outcome == "aborted" and entry is not None:
                hold(
                    False,
                    f"{record}: {who} said that it is aborted, but the log has it at "
                    f"{format_csn(entry.csn)}",
                )
        if entry is not None and record.serializable:
            self._check_serializable(record, entry)

    def _check_serializable(self, record: Record, entry: Entry) -> None:
        keys = set(record.reads)
        for start, end, _ in record.ranges:
            keys.update(key for key in self._csns if start <= key < end)
        for key in sorted(keys):
            between = [
                csn for csn in self._csns.get(key, ()) if record.snapshot_csn < csn < entry.csn
            ]
            if between:
                hold(
                    False,
                    f"{record} is SERIALIZABLE and read {key.hex()} at "
                    f"{format_csn(record.snapshot_csn)}; {self._writer(between[0])} changed it at "
                    f"{format_csn(between[0])} before it committed at {format_csn(entry.csn)}",
                )

    def _check_reads(self, record: Record) -> None:
        for key, seen in record.reads.items():
            self._check_read(record, key, seen)
        for start, end, rows in record.ranges:
            for key in sorted({*rows, *(key for key in self._csns if start <= key < end)}):
                self._check_read(record, key, rows.get(key))
        for start, end, fits, rows in record.selects:
            for key in sorted({*rows, *(key for key in self._csns if start <= key < end)}):
                _, row = self._at(key, record.snapshot_csn)
                if key in rows or (row is not None and fits(row)):
                    self._check_read(record, key, rows.get(key))

    def _check_read(self, record: Record, key: bytes, seen: Row | None) -> None:
        csn, want = self._at(key, record.snapshot_csn)
        if seen != want:
            hold(
                False,
                f"wrong read: {record} read {key.hex()} at snapshot "
                f"{format_csn(record.snapshot_csn)} and got {seen}; the log says {want}, written at "
                f"{format_csn(csn)} by {self._writer(csn)}",
            )

    def _check_real_time(self) -> None:
        """Whatever was observed or acknowledged before a start is inside that start's snapshot."""
        seen: list[tuple[float, int, str]] = []
        for record in self._history.records:
            if record.read_s:
                seen.append((record.read_s, self._newest_read(record), f"{record} had read it"))
            if record.outcome == "committed":
                seen.append((record.told_s, record.csn, f"{record} had been acknowledged"))
            for who, outcome, csn, when in record.answers:
                if outcome == "committed":
                    seen.append((when, csn, f"{who} had said that {record} is committed"))
        seen.sort(key=lambda one: one[0])
        newest, why, index = 0, "", 0
        for record in sorted(self._history.records, key=lambda one: one.started_s):
            while index < len(seen) and seen[index][0] < record.started_s:
                if seen[index][1] > newest:
                    _, newest, why = seen[index]
                index += 1
            hold(
                record.snapshot_csn >= newest,
                f"stale snapshot: {record} got {format_csn(record.snapshot_csn)}, but "
                f"{format_csn(newest)} was known before: {why}",
            )

    def _newest_read(self, record: Record) -> int:
        csns = [self._at(key, record.snapshot_csn)[0] for key in record.reads]
        for _, _, rows in record.ranges:
            csns += [self._at(key, record.snapshot_csn)[0] for key in rows]
        return max(csns, default=0)

    def state(self) -> dict[bytes, bytes]:
        """What is stored in the end."""
        return {key: value for key, value in self._raw.items() if value is not None}

    def commits(self) -> dict[bytes, int]:
        """The csn of every transaction that committed."""
        return {name: entry.csn for name, entry in self._by_id.items()}

    def checksum(self) -> tuple[int, int]:
        """Of the final state, by the definition that storage uses: (checksum, rows)."""
        sums = Checksum(0)
        for key, value in self._raw.items():
            if value is not None:
                sums._add(key, value)
        return sums.value, sums.rows
