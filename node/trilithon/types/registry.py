"""The types: oids, names, categories, modifiers.

In-memory values by type (None is NULL everywhere):
    bool→bool; int2/4/8, oid and its kin→int; float4/8→float; numeric→Decimal; text, varchar,
    bpchar, name, "char", json, jsonb and jsonpath (canonical text)→str; bytea→bytes; uuid→16 bytes;
    date→int days since 2000-01-01; time→int µs; timetz→TimeTz(µs, zone seconds west of UTC);
    timestamp(tz)→int µs since 2000-01-01 (UTC); interval→Interval(months, days, µs);
    arrays→ArrayValue; records and composite types→RecordValue; enumerated types→EnumValue. ±infinity: the largest and smallest int32 (date) or int64.

Oids, categories and modifiers are PostgreSQL's (pg_type.dat), so that drivers recognise them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.types import user_types


@dataclass(frozen=True, slots=True)
class TypeRef:
    """A type as a column or an expression has it. `typmod` is PostgreSQL's modifier, -1: none."""

    oid: int
    typmod: int = -1


@dataclass(frozen=True, slots=True)
class TypeInfo:
    """One row of pg_type, as far as it matters here.

    `length` is typlen: bytes, -1 variable, -2 a C string. `category` is typcategory.
    """

    oid: int
    name: str
    sql_name: str
    length: int
    category: str
    preferred: bool
    array_oid: int
    element_oid: int = 0


# Enumerated types have the oids of their catalog objects, composite types (the row types of tables and
# views among them) have them with one bit, and arrays of either with the other.
FIRST_USER_OID: Final = 16384
USER_COMPOSITE: Final = 1 << 29
USER_ARRAY: Final = 1 << 30

# oid, internal name, SQL name ("" = the same), typlen, category, preferred, array oid
_BASE: Final = (
    (16, "bool", "boolean", 1, "B", True, 1000),
    (17, "bytea", "", -1, "U", False, 1001),
    (18, "char", '"char"', 1, "Z", False, 1002),
    (19, "name", "", 64, "S", False, 1003),
    (20, "int8", "bigint", 8, "N", False, 1016),
    (21, "int2", "smallint", 2, "N", False, 1005),
    (22, "int2vector", "", -1, "A", False, 1006),
    (23, "int4", "integer", 4, "N", False, 1007),
    (24, "regproc", "", 4, "N", False, 1008),
    (25, "text", "", -1, "S", True, 1009),
    (26, "oid", "", 4, "N", True, 1028),
    (28, "xid", "", 4, "U", False, 1011),
    (30, "oidvector", "", -1, "A", False, 1013),
    (114, "json", "", -1, "U", False, 199),
    (194, "pg_node_tree", "", -1, "Z", False, 0),
    (700, "float4", "real", 4, "N", False, 1021),
    (701, "float8", "double precision", 8, "N", True, 1022),
    (705, "unknown", "", -2, "X", False, 0),
    (1033, "aclitem", "", 12, "U", False, 1034),
    (1042, "bpchar", "character", -1, "S", False, 1014),
    (1043, "varchar", "character varying", -1, "S", False, 1015),
    (1082, "date", "", 4, "D", False, 1182),
    (1083, "time", "time without time zone", 8, "D", False, 1183),
    (1114, "timestamp", "timestamp without time zone", 8, "D", False, 1115),
    (1184, "timestamptz", "timestamp with time zone", 8, "D", True, 1185),
    (1186, "interval", "", 16, "T", True, 1187),
    (1266, "timetz", "time with time zone", 12, "D", False, 1270),
    (1700, "numeric", "", -1, "N", False, 1231),
    (2202, "regprocedure", "", 4, "N", False, 2207),
    (2203, "regoper", "", 4, "N", False, 2208),
    (2204, "regoperator", "", 4, "N", False, 2209),
    (2205, "regclass", "", 4, "N", False, 2210),
    (2206, "regtype", "", 4, "N", False, 2211),
    (2249, "record", "", -1, "P", False, 2287),
    (2275, "cstring", "", -2, "P", False, 1263),
    (2276, "any", '"any"', 4, "P", False, 0),
    (2277, "anyarray", "", -1, "P", False, 0),
    (2278, "void", "", 4, "P", False, 0),
    (2283, "anyelement", "", 4, "P", False, 0),
    (2776, "anynonarray", "", 4, "P", False, 0),
    (2950, "uuid", "", 16, "U", False, 2951),
    (3500, "anyenum", "", 4, "P", False, 0),
    (3802, "jsonb", "", -1, "U", False, 3807),
    (4072, "jsonpath", "", -1, "U", False, 4073),
    (4089, "regnamespace", "", 4, "N", False, 4090),
    (4096, "regrole", "", 4, "N", False, 4097),
    (4191, "regcollation", "", 4, "N", False, 4192),
    (5077, "anycompatible", "", 4, "P", False, 0),
    (5078, "anycompatiblearray", "", -1, "P", False, 0),
    (5079, "anycompatiblenonarray", "", 4, "P", False, 0),
)


