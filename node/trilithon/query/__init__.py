"""The query processor: PostgreSQL's wire protocol and SQL over distributed snapshots.

Stages never leak into each other: `pgwire` (bytes) → `session` (transaction state) → `parse` →
`analyse` → `plan` → `execute`; `catalog`, `transaction` and `reads` are what plans run on. Stateless:
everything durable is in the journals and in storage.
"""
