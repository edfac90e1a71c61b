"""Transactions: a snapshot, a buffer of writes, and one question at the end.

- `write_buffer`: what the transaction wrote and locked, with savepoints and limits (pure).
- `read_checks`: what must not have changed when it commits (pure).
- `merge`: range scans with the transaction's own writes in them.
- `transaction`: one transaction; `manager`: begins them; `committer`: hands them over for the verdict;
  `conflicts`: verdicts in the words of SQL.

Vocabulary: *own write*: a buffered write that reads of the same transaction see. *Mark*: a point in
the order of a transaction's statements; a statement does not see its own writes.

Invariants
- Nothing of a transaction is visible outside before its commit is settled.
- A commit request is handed over once; after that only its status is asked for.

Not here: snapshots and storage (query.reads), conflict rules (adjudicator).
"""
