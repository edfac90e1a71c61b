"""Subqueries in expressions, CTEs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.execute.growing import Growing
from trilithon.query.execute.operators import BATCH_ROWS, Batches, Operator, Transform
from trilithon.query.execute.run import Run, rows_size
from trilithon.types.values import ArrayValue

# Results of a correlated subquery that one run remembers by the outer values.
MEMO_MAX: Final = 10_000


async def first_rows(plan: Operator, run: Run, count: int) -> list[Any]:
    """Up to `count` rows, and no more work than that takes."""
    if plan.small:
        return (await plan.collect(run))[:count]
    rows: list[Any] = []
    source = plan.batches(run)
    try:
        async for batch in source:
            rows += batch
            if len(rows) >= count:
                break
    finally:
        closing = getattr(source, "aclose", None)
        if closing is not None:
            await closing()
    return rows[:count]


async def values_of(kind: str, plan: Operator, run: Run, width: int) -> Sequence[Any]:
    """A scalar subquery's value, a row's values, whether EXISTS has rows, or ARRAY's array.
    SqlError 21000."""
    if kind == "exists":
        return (bool(await first_rows(plan, run, 1)),)
    if kind == "array":
        items = [row[0] for row in await plan.collect(run)]
        nested = any(isinstance(item, ArrayValue) for item in items)
        return (ArrayValue.stacked(items) if nested else ArrayValue.of(items),)
    rows = await first_rows(plan, run, 2)
    if len(rows) > 1:
        raise SqlError("21000", "more than one row returned by a subquery used as an expression")
    return rows[0][:width] if rows else (None,) * width


@dataclass(slots=True, eq=False)
class InitPlan:
    """A subquery that refers to nothing outside: evaluated once a run, into a slot; a row into as many
    as it is wide."""

    slot: int
    kind: str
    plan: Operator
    width: int = 1


@dataclass(slots=True, eq=False)
class WithInitPlans(Operator):
    """Evaluates its plans, then gives the input's rows. Later plans may use earlier slots."""

    columns: tuple[int, ...]
    input: Operator
    plans: tuple[InitPlan, ...]

    @property
    def small(self) -> bool:
        return self.input.small

    async def _prepare(self, run: Run) -> None:
        for plan in self.plans:
            values = await values_of(plan.kind, plan.plan, run, plan.width)
            run.slots[plan.slot : plan.slot + plan.width] = values

    async def batches(self, run: Run) -> Batches:
        await self._prepare(run)
        async for batch in self.input.batches(run):
            yield batch

    async def collect(self, run: Run) -> list[Any]:
        await self._prepare(run)
        return await self.input.collect(run)

    def children(self) -> Sequence[Operator]:
        return (self.input, *(plan.plan for plan in self.plans))

    def title(self) -> str:
        return "Init Plans"


@dataclass(slots=True, eq=False)
class Applied(Operator):
    """A correlated subquery: its value (or row) for each input row, as `width` more columns. `bindings` are
    (slot, position); equal outer values share one evaluation unless the subquery is volatile."""

    columns: tuple[int, ...]
    input: Operator
    kind: str
    plan: Operator
    bindings: tuple[tuple[int, int], ...]
    memo: bool
    width: int = 1

    async def batches(self, run: Run) -> Batches:
        slots = run.slots
        known: dict[Any, Any] = {}
        async for batch in self.input.batches(run):
            rows = []
            for row in batch:
                key = tuple([row[position] for _, position in self.bindings])
                if self.memo and key in known:
                    rows.append((*row, *known[key]))
                    continue
                for (slot, _), value in zip(self.bindings, key, strict=True):
                    slots[slot] = value
                found = await values_of(self.kind, self.plan, run, self.width)
                if self.memo and len(known) < MEMO_MAX:
                    known[key] = found
                rows.append((*row, *found))
                await run.breathe()
            yield rows

    @property
    def small(self) -> bool:
        return self.input.small

    def children(self) -> Sequence[Operator]:
        return (self.input, self.plan)

    def title(self) -> str:
        return "SubPlan"


