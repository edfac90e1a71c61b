"""Operators that read tables: paths from access choices, what is pushed to storage, what is left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from trilithon.expression import ir
from trilithon.expression.compile import compile_filter, compile_projection, pushable
from trilithon.query.analyse.free import used_columns
from trilithon.query.analyse.tree import Expr, Scan
from trilithon.query.catalog.definitions import Index, Table
from trilithon.query.execute import scans as run_scans
from trilithon.query.execute.keys import Bound, Path
from trilithon.query.execute.operators import Operator, Transform
from trilithon.query.execute.scans import Layout, Pushed, ScanLines
from trilithon.query.plan import access
from trilithon.query.plan.access import Choice
from trilithon.query.plan.conditions import Condition, conjunction
from trilithon.query.plan.hints import Hint
from trilithon.types.keys import (
    PREFIX_BYTES,
    decode_columns,
    decodes_exactly,
    encoder,
    key_prefix,
)
from trilithon.types.values import ArrayValue
from trilithon.v1.types_pb2 import MODE_EXCLUSIVE, MODE_KEY_SHARE

if TYPE_CHECKING:
    from trilithon.query.plan.planner import Planner

# Storage compiles a program in one step, beside everybody's reads.
NODES_PUSHED_MAX: Final = 1_000

LOCK_MODES: Final = {"update": MODE_EXCLUSIVE, "key_share": MODE_KEY_SHARE}


def build_scan(
    planner: Planner, scan: Scan, conjuncts: list[Expr], needed: frozenset[int], hint: Hint
) -> Operator:
    """The cheapest way to the rows that satisfy the conjuncts."""
    for column in scan.outputs:
        planner.names.setdefault(column.id, f"{scan.alias}.{column.name}")
    wish = hint.wish if hint.wish.order else None
    choice = choose_way(planner, scan, conjuncts, needed, wish, few=hint.limit is not None)
    rest = _without(conjuncts, choice.enforced)
    limit = hint.limit if wish is None or choice.ordered else None
    made = _operator(planner, scan, choice, rest, needed, limit)
    if choice.ordered:
        planner.ordered[id(made)] = made
    return made


def choose_way(
    planner: Planner,
    scan: Scan,
    conjuncts: Sequence[Expr],
    needed: frozenset[int],
    wish: access.Wish | None,
    *,
    few: bool = False,
) -> Choice:
    return access.choose(
        scan,
        conjuncts,
        planner.texts,
        wish,
        few=few,
        covers=lambda index, enforced: (
            _covered(scan, index, _without(conjuncts, enforced), needed) is not None
        ),
    )


def _operator(
    planner: Planner,
    scan: Scan,
    choice: Choice,
    rest: list[Expr],
    needed: frozenset[int],
    limit: Callable[[Any], int] | None,
) -> Operator:
    table, index = scan.table, choice.index
    path = make_path(planner, scan, choice, {})
    point = choice.points
    if point and (index is None or index.clustered):
        columns, layout = whole_layout(planner, scan, rest, needed)
        about = _about(planner, scan, choice, "Index Scan", rest, [])
        return run_scans.PointScan(columns, table, path, layout, about)
    row_prefix = key_prefix(table.storage_id, 0)
    if point:
        columns, layout = whole_layout(planner, scan, rest, needed)
        about = _about(planner, scan, choice, "Index Scan", rest, [])
        return run_scans.IndexPoints(columns, table, path, row_prefix, layout, about)
    if index is not None and not index.clustered:
        only = _index_only(planner, scan, choice, path, rest, needed, limit)
        if only is not None:
            return only
    columns, pushed, layout, left, stored = pushed_layout(planner, scan, rest, needed)
    if index is None or index.clustered:
        words = (
            "Index Scan"
            if choice.fixed or choice.low or choice.high or choice.ordered or choice.arms
            else "Seq Scan"
        )
        about = _about(planner, scan, choice, words, left, stored)
        return run_scans.RangeScan(
            columns,
            table,
            path,
            pushed,
            layout,
            about,
            choice.reverse,
            limit if not left else None,
        )
    about = _about(planner, scan, choice, "Index Scan", left, stored)
    return run_scans.IndexScan(
        columns,
        table,
        path,
        row_prefix,
        pushed,
        layout,
        about,
        choice.reverse,
        limit if not rest else None,
    )


# ---- paths


def make_path(planner: Planner, scan: Scan, choice: Choice, positions: dict[int, int]) -> Path:
    """The path with its conditions' values compiled over (outer) rows laid out as `positions` say."""
    table, index = scan.table, choice.index
    values = [_value_of(condition) for condition in choice.fixed]
    values += [value for arm in choice.arms for value in arm]
    low = _bound(values, choice.low)
    high = _bound(values, choice.high)
    placed = [planner.place(value, positions) for value in values]
    if index is None:
        prefix = key_prefix(table.storage_id, 0)
        encode = encoder(())
    else:
        prefix = key_prefix(table.storage_id, index.key_id)
        encode = encoder(index.types, index.descending, index.nulls_first)
    return Path(
        prefix,
        encode,
        _evaluate(placed),
        len(choice.fixed),
        tuple(condition.operator == "in" for condition in choice.fixed),
        low,
        high,
        len(choice.arms[0]) if choice.arms else 0,
    )


