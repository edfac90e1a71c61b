"""interval: text in, text out (IntervalStyle postgres, postgres_verbose, iso_8601, sql_standard).

Source of the rules: DecodeInterval, DecodeISO8601Interval and EncodeInterval of PostgreSQL 15.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from trilithon.core.errors import SqlError
from trilithon.types.calendar import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, US_PER_SECOND
from trilithon.types.registry import INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN
from trilithon.types.values import Interval

_MONTH_UNITS: Final = {"year": 12, "decade": 120, "century": 1200, "millennium": 12000, "month": 1}
_US_UNITS: Final = {
    "microsecond": 1,
    "millisecond": 1000,
    "second": US_PER_SECOND,
    "minute": US_PER_MINUTE,
    "hour": US_PER_HOUR,
}
_SECOND_UNITS: Final = {"second", "millisecond", "microsecond"}
_CLOCK_UNITS: Final = _SECOND_UNITS | {"hour", "minute"}
_UNIT_NAMES: Final = {
    name: unit
    for unit, names in {
        "microsecond": "microsecond microseconds us usec usecs usecond useconds",
        "millisecond": "millisecond milliseconds ms msec msecs msecond mseconds",
        "second": "second seconds s sec secs",
        "minute": "minute minutes m min mins",
        "hour": "hour hours h hr hrs",
        "day": "day days d",
        "week": "week weeks w",
        "month": "month months mon mons",
        "year": "year years y yr yrs",
        "decade": "decade decades dec decs",
        "century": "century centuries c cent",
        "millennium": "millennium millennia millenniums mil mils",
    }.items()
    for name in names.split()
}
_TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<time>(?:[+-]\s*)?\d+:\d+(?::\d+)?(?:\.\d*)?)
    | (?P<months>(?:[+-]\s*)?\d+-\d+(?![-\d]))
    | (?P<number>(?:[+-]\s*)?(?:\d+(?:\.\d*)?|\.\d+))
    | (?P<word>[A-Za-z]+)
    | (?P<skip>[@,])
    )""",
    re.VERBOSE | re.ASCII,
)
_ISO_PART: Final = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))([YMWDHS])", re.ASCII)
_ISO_ALTERNATIVE: Final = re.compile(
    r"P(?:([+-]?\d+)-(\d+)-(\d+))?(?:T(\d+):(\d+):(\d+(?:\.\d*)?))?", re.ASCII
)
_BIT_UNITS: Final = (
    (1 << 12, "second"),
    (1 << 11, "minute"),
    (1 << 10, "hour"),
    (1 << 3, "day"),
    (1 << 1, "month"),
    (1 << 2, "year"),
)
_DAYS_PER_MONTH: Final = 30


class _TooLarge(Exception):
    """A field beyond what an interval holds."""


class _Bad(Exception):
    """Not understood."""


class _Sum:
    """Adds up units. A fraction of a month is days, of a day µs; of a year, whole months."""

    __slots__ = ("days", "months", "negative", "seen", "us")

    def __init__(self, negative: bool = False) -> None:
        """`negative`: whatever is added counts as negative."""
        self.negative = negative
        self.seen: set[str] = set()
        self.months = 0
        self.days = 0
        self.us = Fraction(0)

    def claim(self, units: set[str]) -> None:
        """No unit may come twice."""
        if units & self.seen:
            raise _Bad
        self.seen |= units

    def add(self, amount: Fraction, unit: str) -> None:
        if self.negative:
            amount = -abs(amount)
        if unit not in _US_UNITS and abs(amount) > INT32_MAX + 1:
            raise OverflowError
        if unit in _US_UNITS:
            self.us += amount * _US_UNITS[unit]
        elif unit in ("day", "week"):
            self._days(amount * (7 if unit == "week" else 1))
        elif unit == "month":
            whole = _truncate(amount)
            self.months += whole
            self._days((amount - whole) * _DAYS_PER_MONTH)
        else:
            months = _MONTH_UNITS[unit]
            whole = _truncate(amount)
            self.months += whole * months + round((amount - whole) * months)

    def _days(self, amount: Fraction) -> None:
        whole = _truncate(amount)
        self.days += whole
        self.us += (amount - whole) * US_PER_DAY

    def interval(self) -> Interval:
        us = round(self.us)
        if not INT32_MIN <= self.months <= INT32_MAX:
            raise SqlError("22008", "interval out of range")
        for value, low, high in (
            (self.days, INT32_MIN, INT32_MAX),
            (us, INT64_MIN, INT64_MAX),
        ):
            if not low <= value <= high:
                raise _TooLarge
        return Interval(self.months, self.days, us)


def _truncate(amount: Fraction) -> int:
    return int(amount)


