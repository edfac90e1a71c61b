"""Template patterns of dates and times, and to_char() with them.

Numbers are in formatting_numbers, reading dates (to_date, to_timestamp) in formatting_input. Source of the
rules: formatting.c of PostgreSQL 15 and its manual page. What is not here is refused with 0A000: TM
modifiers other than names in English.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from trilithon.core.errors import SqlError
from trilithon.types import calendar as cal
from trilithon.types.datetime_text import render_offset

MONTH_NAMES: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
DAY_NAMES: Final = (
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
)  # fmt: skip
_ROMAN_MONTHS: Final = (
    "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII",
)  # fmt: skip

# Longest first within a letter: the scanner takes the first that fits.
_PATTERNS: Final = tuple(
    sorted(
        [
            "A.D.",
            "a.d.",
            "AD",
            "ad",
            "A.M.",
            "a.m.",
            "AM",
            "am",
            "B.C.",
            "b.c.",
            "BC",
            "bc",
            "CC",
            "DAY",
            "Day",
            "day",
            "DDD",
            "DD",
            "DY",
            "Dy",
            "dy",
            "D",
            "FF1",
            "FF2",
            "FF3",
            "FF4",
            "FF5",
            "FF6",
            "FX",
            "HH24",
            "HH12",
            "HH",
            "IDDD",
            "ID",
            "IW",
            "IYYY",
            "IYY",
            "IY",
            "I",
            "J",
            "MI",
            "MM",
            "MONTH",
            "Month",
            "month",
            "MON",
            "Mon",
            "mon",
            "MS",
            "OF",
            "P.M.",
            "p.m.",
            "PM",
            "pm",
            "Q",
            "RM",
            "rm",
            "SSSSS",
            "SSSS",
            "SS",
            "TZH",
            "TZM",
            "TZ",
            "tz",
            "US",
            "WW",
            "W",
            "Y,YYY",
            "YYYY",
            "YYY",
            "YY",
            "Y",
            "hh24",
            "hh12",
            "hh",
            "mi",
            "mm",
            "ss",
            "ms",
            "us",
            "yyyy",
            "yyy",
            "yy",
            "y",
            "dd",
            "ddd",
            "d",
            "q",
            "j",
            "ww",
            "w",
            "cc",
            "iyyy",
            "iyy",
            "iy",
            "iw",
            "id",
            "iddd",
        ],
        key=len,
        reverse=True,
    )
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A pattern with its modifiers, or literal text (`pattern` empty)."""

    pattern: str
    text: str
    fill: bool = True
    ordinal: str = ""
    # Literal text in quotes: never a separator.
    quoted: bool = False


# Reading a pattern takes about a µs a character, and nobody else is answered meanwhile.
TEMPLATE_MAX: Final = 10_000


def check_template(template: str) -> None:
    """SqlError 54000."""
    if len(template) > TEMPLATE_MAX:
        raise SqlError(
            "54000",
            "formatting template is too long",
            detail=f"It has {len(template)} characters; at most {TEMPLATE_MAX} are read.",
        )


@lru_cache(maxsize=512)
def parse_template(template: str) -> tuple[Piece, ...]:
    check_template(template)
    pieces: list[Piece] = []
    at = 0
    while at < len(template):
        if template[at] == '"':
            end = at + 1
            literal: list[str] = []
            while end < len(template) and template[end] != '"':
                if template[end] == "\\" and end + 1 < len(template):
                    end += 1
                literal.append(template[end])
                end += 1
            pieces.append(Piece("", "".join(literal), quoted=True))
            at = end + 1
            continue
        if template[at] == "\\" and template[at + 1 : at + 2] == '"':
            pieces.append(Piece("", '"', quoted=True))
            at += 2
            continue
        start = at
        fill = True
        while template[at : at + 2].upper() in ("FM", "TM"):
            fill = fill and template[at : at + 2].upper() != "FM"
            if template[at : at + 2].upper() == "TM":
                fill = False
            at += 2
        found = next((p for p in _PATTERNS if template.startswith(p, at)), None)
        if found is None:
            if at > start:
                # A modifier without a pattern changes nothing.
                continue
            pieces.append(Piece("", template[at]))
            at += 1
            continue
        at += len(found)
        ordinal = template[at : at + 2] if template[at : at + 2] in ("TH", "th") else ""
        at += len(ordinal)
        pieces.append(Piece(found, template[start:at], fill, ordinal))
    return tuple(pieces)


