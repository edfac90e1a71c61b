"""Strings: everything but patterns, quoting, and formatting of dates and numbers."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression.registry import STABLE, function, operator
from trilithon.types import text_io
from trilithon.types.registry import BOOL, INT32_MIN, TypeRef

# What one function may build: the value limit and some, so that repeat('x', 2e9) ends early.
LENGTH_MAX: Final = 64 * 1024 * 1024


def too_large() -> SqlError:
    return SqlError("54000", "requested length too large")


# --- concatenation

operator("text || text -> text")(lambda left, right: left + right)
operator("bytea || bytea -> bytea")(lambda left, right: left + right)


def to_text(ref: TypeRef, *, for_json: bool = False) -> Callable[[Any, Any], str]:
    """A function (value, settings) → the text that || and concat() use: output functions'."""
    return lambda value, settings: text_io.render(ref, value, settings)


def _cast_text(value: bool, _: Any) -> str:
    """The cast of a boolean, unlike its output, is a word."""
    return "true" if value else "false"


def _beside_text(left_is_text: bool) -> Callable[..., Any]:
    def make(types: Any, _: Any) -> Callable[..., str]:
        ref = types[1 if left_is_text else 0]
        render = _cast_text if ref.oid == BOOL.oid else to_text(ref)
        if left_is_text:
            return lambda ctx, left, right: left + render(right, ctx.settings)
        return lambda ctx, left, right: render(left, ctx.settings) + right

    return make


operator("text || anynonarray -> text", typed=True, context=True, volatility=STABLE)(
    _beside_text(True)
)
operator("anynonarray || text -> text", typed=True, context=True, volatility=STABLE)(
    _beside_text(False)
)


@function("concat(variadic any) -> text", strict=False, typed=True, context=True, volatility=STABLE)
def _concat(types: Any, _: Any) -> Callable[..., str]:
    renders = [to_text(ref) for ref in types]

    def concat(ctx: Any, *values: Any) -> str:
        return "".join(
            render(value, ctx.settings)
            for render, value in zip(renders, values, strict=True)
            if value is not None
        )

    return concat


@function(
    "concat_ws(text, variadic any) -> text",
    strict=False,
    typed=True,
    context=True,
    volatility=STABLE,
)
def _concat_ws(types: Any, _: Any) -> Callable[..., str | None]:
    renders = [to_text(ref) for ref in types[1:]]

    def concat(ctx: Any, separator: str | None, *values: Any) -> str | None:
        if separator is None:
            return None
        return separator.join(
            render(value, ctx.settings)
            for render, value in zip(renders, values, strict=True)
            if value is not None
        )

    return concat


# --- length and case

for _name in ("length", "char_length", "character_length"):
    function(f"{_name}(text) -> int4", raises=False, inline="len({0})")(len)
    function(f"{_name}(bpchar) -> int4", raises=False)(lambda value: len(value.rstrip(" ")))
function("length(bytea) -> int4", raises=False)(len)
function("octet_length(text) -> int4", raises=False)(lambda value: len(value.encode()))
function("octet_length(bpchar) -> int4", raises=False)(lambda value: len(value.encode()))
function("octet_length(bytea) -> int4", raises=False)(len)
function("bit_length(text) -> int4", raises=False)(lambda value: 8 * len(value.encode()))
function("bit_length(bytea) -> int4", raises=False)(lambda value: 8 * len(value))


def _each(convert: Callable[[str], str]) -> Callable[[str], str]:
    """One character at a time, as towlower() does: a mapping to several characters is none."""

    def change(text: str) -> str:
        if text.isascii():
            return convert(text)
        return "".join(c if len(convert(c)) != 1 else convert(c) for c in text)

    return change


_lower_each = _each(str.lower)


def lower(text: str) -> str:
    # The C library's simple mapping of the one capital that becomes two characters in Python.
    return _lower_each(text.replace("\u0130", "i") if "\u0130" in text else text)


upper = _each(str.upper)
function("lower(text) -> text", raises=False)(lower)
function("upper(text) -> text", raises=False)(upper)


@function("initcap(text) -> text", raises=False)
def _initcap(text: str) -> str:
    out: list[str] = []
    inside = False
    for character in text:
        out.append(lower(character) if inside else upper(character))
        inside = character.isalnum()
    return "".join(out)


# --- parts


def substring(text: Any, start: int, length: int | None = None) -> Any:
    """From `start` (counted from 1, may lie before the text), at most `length` items."""
    if length is None:
        return text[max(start - 1, 0) :]
    if length < 0:
        raise SqlError("22011", "negative substring length not allowed")
    end = start + length
    return text[max(start - 1, 0) : max(end - 1, 0)]


for _kind in ("text", "bytea"):
    for _name in ("substring", "substr"):
        function(f"{_name}({_kind}, int4) -> {_kind}", raises=False)(substring)
        function(f"{_name}({_kind}, int4, int4) -> {_kind}")(substring)


def _overlay(text: Any, other: Any, start: int, length: int | None = None) -> Any:
    if start <= 0:
        raise SqlError("22011", "negative substring length not allowed")
    count = len(other) if length is None else length
    return text[: start - 1] + other + text[max(start - 1 + count, 0) :]


