"""What a statement gave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type_oid: int
    type_modifier: int


@dataclass(slots=True)
class Result:
    """One statement's result. `columns` is empty for statements that return no rows."""

    columns: tuple[Column, ...] = ()
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    command_tag: str = ""

    @property
    def row_count(self) -> int:
        """Rows affected or returned, as the command tag says; 0 where it names none."""
        last = self.command_tag.rpartition(" ")[2]
        return int(last) if last.isdigit() else 0

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def one(self) -> tuple[Any, ...]:
        """The only row. Raises LookupError when there is none or more than one."""
        if len(self.rows) != 1:
            raise LookupError(f"expected one row, got {len(self.rows)}")
        return self.rows[0]

    def scalar(self) -> Any:
        """The first column of the only row."""
        return self.one()[0]

    def dicts(self) -> list[dict[str, Any]]:
        names = [column.name for column in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]
