"""to_char() and to_number() of numbers: PostgreSQL's template patterns.

Source of the rules: formatting.c of PostgreSQL 15. Refused with 0A000: V, EEEE, RN, TH, several signs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Final

from trilithon.core.errors import SqlError
from trilithon.expression.formatting import check_template
from trilithon.types import numeric

_NUMBER_PATTERN: Final = re.compile(
    r"FM|fm|EEEE|eeee|MI|mi|PL|pl|SG|sg|PR|pr|RN|rn|TH|th|[09.,DGLSVdglsv]|\"(?:[^\"\\]|\\.)*\"|.",
    re.DOTALL,
)
_END: Final = "\0"


def _number_error(message: str) -> SqlError:
    return SqlError("42601", message)


@lru_cache(maxsize=512)
def _parse_number(template: str) -> tuple[tuple[str, ...], bool]:
    check_template(template)
    tokens: list[str] = []
    fill = True
    for match in _NUMBER_PATTERN.finditer(template):
        token = match.group()
        if token in ("FM", "fm"):
            fill = False
        elif token in ("B", "b", "C", "c"):
            continue  # "blanks for zero" and "currency": read, and without any effect
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


def format_float(template: str, value: float, digits: int) -> str:
    """to_char() of a float, which shows no more than `digits` digits: places behind them stay empty.
    Halves and signs are those of the C library's printf()."""
    if not math.isfinite(value):
        return format_number(template, numeric.from_float(value, digits))
    places = max(digits - len(f"{abs(value):.0f}"), 0)
    return format_number(template, Decimal(value), lambda after: f"{value:.{min(after, places)}f}")


def format_number(
    template: str, value: Decimal, printed: Callable[[int], str] | None = None
) -> str:
    """to_char(numeric, text). Raises SqlError 42601, 0A000. `printed` gives a float's text for a number
    of digits after the point; it may have fewer."""
    tokens, fill = _parse_number(template)
    if not tokens:
        return ""
    last = max((n for n, token in enumerate(tokens) if token in ("9", "0")), default=-1)
    if "PR" in tokens and tokens.index("PR") < last:
        raise _number_error('"9" must be ahead of "PR"')
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
    if last < 0:
        if point < len(tokens):
            raise SqlError("0A000", "a number format with a point and no digits is not supported")
        # These stand beside digits only.
        tokens = tuple(token for token in tokens if token not in ("S", "PR"))
        point = len(tokens)
    before = sum(token in "90" for token in tokens[:point] if token in known)
    after = sum(token in "90" for token in tokens[point:] if token in known)
    if not value.is_finite():
        raise SqlError("0A000", "to_char() of NaN and infinity is not supported")
    room = after
    if printed is None:
        rounded = numeric.round_to(value, after)
        negative = rounded < 0
    else:
        text = printed(after)
        rounded, negative = Decimal(text), text.startswith("-")
        after = numeric.scale_of(rounded)
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
        room = after
    return _layout(tokens, fill, point, digits, list(fraction), negative, overflow, room)


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
    position = last_part = 0
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
            last_part = len(out)
        elif number > point and token in ("9", "0"):
            index = sum(t in ("9", "0") for t in tokens[point + 1 : number])
            if index < len(fraction):
                out.append(fraction[index])
            last_part = len(out)
        elif token in (".", "D"):
            if not started:
                started, sign_at = True, len(out)
            # PostgreSQL ends the text here where the number has no point (its strings end with a NUL).
            out.append("." if after or overflow else _END)
            last_part = len(out)
        elif token in (",", "G"):
            if started:
                out.append(",")
            elif fill:
                out.append(" ")
        elif token == "L":
            out.append(" ")
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
        # Before the point it leads, unless all of the digits before the point stand before it.
        place = tokens.index("S")
        ahead = sum(token in ("9", "0") for token in tokens[:place])
        out.insert(at if place < point and ahead < len(digits) else last_part, mark)
    elif sign == "PR":
        if negative:
            out.insert(at, "<")
            out.append(">")
        elif fill:
            out.insert(at, " ")
            out.append(" ")
    elif sign in ("", "PL") and (digits or after):
        if negative:
            out.insert(at, "-")
        elif fill:
            out.insert(at, " ")
    return "".join(out).partition(_END)[0]


