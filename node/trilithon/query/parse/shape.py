"""A text's shape: the text without its literals, found by one regular expression.

The expression follows PostgreSQL's lexer (scan.l) and matches runs of "anything that is no literal",
each followed by one literal. Whatever it does not understand for certain (comments, E'', U&'', b'',
dollar quotes, hexadecimal or grouped numbers, junk behind a number) leaves text unmatched, and then
the text has no shape.
"""

from __future__ import annotations

import re
from typing import Any, Final

from trilithon.query.parse.statement import Lifted, Node, walk
from trilithon.types import registry, text_io
from trilithon.types.settings import DEFAULT_SETTINGS

LENGTH_MAX: Final = 8 * 1024
LITERALS_MAX: Final = 200

INT4: Final = 23
INT8: Final = 20
NUMERIC: Final = 1700
UNKNOWN: Final = 705

_HIGH = "\u0080-\U0010ffff"
_SKIP = (
    rf"[A-Za-z_{_HIGH}][A-Za-z0-9_${_HIGH}]*+(?!')"  # a word, not a string's prefix
    r'|"[^"]*+"'
    rf"|\$\d++(?![A-Za-z0-9_${_HIGH}])"
    r"|-(?!-)|/(?!\*)|\.(?!\d)|&(?!['\"])"
    rf"|[^A-Za-z0-9_{_HIGH}'\"$/.&-]"
)
_NUMBER = rf"(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d++)?(?![A-Za-z0-9_.${_HIGH}])"
_PAIR = re.compile(rf"((?>(?:{_SKIP})*+))('(?:[^']|'')*+'(?!')|{_NUMBER}|\Z)")

Shape = tuple[str, ...]


def shape_of(text: str) -> tuple[Shape, list[str]] | None:
    """The shape (a key) and the literals' texts in order; None where the text has no sure shape."""
    if len(text) > LENGTH_MAX:
        return None
    pairs = _PAIR.findall(text)
    if not pairs:
        return None
    literals = [literal for _, literal in pairs if literal]
    parts = [prefix for prefix, _ in pairs]
    if len(literals) > LITERALS_MAX or sum(map(len, parts)) + sum(map(len, literals)) != len(text):
        return None
    parts.extend(map(kind_of_literal, literals))
    return tuple(parts), literals


def kind_of_literal(literal: str) -> str:
    """ "s" string, "i" int4, "l" int8, "n" numeric: what PostgreSQL makes of the literal; "h" a whole
    number beyond int8, which is numeric, but may be int8 again behind a minus."""
    if literal[0] == "'":
        return "s"
    if literal.isdigit():
        if len(literal) < 10:
            return "i"
        value = int(literal)
        if value <= 2147483647:
            return "i"
        return "l" if value <= 9223372036854775807 else "h"
    return "n"


TYPE_OF_KIND: Final = {"s": UNKNOWN, "i": INT4, "l": INT8, "n": NUMERIC, "h": NUMERIC}


def literal_value(literal: str, negative: bool) -> Any:
    if literal[0] == "'":
        return literal[1:-1].replace("''", "'")
    if kind_of_literal(literal) in "nh":
        return text_io.parse(
            registry.NUMERIC, "-" + literal if negative else literal, DEFAULT_SETTINGS
        )
    return -int(literal) if negative else int(literal)


# Below these keys a literal is part of the statement's meaning: ordinals, type modifiers, options.
_FIXED_BELOW: Final = frozenset(
    {
        "sortClause",
        "groupClause",
        "distinctClause",
        "windowClause",
        "over",
        "agg_order",
        "typeName",
        "options",
        "typmods",
    }
)
_UNLIFTABLE: Final = frozenset({"groupClause", "distinctClause", "windowClause", "over"})
_STATEMENTS: Final = frozenset({"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt"})


def lift(
    node: Node, tag: str, source: str, literals: list[str], first_number: int
) -> tuple[list[tuple[int, bool]], tuple[int, ...]]:
    """Replace liftable A_Const nodes by Lifted ones, in place.

    Returns which literals were lifted, as (index into `literals`, negated), and their type oids; in
    the order of their numbers. Statements that compare expressions with each other (GROUP BY,
    DISTINCT, windows) keep all their literals.
    """
    if tag not in _STATEMENTS or any(key in _UNLIFTABLE for key, _ in walk(node)):
        return [], ()
    starts = _literal_starts(source, literals)
    lifted: list[tuple[int, bool]] = []
    types: list[int] = []
    for holder in _constant_holders(node):
        constant = holder["A_Const"]
        found = _literal_at(starts, literals, source, constant)
        if found is None:
            continue
        index, negative = found
        lifted.append((index, negative))
        types.append(TYPE_OF_KIND[kind_of_literal(literals[index])])
        location = constant.get("location", 0)
        del holder["A_Const"]
        number = first_number + len(types) - 1
        holder["Lifted"] = {"lifted": Lifted(number, types[-1]), "location": location}
    return lifted, tuple(types)


def _literal_starts(source: str, literals: list[str]) -> dict[int, int]:
    """Byte location of each literal → its index."""
    starts: dict[int, int] = {}
    ascii_only = source.isascii()
    position = 0
    for index, match in enumerate(m for m in _PAIR.finditer(source) if m[2]):
        position = match.start(2)
        starts[position if ascii_only else len(source[:position].encode())] = index
    return starts


def _constant_holders(node: Node) -> list[Node]:
    """Every dict that holds an A_Const where it may be lifted."""
    holders: list[Node] = []
    stack: list[Any] = [node]
    while stack:
        top = stack.pop()
        if isinstance(top, list):
            stack.extend(top)
            continue
        if not isinstance(top, dict):
            continue
        if "A_Const" in top:
            holders.append(top)
            continue
        # DISTINCT with ORDER BY compares its arguments with what they are ordered by.
        compared = "agg_distinct" in top and "agg_order" in top
        for key, inner in top.items():
            if key in _FIXED_BELOW or (compared and key == "args"):
                continue
            if not isinstance(inner, dict | list):
                continue
            if key == "TypeCast" and isinstance(inner, dict) and "A_Const" in inner.get("arg", {}):
                continue  # DATE '2020-01-01' and '1'::int are constants of that type
            stack.append(inner)
    return holders


def _literal_at(
    starts: dict[int, int], literals: list[str], source: str, constant: Node
) -> tuple[int, bool] | None:
    location = constant.get("location", 0)
    index = starts.get(location)
    if index is not None:
        kind = kind_of_literal(literals[index])
        if (
            kind == "s"
            and constant.get("sval", {}).get("sval", "") == literal_value(literals[index], False)
            and "sval" in constant
        ):
            return index, False
        if kind == "i" and "ival" in constant:
            return index, False
        if kind in "lnh" and "fval" in constant:
            return index, False
        return None
    return _negative_at(starts, literals, source, constant, location)


def _negative_at(
    starts: dict[int, int], literals: list[str], source: str, constant: Node, location: int
) -> tuple[int, bool] | None:
    """The grammar folds a minus sign into the constant behind it and gives the sign's location."""
    if not source.isascii() or source[location : location + 1] != "-":
        return None
    start = location + 1
    while source[start : start + 1].isspace():
        start += 1
    index = starts.get(start)
    if index is None:
        return None
    kind = kind_of_literal(literals[index])
    if kind == "i" and constant.get("ival", {}).get("ival", 0) == -int(literals[index]):
        return index, True
    if kind == "n" and "fval" in constant:
        return index, True
    return None
