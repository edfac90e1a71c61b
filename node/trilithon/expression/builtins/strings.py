"""Strings and bytea: everything but patterns and formatting of dates and numbers."""

from __future__ import annotations

import base64
import hashlib
import unicodedata
from collections.abc import Callable
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression.registry import STABLE, function, operator
from trilithon.types import text_io
from trilithon.types.registry import BOOL, TypeRef
from trilithon.types.settings import DEFAULT_SETTINGS

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


lower = _each(str.lower)
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


# --- quoting

_PLAIN_FIRST: Final = frozenset("abcdefghijklmnopqrstuvwxyz_")
_PLAIN_REST: Final = _PLAIN_FIRST | frozenset("0123456789$")
# Keywords that may not stand bare (reserved, or reserved for functions and types).
_RESERVED: Final = frozenset(
    [
        "all",
        "analyse",
        "analyze",
        "and",
        "any",
        "array",
        "as",
        "asc",
        "asymmetric",
        "authorization",
        "between",
        "bigint",
        "binary",
        "bit",
        "boolean",
        "both",
        "case",
        "cast",
        "char",
        "character",
        "check",
        "coalesce",
        "collate",
        "collation",
        "column",
        "concurrently",
        "constraint",
        "create",
        "cross",
        "current_catalog",
        "current_date",
        "current_role",
        "current_schema",
        "current_time",
        "current_timestamp",
        "current_user",
        "dec",
        "decimal",
        "default",
        "deferrable",
        "desc",
        "distinct",
        "do",
        "else",
        "end",
        "except",
        "exists",
        "extract",
        "false",
        "fetch",
        "float",
        "for",
        "foreign",
        "freeze",
        "from",
        "full",
        "grant",
        "greatest",
        "group",
        "grouping",
        "having",
        "ilike",
        "in",
        "initially",
        "inner",
        "inout",
        "int",
        "integer",
        "intersect",
        "interval",
        "into",
        "is",
        "isnull",
        "join",
        "lateral",
        "leading",
        "least",
        "left",
        "like",
        "limit",
        "localtime",
        "localtimestamp",
        "national",
        "natural",
        "nchar",
        "none",
        "normalize",
        "not",
        "notnull",
        "null",
        "nullif",
        "numeric",
        "offset",
        "on",
        "only",
        "or",
        "order",
        "out",
        "outer",
        "overlaps",
        "overlay",
        "placing",
        "position",
        "precision",
        "primary",
        "real",
        "references",
        "returning",
        "right",
        "row",
        "select",
        "session_user",
        "setof",
        "similar",
        "smallint",
        "some",
        "substring",
        "symmetric",
        "table",
        "tablesample",
        "then",
        "time",
        "timestamp",
        "to",
        "trailing",
        "treat",
        "trim",
        "true",
        "union",
        "unique",
        "user",
        "using",
        "values",
        "varchar",
        "variadic",
        "verbose",
        "when",
        "where",
        "window",
        "with",
        "xmlattributes",
        "xmlconcat",
        "xmlelement",
        "xmlexists",
        "xmlforest",
        "xmlnamespaces",
        "xmlparse",
        "xmlpi",
        "xmlroot",
        "xmlserialize",
        "xmltable",
    ]
)


def quote_identifier(name: str) -> str:
    if name and name[0] in _PLAIN_FIRST and set(name) <= _PLAIN_REST and name not in _RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def quote_string(text: str) -> str:
    quoted = "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
    return " E" + quoted if "\\" in text else quoted


function("quote_ident(text) -> text", raises=False)(quote_identifier)
function("quote_literal(text) -> text", raises=False)(lambda text: quote_string(text).lstrip(" "))


def _quote_any(types: Any, _: Any) -> Callable[..., str]:
    render = to_text(types[0])
    return lambda ctx, value: quote_string(render(value, ctx.settings)).lstrip(" ")


