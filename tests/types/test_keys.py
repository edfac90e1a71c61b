"""The key codec: order, round trip, prefix-freeness, columns found without the schema."""

from __future__ import annotations

import contextlib
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trilithon.core.errors import SqlError
from trilithon.types import keys, numeric
from trilithon.types import registry as t
from trilithon.types.ordering import sort_key
from trilithon.types.values import EMPTY_ARRAY, ArrayValue, Interval, TimeTz

int64 = st.integers(-(2**63), 2**63 - 1)
numerics = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=True).map(numeric.normal),
    st.integers(-(10**60), 10**60).map(Decimal),
    st.tuples(st.integers(-2000, 2000), st.integers(0, 5)).map(
        lambda pair: numeric.normal(Decimal(pair[0]).scaleb(-pair[1]))
    ),
    st.just(numeric.NAN),
)
texts = st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)))
intervals = st.builds(
    Interval,
    st.integers(-(2**31), 2**31 - 1),
    st.integers(-(2**31), 2**31 - 1),
    st.one_of(int64, st.integers(-3, 3).map(lambda n: n * 86_400_000_000)),
)

VALUES: dict[t.TypeRef, st.SearchStrategy[Any]] = {
    t.BOOL: st.booleans(),
    t.INT2: st.integers(-(2**15), 2**15 - 1),
    t.INT4: st.one_of(st.integers(-300, 300), st.integers(-(2**31), 2**31 - 1)),
    t.INT8: st.one_of(
        int64,
        st.sampled_from([s * 2**n + d for s in (1, -1) for n in range(62) for d in (-1, 0, 1)]),
    ),
    t.OID: st.integers(0, 2**32 - 1),
    t.FLOAT8: st.floats(),
    t.FLOAT4: st.floats(width=32),
    t.NUMERIC: numerics,
    t.TEXT: texts,
    t.VARCHAR: texts,
    t.BPCHAR: st.text("ab ", max_size=5),
    t.BYTEA: st.one_of(
        st.binary(), st.lists(st.sampled_from([b"\0", b"\1", b"\xff"])).map(b"".join)
    ),
    t.UUID: st.binary(min_size=16, max_size=16),
    t.DATE: st.integers(-(2**31), 2**31 - 1),
    t.TIME: st.integers(0, 86_400_000_000),
    t.TIMETZ: st.builds(TimeTz, st.integers(0, 86_400_000_000), st.integers(-57599, 57599)),
    t.TIMESTAMPTZ: int64,
    t.INTERVAL: intervals,
    t.TEXT_ARRAY: st.lists(st.one_of(st.none(), texts)).map(ArrayValue.of),
    t.INT4_ARRAY: st.one_of(
        st.lists(st.one_of(st.none(), st.integers(-3, 3)), max_size=4).map(ArrayValue.of),
        st.just(ArrayValue((1, 2, 3, 4), (2, 2), (1, 1))),
        st.just(EMPTY_ARRAY),
    ),
}


def order(ref: t.TypeRef, value: Any) -> Any:
    key = sort_key(ref.oid)
    return value if key is None else key(value)


@st.composite
def typed_pairs(draw: st.DrawFn) -> tuple[t.TypeRef, Any, Any]:
    ref = draw(st.sampled_from(list(VALUES)))
    return ref, draw(VALUES[ref]), draw(VALUES[ref])


@st.composite
def columns(draw: st.DrawFn) -> tuple[list[t.TypeRef], list[list[Any]], list[bool], list[bool]]:
    refs = draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=4))
    rows = [[draw(st.one_of(st.none(), VALUES[ref])) for ref in refs] for _ in range(2)]
    flags = st.lists(st.booleans(), min_size=len(refs), max_size=len(refs))
    return refs, rows, draw(flags), draw(flags)


@given(typed_pairs())
def test_order_and_equality_are_kept(case: tuple[t.TypeRef, Any, Any]) -> None:
    ref, left, right = case
    a, b = keys.encode_columns([ref], [left]), keys.encode_columns([ref], [right])
    x, y = order(ref, left), order(ref, right)
    assert (a < b, a == b) == (x < y, x == y)


@given(columns())
def test_several_columns_sort_like_tuples(case: Any) -> None:
    refs, (left, right), descending, nulls_first = case
    a = keys.encode_columns(refs, left, descending, nulls_first)
    b = keys.encode_columns(refs, right, descending, nulls_first)
    expected = 0
    for ref, x, y, down, first in zip(refs, left, right, descending, nulls_first, strict=True):
        if x is None or y is None:
            ranks = [
                (0 if value is None else 1) if first else (1 if value is None else 0)
                for value in (x, y)
            ]
            expected = (ranks[0] > ranks[1]) - (ranks[0] < ranks[1])
        else:
            p, q = order(ref, x), order(ref, y)
            expected = ((p > q) - (p < q)) * (-1 if down else 1)
        if expected:
            break
    assert (a > b) - (a < b) == expected


