"""Ids: transaction ids (UUIDv7, RFC 9562), incarnations and process lives (16 random bytes)."""

import random
from typing import NewType

TransactionId = NewType("TransactionId", bytes)
Incarnation = NewType("Incarnation", bytes)
Life = NewType("Life", bytes)

ID_BYTES = 16


def make_transaction_id(wall_us: int, source: random.Random) -> TransactionId:
    """A UUIDv7: 48 bits of Unix milliseconds, then 74 random bits."""
    value = (wall_us // 1000 & (1 << 48) - 1) << 80
    value |= 0x7 << 76 | source.getrandbits(12) << 64 | 0b10 << 62 | source.getrandbits(62)
    return TransactionId(value.to_bytes(ID_BYTES, "big"))


def make_random_id(source: random.Random) -> bytes:
    return source.getrandbits(128).to_bytes(ID_BYTES, "big")


def format_id(value: bytes) -> str:
    """The UUID form with hyphens; "-" for an empty id."""
    text = value.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}" if value else "-"
