"""Relations that the query processor computes: pg_catalog, information_schema and sys.

Vocabulary: a *virtual relation* has a name, columns and a function from what a session sees (its
transaction's catalog, its settings) to rows. Oids of catalogs are PostgreSQL's own, so that
`'pg_class'::regclass` means what clients expect.

Not here: the stored objects themselves (`query.catalog`).
"""
