"""Rules of SQL's layers that can be switched off, to prove that its workloads notice.

As in `mutations`: each takes `patch(owner, name, value)`. `PROVEN` names the workloads that must notice, and
within how many seeds (found by trying, about three times what was needed).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from trilithon.query.catalog import backfill, jobs
from trilithon.query.catalog.definitions import IndexState, JobState
from trilithon.query.catalog.row_writer import RowWriter
from trilithon.query.catalog.rowkeys import TableKeys
from trilithon.query.execute import foreign_keys
from trilithon.query.transaction.read_checks import ReadChecks
from trilithon.query.transaction.transaction import Transaction
from trilithon.v1.types_pb2 import MODE_KEY_SHARE

Patch = Callable[[Any, str, Any], None]
RULES: dict[str, Callable[[Patch], None]] = {}


class Proof(NamedTuple):
    workloads: tuple[str, ...]
    seeds: int


def rule(fn: Callable[[Patch], None]) -> Callable[[Patch], None]:
    RULES[fn.__name__] = fn
    return fn


@rule
def serializable_reads_are_not_checked(patch: Patch) -> None:
    patch(ReadChecks, "messages", lambda self: iter(()))


@rule
def serializable_ranges_are_not_checked(patch: Patch) -> None:
    """Only the rows that were found are; who was not there may come."""
    patch(ReadChecks, "add_range", lambda self, start, end: 0)


@rule
def used_tables_are_not_checked(patch: Patch) -> None:
    """DML does not notice that a table was changed meanwhile."""
    patch(Transaction, "use_table", lambda self, table: None)


@rule
def writers_ignore_building_indexes(patch: Patch) -> None:
    original = RowWriter.__init__

    def init(self: RowWriter, transaction: Any, table: Any) -> None:
        original(self, transaction, table)
        ready = tuple(one for one in self._keys.indexes if one.index.state is IndexState.READY)
        if len(ready) == len(self._keys.indexes):
            return
        known = TableKeys(table, None, transaction.manager.limits.key_bytes)
        known.indexes = ready
        self._keys = known

    patch(RowWriter, "__init__", init)


@rule
def the_backfill_does_not_check_its_rows(patch: Patch) -> None:
    patch(Transaction, "check_read", lambda self, what: None)


@rule
def the_backfill_skips_a_row_at_every_step(patch: Patch) -> None:
    original = backfill._write_missing

    async def write_missing(
        transaction: Any, table: Any, index: Any, keys: list[bytes], rows: list[list[Any]]
    ) -> None:
        await original(transaction, table, index, keys[1:], rows[1:])

    patch(backfill, "_write_missing", write_missing)


@rule
def an_index_is_ready_at_once(patch: Patch) -> None:
    """Before its backfill has begun."""

    async def fill(transaction: Any, job: Any, batch: int) -> bool:
        table, index = transaction.catalog.index_by_id(job.object_id)
        transaction.use_table(table)
        backfill._set_state(transaction, table, index, IndexState.READY)
        backfill.put_job(transaction, replace(job, state=JobState.COMPLETED))
        return False

    patch(backfill, "_fill", fill)


@rule
def nobody_takes_over_a_job(patch: Patch) -> None:
    async def adopt(self: Any) -> None:
        return None

    patch(jobs.JobRunner, "_adopt", adopt)


@rule
def dropped_indexes_leave_their_entries(patch: Patch) -> None:
    async def step(manager: Any, job: Any) -> bool:
        transaction = await manager.begin()
        jobs.put_job(transaction, replace(job, state=JobState.COMPLETED))
        await transaction.commit()
        return False

    patch(jobs, "reclaim_step", step)


@rule
def children_do_not_claim_their_parents(patch: Patch) -> None:
    original = Transaction.lock

    def lock(self: Transaction, key: bytes, mode: int) -> None:
        if mode != MODE_KEY_SHARE:
            original(self, key, mode)

    patch(Transaction, "lock", lock)


@rule
def a_parent_goes_without_a_look_at_its_children(patch: Patch) -> None:
    async def require_unreferenced(*arguments: Any, **options: Any) -> None:
        return None

    patch(foreign_keys, "_require_unreferenced", require_unreferenced)


# Noticed by one of the first four seeds.
PROVEN: dict[str, Proof] = {
    "serializable_reads_are_not_checked": Proof(("skew",), 3),
    "serializable_ranges_are_not_checked": Proof(("skew",), 3),
    "used_tables_are_not_checked": Proof(("definitions",), 12),
    "writers_ignore_building_indexes": Proof(("backfill",), 3),
    "the_backfill_does_not_check_its_rows": Proof(("backfill",), 4),
    "the_backfill_skips_a_row_at_every_step": Proof(("backfill",), 3),
    "an_index_is_ready_at_once": Proof(("backfill",), 3),
    "nobody_takes_over_a_job": Proof(("backfill",), 4),
    "dropped_indexes_leave_their_entries": Proof(("backfill",), 3),
    "children_do_not_claim_their_parents": Proof(("references",), 4),
    "a_parent_goes_without_a_look_at_its_children": Proof(("references",), 3),
}
# Those that are noticed soonest.
CHEAP = ["serializable_ranges_are_not_checked", "writers_ignore_building_indexes"]
