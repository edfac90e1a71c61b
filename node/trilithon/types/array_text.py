"""Arrays as text: {1,2,NULL,"a b"}, nested braces, [2:3]={…} for other lower bounds.

Source of the rules: array_in and array_out of PostgreSQL 15.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.types.values import EMPTY_ARRAY, ArrayValue

DIMENSIONS_MAX: Final = 6
_BOUNDS: Final = re.compile(r"\s*((?:\[[+-]?\d+(?::[+-]?\d+)?\]\s*)+)=", re.ASCII)
_BOUND: Final = re.compile(r"\[([+-]?\d+)(?::([+-]?\d+))?\]", re.ASCII)
_TOKEN: Final = re.compile(r'\s*(?:([{},])|"((?:[^"\\]|\\.)*)"|((?:[^{},"\\]|\\.)+))\s*', re.DOTALL)
_MUST_QUOTE: Final = re.compile(r'["\\{},\s]')


def _malformed(text: str, detail: str) -> SqlError:
    return SqlError("22P02", f'malformed array literal: "{text}"', detail=detail)


def parse_array(text: str, item: Callable[[str], Any]) -> ArrayValue:
    """Raises SqlError 22P02, 2202E, 54000, and what `item` raises."""
    bounds: list[tuple[int, int]] = []
    at = 0
    match = _BOUNDS.match(text)
    if match is not None:
        at = match.end()
        for low, high in _BOUND.findall(match[1]):
            first, last = (int(low), int(high)) if high else (1, int(low))
            if last < first:
                raise SqlError("2202E", "upper bound cannot be less than lower bound")
            bounds.append((first, last))
    items, dimensions = _parse_braces(text, at, item)
    if not dimensions or dimensions == (0,):
        return EMPTY_ARRAY
    if 0 in dimensions:
        raise _malformed(text, 'Unexpected "}" character.')
    lows = (1,) * len(dimensions)
    if bounds:
        if tuple(last - first + 1 for first, last in bounds) != dimensions:
            raise _malformed(text, "Specified array dimensions do not match array contents.")
        lows = tuple(first for first, _ in bounds)
    return ArrayValue(tuple(items), dimensions, lows)


def _parse_braces(
    text: str, at: int, item: Callable[[str], Any]
) -> tuple[list[Any], tuple[int, ...]]:
    """The flat items and the dimensions, read off the nesting of the braces."""
    items: list[Any] = []
    counts: list[int] = []
    sizes: dict[int, int] = {}
    expect_item, closed, leaf_depth = True, False, 0
    if text[at:].lstrip()[:1] != "{":
        raise _malformed(text, 'Array value must start with "{" or dimension information.')
    previous = ""
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _malformed(text, "Unexpected end of input.")
        if closed:
            raise _malformed(text, "Junk after closing right brace.")
        at = match.end()
        sign, quoted, bare = match.groups()
        if sign == "{":
            if not expect_item or previous == "item":
                raise _malformed(text, 'Unexpected "{" character.')
            if len(counts) >= DIMENSIONS_MAX:
                raise SqlError(
                    "54000",
                    f"number of array dimensions ({len(counts) + 1}) exceeds the maximum allowed "
                    f"({DIMENSIONS_MAX})",
                )
            counts.append(0)
        elif sign == "}":
            if not counts or previous == ",":
                raise _malformed(text, 'Unexpected "}" character.')
            size = counts.pop()
            depth = len(counts)
            if sizes.setdefault(depth, size) != size:
                raise _malformed(
                    text, "Multidimensional arrays must have sub-arrays with matching dimensions."
                )
            if counts:
                counts[-1] += 1
            expect_item = False
            closed = not counts
        elif sign == ",":
            if expect_item or not counts:
                raise _malformed(text, 'Unexpected "," character.')
            expect_item = True
        else:
            if not expect_item or not counts:
                raise _malformed(text, "Unexpected array element.")
            leaf_depth = leaf_depth or len(counts)
            if leaf_depth != len(counts):
                raise _malformed(
                    text, "Multidimensional arrays must have sub-arrays with matching dimensions."
                )
            counts[-1] += 1
            items.append(_element(quoted, bare, item))
            expect_item = False
        if sign == "{":
            expect_item = True
        previous = sign or "item"
    if not closed:
        raise _malformed(text, "Unexpected end of input.")
    depths = max(sizes) + 1
    if items and leaf_depth != depths:
        raise _malformed(
            text, "Multidimensional arrays must have sub-arrays with matching dimensions."
        )
    return items, tuple(sizes[depth] for depth in range(depths))


def _element(quoted: str | None, bare: str | None, item: Callable[[str], Any]) -> Any:
    if quoted is not None:
        return item(re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL))
    text = (bare or "").rstrip(" \t\n\r\v\f")
    if text.upper() == "NULL":
        return None
    return item(re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL))


def render_array(value: ArrayValue, item: Callable[[Any], str]) -> str:
    if not value.items:
        return "{}"
    parts = [_quote(None if part is None else item(part)) for part in value.items]
    for size in reversed(value.dimensions):
        parts = [
            "{" + ",".join(parts[start : start + size]) + "}"
            for start in range(0, len(parts), size)
        ]
    if any(low != 1 for low in value.lower_bounds):
        bounds = "".join(
            f"[{low}:{low + size - 1}]"
            for low, size in zip(value.lower_bounds, value.dimensions, strict=True)
        )
        return f"{bounds}={parts[0]}"
    return parts[0]


def _quote(text: str | None) -> str:
    if text is None:
        return "NULL"
    if not text or text.upper() == "NULL" or _MUST_QUOTE.search(text):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return text
