"""to_date() and to_timestamp(): dates out of text by a template.

Source of the rules: formatting.c of PostgreSQL 15, whose leniency is followed closely: what a template does not
fit is read in the same odd ways.
"""

from __future__ import annotations

import re
from typing import Final

from trilithon.core.errors import SqlError
from trilithon.expression.formatting import DAY_NAMES, MONTH_NAMES, Piece, parse_template
from trilithon.types import calendar as cal

# How many characters a number has where digits follow; all of these are numbers.
_WIDTHS: Final = {
    "YYYY": 4, "YYY": 3, "YY": 2, "Y": 1, "IYYY": 4, "IYY": 3, "IY": 2, "I": 1, "MM": 2, "DD": 2, "DDD": 3,
    "IDDD": 3, "D": 1, "ID": 1, "WW": 2, "IW": 2, "W": 1, "Q": 1, "CC": 2, "J": 1, "HH24": 2, "HH12": 2, "HH": 2,
    "MI": 2, "SS": 2, "MS": 3, "US": 6, "SSSS": 4, "SSSSS": 5, "FF1": 1, "FF2": 2, "FF3": 3, "FF4": 4, "FF5": 5,
    "FF6": 6,
}  # fmt: skip
_FIELDS: Final = {
    "MM": "month", "DD": "day", "DDD": "day_of_year", "IDDD": "day_of_year", "WW": "week", "IW": "week",
    "W": "week_of_month", "CC": "century", "J": "julian", "MI": "minute", "SS": "second", "SSSS": "of_day",
    "SSSSS": "of_day", "HH24": "hour", "HH12": "hour", "HH": "hour",
}  # fmt: skip
_GREGORIAN: Final = frozenset(
    "YYYY YYY YY Y Y,YYY MM MON MONTH RM DD DDD D WW W".split()  # noqa: SIM905
)
_ISO: Final = frozenset({"IYYY", "IYY", "IY", "I", "IW", "ID", "IDDD"})
_ROMAN: Final = ("XII", "XI", "X", "IX", "VIII", "VII", "VI", "V", "IV", "III", "II", "I")
_NUMBER: Final = re.compile(r"[ \t\n\v\f\r]*[+-]?\d+", re.ASCII)
_INT32: Final = range(-(2**31), 2**31)
_NO_MATCH: Final = "The given value did not match any of the allowed values for this field."


def _bad(text: str, pattern: str, detail: str) -> SqlError:
    return SqlError("22007", f'invalid value "{text}" for "{pattern}"', detail=detail)


def _is_separator(character: str) -> bool:
    return "\x20" < character < "\x7f" and not character.isalnum()


