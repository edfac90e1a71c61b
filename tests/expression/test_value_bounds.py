"""Values that grow out of little: refused before they fill memory or hold everybody else up."""

from __future__ import annotations

import pytest

from trilithon.core.errors import SqlError
from trilithon.expression.builtins import arrays
from trilithon.expression.formatting import TEMPLATE_MAX, parse_template
from trilithon.expression.formatting_numbers import format_float
from trilithon.types.registry import TypeRef
from trilithon.types.values import ArrayValue

INT_ARRAY, FLOAT_ARRAY = TypeRef(1007), TypeRef(1022)
Growth = pytest.mark.parametrize(
    "grow",
    [
        lambda array: arrays._concatenate(array, array),
        lambda array: arrays._append(array, 1),
        lambda array: arrays._prepend(1, array),
    ],
    ids=["concatenate", "append", "prepend"],
)


@Growth
def test_arrays_grow_to_their_bound(grow, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(arrays, "_ITEMS_MAX", 100)
    array = ArrayValue.of([1])
    with pytest.raises(SqlError) as caught:
        for _ in range(200):
            array = grow(array)
            assert len(array.items) <= 100
    assert caught.value.sqlstate == "54000"


def test_containment_of_large_arrays_does_not_compare_each_with_each() -> None:
    contains, overlap = arrays._contains([INT_ARRAY], None), arrays._overlap([INT_ARRAY], None)
    even = ArrayValue.of(range(0, 400_000, 2))
    odd = ArrayValue.of(range(1, 400_000, 2))
    # Each with each would be 4e10 comparisons.
    assert contains(even, even)
    assert not contains(even, odd)
    assert not overlap(even, odd)
    assert overlap(even, ArrayValue.of([1, 3, 399_998]))


def test_null_is_in_nothing_and_nan_is_one_value() -> None:
    contains, overlap = arrays._contains([FLOAT_ARRAY], None), arrays._overlap([FLOAT_ARRAY], None)
    nan = float("nan")
    some = ArrayValue.of([1.0, None, nan])
    assert contains(some, ArrayValue.of([float("nan"), 1.0]))
    assert not contains(some, ArrayValue.of([None]))
    assert contains(some, ArrayValue.of([]))
    assert not overlap(some, ArrayValue.of([None]))
    assert overlap(some, ArrayValue.of([-1.0, float("nan")]))


def test_templates_have_a_length() -> None:
    for use in (parse_template, lambda text: format_float(text, 1.0, 15)):
        use("9" * TEMPLATE_MAX)
        with pytest.raises(SqlError) as caught:
            use("9" * (TEMPLATE_MAX + 1))
        assert caught.value.sqlstate == "54000"
