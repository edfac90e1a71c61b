"""PostgreSQL 15's built-in objects as tables of facts: numbers and names, which clients compare.

One .tsv file per catalog: a line on its source, a line of column names, then rows as COPY writes them. What
of them exists here too is decided in `builtin_objects`. Each is read when it is first asked for, once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from typing import Any, Final

from trilithon.types import text_io
from trilithon.types.registry import TypeRef
from trilithon.types.values import ArrayValue

Fact = dict[str, Any]
_NULL: Final = "\\N"
_NUMBERS: Final = frozenset({20, 21, 23, 24, 26, 2205})
_TEXTS: Final = frozenset({18, 19, 25, 194})
_VECTORS: Final = frozenset({22, 30})
_ESCAPES: Final = {"\\t": "\t", "\\n": "\n", "\\r": "\r", "\\b": "\b", "\\\\": "\\"}


def lines(table: str) -> Iterator[list[str]]:
    """The names of the columns, then each row's texts."""
    data = resources.files(__name__).joinpath(f"{table}.tsv").read_text("utf-8")
    for line in data.splitlines()[1:]:
        yield line.split("\t")


@cache
def rows(table: str) -> tuple[Fact, ...]:
    """A catalog's rows as values of its columns' types, under its columns' names."""
    from trilithon.query.catalog_views.columns import columns_of

    types = dict(columns_of("pg_catalog", table))
    found = lines(table)
    names = next(found)
    readers = [_reader(types[name]) for name in names]
    return tuple(
        {
            name: None if text == _NULL else read(text)
            for name, read, text in zip(names, readers, line, strict=True)
        }
        for line in found
    )


@cache
def by_oid(table: str, key: str = "oid") -> dict[int, Fact]:
    return {row[key]: row for row in rows(table)}


def _reader(type_: TypeRef) -> Callable[[str], Any]:
    if type_.oid in _NUMBERS:
        return int
    if type_.oid in _TEXTS:
        return _text
    if type_.oid == 16:
        return "t".__eq__
    if type_.oid in _VECTORS:
        return vector
    return lambda text: text_io.parse(type_, _text(text))


def _text(text: str) -> str:
    if "\\" not in text:
        return text
    made, at = "", 0
    while at < len(text):
        pair = text[at : at + 2]
        made += _ESCAPES.get(pair, text[at])
        at += 2 if pair in _ESCAPES else 1
    return made


def vector(text: str) -> ArrayValue:
    """int2vector's and oidvector's text: numbers, counted from 0."""
    return vector_of(map(int, text.split()))


def vector_of(values: Any) -> ArrayValue:
    items = tuple(values)
    return ArrayValue(items, (len(items),), (0,)) if items else ArrayValue((), (), ())


@cache
def keywords() -> tuple[tuple[str, str, bool], ...]:
    """(word, category as in pg_get_keywords(), whether it can be a label without AS)."""
    found = lines("keywords")
    next(found)
    return tuple((word, category, bare == "t") for word, category, bare in found)


@cache
def setting_categories() -> dict[str, str]:
    """Parameter → heading under which PostgreSQL lists it."""
    found = lines("settings")
    next(found)
    return {row[0]: row[1] for row in found}
