"""Rows as text: (1,,"a, b"). Source of the rules: record_in of PostgreSQL 15."""

from __future__ import annotations

from typing import Final

from trilithon.core.errors import SqlError

_SPACE: Final = " \t\n\r\v\f"


def _malformed(text: str, detail: str) -> SqlError:
    return SqlError("22P02", f'malformed record literal: "{text}"', detail=detail)


def split_record(text: str, count: int) -> list[str | None]:
    """The texts of so many fields, None for NULL. SqlError 22P02."""
    at = len(text) - len(text.lstrip(_SPACE))
    if text[at : at + 1] != "(":
        raise _malformed(text, "Missing left parenthesis.")
    at += 1
    fields: list[str | None] = []
    for number in range(count):
        if number:
            if text[at : at + 1] != ",":
                raise _malformed(text, "Too few columns.")
            at += 1
        if text[at : at + 1] in (",", ")"):
            fields.append(None)
            continue
        field, at = _field(text, at)
        fields.append(field)
    if text[at : at + 1] != ")":
        raise _malformed(text, "Too many columns.")
    if text[at + 1 :].strip(_SPACE):
        raise _malformed(text, "Junk after right parenthesis.")
    return fields


def _field(text: str, at: int) -> tuple[str, int]:
    """One field that is not NULL, and where it ends."""
    parts: list[str] = []
    quoted = False
    while quoted or text[at : at + 1] not in (",", ")"):
        letter = text[at : at + 1]
        at += 1
        if letter == "\\":
            letter = text[at : at + 1]
            at += 1
            if letter:
                parts.append(letter)
        elif letter == '"':
            if quoted and text[at : at + 1] == '"':
                parts.append(letter)
                at += 1
            else:
                quoted = not quoted
        else:
            parts.append(letter)
        if not letter:
            raise _malformed(text, "Unexpected end of input.")
    return "".join(parts), at