def parse_interval(text: str, fields: int = 0x7FFF, style: str = "postgres") -> Interval:
    """`fields` is the mask of INTERVAL DAY TO SECOND and the like: what a bare number counts.
    Of the styles (IntervalStyle) only sql_standard reads differently: a sign at the very beginning that
    is the only one holds for everything after it.

    Raises SqlError 22007, 22008 ("interval field value out of range"), 22015.
    """
    if len(text) > 1000:
        raise SqlError("22007", f'invalid input syntax for type interval: "{text[:100]}"')
    try:
        stripped = text.strip()
        if stripped[:1] == "P":
            return _parse_iso(stripped)
        return _parse_units(stripped, fields, style)
    except _TooLarge:
        raise SqlError("22015", f'interval field value out of range: "{text}"') from None
    except OverflowError:
        raise SqlError("22008", f'interval field value out of range: "{text}"') from None
    except (_Bad, ValueError):
        raise SqlError("22007", f'invalid input syntax for type interval: "{text}"') from None


def _parse_units(text: str, fields: int, style: str) -> Interval:
    tokens: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _Bad
        at = match.end()
        kind = match.lastgroup or ""
        if kind != "skip":
            tokens.append((kind, re.sub(r"\s", "", match.group())))
    if not tokens:
        raise _Bad
    total = _Sum(style == "sql_standard" and _signs(tokens) == "-")
    negate = False
    if tokens[-1][1].lower() == "ago":
        tokens.pop()
        negate = True
    at = 0
    while at < len(tokens):
        kind, token = tokens[at]
        at += 1
        if kind == "time":
            total.claim(_CLOCK_UNITS)
            _add_time(total, token, fields)
        elif kind == "months":
            total.claim({"month"})
            sign = -1 if token[0] == "-" or total.negative else 1
            years, months = token.lstrip("+-").split("-")
            if int(months) > 11:
                raise OverflowError
            total.months += sign * (int(years) * 12 + int(months))
        elif kind == "number":
            if at < len(tokens) and tokens[at][0] == "word":
                unit = _UNIT_NAMES.get(tokens[at][1].lower())
                if unit is None:
                    raise _Bad
                at += 1
            elif at < len(tokens) and tokens[at][0] == "time":
                unit = "day"
            elif at == len(tokens):
                unit = _default_unit(fields)
            else:
                raise _Bad
            amount = Fraction(token)
            total.claim(_SECOND_UNITS if unit == "second" and amount.denominator > 1 else {unit})
            total.add(amount, unit)
        else:
            raise _Bad
    if negate:
        total.months, total.days, total.us = -total.months, -total.days, -total.us
    return total.interval()


def _signs(tokens: list[tuple[str, str]]) -> str:
    """The explicit signs, one character for each; the first token's must be there."""
    if tokens[0][1][0] != "-":
        return ""
    # Words have none.
    return "".join(token[0] for _, token in tokens if token[0] in "+-")


def _default_unit(fields: int) -> str:
    if fields == 0x7FFF:
        return "second"
    return next((unit for bit, unit in _BIT_UNITS if fields & bit), "second")


def _add_time(total: _Sum, token: str, fields: int) -> None:
    sign = -1 if token[0] == "-" or total.negative else 1
    parts = token.lstrip("+-").split(":")
    if len(parts) == 2 and ("." in parts[1] or fields == (1 << 11 | 1 << 12)):
        parts.insert(0, "0")
    elif len(parts) == 2:
        parts.append("0")
    hour, minute, second = parts
    if int(minute) > 59 or Fraction(second or 0) >= 61:
        raise OverflowError
    us = (
        int(hour) * US_PER_HOUR
        + int(minute) * US_PER_MINUTE
        + Fraction(second.rstrip(".") or 0) * US_PER_SECOND
    )
    total.us += sign * us


def _parse_iso(text: str) -> Interval:
    total = _Sum()
    match = _ISO_ALTERNATIVE.fullmatch(text)
    if match is not None and (match[1] or match[4]):
        total.months = int(match[1] or 0) * 12 + int(match[2] or 0)
        total.days = int(match[3] or 0)
        if match[4]:
            total.us += int(match[4]) * US_PER_HOUR + int(match[5]) * US_PER_MINUTE
            total.us += Fraction(match[6].rstrip(".")) * US_PER_SECOND
        return total.interval()
    date, separator, time = text[1:].partition("T")
    if not date and not time:
        raise _Bad
    for part, units in (
        (date, {"Y": "year", "M": "month", "W": "week", "D": "day"}),
        (time, {"H": "hour", "M": "minute", "S": "second"}),
    ):
        at = 0
        while at < len(part):
            piece = _ISO_PART.match(part, at)
            if piece is None or piece[2] not in units:
                raise _Bad
            total.add(Fraction(piece[1].rstrip(".")), units[piece[2]])
            at = piece.end()
    if separator and not time:
        raise _Bad
    return total.interval()


