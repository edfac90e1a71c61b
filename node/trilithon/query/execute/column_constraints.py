"""What a column's constraints may not say together."""

from __future__ import annotations

from typing import Final

from trilithon.core.errors import SqlError

_WORDS: Final = {"DEFAULT": "default", "IDENTITY": "identity", "GENERATED": "generation expression"}
_MULTIPLE: Final = {
    "DEFAULT": "default values",
    "IDENTITY": "identity specifications",
    "GENERATED": "generation clauses",
}


def refuse_contradiction(said: dict[str, set[str]], table: str, column: str, kind: str) -> None:
    """Notes in `said` that the column got a constraint of the parser's `kind`.

    A column has one value by itself, and takes NULL or not: else SqlError 42601.
    """
    seen = said.setdefault(column, set())
    of = f'for column "{column}" of table "{table}"'
    if {kind, *seen} >= {"NULL", "NOTNULL"}:
        raise SqlError("42601", f"conflicting NULL/NOT NULL declarations {of}")
    own = [given for given in _WORDS if given in seen]
    if kind in _WORDS and own:
        if own == [kind]:
            raise SqlError("42601", f"multiple {_MULTIPLE[kind]} specified {of}")
        first, second = (words for name, words in _WORDS.items() if name in (kind, own[0]))
        raise SqlError("42601", f"both {first} and {second} specified {of}")
    seen.add(kind)
