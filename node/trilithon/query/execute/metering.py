"""EXPLAIN ANALYZE: a plan that is executed with every operator measured.

The operators of such a plan belong to it alone. Each is made a measured variant of its own class, with
the same fields; nothing that they do changes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from trilithon.query.execute.operators import Batches, Operator, Small
from trilithon.query.execute.run import Run
from trilithon.query.reads import meter as reads


@dataclass(slots=True, eq=False)
class Meter:
    """One operator's work over all its loops; times include those of the operators below."""

    loops: int = 0
    rows: int = 0
    first_row_s: float = 0.0
    total_s: float = 0.0
    reads: reads.ReadMeter = field(default_factory=reads.ReadMeter)
    # Its own batches() and collect() may call each other: only the outer one counts.
    busy: bool = False


class _Metered:
    """Goes before an operator's class in its measured variant."""

    __slots__ = ()

    async def collect(self, run: Run) -> list[Any]:
        meter = _meter_of(self, run)
        if meter.busy:
            inner: list[Any] = await super().collect(run)  # type: ignore[misc]
            return inner
        before, began = reads.current.get(), time.perf_counter()
        reads.current.set(meter.reads)
        meter.busy = True
        try:
            rows: list[Any] = await super().collect(run)  # type: ignore[misc]
        finally:
            meter.busy = False
            reads.current.set(before)
            meter.total_s += time.perf_counter() - began
        if not meter.loops:
            meter.first_row_s = meter.total_s
        meter.loops += 1
        meter.rows += len(rows)
        return rows

    async def batches(self, run: Run) -> Batches:
        meter = _meter_of(self, run)
        source = super().batches(run)  # type: ignore[misc]
        if meter.busy:
            async for batch in source:
                yield batch
            return
        meter.loops += 1
        try:
            while True:
                batch = await _timed(meter, source)
                if batch is None:
                    return
                meter.rows += len(batch)
                yield batch
        finally:
            closing = getattr(source, "aclose", None)
            if closing is not None:
                await closing()


async def _timed(meter: Meter, source: Any) -> Any:
    """The next batch; None at the end."""
    before, began = reads.current.get(), time.perf_counter()
    reads.current.set(meter.reads)
    meter.busy = True
    try:
        return await anext(source)
    except StopAsyncIteration:
        return None
    finally:
        meter.busy = False
        reads.current.set(before)
        meter.total_s += time.perf_counter() - began
        if meter.rows == 0:
            meter.first_row_s = meter.total_s


def _meter_of(operator: Any, run: Run) -> Meter:
    meters: dict[int, Meter] = run.meters
    return meters.setdefault(id(operator), Meter())


_variants: dict[type, type] = {}


def measure(root: Operator) -> None:
    """Make every operator of the plan a measured one."""
    for operator in _all(root):
        cls = type(operator)
        if issubclass(cls, _Metered):
            continue
        variant = _variants.get(cls)
        if variant is None:
            variant = type(cls.__name__, (_Metered, cls), {"__slots__": ()})
            _variants[cls] = variant
        operator.__class__ = variant


def _all(root: Operator) -> Iterator[Operator]:
    """Every operator below `root` and itself, those in CTEs and subqueries too."""
    stack: list[Any] = [root]
    seen: set[int] = set()
    while stack:
        top = stack.pop()
        if isinstance(top, tuple | list):
            stack.extend(item for item in top if is_dataclass(item))
            continue
        if id(top) in seen or not is_dataclass(top) or isinstance(top, type):
            continue
        seen.add(id(top))
        if isinstance(top, Operator):
            yield top
        stack.extend(
            getattr(top, one.name)
            for one in fields(top)
            if isinstance(getattr(top, one.name), Operator | tuple | list)
            or type(getattr(top, one.name)).__module__.startswith("trilithon.query.execute")
        )


@dataclass(slots=True, eq=False)
class Analyzed(Small):
    """Runs the input to its end, gives what `describe` makes of the meters (by the operators'
    identity) and the seconds it took."""

    columns: tuple[int, ...]
    input: Operator
    describe: Callable[[dict[int, Meter], float], list[tuple[Any, ...]]]

    async def collect(self, run: Run) -> list[Any]:
        run.meters = {}
        began = time.perf_counter()
        if self.input.small:
            await self.input.collect(run)
        else:
            async for _ in self.input.batches(run):
                await run.breathe()
        return self.describe(run.meters, time.perf_counter() - began)

    def children(self) -> Sequence[Operator]:
        return (self.input,)