@dataclass(slots=True)
class Moment:
    """What to_char shows: a local timestamp, or the fields of an interval."""

    year: int
    month: int
    day: int
    us: int
    days: int | None = None
    east: int | None = None
    zone: str = ""

    @property
    def hour(self) -> int:
        return abs(self.us) // cal.US_PER_HOUR * (-1 if self.us < 0 else 1)

    def part(self, unit: int, modulus: int) -> int:
        value = abs(self.us) // unit % modulus
        return -value if self.us < 0 else value


def format_moment(template: str, moment: Moment) -> str:
    return "".join(
        piece.text if not piece.pattern else _format_piece(piece, moment)
        for piece in parse_template(template)
    )


def _padded(value: int, width: int, piece: Piece) -> str:
    sign = "-" if value < 0 else ""
    text = str(abs(value))
    text = sign + (text.rjust(width, "0") if piece.fill else text)
    return text + _ordinal(value, piece.ordinal)


def _ordinal(value: int, kind: str) -> str:
    if not kind:
        return ""
    number = abs(value)
    suffix = (
        "th" if 11 <= number % 100 <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    )
    return suffix.upper() if kind == "TH" else suffix


def _name(name: str, width: int, piece: Piece, pattern: str) -> str:
    if pattern.isupper():
        name = name.upper()
    elif pattern.islower():
        name = name.lower()
    return name.ljust(width) if piece.fill and width else name


def _needs_date(moment: Moment) -> int:
    if moment.days is None:
        raise SqlError(
            "22007",
            "invalid format specification for an interval value",
            hint="Intervals are not tied to specific calendar dates.",
        )
    return moment.days


def _era(moment: Moment, pattern: str) -> str:
    _needs_date(moment)
    dotted = "." in pattern
    text = ("B.C." if dotted else "BC") if moment.year <= 0 else ("A.D." if dotted else "AD")
    return text if pattern.isupper() else text.lower()


def _meridiem(moment: Moment, pattern: str) -> str:
    # Of negative intervals it is always morning.
    afternoon = math.fmod(moment.hour, 24) >= 12
    text = "PM" if afternoon else "AM"
    if "." in pattern:
        text = f"{text[0]}.{text[1]}."
    return text if pattern.isupper() else text.lower()


def _years(moment: Moment, pattern: str, piece: Piece) -> str:
    if pattern.startswith("I"):
        if moment.days is None:
            raise _no_interval(pattern)
        year = cal.iso_week(_needs_date(moment))[0]
        pattern = pattern.replace("I", "Y", 1) if len(pattern) > 1 else "Y"
    else:
        year = moment.year
    shown = year if moment.days is None or year > 0 else 1 - year
    if pattern == "Y,YYY":
        thousands = int(shown / 1000)
        return f"{thousands},{shown - thousands * 1000:03d}" + _ordinal(shown, piece.ordinal)
    width = len(pattern)
    if width < 4:
        shown = abs(shown) % 10**width * (-1 if shown < 0 else 1)
    return _padded(shown, width, piece)


def _format_piece(piece: Piece, moment: Moment) -> str:
    pattern = piece.pattern
    upper = pattern.upper()
    clock = _format_clock(piece, upper, moment)
    if clock is not None:
        return clock
    match upper:
        case "A.D." | "AD" | "B.C." | "BC":
            return _era(moment, pattern)
        case "A.M." | "AM" | "P.M." | "PM":
            return _meridiem(moment, pattern)
        case "Y,YYY" | "YYYY" | "YYY" | "YY" | "Y" | "IYYY" | "IYY" | "IY" | "I":
            return _years(moment, upper, piece)
        case "MM":
            return _padded(moment.month, 2, piece)
        case "DD":
            # The one field whose width counts the sign.
            return _padded(moment.day, 2 if moment.day >= 0 else 1, piece)
        case "MONTH" | "MON" | "RM":
            return _format_month(piece, upper, moment)
        case "CC":
            year = moment.year
            century = (year + 99) // 100 if year > 0 else -((99 - (year - 1)) // 100)
            if moment.days is None:
                century = int(year / 100)
            return _padded(century, 2, piece) if abs(century) < 100 else _padded(century, 0, piece)
        case "Q":
            quarter = int((moment.month - 1) / 3) + 1
            return str(quarter) + _ordinal(quarter, piece.ordinal) if moment.month else ""
        case "FX":
            return ""
    return _format_day(piece, upper, moment)