def _quote_nullable(types: Any, _: Any) -> Callable[..., str]:
    render = to_text(types[0])

    def quote(ctx: Any, value: Any) -> str:
        if value is None:
            return "NULL"
        return quote_string(render(value, ctx.settings)).lstrip(" ")

    return quote


_ANY_TEXT: Final[dict[str, Any]] = {"typed": True, "context": True, "volatility": STABLE}
function("quote_literal(anyelement) -> text", **_ANY_TEXT)(_quote_any)
function("quote_nullable(anyelement) -> text", strict=False, **_ANY_TEXT)(_quote_nullable)
function("quote_nullable(text) -> text", strict=False, raises=False)(
    lambda text: "NULL" if text is None else quote_string(text).lstrip(" ")
)


@function("format(text) -> text", context=True)
def _format_alone(ctx: Any, template: str) -> str:
    return str(_format((), None)(ctx, template))


@function("format(text, variadic any) -> text", strict=False, **_ANY_TEXT)
def _format(types: Any, _: Any) -> Callable[..., str | None]:
    renders = [to_text(ref) for ref in types[1:]]

    def convert(ctx: Any, kind: str, index: int, values: tuple[Any, ...]) -> str:
        if index >= len(values):
            raise SqlError("22023", "too few arguments for format()")
        value = values[index]
        if value is None:
            if kind == "I":
                raise SqlError("22004", "null values cannot be formatted as an SQL identifier")
            return "NULL" if kind == "L" else ""
        text = renders[index](value, ctx.settings)
        if kind == "I":
            return quote_identifier(text)
        return quote_string(text) if kind == "L" else text

    def run(ctx: Any, template: str | None, *values: Any) -> str | None:
        return None if template is None else _run_format(ctx, template, values, convert)

    return run


def _run_format(
    ctx: Any, template: str, values: tuple[Any, ...], convert: Callable[..., str]
) -> str:
    """%[position$][-][width]type with types s, I, L and %%; a width may be * or *n$."""
    out: list[str] = []
    at, following = 0, 0
    while at < len(template):
        mark = template.find("%", at)
        if mark < 0:
            out.append(template[at:])
            break
        out.append(template[at:mark])
        at = mark + 1
        if at >= len(template):
            raise SqlError(
                "22023", "unterminated format() type specifier", hint='For a single "%" use "%%".'
            )
        if template[at] == "%":
            out.append("%")
            at += 1
            continue
        number, after = _digits(template, at)
        position = 0
        if number is not None and template[after : after + 1] == "$":
            if number == 0:
                raise SqlError(
                    "22023", "format specifies argument 0, but arguments are numbered from 1"
                )
            position, at = number, after + 1
        left = False
        while template[at : at + 1] == "-":
            left, at = True, at + 1
        width, at, following = _width(template, at, values, following)
        if width < 0:
            left, width = True, -width
        kind = template[at : at + 1]
        if not kind:
            raise SqlError(
                "22023", "unterminated format() type specifier", hint='For a single "%" use "%%".'
            )
        if kind not in "sIL":
            raise SqlError(
                "22023",
                f'unrecognized format() type specifier "{kind}"',
                hint='For a single "%" use "%%".',
            )
        at += 1
        index = position - 1 if position else following
        following = index + 1
        text = convert(ctx, kind, index, values)
        if width > LENGTH_MAX:
            raise too_large()
        out.append(text.ljust(width) if left else text.rjust(width))
    return "".join(out)


def _digits(template: str, at: int) -> tuple[int | None, int]:
    end = at
    while template[end : end + 1].isdigit() and end - at < 10:
        end += 1
    return (int(template[at:end]) if end > at else None), end


def _width(template: str, at: int, values: tuple[Any, ...], following: int) -> tuple[int, int, int]:
    if template[at : at + 1] != "*":
        number, end = _digits(template, at)
        return number or 0, end, following
    number, end = _digits(template, at + 1)
    if number is not None and template[end : end + 1] == "$":
        index, at = number - 1, end + 1
    else:
        index, at, following = following, at + 1, following + 1
    if not 0 <= index < len(values):
        raise SqlError("22023", "too few arguments for format()")
    return int(values[index] or 0), at, following


