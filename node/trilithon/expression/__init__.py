"""Typed expressions: what they are (`ir`), how they are built from names and types (`build`,
`functions`), how they become Python functions (`compile`) and how they travel (`program`).

Vocabulary
- *expression*: a tree of frozen nodes, each with its type; every name is already resolved.
- *function*: one implementation with one signature, known by its id, e.g. "lower(text)". Operators
  are functions too: "int4 + int4". Casts: "int4 :: text".
- *immutable / stable / volatile*: PostgreSQL's volatility. Only immutable functions run in storage.

Adding a function is one decorated Python function in a module of `builtins/`.

Invariants
- Three-valued logic is decided at compile time: code checks for None only where one can appear.
- Nothing from the wire or from SQL text ever becomes part of generated source: generated code holds
  only numbers of columns and names that the compiler made itself.
- No recursion over a user's expression: depth costs memory and ends in SQLSTATE 54001, never in a
  crash.

Not here: subqueries, aggregation's grouping, windows (query/execute); parsing (query/parse).
"""