for _kind in ("text", "bytea"):
    function(f"overlay({_kind}, {_kind}, int4) -> {_kind}")(_overlay)
    function(f"overlay({_kind}, {_kind}, int4, int4) -> {_kind}")(_overlay)


@function("left(text, int4) -> text", raises=False)
def _left(text: str, count: int) -> str:
    return text[:count]


@function("right(text, int4) -> text", raises=False)
def _right(text: str, count: int) -> str:
    if count == INT32_MIN:
        return text  # PostgreSQL negates it, which gives the same number again
    return text[-count:] if count else ""


function("position(text, text) -> int4", raises=False)(lambda text, part: text.find(part) + 1)
function("position(bytea, bytea) -> int4", raises=False)(lambda text, part: text.find(part) + 1)
function("strpos(text, text) -> int4", raises=False)(lambda text, part: text.find(part) + 1)


@function("split_part(text, text, int4) -> text")
def _split_part(text: str, delimiter: str, number: int) -> str:
    if number == 0:
        raise SqlError("22023", "field position must not be zero")
    parts = text.split(delimiter) if delimiter else [text]
    index = number - 1 if number > 0 else len(parts) + number
    return parts[index] if 0 <= index < len(parts) else ""


# --- trimming and padding

function("btrim(text) -> text", raises=False)(lambda text: text.strip(" "))
function("ltrim(text) -> text", raises=False)(lambda text: text.lstrip(" "))
function("rtrim(text) -> text", raises=False)(lambda text: text.rstrip(" "))
function("btrim(text, text) -> text", raises=False)(
    lambda text, characters: text.strip(characters) if characters else text
)
function("ltrim(text, text) -> text", raises=False)(
    lambda text, characters: text.lstrip(characters) if characters else text
)
function("rtrim(text, text) -> text", raises=False)(
    lambda text, characters: text.rstrip(characters) if characters else text
)
function("btrim(bytea, bytea) -> bytea", raises=False)(
    lambda text, characters: text.strip(characters)
)
function("ltrim(bytea, bytea) -> bytea", raises=False)(
    lambda text, characters: text.lstrip(characters)
)
function("rtrim(bytea, bytea) -> bytea", raises=False)(
    lambda text, characters: text.rstrip(characters)
)


def _filling(fill: str, count: int) -> str:
    return (fill * (count // len(fill) + 1))[:count]


@function("lpad(text, int4, text) -> text")
def _lpad(text: str, length: int, fill: str) -> str:
    if length > LENGTH_MAX:
        raise too_large()
    length = max(length, 0)
    if len(text) >= length or not fill:
        return text[:length]
    return _filling(fill, length - len(text)) + text


@function("rpad(text, int4, text) -> text")
def _rpad(text: str, length: int, fill: str) -> str:
    if length > LENGTH_MAX:
        raise too_large()
    length = max(length, 0)
    if len(text) >= length or not fill:
        return text[:length]
    return text + _filling(fill, length - len(text))


function("lpad(text, int4) -> text")(lambda text, length: _lpad(text, length, " "))
function("rpad(text, int4) -> text")(lambda text, length: _rpad(text, length, " "))


@function("repeat(text, int4) -> text")
def _repeat(text: str, count: int) -> str:
    if count > 0 and len(text) * count > LENGTH_MAX:
        raise too_large()
    return text * max(count, 0)


# --- changing

function("reverse(text) -> text", raises=False)(lambda text: text[::-1])


@function("replace(text, text, text) -> text")
def _replace(text: str, old: str, new: str) -> str:
    if not old:
        return text
    if text.count(old) * len(new) > LENGTH_MAX:
        raise too_large()
    return text.replace(old, new)


@function("translate(text, text, text) -> text", raises=False)
def _translate(text: str, characters: str, replacements: str) -> str:
    table: dict[int, str | None] = {}
    for number, character in enumerate(characters):
        table.setdefault(
            ord(character), replacements[number] if number < len(replacements) else None
        )
    return text.translate(table)


operator("text ^@ text -> bool", raises=False)(lambda text, prefix: text.startswith(prefix))
function("starts_with(text, text) -> bool", raises=False)(
    lambda text, prefix: text.startswith(prefix)
)


@function("ascii(text) -> int4", raises=False)
def _ascii(text: str) -> int:
    return ord(text[0]) if text else 0


@function("chr(int4) -> text")
def _chr(code: int) -> str:
    if code == 0:
        raise SqlError("54000", "null character not permitted")
    if code < 0:
        raise SqlError("22023", "character number must be positive")
    if code > 0x10FFFF:
        raise SqlError("54000", f"requested character too large for encoding: {code}")
    if 0xD800 <= code < 0xE000:
        raise SqlError("54000", f"requested character not valid for encoding: {code}")
    return chr(code)


@function("normalize(text) -> text", raises=False)
def _normalize(text: str) -> str:
    return unicodedata.normalize("NFC", text)


@function("normalize(text, text) -> text")
def _normalize_form(text: str, form: str) -> str:
    match form.upper():
        case "NFC":
            return unicodedata.normalize("NFC", text)
        case "NFD":
            return unicodedata.normalize("NFD", text)
        case "NFKC":
            return unicodedata.normalize("NFKC", text)
        case "NFKD":
            return unicodedata.normalize("NFKD", text)
    raise SqlError("22023", f"invalid normalization form: {form}")