def _build() -> dict[int, TypeInfo]:
    types: dict[int, TypeInfo] = {}
    for oid, name, sql_name, length, category, preferred, array_oid in _BASE:
        # int2vector and oidvector are arrays of fixed shape.
        element = {22: 21, 30: 26}.get(oid, 0)
        info = TypeInfo(
            oid, name, sql_name or name, length, category, preferred, array_oid, element
        )
        types[oid] = info
        if array_oid:
            types[array_oid] = TypeInfo(
                array_oid, "_" + name, info.sql_name + "[]", -1, "A", False, 0, oid
            )
    return types


class _Types(dict[int, TypeInfo]):
    """PostgreSQL's types, and behind them those that users make: what an oid of theirs is can be told
    from the oid alone, so every process knows it; its name only where a catalog was loaded."""

    def get(self, oid: int, default: Any = None) -> Any:
        found = super().get(oid)
        if found is None and oid >= FIRST_USER_OID:
            return _user_type(oid)
        return found if found is not None else default

    def __contains__(self, oid: object) -> bool:
        return super().__contains__(oid) or (
            isinstance(oid, int) and FIRST_USER_OID <= oid < 2 * USER_ARRAY
        )

    def __missing__(self, oid: int) -> TypeInfo:
        if oid >= FIRST_USER_OID:
            return _user_type(oid)
        raise KeyError(oid)


def _user_type(oid: int) -> TypeInfo:
    # `name` is for telling built-in types apart: one that none of them has.
    element = oid & ~USER_ARRAY
    called = user_types.name_of(element)
    if oid & USER_ARRAY:
        return TypeInfo(oid, f"_user.{element}", f"{called}[]", -1, "A", False, 0, element)
    if oid & USER_COMPOSITE:
        return TypeInfo(oid, f"composite.{oid}", called, -1, "C", False, oid | USER_ARRAY)
    return TypeInfo(oid, f"enum.{oid}", called, 4, "E", False, oid | USER_ARRAY)


def is_enum(oid: int) -> bool:
    return oid >= FIRST_USER_OID and not oid & (USER_ARRAY | USER_COMPOSITE)


def is_composite(oid: int) -> bool:
    """A named row type."""
    return bool(oid & USER_COMPOSITE) and not oid & USER_ARRAY


def is_row(oid: int) -> bool:
    """Whether values are rows: a composite type's, or a record's."""
    return oid == RECORD.oid or is_composite(oid)


def object_of(oid: int) -> int:
    """The id of the catalog object behind a user's type or its array; 0: a built-in one."""
    return oid & ~(USER_ARRAY | USER_COMPOSITE) if oid >= FIRST_USER_OID else 0


TYPES: Final[Mapping[int, TypeInfo]] = _Types(_build())
BY_NAME: Final[Mapping[str, TypeInfo]] = {info.name: info for info in TYPES.values()}

