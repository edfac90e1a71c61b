"""What generated code calls for the nodes that are not functions: GREATEST, ANY, arrays, row values.

Each maker here returns a callable that is kept in the namespace of a compiled plan.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from trilithon.core.errors import SqlError
from trilithon.types.values import EMPTY_ARRAY, ArrayValue

Compare = Callable[..., Any]


def extreme(less: Compare, greatest: bool, context: bool) -> Callable[..., Any]:
    """GREATEST or LEAST of the values that are not NULL; the first of equal ones."""

    def pick(ctx: Any, values: Sequence[Any]) -> Any:
        best = None
        for value in values:
            if value is None:
                continue
            if best is None:
                best = value
                continue
            pair = (best, value) if greatest else (value, best)
            if less(ctx, *pair) if context else less(*pair):
                best = value
        return best

    return pick if context else lambda values: pick(None, values)


def any_all(compare: Compare, every: bool, strict: bool, context: bool) -> Callable[..., Any]:
    """value OPERATOR ANY (array), or ALL, with NULLs as SQL has them."""

    def check(ctx: Any, value: Any, array: ArrayValue | None) -> bool | None:
        if array is None:
            return None
        if not array.items:
            return every
        if strict and value is None:
            return None
        unknown = False
        for item in array.items:
            if strict and item is None:
                unknown = True
                continue
            outcome = compare(ctx, value, item) if context else compare(value, item)
            if outcome is None:
                unknown = True
            elif outcome is not every:
                return not every
        return None if unknown else every

    return check if context else lambda value, array: check(None, value, array)


def flat_array(values: tuple[Any, ...]) -> ArrayValue:
    return ArrayValue(values, (len(values),), (1,)) if values else EMPTY_ARRAY


def nested_array(values: tuple[Any, ...]) -> ArrayValue:
    """An array of arrays: NULL and empty members vanish where all are, else shapes must agree."""
    members = [value for value in values if value is not None and value.items]
    if not members:
        return EMPTY_ARRAY
    shape = members[0].dimensions
    if len(members) != len(values) or any(member.dimensions != shape for member in members):
        raise SqlError(
            "2202E", "multidimensional arrays must have array expressions with matching dimensions"
        )
    items = tuple(item for member in members for item in member.items)
    return ArrayValue(items, (len(members), *shape), (1,) * (len(shape) + 1))


def subscript(parts: tuple[Any, ...]) -> Any:
    """(array, index, …): NULL outside the bounds or for the wrong number of indexes."""
    array = parts[0]
    if array is None or None in parts or len(parts) - 1 != len(array.dimensions):
        return None
    offset = 0
    for index, size, low in zip(parts[1:], array.dimensions, array.lower_bounds, strict=True):
        if not low <= index < low + size:
            return None
        offset = offset * size + index - low
    return array.items[offset]


def slicer(left_out: str) -> Callable[[tuple[Any, ...]], Any]:
    """array[a:b]…; `left_out` has "1" for each bound that was left out."""

    def cut(parts: tuple[Any, ...]) -> ArrayValue | None:
        array, bounds = parts[0], parts[1:]
        if array is None or any(
            bound is None and flag == "0" for bound, flag in zip(bounds, left_out, strict=True)
        ):
            return None
        count = len(array.dimensions)
        if not array.items or len(bounds) // 2 > count:
            return EMPTY_ARRAY
        ranges: list[range] = []
        for number in range(count):
            low, size = array.lower_bounds[number], array.dimensions[number]
            first, last = low, low + size - 1
            if 2 * number + 1 < len(bounds):
                if left_out[2 * number] == "0":
                    first = max(first, bounds[2 * number])
                if left_out[2 * number + 1] == "0":
                    last = min(last, bounds[2 * number + 1])
            if first > last:
                return EMPTY_ARRAY
            ranges.append(range(first - low, last - low + 1))
        offsets = [0]
        for size, wanted in zip(array.dimensions, ranges, strict=True):
            offsets = [offset * size + index for offset in offsets for index in wanted]
        items = tuple(array.items[offset] for offset in offsets)
        return ArrayValue(items, tuple(map(len, ranges)), (1,) * count)

    return cut


def row_is_null(row: tuple[Any, ...] | None) -> bool:
    return row is None or all(field is None for field in row)


def row_is_not_null(row: tuple[Any, ...] | None) -> bool:
    return row is not None and all(field is not None for field in row)


def row_compare(
    equals: Sequence[tuple[Compare, bool]],
    compares: Sequence[tuple[Compare, bool]],
    or_equal: bool,
) -> Callable[..., Any]:
    """(a, b, …) < (x, y, …): the first pair that differs decides; NULL there makes it NULL.

    The parts come as a, x, b, y, …
    """

    def compare(ctx: Any, parts: tuple[Any, ...]) -> bool | None:
        for number, (equal, strictly) in enumerate(zip(equals, compares, strict=True)):
            left, right = parts[2 * number], parts[2 * number + 1]
            if left is None or right is None:
                return None
            same = equal[0](ctx, left, right) if equal[1] else equal[0](left, right)
            if same is None:
                return None
            if not same:
                call, context = strictly
                outcome: bool | None = call(ctx, left, right) if context else call(left, right)
                return outcome
        return or_equal

    return compare