# --- output


def _truncated(value: int, unit: int) -> tuple[int, int]:
    """Division towards zero."""
    quotient = abs(value) // unit
    quotient = -quotient if value < 0 else quotient
    return quotient, value - quotient * unit


def _split(value: Interval) -> tuple[int, int, int, int, int, int, int]:
    years, months = _truncated(value[0], 12)
    hours, rest = _truncated(value[2], US_PER_HOUR)
    minutes, rest = _truncated(rest, US_PER_MINUTE)
    seconds, us = _truncated(rest, US_PER_SECOND)
    return years, months, value[1], hours, minutes, seconds, us


def _seconds(seconds: int, us: int, *, pad: bool) -> str:
    text = f"{abs(seconds):02d}" if pad else str(abs(seconds))
    return f"{text}.{abs(us):06d}".rstrip("0") if us else text


def render_interval(value: Interval, style: str = "postgres") -> str:
    match style:
        case "iso_8601":
            return _render_iso(value)
        case "postgres_verbose":
            return _render_verbose(value)
        case "sql_standard":
            return _render_sql(value)
        case _:
            return _render_postgres(value)


def _render_postgres(value: Interval) -> str:
    years, months, days, hours, minutes, seconds, us = _split(value)
    parts: list[str] = []
    before = False
    for number, unit in ((years, "year"), (months, "mon"), (days, "day")):
        if number:
            sign = "+" if before and number > 0 else ""
            parts.append(f"{sign}{number} {unit}{'' if number == 1 else 's'}")
            before = number < 0
    if not parts or hours or minutes or seconds or us:
        negative = value[2] < 0
        sign = "-" if negative else "+" if before else ""
        parts.append(f"{sign}{abs(hours):02d}:{abs(minutes):02d}:{_seconds(seconds, us, pad=True)}")
    return " ".join(parts)


def _render_iso(value: Interval) -> str:
    years, months, days, hours, minutes, seconds, us = _split(value)
    if not any(value):
        return "PT0S"
    date = "".join(f"{n}{unit}" for n, unit in ((years, "Y"), (months, "M"), (days, "D")) if n)
    time = "".join(f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M")) if n)
    if seconds or us:
        sign = "-" if seconds < 0 or us < 0 else ""
        time += f"{sign}{_seconds(seconds, us, pad=False)}S"
    return f"P{date}T{time}" if time else f"P{date}"


def _render_verbose(value: Interval) -> str:
    years, months, days, hours, minutes, seconds, us = _split(value)
    parts: list[str] = []
    zero, before = True, False
    for number, unit in (
        (years, "year"), (months, "mon"), (days, "day"), (hours, "hour"), (minutes, "min"),
    ):  # fmt: skip
        if not number:
            continue
        if zero:
            before, zero = number < 0, False
            number = abs(number)
        elif before:
            number = -number
        parts.append(f"{number} {unit}{'' if number == 1 else 's'}")
    if seconds or us:
        negative = seconds < 0 or us < 0
        if zero:
            before, zero, negative = negative, False, False
        elif before:
            negative = not negative
        sign = "-" if negative else ""
        text = _seconds(seconds, us, pad=False)
        parts.append(f"{sign}{text} sec{'' if abs(seconds) == 1 and not us else 's'}")
    return "@ " + (" ".join(parts) if parts else "0") + (" ago" if before else "")


def _render_sql(value: Interval) -> str:
    years, months, days, hours, minutes, seconds, us = _split(value)
    has_negative = any(n < 0 for n in value)
    has_positive = any(n > 0 for n in value)
    has_months, has_days, has_time = bool(value[0]), bool(days), bool(value[2])
    if not (has_months or has_days or has_time):
        return "0"
    clock = f"{abs(minutes):02d}:{_seconds(seconds, us, pad=True)}"
    if (has_negative and has_positive) or (has_months and (has_days or has_time)):
        return (
            f"{'-' if value[0] < 0 else '+'}{abs(years)}-{abs(months)} "
            f"{'-' if days < 0 else '+'}{abs(days)} "
            f"{'-' if value[2] < 0 else '+'}{abs(hours)}:{clock}"
        )
    sign = "-" if has_negative else ""
    if has_months:
        return f"{sign}{abs(years)}-{abs(months)}"
    if has_days:
        return f"{sign}{abs(days)} {abs(hours)}:{clock}"
    return f"{sign}{abs(hours)}:{clock}"