@given(columns())
def test_round_trip_and_ends_without_schema(case: Any) -> None:
    refs, (row, _), descending, nulls_first = case
    data = keys.encode_columns(refs, row, descending, nulls_first)
    decoded = keys.decode_columns(refs, data + b"\x42tail", descending, nulls_first)
    for ref, before, after in zip(refs, row, decoded, strict=True):
        assert (before is None) == (after is None)
        if before is not None:
            assert order(ref, before) == order(ref, after)
            if keys.decodes_exactly(ref):
                assert before == after
                assert type(before) is type(after)
    assert keys.encode_columns(refs, decoded, descending, nulls_first) == data
    at = 0
    for ref, value, down, first in zip(refs, row, descending, nulls_first, strict=True):
        end = keys.column_end(data, at)
        assert data[at:end] == keys.encode_columns([ref], [value], [down], [first])
        at = end
    assert at == len(data)
    key = keys.key_prefix(16384, 0) + data
    first_end = keys.first_column_end(key)
    assert key[8:first_end] == keys.encode_columns(refs[:1], row[:1], descending, nulls_first)
    assert keys.key_slot(key) == keys.key_slot(key[:first_end])
    assert 0 <= keys.key_slot(key) < keys.SLOT_COUNT


@given(typed_pairs())
def test_no_encoding_is_a_prefix_of_another(case: tuple[t.TypeRef, Any, Any]) -> None:
    ref, left, right = case
    for descending in (False, True):
        a = keys.encode_columns([ref], [left], [descending])
        b = keys.encode_columns([ref], [right], [descending])
        assert a == b or not b.startswith(a)


@given(st.sampled_from(list(VALUES)), st.binary(max_size=40))
def test_garbage_is_refused_cleanly(ref: t.TypeRef, data: bytes) -> None:
    for down in (False, True):
        with contextlib.suppress(keys.MalformedKey):
            keys.decode_columns([ref], data, [down])
    with contextlib.suppress(keys.MalformedKey):
        keys.column_end(data, 0)


@given(st.binary(min_size=1, max_size=6), st.binary(max_size=4))
def test_prefix_end(prefix: bytes, suffix: bytes) -> None:
    end = keys.prefix_end(prefix)
    if end:
        assert prefix + suffix < end
        assert not end.startswith(prefix)
        # Nothing lies between the last key with the prefix and the end.
        assert end <= prefix[:-1] + bytes([prefix[-1] + 1]) if prefix[-1] < 255 else True
    else:
        assert set(prefix) == {255}


def test_equal_numbers_have_one_key() -> None:
    for group in (["1", "1.0", "1.000"], ["0", "0.00"], ["100", "100.0"], ["-0.5", "-0.50"]):
        assert len({keys.encode_columns([t.NUMERIC], [Decimal(text)]) for text in group}) == 1
    assert keys.encode_columns([t.FLOAT8], [-0.0]) == keys.encode_columns([t.FLOAT8], [0.0])
    nan = keys.encode_columns([t.FLOAT8], [math.nan])
    assert nan > keys.encode_columns([t.FLOAT8], [math.inf])
    assert nan == keys.encode_columns([t.FLOAT8], [-math.nan])
    assert keys.encode_columns([t.BPCHAR], ["a "]) == keys.encode_columns([t.BPCHAR], ["a"])
    month = keys.encode_columns([t.INTERVAL], [Interval(1, 0, 0)])
    assert month == keys.encode_columns([t.INTERVAL], [Interval(0, 30, 0)])


def test_integers_of_all_widths_share_keys() -> None:
    assert keys.encode_columns([t.INT2], [7]) == keys.encode_columns([t.INT8], [7])


def test_nul_in_text_and_unindexable_types() -> None:
    with pytest.raises(SqlError, match="22021"):
        keys.encode_columns([t.TEXT], ["a\0b"])
    with pytest.raises(SqlError, match="no default operator class"):
        keys.encode_columns([t.JSON], ["{}"])
    assert not keys.is_indexable(t.JSON.oid)
    assert keys.is_indexable(t.UUID.oid)


def test_largest_numerics() -> None:
    huge = numeric.normal(Decimal("9" * 131072 + "." + "9" * 16383))
    tiny = numeric.normal(Decimal("1E-16383"))
    for value in (huge, tiny, huge.copy_negate(), tiny.copy_negate()):
        data = keys.encode_columns([t.NUMERIC], [value])
        assert keys.decode_columns([t.NUMERIC], data) == [value]
