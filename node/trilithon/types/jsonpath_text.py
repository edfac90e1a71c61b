"""jsonpath: the canonical text of a path, which is its value in memory too."""

from __future__ import annotations

from typing import Final

from trilithon.types import numeric
from trilithon.types.json_value import quote
from trilithon.types.jsonpath_syntax import COMPARISONS, LAST_LEVEL, Chain, Item, JsonPath, parse

_PRIORITIES: Final = {
    "||": 0,
    "&&": 1,
    **dict.fromkeys((*COMPARISONS, "starts with"), 2),
    **dict.fromkeys("+-", 3),
    **dict.fromkeys("*/%", 4),
}
_HIGHEST: Final = 6


def canonical(text: str) -> str:
    """As PostgreSQL prints it. Raises what `parse` raises."""
    return render(parse(text))


def render(path: JsonPath) -> str:
    parts: list[str] = [] if path.lax else ["strict "]
    _chain(path.chain, parts, True)
    return "".join(parts)


def _priority(item: Item) -> int:
    if item.kind == "unary":
        return 5
    return _PRIORITIES[item.value] if item.kind == "binary" else _HIGHEST


def _chain(chain: Chain, parts: list[str], brackets: bool) -> None:
    for number, item in enumerate(chain):
        _item(item, parts, number > 0, brackets or number > 0, number + 1 < len(chain))


def _operand(chain: Chain, of: Item, parts: list[str]) -> None:
    _chain(chain, parts, _priority(chain[0]) <= _priority(of))


def _item(item: Item, parts: list[str], inside: bool, brackets: bool, followed: bool) -> None:
    match item.kind:
        case "null":
            parts.append("null")
        case "bool":
            parts.append("true" if item.value else "false")
        case "numeric":
            text = numeric.render(item.value)
            parts.append(f"({text})" if followed else text)
        case "string":
            parts.append(quote(item.value))
        case "variable":
            parts.append("$" + quote(item.value))
        case "key":
            parts.append(("." if inside else "") + quote(item.value))
        case "root":
            parts.append("$")
        case "current":
            parts.append("@")
        case "last":
            parts.append("last")
        case "any_key":
            parts.append(".*")
        case "any_array":
            parts.append("[*]")
        case "any":
            parts.append("." + _levels(*item.value))
        case "method":
            parts.append(f".{item.value}()")
        case "datetime":
            parts.append(f".datetime({quote(item.value) if item.value is not None else ''})")
        case "index":
            _subscript(item, parts)
        case _:
            _operator(item, parts, brackets)


def _levels(first: int, last: int) -> str:
    names = ["last" if level == LAST_LEVEL else str(level) for level in (first, last)]
    if (first, last) == (0, LAST_LEVEL):
        return "**"
    return f"**{{{names[0]}}}" if first == last else f"**{{{names[0]} to {names[1]}}}"


def _subscript(item: Item, parts: list[str]) -> None:
    parts.append("[")
    for number, (first, last) in enumerate(item.value):
        parts.append("," if number else "")
        _chain(first, parts, False)
        if last is not None:
            parts.append(" to ")
            _chain(last, parts, False)
    parts.append("]")


def _operator(item: Item, parts: list[str], brackets: bool) -> None:
    opening, closing = {
        "filter": ("?(", ")"),
        "not": ("!(", ")"),
        "unknown": ("(", ") is unknown"),
        "exists": ("exists (", ")"),
    }.get(item.kind, ("(", ")") if brackets else ("", ""))
    parts.append(opening)
    match item.kind:
        case "binary":
            _operand(item.args[0], item, parts)
            parts.append(f" {item.value} ")
            _operand(item.args[1], item, parts)
        case "unary":
            parts.append(item.value)
            _operand(item.args[0], item, parts)
        case "like_regex":
            pattern, flags = item.value
            _operand(item.args[0], item, parts)
            parts.append(f" like_regex {quote(pattern)}" + (f' flag "{flags}"' if flags else ""))
        case _:
            _chain(item.args[0], parts, False)
    parts.append(closing)