class _Scanner:
    """Reads the text along the template into `fields`."""

    def __init__(self, text: str, pieces: tuple[Piece, ...]) -> None:
        self.text = text
        self.pieces = pieces
        self.at = 0
        # Characters skipped beyond what the template asked for.
        self.skipped = 0
        self.exact = any(piece.pattern.upper() == "FX" for piece in pieces)
        self.fields: dict[str, int] = {}
        self.twelve_hours = False
        self.year_size = 0
        self.calendar = ""

    def scan(self) -> None:
        for number, piece in enumerate(self.pieces):
            if self.at >= len(self.text):
                break
            if not piece.pattern:
                for position, character in enumerate(piece.text):
                    self._literal(character, piece.quoted, number == 0 and position == 0)
                continue
            if piece.pattern.upper() == "FX":
                continue
            if not self.exact:
                self._skip_spaces()
            self._field(piece, self._at_separator(number))
            if not self.exact:
                self.skipped = 0
                self._skip_spaces()

    def _skip_spaces(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
            self.skipped += 1

    def _literal(self, character: str, quoted: bool, first: bool) -> None:
        if first and not self.exact:
            self._skip_spaces()
        if self.at >= len(self.text):
            return
        separator = not quoted and (character.isspace() or _is_separator(character))
        if self.exact:
            self.at += 1
        elif separator:
            self.skipped -= 1
            here = self.text[self.at]
            if here.isspace() or _is_separator(here):
                self.at += 1
                self.skipped += 1
        elif self.skipped > 0:
            self.skipped -= 1
        else:
            self.at += 1

    def _at_separator(self, number: int) -> bool:
        """Whether what follows in the template surely is no digit: then a number takes all digits."""
        if self.pieces[number].ordinal:
            return True
        if number + 1 == len(self.pieces):
            return True
        following = self.pieces[number + 1]
        if following.pattern:
            upper = following.pattern.upper()
            return upper not in _WIDTHS and upper != "Y,YYY"
        return not following.text[:1].isdigit()

    # ---- fields

    def _set(self, name: str, value: int, pattern: str) -> None:
        if self.fields.get(name, 0) not in (0, value):
            raise SqlError(
                "22007",
                f'conflicting values for "{pattern}" field in formatting string',
                detail="This value contradicts a previous setting for the same field type.",
            )
        self.fields[name] = value

    def _number(self, pattern: str, width: int, greedy: bool) -> tuple[int, int]:
        """(value, characters taken)."""
        start = self.at
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        if greedy:
            match = _NUMBER.match(self.text, start)
            if match is not None:
                self.at = match.end()
        else:
            piece = self.text[self.at : self.at + width]
            if len(piece) < width:
                raise SqlError(
                    "22007",
                    f'source string too short for "{pattern}" formatting field',
                    detail=f"Field requires {width} characters, but only {len(piece)} remain.",
                )
            match = _NUMBER.match(piece)
            used = match.end() if match is not None else 0
            if 0 < used < width:
                detail = f"Field requires {width} characters, but only {used} could be parsed."
                raise _bad(piece, pattern, detail)
            self.at += used
        if match is None:
            raise _bad(self.text[start : start + width], pattern, "Value must be an integer.")
        value = int(match[0])
        if value not in _INT32:
            raise SqlError("22008", f'value for "{pattern}" in source string is out of range')
        return value, self.at - start

    def _word(self, pattern: str, words: tuple[str, ...]) -> int:
        rest = self.text[self.at :]
        for number, word in enumerate(words):
            if rest[: len(word)].lower() == word.lower():
                self.at += len(word)
                return number
        raise _bad(rest.split()[0] if rest.split() else "", pattern, _NO_MATCH)

    def _field(self, piece: Piece, separated: bool) -> None:
        pattern, upper = piece.pattern, piece.pattern.upper()
        kind = "iso" if upper in _ISO else "gregorian" if upper in _GREGORIAN else ""
        if kind and self.calendar not in ("", kind):
            raise SqlError(
                "22007",
                "invalid combination of date conventions",
                hint="Do not mix Gregorian and ISO week date conventions in a formatting template.",
            )
        self.calendar = self.calendar or kind
        if upper in _WIDTHS:
            self._numeric(pattern, upper, separated or not piece.fill)
            if piece.ordinal:
                self.at += 2
        else:
            self._named(pattern, upper)

    def _numeric(self, pattern: str, upper: str, greedy: bool) -> None:
        width = _WIDTHS[upper]
        value, used = self._number(pattern, width, greedy)
        match upper:
            case "YYYY" | "IYYY" | "YYY" | "IYY" | "YY" | "IY" | "Y" | "I":
                self.year_size = width
                if width < 4 and used < 4:
                    value = _near_2020(value)
                self._set("year", value, pattern)
            case "MS" | "US" | "FF1" | "FF2" | "FF3" | "FF4" | "FF5" | "FF6":
                digits = 3 if upper == "MS" else 6
                scaled = value * 10 ** max(digits - used, 0)
                name = "ms" if upper == "MS" else "us"
                self._set(name, scaled, pattern)
            case "D":
                self._set("weekday", value, pattern)
            case "ID":
                self._set("weekday", value + 1 if value < 7 else 1, pattern)
            case "Q":
                pass
            case _:
                self.twelve_hours = self.twelve_hours or upper in ("HH", "HH12")
                self._set(_FIELDS[upper], value, pattern)

    def _named(self, pattern: str, upper: str) -> None:
        match upper:
            case "MONTH":
                self._set("month", self._word(pattern, MONTH_NAMES) + 1, pattern)
            case "MON":
                short = tuple(name[:3] for name in MONTH_NAMES)
                self._set("month", self._word(pattern, short) + 1, pattern)
            case "RM":
                self._set("month", 12 - self._word(pattern, _ROMAN), pattern)
            case "DAY":
                self._set("weekday", self._word(pattern, DAY_NAMES) + 1, pattern)
            case "DY":
                short = tuple(name[:3] for name in DAY_NAMES)
                self._set("weekday", self._word(pattern, short) + 1, pattern)
            case "AM" | "PM":
                self._set("pm", self._word(pattern, ("AM", "PM")), pattern)
                self.twelve_hours = True
            case "A.M." | "P.M.":
                self._set("pm", self._word(pattern, ("A.M.", "P.M.")), pattern)
                self.twelve_hours = True
            case "BC" | "AD":
                self._set("bc", self._word(pattern, ("AD", "BC")), pattern)
            case "B.C." | "A.D.":
                self._set("bc", self._word(pattern, ("A.D.", "B.C.")), pattern)
            case "Y,YYY":
                match = re.compile(r"\s*([+-]?\d+),(\d{1,3})", re.ASCII).match(self.text, self.at)
                if match is None:
                    raise SqlError("22007", 'invalid input string for "Y,YYY"')
                self._set("year", int(match[1]) * 1000 + int(match[2]), pattern)
                self.year_size, self.at = 4, match.end()
            case "TZH":
                self._zone_hours(pattern)
            case "TZM":
                self.fields.setdefault("zone_sign", 1)
                self._set("zone_minutes", self._number(pattern, 2, True)[0], pattern)
            case _:
                raise SqlError(
                    "0A000", f'formatting field "{pattern}" is only supported in to_char'
                )

    def _zone_hours(self, pattern: str) -> None:
        here = self.text[self.at : self.at + 1]
        if here in ("+", "-", " "):
            self.fields["zone_sign"] = -1 if here == "-" else 1
            self.at += 1
        else:
            behind = self.skipped > 0 and self.text[self.at - 1 : self.at] == "-"
            self.fields["zone_sign"] = -1 if behind else 1
        self._set("zone_hours", self._number(pattern, 2, True)[0], pattern)


def _near_2020(year: int) -> int:
    if year < 70:
        return year + 2000
    if year < 100:
        return year + 1900
    if year < 520:
        return year + 2000
    return year + 1000 if year < 1000 else year


def parse_moment(text: str, template: str) -> tuple[int, int | None]:
    """(local µs since 2000-01-01, offset east in seconds or None) of to_timestamp()."""
    scanner = _Scanner(text, parse_template(template))
    scanner.scan()
    fields = scanner.fields
    days = _days(scanner, text)
    clock = _clock(fields, scanner.twelve_hours, text)
    east = None
    if "zone_sign" in fields:
        hours, minutes = fields.get("zone_hours", 0), fields.get("zone_minutes", 0)
        if not (0 <= hours <= 15 and 0 <= minutes < 60):
            raise _out_of_range(text)
        east = fields["zone_sign"] * (hours * 3600 + minutes * 60)
    return days * cal.US_PER_DAY + clock, east


def _out_of_range(text: str) -> SqlError:
    return SqlError("22008", f'date/time field value out of range: "{text}"')


def _clock(fields: dict[str, int], twelve_hours: bool, text: str) -> int:
    of_day = fields.get("of_day", 0)
    hour, minute, second = of_day // 3600, of_day // 60 % 60, of_day % 60
    hour = fields.get("hour") or hour
    minute = fields.get("minute") or minute
    second = fields.get("second") or second
    if twelve_hours:
        if not 1 <= hour <= 12:
            raise SqlError(
                "22007",
                f'hour "{hour}" is invalid for the 12-hour clock',
                hint="Use the 24-hour clock, or give an hour between 1 and 12.",
            )
        if fields.get("pm"):
            hour += 12 if hour < 12 else 0
        elif hour == 12:
            hour = 0
    us = fields.get("ms", 0) * 1000 + fields.get("us", 0)
    if not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60 and 0 <= us < 10**6):
        raise _out_of_range(text)
    return (hour * 3600 + minute * 60 + second) * cal.US_PER_SECOND + us