# What people write and the grammar does not already translate.
ALIASES: Final[Mapping[str, str]] = {
    "boolean": "bool",
    "smallint": "int2",
    "int": "int4",
    "integer": "int4",
    "bigint": "int8",
    "decimal": "numeric",
    "dec": "numeric",
    "real": "float4",
    "float": "float8",
    "double precision": "float8",
    "character varying": "varchar",
    "character": "bpchar",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
    "time without time zone": "time",
    "time with time zone": "timetz",
}

BOOL: Final = TypeRef(16)
BYTEA: Final = TypeRef(17)
CHAR: Final = TypeRef(18)
NAME: Final = TypeRef(19)
INT8: Final = TypeRef(20)
INT2: Final = TypeRef(21)
INT4: Final = TypeRef(23)
REGPROC: Final = TypeRef(24)
TEXT: Final = TypeRef(25)
OID: Final = TypeRef(26)
JSON: Final = TypeRef(114)
FLOAT4: Final = TypeRef(700)
FLOAT8: Final = TypeRef(701)
UNKNOWN: Final = TypeRef(705)
BPCHAR: Final = TypeRef(1042)
VARCHAR: Final = TypeRef(1043)
DATE: Final = TypeRef(1082)
TIME: Final = TypeRef(1083)
TIMESTAMP: Final = TypeRef(1114)
TIMESTAMPTZ: Final = TypeRef(1184)
INTERVAL: Final = TypeRef(1186)
TIMETZ: Final = TypeRef(1266)
NUMERIC: Final = TypeRef(1700)
REGCLASS: Final = TypeRef(2205)
REGTYPE: Final = TypeRef(2206)
RECORD: Final = TypeRef(2249)
CSTRING: Final = TypeRef(2275)
ANY: Final = TypeRef(2276)
ANYARRAY: Final = TypeRef(2277)
VOID: Final = TypeRef(2278)
ANYELEMENT: Final = TypeRef(2283)
UUID: Final = TypeRef(2950)
JSONB: Final = TypeRef(3802)
INT4_ARRAY: Final = TypeRef(1007)
INT8_ARRAY: Final = TypeRef(1016)
TEXT_ARRAY: Final = TypeRef(1009)
OID_ARRAY: Final = TypeRef(1028)

# Numbers that name catalog objects; stored and computed with as oids.
OID_KIN: Final = frozenset({24, 26, 28, 2202, 2203, 2204, 2205, 2206, 4089, 4096, 4191})
POLYMORPHIC: Final = frozenset({2276, 2277, 2283, 2776, 3500, 5077, 5078, 5079})

INT32_MIN, INT32_MAX = -(1 << 31), (1 << 31) - 1
INT64_MIN, INT64_MAX = -(1 << 63), (1 << 63) - 1

NUMERIC_PRECISION_MAX: Final = 1000
_NUMERIC_SCALE_BITS: Final = 0x7FF
_VARHDRSZ: Final = 4
_CHARACTER_LENGTH_MAX: Final = 10_485_760

# Interval field masks: bit numbers of the datetime units (PostgreSQL's utils/datetime.h).
_MONTH, _YEAR, _DAY, _HOUR, _MINUTE, _SECOND = (1 << bit for bit in (1, 2, 3, 10, 11, 12))
INTERVAL_FULL_RANGE: Final = 0x7FFF
INTERVAL_FULL_PRECISION: Final = 0xFFFF
_INTERVAL_FIELDS: Final[Mapping[int, str]] = {
    _YEAR: " year",
    _MONTH: " month",
    _DAY: " day",
    _HOUR: " hour",
    _MINUTE: " minute",
    _SECOND: " second",
    _YEAR | _MONTH: " year to month",
    _DAY | _HOUR: " day to hour",
    _DAY | _HOUR | _MINUTE: " day to minute",
    _DAY | _HOUR | _MINUTE | _SECOND: " day to second",
    _HOUR | _MINUTE: " hour to minute",
    _HOUR | _MINUTE | _SECOND: " hour to second",
    _MINUTE | _SECOND: " minute to second",
    INTERVAL_FULL_RANGE: "",
}
INTERVAL_FIELD_BITS: Final[Mapping[str, int]] = {
    "month": _MONTH,
    "year": _YEAR,
    "day": _DAY,
    "hour": _HOUR,
    "minute": _MINUTE,
    "second": _SECOND,
}


