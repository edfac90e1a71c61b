"""Judges a history against the log that the journals ended with.

Strict snapshot isolation, first committer wins, read checks, no lost or doubled commit, no
contradicted answer. Raises Violation with the contradiction in words.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate

from protocol_clients import NOTHING, Transaction, writes_of
from protocol_world import DRIFT

from trilithon.core.csn import format_csn
from trilithon.v1 import types_pb2 as types


class Violation(AssertionError):
    pass


def hold(condition: object, text: str, *details: object) -> None:
    if not condition:
        raise Violation(" ".join([text, *map(str, details)]))


def check_logs(
    logs: Sequence[Sequence[types.Entry]],
    tails: Sequence[int],
    archive: Mapping[int, types.Entry],
) -> list[types.Entry]:
    """All journals agree; the whole log, what was trimmed (`archive`) included."""
    final = dict(archive)
    for log in sorted(logs, key=lambda log: log[-1].csn if log else 0, reverse=True):
        for entry in log:
            known = final.setdefault(entry.csn, entry)
            hold(known == entry, "journals differ at", format_csn(entry.csn))
    tail = max(final, default=0)
    full = tails.count(tail)
    hold(full * 2 > len(logs), "no majority holds the whole log:", full, "of", len(logs))
    previous = 0
    for csn in sorted(final):
        hold(
            final[csn].previous_csn == previous,
            f"journals differ: {format_csn(csn)} does not follow {format_csn(previous)}",
        )
        previous = csn
    return [final[csn] for csn in sorted(final)]


class Checker:
    def __init__(self, final: Sequence[types.Entry], history: Sequence[Transaction]) -> None:
        self._history = history
        self._entries: dict[bytes, types.Entry] = {}
        # Per key: csns and values of its versions, and csns of EXCLUSIVE claims without a write.
        self._csns: dict[bytes, list[int]] = {}
        self._values: dict[bytes, list[bytes]] = {}
        self._locks: dict[bytes, list[int]] = {}
        self._refused: set[bytes] = set()
        for entry in final:
            if entry.refusal.transaction_id:
                hold(
                    entry.refusal.transaction_id not in self._entries,
                    "refused after it committed",
                    entry.refusal.transaction_id.hex(),
                )
                self._refused.add(entry.refusal.transaction_id)
            if entry.transaction_id:
                self._add(entry)

    def _add(self, entry: types.Entry) -> None:
        name = f"{entry.transaction_id.hex()[:8]} at {format_csn(entry.csn)}"
        hold(entry.transaction_id not in self._entries, "committed twice:", name)
        hold(entry.transaction_id not in self._refused, "committed after it was refused:", name)
        self._entries[entry.transaction_id] = entry
        write_set = types.WriteSet.FromString(entry.write_set)
        claims = [write.key for write in write_set.writes] + [lock.key for lock in write_set.locks]
        for key in claims:
            newest = max([0, *self._csns.get(key, [])[-1:], *self._locks.get(key, [])[-1:]])
            hold(
                newest <= entry.snapshot_csn,
                f"lost update: {name} claims {key!r} with snapshot {format_csn(entry.snapshot_csn)}, "
                f"but {format_csn(newest)} changed it since",
            )
        for key, value in writes_of(entry).items():
            self._csns.setdefault(key, []).append(entry.csn)
            self._values.setdefault(key, []).append(value)
        for lock in write_set.locks:
            self._locks.setdefault(lock.key, []).append(entry.csn)

    def _version(self, key: bytes, snapshot: int) -> tuple[int, bytes]:
        csns = self._csns.get(key, [])
        index = bisect_right(csns, snapshot)
        return (csns[index - 1], self._values[key][index - 1]) if index else NOTHING

    def check(self) -> None:
        for transaction in self._history:
            self._check_outcome(transaction)
            self._check_reads(transaction)
        self._check_real_time()

    def _check_outcome(self, transaction: Transaction) -> None:
        entry = self._entries.get(transaction.id)
        name = f"{transaction.id.hex()[:8]} of {transaction.region}"
        if transaction.outcome == "committed":
            hold(entry is not None, "acknowledged but lost:", name, format_csn(transaction.csn))
            assert entry is not None
            hold(entry.csn == transaction.csn, "acknowledged with another csn:", name)
        if transaction.outcome == "aborted":
            hold(entry is None, "said to be aborted but committed:", name)
        if entry is not None:
            keys = list(self._csns) if transaction.check_all else transaction.checks
            for key in keys:
                between = [
                    csn for csn in self._csns.get(key, ()) if transaction.snapshot < csn < entry.csn
                ]
                hold(not between, f"{name} checked its read of {key!r}, which changed before it")

    def _check_reads(self, transaction: Transaction) -> None:
        if not transaction.ended:
            return
        for key, seen in transaction.reads.items():
            want = self._version(key, transaction.snapshot)
            hold(
                seen == want,
                f"wrong read in {transaction.region} at {transaction.started:.4f}: {key!r} at snapshot "
                f"{format_csn(transaction.snapshot)} is {format_csn(want[0])}, seen was "
                f"{format_csn(seen[0])}",
            )

    def _check_real_time(self) -> None:
        """Whatever was observed or acknowledged before a start is inside that start's snapshot; for a
        stale snapshot, before the moment up to which it was said to be complete."""
        observed = []
        for transaction in self._history:
            if transaction.ended:
                csns = [csn for csn, _ in transaction.reads.values()]
                if transaction.outcome == "committed":
                    csns.append(transaction.csn)
                observed.append((transaction.ended, max(csns, default=0)))
        observed.sort()
        times = [ended for ended, _ in observed]
        newest_by = [0, *accumulate((csn for _, csn in observed), max)]
        for transaction in sorted(self._history, key=lambda one: one.started):
            # The journal's clock may run fast or slow.
            complete = transaction.started - transaction.stale * (1 + 1.05 * DRIFT)
            newest = newest_by[bisect_left(times, complete)]
            hold(
                transaction.snapshot >= newest,
                f"stale snapshot in {transaction.region} at {transaction.started:.4f}: "
                f"{format_csn(transaction.snapshot)}, but {format_csn(newest)} had been seen",
            )
