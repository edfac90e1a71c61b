"""What PostgreSQL's catalog says of types: alignment, storage, input and output functions.

Numbers are PostgreSQL's own: clients compare them (`typinput = 'array_in'::regproc`). The functions
themselves cannot be called here.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from trilithon.query.catalog_views import facts

_COLUMNS: Final = (
    "typinput",
    "typoutput",
    "typreceive",
    "typsend",
    "typmodin",
    "typmodout",
    "typalign",
    "typstorage",
)
# Any array, and any enumerated type, is read and written by the same functions.
_ARRAY: Final = 1007
_ENUM: Final = {"typinput": 3506, "typoutput": 3507, "typreceive": 3532, "typsend": 3533}
_DOMAIN: Final = {"typinput": 2597, "typreceive": 2598}
_ARRAY_SUBSCRIPTS: Final = 6179
_ARRAY_STATISTICS: Final = 3816


@cache
def columns_of(oid: int, element: int = 0) -> dict[str, object]:
    """pg_type's columns for a built-in type, or an array of a type."""
    known = facts.by_oid("pg_type")
    row = known.get(oid)
    columns: dict[str, object] = {name: (row or known[_ARRAY])[name] for name in _COLUMNS}
    if row is None:
        wide = element in known and known[element]["typalign"] == "d"
        columns["typalign"] = "d" if wide else "i"
        columns["typsubscript"] = _ARRAY_SUBSCRIPTS
        columns["typanalyze"] = _ARRAY_STATISTICS
    return columns


def enum_columns() -> dict[str, object]:
    return {**_ENUM, "typalign": "i", "typstorage": "p"}


def row_columns() -> dict[str, object]:
    """For the type of a relation's rows."""
    return columns_of(2249)


def domain_columns(base: int, element: int = 0) -> dict[str, object]:
    """A domain is written like its type, and read by functions of its own."""
    return {**columns_of(base, element), **_DOMAIN, "typmodin": 0, "typmodout": 0}


def align_and_storage(oid: int, element: int = 0) -> tuple[str, str]:
    columns = columns_of(oid, element)
    return str(columns["typalign"]), str(columns["typstorage"])


def collation_of(oid: int) -> int:
    """Its values' collation; 0 for those that are not text."""
    row = facts.by_oid("pg_type").get(oid)
    return 0 if row is None else int(row["typcollation"])
