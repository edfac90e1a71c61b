"""SQL types: what they are called, how values look in memory, as text, as binary, as keys and in rows.

Vocabulary
- *TypeRef*: a type's oid with its modifier (typmod), e.g. numeric(18,2). PostgreSQL's own oids.
- *value*: the in-memory form of a non-NULL SQL value; None is NULL. See `registry` for the table.
- *key encoding*: bytes whose order is the type's order (`keys`); *row encoding*: msgpack (`rows`).

Invariants
- A numeric NaN is always `numeric.NAN` (never a plain Decimal("NaN")), a numeric never has a
  positive exponent and never is a negative zero: so Python's own operators compare numerics rightly.
- float4 values are floats that single precision can represent.

Not here: functions, operators and casts (`trilithon.expression`), and anything of a session but its
I/O settings.
"""
