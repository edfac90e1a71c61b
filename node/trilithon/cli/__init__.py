"""`trilithon`, the command: a whole cluster on this machine, and looking into any cluster.

- `plan`: from a data folder and options to what is to be started; `supervisor`: starts, restarts
  and stops processes; `state`: what a data folder remembers of them.
- `status`: asks every process; `view`: shows it; `main`: the commands.
- `shell`: `trilithon sql`; `demo`, `banking`: the banking ledger.

Not here: what a process does (its own folder), Kubernetes (which starts processes by itself with
`trilithon run`).
"""
