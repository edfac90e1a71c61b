"""The bound tree: relational operators over column ids.

Every relation has `outputs`, its columns in order. Operators never look at names; `OutputColumn.name`
is for results and for EXPLAIN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from trilithon.expression import ir
from trilithon.query.catalog.definitions import Index, Table
from trilithon.query.statistics.definitions import Known
from trilithon.types.registry import BOOL, INT4, TypeRef

Expr = Any  # ir.Expr; Subquery among them
JoinKind = Literal["inner", "left", "right", "full", "semi", "anti"]


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """One column of a relation. `table_oid` and `number` say which table column it is, 0 none."""

    id: int
    name: str
    type: TypeRef
    table_oid: int = 0
    number: int = 0


@dataclass(slots=True, eq=False)
class Relation:
    outputs: tuple[OutputColumn, ...]


@dataclass(slots=True, eq=False)
class Scan(Relation):
    """A stored table. `outputs` has a column for each of the table's columns, dropped ones included, and
    (behind them) one for the row's key as bytea."""

    table: Table
    alias: str
    statistics: Known | None = None

    @property
    def key_column(self) -> OutputColumn:
        return self.outputs[-1]


@dataclass(slots=True, eq=False)
class VirtualScan(Relation):
    """A relation whose rows the query processor computes (pg_catalog, information_schema, sys)."""

    name: str
    rows: Callable[[Any], Sequence[Sequence[Any]]]


@dataclass(slots=True, eq=False)
class Values(Relation):
    rows: tuple[tuple[Expr, ...], ...]


@dataclass(slots=True, eq=False)
class FunctionScan(Relation):
    """A set-returning function in FROM; `function` is its IR call's id, `ordinality` adds a column."""

    function: str
    arguments: tuple[Expr, ...]
    ordinality: bool = False


@dataclass(slots=True, eq=False)
class FunctionsInStep(Relation):
    """Several set-returning functions of one select list or ROWS FROM: row by row beside each other, the
    shorter ones filled up with NULL."""

    functions: tuple[FunctionScan, ...]
    # The last output is the row's number.
    ordinality: bool = False


@dataclass(slots=True, eq=False)
class CteScan(Relation):
    """Reads a materialised CTE by its number; `source` gives the CTE's own columns in order."""

    cte: int
    name: str


@dataclass(slots=True, eq=False)
class Project(Relation):
    """`expressions` one for one with `outputs`."""

    input: Relation
    expressions: tuple[Expr, ...]


@dataclass(slots=True, eq=False)
class Filter(Relation):
    input: Relation
    predicate: Expr


@dataclass(slots=True, eq=False)
class Join(Relation):
    """`lateral`: the right side refers to columns of the left one. `condition` None: true."""

    kind: JoinKind
    left: Relation
    right: Relation
    condition: Expr | None
    lateral: bool = False


