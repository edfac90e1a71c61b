"""regclass in results: clients see a relation's name, which only the catalog knows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any, cast

from trilithon.expression.context import EvalContext
from trilithon.types.registry import REGCLASS, TypeRef
from trilithon.types.values import NamedOid


def named_positions(types: Sequence[TypeRef]) -> tuple[int, ...]:
    """Which columns of a result are regclass."""
    return tuple(at for at, type_ in enumerate(types) if type_.oid == REGCLASS.oid)


def with_names(rows: list[Any], positions: Sequence[int], context: EvalContext) -> list[Any]:
    """The rows, with oids that know their names in these columns."""
    from trilithon.query.catalog_views.functions import regclass_text

    made = []
    for row in rows:
        values = list(row)
        for at in positions:
            if values[at] is not None:
                values[at] = NamedOid(values[at], regclass_text(context, values[at]))
        made.append(tuple(values))
    return made


async def batches_with_names(
    batches: AsyncIterator[list[Any]], positions: Sequence[int], context: EvalContext
) -> AsyncIterator[list[Any]]:
    async with aclosing(cast(Any, batches)) as source:
        async for batch in source:
            yield with_names(batch, positions, context)
