"""The options of COPY, checked as PostgreSQL checks them (copy.c, ProcessCopyOptions)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.session.control import constant_text
from trilithon.query.session.parameters import parse_boolean

_FORMATS: Final = ("text", "csv", "binary")


@dataclass(slots=True)
class CopyOptions:
    """`null` is the text that stands for NULL; `force_quote` and its kin are column names, None: no
    column, ("*",): all. `header` is "", "on" or "match"."""

    format: str = "text"
    delimiter: str = ""
    null: str | None = None
    header: str = ""
    quote: str = ""
    escape: str = ""
    force_quote: tuple[str, ...] = ()
    force_null: tuple[str, ...] = ()
    force_not_null: tuple[str, ...] = ()
    on_error: str = "stop"

    @property
    def binary(self) -> bool:
        return self.format == "binary"


def parse_options(elements: Any, *, is_from: bool) -> CopyOptions:
    """Raises SqlError 42601, 22023, 0A000."""
    options = CopyOptions()
    seen: set[str] = set()
    for wrapped in elements:
        element = wrapped["DefElem"]
        name = element["defname"]
        if name in seen:
            raise SqlError("42601", "conflicting or redundant options")
        seen.add(name)
        _apply(options, name, element.get("arg"), is_from=is_from)
    _defaults(options, is_from=is_from)
    return options


def _apply(options: CopyOptions, name: str, argument: Any, *, is_from: bool) -> None:
    match name:
        case "format":
            options.format = _text(argument).lower()
            if options.format not in _FORMATS:
                raise SqlError("22023", f'COPY format "{_text(argument)}" not recognized')
        case "delimiter":
            options.delimiter = _text(argument)
            if len(options.delimiter.encode()) != 1:
                raise SqlError("0A000", "COPY delimiter must be a single one-byte character")
        case "null":
            options.null = _text(argument)
        case "header":
            options.header = _header(argument, is_from=is_from)
        case "quote" | "escape":
            value = _text(argument)
            if len(value.encode()) != 1:
                raise SqlError("0A000", f"COPY {name} must be a single one-byte character")
            setattr(options, name, value)
        case "force_quote" | "force_null" | "force_not_null":
            setattr(options, name, _columns(argument))
        case "freeze":
            if _flag(name, argument) and not is_from:
                raise SqlError("0A000", "COPY FREEZE cannot be used with COPY TO")
        case "encoding":
            if _text(argument).lower().replace("-", "") not in ("utf8", "unicode"):
                raise SqlError("0A000", f'COPY ENCODING "{_text(argument)}" is not supported')
        case "on_error" if _text(argument).lower() == "stop":
            pass
        case "on_error" | "log_verbosity" | "default" | "reject_limit" | "convert_selectively":
            raise SqlError("0A000", f"COPY option {name.upper()} is not supported")
        case _:
            raise SqlError("42601", f'option "{name}" not recognized')


def _text(argument: Any) -> str:
    return constant_text(argument) if argument is not None else ""


def _flag(name: str, argument: Any) -> bool:
    if argument is None:
        return True
    value = parse_boolean(_text(argument))
    if value is None:
        raise SqlError("42601", f"{name} requires a Boolean value")
    return value


def _header(argument: Any, *, is_from: bool) -> str:
    if argument is not None and _text(argument).lower() == "match":
        if not is_from:
            raise SqlError("0A000", 'cannot use "match" with HEADER in COPY TO')
        return "match"
    value = True if argument is None else parse_boolean(_text(argument))
    if value is None:
        raise SqlError("42601", 'header requires a Boolean value or "match"')
    return "on" if value else ""


def _columns(argument: Any) -> tuple[str, ...]:
    if argument is None or "A_Star" in argument:
        return ("*",)
    items = argument["List"]["items"]
    return tuple("*" if "A_Star" in item else item["String"]["sval"] for item in items)


def _defaults(options: CopyOptions, *, is_from: bool) -> None:
    csv = options.format == "csv"
    if options.binary:
        if options.delimiter:
            raise SqlError("42601", "cannot specify DELIMITER in BINARY mode")
        if options.null is not None:
            raise SqlError("42601", "cannot specify NULL in BINARY mode")
        if options.header:
            raise SqlError("42601", "cannot specify HEADER in BINARY mode")
    if not csv:
        for name in ("quote", "escape", "force_quote", "force_null", "force_not_null"):
            if getattr(options, name):
                shown = name.upper() if name in ("quote", "escape") else name.replace("_", " ")
                raise SqlError("0A000", f"COPY {shown} available only in CSV mode")
    if options.force_quote and is_from:
        raise SqlError("0A000", "COPY FORCE_QUOTE cannot be used with COPY FROM")
    if (options.force_null or options.force_not_null) and not is_from:
        raise SqlError("0A000", "COPY FORCE_NULL and FORCE_NOT_NULL cannot be used with COPY TO")
    options.delimiter = options.delimiter or ("," if csv else "\t")
    options.null = options.null if options.null is not None else ("" if csv else "\\N")
    options.quote = options.quote or '"'
    options.escape = options.escape or options.quote
    _check_characters(options, csv=csv)


def _check_characters(options: CopyOptions, *, csv: bool) -> None:
    null = options.null or ""
    if options.delimiter in "\r\n":
        raise SqlError("22023", "COPY delimiter cannot be newline or carriage return")
    if "\r" in null or "\n" in null:
        raise SqlError("22023", "COPY null representation cannot use newline or carriage return")
    if options.delimiter in null:
        raise SqlError(
            "22023", "COPY delimiter character must not appear in the NULL specification"
        )
    if csv:
        if options.delimiter == options.quote:
            raise SqlError("0A000", "COPY delimiter and quote must be different")
        if options.quote in null:
            raise SqlError("22023", "CSV quote character must not appear in the NULL specification")
    elif options.delimiter in "\\abcdefghijklmnopqrstuvwxyz0123456789.":
        raise SqlError("22023", f'COPY delimiter cannot be "{options.delimiter}"')