@dataclass(frozen=True, slots=True)
class AggregateCall:
    """`function` is the registry's aggregate; `order` are (expression, descending, nulls first)."""

    output: OutputColumn
    function: Any
    arguments: tuple[Expr, ...]
    distinct: bool = False
    filter: Expr | None = None
    order: tuple[tuple[Expr, bool, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Grouping(ir.Expr):
    """GROUPING(args), until grouping replaces it by a column; equal ones have equal `args`."""

    args: tuple[Expr, ...]
    location: int = field(default=0, compare=False)
    type: TypeRef = INT4

    def children(self) -> list[Any]:
        return list(self.args)

    def rebuild(self, children: Sequence[Any]) -> Grouping:
        return replace(self, args=tuple(children))


@dataclass(slots=True, eq=False)
class Aggregate(Relation):
    """`outputs` = the group columns, the calls' outputs, one for each of `groupings`. Without `groups`
    there is one row. With `sets` (positions in `groups`) the input is grouped once for each set, and
    the other group columns are NULL; `groupings` are GROUPING()'s arguments as positions."""

    input: Relation
    groups: tuple[Expr, ...]
    calls: tuple[AggregateCall, ...]
    sets: tuple[tuple[int, ...], ...] | None = None
    groupings: tuple[tuple[int, ...], ...] = ()

    @property
    def common(self) -> tuple[Expr, ...]:
        """The groups that no set leaves out."""
        if self.sets is None:
            return self.groups
        return tuple(e for at, e in enumerate(self.groups) if all(at in one for one in self.sets))


@dataclass(frozen=True, slots=True)
class Frame:
    """`mode` is rows, range or groups; bounds are unbounded, current, preceding or following (the
    latter two with an offset); `exclude` is "", row, group or ties."""

    mode: str = "range"
    start: str = "unbounded"
    end: str = "current"
    start_offset: Expr | None = None
    end_offset: Expr | None = None
    exclude: str = ""


@dataclass(frozen=True, slots=True)
class WindowCall:
    output: OutputColumn
    function: Any
    arguments: tuple[Expr, ...]
    filter: Expr | None = None


@dataclass(slots=True, eq=False)
class Window(Relation):
    """All calls that share one window definition; outputs = the input's, then the calls'."""

    input: Relation
    calls: tuple[WindowCall, ...]
    partition: tuple[Expr, ...]
    order: tuple[SortKey, ...]
    frame: Frame


@dataclass(frozen=True, slots=True)
class SortKey:
    expression: Expr
    descending: bool = False
    nulls_first: bool = False


@dataclass(slots=True, eq=False)
class Sort(Relation):
    input: Relation
    keys: tuple[SortKey, ...]


@dataclass(slots=True, eq=False)
class Limit(Relation):
    """NULL or None: no limit. Values are int8 expressions without columns."""

    input: Relation
    count: Expr | None
    offset: Expr | None
    # FETCH ... WITH TIES: the keys of the Sort below.
    ties: tuple[SortKey, ...] | None = None


@dataclass(slots=True, eq=False)
class Distinct(Relation):
    """`on` None: whole rows. With `on`, the first row of each group in the input's order."""

    input: Relation
    on: tuple[Expr, ...] | None = None


@dataclass(slots=True, eq=False)
class SetOperation(Relation):
    """Columns of both sides match `outputs` by position."""

    kind: Literal["union", "intersect", "except"]
    all: bool
    left: Relation
    right: Relation


@dataclass(slots=True, eq=False)
class Cte:
    number: int
    name: str
    body: Relation
    # The recursive term; `body` is then the non-recursive one.
    recursive: Relation | None = None
    # UNION instead of UNION ALL between them.
    distinct: bool = False
    # Data-modifying CTEs run to their end even when nobody reads them.
    modifies: bool = False
    # MATERIALIZED / NOT MATERIALIZED; None: the planner decides.
    materialized: bool | None = None


@dataclass(slots=True, eq=False)
class With(Relation):
    ctes: tuple[Cte, ...]
    body: Relation


@dataclass(frozen=True, slots=True, eq=False)
class Subquery(ir.Expr):
    """A subquery inside an expression.

    exists: EXISTS (body). scalar: its only value. row: all values of its only row, each a `RowField`
    above it. array: ARRAY(body). any / all: `comparison` or-ed /
    and-ed over the body's rows; it is a condition over the body's outputs and `places`, the column ids
    that stand for `args`, the outer row's side.
    """

    kind: Literal["exists", "scalar", "row", "array", "any", "all"]
    body: Relation
    type: TypeRef = BOOL
    args: tuple[Expr, ...] = ()
    places: tuple[int, ...] = ()
    comparison: Expr | None = None

    def children(self) -> list[Any]:
        return list(self.args)

    def rebuild(self, children: Sequence[Any]) -> Subquery:
        return replace(self, args=tuple(children))


@dataclass(frozen=True, slots=True, eq=False)
class RowField(ir.Expr):
    """One value of the row that a subquery of kind "row" has; NULL where it has no row."""

    subquery: Subquery
    position: int
    type: TypeRef

    def children(self) -> list[Any]:
        return [self.subquery]

    def rebuild(self, children: Sequence[Any]) -> RowField:
        return replace(self, subquery=children[0])


# ---- statements that change rows


@dataclass(frozen=True, slots=True)
class CheckExpression:
    """One CHECK constraint over the target's new row."""

    name: str
    expression: Expr
    # The column's domain whose rule it is; then no `name` means NOT NULL.
    domain: str = ""
    # `name` is a view's, WITH CHECK OPTION.
    view: bool = False


@dataclass(slots=True, eq=False)
class Returning:
    """`expressions` one for one with the statement's outputs."""

    expressions: tuple[Expr, ...]


@dataclass(slots=True, eq=False)
class OnConflict:
    """`indexes` are the arbiters; empty: any. `row` (the updated row) and `where` see the existing row
    as `existing` columns and the proposed one as `excluded` columns; `row` None: DO NOTHING."""

    indexes: tuple[Index, ...]
    existing: tuple[OutputColumn, ...]
    excluded: tuple[OutputColumn, ...]
    row: tuple[Expr, ...] | None
    where: Expr | None


@dataclass(slots=True, eq=False)
class Insert(Relation):
    """`row` has an expression over `source` for every column of the table, dropped ones included;
    `generated` (by column number) and `checks` see the new row as `target`, `returning` too."""

    table: Table
    source: Relation
    row: tuple[Expr, ...]
    target: tuple[OutputColumn, ...]
    checks: tuple[CheckExpression, ...]
    generated: tuple[tuple[int, Expr], ...] = ()
    conflict: OnConflict | None = None
    returning: Returning | None = None


@dataclass(slots=True, eq=False)
class Update(Relation):
    """`row` has the new row's expressions over `source`, which has all columns of `scan` (and of
    FROM); `returning` sees `source`'s columns besides the new row."""

    table: Table
    scan: Scan
    source: Relation
    row: tuple[Expr, ...]
    # Numbers of the columns that SET names.
    assigned: frozenset[int]
    # The new row as CHECK constraints and RETURNING see it.
    target: tuple[OutputColumn, ...]
    checks: tuple[CheckExpression, ...]
    generated: tuple[tuple[int, Expr], ...] = ()
    returning: Returning | None = None


@dataclass(slots=True, eq=False)
class Delete(Relation):
    table: Table
    scan: Scan
    source: Relation
    returning: Returning | None = None


@dataclass(frozen=True, slots=True, eq=False)
class MergeAction:
    """One WHEN clause. `row`: the new row over the source; `assigned` as in `Update`."""

    kind: Literal["insert", "update", "delete", "nothing"]
    matched: bool
    condition: Expr | None
    row: tuple[Expr, ...] = ()
    assigned: frozenset[int] = frozenset()


@dataclass(slots=True, eq=False)
class Merge(Relation):
    """`source` joins the data source with `scan`; a row without a target row has NULL as its key."""

    table: Table
    scan: Scan
    source: Relation
    actions: tuple[MergeAction, ...]
    target: tuple[OutputColumn, ...]
    checks: tuple[CheckExpression, ...]
    generated: tuple[tuple[int, Expr], ...] = ()


@dataclass(slots=True, eq=False)
class LockRows(Relation):
    """FOR UPDATE / FOR KEY SHARE: for each lock the table, the id of the column that holds the row's
    key, and the mode ("update" or "key_share")."""

    input: Relation
    locks: tuple[tuple[Table, int, str], ...]


@dataclass(slots=True, eq=False)
class Bound:
    """A whole analysed statement."""

    root: Relation
    parameter_types: tuple[TypeRef, ...]
    # Types that lifted literals turned out to have.
    lifted_types: tuple[TypeRef, ...]
    # None: the statement returns no rows.
    columns: tuple[OutputColumn, ...] | None
    verb: str
    read_only: bool
    # Tables that were looked up, for the catalog check at commit.
    tables: tuple[Table, ...] = ()
    # Answers of the catalog that the plan rests on: (question, answer).
    lookups: tuple[tuple[Any, Any], ...] = field(default=())
    # Domains and enumerated types that it rests on.
    types: tuple[Any, ...] = ()