def _year(scanner: _Scanner) -> int:
    """Astronomical: 0 is 1 BC."""
    fields = scanner.fields
    year, century = fields.get("year", 0), fields.get("century", 0)
    bc = bool(fields.get("bc"))
    if bc:
        century = -century
    if year and century and scanner.year_size <= 2:
        part = year % 100
        if not part:
            return century * 100 + (0 if century >= 0 else 1)
        return part + (century - 1) * 100 if century >= 0 else (century + 1) * 100 - part + 1
    if year:
        year = -year if bc else year
        return year + 1 if year < 0 else year
    if century:
        return (century - 1) * 100 + 1 if century > 0 else century * 100 + 1
    return 0


def _days(scanner: _Scanner, text: str) -> int:
    fields = scanner.fields
    year, month, day = _year(scanner), 1, 1
    iso = scanner.calendar == "iso"
    day_of_year = fields.get("day_of_year", 0)
    if julian := fields.get("julian", 0):
        year, month, day = cal.from_days(julian - cal.EPOCH_JULIAN)
    if week := fields.get("week", 0):
        if iso:
            first = _iso_week(year, week)
            weekday = fields.get("weekday", 0)
            offset = 0 if not weekday else weekday - 2 if weekday > 1 else 6
            year, month, day = cal.from_days(first + offset)
        else:
            day_of_year = (week - 1) * 7 + 1
    if week_of_month := fields.get("week_of_month", 0):
        fields["day"] = (week_of_month - 1) * 7 + 1
    day = fields.get("day") or day
    month = fields.get("month") or month
    if day_of_year and (month <= 1 or day <= 1):
        if not year and not fields.get("bc"):
            raise SqlError("22007", "cannot calculate day of year without year information")
        if iso:
            return _iso_week(year, 1) - 1 + day_of_year
        month, day = _of_year(year, month, day, day_of_year)
    if not cal.is_date(year, month, day):
        raise _out_of_range(text)
    return cal.to_days(year, month, day)


def _of_year(year: int, month: int, day: int, day_of_year: int) -> tuple[int, int]:
    """Month and day of a day of the year, where they are not given themselves."""
    before, number = 0, 1
    while number <= 12 and day_of_year > before + cal.days_in_month(year, number):
        before += cal.days_in_month(year, number)
        number += 1
    return (number if month <= 1 else month), (day_of_year - before if day <= 1 else day)


def _iso_week(year: int, week: int) -> int:
    """The Monday of an ISO week, in days since 2000-01-01."""
    fourth = cal.to_days(year, 1, 4)
    return fourth - (fourth + 5) % 7 + (week - 1) * 7
