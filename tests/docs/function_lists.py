"""Writes the lists of functions in docs/sql.md from the registry: python tests/docs/function_lists.py"""

from __future__ import annotations

import importlib
import re
import textwrap
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "sql.md"
# Whoever registers functions does so when imported.
REGISTERING = (
    "trilithon.expression.functions",
    "trilithon.query.session.functions",
    "trilithon.query.catalog_views.functions",
    "trilithon.query.catalog_views.identities",
    "trilithon.query.catalog_views.object_functions",
    "trilithon.query.catalog_views.privilege_functions",
    "trilithon.query.catalog_views.system_functions",
    "trilithon.query.engine",
)
# Their types are the catalog's: nothing that a ledger computes with.
_TOOLS = (
    "has_",
    "format_type",
    "obj_description",
    "col_description",
    "shobj_",
    "to_reg",
    "oidvector",
    "row_security",
)
_SESSION = re.compile(
    r"current_(user|role|database|catalog|schema|schemas|setting|query)$"
    r"|(session_)?user$|set_config$|version$|getdatabaseencoding$"
)


def is_tool(name: str) -> bool:
    return name.startswith(("pg_", *_TOOLS)) or _SESSION.match(name) is not None


def lists() -> dict[str, list[str]]:
    """By the marker that a list stands behind: names in order."""
    for module in REGISTERING:
        importlib.import_module(module)
    session = importlib.import_module("trilithon.query.session.functions")
    session.register_session_functions()
    registry = importlib.import_module("trilithon.expression.registry")
    names = sorted(name for name in registry.FUNCTIONS_BY_NAME if re.fullmatch(r"[a-z]\w*", name))
    return {
        "functions": [name for name in names if not is_tool(name)],
        "aggregates": sorted(registry.AGGREGATES_BY_NAME),
        "catalog": [name for name in names if is_tool(name)],
    }


def with_lists(page: str) -> str:
    for marker, names in lists().items():
        text = textwrap.fill(", ".join(f"`{name}`" for name in names), 110, break_long_words=False)
        start, end = f"<!-- {marker} -->\n", "<!-- end -->"
        before, _, rest = page.partition(start)
        assert rest, f"docs/sql.md has no {start}"
        page = f"{before}{start}{text}\n{rest[rest.index(end) :]}"
    return page


if __name__ == "__main__":
    PAGE.write_text(with_lists(PAGE.read_text("utf-8")), "utf-8")