def type_info(oid: int) -> TypeInfo:
    """Raises SqlError 42704 for an oid that is no type."""
    info = TYPES.get(oid)
    if info is None:
        raise SqlError("42704", f"type with OID {oid} does not exist")
    return info


# Types whose values are oids of the catalog's objects, written as names.
OBJECT_NAMES: Final = (
    "regproc",
    "regprocedure",
    "regoper",
    "regoperator",
    "regclass",
    "regtype",
    "regnamespace",
    "regrole",
    "regcollation",
)


def is_array(oid: int) -> bool:
    info = TYPES.get(oid)
    return info is not None and info.element_oid != 0


def element_type(ref: TypeRef) -> TypeRef:
    """The elements' type of an array type, which keeps the array's modifier."""
    return TypeRef(type_info(ref.oid).element_oid, ref.typmod)


def array_type(ref: TypeRef) -> TypeRef:
    """The type of arrays of `ref`; of an array type the same type (arrays have any dimension)."""
    info = type_info(ref.oid)
    if info.element_oid:
        return ref
    if not info.array_oid:
        raise SqlError("42704", f"could not find array type for data type {info.sql_name}")
    return TypeRef(info.array_oid, ref.typmod)


def lookup_type(name: str, typmods: Sequence[int] = (), is_array: bool = False) -> TypeRef:
    """The type called `name` (internal or SQL name, lower case), with its modifiers.

    `typmods` are the numbers in parentheses (for interval the grammar's pair of field mask and
    precision). Raises SqlError 42704 (no such type), 22023 or 42601 (a bad modifier).
    """
    array = is_array
    while name.endswith("[]"):
        name, array = name[:-2], True
    info = BY_NAME.get(ALIASES.get(name, name))
    if info is None:
        raise SqlError("42704", f'type "{name}" does not exist')
    typmod = make_typmod(info, typmods) if typmods else -1
    ref = TypeRef(info.oid, typmod)
    return array_type(ref) if array else ref


def make_typmod(info: TypeInfo, typmods: Sequence[int]) -> int:
    match info.name.removeprefix("_"):
        case "numeric":
            return _numeric_typmod(typmods)
        case "varchar" | "bpchar":
            return _character_typmod(info, typmods)
        case "time" | "timetz" | "timestamp" | "timestamptz":
            return _time_precision(info, typmods)
        case "interval":
            return _interval_typmod(typmods)
        case _:
            raise SqlError("42601", f'type modifier is not allowed for type "{info.sql_name}"')


def _numeric_typmod(typmods: Sequence[int]) -> int:
    if len(typmods) > 2:
        raise SqlError("22023", "invalid NUMERIC type modifier")
    precision = typmods[0]
    scale = typmods[1] if len(typmods) == 2 else 0
    if not 1 <= precision <= NUMERIC_PRECISION_MAX:
        raise SqlError(
            "22023", f"NUMERIC precision {precision} must be between 1 and {NUMERIC_PRECISION_MAX}"
        )
    if not -1000 <= scale <= 1000:
        raise SqlError("22023", f"NUMERIC scale {scale} must be between -1000 and 1000")
    return ((precision << 16) | (scale & _NUMERIC_SCALE_BITS)) + _VARHDRSZ


def _character_typmod(info: TypeInfo, typmods: Sequence[int]) -> int:
    name = "varchar" if info.name.endswith("varchar") else "char"
    if len(typmods) != 1:
        raise SqlError("22023", "invalid type modifier")
    if typmods[0] < 1:
        raise SqlError("22023", f"length for type {name} must be at least 1")
    if typmods[0] > _CHARACTER_LENGTH_MAX:
        raise SqlError("22023", f"length for type {name} cannot exceed {_CHARACTER_LENGTH_MAX}")
    return typmods[0] + _VARHDRSZ


