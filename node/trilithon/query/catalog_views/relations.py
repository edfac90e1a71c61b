"""All virtual relations, by schema and name."""

from __future__ import annotations

from collections.abc import Mapping

from trilithon.query.catalog_views.provider import VirtualRelation

RELATIONS: Mapping[tuple[str, str], VirtualRelation] = {}
