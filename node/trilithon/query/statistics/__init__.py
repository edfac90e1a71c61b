"""What is known of tables' contents, for the planner: how many rows, how many different values.

- `definitions`: a table's statistics, and their row in the system table of statistics.
- `sampling`: from rows to statistics.
- `spread`: common values and histograms, and what part of a table a comparison keeps by them.
- `keeper`: gathers them (ANALYZE, and by itself when enough has changed), and knows the newest.

Vocabulary: a column's *distinct* is its number of different values; negative: as a part of the rows (-1: every
row has its own), as in PostgreSQL's pg_stats.n_distinct.

Invariants: statistics only choose between plans that are all right, so they may be old, missing or wrong.
They are no part of the catalog: new ones make nobody's transaction fail, and a plan is made anew only where
those of its own tables changed.
"""
