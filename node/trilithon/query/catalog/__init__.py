"""The catalog: what exists, as immutable snapshots, and how DDL changes it.

- `definitions`: the objects; `catalog`: one immutable view of all of them, with lookups.
- `documents`, `system_tables`: how they are stored as rows of system tables in the same store.
- `loading`: catalogs by their csn, loaded once.
- `rowkeys`, `row_writer`: the keys and index entries of a table's rows.
- `ddl*`, `backfill`, `sequences`, `jobs`: the changes.

Invariants
- A catalog is named by the csn of the newest entry that changed it; the same name is the same catalog.
- Whoever uses a table READ-checks its row in the system table of objects; whoever changes a table
  writes that row. So DDL and DML cannot interleave wrongly: the loser gets OC001.

Not here: parsing DDL, pg_catalog's views (query.analyse and query.execute).
"""
