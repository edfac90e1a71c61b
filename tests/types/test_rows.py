"""The row codec."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trilithon.types import numeric, rows
from trilithon.types.values import ArrayValue, Interval, TimeTz

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(blacklist_categories=("Cs",))),
    st.binary(),
    st.decimals(allow_nan=False),
    st.just(numeric.NAN),
    st.builds(
        Interval,
        st.integers(-(2**31), 2**31 - 1),
        st.integers(-(2**31), 2**31 - 1),
        st.integers(-(2**63), 2**63 - 1),
    ),
    st.builds(TimeTz, st.integers(0, 86_400_000_000), st.integers(-57599, 57599)),
)
values = st.one_of(scalars, st.lists(scalars, max_size=3).map(ArrayValue.of))


def same(left: Any, right: Any) -> bool:
    return type(left) is type(right) and left == right and str(left) == str(right)


@given(st.lists(values))
def test_round_trip(row: list[Any]) -> None:
    decoded = rows.decode_row(rows.encode_row(row))
    assert len(decoded) == len(row)
    assert all(map(same, row, decoded))


@given(st.lists(st.one_of(st.none(), st.lists(scalars, max_size=3)), max_size=40))
def test_joined_rows(batch: list[list[Any] | None]) -> None:
    encoded = [None if row is None else rows.encode_row(row) for row in batch]
    assert rows.decode_rows(rows.join_rows(encoded)) == batch


@pytest.mark.parametrize("count", [0, 15, 16, 65535, 65536])
def test_join_headers(count: int) -> None:
    assert len(rows.decode_rows(rows.join_rows([rows.encode_row([1])] * count))) == count


def test_scale_survives() -> None:
    (value,) = rows.decode_row(rows.encode_row([Decimal("1.10")]))
    assert str(value) == "1.10"


@given(st.binary(max_size=30))
def test_garbage_is_refused_cleanly(data: bytes) -> None:
    for decode in (rows.decode_row, rows.decode_rows):
        with contextlib.suppress(rows.MalformedRow):
            decode(data)