def _value_of(condition: Condition) -> Expr:
    return condition.value


def _bound(values: list[Expr], condition: Condition | None) -> Bound | None:
    if condition is None:
        return None
    values.append(condition.value)
    return Bound(len(values) - 1, condition.operator in (">=", "<="))


def _evaluate(placed: Sequence[Expr]) -> Callable[[Any, Any], Sequence[Any]]:
    """Values of all conditions; arrays become lists."""
    if not placed:
        return lambda row, context: ()
    arrays = [at for at, value in enumerate(placed) if _is_array(value)]
    if all(isinstance(value, ir.Parameter) for value in placed):
        numbers = [value.number - 1 for value in placed]
        if len(numbers) == 1 and not arrays:
            only = numbers[0]
            return lambda row, context: (context.parameters[only],)
    project = compile_projection(placed)
    if not arrays:
        return lambda row, context: project([row], context)[0]

    def evaluate(row: Any, context: Any) -> Sequence[Any]:
        values = list(project([row], context)[0])
        for at in arrays:
            if isinstance(values[at], ArrayValue):
                values[at] = values[at].items
        return values

    return evaluate


def _is_array(value: Expr) -> bool:
    from trilithon.types.registry import is_array

    return is_array(value.type.oid)


# ---- layouts


def _scan_positions(scan: Scan) -> dict[int, int]:
    return {column.id: position for position, column in enumerate(scan.outputs)}


def _typed(scan: Scan, expression: Expr, positions: dict[int, int], planner: Planner) -> Expr:
    """Placed over stored rows, where NOT NULL columns are known to have values."""
    placed = planner.place(expression, positions)
    columns = scan.table.columns

    def change(node: Expr) -> Expr:
        if isinstance(node, ir.Column) and node.index < len(columns):
            return ir.Column(node.index, node.type, not columns[node.index].not_null)
        return node

    return ir.transform(placed, change)


def whole_layout(
    planner: Planner, scan: Scan, rest: list[Expr], needed: frozenset[int]
) -> tuple[tuple[int, ...], Layout]:
    """Rows as they are stored (a few rows: projecting them in storage is not worth a program)."""
    with_key = scan.key_column.id in needed or any(
        scan.key_column.id in used_columns(conjunct) for conjunct in rest
    )
    columns = tuple(column.id for column in scan.outputs)
    if not with_key:
        columns = columns[:-1]
    positions = {column: position for position, column in enumerate(columns)}
    condition = conjunction(rest)
    transform: Transform | None = None
    if condition is not None:
        transform = compile_filter(_typed(scan, condition, positions, planner))
    table = scan.table
    return columns, Layout(len(table.columns), table.missing_values, with_key, transform)


def pushed_layout(
    planner: Planner, scan: Scan, rest: list[Expr], needed: frozenset[int]
) -> tuple[tuple[int, ...], Pushed, Layout, list[Expr], list[Expr]]:
    """What storage filters and projects, and what is left to do here.

    Gives the columns, the two halves, the conjuncts left here and those that storage has.
    """
    table = scan.table
    positions = _scan_positions(scan)
    key = scan.key_column.id
    stored: list[Expr] = []
    left: list[Expr] = []
    for conjunct in rest:
        (
            stored
            if key not in used_columns(conjunct) and _pushable(planner, conjunct, positions)
            else left
        ).append(conjunct)
    wanted = set(needed)
    for conjunct in left:
        wanted |= used_columns(conjunct)
    with_key = key in wanted
    kept = [column for column in scan.outputs[:-1] if column.id in wanted]
    whole = len(kept) == len(table.columns)
    projection = None
    if not whole:
        projection = tuple(ir.Column(positions[column.id], column.type) for column in kept)
    condition = conjunction(stored)
    placed = None
    if condition is not None:
        placed = _typed(scan, condition, positions, planner)
    has_parameters = placed is not None and any(
        isinstance(node, ir.Parameter) for node in ir.post_order(placed)
    )
    columns = tuple(column.id for column in kept)
    if with_key:
        columns = (*columns, key)
    pushed = Pushed(placed, projection, table.missing_values, has_parameters)
    transform: Transform | None = None
    remaining = conjunction(left)
    if remaining is not None:
        places = {column: position for position, column in enumerate(columns)}
        transform = compile_filter(planner.place(remaining, places))
    layout = Layout(
        len(table.columns), table.missing_values, with_key, transform, projection is not None
    )
    return columns, pushed, layout, left, stored


def _pushable(planner: Planner, conjunct: Expr, positions: dict[int, int]) -> bool:
    """Immutable once the parameters are constants, and no larger than a program should be."""

    if any(number > NODES_PUSHED_MAX for number, _ in enumerate(ir.post_order(conjunct))):
        return False

    def change(node: Expr) -> Expr:
        return ir.Constant(None, node.type) if isinstance(node, ir.Parameter) else node

    placed = ir.transform(planner.place(conjunct, positions), change)
    return pushable(placed)


