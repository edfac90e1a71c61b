"""Rules of rewriting a table's rows that can be switched off, to prove that its workload notices.

As in `mutations_sql`; all are proven by the workload `rewriting`. Where the job finds a second form already it
could make it again and harm nobody, since it READ-checks the row and makes the same of it: that is no rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from mutations_sql import Proof

from trilithon.query.catalog import jobs, rewriting
from trilithon.query.catalog.changes import put_object
from trilithon.query.catalog.definitions import JobState
from trilithon.query.catalog.job_steps import move_on, next_rows
from trilithon.query.catalog.row_writer import RowWriter
from trilithon.query.catalog.shadow_writer import ShadowWriter
from trilithon.query.transaction.transaction import Transaction

Patch = Callable[[Any, str, Any], None]
RULES: dict[str, Callable[[Patch], None]] = {}


def rule(fn: Callable[[Patch], None]) -> Callable[[Patch], None]:
    RULES[fn.__name__] = fn
    return fn


@rule
def writers_do_not_keep_the_second_form(patch: Patch) -> None:
    original = RowWriter.__init__

    def init(self: RowWriter, *arguments: Any, **options: Any) -> None:
        original(self, *arguments, **options)
        self._shadow = None

    patch(RowWriter, "__init__", init)


@rule
def writers_do_not_notice_that_a_rewriting_began_or_ended(patch: Patch) -> None:
    patch(Transaction, "use_table", lambda self, table: None)


@rule
def the_second_form_keeps_what_is_deleted(patch: Patch) -> None:
    patch(ShadowWriter, "_take_away", lambda self, suffix, row, writes, freed: None)


@rule
def entries_of_the_second_form_are_removed_unseen(patch: Patch) -> None:
    """What a row's entry in an index over the new column was is not looked up."""

    async def before(self: ShadowWriter, old: Sequence[Any]) -> list[Any]:
        return [None] * len(old)

    patch(ShadowWriter, "_before", before)


@rule
def published_before_the_last_rows_are_made(patch: Patch) -> None:
    original = rewriting._make

    async def make(transaction: Any, job: Any, batch: int) -> bool:
        table = transaction.catalog.table_by_id(job.table_id)
        if rewriting._is_wanted(table, job):
            keys, _ = await next_rows(transaction, table, job, batch)
            if len(keys) < batch:
                rewriting.publish(transaction, table)
                move_on(transaction, job, keys, done=True)
                return False
        return await original(transaction, job, batch)

    patch(rewriting, "_make", make)


@rule
def the_job_overwrites_what_a_writer_made(patch: Patch) -> None:
    """It does not notice that the row, which it read before, is another one now."""
    patch(Transaction, "check_read", lambda self, what: None)


@rule
def the_job_leaves_out_a_row_of_every_batch(patch: Patch) -> None:
    original = rewriting._make_missing

    async def make_missing(transaction: Any, table: Any, keys: Any, rows: Any) -> None:
        await original(transaction, table, keys[1:], rows[1:])

    patch(rewriting, "_make_missing", make_missing)


@rule
def rows_are_published_though_one_cannot_be_made(patch: Patch) -> None:
    """What fails is taken for done."""

    async def failed(manager: Any, job_id: bytes, error: Any) -> None:
        async def work(transaction: Any) -> None:
            job = await jobs.get_job(transaction, job_id)
            if job is None or job.state not in jobs.UNFINISHED or job.kind != "rewrite":
                return
            jobs.put_job(transaction, replace(job, state=JobState.COMPLETED))
            table = transaction.catalog.table_by_id(job.table_id)
            if rewriting._is_wanted(table, job):
                rewriting.publish(transaction, table)

        await manager.run(work)

    patch(rewriting, "rewrite_failed", failed)


@rule
def a_failed_rewriting_is_not_forgotten(patch: Patch) -> None:
    async def failed(manager: Any, job_id: bytes, error: Any) -> None:
        async def work(transaction: Any) -> None:
            job = await jobs.get_job(transaction, job_id)
            if job is not None and job.state in jobs.UNFINISHED and job.kind == "rewrite":
                jobs.put_job(transaction, replace(job, state=JobState.FAILED))

        await manager.run(work)

    patch(rewriting, "rewrite_failed", failed)


@rule
def a_failed_rewriting_leaves_its_rows(patch: Patch) -> None:
    patch(rewriting, "forget_rewrite", lambda transaction, table: None)


@rule
def the_old_form_is_left_behind(patch: Patch) -> None:
    patch(rewriting, "submit_reclaim", lambda transaction, table: None)


@rule
def the_old_form_stays_the_table(patch: Patch) -> None:
    """The job is done, and nothing is published."""

    def publish(transaction: Any, table: Any) -> None:
        put_object(transaction, table.changed(rewrite=None))
        rewriting.forget_rewrite(transaction, table)

    patch(rewriting, "publish", publish)


# Noticed by one of the first four seeds, if nothing else is said.
PROVEN: dict[str, Proof] = dict.fromkeys(RULES, Proof(("rewriting",), 6)) | {
    "the_job_overwrites_what_a_writer_made": Proof(("rewriting",), 12),
    "a_failed_rewriting_leaves_its_rows": Proof(("rewriting",), 12),
}
# What is noticed soonest.
CHEAP = ["writers_do_not_keep_the_second_form"]
