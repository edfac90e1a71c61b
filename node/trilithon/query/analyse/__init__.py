"""From parse nodes to a bound tree: names resolved, types known, every coercion explicit.

Vocabulary
- A *column id* is a number that names one column of one relation within one statement; bound
  expressions (`trilithon.expression.ir`) say `Column(column id, type)`. Positions in rows are the
  planner's business.
- A *scope* is what names a place of a statement can see; scopes nest, and a name found in an outer one
  makes the subquery *correlated*.
- The *bound tree* (`tree`) is relational algebra over column ids. Subqueries in expressions are
  `Subquery` nodes, the one thing in a bound expression that `expression` does not know.

Invariants: one function per parse node, found by the node's tag; what has no function is refused with
0A000 and its name. Errors carry PostgreSQL's SQLSTATE, wording and position. Nothing here reads rows.
"""
