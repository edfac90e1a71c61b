"""Stored expressions as whoever looks at the catalog sees them."""

from __future__ import annotations

from typing import Any

from trilithon.query.shown.definitions import Viewpoint, for_domain, for_type
from trilithon.types.settings import IoSettings

__all__ = ["for_domain", "for_type", "viewpoint"]


def viewpoint(catalog: Any, session: Any, pretty: bool = False, io: Any = None) -> Viewpoint:
    """Of a session that looks; `io` None: that of the session, if it tells."""
    path = tuple(getattr(session, "search_path", ("public",)))
    io = io or getattr(getattr(session, "settings", None), "io", None)
    return Viewpoint(catalog, path, io if isinstance(io, IoSettings) else IoSettings(), pretty)
