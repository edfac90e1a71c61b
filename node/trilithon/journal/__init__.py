"""The journal: an acceptor of the replicated log, the giver of snapshots, the source of the feed.

Vocabulary (DESIGN.md, "The log", "Leader and epochs", "Local reads")
- *tail*: the newest entry of this log, synced or not. *base*: the newest csn that was trimmed away.
- *synced*: durable on this disk. *matched*: known to be in the log of this epoch's leader.
  This journal's own *mark* is the smaller of the two; nothing else is ever acknowledged.
- *settled*: a prefix of the log that no failure can take away and that may be acknowledged.
- *promise*: the highest epoch, and the one process life of one candidate that may append in it.

Invariants
- Within an epoch csns are dense, and an epoch's first entry is (epoch, 0): so a log is described by
  the first and last csn of each of its epochs, and two logs that share a csn share all before it.
- Nothing is acknowledged before it is durable, except that a heartbeat was heard.
- Settled entries are never cut; entries of the promised epoch are never cut.
- Settled, synced within an epoch, the promised epoch and the base never go backwards.

Pure (no I/O, clock, randomness, logging): machine, votes, settling, quorum, log, feed, readers,
outbox, writes, trimming, checks, operations, settings. `store` is LMDB, `service` the stream handler and timers around the
machine, `role` puts both into a process. The witness is this journal with `full=False`.

Not here: choosing a leader, counting promises, granting leases (trilithon.adjudicator); what is in a
write set (nobody opens it here); keys and rows (trilithon.storage).
"""
