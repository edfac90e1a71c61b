"""UUIDs, types of values, counting NULLs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trilithon.core.ids import make_random_id, make_transaction_id
from trilithon.expression.registry import VOLATILE, function
from trilithon.types import calendar as cal
from trilithon.types.registry import UNKNOWN


def _random_uuid(ctx: Any) -> bytes:
    """Version 4: RFC 9562."""
    data = bytearray(make_random_id(ctx.random))
    data[6] = data[6] & 0x0F | 0x40
    data[8] = data[8] & 0x3F | 0x80
    return bytes(data)


for _name in ("gen_random_uuid", "uuidv4"):
    function(f"{_name}() -> uuid", context=True, volatility=VOLATILE)(_random_uuid)


@function("uuidv7() -> uuid", context=True, volatility=VOLATILE)
def _uuidv7(ctx: Any) -> bytes:
    unix_us = max(ctx.now_us() - cal.UNIX_EPOCH_US, 0)
    return bytes(make_transaction_id(unix_us, ctx.random))


@function("pg_typeof(any) -> regtype", strict=False, typed=True, raises=False)
def _typeof(types: Any, _: Any) -> Callable[[Any], int]:
    # A literal that nothing gave a type was settled as text by then.
    oid = types[0].oid or UNKNOWN.oid
    return lambda value: int(oid)


@function("num_nulls(variadic any) -> int4", strict=False, raises=False)
def _num_nulls(*values: Any) -> int:
    return sum(value is None for value in values)


@function("num_nonnulls(variadic any) -> int4", strict=False, raises=False)
def _num_nonnulls(*values: Any) -> int:
    return sum(value is not None for value in values)
