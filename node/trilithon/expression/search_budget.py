"""How long regular expressions may hold up a process: it answers nobody else while it searches.

Two limits, both in CPU time, so that a busy machine fails nobody's query: each search has one that grows with
its text, and all searches over one batch of rows together have an allowance beyond what a search without
backtracking costs. Whoever exceeds one gets SQLSTATE 54001. Batches begin where compiled expressions are
called (expression/compile).
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter, thread_time
from typing import Any, Final

from trilithon.core.errors import SqlError

SEARCH_S: Final = 0.010
SEARCH_S_PER_CHARACTER: Final = 100e-9
BATCH_EXCESS_S: Final = 0.050
# What a search may take without counting, besides its text's share.
_FREE_S: Final = 20e-6
# Searches are measured, which costs as much as a small one, from the first one on that takes this long.
_SUSPICIOUS_S: Final = 100e-6


class _Batch:
    __slots__ = ("excess_s", "measuring")

    def __init__(self) -> None:
        self.measuring = False
        self.excess_s = 0.0


_batch: Final = _Batch()


def begin_batch() -> None:
    _batch.measuring = False
    _batch.excess_s = 0.0


def too_complex() -> SqlError:
    return SqlError(
        "54001",
        "regular expression failed: regular expression is too complex",
        hint="Searching took too long; fewer unbounded repetitions make it faster.",
    )


def bounded(search: Callable[..., Any], text: str, at: int) -> Any:
    """search(text, at, timeout=…) within the limits. Raises SqlError 54001."""
    share_s = len(text) * SEARCH_S_PER_CHARACTER
    cpu_s = thread_time() if _batch.measuring else 0.0
    started_s = perf_counter()
    try:
        found = search(text, at, timeout=SEARCH_S + share_s)
    except TimeoutError:
        raise too_complex() from None
    if _batch.measuring:
        _batch.excess_s += max(thread_time() - cpu_s - share_s - _FREE_S, 0.0)
        if _batch.excess_s > BATCH_EXCESS_S:
            raise too_complex()
    elif perf_counter() - started_s > _SUSPICIOUS_S:
        # Perhaps it only waited for a processor: the next ones will tell.
        _batch.measuring = True
    return found
