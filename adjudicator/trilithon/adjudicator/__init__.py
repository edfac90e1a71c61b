"""The adjudicator: verdicts on commits.

One adjudicator of the cluster is *leader*: it decides conflicts, numbers commits and appends them
to every journal. The others follow their own Region's journal, keep the same conflict window warm
and forward commits. See DESIGN.md: "Leader and epochs", "Local reads", "Commit".

Modules, bottom up (all but `service` and `role` are pure: time and events come in, messages go out)
- `quorum`: majorities over one member list, or over both while a change is open.
- `log`: the tail of the log in memory, epoch histories, the newest csn that two logs share.
- `window`: the conflict window and the transaction ids of the same csn range.
- `copy`: log, window and settled position together: this adjudicator's copy of the log.
- `election`: silence, pre-votes, promises.
- `feed`: following the own Region's journal.
- `progress`, `relay`, `replication`: the leader's dealings with the journals: what each one has, old
  entries passed on, appends, marks, leases, settling.
- `judging`: what requests must look like, and what is answered.
- `leader`: one term of leadership: recovery, judging, refusals, member changes.
- `handover`: leadership moved by order or before an orderly stop.
- `pending`: requests that this adjudicator took from query processors, until they are answered.
- `outbox`: what a step wants sent.
- `machine`: puts them together.

Invariants
- A leader judges only with authority, and only after its epoch's first entry is committed.
- What an adjudicator has told a query processor, "committed" or "aborted", stays true.
- Nothing here is durable: the log in the journals is the truth.

Not here: durability (journal), SQL (query processor), links (trilithon.link).
"""
