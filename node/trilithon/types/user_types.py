"""The enumerated and composite types that users made, as this process knows them from the catalogs it loaded.

One table per process, by oid: oids are never used again, labels are only ever added. Who parses text needs it;
values carry their labels, so comparing, storing and showing them does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from trilithon.core.errors import SqlError
from trilithon.types.values import EnumValue

if TYPE_CHECKING:
    from trilithon.types.registry import TypeRef


@dataclass(frozen=True, slots=True)
class EnumType:
    """`values` by label, in the type's order."""

    oid: int
    name: str
    values: Mapping[str, EnumValue]

    def parse(self, label: str) -> EnumValue:
        """SqlError 22P02."""
        found = self.values.get(label)
        if found is None:
            raise SqlError("22P02", f'invalid input value for enum {self.name}: "{label}"')
        return found


@dataclass(frozen=True, slots=True)
class CompositeType:
    """A row type: one that was made, or a table's or view's own."""

    oid: int
    name: str
    names: tuple[str, ...]
    types: tuple[TypeRef, ...]

    @property
    def oids(self) -> tuple[int, ...]:
        return tuple(ref.oid for ref in self.types)


class RowTypes(Protocol):
    """A catalog, as far as row types go."""

    def composite(self, oid: int) -> CompositeType | None: ...


# The catalog of the statement that this task runs: row types change, and each statement has its own.
_CATALOG: Final[ContextVar[RowTypes | None]] = ContextVar("row_types", default=None)
_ENUMS: Final[dict[int, EnumType]] = {}
_DOMAINS: Final[dict[int, str]] = {}


def make(oid: int, name: str, labels: Sequence[str], positions: Sequence[float]) -> EnumType:
    values = {
        label: EnumValue(position, label) for label, position in zip(labels, positions, strict=True)
    }
    return EnumType(oid, name, values)


def register(enum: EnumType) -> None:
    """Make a type known, as a catalog has it. An older catalog of the same type changes nothing."""
    known = _ENUMS.get(enum.oid)
    if (
        known is not None
        and known.name == enum.name
        and enum.values.items() <= known.values.items()
    ):
        return
    _ENUMS[enum.oid] = enum


def enum_type(oid: int) -> EnumType:
    """SqlError 42704."""
    found = _ENUMS.get(oid)
    if found is None:
        raise SqlError("42704", f"type with OID {oid} does not exist")
    return found


def name_of(oid: int) -> str:
    """For messages."""
    found = _ENUMS.get(oid) or _composite(oid)
    return found.name if found is not None else _DOMAINS.get(oid, "???")


def register_domain(oid: int, name: str) -> None:
    """Only the catalog's own views speak of domains' oids."""
    _DOMAINS[oid] = name


def use_catalog(catalog: RowTypes) -> None:
    """Row types mean what they do in this catalog, until this task says otherwise."""
    _CATALOG.set(catalog)


def _composite(oid: int) -> CompositeType | None:
    catalog = _CATALOG.get()
    return None if catalog is None else catalog.composite(oid)


def composite(oid: int) -> CompositeType:
    """SqlError 42704."""
    found = _composite(oid)
    if found is None:
        raise SqlError("42704", f"type with OID {oid} does not exist")
    return found
