"""Binary input and output: round trips, garbage."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_keys import VALUES

from trilithon.core.errors import SqlError
from trilithon.types import binary_io, numeric, sdk, text_io
from trilithon.types import calendar as cal
from trilithon.types import registry as t
from trilithon.types.settings import IoSettings
from trilithon.types.values import ArrayValue

_DATED = {
    t.DATE: (cal.DATE_MIN, cal.DATE_MAX),
    t.TIMESTAMPTZ: (cal.TIMESTAMP_MIN, cal.TIMESTAMP_MAX),
}


@st.composite
def typed(draw: st.DrawFn) -> tuple[t.TypeRef, Any]:
    ref = draw(st.sampled_from([*VALUES, t.JSONB, t.TIMESTAMP]))
    if ref in _DATED:
        return ref, draw(st.integers(*_DATED[ref]))
    if ref == t.TIMESTAMP:
        return ref, draw(st.integers(*_DATED[t.TIMESTAMPTZ]))
    if ref == t.JSONB:
        return ref, draw(st.sampled_from(["{}", '{"a": 1.50}', "[1, null]"]))
    return ref, draw(VALUES[ref])


def exactly(value: Any) -> str:
    """Distinguishes 1.0 from 1.00, and NaN equals itself."""
    return repr(value)


@given(typed())
def test_binary_round_trip(case: tuple[t.TypeRef, Any]) -> None:
    ref, value = case
    if ref.oid == t.NUMERIC.oid and value.is_finite() and numeric.scale_of(value) > 16383:
        return
    assert exactly(binary_io.parse(ref, binary_io.render(ref, value))) == exactly(value)


@given(typed(), st.sampled_from(["UTC", "America/New_York", "Asia/Kathmandu"]))
def test_text_round_trip(case: tuple[t.TypeRef, Any], zone: str) -> None:
    ref, value = case
    settings = IoSettings(timezone=zone)
    if ref == t.TIMESTAMPTZ and not cal.TIMESTAMP_MIN + 10**12 < value < cal.TIMESTAMP_MAX - 10**12:
        return  # its local time is out of range
    text = text_io.render(ref, value, settings)
    assert exactly(text_io.parse(ref, text, settings)) == exactly(value)


@given(typed())
def test_sdk_values_are_plain(case: tuple[t.TypeRef, Any]) -> None:
    ref, value = case
    settings = IoSettings()
    (plain,) = sdk.row_renderer([ref], settings)([value])
    assert plain is None or isinstance(plain, bool | int | float | str | bytes)
    assert exactly(sdk.parse(ref, plain, settings)) == exactly(value)


@given(st.sampled_from([*VALUES, t.JSONB, t.TIMESTAMP]), st.binary(max_size=60))
def test_garbage_is_an_sql_error(ref: t.TypeRef, data: bytes) -> None:
    with contextlib.suppress(SqlError):
        binary_io.parse(ref, data)


@given(st.sampled_from([*VALUES, t.JSONB, t.TIMESTAMP]), st.text(max_size=30))
def test_garbage_text_is_an_sql_error(ref: t.TypeRef, text: str) -> None:
    with contextlib.suppress(SqlError):
        text_io.parse(ref, text, IoSettings())


_FRAGMENTS = st.lists(
    st.sampled_from(
        [
            "2020",
            "-02",
            "-30",
            ":",
            "10",
            ":",
            "99",
            "T",
            "Z",
            "+",
            "-08",
            "jan",
            "BC",
            "pm",
            "am",
            "{",
            "",
            "}",
            ",",
            "[2:3]=",
            '"',
            "\\",
            "1e5",
            ".",
            "e+",
            "inf",
            "nan",
            "P",
            "1Y",
            "T5M",
            "day",
            "1",
            "ago",
            "-",
            "/",
            "3",
            "J",
            "now",
            "epoch",
            "0",
            "99999999999",
        ]
    ),
    max_size=8,
).map("".join)


@given(st.sampled_from([*VALUES, t.JSONB, t.TIMESTAMP]), _FRAGMENTS)
def test_plausible_text_is_a_value_or_an_sql_error(ref: t.TypeRef, text: str) -> None:
    with contextlib.suppress(SqlError):
        value = text_io.parse(ref, text, IoSettings())
        text_io.render(ref, value, IoSettings())


def test_numeric_on_the_wire() -> None:
    # 12345.6789: two base-10000 digits before the point, one after.
    data = binary_io.render(t.NUMERIC, Decimal("12345.6789"))
    assert data.hex() == "0003000100000004000109291a85"
    assert binary_io.parse(t.NUMERIC, data) == Decimal("12345.6789")


def test_modifiers_apply_to_binary_input() -> None:
    ref = t.lookup_type("varchar", (2,))
    with pytest.raises(SqlError, match="22001"):
        binary_io.parse(ref, b"abc")
    money = t.lookup_type("numeric", (5, 2))
    assert str(binary_io.parse(money, binary_io.render(t.NUMERIC, Decimal("1.005")))) == "1.01"


def test_array_with_a_wrong_element_type() -> None:
    data = binary_io.render(t.INT4_ARRAY, ArrayValue.of([1, None]))
    with pytest.raises(SqlError, match="42804"):
        binary_io.parse(t.TEXT_ARRAY, data)
    with pytest.raises(SqlError, match="08P01"):
        binary_io.parse(t.INT4_ARRAY, data[:-3])
