"""From the bound tree to operators.

- `rules`: the bound tree rewritten: filters move down, subqueries become joins, joins are ordered.
- `access`: how a table's rows are found: by key, by range, through which index.
- `planner`: operators for each relation, expressions compiled over positions in rows; what is more than a few
  lines is a module each: `scans`, `joins`, `grouping`, `orders`, `windows`, `sets`, `values`, `sources`,
  `subqueries`.
- `merges`: whether two ordered inputs are joined by merging them.
- `lookups`: tables read by key for each of some outer rows.
- `statements`: plans of INSERT, UPDATE, DELETE.
- `explain`: plans as text and JSON.

Vocabulary: a *conjunct* is one of the conditions that are and-ed; a *hint* is what the operators above
would like of a scan (an order, at most so many rows) and costs nothing to ignore.

Invariants: a rule keeps the result the same, row for row (order where an order was asked for); column
ids keep their meaning; a condition is dropped only where a key enforces it exactly.
"""
