"""Random choice, and the constants of a generated statement.

A constant is written as a marker, `‹type¦text›`, until the statement is sent: as a literal, or as a parameter
of that type. Parts of one statement that are equal stay equal either way: equal markers share a parameter.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
MARKER = re.compile("‹([^¦›]*)¦([^›]*)›")
# The types that parameters may have, and their oids. Constants of other types stay literals.
OIDS = {
    "bool": 16, "bytea": 17, "int8": 20, "int4": 23, "text": 25, "float8": 701, "date": 1082, "time": 1083,
    "timestamp": 1114, "timestamptz": 1184, "interval": 1186, "numeric": 1700, "uuid": 2950, "int4[]": 1007,
}  # fmt: skip
_BARE = frozenset({"int4", "numeric"})


class Choice:
    """A seeded source; what is drawn depends on nothing else."""

    def __init__(self, seed: int | str) -> None:
        self.random = random.Random(seed)

    def pick(self, options: Sequence[T]) -> T:
        return options[self.random.randrange(len(options))]

    def some(self, options: Sequence[T], low: int, high: int) -> list[T]:
        """Between low and high different ones, in random order."""
        count = min(len(options), self.random.randint(low, high))
        return self.random.sample(list(options), count)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def number(self, low: int, high: int) -> int:
        return self.random.randint(low, high)


def constant(type_name: str, text: str) -> str:
    return f"‹{type_name}¦{text}›"


def with_other_constants(sql: str, other: Callable[[str, str], str]) -> str:
    """The same statement with other constants: `other` gives a text for (type, text)."""
    return MARKER.sub(lambda found: constant(found[1], other(found[1], found[2])), sql)


def _literal(type_name: str, text: str) -> str:
    if type_name in _BARE and re.fullmatch(r"\d+(\.\d+)?", text):
        return text
    if type_name == "bool":
        return text
    if type_name == "unknown":
        return quoted(text)
    return f"{quoted(text)}::{type_name}"


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def as_literals(sql: str) -> str:
    return MARKER.sub(lambda found: _literal(found[1], found[2]), sql)


def as_parameters(sql: str) -> tuple[str, tuple[str, ...], tuple[int, ...]]:
    """(the text with $1 …, values, oids)."""
    numbers: dict[tuple[str, str], int] = {}

    def place(found: re.Match[str]) -> str:
        if found[1] not in OIDS:
            return _literal(found[1], found[2])
        number = numbers.setdefault((found[1], found[2]), len(numbers) + 1)
        return f"${number}"

    text = MARKER.sub(place, sql)
    return text, tuple(value for _, value in numbers), tuple(OIDS[name] for name, _ in numbers)
