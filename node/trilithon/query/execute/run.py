"""One execution of one plan."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression.context import EvalContext
from trilithon.types.values import ArrayValue

# How long a statement may keep the event loop before others get a turn.
TURN_SECONDS: Final = 0.003
MEMORY_BYTES_DEFAULT: Final = 128 * 1024 * 1024
TEMP_BYTES_DEFAULT: Final = 4 * 1024 * 1024 * 1024
# Operators that can spill do so when this part of the memory is used, and they hold that part of it.
_CROWDED: Final = 0.5
_WORTH_SPILLING: Final = 1 / 16

Row = Any


@dataclass(slots=True)
class Memory:
    """What the operators of one run keep, roughly in bytes, in memory and in temporary files."""

    limit: int = MEMORY_BYTES_DEFAULT
    temp_limit: int = TEMP_BYTES_DEFAULT
    used: int = 0
    temp_used: int = 0

    def take(self, size: int) -> None:
        """SqlError 53200."""
        self.used += size
        if self.used > self.limit:
            raise SqlError("53200", "query requires too much temp space, out of memory.")

    def give(self, size: int) -> None:
        self.used -= size

    def should_spill(self, own: int) -> bool:
        """Whether an operator that holds so many bytes had better put them into a file."""
        return self.used > self.limit * _CROWDED and own > self.limit * _WORTH_SPILLING

    def take_temp(self, size: int) -> None:
        """SqlError 53400."""
        self.temp_used += size
        if self.temp_used > self.temp_limit:
            raise SqlError(
                "53400", f"temporary file size exceeds query_temp_bytes ({self.temp_limit})"
            )

    def give_temp(self, size: int) -> None:
        self.temp_used -= size


@dataclass(slots=True)
class Held:
    """What one operator has taken of a run's memory, so that it can give back all of it."""

    memory: Memory
    size: int = 0

    def take(self, size: int) -> None:
        """SqlError 53200."""
        self.size += size
        self.memory.take(size)

    def give(self) -> None:
        self.memory.give(self.size)
        self.size = 0

    @property
    def should_spill(self) -> bool:
        return self.memory.should_spill(self.size)


def _items_size(items: Sequence[Any]) -> int:
    """By the first few: an array's items are alike."""
    some = items[:4]
    longest = max((len(one) for one in some if type(one) in (str, bytes)), default=0)
    return len(items) * (48 + longest)


# Values that can be large, beside texts and bytes.
_LARGE: Final[dict[type, Callable[[Any], int]]] = {
    ArrayValue: lambda value: _items_size(value.items),
    tuple: _items_size,
    list: _items_size,
    Decimal: Decimal.__sizeof__,
}


def rows_size(rows: list[Row]) -> int:
    """Bytes of a batch, judged by up to eight rows of it."""
    if not rows:
        return 0
    sample = rows if len(rows) <= 8 else rows[:: len(rows) // 8]
    total = 0
    for row in sample:
        total += 80
        for value in row:
            total += 40
            kind = type(value)
            if kind is str or kind is bytes:
                total += len(value)
            elif kind in _LARGE:
                total += _LARGE[kind](value)
    return total * len(rows) // len(sample)


@dataclass(slots=True)
class Run:
    """`context.parameters` holds the statement's parameters and, behind them, the plan's slots."""

    transaction: Any
    context: EvalContext
    memory: Memory = field(default_factory=Memory)
    # Rows of materialised CTEs (`growing.Growing`), and the last round's of recursive ones, by their number.
    ctes: dict[int, Any] = field(default_factory=dict)
    working: dict[int, list[Row]] = field(default_factory=dict)
    affected: int = 0
    # EXPLAIN ANALYZE's measurements, by the operators' identity.
    meters: dict[int, Any] = field(default_factory=dict)
    turn_began: float = field(default_factory=time.monotonic)

    async def breathe(self) -> None:
        """Give others a turn if this run has had its own; also where a cancel takes effect."""
        if time.monotonic() - self.turn_began > TURN_SECONDS:
            await asyncio.sleep(0)
            self.turn_began = time.monotonic()

    @property
    def slots(self) -> list[Any]:
        parameters: Any = self.context.parameters
        slots: list[Any] = parameters
        return slots