@dataclass(slots=True, eq=False)
class Quantified(Operator):
    """`x OP ANY (subquery)` or ALL as one more column, with SQL's three values.

    `arguments` projects the outer side of the comparison; `compare` evaluates the comparison over
    argument + subquery row, `test` being its value. With `hashed` the comparison is plain equality and
    both sides are projected to hashable keys.
    """

    columns: tuple[int, ...]
    input: Operator
    all: bool
    plan: Operator
    bindings: tuple[tuple[int, int], ...]
    arguments: Transform
    test: Callable[[Any, Any], Any]
    hashed: tuple[Transform, Transform] | None

    async def batches(self, run: Run) -> Batches:
        cached: list[Any] | None = None
        table: tuple[set[Any], list[Any]] | None = None
        async for batch in self.input.batches(run):
            rows = []
            arguments = self.arguments(batch, run.context)
            if not self.bindings and cached is None:
                cached = await self.plan.collect(run)
                if self.hashed is not None:
                    table = await self._hash(run, cached)
            if table is not None:
                assert self.hashed is not None
                keys = self.hashed[0](arguments, run.context)
                for row, key, argument in zip(batch, keys, arguments, strict=True):
                    rows.append((*row, self._probe(run, key, argument, table, cached or [])))
            else:
                for row, argument in zip(batch, arguments, strict=True):
                    inner = cached
                    if inner is None:
                        for slot, position in self.bindings:
                            run.slots[slot] = row[position]
                        inner = await self.plan.collect(run)
                        run.memory.give(rows_size(inner))
                    rows.append((*row, await self._compare(run, argument, inner)))
            yield rows
            await run.breathe()

    async def _hash(self, run: Run, rows: list[Any]) -> tuple[set[Any], list[Any]]:
        """The keys without NULL, and the rows that have one."""
        assert self.hashed is not None
        present: set[Any] = set()
        nulls: list[Any] = []
        for start in range(0, len(rows), BATCH_ROWS):
            part = rows[start : start + BATCH_ROWS]
            for key, row in zip(self.hashed[1](part, run.context), part, strict=True):
                if None in key:
                    nulls.append(row)
                else:
                    present.add(key)
            await run.breathe()
        run.memory.take(100 * len(present))
        return present, nulls

    def _probe(
        self, run: Run, key: Any, argument: Any, table: tuple[set[Any], list[Any]], rows: list[Any]
    ) -> bool | None:
        present, nulls = table
        if not rows:
            return self.all
        if None not in key and key in present:
            return True
        candidates = rows if None in key else nulls
        for row in candidates:
            if self.test((*argument, *row), run.context) is None:
                return None
        return False

    async def _compare(self, run: Run, argument: Any, rows: list[Any]) -> bool | None:
        unknown = False
        for number, row in enumerate(rows):
            value = self.test((*argument, *row), run.context)
            if value is None:
                unknown = True
            elif value != self.all:
                return not self.all
            if not number % BATCH_ROWS:
                await run.breathe()
        return None if unknown else self.all

    @property
    def small(self) -> bool:
        return self.input.small

    def children(self) -> Sequence[Operator]:
        return (self.input, self.plan)

    def title(self) -> str:
        return "Hashed SubPlan" if self.hashed is not None else "SubPlan"


# ---- CTEs


@dataclass(slots=True, eq=False)
class CtePlan:
    """`recursive` reads the working table under the CTE's own number."""

    number: int
    name: str
    body: Operator
    recursive: Operator | None = None
    distinct: bool = False
    keys: Transform | None = None
    recursive_keys: Transform | None = None
    modifies: bool = False


def cte_result(plan: CtePlan, run: Run) -> Growing:
    """A CTE's rows, evaluated once a run, as far as somebody reads them."""
    known = run.ctes.get(plan.number)
    if known is None:
        rows = plan.body.batches(run) if plan.recursive is None else _rounds(plan, run)
        known = run.ctes[plan.number] = Growing(rows, run)
    result: Growing = known
    return result