def _time_precision(info: TypeInfo, typmods: Sequence[int]) -> int:
    if len(typmods) != 1:
        raise SqlError("22023", "invalid type modifier")
    if typmods[0] < 0:
        kind = info.name.removeprefix("_").removesuffix("tz").upper()
        zone = " WITH TIME ZONE" if info.name.endswith("tz") else ""
        raise SqlError("22023", f"{kind}({typmods[0]}){zone} precision must not be negative")
    return min(typmods[0], 6)


def _interval_typmod(typmods: Sequence[int]) -> int:
    fields = typmods[0]
    if fields not in _INTERVAL_FIELDS:
        raise SqlError("22023", "invalid INTERVAL type modifier")
    if len(typmods) == 1:
        return INTERVAL_FULL_PRECISION | fields << 16 if fields != INTERVAL_FULL_RANGE else -1
    if len(typmods) != 2:
        raise SqlError("22023", "invalid INTERVAL type modifier")
    if typmods[1] < 0:
        raise SqlError("22023", f"INTERVAL({typmods[1]}) precision must not be negative")
    return min(typmods[1], 6) | fields << 16


def numeric_precision(typmod: int) -> tuple[int, int] | None:
    """(precision, scale) of a numeric's modifier, None without one."""
    if typmod < _VARHDRSZ:
        return None
    packed = typmod - _VARHDRSZ
    # An 11-bit signed number, as PostgreSQL 15 packs it.
    scale = ((packed & _NUMERIC_SCALE_BITS) ^ 1024) - 1024
    return packed >> 16 & 0xFFFF, scale


def character_length(typmod: int) -> int:
    """The n of varchar(n) or char(n); -1: unbounded."""
    return typmod - _VARHDRSZ if typmod >= _VARHDRSZ else -1


def interval_modifier(typmod: int) -> tuple[int, int] | None:
    """(field mask, precision) of an interval's modifier; a precision of 6 when none was given."""
    if typmod < 0:
        return None
    precision = typmod & 0xFFFF
    return typmod >> 16 & 0x7FFF, 6 if precision == INTERVAL_FULL_PRECISION else precision


def format_type(oid: int, typmod: int | None) -> str:
    """The SQL function format_type(): unlike in messages, an explicit lack of a modifier shows where
    "character" alone would mean character(1)."""
    if typmod is not None and typmod < 0 and oid == BPCHAR.oid:
        return "bpchar"
    return type_name(TypeRef(oid, -1 if typmod is None else typmod))


def type_name(ref: TypeRef) -> str:
    """As messages name a type: "numeric(18,2)", "character varying(3)", "integer[]"."""
    info = TYPES.get(ref.oid)
    if info is None:
        return "???"
    if ref.oid >= FIRST_USER_OID:
        return info.sql_name
    if info.element_oid and info.category == "A" and info.name.startswith("_"):
        return type_name(TypeRef(info.element_oid, ref.typmod)) + "[]"
    if ref.typmod < 0:
        return info.sql_name
    match info.name:
        case "numeric":
            precision = numeric_precision(ref.typmod)
            return f"numeric({precision[0]},{precision[1]})" if precision else "numeric"
        case "varchar" | "bpchar":
            return f"{info.sql_name}({character_length(ref.typmod)})"
        case "time" | "timetz" | "timestamp" | "timestamptz":
            first, rest = info.sql_name.split(" ", 1)
            return f"{first}({ref.typmod}) {rest}"
        case "interval":
            fields, precision_bits = ref.typmod >> 16 & 0x7FFF, ref.typmod & 0xFFFF
            text = "interval" + _INTERVAL_FIELDS.get(fields, "")
            return (
                text if precision_bits == INTERVAL_FULL_PRECISION else f"{text}({precision_bits})"
            )
        case _:
            return info.sql_name
