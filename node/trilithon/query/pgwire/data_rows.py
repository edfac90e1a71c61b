"""Rows to DataRow messages, by one generated function per result shape.

The generated source depends only on the *kinds* of the columns (how a value becomes bytes), so that a
few hundred shapes serve everything; renderers with settings (time zone, float digits) are bound when
an encoder is made. No I/O.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Final

from trilithon.query.session.ports import ResultColumnLike
from trilithon.types import binary_io, text_io
from trilithon.types.settings import IoSettings

Encoder = Callable[[Sequence[Sequence[Any]]], bytes]

_INT32: Final = struct.Struct("!i")
# Length prefixes of short fields, made once.
_LENGTHS: Final = tuple(_INT32.pack(length) for length in range(256))
_NULL: Final = _INT32.pack(-1)

_INTEGERS: Final = frozenset({20, 21, 23, 26})
# Values that are their own text: text, varchar, name, unknown.
_STRINGS: Final = frozenset({19, 25, 705, 1043})
_BINARY_INTEGERS: Final = {20: "i8", 21: "i2", 23: "i4", 26: "u4"}

_FACTORIES_MAX: Final = 1_000
_factories: OrderedDict[tuple[str, ...], Callable[..., Encoder]] = OrderedDict()


def make_encoder(
    columns: Sequence[ResultColumnLike], formats: Sequence[int], settings: IoSettings
) -> Encoder:
    """A function that turns rows into DataRow messages. `formats` has one code per column."""
    kinds: list[str] = []
    renderers: list[Callable[[Any], Any]] = []
    for column, code in zip(columns, formats, strict=True):
        kind = _kind(column.type.oid, code)
        kinds.append(kind)
        if kind == "text":
            renderers.append(text_io.renderer(column.type, settings))
        elif kind == "binary":
            renderers.append(binary_io.renderer(column.type))
        else:
            renderers.append(_unused)
    return _factory(tuple(kinds))(*renderers)


def _unused(value: Any) -> Any:
    raise AssertionError(value)


def _kind(oid: int, code: int) -> str:
    if oid in _STRINGS:
        return "string"
    if code == 1:
        return _BINARY_INTEGERS.get(oid, "bool_binary" if oid == 16 else "binary")
    if oid in _INTEGERS:
        return "integer"
    return "bool" if oid == 16 else "text"


def _factory(kinds: tuple[str, ...]) -> Callable[..., Encoder]:
    factory = _factories.get(kinds)
    if factory is None:
        factory = _factories[kinds] = _compile(kinds)
        if len(_factories) > _FACTORIES_MAX:
            _factories.popitem(last=False)
    else:
        _factories.move_to_end(kinds)
    return factory


_FIELD: Final = {
    "integer": ('d = b"%d" % v{n}', "p{n} = lengths[len(d)] + d"),
    "bool": ("p{n} = true_text if v{n} else false_text",),
    "bool_binary": ("p{n} = true_binary if v{n} else false_binary",),
    "i2": ("p{n} = pack_i2(2, v{n})",),
    "i4": ("p{n} = pack_i4(4, v{n})",),
    "u4": ("p{n} = pack_u4(4, v{n})",),
    "i8": ("p{n} = pack_i8(8, v{n})",),
    "string": (
        "d = v{n}.encode()",
        "p{n} = (lengths[len(d)] if len(d) < 256 else pack(len(d))) + d",
    ),
    "text": (
        "d = render{n}(v{n}).encode()",
        "p{n} = (lengths[len(d)] if len(d) < 256 else pack(len(d))) + d",
    ),
    "binary": (
        "d = render{n}(v{n})",
        "p{n} = (lengths[len(d)] if len(d) < 256 else pack(len(d))) + d",
    ),
}

_NAMES: Final[dict[str, Any]] = {
    "lengths": _LENGTHS,
    "null": _NULL,
    "pack": _INT32.pack,
    "pack_i2": struct.Struct("!ih").pack,
    "pack_i4": struct.Struct("!ii").pack,
    "pack_u4": struct.Struct("!iI").pack,
    "pack_i8": struct.Struct("!iq").pack,
    "true_text": b"\0\0\0\1t",
    "false_text": b"\0\0\0\1f",
    "true_binary": b"\0\0\0\1\1",
    "false_binary": b"\0\0\0\1\0",
}


def _compile(kinds: tuple[str, ...]) -> Callable[..., Encoder]:
    numbers = range(len(kinds))
    values = "".join(f"v{n}, " for n in numbers)
    lines = [
        f"def make({', '.join(f'render{n}' for n in numbers)}):",
        "    def encode(rows):",
        "        out = []",
        "        append = out.append",
        # Unpacking also checks that a row has as many values as there are columns.
        f"        for {f'({values})' if kinds else '_'} in rows:",
    ]
    for n, kind in enumerate(kinds):
        lines.append(f"            if v{n} is None:")
        lines.append(f"                p{n} = null")
        lines.append("            else:")
        lines.extend("                " + line.format(n=n) for line in _FIELD[kind])
    parts = ", ".join(["count", *(f"p{n}" for n in numbers)])
    lines += [
        f'            body = b"".join(({parts},))',
        '            append(b"D" + pack(len(body) + 4))',
        "            append(body)",
        '        return b"".join(out)',
        "    return encode",
    ]
    names = {**_NAMES, "count": struct.pack("!H", len(kinds))}
    exec(compile("\n".join(lines), "<data rows>", "exec"), names)
    factory: Callable[..., Encoder] = names["make"]
    return factory
