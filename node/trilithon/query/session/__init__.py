"""Sessions: what a client's connection is to SQL, whatever transport carries it.

Vocabulary
- A *block* is BEGIN … COMMIT. An *implicit* transaction spans one simple query message, or everything
  up to a Sync of the extended protocol.
- A *prepared statement* has a name and inferred parameter types; a *portal* is one execution of it
  that may be fetched in parts; a *cursor* is a portal that SQL declared.
- An *outcome* is what running a statement gave: rows, a command tag, or a COPY to be carried out.

Invariants
- A session runs one statement at a time, in one task. Sessions share nothing but caches.
- A commit that has begun is never cancelled: its outcome is always told.
- After a failed COMMIT the session is idle.

Not here: bytes and sockets (`pgwire`, `sqlservice`), names and types of SQL (`analyse`), the commit
itself (`transaction`).
"""
