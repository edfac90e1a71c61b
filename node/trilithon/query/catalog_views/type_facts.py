"""What PostgreSQL's catalog says of built-in types: alignment, storage, input and output functions.

Numbers and names are PostgreSQL's own: clients compare them (`typinput = 'array_in'::regproc`). The
functions themselves cannot be called here.
"""

from __future__ import annotations

from typing import Final

Procedure = tuple[str, int] | None
# By type: (alignment and storage, input, output, receive, send); 1007 stands for every array.
_FACTS: Final[dict[int, tuple[str, Procedure, Procedure, Procedure, Procedure]]] = {
    16: ("cp", ("boolin", 1242), ("boolout", 1243), ("boolrecv", 2436), ("boolsend", 2437)),
    17: ("ix", ("byteain", 1244), ("byteaout", 31), ("bytearecv", 2412), ("byteasend", 2413)),
    18: ("cp", ("charin", 1245), ("charout", 33), ("charrecv", 2434), ("charsend", 2435)),
    19: ("cp", ("namein", 34), ("nameout", 35), ("namerecv", 2422), ("namesend", 2423)),
    20: ("dp", ("int8in", 460), ("int8out", 461), ("int8recv", 2408), ("int8send", 2409)),
    21: ("sp", ("int2in", 38), ("int2out", 39), ("int2recv", 2404), ("int2send", 2405)),
    22: (
        "ip",
        ("int2vectorin", 40),
        ("int2vectorout", 41),
        ("int2vectorrecv", 2410),
        ("int2vectorsend", 2411),
    ),
    23: ("ip", ("int4in", 42), ("int4out", 43), ("int4recv", 2406), ("int4send", 2407)),
    24: ("ip", ("regprocin", 44), ("regprocout", 45), ("regprocrecv", 2444), ("regprocsend", 2445)),
    25: ("ix", ("textin", 46), ("textout", 47), ("textrecv", 2414), ("textsend", 2415)),
    26: ("ip", ("oidin", 1798), ("oidout", 1799), ("oidrecv", 2418), ("oidsend", 2419)),
    28: ("ip", ("xidin", 50), ("xidout", 51), ("xidrecv", 2440), ("xidsend", 2441)),
    30: (
        "ip",
        ("oidvectorin", 54),
        ("oidvectorout", 55),
        ("oidvectorrecv", 2420),
        ("oidvectorsend", 2421),
    ),
    114: ("ix", ("json_in", 321), ("json_out", 322), ("json_recv", 323), ("json_send", 324)),
    194: (
        "ix",
        ("pg_node_tree_in", 195),
        ("pg_node_tree_out", 196),
        ("pg_node_tree_recv", 197),
        ("pg_node_tree_send", 198),
    ),
    700: ("ip", ("float4in", 200), ("float4out", 201), ("float4recv", 2424), ("float4send", 2425)),
    701: ("dp", ("float8in", 214), ("float8out", 215), ("float8recv", 2426), ("float8send", 2427)),
    705: (
        "cp",
        ("unknownin", 109),
        ("unknownout", 110),
        ("unknownrecv", 2416),
        ("unknownsend", 2417),
    ),
    1007: ("ix", ("array_in", 750), ("array_out", 751), ("array_recv", 2400), ("array_send", 2401)),
    1033: ("ip", ("aclitemin", 1031), ("aclitemout", 1032), None, None),
    1042: (
        "ix",
        ("bpcharin", 1044),
        ("bpcharout", 1045),
        ("bpcharrecv", 2430),
        ("bpcharsend", 2431),
    ),
    1043: (
        "ix",
        ("varcharin", 1046),
        ("varcharout", 1047),
        ("varcharrecv", 2432),
        ("varcharsend", 2433),
    ),
    1082: ("ip", ("date_in", 1084), ("date_out", 1085), ("date_recv", 2468), ("date_send", 2469)),
    1083: ("dp", ("time_in", 1143), ("time_out", 1144), ("time_recv", 2470), ("time_send", 2471)),
    1114: (
        "dp",
        ("timestamp_in", 1312),
        ("timestamp_out", 1313),
        ("timestamp_recv", 2474),
        ("timestamp_send", 2475),
    ),
    1184: (
        "dp",
        ("timestamptz_in", 1150),
        ("timestamptz_out", 1151),
        ("timestamptz_recv", 2476),
        ("timestamptz_send", 2477),
    ),
    1186: (
        "dp",
        ("interval_in", 1160),
        ("interval_out", 1161),
        ("interval_recv", 2478),
        ("interval_send", 2479),
    ),
    1266: (
        "dp",
        ("timetz_in", 1350),
        ("timetz_out", 1351),
        ("timetz_recv", 2472),
        ("timetz_send", 2473),
    ),
    1700: (
        "im",
        ("numeric_in", 1701),
        ("numeric_out", 1702),
        ("numeric_recv", 2460),
        ("numeric_send", 2461),
    ),
    2202: (
        "ip",
        ("regprocedurein", 2212),
        ("regprocedureout", 2213),
        ("regprocedurerecv", 2446),
        ("regproceduresend", 2447),
    ),
    2205: (
        "ip",
        ("regclassin", 2218),
        ("regclassout", 2219),
        ("regclassrecv", 2452),
        ("regclasssend", 2453),
    ),
    2206: (
        "ip",
        ("regtypein", 2220),
        ("regtypeout", 2221),
        ("regtyperecv", 2454),
        ("regtypesend", 2455),
    ),
    2249: (
        "dx",
        ("record_in", 2290),
        ("record_out", 2291),
        ("record_recv", 2402),
        ("record_send", 2403),
    ),
    2275: (
        "cp",
        ("cstring_in", 2292),
        ("cstring_out", 2293),
        ("cstring_recv", 2500),
        ("cstring_send", 2501),
    ),
    2276: ("ip", ("any_in", 2294), ("any_out", 2295), None, None),
    2277: (
        "dx",
        ("anyarray_in", 2296),
        ("anyarray_out", 2297),
        ("anyarray_recv", 2502),
        ("anyarray_send", 2503),
    ),
    2278: ("ip", ("void_in", 2298), ("void_out", 2299), ("void_recv", 3120), ("void_send", 3121)),
    2283: ("ip", ("anyelement_in", 2312), ("anyelement_out", 2313), None, None),
    2776: ("ip", ("anynonarray_in", 2777), ("anynonarray_out", 2778), None, None),
    2950: ("cp", ("uuid_in", 2952), ("uuid_out", 2953), ("uuid_recv", 2961), ("uuid_send", 2962)),
    3500: ("ip", ("anyenum_in", 3504), ("anyenum_out", 3505), None, None),
    3802: (
        "ix",
        ("jsonb_in", 3806),
        ("jsonb_out", 3804),
        ("jsonb_recv", 3805),
        ("jsonb_send", 3803),
    ),
    4089: (
        "ip",
        ("regnamespacein", 4084),
        ("regnamespaceout", 4085),
        ("regnamespacerecv", 4087),
        ("regnamespacesend", 4088),
    ),
    4096: (
        "ip",
        ("regrolein", 4098),
        ("regroleout", 4092),
        ("regrolerecv", 4094),
        ("regrolesend", 4095),
    ),
    5077: ("ip", ("anycompatible_in", 5086), ("anycompatible_out", 5087), None, None),
    5078: (
        "dx",
        ("anycompatiblearray_in", 5088),
        ("anycompatiblearray_out", 5089),
        ("anycompatiblearray_recv", 5090),
        ("anycompatiblearray_send", 5091),
    ),
    5079: (
        "ip",
        ("anycompatiblenonarray_in", 5092),
        ("anycompatiblenonarray_out", 5093),
        None,
        None,
    ),
}
_ARRAY: Final = 1007
_ENUM: Final = (
    "ip",
    ("enum_in", 3506),
    ("enum_out", 3507),
    ("enum_recv", 3532),
    ("enum_send", 3533),
)
_DOMAIN_INPUT: Final = (("domain_in", 2597), ("domain_recv", 2598))
# Array elements with eight-byte alignment pass it on.
_WIDE: Final = frozenset({20, 701, 1083, 1114, 1184, 1186, 1266, 2249})
PROCEDURES: Final[dict[str, int]] = {
    procedure[0]: procedure[1]
    for facts in (*_FACTS.values(), _ENUM, ("", *_DOMAIN_INPUT))
    for procedure in facts[1:]
    if isinstance(procedure, tuple)
}
PROCEDURE_NAMES: Final = {oid: name for name, oid in PROCEDURES.items()}


