"""What a virtual relation is, and what its rows are computed from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from trilithon.query.catalog_views.columns import COLUMNS
from trilithon.types.registry import TypeRef, lookup_type

# Virtual relations without an oid of PostgreSQL's (information_schema's vary) count from here.
FIRST_OID: Final = 13_100
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


@dataclass(slots=True, eq=False)
class VirtualRelation:
    """`rows(viewpoint)` gives a tuple of values per row, one for each of `columns`, and its own oid (tableoid). `fill` yields
    dicts of what is known; the other columns get NULL, or nothing in the manner of their type."""

    oid: int
    schema: str
    name: str
    columns: tuple[tuple[str, TypeRef], ...]
    fill: Callable[[Viewpoint], Iterable[dict[str, Any]]]
    blank: tuple[Any, ...] = ()
    positions: dict[str, int] = field(default_factory=dict)

    def rows(self, viewpoint: Viewpoint) -> Sequence[Sequence[Any]]:
        blank, positions = self.blank, self.positions
        made = []
        for values in self.fill(viewpoint):
            row = list(blank)
            for name, value in values.items():
                row[positions[name]] = value
            row.append(self.oid)
            made.append(tuple(row))
        return made


def nothing(viewpoint: Viewpoint) -> Iterable[dict[str, Any]]:
    """A catalog of things that do not exist here."""
    return ()


def make_relations(
    fills: dict[tuple[str, str], Callable[[Viewpoint], Iterable[dict[str, Any]]]],
) -> dict[tuple[str, str], VirtualRelation]:
    relations = {}
    for number, ((schema, name, oid), text) in enumerate(COLUMNS.items()):
        columns: list[tuple[str, TypeRef]] = []
        blank: list[Any] = []
        for part in text.split(", "):
            column, _, type_word = part.partition(" ")
            nullable = type_word.endswith("?")
            columns.append((column, _type(type_word.rstrip("?"))))
            blank.append(None if nullable else _zero(columns[-1][1]))
        relations[schema, name] = VirtualRelation(
            oid or FIRST_OID + number,
            schema,
            name,
            tuple(columns),
            fills.get((schema, name), nothing),
            tuple(blank),
            {column: position for position, (column, _) in enumerate(columns)},
        )
    return relations


def _type(word: str) -> TypeRef:
    # PostgreSQL's one-byte "char" is not the character type of that name in SQL.
    return TypeRef(18) if word == "char" else lookup_type(word)


def _zero(type_: TypeRef) -> Any:
    from trilithon.types.registry import type_info
    from trilithon.types.values import EMPTY_ARRAY

    info = type_info(type_.oid)
    if info.element_oid:
        return EMPTY_ARRAY
    if info.name in ("pg_node_tree", "aclitem"):
        return ""
    return _ZEROS.get(info.category, 0)
