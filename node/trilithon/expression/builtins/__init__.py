"""The functions, operators, casts and aggregates themselves, a module per theme.

Adding one is writing a decorated function in the module of its theme; adding a theme is writing its
module and naming it here.
"""

from importlib import import_module
from typing import Final

MODULES: Final = (
    "comparisons",
    "integers",
    "numerics",
    "floats",
    "degrees",
    "casts",
    "strings",
    "quoting",
    "binaries",
    "intervals",
    "datetimes",
    "datetime_parts",
    "aggregates",
    "regression",
    "ordered_sets",
    "matching",
    "arrays",
    "misc",
    "identifiers",
    "enums",
    "domains",
    "jsons",
    "json_building",
    "json_records",
    "part_assignment",
    "jsonpath",
    "templates",
)

_loaded: list[str] = []


def load() -> None:
    """Fill the registry, once."""
    while len(_loaded) < len(MODULES):
        name = MODULES[len(_loaded)]
        _loaded.append(name)
        import_module(f"{__name__}.{name}")
