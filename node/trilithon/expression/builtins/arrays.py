"""Arrays: building, measuring, searching, taking apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression.registry import STABLE, function, operator
from trilithon.types import text_io
from trilithon.types.ordering import sort_key
from trilithon.types.registry import INT32_MAX, TypeRef, type_info
from trilithon.types.values import EMPTY_ARRAY, ArrayValue

_ITEMS_MAX: Final = 1 << 24
_DIMENSIONS_MAX: Final = 6


def _like(array: ArrayValue, items: tuple[Any, ...]) -> ArrayValue:
    """One-dimensional, with the lower bound of `array`."""
    if not items:
        return EMPTY_ARRAY
    low = array.lower_bounds[0] if array.lower_bounds else 1
    return ArrayValue(items, (len(items),), (low,))


# --- measures

function("cardinality(anyarray) -> int4", raises=False)(lambda array: len(array.items))
function("array_ndims(anyarray) -> int4", raises=False, nullable=True)(
    lambda array: len(array.dimensions) or None
)


@function("array_dims(anyarray) -> text", raises=False, nullable=True)
def _dims(array: ArrayValue) -> str | None:
    pairs = zip(array.lower_bounds, array.dimensions, strict=True)
    return "".join(f"[{low}:{low + size - 1}]" for low, size in pairs) or None


@function("array_length(anyarray, int4) -> int4", raises=False, nullable=True)
def _length(array: ArrayValue, dimension: int) -> int | None:
    return array.dimensions[dimension - 1] if 1 <= dimension <= len(array.dimensions) else None


@function("array_lower(anyarray, int4) -> int4", raises=False, nullable=True)
def _lower(array: ArrayValue, dimension: int) -> int | None:
    return array.lower_bounds[dimension - 1] if 1 <= dimension <= len(array.dimensions) else None


@function("array_upper(anyarray, int4) -> int4", raises=False, nullable=True)
def _upper(array: ArrayValue, dimension: int) -> int | None:
    if not 1 <= dimension <= len(array.dimensions):
        return None
    return array.lower_bounds[dimension - 1] + array.dimensions[dimension - 1] - 1


# --- building


def _check_size(count: int) -> None:
    """Before so many items are put together: an array that doubles itself would fill the machine's memory
    in thirty steps. SqlError 54000."""
    if count > _ITEMS_MAX:
        raise SqlError("54000", f"array size exceeds the maximum allowed ({_ITEMS_MAX})")


def _append(array: ArrayValue | None, item: Any) -> ArrayValue:
    if array is None or not array.items:
        return ArrayValue((item,), (1,), (1,))
    if len(array.dimensions) != 1:
        raise SqlError("22000", "argument must be empty or one-dimensional array")
    _check_size(len(array.items) + 1)
    return _like(array, (*array.items, item))


def _prepend(item: Any, array: ArrayValue | None) -> ArrayValue:
    if array is None or not array.items:
        return ArrayValue((item,), (1,), (1,))
    if len(array.dimensions) != 1:
        raise SqlError("22000", "argument must be empty or one-dimensional array")
    _check_size(len(array.items) + 1)
    return _like(array, (item, *array.items))


def _concatenate(left: ArrayValue | None, right: ArrayValue | None) -> ArrayValue | None:
    if left is None or right is None:
        return right if left is None else left
    if not left.items or not right.items:
        return left if left.items else right
    mismatch = SqlError("2202E", "cannot concatenate incompatible arrays")
    depth_left, depth_right = len(left.dimensions), len(right.dimensions)
    _check_size(len(left.items) + len(right.items))
    items = left.items + right.items
    if depth_left == depth_right:
        if left.dimensions[1:] != right.dimensions[1:]:
            mismatch.detail = (
                "Arrays with differing element dimensions are not compatible for concatenation."
            )
            raise mismatch
        count = left.dimensions[0] + right.dimensions[0]
        return ArrayValue(items, (count, *left.dimensions[1:]), left.lower_bounds)
    deep, flat = (left, right) if depth_left > depth_right else (right, left)
    if len(deep.dimensions) != len(flat.dimensions) + 1:
        mismatch.detail = f"Arrays of {depth_left} and {depth_right} dimensions are not compatible for concatenation."
        raise mismatch
    if deep.dimensions[1:] != flat.dimensions:
        mismatch.detail = "Arrays with differing dimensions are not compatible for concatenation."
        raise mismatch
    return ArrayValue(items, (deep.dimensions[0] + 1, *deep.dimensions[1:]), deep.lower_bounds)


function("array_append(anycompatiblearray, anycompatible) -> anycompatiblearray", strict=False)(
    _append
)
function("array_prepend(anycompatible, anycompatiblearray) -> anycompatiblearray", strict=False)(
    _prepend
)
function("array_cat(anycompatiblearray, anycompatiblearray) -> anycompatiblearray", strict=False)(
    _concatenate
)
operator("anycompatiblearray || anycompatible -> anycompatiblearray", strict=False)(_append)
operator("anycompatible || anycompatiblearray -> anycompatiblearray", strict=False)(_prepend)
operator("anycompatiblearray || anycompatiblearray -> anycompatiblearray", strict=False)(
    _concatenate
)


def _counts(array: ArrayValue | None, what: str) -> tuple[int, ...]:
    """The sizes, or the lower bounds, of array_fill()."""
    if array is None:
        raise SqlError("22004", "dimension array or low bound array cannot be null")
    if len(array.dimensions) > 1:
        raise SqlError(
            "2202E", "wrong number of array subscripts", detail=f"{what} must be one dimensional."
        )
    if None in array.items:
        raise SqlError("22004", "dimension values cannot be null")
    return array.items


def _fill(item: Any, dimensions: ArrayValue | None, bounds: ArrayValue | None) -> ArrayValue:
    if isinstance(item, ArrayValue):
        raise SqlError("42704", "could not find array type for the data type of an array")
    if dimensions is None or bounds is None:
        raise SqlError("22004", "dimension array or low bound array cannot be null")
    sizes = _counts(dimensions, "Dimension array")
    if len(sizes) > _DIMENSIONS_MAX:
        raise SqlError(
            "54000",
            f"number of array dimensions ({len(sizes)}) exceeds the maximum allowed ({_DIMENSIONS_MAX})",
        )
    lower = _counts(bounds, "Low bound array")
    if len(lower) != len(sizes):
        raise SqlError(
            "2202E",
            "wrong number of array subscripts",
            detail="Low bound array has different size than dimensions array.",
        )
    if not sizes:
        return EMPTY_ARRAY
    count = 1
    for size in sizes:
        count *= size
        if size < 0 or count > _ITEMS_MAX:
            raise SqlError("54000", f"array size exceeds the maximum allowed ({_ITEMS_MAX})")
    for size, low in zip(sizes, lower, strict=True):
        if low + size > INT32_MAX:
            raise SqlError("54000", f"array lower bound is too large: {low}")
    return ArrayValue((item,) * count, sizes, lower) if count else EMPTY_ARRAY


@function("array_fill(anyelement, int4[]) -> anyarray", strict=False)
def _fill_from_one(item: Any, dimensions: ArrayValue | None) -> ArrayValue:
    size = 1 if dimensions is None else len(dimensions.items)
    return _fill(item, dimensions, ArrayValue.of([1] * size))


function("array_fill(anyelement, int4[], int4[]) -> anyarray", strict=False)(_fill)


@function("trim_array(anyarray, int4) -> anyarray")
def _trim(array: ArrayValue, count: int) -> ArrayValue:
    size = array.dimensions[0] if array.dimensions else 0
    if not 0 <= count <= size:
        raise SqlError("2202E", f"number of elements to trim must be between 0 and {size}")
    if len(array.dimensions) > 1:
        step = len(array.items) // size
        items = array.items[: (size - count) * step]
        if not items:
            return EMPTY_ARRAY
        return ArrayValue(
            items, (size - count, *array.dimensions[1:]), (1,) * len(array.dimensions)
        )
    return ArrayValue.of(array.items[: size - count])


# --- searching. Equality is the element type's.


def _equal(ref: TypeRef) -> Callable[[Any, Any], bool]:
    key = sort_key(ref.oid)
    if key is None:
        return lambda left, right: bool(left == right)
    return lambda left, right: bool(key(left) == key(right))


def _same(ref: TypeRef) -> Callable[[Any, Any], bool]:
    """IS NOT DISTINCT FROM."""
    equal = _equal(ref)

    def same(left: Any, right: Any) -> bool:
        if left is None or right is None:
            return left is right
        return equal(left, right)

    return same


def _element(ref: TypeRef) -> TypeRef:
    return TypeRef(type_info(ref.oid).element_oid)


def _one_dimensional(array: ArrayValue, what: str) -> None:
    if len(array.dimensions) > 1:
        raise SqlError("0A000", what)


@function("array_position(anycompatiblearray, anycompatible) -> int4", strict=False, typed=True, nullable=True)  # fmt: skip
@function("array_position(anycompatiblearray, anycompatible, int4) -> int4", strict=False, typed=True, nullable=True)  # fmt: skip
def _position(types: Any, _: Any) -> Callable[..., int | None]:
    same = _same(_element(types[0]))

    def position(array: ArrayValue | None, item: Any, *start: int | None) -> int | None:
        if array is None:
            return None
        _one_dimensional(
            array, "searching for elements in multidimensional arrays is not supported"
        )
        first = start[0] if start else None
        if start and first is None:
            raise SqlError("22004", "initial position must not be null")
        for number, candidate in enumerate(array.items):
            place = number + array.lower_bounds[0]
            if (first is None or place >= first) and same(candidate, item):
                return place
        return None

    return position


@function("array_positions(anycompatiblearray, anycompatible) -> int4[]", strict=False, typed=True, nullable=True)  # fmt: skip
def _positions(types: Any, _: Any) -> Callable[..., ArrayValue | None]:
    same = _same(_element(types[0]))

    def positions(array: ArrayValue | None, item: Any) -> ArrayValue | None:
        if array is None:
            return None
        _one_dimensional(
            array, "searching for elements in multidimensional arrays is not supported"
        )
        return ArrayValue.of(
            number + array.lower_bounds[0]
            for number, candidate in enumerate(array.items)
            if same(candidate, item)
        )

    return positions


@function("array_remove(anycompatiblearray, anycompatible) -> anycompatiblearray", strict=False, typed=True)  # fmt: skip
def _remove(types: Any, _: Any) -> Callable[..., ArrayValue | None]:
    same = _same(_element(types[0]))

    def remove(array: ArrayValue | None, item: Any) -> ArrayValue | None:
        if array is None:
            return None
        _one_dimensional(array, "removing elements from multidimensional arrays is not supported")
        kept = tuple(value for value in array.items if not same(value, item))
        return array if len(kept) == len(array.items) else _like(array, kept)

    return remove


@function("array_replace(anycompatiblearray, anycompatible, anycompatible) -> anycompatiblearray", strict=False, typed=True)  # fmt: skip
def _replace(types: Any, _: Any) -> Callable[..., ArrayValue | None]:
    same = _same(_element(types[0]))

    def replace(array: ArrayValue | None, old: Any, new: Any) -> ArrayValue | None:
        if array is None:
            return None
        items = tuple(new if same(value, old) else value for value in array.items)
        return ArrayValue(items, array.dimensions, array.lower_bounds)

    return replace


def _keys(ref: TypeRef) -> Callable[[ArrayValue], set[Any]]:
    """The items but NULLs as they are equal and hash in SQL. What comparing each with each would cost grows
    with the square of the size, and nobody else is answered meanwhile."""
    key = sort_key(ref.oid)
    if key is None:
        return lambda array: {item for item in array.items if item is not None}
    return lambda array: {key(item) for item in array.items if item is not None}


def _contains(types: Any, _: Any) -> Callable[[ArrayValue, ArrayValue], bool]:
    keys = _keys(_element(types[0]))

    def contains(left: ArrayValue, right: ArrayValue) -> bool:
        return None not in right.items and keys(right) <= keys(left)

    return contains


def _overlap(types: Any, _: Any) -> Callable[[ArrayValue, ArrayValue], bool]:
    keys = _keys(_element(types[0]))
    return lambda left, right: not keys(left).isdisjoint(keys(right))


def _contained(types: Any, result: Any) -> Callable[[ArrayValue, ArrayValue], bool]:
    contains = _contains(types, result)
    return lambda left, right: contains(right, left)


operator("anyarray @> anyarray -> bool", typed=True, raises=False)(_contains)
operator("anyarray <@ anyarray -> bool", typed=True, raises=False)(_contained)
operator("anyarray && anyarray -> bool", typed=True, raises=False)(_overlap)

# --- text


def _joined(types: Any, _: Any) -> Callable[..., str | None]:
    element = _element(types[0])

    def join(
        ctx: Any, array: ArrayValue | None, delimiter: str | None, null: str | None = None
    ) -> str | None:
        if array is None or delimiter is None:
            return None
        parts = [
            null if item is None else text_io.render(element, item, ctx.settings)
            for item in array.items
        ]
        return delimiter.join(part for part in parts if part is not None)

    return join


_TYPED: Final[dict[str, Any]] = {
    "typed": True,
    "context": True,
    "volatility": STABLE,
    "strict": False,
    "nullable": True,
}
function("array_to_string(anyarray, text) -> text", **_TYPED)(_joined)
function("array_to_string(anyarray, text, text) -> text", **_TYPED)(_joined)


def _split(
    text: str | None, delimiter: str | None, null: str | None = None
) -> list[str | None] | None:
    if text is None:
        return None
    if not text:
        return []
    if delimiter is None:
        parts: list[str | None] = list(text)
    elif not delimiter:
        parts = [text]
    else:
        parts = list(text.split(delimiter))
    return parts if null is None else [None if part == null else part for part in parts]


def _to_array(
    text: str | None, delimiter: str | None, null: str | None = None
) -> ArrayValue | None:
    parts = _split(text, delimiter, null)
    return None if parts is None else ArrayValue.of(parts)


def _to_table(text: str | None, delimiter: str | None, null: str | None = None) -> list[str | None]:
    return _split(text, delimiter, null) or []


for _null in ("", ", text"):
    function(f"string_to_array(text, text{_null}) -> text[]", strict=False, raises=False)(_to_array)
    function(f"string_to_table(text, text{_null}) -> setof text", strict=False)(_to_table)

# --- sets


@function("unnest(anyarray) -> setof anyelement")
def _unnest(array: ArrayValue) -> Iterator[Any]:
    return iter(array.items)


def _subscripts(array: ArrayValue, dimension: int, backwards: bool = False) -> Any:
    if not 1 <= dimension <= len(array.dimensions):
        return ()
    low = array.lower_bounds[dimension - 1]
    numbers = range(low, low + array.dimensions[dimension - 1])
    return reversed(numbers) if backwards else numbers


function("generate_subscripts(anyarray, int4) -> setof int4")(_subscripts)
function("generate_subscripts(anyarray, int4, bool) -> setof int4")(_subscripts)
