"""Functions over any enumerated type. What labels there are knows the process's catalog: they are stable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trilithon.expression.registry import STABLE, function
from trilithon.types import user_types
from trilithon.types.values import ArrayValue, EnumValue


def _values(types: Any) -> list[EnumValue]:
    return sorted(user_types.enum_type(types[0].oid).values.values())


@function("enum_first(anyenum) -> anyenum", strict=False, typed=True, volatility=STABLE)
def _first(types: Any, _: Any) -> Callable[[Any], EnumValue]:
    return lambda value: _values(types)[0]


@function("enum_last(anyenum) -> anyenum", strict=False, typed=True, volatility=STABLE)
def _last(types: Any, _: Any) -> Callable[[Any], EnumValue]:
    return lambda value: _values(types)[-1]


@function("enum_range(anyenum) -> anyarray", strict=False, typed=True, volatility=STABLE)
def _range(types: Any, _: Any) -> Callable[[Any], ArrayValue]:
    return lambda value: ArrayValue.of(_values(types))


@function("enum_range(anyenum, anyenum) -> anyarray", strict=False, typed=True, volatility=STABLE)
def _range_between(types: Any, _: Any) -> Callable[[Any, Any], ArrayValue]:
    def between(low: EnumValue | None, high: EnumValue | None) -> ArrayValue:
        return ArrayValue.of(
            value
            for value in _values(types)
            if (low is None or value >= low) and (high is None or value <= high)
        )

    return between