# ---- index-only


def _index_only(
    planner: Planner,
    scan: Scan,
    choice: Choice,
    path: Path,
    rest: list[Expr],
    needed: frozenset[int],
    limit: Callable[[Any], int] | None,
) -> Operator | None:
    """The index's entries alone, when they hold everything that is asked for."""
    index, table = choice.index, scan.table
    assert index is not None
    numbers = _covered(scan, index, rest, needed)
    if numbers is None:
        return None
    sources = _entry_sources(table, index)
    columns = tuple(scan.outputs[number - 1].id for number in numbers)
    decode = _decoder(table, index, [sources[number] for number in numbers])
    places = {column: position for position, column in enumerate(columns)}
    condition = conjunction(rest)
    transform = None
    if condition is not None:
        transform = compile_filter(planner.place(condition, places))
    about = _about(planner, scan, choice, "Index Only Scan", rest, [])
    return run_scans.IndexOnlyScan(
        columns, table, path, decode, transform, about, choice.reverse, limit if not rest else None
    )


def _without(conjuncts: Sequence[Expr], enforced: Sequence[Expr]) -> list[Expr]:
    return [c for c in conjuncts if not any(c is done for done in enforced)]


def _covered(
    scan: Scan, index: Index, rest: Sequence[Expr], needed: frozenset[int]
) -> list[int] | None:
    """The numbers of the columns that are wanted, if the index's entries have all of them."""
    wanted = set(needed)
    for conjunct in rest:
        wanted |= used_columns(conjunct)
    if scan.key_column.id in wanted:
        return None
    sources = _entry_sources(scan.table, index)
    numbers = [
        position for position, column in enumerate(scan.outputs[:-1], 1) if column.id in wanted
    ]
    return numbers if all(number in sources for number in numbers) else None


@dataclass(frozen=True, slots=True)
class _Source:
    """Where an entry has a column: in its key (`where` "key"), in the row key's suffix ("suffix"), in
    its value ("value"); at a position."""

    where: str
    position: int


def _entry_sources(table: Table, index: Index) -> dict[int, _Source]:
    """Column number → its source, for columns that an entry gives back exactly."""
    sources: dict[int, _Source] = {}
    clustered = table.clustered
    for position, column in enumerate(index.columns):
        if column.number and decodes_exactly(column.type):
            sources[column.number] = _Source("key", position)
    if clustered is not None:
        for position, column in enumerate(clustered.columns):
            if decodes_exactly(column.type):
                sources.setdefault(column.number, _Source("suffix", position))
    for position, number in enumerate(index.include, 1):
        sources.setdefault(number, _Source("value", position))
    return sources


def _decoder(
    table: Table, index: Index, sources: list[_Source]
) -> Callable[[bytes, list[Any]], tuple[Any, ...]]:
    clustered = table.clustered
    from_key = any(source.where == "key" for source in sources)
    from_suffix = any(source.where == "suffix" for source in sources)

    def decode(key: bytes, entry: list[Any]) -> tuple[Any, ...]:
        of_key = (
            decode_columns(index.types, key, index.descending, start=PREFIX_BYTES)
            if from_key
            else ()
        )
        of_suffix: Sequence[Any] = ()
        if from_suffix:
            assert clustered is not None
            of_suffix = decode_columns(clustered.types, entry[0], clustered.descending)
        values = {"key": of_key, "suffix": of_suffix, "value": entry}
        return tuple([values[source.where][source.position] for source in sources])

    return decode


# ---- EXPLAIN


def _about(
    planner: Planner,
    scan: Scan,
    choice: Choice,
    words: str,
    left: list[Expr],
    stored: list[Expr],
) -> ScanLines:
    table, index = scan.table, choice.index
    name = table.name if scan.alias == table.name else f"{table.name} {scan.alias}"
    backward = " Backward" if choice.reverse and words != "Seq Scan" else ""
    if words == "Seq Scan" or index is None:
        title = f"Seq Scan on {name}"
    else:
        title = f"{words}{backward} using {index.name} on {name}"
    lines = []
    used = [c.conjunct for c in (*choice.fixed, choice.low, choice.high) if c is not None]
    if choice.either is not None:
        used.append(choice.either)
    if used:
        lines.append(("Index Cond", planner.text(conjunction(_unique(used)))))
    if stored:
        lines.append(("Storage Filter", planner.text(conjunction(stored))))
    if left:
        lines.append(("Filter", planner.text(conjunction(left))))
    return ScanLines(title, tuple(lines))


def about_lookup(planner: Planner, scan: Scan, choice: Choice, rest: list[Expr]) -> ScanLines:
    return _about(planner, scan, choice, "Index Scan", rest, [])


def _unique(expressions: list[Expr]) -> list[Expr]:
    found: list[Expr] = []
    for expression in expressions:
        if not any(expression is known for known in found):
            found.append(expression)
    return found