def columns_of(oid: int, element: int = 0) -> dict[str, object]:
    """pg_type's columns for a built-in type, or an array of it."""
    facts = _FACTS[_ARRAY] if oid not in _FACTS else _FACTS[oid]
    columns = _columns(facts)
    if oid not in _FACTS:
        columns["typalign"] = "d" if element in _WIDE else "i"
        columns["typsubscript"] = 6179
    return columns


def enum_columns() -> dict[str, object]:
    return _columns(_ENUM)


def domain_columns(base: int, element: int = 0) -> dict[str, object]:
    """A domain is written like its type, and read by functions of its own."""
    columns = columns_of(base, element)
    (_, columns["typinput"]), (_, columns["typreceive"]) = _DOMAIN_INPUT
    return columns


def align_and_storage(oid: int, element: int = 0) -> tuple[str, str]:
    columns = columns_of(oid, element)
    return str(columns["typalign"]), str(columns["typstorage"])


def _columns(facts: tuple[str, Procedure, Procedure, Procedure, Procedure]) -> dict[str, object]:
    numbers = [procedure[1] if procedure else 0 for procedure in facts[1:]]
    names = ("typinput", "typoutput", "typreceive", "typsend")
    made: dict[str, object] = dict(zip(names, numbers, strict=True))
    return made | {"typalign": facts[0][0], "typstorage": facts[0][1]}
