"""to_date() and to_timestamp(): dates out of text by a template.

Source of the rules: formatting.c of PostgreSQL 15. ISO week dates are refused with 0A000.
"""

from __future__ import annotations

import re
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression.formatting import DAY_NAMES, MONTH_NAMES, Piece, parse_template
from trilithon.types import calendar as cal


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
