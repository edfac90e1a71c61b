"""Where PostgreSQL would keep the containers of a jsonb value: what keyvalue() calls an object's id.

The layout (jsonb.h): a container is a 4-byte head, a 4-byte entry per element (two per member of an object),
then keys, then values; numbers and containers begin at multiples of 4.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from trilithon.types.json_value import key_order

_ENTRY: Final = 4


def container_offsets(root: Any) -> dict[int, int]:
    """id() of each container within `root` → its distance in bytes from the root's."""
    offsets: dict[int, int] = {}
    if isinstance(root, dict | list):
        _place(root, 0, offsets)
    return offsets


def _aligned(at: int) -> int:
    return (at + 3) & ~3


def _place(value: Any, at: int, offsets: dict[int, int]) -> int:
    """Where the value ends that begins at `at`."""
    match value:
        case dict():
            at = _aligned(at)
            offsets[id(value)] = at
            keys = sorted(value, key=key_order)
            at += _ENTRY * (1 + 2 * len(keys)) + sum(len(key.encode()) for key in keys)
            for key in keys:
                at = _place(value[key], at, offsets)
        case list():
            at = _aligned(at)
            offsets[id(value)] = at
            at += _ENTRY * (1 + len(value))
            for item in value:
                at = _place(item, at, offsets)
        case str():
            at += len(value.encode())
        case Decimal():
            at = _aligned(at) + _numeric_bytes(value)
    return at


def _numeric_bytes(value: Decimal) -> int:
    """A length word, a head, and two bytes for each four decimal digits without zeros at the ends."""
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits))
    whole = text[: len(text) + exponent] if -exponent < len(text) else ""
    fraction = text[len(whole) :].rjust(-exponent, "0")
    whole = whole.rjust(-(-len(whole) // 4) * 4, "0")
    fraction = fraction.ljust(-(-len(fraction) // 4) * 4, "0")
    both = whole + fraction
    blocks = [both[at : at + 4] for at in range(0, len(both), 4)]
    first = next((at for at, block in enumerate(blocks) if block != "0000"), None)
    if first is None:
        return 4 + 2
    last = max(at for at, block in enumerate(blocks) if block != "0000")
    # The short head holds scales up to 63 and weights from -64 to 63.
    short = -exponent <= 63 and -64 <= len(whole) // 4 - 1 - first <= 63
    return 4 + (2 if short else 4) + 2 * (last - first + 1)
