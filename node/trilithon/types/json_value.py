"""json and jsonb.

A json value is its text, unchanged. A jsonb value is its canonical text as PostgreSQL prints it:
keys sorted by length, then bytes, the last duplicate kept, numbers exact as numeric. Functions load
the text into Python's shape (dict, list, str, Decimal, bool, None) and dump it again.
"""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.types import numeric

# PostgreSQL's limit is its stack; ours keeps clear of Python's.
DEPTH_MAX: Final = 400
_TOO_DEEP: Final = "stack depth limit exceeded"


def _reject_constant(name: str) -> Any:
    raise ValueError(f"Token {name!r} is invalid.")


def _number(text: str) -> Decimal:
    return numeric.normal(Decimal(text))


_decoder: Final = json.JSONDecoder(
    parse_float=_number, parse_int=_number, parse_constant=_reject_constant, strict=True
)
_ESCAPED_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
_DEPTH: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_WHITESPACE: Final = " \t\n\r"


def kind_of(value: Any) -> str:
    """What jsonb_typeof says of a value in Python's shape."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case list():
            return "array"
        case dict():
            return "object"
    return "number"


def load(text: str, type_name: str = "json") -> Any:
    """The Python shape. Raises SqlError 22P02, 54001 when nested too deep."""
    _check_depth(text)
    stripped = text.strip(_WHITESPACE)
    try:
        value, end = _decoder.raw_decode(stripped)
        if end != len(stripped):
            raise ValueError("trailing data")
    except SqlError:
        raise
    except (ValueError, ArithmeticError) as error:
        raise SqlError(
            "22P02", f"invalid input syntax for type {type_name}", detail=_detail(stripped, error)
        ) from None
    return value


def _detail(text: str, error: Exception) -> str:
    if not text:
        return "The input string ended unexpectedly."
    if isinstance(error, json.JSONDecodeError):
        match = re.compile(r'[A-Za-z0-9_.+-]+|"(?:[^"\\]|\\.)*"|.', re.DOTALL).match(
            text, error.pos
        )
        if match is None:
            return "The input string ended unexpectedly."
        return f'Token "{match.group()}" is invalid.'
    return str(error)


def _check_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= DEPTH_MAX:
        return
    depth = 0
    for match in _DEPTH.finditer(text):
        token = match.group()
        if token in "[{":
            depth += 1
            if depth > DEPTH_MAX:
                raise SqlError("54001", _TOO_DEEP)
        elif token in "]}":
            depth -= 1


def parse_json(text: str) -> str:
    """Check a json text; it is kept as it is."""
    load(text)
    return text


def parse_jsonb(text: str) -> str:
    return dump(_clean(load(text)))


def _clean(value: Any) -> Any:
    """Refuse what jsonb cannot hold: NUL and lone surrogates in strings."""
    if isinstance(value, str):
        if "\0" in value:
            raise SqlError(
                "22P05",
                "unsupported Unicode escape sequence",
                detail="\\u0000 cannot be converted to text.",
            )
        if _ESCAPED_SURROGATE.search(value):
            raise SqlError(
                "22P02",
                "invalid input syntax for type json",
                detail="Unicode high surrogate must not follow a high surrogate.",
            )
        return value
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    return value


def quote(text: str) -> str:
    """A JSON string as PostgreSQL writes it: only what must be escaped is."""
    return '"' + _MUST_ESCAPE.sub(_escape, text) + '"'


_MUST_ESCAPE: Final = re.compile(r'["\\\x00-\x1f]')
_ESCAPES: Final = {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    return _ESCAPES.get(character) or f"\\u{ord(character):04x}"


def key_order(key: str) -> tuple[int, bytes]:
    """jsonb's order of object keys: length in bytes first."""
    encoded = key.encode()
    return len(encoded), encoded


def dump(value: Any) -> str:
    """jsonb's canonical text."""
    parts: list[str] = []
    _dump(value, parts)
    return "".join(parts)


def _dump(value: Any, parts: list[str]) -> None:
    match value:
        case None:
            parts.append("null")
        case bool():
            parts.append("true" if value else "false")
        case str():
            parts.append(quote(value))
        case Decimal():
            parts.append(numeric.render(value))
        case int():
            parts.append(str(value))
        case float():
            parts.append(numeric.render(Decimal(repr(value))) if math.isfinite(value) else "null")
        case list():
            parts.append("[")
            for number, item in enumerate(value):
                if number:
                    parts.append(", ")
                _dump(item, parts)
            parts.append("]")
        case dict():
            parts.append("{")
            for number, key in enumerate(sorted(value, key=key_order)):
                if number:
                    parts.append(", ")
                parts.append(quote(key) + ": ")
                _dump(value[key], parts)
            parts.append("}")
        case _:
            raise TypeError(f"not a JSON value: {value!r}")


def sort_key(text: str) -> Any:
    """jsonb's btree order: Object > Array > Boolean > Number > String > Null.

    Containers compare by their count first. An empty top-level array sorts below everything
    (PostgreSQL's historical accident).
    """
    value = load(text, "jsonb")
    return (-1,) if value == [] else _order(value)


def _order(value: Any) -> tuple[Any, ...]:
    match value:
        case None:
            return (0,)
        case str():
            return (1, value)
        case bool():
            return (3, value)
        case Decimal():
            return (2, value)
        case list():
            return (4, len(value), tuple(_order(item) for item in value))
        case _:
            pairs = sorted(value.items(), key=lambda pair: key_order(pair[0]))
            return (
                5,
                len(pairs),
                tuple((key_order(key), _order(item)) for key, item in pairs),
            )
