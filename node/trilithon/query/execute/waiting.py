"""sys.wait_for_job(): its value is known when the job is finished, whoever runs it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from trilithon.core.errors import SqlError
from trilithon.query.catalog.definitions import JobState
from trilithon.query.execute.operators import Batches, Operator, Transform
from trilithon.query.execute.run import Run


@dataclass(slots=True, eq=False)
class JobWaits(Operator):
    """One column more: whether the job was completed. `arguments` projects a row's job id, a uuid or its
    text. The wait ends with the transaction's age (54000), the statement's timeout or its cancel."""

    columns: tuple[int, ...]
    input: Operator
    arguments: Transform

    @property
    def small(self) -> bool:
        return self.input.small

    async def batches(self, run: Run) -> Batches:
        async for batch in self.input.batches(run):
            rows = []
            for row, (job_id,) in zip(batch, self.arguments(batch, run.context), strict=True):
                done = None if job_id is None else await _wait(run, job_id)
                rows.append((*row, done))
            yield rows

    def children(self) -> Sequence[Operator]:
        return (self.input,)


async def _wait(run: Run, given: bytes | str) -> bool:
    """SqlError 22P02, 42704 for a job that is not there (any more), 54000."""
    job_id = given if isinstance(given, bytes) else _parsed(given)
    manager = run.transaction.manager
    left_s = manager.limits.age_s - run.transaction.age_us / 1e6
    try:
        job = await asyncio.wait_for(manager.jobs.wait(job_id), max(left_s, 0))
    except TimeoutError:
        raise SqlError(
            "54000", "the job is not finished within a transaction's age", hint="Wait again."
        ) from None
    if job is None:
        raise SqlError("42704", f'job "{UUID(bytes=job_id)}" does not exist')
    return job.state is JobState.COMPLETED


def _parsed(text: str) -> bytes:
    try:
        return UUID(text).bytes
    except ValueError:
        raise SqlError("22P02", f'invalid input syntax for type uuid: "{text}"') from None
