"""What a virtual relation is, and what its rows are computed from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from trilithon.types.registry import TypeRef


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """What a virtual relation's rows may depend on."""

    catalog: Any
    settings: Any


@dataclass(frozen=True, slots=True, eq=False)
class VirtualRelation:
    """`rows(viewpoint)` gives a tuple of values per row, one for each of `columns`."""

    oid: int
    schema: str
    name: str
    columns: tuple[tuple[str, TypeRef], ...]
    rows: Callable[[Viewpoint], Sequence[Sequence[Any]]]