async def _rounds(plan: CtePlan, run: Run) -> Batches:
    """The rows of the non-recursive term, then of each round of the recursive one over the round before."""
    step = plan.recursive
    assert step is not None
    seen: set[Any] = set()

    def fresh(found: list[Any], keys: Transform | None) -> list[Any]:
        if not plan.distinct or keys is None:
            return found
        result = []
        for key, row in zip(keys(found, run.context), found, strict=True):
            if key not in seen:
                seen.add(key)
                result.append(row)
        return result

    source, keys = plan.body, plan.keys
    while True:
        made: list[Any] = []
        async for batch in source.batches(run):
            rows = fresh(batch, keys)
            made += rows
            if rows:
                yield rows
            await run.breathe()
        if not made:
            return
        run.working[plan.number] = made
        source, keys = step, plan.recursive_keys
        await run.breathe()


@dataclass(slots=True, eq=False)
class CteRows(Operator):
    columns: tuple[int, ...]
    plan: CtePlan

    async def batches(self, run: Run) -> Batches:
        async for rows in cte_result(self.plan, run).batches():
            yield rows
            await run.breathe()

    def title(self) -> str:
        return f"CTE Scan on {self.plan.name}"


@dataclass(slots=True, eq=False)
class WorkingRows(Operator):
    """Inside a recursive term: the rows of the round before."""

    columns: tuple[int, ...]
    plan: CtePlan

    async def batches(self, run: Run) -> Batches:
        rows = run.working[self.plan.number]
        for start in range(0, len(rows), BATCH_ROWS):
            yield rows[start : start + BATCH_ROWS]
            await run.breathe()

    def title(self) -> str:
        return f"WorkTable Scan on {self.plan.name}"


@dataclass(slots=True, eq=False)
class WithCtes(Operator):
    """Runs data-modifying CTEs to their end, whether anybody reads them or not. Those of a query that runs
    again and again over other rows are evaluated anew (`fresh`) each time."""

    columns: tuple[int, ...]
    input: Operator
    ctes: tuple[CtePlan, ...]
    fresh: bool = False
    # Runs once a statement: what nobody read to its end is over then.
    once: bool = False

    @property
    def small(self) -> bool:
        return self.input.small or any(cte.modifies for cte in self.ctes)

    async def batches(self, run: Run) -> Batches:
        opened = await self._open(run)
        source: Any = self.input.batches(run)
        try:
            async for batch in source:
                yield batch
        finally:
            await source.aclose()
            await self._close(opened)

    async def collect(self, run: Run) -> list[Any]:
        opened = await self._open(run)
        try:
            return await self.input.collect(run)
        finally:
            await self._close(opened)

    async def _open(self, run: Run) -> list[Growing]:
        if self.fresh:
            for cte in self.ctes:
                run.ctes.pop(cte.number, None)
        affected = run.affected
        for cte in self.ctes:
            if cte.modifies:
                await cte_result(cte, run).all()
        # The command's count is the main statement's alone.
        run.affected = affected
        return [cte_result(cte, run) for cte in self.ctes]

    async def _close(self, opened: list[Growing]) -> None:
        if self.fresh or self.once:
            for one in opened:
                await one.close()

    def children(self) -> Sequence[Operator]:
        steps = (cte.recursive for cte in self.ctes if cte.recursive is not None)
        return (self.input, *(cte.body for cte in self.ctes), *steps)

    def title(self) -> str:
        return "With"


def modifies(root: Operator) -> bool:
    """Whether some CTE changes rows: such a statement runs to its end before its rows are told."""
    stack: list[Operator] = [root]
    while stack:
        top = stack.pop()
        if isinstance(top, WithCtes) and any(cte.modifies for cte in top.ctes):
            return True
        stack.extend(top.children())
    return False
