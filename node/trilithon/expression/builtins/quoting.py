"""Quoting of identifiers and literals, and format()."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression.builtins.strings import LENGTH_MAX, to_text, too_large
from trilithon.expression.registry import STABLE, function
from trilithon.types.registry import BOOL

_PLAIN_FIRST: Final = frozenset("abcdefghijklmnopqrstuvwxyz_")
_PLAIN_REST: Final = _PLAIN_FIRST | frozenset("0123456789")
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


def _as_text(type_: Any) -> Callable[[Any, Any], str]:
    """What a cast to text gives: as the type's output, but for booleans."""
    if type_.oid == BOOL.oid:
        return lambda value, settings: "true" if value else "false"
    return to_text(type_)


def _quote_any(types: Any, _: Any) -> Callable[..., str]:
    render = _as_text(types[0])
    return lambda ctx, value: quote_string(render(value, ctx.settings)).lstrip(" ")


def _quote_nullable(types: Any, _: Any) -> Callable[..., str]:
    render = _as_text(types[0])

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
    return _width_of(values[index]), at, following


def _width_of(value: Any) -> int:
    """A width that is given as an argument: NULL counts as none."""
    if value is None:
        return 0
    try:
        return int(value)
    except (ValueError, OverflowError, TypeError):
        raise SqlError("22P02", f'invalid input syntax for type integer: "{value}"') from None