def _format_clock(piece: Piece, upper: str, moment: Moment) -> str | None:
    match upper:
        case "HH24":
            return _padded(moment.hour, 2, piece)
        case "HH12" | "HH":
            hour = moment.hour % 12 if moment.hour >= 0 else -(-moment.hour % 12)
            return _padded(hour or 12, 2, piece)
        case "MI":
            return _padded(moment.part(cal.US_PER_MINUTE, 60), 2, piece)
        case "SS":
            return _padded(moment.part(cal.US_PER_SECOND, 60), 2, piece)
        case "MS":
            return _padded(moment.part(1000, 1000), 3, piece)
        case "US":
            return _padded(moment.part(1, 1_000_000), 6, piece)
        case "FF1" | "FF2" | "FF3" | "FF4" | "FF5" | "FF6":
            digits = int(upper[2])
            value = moment.part(10 ** (6 - digits), 10**digits)
            return f"{abs(value):0{digits}d}" + _ordinal(value, piece.ordinal)
        case "SSSS" | "SSSSS":
            return str(moment.us // cal.US_PER_SECOND) + _ordinal(
                moment.us // cal.US_PER_SECOND, piece.ordinal
            )
        case "TZ":
            _needs_date(moment)
            return moment.zone if piece.pattern == "TZ" else moment.zone.lower()
        case "OF":
            _needs_date(moment)
            return render_offset(moment.east or 0)
        case "TZH":
            _needs_date(moment)
            return render_offset(moment.east or 0)[:3]
        case "TZM":
            _needs_date(moment)
            return f"{abs(moment.east or 0) // 60 % 60:02d}"
    return None


def _format_month(piece: Piece, upper: str, moment: Moment) -> str:
    if upper != "RM":
        _needs_date(moment)
    if not moment.month and not (upper == "RM" and moment.year):
        return ""
    index = moment.month - 1
    if upper == "RM":
        # Only intervals have months below 1: they count down from December, whole years are one end or the other.
        if moment.month < 0:
            index = 12 + moment.month
        elif not moment.month:
            index = 11 if moment.year > 0 else 0
        text = _ROMAN_MONTHS[index]
        text = text if piece.pattern == "RM" else text.lower()
        return text.ljust(4) if piece.fill else text
    name = MONTH_NAMES[index] if upper == "MONTH" else MONTH_NAMES[index][:3]
    return _name(name, 9 if upper == "MONTH" else 0, piece, piece.pattern)


def _no_interval(pattern: str) -> SqlError:
    return SqlError("0A000", f"to_char(interval) with {pattern} is not supported")


def _format_interval_day(piece: Piece, upper: str, moment: Moment) -> str:
    """A month has 30 days here. Widths count the sign."""
    number = moment.year * 360 + moment.month * 30 + moment.day
    match upper:
        case "DDD":
            return _padded(number, 3 if number >= 0 else 2, piece)
        case "WW":
            week = int((number - 1) / 7) + 1
            return _padded(week, 2 if week >= 0 else 1, piece)
        case "W":
            week = int((moment.day - 1) / 7) + 1
            return str(week) + _ordinal(week, piece.ordinal)
        case "J" | "IW" | "IDDD":
            raise _no_interval(upper)
    _needs_date(moment)
    raise _no_interval(upper)


def _format_day(piece: Piece, upper: str, moment: Moment) -> str:
    if moment.days is None:
        return _format_interval_day(piece, upper, moment)
    days = _needs_date(moment)
    of_year = days - cal.to_days(moment.year, 1, 1) + 1
    match upper:
        case "DAY" | "DY":
            name = DAY_NAMES[(days + 6) % 7]
            name = name if upper == "DAY" else name[:3]
            return _name(name, 9 if upper == "DAY" else 0, piece, piece.pattern)
        case "DDD":
            return _padded(of_year, 3, piece)
        case "IDDD":
            week = cal.iso_week(days)[1]
            return _padded((week - 1) * 7 + (days + 5) % 7 + 1, 3, piece)
        case "D":
            return str((days + 6) % 7 + 1) + _ordinal((days + 6) % 7 + 1, piece.ordinal)
        case "ID":
            return str((days + 5) % 7 + 1) + _ordinal((days + 5) % 7 + 1, piece.ordinal)
        case "WW":
            return _padded((of_year - 1) // 7 + 1, 2, piece)
        case "IW":
            return _padded(cal.iso_week(days)[1], 2, piece)
        case "W":
            return str((moment.day - 1) // 7 + 1) + _ordinal(
                (moment.day - 1) // 7 + 1, piece.ordinal
            )
        case "J":
            return str(days + cal.EPOCH_JULIAN) + _ordinal(days + cal.EPOCH_JULIAN, piece.ordinal)
    raise SqlError("0A000", f"the pattern {piece.pattern} is not supported")
