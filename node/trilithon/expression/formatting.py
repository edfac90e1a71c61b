"""to_char, to_number, to_date, to_timestamp: PostgreSQL's template patterns.

Source of the rules: formatting.c of PostgreSQL 15 and its manual page. What is not here is refused with
0A000: the patterns RN on input, V on input, and TM modifiers other than names in English.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.types import calendar as cal
from trilithon.types import numeric
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


@lru_cache(maxsize=512)
def parse_template(template: str) -> tuple[Piece, ...]:
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
            pieces.append(Piece("", "".join(literal)))
            at = end + 1
            continue
        if template[at] == "\\" and template[at + 1 : at + 2] == '"':
            pieces.append(Piece("", '"'))
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
    afternoon = moment.hour % 24 >= 12
    text = "PM" if afternoon else "AM"
    if "." in pattern:
        text = f"{text[0]}.{text[1]}."
    return text if pattern.isupper() else text.lower()


def _years(moment: Moment, pattern: str, piece: Piece) -> str:
    from trilithon.expression.builtins.datetimes import iso_week

    if pattern.startswith("I"):
        year = iso_week(_needs_date(moment))[0]
        pattern = pattern.replace("I", "Y", 1) if len(pattern) > 1 else "Y"
    else:
        year = moment.year
    shown = year if moment.days is None or year > 0 else 1 - year
    if pattern == "Y,YYY":
        thousands, rest = divmod(shown, 1000)
        return f"{thousands},{rest:03d}" + _ordinal(shown, piece.ordinal)
    width = len(pattern)
    if width < 4:
        shown %= 10**width
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
            return (
                str((moment.month - 1) // 3 + 1)
                + _ordinal((moment.month - 1) // 3 + 1, piece.ordinal)
                if moment.month
                else ""
            )
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
    if not moment.month:
        return ""
    index = moment.month - 1
    if upper == "RM":
        text = _ROMAN_MONTHS[index]
        text = text if piece.pattern == "RM" else text.lower()
        return text.ljust(4) if piece.fill else text
    name = MONTH_NAMES[index] if upper == "MONTH" else MONTH_NAMES[index][:3]
    return _name(name, 9 if upper == "MONTH" else 0, piece, piece.pattern)


def _format_day(piece: Piece, upper: str, moment: Moment) -> str:
    from trilithon.expression.builtins.datetimes import iso_week

    if upper == "DDD" and moment.days is None:
        number = moment.year * 360 + moment.month * 30 + moment.day
        return _padded(number, 3 if number >= 0 else 2, piece)
    if upper == "J" and moment.days is None:
        raise SqlError("0A000", "to_char(interval) with J is not supported")
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
            week = iso_week(days)[1]
            return _padded((week - 1) * 7 + (days + 5) % 7 + 1, 3, piece)
        case "D":
            return str((days + 6) % 7 + 1) + _ordinal((days + 6) % 7 + 1, piece.ordinal)
        case "ID":
            return str((days + 5) % 7 + 1) + _ordinal((days + 5) % 7 + 1, piece.ordinal)
        case "WW":
            return _padded((of_year - 1) // 7 + 1, 2, piece)
        case "IW":
            return _padded(iso_week(days)[1], 2, piece)
        case "W":
            return str((moment.day - 1) // 7 + 1) + _ordinal(
                (moment.day - 1) // 7 + 1, piece.ordinal
            )
        case "J":
            return str(days + cal.EPOCH_JULIAN) + _ordinal(days + cal.EPOCH_JULIAN, piece.ordinal)
    raise SqlError("0A000", f"the pattern {piece.pattern} is not supported")


# --- numbers

_NUMBER_PATTERN: Final = re.compile(
    r"FM|fm|EEEE|eeee|MI|mi|PL|pl|SG|sg|PR|pr|RN|rn|TH|th|[09.,DGLSVdglsv]|\"(?:[^\"\\]|\\.)*\"|.",
    re.DOTALL,
)


def _number_error(message: str) -> SqlError:
    return SqlError("42601", message)


@lru_cache(maxsize=512)
def _parse_number(template: str) -> tuple[tuple[str, ...], bool]:
    tokens: list[str] = []
    fill = True
    for match in _NUMBER_PATTERN.finditer(template):
        token = match.group()
        if token in ("FM", "fm"):
            fill = False
        elif token.startswith('"') and len(token) > 1:
            tokens.append(token)
        else:
            upper = token.upper()
            tokens.append(
                token
                if upper in ("RN", "TH") or (len(upper) == 1 and upper not in "DGLSV")
                else upper
            )
    return tuple(tokens), fill


def format_number(template: str, value: Decimal) -> str:
    """to_char(numeric, text). Raises SqlError 42601, 0A000."""
    tokens, fill = _parse_number(template)
    known = {"9", "0", ".", ",", "D", "G", "L", "S", "MI", "PL", "SG", "PR"}
    for token in tokens:
        if token in ("V", "EEEE", "RN", "rn", "TH", "th"):
            raise SqlError("0A000", f"the pattern {token} of to_char() is not supported")
    signs = [token for token in tokens if token in ("S", "MI", "PL", "SG", "PR")]
    if tokens.count(".") + tokens.count("D") > 1:
        raise _number_error("multiple decimal points")
    if len(signs) > 1:
        raise SqlError("0A000", "more than one sign in a number format is not supported")
    point = next((n for n, token in enumerate(tokens) if token in (".", "D")), len(tokens))
    before = sum(token in "90" for token in tokens[:point] if token in known)
    after = sum(token in "90" for token in tokens[point:] if token in known)
    if not value.is_finite():
        raise SqlError("0A000", "to_char() of NaN and infinity is not supported")
    rounded = numeric.round_to(value, after)
    negative = rounded < 0
    whole, _, fraction = numeric.render(rounded.copy_abs()).partition(".")
    if whole == "0" and before and "0" not in tokens[:point]:
        whole = ""
    if len(whole) > before:
        digits: list[str] = ["#"] * before
        fraction = "#" * after
        overflow = True
    else:
        digits = [" "] * (before - len(whole)) + list(whole)
        overflow = False
    return _layout(tokens, fill, point, digits, list(fraction), negative, overflow, after)


def _layout(
    tokens: tuple[str, ...],
    fill: bool,
    point: int,
    digits: list[str],
    fraction: list[str],
    negative: bool,
    overflow: bool,
    after: int,
) -> str:
    signs = [token for token in tokens if token in ("S", "MI", "PL", "SG", "PR")]
    sign = signs[0] if signs else ""
    first_zero = next(
        (n for n, t in enumerate(t for t in tokens[:point] if t in ("9", "0")) if t == "0"), None
    )
    if first_zero is not None:
        digits = [
            "0" if digit == " " and number >= first_zero else digit
            for number, digit in enumerate(digits)
        ]
    if not fill and not overflow:
        last_zero = max(
            (n for n, t in enumerate(t for t in tokens[point:] if t in ("9", "0")) if t == "0"),
            default=-1,
        )
        while len(fraction) > last_zero + 1 and fraction[-1] == "0":
            fraction.pop()
    blank = not any(digit != " " for digit in digits)
    if blank and digits and not overflow and (after == 0 or (not fill and not fraction)):
        digits[-1] = "0"
    out: list[str] = []
    position = 0
    started = False
    sign_at: int | None = None
    for number, token in enumerate(tokens):
        if number < point and token in ("9", "0"):
            digit = digits[position]
            position += 1
            if digit != " " and not started:
                started, sign_at = True, len(out)
            if digit != " " or fill:
                out.append(digit)
        elif number > point and token in ("9", "0"):
            index = sum(t in ("9", "0") for t in tokens[point + 1 : number])
            if index < len(fraction):
                out.append(fraction[index])
        elif token in (".", "D"):
            if not started:
                started, sign_at = True, len(out)
            if after:
                out.append(".")
        elif token in (",", "G"):
            if started:
                out.append(",")
            elif fill:
                out.append(" ")
        elif token == "L":
            out.append(" " if fill else "")
        elif token == "MI":
            out.append("-" if negative else " " if fill else "")
        elif token == "PL":
            out.append("+" if not negative else " " if fill else "")
        elif token == "SG":
            out.append("-" if negative else "+")
        elif token in ("S", "PR"):
            pass
        else:
            out.append(token.strip('"') if token.startswith('"') and len(token) > 1 else token)
    at = len(out) if sign_at is None else sign_at
    if sign == "S":
        mark = "-" if negative else "+"
        leading = next(n for n, t in enumerate(tokens) if t == "S") == 0
        out.insert(at if leading else len(out), mark)
    elif sign == "PR":
        if negative:
            out.insert(at, "<")
            out.append(">")
        elif fill:
            out.insert(at, " ")
            out.append(" ")
    elif sign in ("", "PL"):
        if negative:
            out.insert(at, "-")
        elif fill:
            out.insert(at, " ")
    return "".join(out)


def parse_number(text: str, template: str) -> Decimal:
    """to_number(): the digits where the template has digits; everything else only by place."""
    tokens, _ = _parse_number(template)
    for token in tokens:
        if token in ("V", "EEEE", "RN", "rn", "PL", "SG", "TH", "th"):
            raise SqlError("0A000", f"the pattern {token} of to_number() is not supported")
    out: list[str] = []
    negative = False
    at = 0
    for token in tokens:
        if at >= len(text):
            break
        while (
            token in ("9", "0")
            and at < len(text)
            and (text[at] in " " or (text[at] in "+-<" and not out))
        ):
            negative = negative or text[at] in "-<"
            at += 1
        if at >= len(text):
            break
        character = text[at]
        if token in ("9", "0"):
            if character.isdigit():
                out.append(character)
                at += 1
            elif character == ".":
                continue
            else:
                at += 1
        elif token in (".", "D"):
            if character == ".":
                out.append(".")
                at += 1
        elif token in (",", "G"):
            if character == ",":
                at += 1
        elif token in ("S", "MI", "PR"):
            if character in "+-<>":
                negative = negative or character in "-<"
                at += 1
            elif token == "MI" and character == " ":
                at += 1
        else:
            at += 1
    negative = negative or ("S" in tokens and text.strip().endswith("-"))
    if not any(character.isdigit() for character in out):
        raise SqlError("22P02", 'invalid input syntax for type numeric: " "')
    value = numeric.normal(Decimal("".join(out).rstrip(".") or "0"))
    return value.copy_negate() if negative and value else value


# --- dates from text


def _bad(text: str, pattern: str, detail: str) -> SqlError:
    return SqlError("22007", f'invalid value "{text}" for "{pattern}"', detail=detail)


_DIGIT_WIDTHS: Final = {
    "YYYY": 4, "YYY": 3, "YY": 2, "Y": 1, "IYYY": 4, "MM": 2, "DD": 2, "DDD": 3, "HH24": 2,
    "HH12": 2, "HH": 2, "MI": 2, "SS": 2, "MS": 3, "US": 6, "J": 9, "SSSS": 5, "SSSSS": 5, "IW": 2,
    "ID": 1, "FF1": 1, "FF2": 2, "FF3": 3, "FF4": 4, "FF5": 5, "FF6": 6,
}  # fmt: skip


def parse_moment(text: str, template: str) -> tuple[int, int | None]:
    """(local µs since 2000-01-01, offset east in seconds or None) of to_timestamp()."""
    fields: dict[str, Any] = {}
    at = 0
    pieces = parse_template(template)
    for number, piece in enumerate(pieces):
        if not piece.pattern:
            at = _skip_literal(text, at, piece.text)
            continue
        while at < len(text) and text[at].isspace():
            at += 1
        if at >= len(text):
            break
        following = pieces[number + 1] if number + 1 < len(pieces) else None
        at = _read(text, at, piece, following, fields)
    return _assemble(fields, text)


def _skip_literal(text: str, at: int, literal: str) -> int:
    """A separator skips any separator (or nothing); other literal characters skip one each."""
    for character in literal:
        if at >= len(text):
            return at
        if character.isspace() or not character.isalnum():
            while at < len(text) and text[at].isspace():
                at += 1
            if (at < len(text) and not text[at].isalnum() and text[at] not in "+-") or (
                at < len(text) and text[at] == character
            ):
                at += 1
        else:
            at += 1
    return at


def _read(text: str, at: int, piece: Piece, following: Piece | None, fields: dict[str, Any]) -> int:
    upper = piece.pattern.upper()
    rest = text[at:]
    if upper in ("MONTH", "MON"):
        for index, name in enumerate(MONTH_NAMES):
            short = name[:3].lower()
            wanted = name.lower() if upper == "MONTH" else short
            if rest.lower().startswith(wanted):
                fields["MM"] = index + 1
                return at + len(wanted)
        raise _bad(
            rest.split()[0] if rest.split() else "",
            piece.pattern,
            "The given value did not match any of the allowed values for this field.",
        )
    if upper in ("DAY", "DY"):
        for name in DAY_NAMES:
            wanted = name.lower() if upper == "DAY" else name[:3].lower()
            if rest.lower().startswith(wanted):
                return at + len(wanted)
        raise _bad(
            rest.split()[0],
            piece.pattern,
            "The given value did not match any of the allowed values for this field.",
        )
    if upper in ("AM", "PM", "A.M.", "P.M."):
        word = rest[: len(upper)].upper().replace(".", "")
        if word not in ("AM", "PM"):
            raise _bad(
                rest[:2],
                piece.pattern,
                "The given value did not match any of the allowed values for this field.",
            )
        fields["PM"] = word == "PM"
        return at + len(upper)
    if upper in ("BC", "AD", "B.C.", "A.D."):
        fields["BC"] = rest[:1].upper() == "B"
        return at + len(upper)
    if upper == "TZH":
        match = re.match(r"([+-]?)(\d{1,2})", rest)
        if match is None:
            raise _bad(rest[:2], piece.pattern, "Value must be an integer.")
        fields["TZS"] = -1 if match[1] == "-" else 1
        fields["TZH"] = int(match[2])
        return at + match.end()
    if upper == "TZM":
        match = re.match(r"\d{1,2}", rest)
        if match is None:
            raise _bad(rest[:2], piece.pattern, "Value must be an integer.")
        fields["TZM"] = int(match[0])
        return at + match.end()
    if upper == "Y,YYY":
        match = re.match(r"(\d+),(\d{3})", rest)
        if match is None:
            raise SqlError("22007", 'invalid input string for "Y,YYY"')
        fields["YYYY"], fields["digits"] = int(match[1] + match[2]), 4
        return at + match.end()
    width = _DIGIT_WIDTHS.get(upper)
    if width is None:
        raise SqlError("0A000", f"the pattern {piece.pattern} of to_timestamp() is not supported")
    # Next to a separator a number may be longer than its pattern.
    separated = following is None or (not following.pattern and not following.text[:1].isdigit())
    limit = 20 if (separated or not piece.fill) else width
    match = re.match(rf"[+-]?\d{{1,{limit}}}", rest)
    if match is None:
        token = rest[:width]
        raise _bad(token, piece.pattern, "Value must be an integer.")
    _store(fields, upper, match[0], width)
    return at + match.end()


def _store(fields: dict[str, Any], upper: str, digits: str, width: int) -> None:
    value = int(digits)
    match upper:
        case "YYYY" | "YYY" | "YY" | "Y":
            if len(digits) < 4 and upper != "YYYY":
                # The year nearest to 2020.
                if value < 70:
                    value += 2000
                elif value < 100:
                    value += 1900
                elif value < 520:
                    value += 2000
                elif value < 1000:
                    value += 1000
            fields["YYYY"] = value
        case "HH" | "HH12":
            fields["HH12"] = value
        case "MS":
            fields["us"] = fields.get("us", 0) + int(digits.ljust(3, "0")[:3]) * 1000
        case "US" | "FF6" | "FF1" | "FF2" | "FF3" | "FF4" | "FF5":
            fields["us"] = fields.get("us", 0) + int(digits.ljust(6, "0")[:6])
        case "SSSS" | "SSSSS":
            fields["SSSS"] = value
        case _:
            fields[upper] = value


def _out_of_range(text: str) -> SqlError:
    return SqlError("22008", f'date/time field value out of range: "{text}"')


def _assemble(fields: dict[str, Any], text: str) -> tuple[int, int | None]:
    for name in ("IYYY", "IW", "ID"):
        if name in fields:
            raise SqlError("0A000", "ISO week dates in to_timestamp() are not supported")
    hour = fields.get("HH24", 0)
    if "HH12" in fields:
        hour = fields["HH12"]
        if not 1 <= hour <= 12:
            raise SqlError(
                "22007",
                f'hour "{hour}" is invalid for the 12-hour clock',
                hint="Use the 24-hour clock, or give an hour between 1 and 12.",
            )
        if "PM" in fields:
            hour = hour % 12 + (12 if fields["PM"] else 0)
    minute, second = fields.get("MI", 0), fields.get("SS", 0)
    if "SSSS" in fields:
        hour, rest = divmod(fields["SSSS"], 3600)
        minute, second = divmod(rest, 60)
    if hour > 23 or minute > 59 or second > 59:
        raise _out_of_range(text)
    clock = (hour * 3600 + minute * 60 + second) * cal.US_PER_SECOND + fields.get("us", 0)
    if "J" in fields:
        days = fields["J"] - cal.EPOCH_JULIAN
    else:
        year = fields.get("YYYY", 0)
        if fields.get("BC"):
            year = 1 - year if year > 0 else year
        elif year == 0:
            year = 0
        if "DDD" in fields and "MM" not in fields:
            days = cal.to_days(year, 1, 1) + fields["DDD"] - 1
        else:
            month, day = fields.get("MM", 1), fields.get("DD", 1)
            if not cal.is_date(year, month, day):
                raise _out_of_range(text)
            days = cal.to_days(year, month, day)
    east = None
    if "TZH" in fields:
        east = fields["TZS"] * (fields["TZH"] * 3600 + fields.get("TZM", 0) * 60)
    return days * cal.US_PER_DAY + clock, east
