"""All virtual relations, by schema and name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trilithon.query.catalog_views import (
    activity_views,
    builtin_rows,
    dependencies,
    information_details,
    information_schema,
    pg_catalog,
    role_views,
    session_views,
    sys_views,
)
from trilithon.query.catalog_views.provider import VirtualRelation, make_relations

RELATIONS: Final[Mapping[tuple[str, str], VirtualRelation]] = make_relations(
    {
        **pg_catalog.FILLS,
        **activity_views.FILLS,
        **role_views.FILLS,
        **dependencies.FILLS,
        **information_schema.FILLS,
        **information_details.FILLS,
        **session_views.FILLS,
        **sys_views.FILLS,
    },
    builtin_rows.FIXED,
)
