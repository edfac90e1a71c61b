"""Parameters and rows: nothing may lose a digit."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trilithon.client import UsageError
from trilithon.client.values import NUMERIC, TIMESTAMPTZ, UUID, decode_rows, encode_parameter


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_decimals_go_out_and_come_back_exactly(value: Decimal) -> None:
    sent = encode_parameter(value)
    assert sent.type_oid == NUMERIC
    packed = msgspec.msgpack.encode([[sent.text]])
    assert decode_rows(packed, [NUMERIC]) == [(value,)]


def test_every_kind_of_value_has_its_type() -> None:
    samples = {
        2: 23,
        1 << 40: 20,
        1 << 80: 1700,
        1.5: 701,
        "text": 0,
        b"bytes": 17,
        uuid.UUID(int=1): 2950,
        datetime.date(2026, 1, 2): 1082,
        datetime.datetime(2026, 1, 2, 3): 1114,
        datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC): 1184,
        datetime.timedelta(seconds=1): 1186,
    }
    assert encode_parameter(True).type_oid == 16
    assert {value: encode_parameter(value).type_oid for value in samples} == samples


@pytest.mark.parametrize(
    ("value", "oid", "text"),
    [
        ([1, None, 3], 1007, '{"1",NULL,"3"}'),
        ([1, 1 << 40], 1016, '{"1","1099511627776"}'),
        ([["a"], ['b"\\']], 0, '{{"a"},{"b\\"\\\\"}}'),
        ([], 0, "{}"),
    ],
)
def test_lists_become_array_literals(value: list[object], oid: int, text: str) -> None:
    sent = encode_parameter(value)
    assert (sent.type_oid, sent.text) == (oid, text)


def test_a_value_without_an_sql_type_is_refused() -> None:
    with pytest.raises(UsageError, match="object"):
        encode_parameter(object())


def test_rows_become_python_values_and_what_python_cannot_say_stays_text() -> None:
    key = uuid.uuid4()
    packed = msgspec.msgpack.encode(
        [[str(key), "2026-01-02 03:04:05.5+00", "1.10"], [None, "infinity", None]]
    )
    assert decode_rows(packed, [UUID, TIMESTAMPTZ, NUMERIC]) == [
        (
            key,
            datetime.datetime(2026, 1, 2, 3, 4, 5, 500000, tzinfo=datetime.UTC),
            Decimal("1.10"),
        ),
        (None, "infinity", None),
    ]
