"""Definitions as rows of the system tables: a kind and a versioned msgpack document.

A document is {"format": FORMAT, "body": {...}}. Fields that a reader does not know are ignored, fields
that are missing have their defaults, so adding a field with a default needs no new format. Anything else
(renaming, changing a meaning) raises FORMAT and adds a step to `_UPGRADES`, which rewrites the bodies of
older documents when they are read. A document of a newer format is refused: an older process must not
guess.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from trilithon.core.errors import SqlError
from trilithon.query.catalog.definitions import (
    CatalogObject,
    Composite,
    Domain,
    Enum,
    Function,
    Job,
    Role,
    Schema,
    Sequence,
    Table,
    View,
)
from trilithon.types.rows import encode_row

FORMAT: Final = 1

Stored = CatalogObject | Schema | Role

_KINDS: Final[dict[str, type[Any]]] = {
    "schema": Schema,
    "role": Role,
    "table": Table,
    "view": View,
    "sequence": Sequence,
    "domain": Domain,
    "enum": Enum,
    "composite": Composite,
    "function": Function,
}
_KIND_OF: Final = {cls: kind for kind, cls in _KINDS.items()}

# (kind, format) → what makes a body of that format one of the next.
_UPGRADES: Final[dict[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]]] = {}


def _encode(value: Any) -> bytes:
    fields = {name: getattr(value, name) for name in value.__dataclass_fields__}
    return msgspec.msgpack.encode({"format": FORMAT, "body": fields})


def _decode(kind: str, cls: type[Any], data: bytes) -> Any:
    raw = msgspec.msgpack.decode(data)
    body: dict[str, Any] = raw["body"]
    if raw["format"] > FORMAT:
        raise SqlError(
            "0A000",
            f"the catalog holds a {kind} of format {raw['format']}, this process knows {FORMAT}",
            hint="Upgrade this process.",
        )
    for number in range(raw["format"], FORMAT):
        upgrade = _UPGRADES.get((kind, number))
        body = upgrade(body) if upgrade is not None else body
    return msgspec.convert(body, cls)


def kind_of(value: Stored) -> str:
    return _KIND_OF[type(value)]


def encode_object(value: Stored) -> bytes:
    """The value of the object's row in the system table of objects."""
    return encode_row([kind_of(value), _encode(value)])


def decode_object(row: list[Any]) -> Stored:
    kind, document = row
    cls = _KINDS.get(kind)
    if cls is None:
        raise SqlError(
            "0A000",
            f'the catalog holds an object of the unknown kind "{kind}"',
            hint="Upgrade this process.",
        )
    value: Stored = _decode(kind, cls, document)
    return value


def encode_job(job: Job) -> bytes:
    return encode_row([_encode(job)])


def decode_job(row: list[Any]) -> Job:
    job: Job = _decode("job", Job, row[0])
    return job
