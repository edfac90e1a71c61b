"""Running plans: operators over batches of rows.

Vocabulary
- A *batch* is a list of rows; a row is a list or a tuple of in-memory values, laid out as the
  operator's `columns` (column ids) say.
- A *run* is one execution of one plan: its transaction, its parameters, its memory, its clock.
- A *slot* is a parameter behind the statement's own: results of subqueries that are evaluated once,
  and the outer row's values in correlated subqueries.

Invariants: expressions are compiled when the plan is built, never while it runs; an operator holds no
state of a run, so that one plan serves any number of runs at once; operators give the event loop a
turn every few milliseconds and account for what they keep in memory.
"""
