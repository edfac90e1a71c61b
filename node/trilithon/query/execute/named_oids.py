"""regclass and its like in results: clients see an object's name, which only the catalog knows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any, cast

from trilithon.expression.context import EvalContext
from trilithon.query.catalog_views import object_names
from trilithon.query.catalog_views.registration import catalog_of
from trilithon.types.registry import TypeRef
from trilithon.types.values import NamedOid

Positions = Sequence[tuple[int, int]]


def named_positions(types: Sequence[TypeRef]) -> Positions:
    """(position, type) of a result's columns that are."""
    kinds = object_names.KINDS
    return tuple((at, type_.oid) for at, type_ in enumerate(types) if type_.oid in kinds)


def with_names(rows: list[Any], positions: Positions, context: EvalContext) -> list[Any]:
    """The rows, with oids that know their names in these columns."""
    catalog, path = catalog_of(context), tuple(context.session.search_path)

    made = []
    for row in rows:
        values = list(row)
        for at, kind in positions:
            if values[at] is not None:
                values[at] = NamedOid(
                    values[at], object_names.render(catalog, path, kind, values[at])
                )
        made.append(tuple(values))
    return made


async def batches_with_names(
    batches: AsyncIterator[list[Any]], positions: Positions, context: EvalContext
) -> AsyncIterator[list[Any]]:
    async with aclosing(cast(Any, batches)) as source:
        async for batch in source:
            yield with_names(batch, positions, context)