# --- bytes

function("md5(text) -> text", raises=False)(
    lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
)
function("md5(bytea) -> text", raises=False)(
    lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest()
)


def _digest(name: str) -> Callable[[bytes], bytes]:
    make = getattr(hashlib, name)
    return lambda data: bytes(make(data).digest())


for _name in ("sha224", "sha256", "sha384", "sha512"):
    function(f"{_name}(bytea) -> bytea", raises=False)(_digest(_name))


def _base64(data: bytes) -> str:
    """Lines of 76 characters without a final newline."""
    text = base64.b64encode(data).decode()
    return "\n".join(text[at : at + 76] for at in range(0, len(text), 76))


@function("encode(bytea, text) -> text")
def _encode(data: bytes, form: str) -> str:
    match form.lower():
        case "hex":
            return data.hex()
        case "base64":
            return _base64(data)
        case "escape":
            return "".join(
                "\\\\"
                if byte == 0x5C
                else f"\\{byte:03o}"
                if byte == 0 or byte > 0x7F
                else chr(byte)
                for byte in data
            )
    raise SqlError("22023", f'unrecognized encoding: "{form}"')


@function("decode(text, text) -> bytea")
def _decode(text: str, form: str) -> bytes:
    match form.lower():
        case "hex":
            return text_io.parse(TypeRef(17), "\\x" + text, DEFAULT_SETTINGS)  # type: ignore[no-any-return]
        case "base64":
            return _decode_base64(text)
        case "escape":
            return text_io.parse_bytea_escape(text)
    raise SqlError("22023", f'unrecognized encoding: "{form}"')


_BASE64: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")


def _decode_base64(text: str) -> bytes:
    compact = "".join(text.split())
    for character in compact:
        if character not in _BASE64:
            raise SqlError(
                "22023", f'invalid symbol "{character}" found while decoding base64 sequence'
            )
    try:
        return base64.b64decode(compact, validate=True)
    except ValueError:
        raise SqlError(
            "22023",
            "invalid base64 end sequence",
            hint="Input data is missing padding, is truncated, or is otherwise corrupted.",
        ) from None


@function("convert_to(text, name) -> bytea")
def _convert_to(text: str, encoding: str) -> bytes:
    try:
        return text.encode(_python_encoding(encoding))
    except UnicodeEncodeError as error:
        raise SqlError(
            "22P05", f"character has no equivalent in encoding: {error.reason}"
        ) from None


@function("convert_from(bytea, name) -> text")
def _convert_from(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(_python_encoding(encoding))
    except UnicodeDecodeError as error:
        bad = " ".join(f"0x{byte:02x}" for byte in data[error.start : error.end])
        raise SqlError("22021", f'invalid byte sequence for encoding "UTF8": {bad}') from None
    if "\0" in text:
        raise SqlError("22021", 'invalid byte sequence for encoding "UTF8": 0x00')
    return text


def _python_encoding(name: str) -> str:
    known = {"utf8": "utf-8", "latin1": "latin-1", "sqlascii": "ascii", "iso88591": "latin-1", "win1252": "cp1252", "win1251": "cp1251", "latin9": "iso8859-15"}  # fmt: skip
    found = known.get(name.lower().replace("_", "").replace("-", ""))
    if found is None:
        raise SqlError("22023", f'invalid encoding name "{name}"')
    return found


def _check_byte(data: bytes, index: int) -> None:
    if not 0 <= index < len(data):
        raise SqlError("2202E", f"index {index} out of valid range, 0..{len(data) - 1}")


@function("get_byte(bytea, int4) -> int4")
def _get_byte(data: bytes, index: int) -> int:
    _check_byte(data, index)
    return data[index]


@function("set_byte(bytea, int4, int4) -> bytea")
def _set_byte(data: bytes, index: int, value: int) -> bytes:
    _check_byte(data, index)
    return data[:index] + bytes((value & 0xFF,)) + data[index + 1 :]
