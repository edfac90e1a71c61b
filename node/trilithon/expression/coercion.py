"""Casts as callables: from one type, modifier included, to another.

A cast is up to two steps: the way between the types (`functions.find_cast`), then the target's
modifier (`types.modifiers`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from trilithon.core.errors import SqlError
from trilithon.expression.functions import CastPath, find_cast
from trilithon.expression.registry import IMMUTABLE, STABLE, bind
from trilithon.types import modifiers, text_io, user_types
from trilithon.types.registry import TYPES, TypeRef, element_type, type_name
from trilithon.types.values import ArrayValue, RecordValue


@dataclass(frozen=True, slots=True)
class CastStep:
    """`call(value)`, or `call(ctx, value)` where `context` says so, for a value that is not NULL."""

    call: Callable[..., Any]
    context: bool = False
    nullable: bool = False
    volatility: str = IMMUTABLE
    inline: str = ""


@lru_cache(maxsize=4096)
def caster(source: TypeRef, target: TypeRef, explicit: bool) -> CastStep | None:
    """None: the value stays as it is. Raises SqlError 42846 where there is no cast."""
    path = find_cast(source.oid, target.oid)
    if path is None:
        raise SqlError(
            "42846", f"cannot cast type {type_name(source)} to {type_name(TypeRef(target.oid))}"
        )
    step = _way(path, source, target)
    if target.typmod < 0 or (source.oid == target.oid and source.typmod == target.typmod):
        return step
    modify = modifiers.modifier(target, explicit)
    if modify is None:
        return step
    if step is None:
        return CastStep(modify)
    return _chain(step, modify)


def _chain(step: CastStep, modify: Callable[[Any], Any]) -> CastStep:
    first = step.call
    if step.context:
        call: Callable[..., Any] = lambda ctx, value: modify(first(ctx, value))  # noqa: E731
    else:
        call = lambda value: modify(first(value))  # noqa: E731
    if step.nullable:
        plain = modify

        def modify(value: Any) -> Any:
            return None if value is None else plain(value)

    return CastStep(call, step.context, step.nullable, step.volatility)


def _way(path: CastPath, source: TypeRef, target: TypeRef) -> CastStep | None:
    match path.kind:
        case "same":
            return None
        case "function":
            entry = path.function
            assert entry is not None
            call = bind(entry, (source,), target)
            return CastStep(call, entry.context, entry.nullable, entry.volatility, entry.inline)
        case "record":
            return CastStep(_as_record(source.oid), volatility=STABLE)
        case "array":
            assert path.element is not None
            element = _way(path.element, element_type(source), element_type(target))
            return element and _elementwise(element)
        case _:
            return _through_text(source, target)


def _as_record(oid: int) -> Callable[[RecordValue], RecordValue]:
    """A row takes its type's names along."""

    def convert(value: RecordValue) -> RecordValue:
        if value.names:
            return value
        return RecordValue.of(value, value.types, user_types.composite(oid).names)

    return convert


def _elementwise(step: CastStep) -> CastStep:
    item = step.call

    def with_context(ctx: Any, array: ArrayValue) -> ArrayValue:
        items = tuple(None if value is None else item(ctx, value) for value in array.items)
        return ArrayValue(items, array.dimensions, array.lower_bounds)

    def plain(array: ArrayValue) -> ArrayValue:
        items = tuple(None if value is None else item(value) for value in array.items)
        return ArrayValue(items, array.dimensions, array.lower_bounds)

    return CastStep(with_context if step.context else plain, step.context, False, step.volatility)


def _through_text(source: TypeRef, target: TypeRef) -> CastStep:
    """Output, then input; the half that is text already is left out."""
    bare = TypeRef(target.oid)
    to_string = TYPES[target.oid].category == "S"
    from_string = TYPES[source.oid].category in "SX"
    volatility = (
        STABLE
        if text_io.depends_on_settings(source.oid) or text_io.depends_on_settings(target.oid)
        else IMMUTABLE
    )
    if to_string and not from_string:

        def output(ctx: Any, value: Any) -> Any:
            return text_io.render(source, value, ctx.settings)

        return CastStep(output, True, volatility=volatility)
    if from_string:

        def parse(ctx: Any, value: Any) -> Any:
            return text_io.parse(bare, value, ctx.settings)

        return CastStep(parse, True, volatility=volatility)

    def both(ctx: Any, value: Any) -> Any:
        return text_io.parse(bare, text_io.render(source, value, ctx.settings), ctx.settings)

    return CastStep(both, True, volatility=volatility)
