"""What a virtual relation is, and what its rows are computed from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from trilithon.query.catalog_views import columns
from trilithon.types.registry import TypeRef

_ZEROS: Final[dict[str, Any]] = {"S": "", "B": False, "N": 0, "Z": "", "D": 0, "U": 0}


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """What a virtual relation's rows may depend on."""

    catalog: Any
    session: Any
    # A table's statistics, or None (`trilithon.query.statistics`).
    statistics: Callable[[Any], Any] = lambda table: None
    # Read for sys.jobs alone.
    jobs: Sequence[Any] = ()


Row = dict[str, Any]
Fill = Callable[[Viewpoint], Iterable[Row]]


@dataclass(slots=True, eq=False)
class VirtualRelation:
    """`rows(viewpoint)` gives a tuple of values per row, one for each of `columns`, and its own oid (tableoid). `fill` yields
    dicts of what is known; the other columns get NULL, or nothing in the manner of their type. `fixed` yields
    the rows that are always there; it is asked once, when they are first wanted."""

    oid: int
    schema: str
    name: str
    kind: str
    columns: tuple[tuple[str, TypeRef], ...]
    fill: Fill
    fixed: Callable[[], Iterable[Row]]
    blank: tuple[Any, ...] = ()
    positions: dict[str, int] = field(default_factory=dict)
    _fixed: Sequence[Sequence[Any]] | None = None

    def rows(self, viewpoint: Viewpoint) -> Sequence[Sequence[Any]]:
        if self._fixed is None:
            self._fixed = self._made(self.fixed())
        made = self._made(self.fill(viewpoint))
        return [*self._fixed, *made] if made else self._fixed

    def _made(self, rows: Iterable[Row]) -> Sequence[Sequence[Any]]:
        blank, positions = self.blank, self.positions
        made = []
        for values in rows:
            row = list(blank)
            for name, value in values.items():
                row[positions[name]] = value
            row.append(self.oid)
            made.append(tuple(row))
        return made


def _nothing(viewpoint: Viewpoint) -> Iterable[Row]:
    """A catalog of things that do not exist here."""
    return ()


def _no_rows() -> Iterable[Row]:
    return ()


def make_relations(
    fills: Mapping[tuple[str, str], Fill],
    fixed: Mapping[tuple[str, str], Callable[[], Iterable[Row]]],
) -> dict[tuple[str, str], VirtualRelation]:
    relations = {}
    for one in columns.described():
        name = one.schema, one.name
        relations[name] = VirtualRelation(
            one.oid,
            *name,
            one.kind,
            tuple((column, type_) for column, type_, _ in one.columns),
            fills.get(name, _nothing),
            fixed.get(name, _no_rows),
            tuple(None if nullable else _zero(type_) for _, type_, nullable in one.columns),
            {column: position for position, (column, _, _) in enumerate(one.columns)},
        )
    return relations


def _zero(type_: TypeRef) -> Any:
    from trilithon.types.registry import type_info
    from trilithon.types.values import EMPTY_ARRAY

    info = type_info(type_.oid)
    if info.element_oid:
        return EMPTY_ARRAY
    if info.name in ("pg_node_tree", "aclitem"):
        return ""
    return _ZEROS.get(info.category, 0)
