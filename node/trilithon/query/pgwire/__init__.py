"""PostgreSQL's wire protocol, version 3.

Vocabulary
- *frontend* messages come from the client, *backend* messages go to it.
- A *format* is 0 (text) or 1 (binary), per parameter and per column.

The codec (`frontend`, `backend`, `data_rows`) is bytes in, values out, and does no I/O. `connection`
is the conversation: one task per connection that works off the messages one after the other.
`protocol` and `server` are the sockets.

Invariants: whatever bytes come, the answer is an error message with its SQLSTATE or a closed
connection, and no other connection notices. Input and output are bounded: reading pauses while work
is queued, rows wait while the client does not read.

Source: PostgreSQL 16 documentation, chapter "Frontend/Backend Protocol", and postgres.c.
"""
