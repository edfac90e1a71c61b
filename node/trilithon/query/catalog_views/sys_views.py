"""Rows of the schema sys: what the system itself tells."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from trilithon.query.catalog_views.provider import Viewpoint

# Microseconds from 1970 to 2000, where SQL's time begins.
_EPOCH_2000_US: Final = 946_684_800_000_000


def _jobs(view: Viewpoint) -> Iterable[dict[str, Any]]:
    for job in view.jobs:
        table = view.catalog.table_by_id(job.table_id)
        yield {
            "job_id": job.id,
            "status": job.state.value,
            "details": job.details or None,
            "job_type": job.kind.value.upper(),
            "class_id": 1259,
            "object_id": job.object_id or job.table_id,
            "object_name": job.object_name,
            "table_name": table.name if table is not None else None,
            "rows_done": job.rows_done,
            "start_time": job.started_us - _EPOCH_2000_US,
            "update_time": job.updated_us - _EPOCH_2000_US,
        }


FILLS: Final[dict[tuple[str, str], Callable[[Viewpoint], Iterable[dict[str, Any]]]]] = {
    ("sys", "jobs"): _jobs
}