class _NumberReader:
    """to_number() as PostgreSQL's NUM_numpart_from_char: one step of the text for each digit of the template."""

    def __init__(self, text: str, tokens: tuple[str, ...]) -> None:
        self.text = text
        self.tokens = tokens
        self.at = 0
        self.sign = ""
        self.out: list[str] = []
        self.point = False
        self.after = 0
        decimal = next((n for n, t in enumerate(tokens) if t in (".", "D")), len(tokens))
        self.has_point = decimal < len(tokens)
        self.after_max = sum(t in ("9", "0") for t in tokens[decimal:])
        first = next((n for n, t in enumerate(tokens) if t in ("9", "0")), len(tokens))
        self.locale_sign = "S" in tokens
        self.sign_first = self.locale_sign and tokens.index("S") < first

    def read(self) -> Decimal:
        for token in self.tokens:
            if self.at >= len(self.text):
                break
            self._token(token)
        digits = "".join(self.out)
        if not any(character.isdigit() for character in digits):
            raise SqlError("22P02", 'invalid input syntax for type numeric: " "')
        value = numeric.normal(Decimal(digits.rstrip(".")))
        return value.copy_negate() if self.sign == "-" and value else value

    def _token(self, token: str) -> None:
        here = self.text[self.at]
        if token in ("9", "0", ".", "D"):
            self._part(token)
            self.at += 1
        elif token in (",", "G"):
            self.at += here == ","
        elif token in ("MI", "PL", "SG"):
            if here in {"MI": "-", "PL": "+", "SG": "+-"}[token]:
                self.sign = here
                self.at += 1
            else:
                self._skip_other()
        elif token == "L":
            self._skip_other()
        elif token not in ("S", "PR"):
            self.at += 1

    def _skip_other(self) -> None:
        if self.text[self.at] not in "0123456789.,+-":
            self.at += 1

    def _here(self, offset: int = 0) -> str:
        return self.text[self.at + offset : self.at + offset + 1]

    def _part(self, token: str) -> None:
        if self._here() == " ":
            self.at += 1
        if not self.sign and token in ("9", "0") and not self.after and not self._whole():
            self._leading_sign()
        here = self._here()
        if not here:
            return
        taken = False
        if here.isdigit():
            if self.point and self.after == self.after_max:
                return
            self.out.append(here)
            self.after += self.point
            taken = True
        elif self.has_point and not self.point and here == ".":
            self.out.append(".")
            self.point = taken = True
        if not self.sign and any(part.isdigit() for part in self.out):
            self._trailing_sign(taken)

    def _whole(self) -> bool:
        return any(part.isdigit() for part in self.out)

    def _leading_sign(self) -> None:
        here = self._here()
        bracket = not self.sign_first and "PR" in self.tokens
        if here == "-" or (bracket and here == "<"):
            self.sign = "-"
            self.at += 1
        elif here == "+":
            self.sign = "+"
            self.at += 1

    def _trailing_sign(self, taken: bool) -> None:
        if self.locale_sign:
            following = self._here(1)
            if taken and following in ("-", "+"):
                self.sign = following
                self.at += 1
        elif not taken and {"MI", "PL", "SG"} & set(self.tokens) and self._here() in ("-", "+"):
            self.sign = self._here()


def parse_number(text: str, template: str) -> Decimal:
    """to_number(): the digits where the template has digits; everything else only by place."""
    tokens, _ = _parse_number(template)
    for token in tokens:
        if token in ("V", "EEEE", "RN", "rn", "TH", "th"):
            raise SqlError("0A000", f"the pattern {token} of to_number() is not supported")
    return _NumberReader(text, tokens).read()
