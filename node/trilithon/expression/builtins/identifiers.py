"""Less usual functions over texts and bytes: parse_ident(), unistr(), IS NORMALIZED, single bits."""

from __future__ import annotations

import re
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression.registry import FUNCTIONS, VOLATILE, function
from trilithon.types import calendar as cal
from trilithon.types.text_io import truncate_name
from trilithon.types.values import ArrayValue

# --- identifiers

_QUOTED: Final = re.compile(r'"((?:[^"]|"")*)"')
_BARE: Final = re.compile(r"[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*")
_BLANKS: Final = re.compile(r"[ \t\n\r\f\v]*")


def _blanks(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def _bad(text: str, detail: str = "") -> SqlError:
    return SqlError("22023", f'string is not a valid identifier: "{text}"', detail=detail)


@function("parse_ident(text) -> text[]")
@function("parse_ident(text, bool) -> text[]")
def _parse_ident(text: str, strict: bool = True) -> ArrayValue:
    """A qualified name's parts; `strict` allows nothing behind them."""
    names: list[str] = []
    at = _blanks(text, 0)
    while True:
        name, at = _one_name(text, at, bool(names))
        names.append(truncate_name(name))
        at = _blanks(text, at)
        if text[at : at + 1] == ".":
            at = _blanks(text, at + 1)
        elif at == len(text) or not strict:
            return ArrayValue.of(names)
        else:
            raise _bad(text)


def _one_name(text: str, at: int, after_dot: bool) -> tuple[str, int]:
    if text[at : at + 1] == '"':
        quoted = _QUOTED.match(text, at)
        if quoted is None:
            raise _bad(text, "String has unclosed double quotes.")
        if not quoted.group(1):
            raise _bad(text, "Quoted identifier must not be empty.")
        return quoted.group(1).replace('""', '"'), quoted.end()
    bare = _BARE.match(text, at)
    if bare is not None:
        # PostgreSQL folds other letters only in one-byte encodings.
        folded = re.sub("[A-Z]+", lambda part: part.group().lower(), bare.group())
        return folded, bare.end()
    if text[at : at + 1] == ".":
        raise _bad(text, 'No valid identifier before ".".')
    raise _bad(text, 'No valid identifier after ".".' if after_dot else "")


# --- unistr()

_ESCAPE: Final = re.compile(
    r"\\(?:(\\)|([0-9A-Fa-f]{4})|\+([0-9A-Fa-f]{6})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))"
)
_HIGH: Final = range(0xD800, 0xDC00)
_LOW: Final = range(0xDC00, 0xE000)


@function("unistr(text) -> text")
def _unistr(text: str) -> str:
    """\\XXXX, \\+XXXXXX, \\uXXXX and \\UXXXXXXXX."""
    parts: list[str] = []
    at = high = 0
    while at < len(text):
        code = ord(text[at])
        end = at + 1
        escaped = text[at] == "\\"
        if escaped:
            match = _ESCAPE.match(text, at)
            if match is None:
                raise SqlError(
                    "42601",
                    "invalid Unicode escape",
                    hint="Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.",
                )
            end = match.end()
            if match.group(1):
                escaped = False
            else:
                code = int(match.group(2) or match.group(3) or match.group(4) or match.group(5), 16)
                if not 0 < code <= 0x10FFFF:
                    raise SqlError("22023", f"invalid Unicode code point: {code:04X}")
        at = end
        if high:
            if not escaped or code not in _LOW:
                raise _surrogate()
            code, high = 0x10000 + (high - 0xD800 << 10) + code - 0xDC00, 0
        elif escaped and code in _HIGH:
            high = code
            continue
        elif escaped and code in _LOW:
            raise _surrogate()
        parts.append(chr(code))
    if high:
        raise _surrogate()
    return "".join(parts)


def _surrogate() -> SqlError:
    return SqlError("42601", "invalid Unicode surrogate pair")


# --- normal forms


@function("is_normalized(text) -> bool")
@function("is_normalized(text, text) -> bool")
def _is_normalized(text: str, form: str = "NFC") -> bool:
    return bool(FUNCTIONS["normalize(text,text)"].call(text, form) == text)


# --- bits


@function("bit_count(bytea) -> int8", raises=False)
def _bit_count(data: bytes) -> int:
    return int.from_bytes(data, "big").bit_count()


def _check_bit(data: bytes, index: int) -> None:
    if not 0 <= index < len(data) * 8:
        raise SqlError("2202E", f"index {index} out of valid range, 0..{len(data) * 8 - 1}")


@function("get_bit(bytea, int8) -> int4")
def _get_bit(data: bytes, index: int) -> int:
    _check_bit(data, index)
    return data[index // 8] >> index % 8 & 1


@function("set_bit(bytea, int8, int4) -> bytea")
def _set_bit(data: bytes, index: int, value: int) -> bytes:
    _check_bit(data, index)
    if value not in (0, 1):
        raise SqlError("22023", "new bit must be 0 or 1")
    changed = bytearray(data)
    changed[index // 8] = data[index // 8] & ~(1 << index % 8) | value << index % 8
    return bytes(changed)


# --- time as words

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)


@function("timeofday() -> text", context=True, volatility=VOLATILE)
def _time_of_day(ctx: Any) -> str:
    now, zone = ctx.now_us(), ctx.settings.zone
    days, us = divmod(cal.to_local(now, zone), cal.US_PER_DAY)
    year, month, day = cal.from_days(days)
    seconds, fraction = divmod(us, cal.US_PER_SECOND)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{fraction:06d}"
    # 2000-01-01 was a Saturday.
    weekday = _DAYS[(days + 5) % 7]
    return f"{weekday} {_MONTHS[month - 1]} {day:02d} {clock} {year:04d} {cal.zone_abbreviation(now, zone)}"
